"""`/__admin/health`, `state`, `reset`, `webhooks`: the emulator as a whole."""

import re
from importlib.metadata import version

from mockserver import allocation, caches
from mockserver.admin.asked import Asked, refusing
from mockserver.admin.beginning import Beginning, begin
from mockserver.bounded import MIB, Bounds, Usage
from mockserver.jsontext import MOST_OF_A_WORLD, Json
from mockserver.spec.schema import Schema
from mockserver.state.clock import isoformat
from mockserver.state.deliveries import Delivery
from mockserver.state.values import as_json
from mockserver.state.worlds import MOST

MUCH_BYTES = 8 * MIB  # kept by a world: what tests keep between two resets is less
WORLD = Schema({"type": "object"}, "/__admin/state")  # whose members the world itself reads
USER = re.compile(r"//[^/?#@]++@")  # who calls, and the password


def show_health(asked: Asked) -> Json:
    """Say that everything is loaded, and what; `?verbose` adds how much is kept of everything, and may be."""
    providers = {name: len(each.operations) for name, each in asked.catalog.providers.items()}
    said = {"status": "ok", "version": version("mockserver"), "operations": providers}
    if asked.query().get("verbose", "false") == "false":
        return said
    world = {name: _amounts(*each) for name, each in asked.world.usage.items()}
    cached = {each.name: _amounts(each.usage, each.bounds) for each in caches.ALL}
    namespaces = _amounts(asked.worlds.usage, MOST)
    return {**said, "memory": {"world": world, "namespaces": namespaces, "caches": cached}}


def _amounts(usage: Usage, bounds: Bounds) -> Json:
    most = {"mostEntries": bounds.entries, "mostBytes": bounds.bytes}
    return {"entries": usage.entries, "bytes": usage.bytes, **most}


def show_state(asked: Asked) -> Json:
    """Give the whole world as JSON, keys and secrets as they are: it is what can be put back."""
    return asked.world.snapshot()


def change_state(asked: Asked) -> Json:
    """Put a whole world back."""
    value = asked.body(WORLD, MOST_OF_A_WORLD)
    with refusing("Not a snapshot"):
        asked.world.restore(value)
    return {"status": "restored"}


def reset(asked: Asked) -> Json:
    """Forget everything that happened.

    The world begins as the body says; what that leaves out is as the last time.
    """
    beginning = Beginning(**asked.body()) if asked.request.body else Beginning()
    # Where that was much, the memory goes back to the machine.
    was_much = sum(usage.bytes for usage, _ in asked.world.usage.values()) > MUCH_BYTES
    with refusing("Wrong beginning"):
        begin(asked, beginning)
    if was_much:
        caches.forget()
        allocation.trim()
    return {"status": "reset"}


def show_webhooks(asked: Asked) -> Json:
    """Show every webhook with its attempts, oldest first."""
    return {"webhooks": [_shown(asked, each) for each in asked.world.deliveries]}


def _shown(asked: Asked, each: Delivery) -> Json:
    return {
        "jobId": each.id,
        "account": asked.redaction.account(each.account),
        "url": asked.redaction.anywhere(USER.sub("//...@", each.url)),
        "status": each.status,
        "due": None if each.due_at_s is None else isoformat(each.due_at_s),
        "attempts": as_json(each.attempts),
    }
