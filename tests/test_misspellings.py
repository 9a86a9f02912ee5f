"""Whatever is misspelt in a table stops the start: keys and names in the three tables, one at a time.

Of places that are read in one way, as the citation of any error is, one is misspelt, and of those a quarter;
`-m soak` misspells all.
"""

import dataclasses
import functools
import json
import re
from hashlib import blake2b

import pytest

from mockserver.fixtures import misfits
from mockserver.pipeline.behave import bind
from mockserver.spec.catalog import Catalog, load, under
from mockserver.spec.files import FIXTURES, SPECS, SpecificationError, read_yaml
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table

pytestmark = pytest.mark.usefixtures("uncounted")
CATALOG = load()
ACCOUNTS = read_yaml(FIXTURES / "accounts.yaml")
SHAPE = Schema(json.loads((SPECS / "behaviour.schema.json").read_text("utf-8")), "behaviour.schema.json")
TABLES = {
    name: json.loads(json.dumps(read_yaml(SPECS / name / "behaviour.yaml"))) for name in CATALOG.providers
}
# What may be spelt in any way, and why: nothing else says how it is right.
FREE = {
    r"\w+\.title": "shown to people",
    r"\w+\.operations\.\w+\.title": "shown to people in the pictures of the operation",
    r"\w+\.citations\.\w+": "the full name of a document, for people",
    r"\w+\..*\.quote": "words of a document, which tests/test_citations.py looks up in it",
    r"\w+\.errors\.\w+\.cause": "a sentence, here of one word",
    r"\w+\.accounts\.attributes\.\w+\.description": "a sentence, here of one word",
    r"fatthumb\.keys\.new_account\.(persons|inspirations)\.\w+": "ids that every new account has, for tests",
    r"thumbapi\.keys\.new_account\.webhook_secret": "a secret, for tests",
    r"\w+\.outputs\.path": "where the links of answers lead, which no document says",
    r"fatthumb\.operations\.post_api_mcp\.settings\.tools\.0\.name": "how the vendor's page calls its tool",
    r"pikzels\.words\.naming\.reserved\.\d": "names that nobody may take, which no document lists",
    r"\w+\.assumptions\.\w+(\.readings\.\w+)?": "what we call questions and answers to them",
    r"\w+\.assumptions\.\w+\.readings\.\w+\.does": "a sentence, here of one word",
    r"pikzels\.assumptions\.(id_in_paths|rename)\..*\.pattern": "what ids and names look like, as we think",
    r"thumbapi\.assumptions\.(blank_title|picture_labels)\..*\.pattern": "what texts look like, as we think",
    r"pikzels\.assumptions\.rename\.readings\.accepted\.body\.properties\.name": "a field of no document",
    r"fatthumb\.assumptions\.not_found_code\.readings\.\w+\.\w+\..*": "a code that no document has",
    r"fatthumb\.assumptions\.empty_prompt\..*\.pattern": "what holds more than white space, as we think",
    r"thumbapi\.operations\.\w+\.pictures\.1\.examples\..*": "what a page prints in place of a picture",
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


def complaints(name, table, place=()):
    """Say what is wrong with a table as it is, and with the reading that a place is in."""
    found = as_it_is(name, table)
    if place[:1] == ("assumptions",) and place[2:3] == ("readings",) and not found:
        found = under_reading(name, table, place[1], place[3:4])
    return found


def under_reading(name, table, assumption, reading):
    """Make a provider under one reading of one assumption, or all of its readings."""
    row = next((row for key, row in table["assumptions"].items() if key == assumption), None)
    source = CATALOG.providers[name].source
    assert source is not None
    provider = dataclasses.replace(CATALOG.providers[name], source=source._replace(table=table))
    for key in row["readings"] if row else ():
        if not reading or key == reading[0]:
            try:
                bind(Catalog({name: under(provider, {assumption: key})}))
            except SpecificationError as error:
                return error.complaints
    return []


def as_it_is(name, table):
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
# Sections whose members are names that are all read in one way.
LIKE_EACH_OTHER = {
    "amounts", "assumptions", "attributes", "citations", "errors", "known", "limits", "operations", "plans",
    "problems", "properties", "readings", "sizes",
}  # fmt: skip


def dotted(name, path):
    """Write a place as complaints and FREE do."""
    return ".".join(map(str, (name, *path)))


def is_free(place):
    """Whether it may be spelt in any way."""
    return any(re.fullmatch(free, place) for free in FREE)


def kind(case):
    """Give what a place has in common with those that are read in the same way, in whichever table."""
    _, path, is_key = case
    steps = zip(("", *path), path, strict=False)
    parts = ("*" if isinstance(part, int) or of in LIKE_EACH_OTHER else part for of, part in steps)
    return is_key, *parts


FIRST = {kind(case): case for case in reversed(CASES)}
FREED = {
    (free, case[2]): case
    for free in FREE
    for case in reversed(CASES)
    if re.fullmatch(free, dotted(*case[:2]))
}
SOME = dict.fromkeys((*list(FIRST.values())[::4], *FREED.values()))


def written(table, path, *, is_key):
    """What stands at a place: the key, or the text."""
    return path[-1] if is_key else functools.reduce(lambda value, part: value[part], path, table)


def find_accepted(cases):
    """The places whose misspelling stops nothing, or whose complaints do not name them."""
    found = []
    for name, path, is_key in cases:
        place = dotted(name, path)
        said = complaints(name, misspelt(TABLES[name], place, path, is_key=is_key), path)
        near = {str(part) for part in path[-2:]} | {
            doubled(written(TABLES[name], path, is_key=is_key), place)
        }
        if not any(part in line for line in said for part in near):
            found.append(place)
    return found


def test_the_tables_as_they_are_have_no_mistake():
    assert [complaint for name, table in TABLES.items() for complaint in complaints(name, table)] == []


@pytest.mark.parametrize("cases", [SOME, pytest.param(CASES, marks=pytest.mark.soak)], ids=["some", "all"])
def test_a_misspelling_stops_the_start_with_its_place_wherever_spelling_matters(cases):
    accepted = find_accepted(cases)
    assert [place for place in accepted if not is_free(place)] == []
    assert [free for free in FREE if not any(re.fullmatch(free, place) for place in accepted)] == []
    assert len(accepted) <= 0.04 * len(CASES), accepted


def test_nearly_every_place_of_the_tables_is_misspelt():
    assert len(CASES) > 1800
