"""Webhooks sent: signed, tried again with growing pauses, each attempt logged; all of it by the world's clock.

Only loopback addresses are called unless a host is allowed by name. The only home of httpx.
"""

import base64
import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from mockserver.behaviours.drawing import drawn_scene
from mockserver.engine import Engine
from mockserver.jsontext import dump
from mockserver.spec.template import fill
from mockserver.state.clock import isoformat
from mockserver.state.deliveries import BLOCKED, DELIVERED, GIVEN_UP, WAITING, Delivery
from mockserver.state.resources import Resource

OK = 200  # what a receiver must answer with
LOOKS_PER_SECOND = 20


class Courier:
    """Delivers what is due: by itself in a thread, and at once whenever the clock was moved."""

    def __init__(self, engine: Engine, allowed_hosts: Collection[str] = ()) -> None:
        self._engine = engine
        self._world = engine.world
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._sending = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def run_due(self) -> int:
        """Send everything that is due, and what becomes due by that; give the number of attempts."""
        count = 0
        with self._sending:
            while (delivery := self._next()) is not None:
                self._attempt(delivery)
                count += 1
        return count

    def start(self) -> None:
        """Look for due deliveries in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="mockserver-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the attempt that it is at."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(1 / LOOKS_PER_SECOND):
            self.run_due()

    def _next(self) -> Delivery | None:
        """Give the delivery whose attempt has been due for longest."""
        now_s = self._world.clock.now()
        due = [each for each in self._world.deliveries if each.due_at_s is not None and each.due_at_s <= now_s]
        return min(due, key=lambda each: each.due_at_s or 0, default=None)

    def _attempt(self, delivery: Delivery) -> None:
        job = self._world.resources.get(delivery.id)
        assert delivery.due_at_s is not None
        host = (urlsplit(delivery.url).hostname or "").lower()
        if job is None or not (_is_loopback(host) or host in self._allowed):
            reason = f"{host} is not allowed; start the server with --allow-webhook-host {host}" if job else "the job is gone"
            outcome = [*delivery.attempts, {"at": isoformat(delivery.due_at_s), "error": reason}]
            self._world.deliveries.put(delivery.id, replace(delivery, status=BLOCKED, due_at_s=None, attempts=outcome))
            return
        settings = self._engine.catalog.providers[job.account.partition("/")[0]].webhooks
        started_s = self._world.clock.now()
        result = self._send(delivery, self._payload(settings, job), settings)
        took_s = self._world.clock.now() - started_s
        attempt = {"at": isoformat(delivery.due_at_s), **result}
        self._note(delivery, attempt, settings, delivery.due_at_s + took_s)

    def _note(self, delivery: Delivery, attempt: Mapping[str, Any], settings: Mapping[str, Any], ended_at_s: float) -> None:
        """Write down how an attempt went, and when the next one is due."""
        attempts = [*delivery.attempts, dict(attempt)]
        status, due_at_s = WAITING, None
        if attempt.get("status") == OK:
            status = DELIVERED
        elif len(attempts) > settings["retries"]:
            status = GIVEN_UP
        else:
            due_at_s = ended_at_s + settings["first_pause_s"] * settings["factor"] ** (len(attempts) - 1)
        self._world.deliveries.put(delivery.id, replace(delivery, status=status, due_at_s=due_at_s, attempts=attempts))

    def _payload(self, settings: Mapping[str, Any], job: Resource) -> bytes:
        ended_at_s = job.created_at_s + (job.duration_s or 0)
        values = {**job.fields, "job_id": job.id, "timestamp": isoformat(ended_at_s)}
        if job.outcome == next(iter(settings["payloads"])):
            scene = job.fields["scene"]
            encoded = base64.b64encode(drawn_scene(self._world, scene)).decode()
            values["image"] = f"data:{scene['media_type']};base64,{encoded}"
        return dump(fill(settings["payloads"][job.outcome], values))

    @staticmethod
    def _send(delivery: Delivery, body: bytes, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Make one attempt; give the status it was answered with, or why there was none."""
        signature = hmac.new(delivery.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", settings["signature_header"]: signature}
        try:
            with httpx.Client(timeout=settings["patience_s"], follow_redirects=False, trust_env=False) as client:
                return {"status": client.post(delivery.url, content=body, headers=headers).status_code}
        except httpx.TimeoutException:
            return {"error": f"no answer within {settings['patience_s']} s"}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return {"error": str(error) or type(error).__name__}


def _is_loopback(host: str) -> bool:
    """Whether a host is this very machine.

    >>> _is_loopback("localhost"), _is_loopback("127.0.0.9"), _is_loopback("example.com")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
