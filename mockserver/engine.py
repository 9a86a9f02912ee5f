"""START HERE: the steps of one request, in order, whoever asks: a socket, a test in the same process, a loop.

`Engine.walk` is the map; `walk.py` says what it yields. `Engine.handle` is the plain caller, `serving` is the
one with sockets.
"""

import functools
import time
from collections.abc import Generator
from typing import Any

from mockserver.admin.asked import PREFIX
from mockserver.admin.routes import NAME as ADMIN
from mockserver.admin.routes import Admin
from mockserver.call import Arguments, Call, Door, Exchange, Listener, Match, Override, Referral, Result
from mockserver.coverage.counting import Counter
from mockserver.downloads import Downloads
from mockserver.journal.keeping import keep
from mockserver.jsontext import dump
from mockserver.links import Names, base_url, localise
from mockserver.messages import PROBLEM_TYPE, Headers, Request, Response
from mockserver.nomatch import NoMatch
from mockserver.pipeline.authorize import authorize, find_holder
from mockserver.pipeline.behave import Bound, behave, bind, examine
from mockserver.pipeline.chance import random_of
from mockserver.pipeline.charge import credit_values, release, reserve, settle
from mockserver.pipeline.conform import conform
from mockserver.pipeline.decode import decode, useful_size
from mockserver.pipeline.finish import finish
from mockserver.pipeline.fulfil import fulfil, join
from mockserver.pipeline.limit import limit
from mockserver.pipeline.mistyped import Mistyped, may_order, odd_of, of_download
from mockserver.pipeline.override import NOTHING, applied, delay_alone, delay_of_key, override, raise_ordered
from mockserver.pipeline.plan import planned, planned_of_call
from mockserver.pipeline.respond import draw, headers_of, problem_response, refuse, succeed, warn, write_stub
from mockserver.pipeline.route import Router
from mockserver.pipeline.spoil import is_slow, spoil
from mockserver.pipeline.validate import validate
from mockserver.preferences import read_preferences
from mockserver.problems import NO_VIOLATIONS, EmulatorProblem, Problem, Violation
from mockserver.readings import Readings
from mockserver.seeded import Random
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.journal import Era
from mockserver.state.world import World
from mockserver.state.worlds import Worlds
from mockserver.voices import voice_of
from mockserver.walk import Step, Wait, Walk, run
from mockserver.webhooks import WebhookSender

OK = 200
Parts = tuple[Exchange, ...]  # what other operations were asked for a call
Warnings = tuple[Violation, ...]
NO_PARTS: Parts = ()


class Engine:
    """The emulator: a catalogue, its worlds, and the way a request takes through them.

    >>> from mockserver import create_engine
    >>> create_engine().handle(Request("GET", "/__admin/health", {})).status
    200
    """

    def __init__(self, catalog: Catalog, worlds: Worlds, settings: Settings | None = None) -> None:
        self.catalog = catalog
        self.worlds = worlds
        self.settings = settings or Settings()
        self.readings = Readings(catalog, bind(catalog))
        self.webhooks = WebhookSender(self.readings, worlds, self.settings)
        self.listeners: list[Listener] = [Counter()]  # hear of each exchange, on the thread that ended it
        self._mistyped = Mistyped(catalog)
        self._names = Names.of(catalog.providers, self.settings, worlds.ports.names)
        self.admin = Admin(catalog, self.webhooks, self.readings, self.settings)
        self._router = Router(catalog, (self.admin.find, Downloads(catalog, self.readings).find))

    @property
    def world(self) -> World:
        """The world of whoever names no other."""
        return self.worlds.default

    def has_cors(self, request: Request) -> bool:
        """Whether pages of any origin may read what a request is answered with."""
        request, world = self.worlds.look(request)
        owner = self._router.owner_of(request)
        if isinstance(owner, Door):
            return owner.has_cors is None or owner.has_cors(world)
        return owner is None or self.readings.provider(owner.name, world).answers.has_cors

    def useful_size(self, request: Request) -> int:
        """Say how many bytes of its body the answer to a request can depend on, by path and headers alone."""
        request, world = self.worlds.look(request)
        try:
            match = self.readings.of_world(self._router.route(request), world)
        except NoMatch:
            return 0
        if isinstance(match, Door):
            return self.admin.useful_size(request) if match.name == ADMIN else 0
        try:
            account = authorize(match, request, world, is_strict=self.settings.is_strict).account
        except Problem:
            match, _ = self.readings.of_account(match, find_holder(match, request, world), world)
            return useful_size(match, request) if match.provider.keys.come_after_body else 0
        return useful_size(self.readings.of_account(match, account, world)[0], request)

    def handle(self, request: Request) -> Response:
        """Answer one request: drawn, waited for, and told to every listener."""
        return run(self.walk(request))

    # `hear` makes it a part of another call: nobody else is told, and the plan of faults has its say there.
    def walk(self, request: Request, *, hear: Listener | None = None, has_socket: bool = False) -> Walk:
        """THE STEPS, in order; the only place where a Problem is answered, and where an Exchange is made."""
        started_s, (request, world, refusal) = time.perf_counter(), self.worlds.enter(request, not hear)
        at_s, preferences = world.clock.now(), read_preferences(request.headers)
        era, tag = world.journal.begin(is_look=request.path.startswith(PREFIX))
        ordered, violations, parts = delay_alone(preferences), NO_VIOLATIONS, NO_PARTS
        match, account, random, free_slot, response, said = None, None, None, None, None, None
        honoured, is_sent, fee = "", False, 0.0
        try:
            try:
                match = self._find(request, world, refusal)
                if isinstance(match, Door):
                    made = yield functools.partial(match.answer, request, world)
                    ordered, response, violations = self._open(match, request, made, world, has_socket)
                else:
                    account, key_order, ordered, violations = self._authorize(match, request, world, ordered)
                    match, bound = self.readings.of_account(match, account, world)
                    random = random_of(match, request, account, world)
                    free_slot = limit(match, account, world, request.body)
                    arguments = decode(match, request)
                    violations += arguments.warnings
                    arguments = localise(match, request, arguments, world, self._names)
                    validate(match, arguments)
                    said = arguments
                    call = examine(self._call(match, request, account, arguments, world, random), bound)
                    asks, body = may_order(request, key_order), call.arguments.body
                    ordered = override(match, preferences, key_order, body) if asks else ordered
                    violations += self._mistyped.of_call(match, request, preferences, body) if asks else ()
                    ordered = planned_of_call(ordered, call) if not hear and world.plans.orders else ordered
                    raise_ordered(ordered, has_socket=has_socket)
                    made = yield from self._make(call, ordered, bound, request, key_order, violations)
                    response, fee, parts, ordered, violations = made
            except Exception as error:  # noqa: BLE001 - what is a bug of ours is raised again, or logged
                response = self._refuse(error, match, request, account, world, random, violations)
                violations = (*getattr(error, "violations", ()), *violations)
            if self.settings.checks_answers and isinstance(match, Match) and not ordered.stub:
                response = self._conform(match, response)
            if ordered is not NOTHING:
                ordered, response, honoured = self._fulfil(ordered, response)
            response = finish(request, response, honoured, world.clock, tag)
            if ordered.delay_ms and not is_slow(ordered):
                yield Wait(ordered.delay_ms / 1000)
            is_sent = (yield response) is None  # not reached where the caller goes away
        finally:
            if free_slot is not None:
                free_slot()
            so_far = (request, match, account, ordered, violations, response, is_sent, at_s)
            told = Exchange(*so_far, time.perf_counter() - started_s, world, tag, fee, said, None, parts)
            hear(told) if hear else self._tell(told, era)

    def _find(self, request: Request, world: World, refusal: EmulatorProblem | None) -> Match | Door:
        """Find what is asked, as the world reads the documents, unless the request is not let in."""
        if refusal is not None:
            raise refusal
        return self.readings.of_world(self._router.route(request), world)

    def _authorize(
        self, match: Match, request: Request, world: World, ordered: Override
    ) -> tuple[Account, str | None, Override, tuple[Violation, ...]]:
        """Find the caller; add the delay that the key orders, and what its ending is near to."""
        is_strict, hint = self.settings.is_strict, self._mistyped.of_key
        try:
            account, key_order, warnings = authorize(match, request, world, is_strict=is_strict, hint=hint)
        except Problem:
            match, _ = self.readings.of_account(match, find_holder(match, request, world), world)
            if match.provider.keys.come_after_body:
                validate(match, localise(match, request, decode(match, request), world, self._names))
            raise
        return account, key_order, delay_of_key(match.provider, key_order, ordered), warnings

    def _tell(self, told: Exchange, era: Era[Exchange]) -> None:
        """Keep an exchange, unless it was a look at ourselves, and let all listeners hear of it."""
        if type(told.match) is not Door or told.match.name != ADMIN:
            keep(told, era)
        self.worlds.leave(told.world)
        for listener in self.listeners:
            listener(told)

    def _open(
        self, door: Door, request: Request, made: Response, world: World, has_socket: bool
    ) -> tuple[Override, Response, Warnings]:
        """Add what the plan holds for a picture that is handed out, or what stands in for it."""
        preferences = read_preferences(request.headers)
        own, warnings = delay_alone(preferences), of_download(door, preferences)
        made = warn(made, warnings)
        if door.subject is None or made.status != OK or not world.plans.orders:
            return own, made, warnings
        ordered = planned(own, door.subject, None, world, random_of(door, request, None, world))
        raise_ordered(ordered, has_socket=has_socket)
        return ordered, write_stub(ordered.stub) if ordered.stub else made, warnings

    def _call(
        self, match: Match, request: Request, account: Account, given: Arguments, world: World, random: Random
    ) -> Call:
        base = base_url(request, self.settings.public_url_of(match.provider.name), self._names.apis)
        return Call(match, account, given, world, random, random.uuid("request"), base, self.settings)

    def _fulfil(self, ordered: Override, response: Response) -> tuple[Override, Response, str]:
        """Do to an answer what was ordered, or say why that cannot be; give what of the order is honoured."""
        if PROBLEM_TYPE in response.headers and not ordered.stub:
            return NOTHING, response, ""
        honoured = applied(ordered, response)
        try:
            return ordered, spoil(ordered, response), honoured
        except EmulatorProblem as problem:
            return ordered, problem_response(problem), honoured

    def _make(
        self, call: Call, ordered: Override, bound: Bound, asked: Request, key: str | None, warnings: Warnings
    ) -> Generator[Step, Any, tuple[Response, float, Parts, Override, Warnings]]:
        """Make an answer or the stub; give what was paid, parts, what came of the order. Failing is free."""
        if ordered.stub:
            return write_stub(ordered.stub), 0, (), ordered, warnings
        call = call if ordered is NOTHING else call._replace(override=ordered)
        reservation, parts, told = reserve(call), NO_PARTS, warnings
        try:
            result = behave(call, bound)
            if isinstance(result, Referral):
                result, parts = self._refer(call, result, asked)
                ordered, told = join(ordered, parts), warnings + odd_of(parts, warnings)
            elif may_order(asked, key):
                ordered, odd = fulfil(ordered, call, result, read_preferences(asked.headers), key)
                told = warnings = warnings + odd
            if callable(result.body):
                result = result._replace(body=(yield functools.partial(draw, result.body)))
        except BaseException:
            release(call, reservation)
            raise
        fee = settle(call, reservation, result.job) + (sum(each.charge for each in parts) if parts else 0)
        headers = self._headers(call.match.provider, call.request_id, call.account, call.world)
        return succeed(call.match.operation, result, headers, told), fee, parts, ordered, warnings

    def _refer(self, call: Call, referral: Referral, request: Request) -> tuple[Result, Parts]:
        """Let another operation of the same provider answer; give the result and what came of that."""
        target = call.provider.operations[referral.operation]
        if referral.result is not None:
            match = Match(call.provider, target, {})
            try:
                authorize(match, request, call.world, is_strict=self.settings.is_strict)
            except Problem as problem:
                refused = self._refuse(problem, match, request, None, call.world, call.random, ())
                return referral.conclude(refused), ()
            return referral.result, ()
        headers = {**request.headers, "content-type": "application/json"}
        path, body = f"/{call.provider.name}{target.path}", dump(referral.body)
        asked = request._replace(method=target.method, path=path, headers=headers, body=body)
        heard: list[Exchange] = []
        answer = run(self.walk(asked, hear=heard.append), is_patient=False)
        return referral.conclude(answer), tuple(heard)

    def _conform(self, match: Match, response: Response) -> Response:
        """Give an answer that obeys the specification, or the 500 that says how it does not."""
        try:
            conform(match, response)
        except EmulatorProblem as problem:
            if self.settings.raises_bugs:
                raise
            return problem_response(problem)
        return response

    def _refuse(
        self,
        error: Exception,
        match: Match | Door | None,
        request: Request,
        account: Account | None,
        world: World,
        random: Random | None,
        warnings: tuple[Violation, ...],
    ) -> Response:
        """Answer what a step has raised, in the voice of the API that was meant or our own. Raises bugs."""
        voice = voice_of(error, match, request, world, self.readings, raises_bugs=self.settings.raises_bugs)
        error.__traceback__ = None  # whose frames hold the call, and lead back to the error
        if isinstance(voice, EmulatorProblem):
            return problem_response(voice, warnings)
        provider, problem = voice
        operation = match.operation if isinstance(match, Match) else None
        request_id = (random or random_of(match, request, account, world)).uuid("request")
        headers = self._headers(provider, request_id, account, world)
        return refuse(provider, operation, problem, request_id=request_id, headers=headers, warnings=warnings)

    def _headers(self, provider: Provider, request_id: str, account: Account | None, world: World) -> Headers:
        values = {"request_id": request_id}
        if provider.shows_credits:  # to a caller whom nobody knows, a new account's
            values |= credit_values(provider, world, account or world.accounts.fresh(provider.name, ""))
        return headers_of(provider, values)
