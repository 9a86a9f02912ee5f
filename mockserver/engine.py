"""START HERE: the steps of one request, in order.

`Engine.handle` is an ordinary function from Request to Response; sockets, threads and delays live in `transport`.
"""

import functools
import logging
from dataclasses import dataclass

from mockserver.call import Arguments, Call, Json, Match
from mockserver.jsontext import parse
from mockserver.messages import Request, Response
from mockserver.pipeline.authorize import authorize
from mockserver.pipeline.behave import behave, bind, examine
from mockserver.pipeline.charge import charge, credit_values, current
from mockserver.pipeline.decode import decode
from mockserver.pipeline.intercept import applied, delay_ms, intercept, preferences
from mockserver.pipeline.limit import Release, limit
from mockserver.pipeline.links import base_url, localise
from mockserver.pipeline.respond import (
    PROBLEM_TYPE,
    Headers,
    answer_headers,
    refuse,
    refuse_ourselves,
    succeed,
)
from mockserver.pipeline.route import Misrouted, Router
from mockserver.pipeline.validate import validate
from mockserver.problems import OwnProblem, Problem, ProblemType, Violation
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider
from mockserver.state.accounts import Account
from mockserver.state.ids import Chance, digest_of
from mockserver.state.world import World

log = logging.getLogger("mockserver")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an engine behaves that no table says."""

    seed: int = 0
    is_realistic: bool = False  # jobs take as long as documented, not two seconds
    is_strict: bool = False  # refuse keys that no fixture lists
    public_url: str | None = None  # the address in links; None: as the caller sees it
    has_extra_fields: bool = True  # answer with the fields that the ground truth does not name, too
    enforced: frozenset[str] = frozenset()  # of "credits" and "limits": what is real for every account
    raises_bugs: bool = False  # a bug of ours is raised, not dressed up as the provider's error
    checks_answers: bool = False  # hold every answer against the specification


@dataclass(slots=True)
class Visit:
    """What is known so far of one request on its way; the steps hand each other more than this."""

    match: Match
    request: Request
    wanted: dict[str, str]  # of the Prefer header
    chance: Chance
    request_id: str
    account: Account | None = None  # None: nobody's yet
    warnings: tuple[Violation, ...] = ()
    release: Release | None = None  # None: it holds no slot


class Engine:
    """The emulator: a catalogue, a world, and the way a request takes through them."""

    def __init__(self, catalog: Catalog, world: World, settings: Settings | None = None) -> None:
        self.catalog = catalog
        self.world = world
        self.settings = settings or Settings()
        self._bound = bind(catalog)
        self._router = Router(catalog)

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        wanted = preferences(request.headers["prefer"]) if "prefer" in request.headers else {}
        try:
            match = self._router.route(request)
        except Misrouted as misrouted:
            return _with_preferences(self._lost(request, misrouted), wanted, None)
        return _with_preferences(self._walk(match, request, wanted), wanted, match.operation)

    def account(self, provider: Provider, key: str) -> Account:
        """Give the account of a key as it is now."""
        return current(provider, self.world, self.world.accounts.find(provider.name, key))

    def _walk(self, match: Match, request: Request, wanted: dict[str, str]) -> Response:
        """Lead a routed request through the rooms; the only place where a Problem ends."""
        chance = self._chance(_place(match), request)
        visit = Visit(match, request, wanted, chance, chance.uuid("request"))
        try:
            response = self._answered(visit)
            return _checked(match, response) if self.settings.checks_answers else response
        except BaseException:
            if visit.release is not None:
                visit.release()
            raise

    def _answered(self, visit: Visit) -> Response:
        try:
            response = self._served(visit)
        except Problem as problem:
            response = self._refused(visit, problem)
        except OwnProblem as problem:
            response = refuse_ourselves(problem)
        except Exception:
            if self.settings.raises_bugs:
                raise
            log.exception("a bug of mockserver in %s", visit.match.operation.name)
            response = self._refused(visit, Problem(ProblemType.INTERNAL))
        return response if visit.release is None else response._replace(release=visit.release)

    def _served(self, visit: Visit) -> Response:
        """THE STEPS, in order. Raises Problem or OwnProblem where one of them says no."""
        match, request = visit.match, visit.request
        caller = authorize(match, request, self.world, is_strict=self.settings.is_strict)
        visit.account = caller.account
        visit.release = limit(match, caller.account, self.world)
        arguments = localise(match, request, decode(match, request), self.world)
        visit.warnings = arguments.warnings
        validate(match, arguments)
        bound = self._bound[match.operation.name]
        call = examine(self._call(visit, caller.account, arguments), bound)
        intercept(match.provider, match.operation, visit.wanted, caller.ordered)
        result = charge(call, functools.partial(behave, call, bound))
        return succeed(match.operation, result, self._headers(visit), arguments.warnings)

    def _call(self, visit: Visit, account: Account, arguments: Arguments) -> Call:
        settings = self.settings
        return Call(
            match=visit.match,
            account=account,
            arguments=arguments,
            world=self.world,
            chance=visit.chance,
            request_id=visit.request_id,
            base_url=base_url(visit.request, settings.public_url),
            preferences=visit.wanted,
            has_extra_fields=settings.has_extra_fields,
            is_realistic=settings.is_realistic,
            request=visit.request,
            ask=self.handle,
        )

    def _headers(self, visit: Visit) -> Headers:
        """Make the headers that this provider sends with every answer."""
        return self._provider_headers(visit.match.provider, visit.request_id, visit.account)

    def _provider_headers(self, provider: Provider, request_id: str, account: Account | None) -> Headers:
        values = {"request_id": request_id}
        if provider.shows_credits:  # to a caller whom nobody knows, a new account's
            known = account or self.world.accounts.fresh(provider.name, "")
            values |= credit_values(provider, self.world, known)
        return answer_headers(provider, values)

    def _refused(self, visit: Visit, problem: Problem) -> Response:
        return refuse(
            visit.match.provider,
            visit.match.operation,
            problem,
            request_id=visit.request_id,
            headers=self._headers(visit),
            warnings=visit.warnings,
        )

    def _lost(self, request: Request, misrouted: Misrouted) -> Response:
        """Answer a request that leads to no operation: in a provider's voice where it is clear whose was meant."""
        provider, problem = misrouted.provider, misrouted.problem
        if provider is None:
            explanation = problem.violations[0].message
            return refuse_ourselves(
                OwnProblem(404, "Unknown path", explanation, violations=problem.violations)
            )
        request_id = self._chance(request.path, request).uuid("request")
        headers = self._provider_headers(provider, request_id, None)
        return refuse(provider, None, problem, request_id=request_id, headers=headers)

    def _chance(self, place: str, request: Request) -> Chance:
        """Make the source of this request's ids: the seed, the request, and how often it came before."""
        sent = request.headers.get
        what = f"{place}\0{request.query}\0{sent('authorization')}\0{sent('x-api-key')}".encode(
            "utf-8", "surrogatepass"
        )
        digest = digest_of(str(self.world.seed).encode(), what, request.body)
        return Chance(digest, self.world.seen.increment(digest.hex()))


def _place(match: Match) -> str:
    return (
        "\0".join([match.operation.name, *match.path_values.values()])
        if match.path_values
        else match.operation.name
    )


def _checked(match: Match, response: Response) -> Response:
    """Hold an answer in the provider's voice against the specification. Raises AssertionError where it does not obey."""
    if PROBLEM_TYPE in response.headers:
        return response
    if callable(response.body):
        return response._replace(body=lambda: _conforming(match, response.status, response.read()))
    _conforming(match, response.status, response.body)
    return response


def _conforming(match: Match, status: int, body: bytes) -> bytes:
    documented = match.operation.response_for(status)
    assert documented is not None, f"{match.operation.name} documents no status {status}"
    if documented.schema is not None:
        value: Json = parse(body)[0]
        breaches = [breach.message for breach in documented.schema.breaches(value)]
        assert not breaches, f"{match.operation.name} answered {status} against its specification: {breaches}"
    return body


def _with_preferences(response: Response, wanted: dict[str, str], operation: Operation | None) -> Response:
    if not wanted:
        return response
    note = applied(wanted, response, operation)
    headers = (*response.headers, ("Preference-Applied", note)) if note else response.headers
    is_ours = PROBLEM_TYPE in response.headers  # what the emulator itself refuses, it refuses at once
    return response._replace(headers=headers, delay_ms=0 if is_ours else delay_ms(wanted))
