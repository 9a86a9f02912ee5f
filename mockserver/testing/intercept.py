"""Calls to the providers' real hosts, led to a mock: clients know nothing of it, and keep their URLs."""

import functools
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from mockserver.links import provider_hosts
from mockserver.serving.server import Server
from mockserver.testing.clients import Detour, Lead, replacements
from mockserver.testing.guard import Replaced, Watch, find_detour, read_hosts, watching


class Interception:
    """Calls to the providers' hosts lead to a mock, as a context manager: `with` or `async with`."""

    def __init__(self, hosts: frozenset[str], lead: Lead, allow: Iterable[str] = ()) -> None:
        self._hosts, self._lead = hosts, lead
        self._allowed, self._stack = read_hosts(allow), ExitStack()

    def __enter__(self) -> Self:
        detour = Detour(self._lead)
        with ExitStack() as stack:
            stack.callback(detour.end)
            stack.enter_context(watching(Watch(lambda: self._hosts, self._allowed, detour)))
            stack.enter_context(_DETOURED.during())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def intercept(server: Server, allow: Iterable[str] = ()) -> Interception:
    """Lead calls of requests, httpx, urllib3, aiohttp and urllib to the providers' hosts to a running server.

    What connects in another way is stopped; hosts that `allow` names stay the real ones.

    >>> import urllib.request
    >>> from mockserver.assembly import create_engine
    >>> with Server(create_engine()) as server, intercept(server):
    ...     answer = urllib.request.urlopen("https://api.pikzels.com/__admin/health")
    ...     answer.status, answer.url
    (200, 'https://api.pikzels.com/__admin/health')
    """
    lead = Lead(server.address.host, server.address.port)
    return Interception(provider_hosts(server.engine.catalog.providers.values()), lead, allow)


_DETOURED = Replaced(functools.partial(replacements, find_detour))
