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
from mockserver.pipeline.limit import limit
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
from mockserver.problems import OwnProblem, Problem, ProblemType
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.ids import Chance, digest_of
from mockserver.state.world import World

log = logging.getLogger("mockserver")
IDENTITY = ("authorization", "x-api-key")
NO_ARGUMENTS = Arguments({}, {}, {}, None)


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
            response = self._lost(request, misrouted)
        else:
            response = self._walk(match, request, wanted)
        if wanted:
            response = _with_preferences(response, wanted)
        return response

    def account(self, provider: Provider, key: str) -> Account:
        """Give the account of a key as it is now."""
        return current(provider, self.world, self.world.accounts.find(provider.name, key))

    def _walk(self, match: Match, request: Request, wanted: dict[str, str]) -> Response:
        """Lead a routed request through the rooms; the only place where a Problem ends."""
        chance = self._chance("\0".join([match.operation.name, *match.path_values.values()]), request)
        request_id = chance.uuid("request")
        account, arguments, release = None, NO_ARGUMENTS, None
        try:
            caller = authorize(match, request, self.world, is_strict=self.settings.is_strict)
            account = caller.account
            release = limit(match, account, self.world)
            arguments = localise(match, request, decode(match, request), self.settings.public_url)
            validate(match, arguments)
            call = self._call(match, request, account, arguments, chance, request_id, wanted)
            bound = self._bound[match.operation.name]
            call = examine(call, bound)
            intercept(match.provider, match.operation, wanted, caller.ordered)
            result = charge(call, functools.partial(behave, call, bound))
            response = succeed(match.operation, result, self._headers(match, request_id, account), arguments.warnings)
        except Problem as problem:
            response = self._refused(match, problem, request_id, account, arguments)
        except OwnProblem as problem:
            response = refuse_ourselves(problem)
        except Exception:
            if self.settings.raises_bugs:
                raise
            log.exception("a bug of mockserver in %s", match.operation.name)
            response = self._refused(match, Problem(ProblemType.INTERNAL), request_id, account, arguments)
        if release is not None:
            response = response._replace(release=release)
        return _checked(match, response) if self.settings.checks_answers else response

    def _call(
        self, match: Match, request: Request, account: Account, arguments: Arguments, chance: Chance, request_id: str, wanted: dict[str, str]
    ) -> Call:
        return Call(
            match=match,
            account=account,
            arguments=arguments,
            world=self.world,
            chance=chance,
            request_id=request_id,
            base_url=base_url(request, self.settings.public_url),
            preferences=wanted,
            has_extra_fields=self.settings.has_extra_fields,
            is_realistic=self.settings.is_realistic,
            request=request,
            ask=self.handle,
        )

    def _headers(self, match: Match, request_id: str, account: Account | None) -> Headers:
        """Make the headers that this provider sends with every answer."""
        values = {"request_id": request_id}
        if account is not None and match.provider.shows_credits:
            values |= credit_values(match.provider, self.world, account)
        return answer_headers(match.provider, values)

    def _refused(
        self, match: Match, problem: Problem, request_id: str, account: Account | None, arguments: Arguments
    ) -> Response:
        return refuse(
            match.provider,
            match.operation,
            problem,
            request_id=request_id,
            headers=self._headers(match, request_id, account),
            warnings=arguments.warnings,
        )

    def _lost(self, request: Request, misrouted: Misrouted) -> Response:
        """Answer a request that leads to no operation: in a provider's voice where it is clear whose was meant."""
        provider, problem = misrouted.provider, misrouted.problem
        if provider is None:
            explanation = problem.violations[0].message
            return refuse_ourselves(OwnProblem(404, "Unknown path", explanation, violations=problem.violations))
        request_id = self._chance(request.path, request).uuid("request")
        headers = answer_headers(provider, {"request_id": request_id})
        return refuse(provider, None, problem, request_id=request_id, headers=headers)

    def _chance(self, place: str, request: Request) -> Chance:
        """Make the source of this request's ids: the seed, the request, and how often it came before."""
        who = "\0".join([request.headers.get(name, "") for name in IDENTITY])
        what = f"{place}\0{request.query}\0{who}".encode("utf-8", "surrogatepass")
        digest = digest_of(str(self.world.seed).encode(), what, request.body)
        return Chance(digest, self.world.seen.increment(digest.hex()))


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


def _with_preferences(response: Response, wanted: dict[str, str]) -> Response:
    note = applied(wanted, response)
    headers = (*response.headers, ("Preference-Applied", note)) if note else response.headers
    return response._replace(headers=headers, delay_ms=delay_ms(wanted))
