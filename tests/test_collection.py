"""One kind of a store: changing what others change, too, and reading back what a snapshot says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mockserver.state.collection import MOST_TRIES, Collection
from mockserver.state.store import Kind, MemoryStore
from mockserver.state.values import Count, Number, Time, Value, as_json, replace


class Bill(Value, frozen=True):
    """Something inside a value."""

    amount: Number


class Visit(Value, frozen=True):
    """Something of every kind of field."""

    pet: str
    at_s: Time
    paid_at_s: Time | None
    weight: Number | None = None
    count: Count = 0
    is_over: bool = False
    notes: Mapping[str, Any] = {}
    bills: tuple[Bill, ...] = ()


ROW = {"pet": "Rex", "at_s": 5, "paid_at_s": None}


@pytest.fixture
def visits():
    return Collection(MemoryStore(), Kind("visits", Visit))


@pytest.fixture
def counts():
    return Collection(MemoryStore(), Kind("counts", int))


def test_a_collection_has_the_verbs_of_its_store(visits):
    visit = Visit("Rex", 5, None)
    visits.put("a", visit)
    assert (visits.get("a"), list(visits), len(visits), visits.list()) == (visit, [visit], 1, [("a", visit)])
    assert (visits.delete("a"), visits.delete("a"), visits.changes) == (visit, None, 3)


def test_a_walk_bears_changes_meanwhile(counts):
    counts.increment("a")
    for number in counts:
        counts.put(f"{number} and one", number)
    for key, _ in counts.list():
        counts.delete(key)
    assert len(counts) == 0


def test_an_update_gives_what_is_there_then(counts):
    assert counts.update("a", lambda known: known or 5) == 5
    assert counts.update("a", lambda known: (known or 0) + 1) == 6
    assert counts.get("a") == 6


def test_an_update_to_nothing_removes(counts):
    counts.put("a", 1)
    assert counts.update("a", lambda known: None) is None
    assert counts.list() == []


def test_an_update_that_changes_nothing_is_no_change(counts):
    counts.put("a", 1)
    before = counts.changes
    assert (counts.update("a", lambda known: known), counts.update("b", lambda known: known)) == (1, None)
    assert counts.changes == before


def test_an_update_begins_again_where_somebody_was_faster(counts):
    seen = []

    def change(known):
        seen.append(known)
        if len(seen) < 3:
            counts.put("a", 10 * len(seen))
        return (known or 0) + 1

    assert (counts.update("a", change), seen) == (21, [None, 10, 20])


def test_what_an_update_raises_changes_nothing(counts):
    counts.put("a", 1)
    with pytest.raises(ZeroDivisionError):
        counts.update("a", lambda known: known // 0)
    assert counts.get("a") == 1


def test_a_value_that_changes_without_an_end_is_not_tried_for_ever(counts):
    tries = []

    def try_again(known):
        tries.append(known)
        counts.put("a", known + 1)  # as somebody who is always faster would
        return 0

    counts.put("a", 1)
    with pytest.raises(RuntimeError, match="counts: a changes without an end, or is never equal to itself"):
        counts.update("a", try_again)
    assert len(tries) == MOST_TRIES


def test_a_snapshot_as_json_reads_back_in_the_same_order(visits):
    full = Visit("Tom", 5.5, 6, 7, 8, True, {"a": [1, None, "\ud800"]}, (Bill(1), Bill(1.0)))
    for key, visit in (("b", full), ("a", Visit("Rex", 5, None))):
        visits.put(key, visit)
    read = visits.read(json.loads(json.dumps(as_json(dict(visits.list())))))
    assert (list(read), read) == (["b", "a"], dict(visits.list()))
    assert repr(read["b"]) == repr(full)


def test_a_whole_number_will_do_for_a_float_and_a_default_for_what_is_missing(visits):
    read = visits.read({"a": {**ROW, "weight": 3, "bills": [{"amount": 1}]}})
    assert read == {"a": Visit("Rex", 5, None, 3, bills=(Bill(1),))}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pet", 1, "must be str, not int"),
        ("pet", None, "must be str, not null"),
        ("at_s", "1", r"must be int \| float"),
        ("at_s", True, "not bool"),
        ("at_s", None, "not null"),
        ("at_s", -1, "must be int >= 0"),
        ("at_s", 1e300, "<= 2534"),
        ("paid_at_s", "now", "null, not str"),
        ("paid_at_s", 1e300, "<= 2534"),
        ("weight", True, "null, not bool"),
        ("weight", float("inf"), "<= 1000"),
        ("weight", float("nan"), ">= -1000"),
        ("weight", 10**400, "<= 1000"),
        ("count", 1.5, "must be int"),
        ("count", False, "not bool"),
        ("count", -1, ">= 0"),
        ("is_over", 1, "must be bool"),
        ("notes", [], "must be object"),
        ("bills", {}, "must be array"),
        ("age", 1, "is not known"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_field(visits, field, value, words):
    with pytest.raises(ValueError, match=rf"^visits: a\.{field} .*{words}"):
        visits.read({"a": {**ROW, field: value}})


def test_a_wrong_value_inside_a_value_is_named_with_its_place(visits):
    with pytest.raises(ValueError, match=r"^visits: a\.bills\[1\]\.amount must be int \| float, not str"):
        visits.read({"a": {**ROW, "bills": [{"amount": 1}, {"amount": "2"}]}})


def test_a_missing_field_is_named(visits):
    with pytest.raises(ValueError, match=r"visits: a\.at_s is missing"):
        visits.read({"a": {"pet": "Rex", "paid_at_s": None}})


@pytest.mark.parametrize("row", [None, [], "Rex", 5])
def test_what_is_no_object_is_no_value(visits, row):
    with pytest.raises(ValueError, match="visits: a must be object, not"):
        visits.read({"a": row})


@pytest.mark.parametrize("row", ["1", None, 1.5, [1], True])
def test_what_is_no_counter_is_not_read(counts, row):
    with pytest.raises(ValueError, match="counts: a must be int, not"):
        counts.read({"a": row})


@pytest.mark.parametrize("values", [None, [], 1, "a"])
def test_what_is_no_object_is_not_read(counts, values):
    with pytest.raises(ValueError, match="counts: must be object, not"):
        counts.read(values)


def test_nobody_changes_a_value_in_its_place():
    visit = Visit("Rex", 5, None)
    with pytest.raises(AttributeError):
        visit.pet = "Tom"  # type: ignore[misc]
    assert replace(visit, pet="Tom") != visit
