"""`/__admin/faults` and `/__admin/scenario`: what shall go wrong with calls to come, and what is left."""

from collections.abc import Iterable

from mockserver.admin.asked import Asked, refusing
from mockserver.jsontext import Json
from mockserver.problems import EmulatorProblem
from mockserver.scenarios import as_rows, list_scenarios, read_orders, read_scenario
from mockserver.spec.explain import nearest
from mockserver.state.plans import Order


def show(asked: Asked) -> Json:
    """Show what is ordered, how often each was used, and what was to happen and has not."""
    plans = asked.world.plans
    return {"faults": _shown(asked, plans.orders), "unused": _shown(asked, plans.unused)}


def add(asked: Asked) -> Json:
    """Order what shall happen to calls to come."""
    order = asked.body()
    with refusing("Wrong order"):
        asked.world.plans.add(read_orders(asked.catalog, [order]))
    return show(asked)


def remove_all(asked: Asked) -> Json:
    """Take back all that was ordered."""
    asked.world.plans.add([], is_whole=True)
    return show(asked)


def remove(asked: Asked) -> Json:
    """Take back one order."""
    id_ = asked.values["id"]
    if not (id_.isdecimal() and id_.isascii() and asked.world.plans.remove(int(id_[:18]))):
        raise EmulatorProblem(404, "Unknown order", f"there is no order {id_}, or it is used up")
    return show(asked)


def show_scenarios(_asked: Asked) -> Json:
    """Name the scenarios that there are."""
    return {"scenarios": list_scenarios()}


def load_scenario(asked: Asked) -> Json:
    """Order what a scenario says, in place of all that was ordered before."""
    chosen, known = asked.body(), list_scenarios()
    if "faults" in chosen:
        with refusing("Wrong order"):
            asked.world.plans.add(read_orders(asked.catalog, chosen["faults"]), is_whole=True)
        return show(asked)
    name = chosen["name"]
    if name not in known:
        detail = f"there is no scenario {name!r}; {nearest(name, known)}"
        raise EmulatorProblem(404, "Unknown scenario", detail, {"available": known})
    asked.world.plans.add(read_scenario(asked.catalog, name), is_whole=True)
    return show(asked)


def _shown(asked: Asked, orders: Iterable[Order]) -> list[Json]:
    rows, redaction = as_rows(orders), asked.redaction
    return [
        row | ({"account": redaction.account(row["account"])} if "account" in row else {}) for row in rows
    ]
