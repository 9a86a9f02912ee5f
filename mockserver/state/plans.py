"""What was ordered for calls to come: which answers shall go wrong, when, and how much of that is left.

A plan is one value, so that a call takes its order, and is counted by all others, in one step.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from statistics import NormalDist
from typing import Any, NamedTuple

from mockserver.bounded import weigh_again
from mockserver.seeded import Random
from mockserver.state.collection import Collection
from mockserver.state.values import Count, Positive, Share, Step, Value, replace

KEY = "plan"
DOWNLOAD, WEBHOOK = "download", "webhook"  # a wildcard stands for operations alone: these are named
LONGEST_DELAY_MS = 600_000
ORDER_BYTES = 600
MOST_ORDERS = 5_000  # each call looks at all of them
LEAST_SHARE, LARGEST_POWER = 1e-9, 99.0  # of a distribution that has no lowest value, and no highest


class Spread(Value, frozen=True):
    """A lognormal distribution, as WireMock describes one."""

    median: Positive
    sigma: Positive


class Delay(Value, frozen=True, omit_defaults=True):
    """How long an answer waits, in milliseconds; one of the three is given."""

    fixed: Positive | None = None
    uniform: tuple[Positive, Positive] | None = None
    lognormal: Spread | None = None

    def draw_ms(self, random: Random) -> int:
        """Draw one delay.

        >>> Delay(uniform=(100, 300)).draw_ms(Random(b"")) in range(100, 301)
        True
        """
        share = random.share("delay")
        if self.lognormal:
            deviation = NormalDist().inv_cdf(max(share, LEAST_SHARE))
            drawn = self.lognormal.median * math.exp(min(self.lognormal.sigma * deviation, LARGEST_POWER))
        else:
            low, high = self.uniform or (self.fixed or 0, self.fixed or 0)
            drawn = low + (high - low) * share
        return round(min(drawn, LONGEST_DELAY_MS))


class Stub(Value, frozen=True, omit_defaults=True):
    """An answer in full."""

    status: Count = 200
    headers: Mapping[str, str] = {}
    body: Any = None  # text is sent as it is, anything else as JSON; None: there is none


class Order(Value, frozen=True, omit_defaults=True):
    """What shall happen to some calls; none of error, fault and stub: a delay, or that all goes well."""

    operation: str  # a name or a pattern; DOWNLOAD, WEBHOOK, or those of one provider: pikzels.download
    id: Count = 0
    error: str | None = None  # a row of a catalogue, or a problem by the name that all providers share
    fault: str | None = None
    stub: Stub | None = None
    is_ok: bool = False  # True: that nothing goes wrong is the order
    times: Count | None = None  # None: without an end
    after: Count = 0  # calls that go by first
    every: Step = 1  # of the calls after those
    probability: Share = 1
    delay: Delay | None = None
    account: str | None = None  # its key, or its id; None: anybody's
    seen: Count = 0
    used: Count = 0

    @property
    def is_delay_alone(self) -> bool:
        """Whether it leaves what is answered to others."""
        return not (self.error or self.fault or self.stub or self.is_ok)

    def means(self, subject: str, account: tuple[str, str] | None) -> bool:
        """Whether it is for a subject, such as an operation by its name, and for an account (id, key)."""
        last = subject.rpartition(".")[2]
        is_named = last not in {DOWNLOAD, WEBHOOK} or self.operation.rpartition(".")[2] == last
        if not is_named or (self.account is not None and self.account not in (account or ())):
            return False
        return self.operation == last or fnmatchcase(subject, self.operation)


class Taken(NamedTuple):
    """What a call got out of a plan."""

    order: Order | None = None  # None: none of them was for it
    delay_ms: int = 0


UNTOUCHED = Taken()


class Plan(Value, frozen=True):
    """All orders: those that come to an end before those that do not, both as they were made."""

    orders: tuple[Order, ...] = ()
    last_id: Count = 0

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes; with each call, only how often orders were used changes."""
        return sum(ORDER_BYTES + (weigh_again(each.stub) if each.stub else 0) for each in self.orders)

    def taken(self, concerned: Callable[[Order], bool], random: Random) -> "tuple[Plan, Taken]":
        """Let one call take what is for it; every order that it concerns counts it."""
        order, delay, left = None, None, []
        for each in self.orders:
            if concerned(each):
                count = each.seen + 1 - each.after
                does_fire = count > 0 and count % each.every == 0
                does_fire = does_fire and random.share(f"order/{each.id}") < each.probability
                is_taken = does_fire and (delay if each.is_delay_alone else order) is None
                each = replace(each, seen=each.seen + 1, used=each.used + is_taken)  # noqa: PLW2901
                if is_taken and each.is_delay_alone:
                    delay = each.delay
                elif is_taken:
                    order = each
            if each.times is None or each.used < each.times:
                left.append(each)
        delay = (order and order.delay) or delay
        taken = Taken(order, delay.draw_ms(random) if delay else 0)
        return replace(self, orders=tuple(left)), taken


class Plans:
    """The plan of one world."""

    def __init__(self, stored: Collection[Plan]) -> None:
        self._stored = stored
        self.first: tuple[Order, ...] = ()  # what also holds after every reset

    @property
    def orders(self) -> tuple[Order, ...]:
        """All that is not used up."""
        plan = self._stored.get(KEY)
        return plan.orders if plan else ()

    @property
    def unused(self) -> tuple[Order, ...]:
        """What was ordered so many times and did not happen as often; that all goes well is not missed."""
        return tuple(each for each in self.orders if each.times is not None and not each.is_ok)

    def add(self, orders: Iterable[Order], *, is_whole: bool = False) -> None:
        """Order; `is_whole`: in place of all that was ordered before. Raises ValueError for too many."""

        def added(plan: Plan | None) -> Plan:
            known = Plan() if plan is None else replace(plan, orders=()) if is_whole else plan
            new = [replace(each, id=known.last_id + 1 + index) for index, each in enumerate(orders)]
            if len(known.orders) + len(new) > MOST_ORDERS:
                raise ValueError(f"there would be more than {MOST_ORDERS:,} orders; take some back first")
            both = sorted([*known.orders, *new], key=lambda each: each.times is None)
            return Plan(tuple(both), known.last_id + len(new))

        orders = list(orders)
        self._stored.update(KEY, added)

    def begin_with(self, orders: Iterable[Order]) -> None:
        """Order what also holds after every reset: it belongs to how the emulator was started."""
        self.first = tuple(orders)
        self.begin()

    def begin(self) -> None:
        """Forget all orders but those that an emulator begins with."""
        self._stored.delete(KEY)
        if self.first:
            self.add(self.first)

    def remove(self, id_: int) -> bool:
        """Take one order back; say whether there was such a one."""
        before = self.orders

        def removed(plan: Plan | None) -> Plan | None:
            return plan and replace(plan, orders=tuple(each for each in plan.orders if each.id != id_))

        self._stored.update(KEY, removed)
        return any(each.id == id_ for each in before)

    def take(
        self, subject: str, account: tuple[str, str] | None, random: Random, has_error: Callable[[str], bool]
    ) -> Taken:
        """Let a well-formed call take what is for it. `has_error`: whether its API knows an error."""
        if not self.orders:
            return UNTOUCHED

        def concerned(order: Order) -> bool:
            return order.means(subject, account) and (order.error is None or has_error(order.error))

        taken = UNTOUCHED

        def change(plan: Plan | None) -> Plan | None:
            nonlocal taken
            changed, taken = (None, UNTOUCHED) if plan is None else plan.taken(concerned, random)
            return changed

        self._stored.update(KEY, change)
        return taken
