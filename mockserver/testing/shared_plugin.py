"""For runs of pytest on a server that runs already: it is looked for once, before the first test.

It is registered where `mockserver_url` or MOCKSERVER_URL names one; see `pytest_plugin`. Nothing else of ours
is imported before a test needs it.
"""

import functools
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.testing.shared_server import SharedServer

NAME = "mockserver-shared"
FIXTURES = {"mockserver", "mockserver_session", "mockserver_intercept"}
WORKER_OUTPUT, DIFFERENCES = "mockserver_absent", "mockserver_differs"  # what an xdist worker hands over


class SharedRun:
    """A plugin that ends the run where its server is not there, with one sentence."""

    def __init__(self, config: pytest.Config, url: str, token: str, setting: str, specs: list[Any]) -> None:
        self._config, self._setting, self._named = config, setting, (url, token, specs)
        self._absent = ""  # why workers have no server; empty: they have, or nobody has asked
        self._differences: list[str] = []

    @functools.cached_property
    def server(self) -> "SharedServer":
        """The server. Raises ValueError for a URL that can be none."""
        from mockserver.testing.shared_server import SharedServer  # noqa: PLC0415 - see above

        return SharedServer(*self._named)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Look for the server, where a test is to use it."""
        if config.option.collectonly:
            return
        if not any(FIXTURES & set(getattr(each, "fixturenames", ())) for each in items):
            return
        output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        try:
            self._differences += self.server.check()
        except (ValueError, ConnectionError) as error:
            way_out = "start it" if isinstance(error, ConnectionError) else "mend it"
            absent = f"{self._setting}: {error}; {way_out}, or take the setting away"
            if output is None:
                raise pytest.UsageError(absent) from None
            output[WORKER_OUTPUT] = absent  # a worker that fails here would be told of as a bug
            items.clear()
        if output is not None:
            output[DIFFERENCES] = self._differences

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker has found; all of them have found the same."""
        output = getattr(node, "workeroutput", {})
        self._absent = output.get(WORKER_OUTPUT) or self._absent
        self._differences = output.get(DIFFERENCES) or self._differences

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose workers found no server."""
        if self._absent:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell of the server, where it is another than this one or not there."""
        if hasattr(self._config, "workerinput"):
            return
        for each in self._differences:
            terminalreporter.write_line(f"mockserver: {each}", yellow=True)
        if self._absent:
            terminalreporter.write_line(f"ERROR: {self._absent}", red=True, bold=True)
