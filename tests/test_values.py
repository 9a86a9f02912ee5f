"""What every value of ours is: frozen, without room for more, and a row written by names only."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import msgspec

import mockserver
from mockserver.spec.row import Row
from mockserver.state.values import Value

# Errors, which Python itself writes to while they are raised.
CHANGING = {"nomatch.NoMatch", "problems.EmulatorProblem", "problems.Problem"}
WITH_ROOM = {"verdict.findings.Verdict"}  # keeps beside its fields what was once asked of it


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(mockserver.__path__, "mockserver."):
        if not module.name.endswith("__main__"):  # which would run it
            for each in vars(importlib.import_module(module.name)).values():
                if isinstance(each, type) and each.__module__ == module.name:
                    yield each


def full_name(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}".removeprefix("mockserver.")


CLASSES = {full_name(each): each for each in classes()}
STRUCTS = {name: each for name, each in CLASSES.items() if issubclass(each, msgspec.Struct)}
ROWS = {name: each for name, each in STRUCTS.items() if issubclass(each, Row)}
VALUES = {name: each for name, each in STRUCTS.items() if issubclass(each, Value)}
DATACLASSES = {name: each for name, each in CLASSES.items() if "__dataclass_params__" in vars(each)}


def test_all_values_are_found():
    assert len(ROWS) > 40
    assert len(VALUES) > 15
    assert len(DATACLASSES) > 25
    assert {**ROWS, **VALUES} == STRUCTS


def test_every_struct_is_frozen_and_refuses_members_that_it_does_not_know():
    settings = {name: each.__struct_config__ for name, each in STRUCTS.items()}
    assert [name for name, each in settings.items() if not (each.frozen and each.forbid_unknown_fields)] == []


def test_a_row_is_equal_to_itself_alone_and_a_stored_value_to_what_says_the_same():
    assert [name for name, each in ROWS.items() if each.__struct_config__.eq] == []
    assert [name for name, each in VALUES.items() if not each.__struct_config__.eq] == []


def test_a_row_is_written_by_the_names_of_its_members():
    members = {name: inspect.signature(each).parameters.values() for name, each in ROWS.items()}
    by_place = [name for name, each in members.items() if any(one.kind != one.KEYWORD_ONLY for one in each)]
    assert by_place == []


def test_every_dataclass_is_frozen_but_for_errors():
    settings = {name: vars(each)["__dataclass_params__"] for name, each in DATACLASSES.items()}
    assert {name for name, each in settings.items() if not each.frozen} == CHANGING
    assert [name for name in CHANGING if not issubclass(CLASSES[name], Exception)] == []


def test_every_dataclass_has_slots_and_so_no_room_for_members_that_it_does_not_name():
    assert {name for name, each in DATACLASSES.items() if "__slots__" not in vars(each)} == WITH_ROOM
