"""Webhooks sent: signed, tried again with growing pauses, each attempt logged; all of it by the world's clock.

Only loopback addresses are called unless a host is allowed by name. No lock is held while something is sent, so a
receiver may call the emulator from its handler. The only home of httpx.
"""

import asyncio
import base64
import functools
import hashlib
import hmac
import ipaddress
import logging
import math
import ssl
import threading
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from mockserver.behaviours.drawing import drawn_scene
from mockserver.jsontext import dump
from mockserver.spec.catalog import Catalog
from mockserver.spec.template import fill
from mockserver.state.clock import isoformat
from mockserver.state.deliveries import BLOCKED, DELIVERED, GIVEN_UP, WAITING, Delivery
from mockserver.state.resources import Resource
from mockserver.state.worlds import Worlds

OK = 200  # what a receiver must answer with
LOOKS_PER_SECOND = 20
AT_ONCE = 8  # attempts: a small receiver turns away more, and each may hold one thread of the admin pages
# Whoever moved the clock sends first what that made due, and so knows when it is done; the thread leaves it that long.
HEAD_START_S = 0.05
# How long `run_due` waits for what others are sending. No longer: it may be called by the very receiver of that.
GRACE_S = 0.25

log = logging.getLogger(__name__)


class WebhookSender:
    """Delivers what is due: by itself in a thread, and at once whenever the clock was moved."""

    def __init__(self, catalog: Catalog, worlds: Worlds, allowed_hosts: Collection[str] = ()) -> None:
        self._catalog = catalog
        self._world = worlds.default
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self._changed = (
            threading.Condition()
        )  # guards what follows; notified when an attempt ended, and when all is over
        self._under_way: dict[
            int, Delivery
        ] = {}  # by identity: one that was replaced meanwhile is another one
        self._ready: deque[Delivery] = deque()  # what was due at the last look and is not begun
        self._seen_changes = -1
        self._next_due_s = math.inf

    def run_due(self) -> int:
        """Send everything that is due, and what becomes due by that; give the number of attempts."""
        count, mine = 0, list[Delivery]()
        with self._changed:
            while not self._is_over.is_set():
                begun = self._begin_due()
                count += len(begun)
                mine += begun
                if mine:
                    self._changed.wait()
                    mine = [each for each in mine if id(each) in self._under_way]
                elif not self._others_end():
                    break
        return count

    def start(self) -> None:
        """Look for due deliveries in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="mockserver-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End at once; what attempts under way come to is not written down any more."""
        with self._world.lock:
            self._is_over.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(1 / LOOKS_PER_SECOND):
            try:
                with self._changed:
                    is_due = bool(self._ready) or self._look()
                if is_due and not self._is_over.wait(HEAD_START_S):
                    with self._changed:
                        self._begin_due()
            except Exception:
                log.exception("looking for due webhooks failed")

    def _begin_due(self) -> list[Delivery]:
        """Begin an attempt of everything that is due and not under way, as far as there is room; give what was begun."""
        begun = []
        while len(self._under_way) < AT_ONCE and (delivery := self._next()) is not None:
            threading.Thread(
                target=self._work, args=[delivery], name="mockserver-webhook", daemon=True
            ).start()
            self._under_way[id(delivery)] = delivery
            begun.append(delivery)
        return begun

    def _others_end(self) -> bool:
        """Wait for what others are sending, but not for long; say whether there was any and all of it ended."""
        others = [each for each in self._under_way.values() if self._is_stored(each)]
        if not others:
            return False
        return self._changed.wait_for(
            lambda: self._is_over.is_set() or not any(id(each) in self._under_way for each in others), GRACE_S
        )

    def _next(self) -> Delivery | None:
        """Take the delivery whose attempt has been due for longest."""
        while self._ready or self._look():
            delivery = self._ready.popleft()
            due_at_s = delivery.due_at_s or 0.0
            if due_at_s > self._world.clock.now():  # the clock was set back
                self._next_due_s = min(self._next_due_s, due_at_s)
            elif self._is_stored(delivery) and id(delivery) not in self._under_way:
                return delivery
        return None

    def _look(self) -> bool:
        """Find what is due, if it can be other than at the last look: there may be thousands of deliveries."""
        changes, now_s = self._world.deliveries.changes, self._world.clock.now()
        if changes == self._seen_changes and now_s < self._next_due_s:
            return False
        # A snapshot by hand may hold anything, and one bad row must not stop the others.
        waiting = [
            (each.due_at_s, each) for each in self._world.deliveries if isinstance(each.due_at_s, int | float)
        ]
        due = [item for item in waiting if item[0] <= now_s and id(item[1]) not in self._under_way]
        self._ready.extend(each for _, each in sorted(due, key=lambda item: item[0]))
        self._next_due_s = min((due_at_s for due_at_s, _ in waiting if due_at_s > now_s), default=math.inf)
        self._seen_changes = changes
        return bool(self._ready)

    def _is_stored(self, delivery: Delivery) -> bool:
        return self._world.deliveries.get(delivery.id) is delivery

    def _work(self, delivery: Delivery) -> None:
        """Make one attempt in a thread of its own, and write down how it went unless the delivery is another by then."""
        try:
            result = self._attempted(delivery)
            with self._world.lock:
                if self._is_stored(delivery) and not self._is_over.is_set():
                    if result is None:
                        self._world.deliveries.delete(delivery.id)
                    else:
                        self._world.deliveries.put(delivery.id, result)
        except Exception:
            log.exception("the webhook of %s failed", delivery.id)
        finally:
            with self._changed:
                del self._under_way[id(delivery)]
                self._changed.notify_all()

    def _attempted(self, delivery: Delivery) -> Delivery | None:
        """Make one attempt; give the delivery as it is after that. None: there is nothing to tell of any more."""
        job = self._world.resources.get(delivery.id)
        if job is None:
            return None
        try:
            host = _host(delivery.url)
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            return delivery.attempted({"error": f"not a URL that can be called: {error}"}, GIVEN_UP)
        if not (_is_loopback(host) or host in self._allowed):
            reason = f"{host} is not allowed; start the server with --allow-webhook-host {host}"
            return delivery.attempted({"error": reason}, BLOCKED)
        settings = self._catalog.providers[job.account.partition("/")[0]].webhooks
        started_s = self._world.clock.now()
        result = self._sent(delivery, job, settings)
        took_s = max(0.0, self._world.clock.now() - started_s)
        if result.get("status") == OK:
            return delivery.attempted(result, DELIVERED)
        past = len(delivery.attempts)
        if past >= settings["retries"]:
            return delivery.attempted(result, GIVEN_UP)
        pause_s = settings["first_pause_s"] * settings["factor"] ** past
        return delivery.attempted(result, WAITING, (delivery.due_at_s or 0.0) + took_s + pause_s)

    def _sent(self, delivery: Delivery, job: Resource, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Give the status that an attempt was answered with, or why there was none."""
        try:
            body = self._payload(settings, job)
            signature = hmac.new(delivery.secret.encode(), body, hashlib.sha256).hexdigest()
            headers = {"Content-Type": "application/json", settings["signature_header"]: signature}
            return {"status": asyncio.run(_post(delivery.url, body, headers, settings["patience_s"]))}
        except (TimeoutError, httpx.TimeoutException):
            return {"error": f"no answer within {settings['patience_s']} s"}
        except httpx.HTTPError as error:
            return {"error": str(error) or type(error).__name__}
        except Exception as error:
            log.exception("the webhook of %s could not be sent", delivery.id)
            return {"error": f"{type(error).__name__}: {error}"}

    def _payload(self, settings: Mapping[str, Any], job: Resource) -> bytes:
        ended_at_s = job.ends_at_s or job.created_at_s
        values = {**job.fields, "job_id": job.id, "timestamp": isoformat(ended_at_s)}
        if job.outcome == next(iter(settings["payloads"])):
            scene = job.fields["scene"]
            encoded = base64.b64encode(drawn_scene(self._world, scene)).decode()
            values["image"] = f"data:{scene['media_type']};base64,{encoded}"
        return dump(fill(settings["payloads"][job.outcome], values))


async def _post(url: str, body: bytes, headers: Mapping[str, str], patience_s: float) -> int:
    """Send, and give the status as soon as the headers are there. Raises TimeoutError, however the time was spent."""
    async with (
        asyncio.timeout(patience_s),
        httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False, verify=_trusted()) as client,  # noqa: S113 - one deadline for all
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        return answer.status_code


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates once: that takes longer than to send."""
    return httpx.create_ssl_context(trust_env=False)


def _host(url: str) -> str:
    """Give the host that httpx calls. Raises ValueError, TypeError or httpx.InvalidURL where there is none.

    >>> _host("http://LocalHost:80/x"), _host("https://[::1]/")
    ('localhost', '::1')
    """
    read = httpx.URL(url)
    if read.scheme not in {"http", "https"} or not read.host:
        raise ValueError(f"{url!r} has no host to call over http or https")
    if urlsplit(url).port == 0:  # raises ValueError for a port out of range, which httpx lets pass
        raise ValueError("port 0 cannot be called")
    return read.host


def _is_loopback(host: str) -> bool:
    """Whether a host is this very machine.

    >>> _is_loopback("localhost"), _is_loopback("127.0.0.9"), _is_loopback("example.com")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
