"""`/__admin/assumptions`: what the documents leave open, and how it is read from now on."""

from mockserver.admin.asked import Asked, refusing
from mockserver.jsontext import Json
from mockserver.problems import EmulatorProblem
from mockserver.spec.files import SpecificationError


def show(asked: Asked) -> Json:
    """List every assumption with its readings, and which of them holds."""
    world = asked.world
    return {
        "assumptions": [
            {
                "name": f"{provider.name}.{name}",
                "reading": world.assumed.get(provider.name, {}).get(name, row.default),
                "default": row.default,
                "question": row.question,
                "readings": {key: each.does for key, each in row.readings.items()},
            }
            for provider in asked.catalog.providers.values()
            for name, row in provider.table.assumptions.items()
        ]
    }


def change(asked: Asked) -> Json:
    """Choose the readings that the body names, until a reset; all else stays."""
    before, chosen = asked.world.assumed, asked.body()
    with refusing("Unknown assumption"):
        asked.world.assume(chosen)
    try:
        for name, choice in asked.world.assumed.items():
            asked.readings.choose(name, choice)
    except SpecificationError as error:
        asked.world.assumed = before
        raise EmulatorProblem(400, "Contradicting readings", str(error)) from error
    return show(asked)
