"""Each provider under the readings that are chosen for a call: by its account, or for the whole world.

Where all is as usual, a call pays two look-ups for that; another reading's provider is made when it is first
asked for, and kept.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from mockserver.call import Door, Match
from mockserver.nomatch import NoMatch
from mockserver.pipeline.behave import Bound, bind
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.assumptions import WHOLESALE, Said, departures, read_choices
from mockserver.spec.catalog import Catalog, under
from mockserver.spec.files import SpecificationError
from mockserver.spec.model import Provider
from mockserver.state.accounts import Account
from mockserver.state.world import World

ASSUME = "assume"  # the attribute of an account
MOST_KEPT = 32  # combinations of readings, over all providers; each takes about half a megabyte
MOST_JUDGED = 8  # providers whose complaints are kept, for every `check` of a process


class Reading(NamedTuple):
    """A provider with the functions that its table names."""

    provider: Provider
    bound: Mapping[str, Bound]


class Readings:
    """Finds the provider that answers a call."""

    def __init__(self, catalog: Catalog, bound: Mapping[str, Bound]) -> None:
        self._providers = catalog.providers
        self._bound = bound
        self._all = tuple(catalog.providers.values())

    def of_world(self, match: Match | Door, world: World) -> Match | Door:
        """Give a match as the world reads the documents; whose call it is, is not known yet."""
        if world.assumed and type(match) is Match and (choice := world.assumed.get(match.provider.name)):
            return _moved(match, self._made(match.provider.name, tuple(choice.items())).provider)
        return match

    def of_account(self, match: Match, account: Account | None, world: World) -> tuple[Match, Bound]:
        """Give a match as it is read for an account or for nobody, with the functions of its operation."""
        if account and (own := account.flags.get(ASSUME)):
            name = match.provider.name
            provider, bound = self.choose(name, {**world.assumed.get(name, {}), **own})
            return _moved(match, provider), bound[match.operation.name]
        if chosen := match.provider.chosen:
            return match, self._made(match.provider.name, chosen).bound[match.operation.name]
        return match, self._bound[match.operation.name]

    def provider(self, name: str, world: World, account: Account | None = None) -> Provider:
        """Give a provider as it is read for an account, or by whoever is not known."""
        own = account.flags.get(ASSUME) if account else None
        choice = {**world.assumed.get(name, {}), **(own or {})}
        return self.choose(name, choice).provider if choice else self._providers[name]

    def choose(self, name: str, choice: Mapping[str, str]) -> Reading:
        """Make a provider under some readings. Raises SpecificationError where they contradict each other."""
        left = departures(self._providers[name], choice)
        return self._made(name, tuple(left.items()))

    def _made(self, name: str, choice: tuple[tuple[str, str], ...]) -> Reading:
        if not choice:
            return Reading(self._providers[name], self._bound)
        return _make(self._all, name, choice)


@lru_cache(MOST_KEPT)  # for every engine of a process: bundled providers are the same in each
def _make(every: tuple[Provider, ...], name: str, choice: tuple[tuple[str, str], ...]) -> Reading:
    [usual] = (each for each in every if each.name == name)
    provider = under(usual, dict(choice))
    return Reading(provider, bind(Catalog({name: provider}), every))


def _moved(match: Match, provider: Provider) -> Match:
    """Give a match as another reading has it. Raises NoMatch where that has no such operation."""
    operation = provider.operations[match.operation.id]
    if operation.row.section.is_withdrawn:
        type_ = ProblemType.UNKNOWN_PATH
        message, citation = (
            f"There is no path {operation.path} any more",
            provider.problems[type_.value].citation,
        )
        raise NoMatch(provider, Problem(type_, (Violation("path", "", "path", message, citation),)))
    return Match(provider, operation, match.path_values)


def misreadings(providers: Iterable[Provider]) -> list[str]:
    """Say what is wrong with any reading, each alone, and with the strictest and most lenient of all."""
    return [complaint for provider in providers for complaint in _misreadings_of(provider)]


@lru_cache(MOST_JUDGED)
def _misreadings_of(provider: Provider) -> tuple[str, ...]:
    complaints: dict[str, None] = {}
    readings = Readings(Catalog({provider.name: provider}), {})
    rows = provider.table.assumptions.items()
    choices: list[Said] = [{f"{provider.name}.{name}": key} for name, row in rows for key in row.readings]
    for said in (*choices, *WHOLESALE):
        choice = read_choices({provider.name: provider}, said).get(provider.name, {})
        try:
            readings.choose(provider.name, choice)
        except SpecificationError as error:
            complaints |= dict.fromkeys(error.complaints)
    return tuple(complaints)
