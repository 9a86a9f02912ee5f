"""`/__admin/health`, `state`, `reset`, `webhooks`: the emulator as a whole."""

from importlib.metadata import version

from mockserver.admin.asked import Asked, refusing
from mockserver.jsontext import Json
from mockserver.spec.admin_bodies import STATE
from mockserver.state.clock import isoformat
from mockserver.state.deliveries import Delivery
from mockserver.state.values import as_json


def show_health(asked: Asked) -> Json:
    """Say that everything is loaded, and what."""
    providers = {name: len(each.operations) for name, each in asked.catalog.providers.items()}
    return {"status": "ok", "version": version("mockserver"), "operations": providers}


def show_state(asked: Asked) -> Json:
    """Give the whole world as JSON, keys and secrets as they are: it is what can be put back."""
    return asked.world.snapshot()


def change_state(asked: Asked) -> Json:
    """Put a whole world back."""
    value = asked.body(STATE)
    with refusing("Not a snapshot"):
        asked.world.restore(value)
    return {"status": "restored"}


def reset(asked: Asked) -> Json:
    """Forget everything that happened."""
    asked.world.reset()
    return {"status": "reset"}


def show_webhooks(asked: Asked) -> Json:
    """Show every webhook with its attempts, oldest first."""
    return {"webhooks": [_shown(asked, each) for each in asked.world.deliveries]}


def _shown(asked: Asked, each: Delivery) -> Json:
    return {
        "jobId": each.id,
        "account": asked.redaction.account(each.account),
        "url": each.url,
        "status": each.status,
        "due": None if each.due_at_s is None else isoformat(each.due_at_s),
        "attempts": as_json(each.attempts),
    }
