"""Whatever is misspelt in a table stops the start: every key and name in the three tables, one at a time."""

import dataclasses
import json
import re
from hashlib import blake2b

from mockserver.fixtures import misfits
from mockserver.pipeline.behave import bind
from mockserver.spec.catalog import Catalog, load
from mockserver.spec.files import FIXTURES, SPECS, SpecificationError, read_yaml
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table

CATALOG = load()
ACCOUNTS = read_yaml(FIXTURES / "accounts.yaml")
SHAPE = Schema(json.loads((SPECS / "behaviour.schema.json").read_text("utf-8")), "behaviour.schema.json")
TABLES = {
    name: json.loads(json.dumps(read_yaml(SPECS / name / "behaviour.yaml"))) for name in CATALOG.providers
}
# What may be spelt in any way, and why: nothing else says how it is right.
FREE = {
    r"^title$|^operations\.\w+\.title$": "shown to people",
    r"^citations\.\w+$": "the full name of a document, for people",
    r"^errors\.\w+\.(message|cause)$": "a sentence of one word, for people",
}


def places(value, place=()):
    """Give the path of every key, with True, and of every text that is a name, with False."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*place, key), True
            yield from places(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*place, index))
    elif isinstance(value, str) and re.fullmatch(r"\S*[A-Za-z]\S*", value):
        yield place, False


def doubled(text, place):
    """Double one of the letters: another one at each place, the same on every run."""
    letters = [at for at, letter in enumerate(text) if letter.isalpha()]
    at = letters[blake2b(repr(place).encode(), digest_size=2).digest()[0] % len(letters)] if letters else 0
    return text[:at] + text[at] + text[at:]


def misspelt(value, place, path, *, is_key):
    """Copy a table with one misspelling; what it leads past is shared."""
    head, *rest = path
    if not rest and is_key:
        return {(doubled(key, place) if key == head else key): item for key, item in value.items()}
    inner = misspelt(value[head], place, rest, is_key=is_key) if rest else doubled(value[head], place)
    if isinstance(value, dict):
        return {**value, head: inner}
    return [inner if index == head else item for index, item in enumerate(value)]


def complaints(name, table):
    """Load a table as a start does: shape, names, functions, fixtures; the document stays as it is."""
    provider = CATALOG.providers[name]
    read = Table(table, f"{provider.folder}/behaviour.yaml", SHAPE)
    if not read.has_shape:
        return read.complaints
    rows, known = read.rows(), provider.operations
    strays = [f"operations: {row} is in one of the files alone" for row in set(rows) ^ set(known)]
    operations = {row: dataclasses.replace(known[row], row=rows[row]) for row in rows if row in known}
    changed = read.provider(name, operations, provider.text, provider.callbacks)
    catalog = Catalog({name: changed})
    try:
        bind(catalog)
    except SpecificationError as error:
        strays += error.complaints
    return strays + list(misfits({name: ACCOUNTS[name]}, catalog))


CASES = [(name, path, is_key) for name, table in TABLES.items() for path, is_key in places(table)]


def accepted():
    """Give the misspellings that stop nothing, and those whose complaint does not name the place."""
    for name, path, is_key in CASES:
        place = ".".join(map(str, path))
        table = misspelt(TABLES[name], place, path, is_key=is_key)
        said = complaints(name, table)
        wrong = doubled(str(path[-1]), place) if is_key else None
        if not said:
            yield name, place, is_key, "accepted"
        elif not any(str(part) in line for line in said for part in (path[-1], wrong or path[-2])):
            yield name, place, is_key, said[0]


def test_the_tables_as_they_are_have_no_mistake():
    assert [complaint for name, table in TABLES.items() for complaint in complaints(name, table)] == []
