"""Webhooks sent: signed, tried again with growing pauses, each attempt logged, by the world's clock.

Only loopback addresses are called unless a host is allowed by name, and never this server itself. No lock is
held while something is sent, so a receiver may call the emulator from its handler.
"""

import logging
import math
import threading
from collections import deque

from mockserver.hosts import OwnPlaces, is_loopback
from mockserver.payloads import OK, write_message
from mockserver.readings import Readings
from mockserver.settings import Settings
from mockserver.spec.jobrows import Jobs, Webhooks
from mockserver.spec.model import Provider
from mockserver.state.deliveries import BLOCKED, DELIVERED, GIVEN_UP, WAITING, Delivery
from mockserver.state.resources import Resource
from mockserver.state.values import replace
from mockserver.state.world import World
from mockserver.state.worlds import Worlds

LOOKS_PER_SECOND = 20
AT_ONCE = 8  # attempts: a small receiver turns away more, and each may hold one thread of the admin pages
# Whoever moved the clock sends what that made due, to know when it is done; the thread leaves it so long.
HEAD_START_S = 0.05
# How long `run_due` waits for what others send. No longer: it may be called by the very receiver of that.
GRACE_S = 0.25
OWN = "this server is no receiver: its own port is never called"

log = logging.getLogger(__name__)


class _Outbox:
    """What this process knows of one world's deliveries: what is due, and which of them it is sending."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.under_way: dict[int, Delivery] = {}  # by the number of the claim
        self._ready: deque[Delivery] = deque()  # what was due at the last look and is not begun
        self._seen_changes = -1
        self._next_due_s = math.inf

    def has_due(self) -> bool:
        """Whether something may be due."""
        return bool(self._ready) or self._look()

    def claim(self) -> Delivery | None:
        """Claim the attempt that has been due for longest: of all who try, here and elsewhere, one does."""
        while self.has_due():
            delivery = self._ready.popleft()
            due_at_s = delivery.due_at_s or 0.0
            if due_at_s > self.world.clock.now():  # the clock was set back
                self._next_due_s = min(self._next_due_s, due_at_s)
                continue
            claimed = replace(delivery, claim=self.world.counters.increment("attempts"))
            if self.world.deliveries.put_if_unchanged(delivery.id, claimed, delivery):
                self.under_way[claimed.claim] = claimed
                return claimed
        return None

    def give_back(self) -> None:
        """Claim nothing any more: what is under way waits again, and its result is not written down."""
        for delivery in self.under_way.values():
            self.world.deliveries.put_if_unchanged(delivery.id, replace(delivery, claim=0), delivery)

    def still_valid(self) -> set[int]:
        """Give the claims whose delivery nobody has changed since."""
        deliveries = self.world.deliveries
        return {claim for claim, each in self.under_way.items() if deliveries.get(each.id) == each}

    def _look(self) -> bool:
        """Find what is due, if it can be other than at the last look: there may be thousands to see."""
        changes, now_s = self.world.deliveries.changes, self.world.clock.now()
        if changes == self._seen_changes and now_s < self._next_due_s:
            return False
        idle = (each for each in self.world.deliveries if not each.claim)
        waiting = [(each.due_at_s, each) for each in idle if each.due_at_s is not None]
        due = [item for item in waiting if item[0] <= now_s]
        self._ready.extend(each for _, each in sorted(due, key=lambda item: item[0]))
        self._next_due_s = min((due_at_s for due_at_s, _ in waiting if due_at_s > now_s), default=math.inf)
        self._seen_changes = changes
        return bool(self._ready)


class WebhookSender:
    """Delivers what is due: by itself in a thread, and at once whenever a clock was moved."""

    def __init__(self, readings: Readings, worlds: Worlds, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self.own = OwnPlaces(settings.all_public_urls)
        self._readings = readings
        self.worlds = worlds
        self._allowed = frozenset(host.lower() for host in settings.webhook_hosts)
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        # Guards the outboxes; notified when an attempt ended, and when all is over.
        self._changed = threading.Condition()
        self._outboxes: dict[World, _Outbox] = {}
        worlds.on_drop.append(self._forget)

    def set_clock(self, world: World, now_s: float | None = None, *, is_frozen: bool | None = None) -> None:
        """Set a world's clock, as `Clock.set` does, and send what that made due."""
        world.clock.set(now_s, is_frozen=is_frozen)
        self.run_due(world)

    def advance_clock(self, world: World, by_s: float) -> None:
        """Move a world's clock forward, and send what that made due."""
        world.clock.advance(by_s)
        self.run_due(world)

    def run_due(self, world: World) -> int:
        """Send what is due in a world, and what becomes due by that; give the number of attempts."""
        count, mine = 0, set[int]()
        with self._changed:
            outbox = self._outbox(world)
            while not self._is_over.is_set():
                begun = self._begin_due(outbox)
                count += len(begun)
                mine |= begun
                if mine:
                    self._changed.wait()
                    mine &= outbox.under_way.keys()
                elif not self._others_end(outbox):
                    break
        return count

    def start(self) -> None:
        """Look for due deliveries of every world in a thread of its own."""
        self._is_over.clear()  # whoever stopped may start again
        self._thread = threading.Thread(target=self._run, name="mockserver-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End at once; what attempts under way come to is not written down any more."""
        with self._changed:
            self._is_over.set()
            for outbox in list(self._outboxes.values()):
                outbox.give_back()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        looked_at_s = -math.inf  # a world that nobody used since then has no first webhook
        while not self._is_over.wait(1 / LOOKS_PER_SECOND):
            try:
                now_s = self.worlds.now_s()
                used, looked_at_s = self.worlds.used_since(looked_at_s), now_s
                with self._changed:
                    for world in used:
                        if world.deliveries.changes:
                            self._outbox(world)
                    due = [outbox for outbox in list(self._outboxes.values()) if outbox.has_due()]
                if due and not self._is_over.wait(HEAD_START_S):
                    with self._changed:
                        for outbox in due:
                            self._begin_due(outbox)
            except Exception:
                log.exception("looking for due webhooks failed")

    def _outbox(self, world: World) -> _Outbox:
        found = self._outboxes.get(world)
        if found is None:
            found = self._outboxes[world] = _Outbox(world)
            if not self.worlds.has(world):  # it was dropped while somebody asks it
                self._forget(world)
        return found

    def _forget(self, world: World) -> None:
        """Keep nothing of a world that was dropped; takes no lock."""
        self._outboxes.pop(world, None)

    def _begin_due(self, outbox: _Outbox) -> set[int]:
        """Begin an attempt of all that is due, as far as there is room; give the claims of what was begun."""
        begun = set()
        while not self._is_over.is_set() and len(outbox.under_way) < AT_ONCE and (claimed := outbox.claim()):
            args = (outbox, claimed)
            threading.Thread(target=self._work, args=args, name="mockserver-webhook", daemon=True).start()
            begun.add(claimed.claim)
        return begun

    def _others_end(self, outbox: _Outbox) -> bool:
        """Wait for what others send, but not for long; say whether there was any and all of it ended."""
        others = outbox.still_valid()
        if not others:
            return False
        return self._changed.wait_for(
            lambda: self._is_over.is_set() or not others & outbox.under_way.keys(), GRACE_S
        )

    def _work(self, outbox: _Outbox, delivery: Delivery) -> None:
        """Make one attempt, and write down how it went unless the delivery is another by then."""
        try:
            result = self._attempted(outbox.world, delivery)
            outbox.world.deliveries.put_if_unchanged(delivery.id, result, delivery)
        except Exception:
            log.exception("the webhook of %s failed", delivery.id)
        finally:
            with self._changed:
                del outbox.under_way[delivery.claim]
                self._changed.notify_all()

    def _attempted(self, world: World, delivery: Delivery) -> Delivery | None:
        """Make one attempt; give the delivery as it is after that. None: there is nothing to tell."""
        job = world.resources.get(delivery.id)
        provider = self._provider(job, world) if job else None
        settings, jobs = (provider.webhooks, provider.jobs) if provider else (None, None)
        if job is None or settings is None or jobs is None:
            return None
        if reason := self._refusal(delivery.url):
            return delivery.attempted(*reason)
        started_s = world.clock.now()
        result = self._sent(world, delivery, job, jobs, settings)
        took_s = max(0.0, world.clock.now() - started_s)
        if result == OK:
            return delivery.attempted(result, DELIVERED)
        if result == OWN:
            return delivery.attempted(result, BLOCKED)
        past = len(delivery.attempts)
        if past >= settings.retries:
            return delivery.attempted(result, GIVEN_UP)
        pause_s = settings.first_pause_s * settings.factor**past
        return delivery.attempted(result, WAITING, (delivery.due_at_s or 0.0) + took_s + pause_s)

    def _refusal(self, url: str) -> tuple[str, str] | None:
        """Say why a URL is not called, and what becomes of its webhook; None: it is called."""
        from mockserver import posting  # noqa: PLC0415 - httpx is imported by the first webhook

        try:
            host, port = posting.read_place(url)
        except ValueError as error:
            return f"not a URL that can be called: {error}", GIVEN_UP
        if self.own.has(host, port):
            return OWN, BLOCKED
        if not (is_loopback(host) or host in self._allowed):
            return f"{host} is not allowed; start the server with --allow-webhook-host {host}", BLOCKED
        return None

    def _provider(self, job: Resource, world: World) -> Provider:
        name, _, key = job.account.partition("/")
        return self._readings.provider(name, world, world.accounts.find(name, key))

    def _sent(
        self, world: World, delivery: Delivery, job: Resource, jobs: Jobs, settings: Webhooks
    ) -> int | str:
        """Give the status that an attempt was answered with, or why there was none."""
        from mockserver import posting  # noqa: PLC0415 - httpx is imported by the first webhook

        try:
            message = write_message(world, delivery, job, jobs, settings)
            if message.delay_s:
                self._is_over.wait(message.delay_s)
            if message.result is not None:
                return message.result
            sent = (delivery.url, message.body, message.headers)
            return posting.post(*sent, settings.patience_s, self.own.is_own_port)
        except posting.OwnServerError:
            return OWN
        except Exception as error:
            log.exception("the webhook of %s could not be sent", delivery.id)
            return f"{type(error).__name__}: {error}"
