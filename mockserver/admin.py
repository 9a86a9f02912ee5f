"""`/__admin`: what a test asks and tells the emulator itself, never in an API's voice.

Answers are JSON; refusals are RFC 9457 problem details and change nothing.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from email.utils import formatdate
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from mockserver.engine import Engine
from mockserver.jsontext import dump, parse
from mockserver.pipeline.respond import refuse_ourselves
from mockserver.problems import OwnProblem
from mockserver.spec.model import Provider
from mockserver.spec.orders import ADVANCE, CLOCK, JOB, STATE, account_schema
from mockserver.spec.schema import Schema
from mockserver.state.accounts import Account
from mockserver.state.clock import duration_s, isoformat, moment_s
from mockserver.state.deliveries import Delivery
from mockserver.state.ledger import KEPT_PER_ACCOUNT, ledger_key
from mockserver.state.outputs import StoredPicture
from mockserver.state.resources import Resource
from mockserver.transport import Application, Receive, Scope, Send
from mockserver.webhooks import Courier

PREFIX = "/__admin"
Json = Any
Endpoint = Callable[[Request], Awaitable[Response]]
log = logging.getLogger("mockserver")


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
        with _refusing("Wrong time"):
            now_s = moment_s(wanted["now"]) if "now" in wanted else None
            self._world.clock.set(now_s, is_frozen=wanted.get("frozen"))
        await run_in_threadpool(self._courier.run_due)
        return await self.clock(request)

    async def advance(self, request: Request) -> Response:
        """Move forward; answer when what became due is done."""
        wanted = await _body(request, ADVANCE)
        with _refusing("Wrong time"):
            self._world.clock.advance(duration_s(wanted["by"]))
        await run_in_threadpool(self._courier.run_due)
        return await self.clock(request)

    async def jobs(self, _request: Request) -> Response:
        """List every job, oldest first."""
        return await run_in_threadpool(
            lambda: _json({"jobs": [self._shown_job(each) for each in self._world.resources]})
        )

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
                raise OwnProblem(
                    400,
                    "Unknown status",
                    f"a job of this API is {', '.join([jobs['running'], *jobs['outcomes']])}; not {wanted}",
                )
            now_s = self._world.clock.now()
            changed = job.running_on() if wanted == jobs["running"] else job.ended(wanted, now_s)
            self._world.resources.put(job.id, changed)
            self._world.reschedule(changed)
        await run_in_threadpool(self._courier.run_due)
        return await self.job(request)

    async def account(self, request: Request) -> Response:
        """Show an account with its ledger, newest entry last."""
        return await run_in_threadpool(lambda: _json(self._shown_account(self._account(request))))

    async def set_account(self, request: Request) -> Response:
        """Change what the body names; everything else stays."""
        provider = self._provider(request.path_params["provider"])
        wanted = await _body(request, account_schema(provider))
        await run_in_threadpool(self._change_account, request, wanted)
        return await self.account(request)

    async def webhooks(self, _request: Request) -> Response:
        """Show every webhook with its attempts, oldest first."""
        return await run_in_threadpool(
            lambda: _json({"webhooks": [_shown_delivery(each) for each in self._world.deliveries]})
        )

    async def reset(self, _request: Request) -> Response:
        """Forget everything that happened."""
        self._world.reset()
        return _json({"status": "reset"})

    async def state(self, _request: Request) -> Response:
        """Give the whole world as JSON."""
        return await run_in_threadpool(lambda: _json(self._world.snapshot()))

    async def set_state(self, request: Request) -> Response:
        """Put a whole world back."""
        value = await _body(request, STATE)
        with _refusing("Not a snapshot"):
            await run_in_threadpool(self._world.restore, value)
        return _json({"status": "restored"})

    async def routes(self, _request: Request) -> Response:
        """List what can be asked and told here."""
        return _json({"routes": self._listed()})

    def app(self) -> Application:
        """Make the ASGI application."""
        routes = [
            Route(PREFIX + path, _answering(endpoint), methods=[method])
            for method, path, endpoint in self._table()
        ]
        app = Starlette(routes=routes, exception_handlers={404: self._unknown, 405: self._unknown})

        async def dated(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_dated(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    date = formatdate(int(self._world.clock.now()), usegmt=True).encode()
                    message["headers"] = [*message["headers"], (b"date", date)]
                await send(message)

            await app(scope, receive, send_dated)

        return dated

    def _table(self) -> list[tuple[str, str, Endpoint]]:
        return [
            ("GET", "", self.routes),
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

    def _listed(self) -> list[dict[str, str]]:
        return [
            {"method": method, "path": PREFIX + path, "does": (endpoint.__doc__ or "").partition("\n")[0]}
            for method, path, endpoint in self._table()
        ]

    async def _unknown(self, request: Request, error: Exception) -> Response:
        """Say that there is no such path, or no such method of it, and what there is."""
        asked = f"there is no {request.method} {request.url.path}"
        if getattr(error, "status_code", 404) == 404:  # noqa: PLR2004
            return _answer(
                OwnProblem(
                    404,
                    "Unknown admin path",
                    f"{asked}; GET {PREFIX} lists what there is",
                    {"routes": self._listed()},
                )
            )
        allowed = sorted(
            {
                name
                for each in request.app.routes
                if each.matches(request.scope)[0] is not Match.NONE
                for name in each.methods or ()
            }
        )
        return _answer(
            OwnProblem(405, "Method not allowed", f"{asked}; there is {', '.join(allowed)}"),
            {"Allow": ", ".join(allowed)},
        )

    def _change_account(self, request: Request, wanted: Mapping[str, Json]) -> None:
        """Change an account. Raises OwnProblem, with nothing changed, where a picture is none, or is not there."""
        flags, pictures = dict(wanted), dict[str, StoredPicture]()
        if "assets" in flags:
            flags["assets"] = {
                name: _stored(f"assets.{name}", asset, pictures) for name, asset in flags["assets"].items()
            }
        for name, file in _files(flags):
            if file not in pictures and self._world.picture(file) is None:
                raise OwnProblem(
                    400,
                    "Unknown picture",
                    f"{name}: there is no picture {file!r:.80}; name one of fixtures/images, or send data",
                )
        with self._world.lock:
            account = self._account(request)
            members = account._asdict() | {
                name: flags.pop(name) for name in ("state", "plan", "credits") if name in flags
            }
            members["flags"] = {**account.flags, **flags}
            for key, picture in pictures.items():
                self._world.pictures.put(key, picture)
            self._world.accounts.put(Account(**members))

    def _provider(self, name: str) -> Provider:
        provider = self._engine.catalog.providers.get(name)
        if provider is None:
            raise OwnProblem(
                404,
                "Unknown provider",
                f"there is no provider {name!r}; there are {', '.join(self._engine.catalog.providers)}",
            )
        return provider

    def _account(self, request: Request) -> Account:
        return self._engine.account(
            self._provider(request.path_params["provider"]), request.path_params["key"]
        )

    def _shown_account(self, account: Account) -> Json:
        known = range(max(0, account.entries - KEPT_PER_ACCOUNT) + 1, account.entries + 1)
        entries = [self._world.ledger.get(ledger_key(account.id, number)) for number in known]
        ledger = [{**each._asdict(), "at": isoformat(each.at_s)} for each in entries if each]
        shown = {name: value for name, value in account._asdict().items() if name not in {"flags", "entries"}}
        return {**shown, "enforce": [], **account.flags, "ledger": ledger}

    def _job(self, request: Request) -> Resource:
        job = self._world.resources.get(request.path_params["id"])
        if job is None:
            raise OwnProblem(
                404,
                "Unknown job",
                f"there is no job {request.path_params['id']}; GET {PREFIX}/jobs lists them",
            )
        return job

    def _shown_job(self, job: Resource) -> Json:
        now_s = self._world.clock.now()
        progress = {"status": job.status(now_s), "share_done": job.share_done(now_s)}
        return {
            "id": job.id,
            "kind": job.kind,
            "account": job.account,
            **progress,
            "created": isoformat(job.created_at_s),
            "duration_s": job.duration_s,
        }


async def _body(request: Request, schema: Schema) -> Mapping[str, Json]:
    """Read a JSON body in a worker thread. Raises OwnProblem with everything that is wrong with it."""
    read: Mapping[str, Json] = await run_in_threadpool(_read, await request.body(), schema)
    return read


def _read(text: bytes, schema: Schema) -> Json:
    with _refusing("Not JSON"):
        value, _ = parse(text)
    breaches = [breach.message for breach in schema.breaches(value)]
    if breaches:
        raise OwnProblem(400, "Wrong body", "; ".join(breaches))
    return value


def _stored(name: str, asset: Mapping[str, Json], pictures: dict[str, StoredPicture]) -> dict[str, Json]:
    """Give a saved asset that names its picture; one that was sent along is put to `pictures`."""
    if "data" not in asset:
        return dict(asset)
    from mockserver.imaging.uploads import small_copy  # noqa: PLC0415 - Pillow is imported by the first picture

    key = blake2b(asset["data"].encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    with _refusing("Unreadable picture", f"{name}.data: "):
        pictures[key] = StoredPicture(key=key, small=small_copy(asset["data"]))
    return {**{option: value for option, value in asset.items() if option != "data"}, "file": key}


def _files(flags: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Give the pictures that an account's attributes name, and where."""
    for name, asset in flags.get("assets", {}).items():
        yield f"assets.{name}.file", asset["file"]
    for name, chosen in flags.get("reference_sets", {}).items():
        yield from ((f"reference_sets.{name}.files", file) for file in chosen["files"])


@contextlib.contextmanager
def _refusing(title: str, place: str = "") -> Iterator[None]:
    """Turn what a reader raises into a problem."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise OwnProblem(400, title, f"{place}{error}") from error


def _answering(endpoint: Endpoint) -> Endpoint:
    """Make an endpoint that answers whatever goes wrong as a problem; a bug of ours is logged with its traceback."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OwnProblem as problem:
            return _answer(problem)
        except ClientDisconnect:
            return _answer(OwnProblem(400, "Cut off", "the caller went away before the body had come"))
        except Exception as error:
            log.exception("a bug of mockserver in %s %s", request.method, request.url.path)
            return _answer(
                OwnProblem(
                    500, "A bug of mockserver", f"{type(error).__name__}: {error}; the log has the traceback"
                )
            )

    return answer


def _answer(problem: OwnProblem, headers: Mapping[str, str] | None = None) -> Response:
    own = refuse_ourselves(problem)
    return Response(own.read(), own.status, headers={**dict(own.headers), **(headers or {})})


def _shown_delivery(each: Delivery) -> Json:
    due = None if each.due_at_s is None else isoformat(each.due_at_s)
    return {
        "jobId": each.id,
        "account": each.account,
        "url": each.url,
        "status": each.status,
        "due": due,
        "attempts": each.attempts,
    }


def _json(value: Json) -> Response:
    return Response(dump(value), media_type="application/json")
