"""Every world there is, and which of them a request belongs to: the default one, or that of a namespace.

A namespace's world is made when it is first used, and dropped when it was not used for ten minutes, or when
others need the room; never under a call. The lock is held for looks at the list, and while a world is made,
which takes a fraction of a millisecond.
"""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from mockserver import namespaces
from mockserver.bounded import KIB, MIB, Bounds, Usage
from mockserver.messages import Request
from mockserver.problems import EmulatorProblem
from mockserver.state.clock import elapsed_s
from mockserver.state.ports import Ports
from mockserver.state.world import World

IDLE_S = 600  # of real time
MOST = Bounds(1_000, 256 * MIB)  # over all namespaces
OWN_BYTES = 64 * KIB  # of a world in which nothing has happened
Entry = tuple[Request, World, EmulatorProblem | None]


class Namespace:
    """A world by its name, and how it is used."""

    __slots__ = ("bytes", "calls", "is_dropped", "name", "under_way", "used_at_s", "world")

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world = name, world
        self.calls, self.under_way, self.bytes, self.used_at_s = 0, 0, OWN_BYTES, 0.0
        self.is_dropped = False


class Worlds:
    """The worlds of one emulator. `make` makes another one; `now_s` is a clock, which tests move."""

    def __init__(
        self, default: World, make: Callable[[], World] = World, now_s: Callable[[], float] = elapsed_s
    ) -> None:
        self.default = default
        self.now_s = now_s
        self.ports = Ports()
        self.on_drop: list[Callable[[World], None]] = []  # called at once, and not to ask for a world
        self._make = make
        self._lock = Lock()  # never waited for by whoever holds that of the ports
        self._held: OrderedDict[str, Namespace] = OrderedDict()  # the longest idle first
        self._by_world: dict[World, Namespace] = {}
        self._bytes = 0
        self._numbers = itertools.count(1)  # of names that are made up

    def find(self, request: Request) -> World:
        """Give the world that a request belongs to; of one that is not let in, the default one."""
        return self.look(request)[1]

    def look(self, request: Request) -> tuple[Request, World]:
        """Give a request as its world sees it, and that world."""
        return self.enter(request, is_call=False)[:2]

    def enter(self, request: Request, is_call: bool) -> Entry:
        """Give a request as its world sees it, that world, and why it is not let in there; None: it is.

        Who is not let in is told so in the default world. A call holds its world until `leave`.
        """
        if not namespaces.names_one(request):
            return request, self.default, None
        try:
            inside = namespaces.enter(request)
            return inside, self._use(inside.namespace, is_call=is_call, holds=int(is_call)).world, None
        except EmulatorProblem as refusal:
            return request, self.default, refusal

    def leave(self, world: World) -> None:
        """Say that a call to a world is over."""
        if world is not self.default and (held := self._by_world.get(world)):
            self._let_go(held)

    @contextmanager
    def held(self, name: str) -> Iterator[Namespace]:
        """Hold a namespace, made where it is new. Raises EmulatorProblem where there is no room."""
        held = self._use(name, is_call=False, holds=1)
        try:
            yield held
        finally:
            self._let_go(held)

    def drop(self, name: str) -> bool:
        """Forget a namespace, whoever calls it; say whether there was one."""
        with self._lock:
            if held := self._held.get(name):
                self._forget([held])
        return held is not None

    def free_name(self) -> str:
        """Make up a name that nobody has, and that was never made up before."""
        names = (f"ns-{number}" for number in self._numbers)
        return next(name for name in names if name not in self._held)

    def namespaces(self) -> list[Namespace]:
        """Give every namespace, the longest idle first."""
        with self._lock:
            self._drop_idle()
            return list(self._held.values())

    def used_since(self, at_s: float) -> list[World]:
        """Give the default world, and those of namespaces that are used, or were since a time of `now_s`."""
        used = [each for each in self.namespaces() if each.under_way or each.used_at_s >= at_s]
        return [self.default, *(each.world for each in used)]

    @property
    def usage(self) -> Usage:
        """How many namespaces there are, and about how many bytes their worlds take."""
        return Usage(len(self._held), self._bytes)

    def has(self, world: World) -> bool:
        """Whether a world is one of these still."""
        return world is self.default or world in self._by_world

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def __iter__(self) -> Iterator[World]:
        yield self.default
        if self._held:
            yield from [each.world for each in self.namespaces()]

    def __len__(self) -> int:
        return 1 + len(self._held)

    def _use(self, name: str, *, is_call: bool, holds: int) -> Namespace:
        """Find a namespace or make it; it is busy until all holds are let go. Raises EmulatorProblem."""
        with self._lock:
            self._drop_idle()
            held = self._held.get(name)
            self._make_room(held)
            if held is None:
                held = Namespace(name, self._make())
                self._held[name] = self._by_world[held.world] = held
                self._bytes += held.bytes
            held.calls += is_call
            held.under_way += holds
            held.used_at_s = self.now_s()
            self._held.move_to_end(name)
            return held

    def _let_go(self, held: Namespace) -> None:
        weight = OWN_BYTES + held.world.bytes
        with self._lock:
            held.under_way -= 1
            if not held.is_dropped:
                self._bytes += weight - held.bytes
                held.bytes, held.used_at_s = weight, self.now_s()
                self._held.move_to_end(held.name)
                self._drop_heavy(held)

    # The lock is held by whoever calls what follows.

    def _make_room(self, wanted: Namespace | None) -> None:
        """Drop what was idle for longest until one can be used, or made. Raises EmulatorProblem."""
        self._drop_heavy(wanted)
        is_full = wanted is None and len(self._held) >= MOST.entries
        if is_full and (oldest := next((each for each in self._held.values() if not each.under_way), None)):
            self._forget([oldest])
            is_full = False
        if is_full or self._bytes > MOST.bytes:
            why = "calls under way in others take all the room that there is for namespaces; try again later"
            raise EmulatorProblem(503, "No room", why, headers={"Retry-After": "1"})

    def _drop_heavy(self, wanted: Namespace | None) -> None:
        """Drop what was idle for longest until the rest is light enough."""
        excess, dropped = self._bytes - MOST.bytes, list[Namespace]()
        for each in self._held.values() if excess > 0 else ():
            if excess <= 0:
                break
            if not each.under_way and each is not wanted:
                dropped.append(each)
                excess -= each.bytes
        self._forget(dropped)

    def _drop_idle(self) -> None:
        """Drop what was idle for too long."""
        since_s, dropped = self.now_s() - IDLE_S, list[Namespace]()
        for each in self._held.values():
            if each.used_at_s > since_s:
                break
            if not each.under_way:
                dropped.append(each)
        self._forget(dropped)

    def _forget(self, dropped: list[Namespace]) -> None:
        for each in dropped:
            each.is_dropped = True
            self._bytes -= each.bytes
            del self._held[each.name], self._by_world[each.world]
            self.ports.close(each.name)
            for tell in self.on_drop:
                tell(each.world)
