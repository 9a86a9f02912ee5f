"""Where the mocks of a run of pytest live: one in this process, or namespaces of a shared server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mockserver.coverage.report import Report, merge
from mockserver.spec.catalog import Catalog
from mockserver.testing.mock import MockServer
from mockserver.testing.shared_server import SharedServer
from mockserver.testing.start import Start


class Home:
    """Gives tests their mocks, and knows what all of them have met and paid."""

    def __init__(
        self,
        specs: Sequence[Path],
        start: Start | None,
        shared: SharedServer | None,
        *,
        counts_coverage: bool,
    ) -> None:
        self._start, self._shared, self._counts_coverage = start, shared, counts_coverage
        self._session: MockServer | None = None  # None: nobody has asked for it
        self._has_begun = False
        self._told = Report({}, {})  # of mocks that are gone
        if shared is None:
            self._session = MockServer(specs=specs)
            self.catalog: Catalog = self.session.engine.catalog
        else:
            self.catalog = shared.catalog

    @property
    def session(self) -> MockServer:
        """The mock of the whole run. Raises ValueError for what cannot be."""
        if self._session is None:
            self._session = MockServer(at=self._shared, name="session")
        if not self._has_begun:
            self._session.reset(self._start)
            self._session.start()
            self._has_begun = True
        return self._session

    @contextmanager
    def of_test(self, name: str, *, shares: bool) -> Iterator[MockServer]:
        """Give the mock of one test; `shares`: that of the whole run, as it always is in this process."""
        if shares or self._shared is None:
            yield self.session
            return
        mock = MockServer(at=self._shared, name=name)
        try:
            yield mock
            self._keep(mock)
        finally:
            mock.stop()

    def measured(self) -> Report:
        """Give what was met and paid so far."""
        if self._shared is None and self._session is not None:
            return self._session.measured()
        return self._told

    def close(self) -> None:
        """End what runs."""
        if self._has_begun and self._session is not None:
            if self._shared is not None:
                self._keep(self._session)
            self._session.stop()
            self._has_begun = False
        if self._shared is not None:
            self._shared.close()

    def _keep(self, mock: MockServer) -> None:
        self._told = merge(self._told, mock.measured(has_coverage=self._counts_coverage))
