"""Everything put together: specifications, fixtures and a world become an engine."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from mockserver.engine import Engine
from mockserver.fixtures import load_fixtures
from mockserver.readings import misreadings
from mockserver.restoring import check_restored
from mockserver.settings import Settings
from mockserver.spec.assumptions import read_choices
from mockserver.spec.catalog import load
from mockserver.spec.explain import nearest
from mockserver.spec.files import SPECS, SpecificationError
from mockserver.state.clock import Clock
from mockserver.state.store import Store
from mockserver.state.world import World
from mockserver.state.worlds import Worlds


def create_engine(
    settings: Settings | None = None,
    spec_folders: Sequence[Path] = (),
    *,
    clock: Clock | None = None,
    store: Store | None = None,
) -> Engine:
    """Load specifications and fixtures into an engine; its state is in `store`.

    Raises SpecificationError for what is wrong in these, ValueError for a setting of what is not there.

    >>> list(create_engine(Settings(seed=7)).catalog.providers)
    ['fatthumb', 'pikzels', 'thumbapi']
    """
    settings = settings or Settings()
    catalog = load(spec_folders)
    for name in settings.public_urls:
        if name not in catalog.providers:
            raise ValueError(f"public_urls: there is no provider {name}; {nearest(name, catalog.providers)}")
    # The bundled ones are known to be sound under every reading; of others each is tried.
    own = [each for each in catalog.providers.values() if each.source and each.source.folder.parent != SPECS]
    if complaints := misreadings(own):
        raise SpecificationError(complaints)
    fixtures = load_fixtures(catalog)
    new = functools.partial(
        World,
        seed=settings.seed,
        accounts=fixtures.accounts,
        fresh_accounts={name: each.keys.new_account for name, each in catalog.providers.items()},
        canned_pictures=fixtures.pictures,
        enforced=settings.enforced,
        assume=settings.assume,
        read_assumed=functools.partial(read_choices, catalog.providers),
    )
    world = new(clock=clock, store=store)
    engine = Engine(catalog, Worlds(world, functools.partial(_another, new, world)), settings)
    for name, choice in world.assumed.items():
        engine.readings.choose(name, choice)
    world.check_restored = functools.partial(check_restored, catalog, engine.readings)
    return engine


def _another(new: Callable[..., World], first: World) -> World:
    """Make the world of a namespace, which begins as the first one did; its store is this process."""
    made = new(clock=Clock(scale=first.clock.scale))
    made.check_restored = first.check_restored
    if first.plans.first:
        made.plans.begin_with(first.plans.first)
    return made
