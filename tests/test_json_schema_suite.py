"""What JSON Schema itself asks of whoever reads it: its own suite of cases, put to both readers.

No case of these files is left out, and none is answered otherwise: in JavaScript's numbers and ECMA-262
patterns the validator differs from jsonschema, not from the suite.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mockserver.jsontext import parse
from mockserver.spec.schema import Schema

FOLDER = Path(__file__).parent / "json_schema_suite"
FILES = sorted(file.stem for file in FOLDER.glob("*.json"))
# Whose patterns the fast path cannot read with certainty: the validator alone answers them.
SLOW = {"optional-ecmascript-regex", "optional-non-bmp-regex", "pattern", "patternProperties"}


class Case(NamedTuple):
    name: str
    schema: Any
    value: Any
    is_valid: bool


def cases(file: str) -> list[Case]:
    """Read the cases of a file as a body is read."""
    groups, _ = parse((FOLDER / f"{file}.json").read_bytes())
    return [
        Case(f"{group['description']}: {each['description']}", group["schema"], each["data"], each["valid"])
        for group in groups
        for each in group["tests"]
    ]


def alone(schema: Any) -> Schema:
    """Give a schema without its fast path, as where that cannot read it."""
    made = Schema(schema, "alone")
    made._is_warm = True
    assert not made.has_fast_path
    return made


def test_the_suite_is_there():
    assert sum(len(cases(file)) for file in FILES) > 1_000


@pytest.mark.parametrize("file", FILES)
def test_both_readers_together_answer_as_the_suite_says(file):
    wrong = [it.name for it in cases(file) if Schema(it.schema, "x").accepts(it.value) is not it.is_valid]
    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_the_validator_alone_answers_as_the_suite_says(file):
    assert [it.name for it in cases(file) if alone(it.schema).accepts(it.value) is not it.is_valid] == []


@pytest.mark.parametrize("file", FILES)
def test_what_the_suite_refuses_and_nothing_else_has_a_violation_in_words(file):
    for it in cases(file):
        for schema in (Schema(it.schema, "x"), alone(it.schema)):
            told = schema.violations(it.value)
            assert (told == []) is it.is_valid, it.name
            assert all(each.message for each in told), it.name


@pytest.mark.parametrize("file", FILES)
def test_the_fast_path_accepts_all_that_is_valid_where_it_can_read_the_schema(file):
    """Otherwise a valid call would wait for the validator; that it accepts nothing else is asked above."""
    read = [(it, Schema(it.schema, "x")) for it in cases(file)]
    assert [
        it.name
        for it, schema in read
        if schema.has_fast_path and schema._accepts_fast(it.value) is not it.is_valid
    ] == []


@pytest.mark.parametrize("file", sorted(set(FILES) - SLOW))
def test_the_fast_path_reads_most_of_each_keyword(file):
    schemas = {json.dumps(it.schema): Schema(it.schema, "x") for it in cases(file)}
    assert sum(each.has_fast_path for each in schemas.values()) * 2 > len(schemas)
