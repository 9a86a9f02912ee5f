"""One emulator under a test's control: with a socket of its own, or asked in the same process."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

import anyio

from mockserver.coverage.costs import Spent
from mockserver.journal.records import Record
from mockserver.jsontext import Json
from mockserver.scenarios import Answer, Options, expand
from mockserver.settings import Settings
from mockserver.testing.control import Control, Judging
from mockserver.testing.expected import Expecting
from mockserver.testing.handles import ProviderHandle, handle_of
from mockserver.testing.local import Local
from mockserver.testing.start import Start
from mockserver.testing.time import Clock, Sleep
from mockserver.testing.waiting import Waited
from mockserver.verdict.findings import Verdict
from mockserver.verdict.refusals import Options as Refusal
from mockserver.verdict.strictness import ContractWarning
from mockserver.verdict.verification import Expected, Step, check_names

if TYPE_CHECKING:
    from mockserver.coverage.report import Report
    from mockserver.engine import Engine
    from mockserver.testing.adapter import EngineAdapter, Retries
    from mockserver.testing.intercept import Interception
    from mockserver.testing.shared_server import SharedServer
    from mockserver.testing.transports import EngineTransport

PLAIN = Settings(pictures="plain")


class MockServer:
    """A running mock, as a context manager, `with` or `async with`; the fixture `mockserver` is one.

    >>> import httpx
    >>> score = {"image_url": "https://example.com/a.png"}
    >>> with MockServer() as mock:
    ...     url = f"{mock.pikzels.url}/v2/thumbnail/score"
    ...     httpx.post(url, json=score, headers=mock.pikzels.headers).status_code
    200

    Without a socket, nothing need be started:

    >>> mock = MockServer()
    >>> with httpx.Client(transport=mock.httpx_transport(), base_url=mock.pikzels.url) as api:
    ...     api.post("/v2/thumbnail/score", headers=mock.pikzels.headers, json=score).status_code
    200
    """

    # `at`: a server that runs already, which leaves nothing to settings, specs and a port; there, `name` is a
    # part of that of its namespace.
    def __init__(
        self,
        settings: Settings = PLAIN,
        specs: Sequence[Path] = (),
        *,
        port: int = 0,
        at: "SharedServer | None" = None,
        name: str = "",
    ) -> None:
        self._control: Control = at.control(name) if at else Local(settings, specs, port)
        self.clock: Clock = self._control.clock
        self.sleep = Sleep(self.clock)
        self.judge: Judging = self._control.judge
        self._start = Start(
            settings.seed, settings.enforced, pictures=settings.pictures, assume=settings.assume
        )

    @property
    def engine(self) -> "Engine":
        """What answers, where that is in this process. Raises NeedsProcessError where it is elsewhere."""
        return self._control.engine_for("engine")

    @property
    def url(self) -> str:
        """Where it listens; before it does, an address that its in-process transports alone lead to."""
        return self._control.url

    @property
    def spent(self) -> Spent:
        """What all calls so far would have cost, by provider; no reset begins it anew.

        >>> import httpx
        >>> mock = MockServer()
        >>> with httpx.Client(transport=mock.httpx_transport(), base_url=mock.pikzels.url) as api:
        ...     _ = api.post("/v2/title/text", headers=mock.pikzels.headers, json={"prompt": "Islands"})
        >>> mock.spent["pikzels"], str(mock.spent)
        (0.08, '0.08 USD at pikzels')
        """
        return self._control.spent()

    def provider(self, name: str) -> ProviderHandle:
        """Give what a client of one provider has to be told. Raises LookupError where there is none."""
        providers = self._control.catalog.providers
        if name not in providers:
            raise LookupError(f"there is no provider {name!r}; there are {', '.join(providers)}")
        return handle_of(providers[name], self.url)

    def __getattr__(self, name: str) -> ProviderHandle:
        """Give a provider by its name: `mock.pikzels`."""
        if name.startswith("_") or name == "engine":  # not there yet
            raise AttributeError(name)
        try:
            return self.provider(name)
        except LookupError as error:
            raise AttributeError(str(error)) from error

    def reset(self, start: Start | None = None) -> None:
        """Begin anew, as `start` says or as last time. Raises ValueError for an account that cannot be."""
        self._start = start = start or self._start
        self.judge.instruct(start.strict, start.expect)
        self._control.begin(start)

    def start(self) -> Self:
        """Listen; return once it answers."""
        self._control.start()
        return self

    def stop(self) -> None:
        """End, and free the port; connections that callers keep open are closed."""
        self._control.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_error: object) -> None:
        await anyio.to_thread.run_sync(self.stop)

    def httpx_transport(self) -> "EngineTransport":
        """Give a transport to `httpx.Client` and `httpx.AsyncClient` that asks in this process."""
        from mockserver.testing.transports import EngineTransport  # noqa: PLC0415 - httpx takes its time

        engine = self._control.engine_for("httpx_transport")

        return EngineTransport(engine)

    def requests_adapter(self, max_retries: "Retries" = 0) -> "EngineAdapter":
        """Give an adapter that asks in this process: `session.mount("http://", mock.requests_adapter())`.

        `max_retries` is that of requests' own adapter: a number, or urllib3's `Retry`.
        """
        engine = self._control.engine_for("requests_adapter")
        try:
            from mockserver.testing.adapter import EngineAdapter  # noqa: PLC0415 - requests is nobody's duty
        except ModuleNotFoundError as error:
            raise RuntimeError("there is no requests here; `pip install requests` brings it") from error
        return EngineAdapter(engine, max_retries)

    def intercept(self, allow: Iterable[str] = ()) -> "Interception":
        """Lead calls to the providers' real hosts here, but to those that `allow` names; it must listen.

        >>> import requests
        >>> with MockServer() as mock, mock.intercept():
        ...     url, score = "https://api.pikzels.com/v2/thumbnail/score", {"image_url": "https://example.com/a.png"}
        ...     answer = requests.post(url, json=score, headers=mock.pikzels.headers, timeout=10)
        ...     answer.status_code, answer.url == url
        (200, True)
        """
        return self._control.intercept(allow)

    def fail(self, operation: str, answers: Answer | Sequence[Answer], **options: Unpack[Options]) -> None:
        """Order what shall happen to the next calls, one by one. Raises ValueError for what is misspelt.

        >>> with MockServer() as mock:
        ...     mock.fail("pikzels.*", ["TOO_MANY_REQUESTS", "HANG", {"status": 503}, "ok"])
        ...     len(mock.unused_faults())
        3
        """
        self._control.order(expand(operation, answers, **options))

    def unused_faults(self) -> list[Json]:
        """Give what was ordered, was to come to an end, and has not: as `GET /__admin/faults` shows it."""
        return self._control.unused()

    def load_scenario(self, scenario: str | Path) -> None:
        """Order what a scenario says, by its name or file, in place of all that was ordered before."""
        self._control.load_scenario(scenario)

    def calls(
        self, operation: str | None = None, *, status: int | None = None, account: str | None = None
    ) -> list[Record]:
        """Give the calls so far, newest last. Raises LookupError for an unknown operation.

        >>> with MockServer() as mock:
        ...     mock.calls("pikzels.*", status=400, account="pkz_test")
        []
        """
        return self._control.verification.calls(operation, status=status, account=account)

    def assert_called(
        self, operation: str, *, n: int | None = None, **expected: Unpack[Expected]
    ) -> list[Record]:
        """Raise AssertionError unless there was a call, or just `n`, with what is expected; give them."""
        __tracebackhide__ = True
        return self._control.verification.assert_called(operation, n, check_names(expected))

    def assert_called_once_with(self, operation: str, **expected: Unpack[Expected]) -> Record:
        """Raise AssertionError unless there was one call, and with what is expected; give it.

        >>> with MockServer() as mock:
        ...     mock.assert_called_once_with("pikzels.post_v2_title_text")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        AssertionError: pikzels.post_v2_title_text: expected one call, there was none; nothing was ...
        """
        __tracebackhide__ = True
        return self._control.verification.assert_called_once_with(operation, check_names(expected))

    def assert_not_called(self, operation: str | None = None) -> None:
        """Raise AssertionError where there was such a call, or without a name any."""
        __tracebackhide__ = True
        self._control.verification.assert_not_called(operation)

    def assert_sequence(self, steps: Sequence[Step]) -> list[Record]:
        """Raise AssertionError unless there were these calls in this order and no others; give them.

        A step is an operation, or an operation and its status. Downloads count where a step names `download`.
        """
        __tracebackhide__ = True
        return self._control.verification.assert_sequence(steps)

    def wait_for(self, operation: str, *, n: int = 1, timeout: float = 5) -> Waited:
        """Wait for `n` calls; in an async test `await` it. Raises AssertionError after `timeout` seconds."""
        __tracebackhide__ = True
        return self._control.wait_for(operation, n, timeout)

    def expect_refusal(self, error: str | None = None, **options: Unpack[Refusal]) -> Expecting:
        """Declare that calls of a block are refused. Raises AssertionError at its end where none was.

        >>> with MockServer() as mock, mock.expect_refusal("VALIDATION_ERROR", field="model"):
        ...     pass
        Traceback (most recent call last):
        AssertionError: expected the refusal VALIDATION_ERROR (field model); nothing was called at all
        """
        return self.judge.expect(error, options)

    def verdict(self) -> Verdict:
        """Judge all calls since the last reset: refused, undocumented or deprecated, and faults left unused.

        >>> import httpx
        >>> mock = MockServer()
        >>> with httpx.Client(transport=mock.httpx_transport()) as client:
        ...     _ = client.get(f"{mock.pikzels.url}/v2/thumbnails")
        >>> [finding.part for finding in mock.verdict().errors]
        ['unmatched']
        """
        return self.judge.verdict()

    def measured(self, *, has_coverage: bool = True) -> "Report":
        """Give what of the documented APIs calls have met, where that is asked, and what they would cost."""
        return self._control.measured(has_coverage=has_coverage)

    def assert_contract(self) -> None:
        """Raise AssertionError with the verdict where there is anything in it; for those without pytest."""
        __tracebackhide__ = True
        verdict = self.verdict()
        if verdict.warnings:
            warnings.warn(ContractWarning(verdict.only(verdict.warnings)), stacklevel=2)
        if verdict.errors:
            raise AssertionError(str(verdict.only(verdict.errors)))
