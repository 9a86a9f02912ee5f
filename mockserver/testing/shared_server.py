"""A mockserver that runs already, shared by tests and people: each mock has a namespace of its own there."""

import itertools
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mockserver.admin.asked import PREFIX
from mockserver.links import provider_hosts
from mockserver.namespaces import BELOW
from mockserver.spec.catalog import load
from mockserver.testing.guard import read_host
from mockserver.testing.pages import NoAnswerError, PageError, Pages, read_place
from mockserver.testing.remote import Remote
from mockserver.testing.world_pages import WorldPages

LONGEST_HINT = 40  # characters of a test's name in that of its namespace
UNKNOWN_TOKEN = 401


class SharedServer:
    """A server that runs already, by its URL; `token` is that of its `--admin-token`.

    Raises ValueError for a URL that is none, or a provider's own.

    >>> from mockserver import MockServer, Server, create_engine
    >>> with Server(create_engine()) as server, MockServer(at=SharedServer(server.url), name="alice") as mock:
    ...     mock.url.partition("/ns/")[0] == server.url
    True
    """

    def __init__(self, url: str, token: str | None = None, specs: Sequence[Path] = ()) -> None:
        self.catalog = load(specs)
        place = read_place(url)
        if read_host(place.host) in provider_hosts(self.catalog.providers.values()):
            raise ValueError(f"{place.host} is a provider's real host, which no test calls; name a mock")
        before, is_below, name = place.path.rpartition(BELOW)
        if is_below:
            server = place._replace(path=before).url
            told = f"{url} is the namespace {name} of a server, and each test has one of its own"
            raise ValueError(f"{told}; write {server}")
        self._place, self._token = place, token or None
        self._pages: Pages | None = None  # None: nobody has asked yet
        self._run, self._numbers = os.urandom(5).hex(), itertools.count(1)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._place.url

    def check(self) -> Sequence[str]:
        """See that it answers, and is a mockserver; say where it is another than this one.

        Raises NoAnswerError.
        """
        if self._pages is not None:
            return ()
        pages = Pages(self._place)
        try:
            try:
                health = _read_health(pages)
            except PageError as error:
                if error.status != UNKNOWN_TOKEN or self._token is None:
                    raise
                pages.close()  # it has told that it wants one: nobody else is shown it
                pages = Pages(self._place, self._token)
                health = _read_health(pages)
        except PageError as error:
            pages.close()
            raise NoAnswerError(f"the mockserver at {self.url} refuses: {error}") from None
        self._pages = pages
        return self._differences(health)

    def control(self, hint: str = "") -> Remote:
        """Give a world of its own, new and empty; `hint` goes into the name of its namespace."""
        for difference in self.check():
            warnings.warn(difference, stacklevel=3)
        assert self._pages is not None
        name = f"{self._run}-{next(self._numbers)}"
        if shown := re.sub(r"[^A-Za-z0-9._-]+", "-", hint).strip("-")[:LONGEST_HINT]:
            name = f"{name}-{shown}"
        return Remote(WorldPages(self._pages, name), self.catalog)

    def close(self) -> None:
        """End the connection to its pages."""
        if self._pages is not None:
            self._pages.close()

    def _differences(self, health: Mapping[str, Any]) -> Sequence[str]:
        own, theirs = version("mockserver"), health["version"]
        served = health["operations"]
        found = []
        if own != theirs:
            found.append(f"the server at {self.url} is version {theirs}, this one is {own}")
        for name, provider in self.catalog.providers.items():
            if name not in served:
                found.append(f"the server at {self.url} does not serve {name}")
            elif served[name] != len(provider.operations):
                theirs, ours = served[name], len(provider.operations)
                found.append(f"the server at {self.url} knows {theirs} operations of {name}, this one {ours}")
        return found


def _read_health(pages: Pages) -> Mapping[str, Any]:
    found = pages.ask("GET", f"{PREFIX}/health")
    if not (isinstance(found, dict) and {"status", "version", "operations"} <= found.keys()):
        raise NoAnswerError(f"what answers at {pages.place.url} is no mockserver")
    health: Mapping[str, Any] = found
    return health
