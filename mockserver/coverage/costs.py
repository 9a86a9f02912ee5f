"""What calls would have cost, by operation, in the unit and of the date of the tables' prices."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.jsontext import Json
from mockserver.spec.catalog import Catalog
from mockserver.state.tally import MICRO, Paid

MONEY = {"USD", "EUR", "GBP"}  # which can be added up over providers; one's credits are not another's


class Cost(NamedTuple):
    """What was paid for, and how the price is known."""

    operation: str
    unit: str
    prices_as_of: str | None  # None: the document of the prices carries no date
    provenance: str  # of the price

    @property
    def provider(self) -> str:
        """Whom it would be paid to."""
        return self.operation.partition(".")[0]


Costs = Mapping[Cost, Paid]


def costs_of(catalog: Catalog, paid: Mapping[str, Paid]) -> Costs:
    """Say what was paid for each operation in the words of its table."""
    found: dict[Cost, Paid] = {}
    for provider in catalog.providers.values():
        unit, date = (
            (provider.credits.unit, provider.credits.prices_as_of) if provider.credits else ("", None)
        )
        prices = [each.row.price for each in provider.operations.values() if each.row.price]
        for operation in provider.operations.values():
            if operation.name in paid:  # one without a price may stand for one that has one: a tool of MCP
                price = operation.row.price or prices[0]
                found[Cost(operation.name, unit, date, price.provenance)] = paid[operation.name]
    return found


def merge_costs(*several: Costs) -> Costs:
    """Add up what was paid; the order does not matter."""
    found: dict[Cost, Paid] = {}
    for costs in several:
        for cost, paid in costs.items():
            before = found.get(cost, Paid())
            found[cost] = Paid(before.calls + paid.calls, before.micros + paid.micros)
    return found


def in_order(costs: Costs) -> list[tuple[Cost, Paid]]:
    """Sort costs by what they were for, whichever worker was the first to tell of them."""
    return sorted(costs.items(), key=lambda each: [part or "" for part in each[0]])


def as_rows(costs: Costs) -> list[Json]:
    """Write costs as JSON."""
    return [
        {**cost._asdict(), "calls": paid.calls, "amount": paid.micros / MICRO}
        for cost, paid in in_order(costs)
    ]


def read_costs(rows: Iterable[Mapping[str, Any]]) -> Costs:
    """Read what `as_rows` has written."""
    return merge_costs(
        *(
            {Cost(*(row[name] for name in Cost._fields)): Paid(row["calls"], round(row["amount"] * MICRO))}
            for row in rows
        )
    )


class Spent(Mapping[str, float]):
    """What a run would have cost so far, by provider; as text with units, and the total of what is money."""

    def __init__(self, costs: Costs, providers: Iterable[str] = ()) -> None:
        self._micros = dict.fromkeys(providers, 0)
        self._units: dict[str, str] = {}
        self._dates: dict[str, str] = {}
        for cost, paid in costs.items():
            self._micros[cost.provider] = self._micros.get(cost.provider, 0) + paid.micros
            self._units[cost.provider] = cost.unit
            self._dates[cost.provider] = f"of {cost.prices_as_of}" if cost.prices_as_of else "undated"

    def __getitem__(self, provider: str) -> float:
        return self._micros[provider] / MICRO

    def __iter__(self) -> Iterator[str]:
        return iter(self._micros)

    def __len__(self) -> int:
        return len(self._micros)

    @property
    def totals(self) -> dict[str, float]:
        """What is money, added up by unit."""
        found: dict[str, int] = {}
        for provider, unit in self._units.items():
            if unit in MONEY:
                found[unit] = found.get(unit, 0) + self._micros[provider]
        return {unit: micros / MICRO for unit, micros in found.items()}

    def unit(self, provider: str) -> str:
        """Give the unit that a provider is paid in; empty where nothing was paid."""
        return self._units.get(provider, "")

    def describe(self, *, has_dates: bool = False) -> str:
        """Say it in a line, with the dates of the prices on request; empty where nothing was spent."""
        paid = [provider for provider in sorted(self._units) if self._micros[provider]]
        parts = [
            f"{amount(self[each], self._units[each])} at {each}"
            + (f" (prices {self._dates[each]})" if has_dates else "")
            for each in paid
        ]
        totals = [amount(total, unit) for unit, total in self.totals.items() if total]
        several = len(paid) > 1 and bool(totals)
        return ", ".join(parts) + (f"; {' and '.join(totals)} in all" if several else "")

    def __str__(self) -> str:
        return self.describe() or "nothing"

    def __repr__(self) -> str:
        return f"<Spent: {self}>"


def amount(value: float, unit: str) -> str:
    """Write an amount with its unit.

    >>> amount(0.4, "USD"), amount(24.0, "credits"), amount(0.0005, "USD")
    ('0.40 USD', '24 credits', '0.0005 USD')
    """
    text = f"{value:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    text = f"{whole}.{rest:0<2}" if unit in MONEY or rest else whole
    return f"{text} {unit}".strip()
