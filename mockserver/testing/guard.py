"""Calls to providers' real hosts, stopped before they leave; only intercepted ones go on, to a mock.

What is replaced for that is replaced once, however many ask for it, and put back when the last of them ends.
pytest imports this in runs that never start an engine, so nothing else of ours is imported here.
"""

import functools
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mockserver.testing.clients import Detour

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
Hosts = Callable[[], frozenset[str]]


class RealProviderCallBlocked(RuntimeError):  # noqa: N818 - says what happened; an OSError would be tried again
    """A call to a provider's real host, stopped before anything was sent.

    >>> str(RealProviderCallBlocked("api.example.com", "test_a.py::test_b")).partition(". ")[0]
    'test_a.py::test_b called the real api.example.com; nothing was sent'
    """

    def __init__(self, host: str, test: str | None = None) -> None:
        self.host, self.test = host, test  # None: no test of pytest runs
        super().__init__(
            f"{test or 'This program'} called the real {host}; nothing was sent. "
            "Lead the call to the mock: `with mockserver.intercept():` (fixture mockserver_intercept, or "
            "`mockserver_intercept = true` in pytest's settings), or give the client the mock's own URL. "
            f"To call the real API after all: `mockserver_allow_live = {host}` in pytest's settings."
        )


class Watch(NamedTuple):
    """What one caller wants for some hosts; of several that name a host, the last decides."""

    hosts: Hosts
    allowed: frozenset[str]
    detour: "Detour | None" = None  # None: calls are stopped, unless an outer one leads them elsewhere


class Replacement(NamedTuple):
    """One attribute that is another one for a while."""

    owner: Any
    name: str
    wrap: Wrap


class Replaced:
    """Attributes that are replaced as long as anybody needs it."""

    def __init__(self, wanted: Callable[[], Iterator[Replacement]]) -> None:
        self._wanted, self._users, self._undo = wanted, 0, ExitStack()

    @contextmanager
    def during(self) -> Iterator[None]:
        """Replace them for the block, and for those that overlap with it."""
        with _LOCK:
            if not self._users:
                with ExitStack() as stack:
                    for each in self._wanted():
                        stack.enter_context(_replaced(each))
                    self._undo = stack.pop_all()
            self._users += 1
        try:
            yield
        finally:
            with _LOCK:
                self._users -= 1
                if not self._users:
                    self._undo.close()


@contextmanager
def guard(hosts: Iterable[str] | Hosts, allow: Iterable[str] = ()) -> Iterator[None]:
    """Stop every call of this process to the real `hosts`, but those that `allow` names.

    A function that gives the hosts is asked when a name other than this machine's is first called.

    >>> with guard(["api.example.com"]):
    ...     socket.create_connection(("api.example.com", 443))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    mockserver.testing.guard.RealProviderCallBlocked: ...
    """
    ask = hosts if callable(hosts) else functools.cache(functools.partial(read_hosts, tuple(hosts)))
    with watching(Watch(ask, read_hosts(allow))):
        yield


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Let a watch count for the block."""
    with _LOCK:
        _WATCHES.append(watch)
    try:
        with _GUARDED.during():
            yield
    finally:
        with _LOCK:
            _WATCHES[:] = [each for each in _WATCHES if each is not watch]


def find_detour(host: str) -> "Detour | None":
    """Say where a connection to a host leads instead; None: where it always did."""
    name = read_host(host)
    for watch in reversed(_WATCHES):
        if name in watch.allowed:
            return None
        if watch.detour and name in watch.hosts():
            return watch.detour
    return None


def read_hosts(hosts: Iterable[str]) -> frozenset[str]:
    """Read hosts as they are compared."""
    return frozenset(map(read_host, hosts))


def read_host(host: object) -> str:
    """Read a host as it is compared; empty where it is none, or an address of IPv6.

    >>> read_host("API.Example.com."), read_host(b"example.com:80"), read_host(None)
    ('api.example.com', 'example.com', '')
    """
    text = host.decode("latin-1") if isinstance(host, bytes) else host if isinstance(host, str) else ""
    return text.partition(":")[0].rstrip(".").lower()


_LOCK = threading.RLock()
_WATCHES: list[Watch] = []


def _check(host: object) -> None:
    """Let a name pass, or raise RealProviderCallBlocked."""
    name = read_host(host)
    if name in {"", "localhost"} or name.rpartition(".")[2].isdigit():
        return
    for watch in reversed(_WATCHES):
        if name in watch.allowed:
            return
        if name in watch.hosts():
            test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
            raise RealProviderCallBlocked(name, test or None)


def _checked(place: int, keyword: str) -> Wrap:
    """Make the check of a call that names a host by itself, or first in an address."""

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def checked(*args: Any, **kwargs: Any) -> Any:
            named = args[place] if len(args) > place else kwargs.get(keyword)
            _check(named[0] if isinstance(named, tuple) and named else named)
            return call(*args, **kwargs)

        return checked

    return wrap


def _ways_out() -> Iterator[Replacement]:
    """Give what finds a host by its name, and what begins TLS with one, be it through a proxy."""
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        yield Replacement(socket, name, _checked(0, "host"))
    for name in ("connect", "connect_ex"):
        yield Replacement(socket.socket, name, _checked(1, "address"))
    yield Replacement(ssl.SSLContext, "wrap_socket", _checked(5, "server_hostname"))
    yield Replacement(ssl.SSLContext, "wrap_bio", _checked(4, "server_hostname"))
    if loop := getattr(sys.modules.get("uvloop"), "Loop", None):  # which looks names up by itself
        yield Replacement(loop, "getaddrinfo", _checked(1, "host"))
        yield Replacement(loop, "create_connection", _checked(2, "host"))


@contextmanager
def _replaced(replacement: Replacement) -> Iterator[None]:
    owner, name, wrap = replacement
    was_inherited, before = name not in vars(owner), getattr(owner, name)
    ours = wrap(before)
    setattr(owner, name, ours)
    try:
        yield
    finally:
        # Where somebody has replaced it in turn, theirs stands; ours below it finds no watch any more.
        if vars(owner).get(name) is ours:
            delattr(owner, name) if was_inherited else setattr(owner, name, before)


_GUARDED = Replaced(_ways_out)
