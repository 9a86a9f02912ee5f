"""What a newcomer reads in `specs/behaviour.schema.json` is what the code takes: member by member."""

import copy
import importlib
import json
from collections.abc import Mapping
from typing import Annotated, get_args, get_origin

import pytest
from catalogues import TABLE

from mockserver.behaviours.pikzels import Bounds
from mockserver.pipeline.behave import parameters
from mockserver.problems import ProblemType
from mockserver.spec.files import SPECS
from mockserver.spec.references import hints
from mockserver.spec.rows import ErrorRow, Row, Sections
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table, convert, row_type

SCHEMA = json.loads((SPECS / "behaviour.schema.json").read_text("utf-8"))
DEFS = SCHEMA["$defs"]
INJECTED = {"name", "code", "provenance", "citation"}  # what a row gets from its key, or from `defaults`


def followed(part):
    return {**DEFS[part["$ref"].rpartition("/")[2]], **part} if "$ref" in part else part


def plain(kind):
    """A type without its marks and without None."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    inner = [each for each in get_args(kind) if each is not type(None)]
    return (
        plain(inner[0])
        if len(inner) == 1 and len(get_args(kind)) == 2 and type(None) in get_args(kind)
        else kind
    )


def differences(kind, part, place="the table", extra=frozenset()):
    """Say where a type and a schema have other members, or ask for others."""
    kind, part = plain(kind), followed(part)
    if isinstance(kind, type) and issubclass(kind, Row):
        members, known = hints(kind), part.get("properties", {})
        if set(members) - ({"name"} if kind is ErrorRow else set()) != set(known) - extra:
            yield f"{place}: {set(members) ^ set(known)}"
        required = {name for name in kind.__struct_fields__ if name in _required(kind)} - INJECTED
        if required != set(part.get("required", ())) - INJECTED - extra:
            yield f"{place} asks for {required}, the schema for {part.get('required')}"
        for name in set(members) & set(known):
            yield from differences(members[name], known[name], f"{place}.{name}")
    elif get_origin(kind) is Mapping and "additionalProperties" in part:
        inner = part["additionalProperties"] or next(iter(part["properties"].values()))
        yield from differences(get_args(kind)[1], inner, f"{place}.*")
    elif get_origin(kind) is tuple and "items" in part:
        yield from differences(get_args(kind)[0], part["items"], f"{place}[]")


def _required(kind):
    fields = kind.__struct_fields__
    optional = len(kind.__struct_defaults__)
    defaults = dict(zip(fields[len(fields) - optional :], kind.__struct_defaults__, strict=True))
    return {name for name in fields if name not in defaults or repr(defaults[name]) == "NODEFAULT"}


# How the schema's descriptions say, after "left out:", what is plain yes or no.
YES, NO = {"yes", "they do", "they may"}, {"no", "it does not", "for its key", "one is after another"}
NO = NO | {"the last one does"}


def defaults(kind, part, place="the table"):
    """Give every plain default of a row, and of all rows in it, with what the schema says of it."""
    kind, part = plain(kind), followed(part)
    if isinstance(kind, type) and issubclass(kind, Row):
        first = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
        known = part.get("properties", {})
        for name, default in zip(kind.__struct_fields__[first:], kind.__struct_defaults__, strict=True):
            if isinstance(default, bool | int | str) and name in known:
                told = followed(known[name])
                said = told["description"].partition("left out: ")[2] or told.get("default")
                yield f"{place}.{name}", default, True if said in YES else False if said in NO else said
        for name, member in hints(kind).items():
            yield from defaults(member, known.get(name, {}), f"{place}.{name}")
    elif get_origin(kind) is Mapping and "additionalProperties" in part:
        inner = part["additionalProperties"] or next(iter(part["properties"].values()))
        yield from defaults(get_args(kind)[1], inner, f"{place}.*")
    elif get_origin(kind) is tuple and "items" in part:
        yield from defaults(get_args(kind)[0], part["items"], f"{place}[]")


def function(name):
    module, _, verb = name.rpartition(".")
    return getattr(importlib.import_module(f"mockserver.behaviours.{module or 'checks'}"), verb)


def test_the_sections_have_the_members_that_the_schema_describes():
    assert list(differences(Sections, SCHEMA, extra={"defaults"})) == []


@pytest.mark.parametrize("name", DEFS["checks"])
def test_a_check_takes_what_the_schema_says(name):
    assert list(differences(parameters(function(name)), DEFS["checks"][name], extra={"check"})) == []


@pytest.mark.parametrize("name", DEFS["rewrites"])
def test_a_rewrite_takes_what_the_schema_says(name):
    assert list(differences(parameters(function(name)), DEFS["rewrites"][name], extra={"rewrite"})) == []


@pytest.mark.parametrize("name", DEFS["settings"])
def test_a_behaviour_takes_the_settings_that_the_schema_says(name):
    taken = hints(function(name if "." in name else f"{name}.{name}")).get("settings")
    if taken is None:
        assert DEFS["settings"][name]["properties"] == {}
    else:
        assert list(differences(taken, DEFS["settings"][name])) == []


def test_what_is_left_out_counts_as_the_schema_says():
    taken = {name: function(name if "." in name else f"{name}.{name}") for name in DEFS["settings"]}
    settings = {name: hints(each)["settings"] for name, each in taken.items() if "settings" in hints(each)}
    found = [*defaults(Sections, SCHEMA)]
    for name, kind in settings.items():
        found += defaults(kind, DEFS["settings"][name], name)
    assert len(found) > 20
    assert [each for each in found if str(each[1]) != str(each[2])] == []


def test_every_check_of_the_shared_module_is_described():
    module = importlib.import_module("mockserver.behaviours.checks")
    known = {
        name for name, each in vars(module).items() if getattr(each, "__module__", "") == module.__name__
    }
    assert {name for name in known if not name.startswith("_")} == {
        name for name in DEFS["checks"] if "." not in name
    }


def test_every_problem_is_described_and_has_a_default():
    known = {kind.value for kind in ProblemType}
    assert (set(DEFS["problems"]["properties"]), set(SCHEMA["properties"]["problems"]["default"])) == (
        known,
        known,
    )


def undescribed(part, place=""):
    """Give every member of a schema that says nothing of itself."""
    for key, each in part.items() if isinstance(part, dict) else ():
        if key == "properties":
            for name, member in each.items():
                if "description" not in followed(member) and place.rpartition(".")[2] not in {"if", "then"}:
                    yield f"{place}.{name}"
        if key not in {"default", "enum", "if", "then"}:
            yield from undescribed(each, f"{place}.{key}")
    for each in part if isinstance(part, list) else ():
        yield from undescribed(each, place)


def test_every_member_is_described():
    assert list(undescribed(SCHEMA)) == []


def test_a_member_that_nothing_takes_is_told_with_those_that_there_are():
    _, complaint = convert({"low": 0, "hihg": 1}, Bounds, "words.measures", "behaviour")
    assert complaint == (
        "words.measures: the behaviour takes low, high: hihg is not a known field; did you mean high?"
    )
    _, complaint = convert({"low": 0}, row_type("Nothing", []), "settings", "behaviour")
    assert complaint == "settings: the behaviour takes nothing: low is not a known field; known are: none"


def test_what_obeys_the_schema_and_has_no_type_that_fits_is_told_with_its_place():
    changed = copy.deepcopy(TABLE)
    changed["limits"]["per_minute"]["value"] = 3.0  # a whole number to JSON Schema
    shape = Schema(SCHEMA, "behaviour.schema.json")
    assert shape.accepts(changed)
    told = Table(changed, "notes/behaviour.yaml", shape)
    assert not told.has_shape
    assert told.complaints == ["notes/behaviour.yaml: Expected `int`, got `float` - at `$.limits[...].value`"]
