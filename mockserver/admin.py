"""`/__admin`: what a test asks and tells the emulator itself, never in an API's voice.

Answers are JSON; refusals are RFC 9457 problem details and change nothing.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockserver.engine import Engine
from mockserver.jsontext import MalformedJsonError, dump, parse
from mockserver.pipeline.respond import refuse_ourselves
from mockserver.problems import OwnProblem
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema
from mockserver.state.accounts import Account
from mockserver.state.clock import duration_s, isoformat, moment_s
from mockserver.state.ledger import KEPT_PER_ACCOUNT, ledger_key
from mockserver.state.resources import Resource
from mockserver.webhooks import Courier

PREFIX = "/__admin"
Json = Any
Endpoint = Callable[[Request], Awaitable[Response]]
ACCOUNT = Schema(
    {
        "type": "object",
        "properties": {
            "state": {"enum": ["active", "inactive", "deleted", "suspended", "unknown"]},
            "plan": {"type": ["string", "null"]},
            "credits": {"type": ["number", "null"]},
            "enforce": {"type": "array", "items": {"enum": ["credits", "limits"]}},
            "smart_balance": {"type": ["object", "null"]},
        },
        "not": {"anyOf": [{"required": [name]} for name in ("provider", "key", "ledger", "entries")]},
    },
    "/__admin/accounts",
)
CLOCK = Schema(
    {"type": "object", "properties": {"now": {"type": ["string", "number"]}, "frozen": {"type": "boolean"}}, "additionalProperties": False, "minProperties": 1},
    "/__admin/clock",
)
ADVANCE = Schema(
    {"type": "object", "properties": {"by": {"type": ["string", "number"]}}, "required": ["by"], "additionalProperties": False},
    "/__admin/clock/advance",
)
JOB = Schema(
    {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"], "additionalProperties": False},
    "/__admin/jobs",
)


class Admin:
    """The admin endpoints of one engine."""

    def __init__(self, engine: Engine, courier: Courier) -> None:
        self._engine = engine
        self._world = engine.world
        self._courier = courier

    async def health(self, _request: Request) -> Response:
        """Say that everything is loaded, and what."""
        providers = {name: len(each.operations) for name, each in self._engine.catalog.providers.items()}
        return _json({"status": "ok", "version": version("mockserver"), "operations": providers})

    async def clock(self, _request: Request) -> Response:
        """Tell the time."""
        clock = self._world.clock
        return _json({"now": clock.isoformat(), "frozen": clock.is_frozen, "scale": clock.scale})

    async def set_clock(self, request: Request) -> Response:
        """Move to a time, stop, or go on; answer when what became due is done."""
        wanted = await _body(request, CLOCK)
        with _time_errors():
            now_s = moment_s(wanted["now"]) if "now" in wanted else None
            self._world.clock.set(now_s, is_frozen=wanted.get("frozen"))
        await run_in_threadpool(self._courier.run_due)
        return await self.clock(request)

    async def advance(self, request: Request) -> Response:
        """Move forward; answer when what became due is done."""
        wanted = await _body(request, ADVANCE)
        with _time_errors():
            self._world.clock.advance(duration_s(wanted["by"]))
        await run_in_threadpool(self._courier.run_due)
        return await self.clock(request)

    async def jobs(self, _request: Request) -> Response:
        """List every job, oldest first."""
        return _json({"jobs": [self._shown_job(each) for each in self._world.resources]})

    async def job(self, request: Request) -> Response:
        """Show one job."""
        return _json(self._shown_job(self._job(request)))

    async def set_job(self, request: Request) -> Response:
        """End a job in one way or another, or let it run until told otherwise."""
        wanted = (await _body(request, JOB))["status"]
        with self._world.lock:
            job = self._job(request)
            jobs = self._provider(job.account.partition("/")[0]).jobs
            if wanted not in {jobs["running"], *jobs["outcomes"]}:
                known = ", ".join([jobs["running"], *jobs["outcomes"]])
                raise OwnProblem(400, "Unknown status", f"a job of this API is {known}; not {wanted}")
            now_s = self._world.clock.now()
            changed = job.running_on() if wanted == jobs["running"] else job.ended(wanted, now_s)
            self._world.resources.put(job.id, changed)
            self._world.reschedule(changed)
        await run_in_threadpool(self._courier.run_due)
        return await self.job(request)

    async def account(self, request: Request) -> Response:
        """Show an account with its ledger, newest entry last."""
        return _json(self._shown_account(self._account(request)))

    async def set_account(self, request: Request) -> Response:
        """Change what the body names; everything else stays."""
        wanted = dict(await _body(request, ACCOUNT))
        with self._world.lock:
            account = self._account(request)
            provider = self._provider(account.provider)
            if wanted.get("plan") is not None and wanted["plan"] not in provider.plans:
                raise OwnProblem(400, "Unknown plan", f"{provider.title} has no plan {wanted['plan']!r}; there are {', '.join(provider.plans)}")
            members = account._asdict()
            members |= {name: wanted.pop(name) for name in ("state", "plan", "credits") if name in wanted}
            members["flags"] = {**account.flags, **wanted}
            self._world.accounts.put(Account(**members))
        return await self.account(request)

    async def webhooks(self, _request: Request) -> Response:
        """Show every webhook with its attempts, oldest first."""
        rows = []
        for each in self._world.deliveries:
            due = None if each.due_at_s is None else isoformat(each.due_at_s)
            rows.append({"jobId": each.id, "account": each.account, "url": each.url, "status": each.status, "due": due, "attempts": each.attempts})
        return _json({"webhooks": rows})

    async def reset(self, _request: Request) -> Response:
        """Forget everything that happened."""
        self._world.reset()
        return _json({"status": "reset"})

    async def state(self, _request: Request) -> Response:
        """Give the whole world as JSON."""
        return _json(self._world.snapshot())

    async def set_state(self, request: Request) -> Response:
        """Put a whole world back."""
        value = await _body(request, Schema({"type": "object"}, f"{PREFIX}/state"))
        try:
            self._world.restore(value)
        except ValueError as error:
            raise OwnProblem(400, "Not a snapshot", str(error)) from error
        return _json({"status": "restored"})

    def app(self) -> Starlette:
        """Make the ASGI application."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/health", self.health),
            ("GET", "/clock", self.clock),
            ("PUT", "/clock", self.set_clock),
            ("POST", "/clock/advance", self.advance),
            ("GET", "/jobs", self.jobs),
            ("GET", "/jobs/{id}", self.job),
            ("PUT", "/jobs/{id}", self.set_job),
            ("GET", "/accounts/{provider}/{key}", self.account),
            ("PUT", "/accounts/{provider}/{key}", self.set_account),
            ("GET", "/webhooks", self.webhooks),
            ("POST", "/reset", self.reset),
            ("GET", "/state", self.state),
            ("PUT", "/state", self.set_state),
        ]
        routes = [Route(PREFIX + path, endpoint, methods=[method]) for method, path, endpoint in table]
        return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown, OwnProblem: _own})

    def _provider(self, name: str) -> Provider:
        provider = self._engine.catalog.providers.get(name)
        if provider is None:
            known = ", ".join(self._engine.catalog.providers)
            raise OwnProblem(404, "Unknown provider", f"there is no provider {name!r}; there are {known}")
        return provider

    def _account(self, request: Request) -> Account:
        provider = self._provider(request.path_params["provider"])
        return self._engine.account(provider, request.path_params["key"])

    def _shown_account(self, account: Account) -> Json:
        known = range(max(0, account.entries - KEPT_PER_ACCOUNT) + 1, account.entries + 1)
        entries = [self._world.ledger.get(ledger_key(account.id, number)) for number in known]
        ledger = [{**each._asdict(), "at": isoformat(each.at_s)} for each in entries if each]
        shown = {name: value for name, value in account._asdict().items() if name not in {"flags", "entries"}}
        return {**shown, "enforce": [], **account.flags, "ledger": ledger}

    def _job(self, request: Request) -> Resource:
        job = self._world.resources.get(request.path_params["id"])
        if job is None:
            raise OwnProblem(404, "Unknown job", f"there is no job {request.path_params['id']}; GET {PREFIX}/jobs lists them")
        return job

    def _shown_job(self, job: Resource) -> Json:
        now_s = self._world.clock.now()
        created = isoformat(job.created_at_s)
        return {"id": job.id, "kind": job.kind, "account": job.account, "status": job.status(now_s), "share_done": job.share_done(now_s), "created": created, "duration_s": job.duration_s}


async def _body(request: Request, schema: Schema) -> Mapping[str, Json]:
    """Read a JSON body. Raises OwnProblem with everything that is wrong with it."""
    try:
        value, _ = parse(await request.body())
    except MalformedJsonError as error:
        raise OwnProblem(400, "Not JSON", str(error)) from error
    breaches = [breach.message for breach in schema.breaches(value)]
    if breaches:
        raise OwnProblem(400, "Wrong body", "; ".join(breaches))
    read: Mapping[str, Json] = value
    return read


@contextlib.contextmanager
def _time_errors() -> Iterator[None]:
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise OwnProblem(400, "Wrong time", str(error)) from error


async def _unknown(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    title = "Unknown admin path" if status == 404 else "Method not allowed"  # noqa: PLR2004
    return _answer(OwnProblem(status, title, f"there is no {request.method} {request.url.path}"))


async def _own(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OwnProblem)
    return _answer(error)


def _answer(problem: OwnProblem) -> Response:
    own = refuse_ourselves(problem)
    return Response(own.read(), own.status, headers=dict(own.headers))


def _json(value: Json) -> Response:
    return Response(dump(value), media_type="application/json")
