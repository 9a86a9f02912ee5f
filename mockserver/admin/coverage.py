"""`/__admin/coverage` and `/__admin/costs`: what calls have met and would have cost, over every reset."""

from mockserver.admin.asked import Asked
from mockserver.coverage.costs import Spent, as_rows, costs_of
from mockserver.coverage.measuring import measure
from mockserver.coverage.report import FORMAT
from mockserver.jsontext import Json


def show(asked: Asked) -> Json:
    """Show what of the documented APIs was met, as `mockserver coverage` reads it."""
    return measure(asked.catalog, asked.world.tally).as_json()


def forget(asked: Asked) -> Json:
    """Begin anew with what was met."""
    asked.world.tally.forget_met()
    return show(asked)


def show_costs(asked: Asked) -> Json:
    """Show what calls would have cost, by provider and operation."""
    costs = costs_of(asked.catalog, asked.world.tally.paid)
    spent = Spent(costs, asked.catalog.providers)
    return {"format": FORMAT, "spent": dict(spent), "totals": spent.totals, "costs": as_rows(costs)}


def forget_costs(asked: Asked) -> Json:
    """Begin anew with what was paid."""
    asked.world.tally.forget_paid()
    return show_costs(asked)
