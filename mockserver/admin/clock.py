"""`/__admin/clock`: time as the emulated APIs see it, told and moved."""

from mockserver.admin.asked import Asked, refusing
from mockserver.jsontext import Json
from mockserver.state.clock import duration_s, moment_s


def show(asked: Asked) -> Json:
    """Tell the time."""
    clock = asked.world.clock
    return {"now": clock.isoformat(), "frozen": clock.is_frozen, "scale": clock.scale}


def change(asked: Asked) -> Json:
    """Move to a time, stop, or go on; answer when what became due is done."""
    wanted = asked.body()
    with refusing("Wrong time"):
        now_s = moment_s(wanted["now"]) if "now" in wanted else None
        asked.webhooks.set_clock(asked.world, now_s, is_frozen=wanted.get("frozen"))
    return show(asked)


def advance(asked: Asked) -> Json:
    """Move forward; answer when what became due is done."""
    wanted = asked.body()
    with refusing("Wrong time"):
        asked.webhooks.advance_clock(asked.world, duration_s(wanted["by"]))
    return show(asked)
