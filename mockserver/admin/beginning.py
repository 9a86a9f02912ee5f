"""How a world begins: everything that a test sets up beforehand, in one go."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from mockserver.admin import accounts
from mockserver.admin.asked import Asked
from mockserver.jsontext import Json, dump
from mockserver.messages import Request
from mockserver.problems import EmulatorProblem
from mockserver.scenarios import read_orders, read_scenario
from mockserver.settings import Style
from mockserver.spec.files import SpecificationError
from mockserver.state.clock import FROZEN, moment_s
from mockserver.state.world import LARGEST_SEED, Said


class Beginning(NamedTuple):
    """What holds from the first moment."""

    seed: int | None = None  # None: that of the last beginning; so is what is real
    enforce: Collection[str] | None = None
    assume: Said | None = None
    clock: str | None = None  # FROZEN, or the time in ISO 8601 at which it stands; None: it shows real time
    scenario: str | None = None  # by its name
    pictures: Style | None = None
    faults: Collection[Json] = ()
    accounts: Mapping[str, Mapping[str, Json]] = {}  # by provider and key


def begin(asked: Asked, beginning: Beginning) -> None:
    """Begin the world of `asked` anew. Raises ValueError for what cannot be, when some of it may be done."""
    world, enforce, seed = asked.world, beginning.enforce, beginning.seed
    if seed is not None and abs(seed) >= LARGEST_SEED:
        raise ValueError(f"seed must be a whole number of at most 64 bits, not {seed!r:.80}")
    seed = None if seed is None else int(seed)  # 7.0 is whole, too, and draws other ids
    world.style = beginning.pictures or world.style
    world.reset(seed=seed, enforced=None if enforce is None else frozenset(enforce))
    if beginning.assume is not None:
        assume(asked, beginning.assume)
    if beginning.clock is not None:
        is_now = beginning.clock == FROZEN
        world.clock.set(None if is_now else moment_s(beginning.clock), is_frozen=True)
    if beginning.scenario is not None:
        try:
            world.plans.add(read_scenario(asked.catalog, beginning.scenario), is_whole=True)
        except SpecificationError as error:
            raise ValueError(f"scenario: {error}") from error
    if beginning.faults:
        world.plans.add(read_orders(asked.catalog, list(beginning.faults)))
    for provider, rows in beginning.accounts.items():
        for key, row in rows.items():
            put = Request("PUT", "", {}, body=dump(row))
            try:
                accounts.change(asked._replace(request=put, values={"provider": provider, "key": key}))
            except EmulatorProblem as problem:
                raise ValueError(f"accounts: {provider}: {key}: {problem.detail}") from problem


def assume(asked: Asked, said: Said) -> None:
    """Have a world read the documents so, after a reset, too. Raises ValueError for what cannot be."""
    try:
        asked.world.assume(said, for_good=True)
        for name, choice in asked.world.assumed.items():
            asked.readings.choose(name, choice)
    except (ValueError, SpecificationError) as error:
        raise ValueError(f"assume: {error}") from error
