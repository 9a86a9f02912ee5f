"""All state lies in collections: their verbs, their bound, and threads that use them at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers, sampled_from

from mockserver.state.collection import Collection


class Pet(NamedTuple):
    """Something to keep."""

    name: str
    toys: tuple[str, ...] = ()


@pytest.fixture
def pets():
    return Collection(Pet, RLock())


def test_what_was_put_is_there(pets):
    assert pets.put("a", Pet("Rex")) == Pet("Rex")
    assert (pets.get("a"), len(pets), list(pets)) == (Pet("Rex"), 1, [Pet("Rex")])


def test_what_was_never_put_is_none(pets):
    assert (pets.get("a"), pets.delete("a"), pets.list()) == (None, None, [])


def test_deleting_gives_what_was_there_and_forgets_it(pets):
    pets.put("a", Pet("Rex"))
    assert (pets.delete("a"), pets.get("a")) == (Pet("Rex"), None)


def test_values_are_listed_oldest_first_and_a_replaced_one_keeps_its_place(pets):
    for key in ("b", "a", "c", "b"):
        pets.put(key, Pet(key))
    assert [key for key, _ in pets.list()] == ["b", "a", "c"]


def test_a_list_can_be_narrowed_to_a_prefix(pets):
    for key in ("ann/1", "bob/1", "ann/2"):
        pets.put(key, Pet(key))
    assert [key for key, _ in pets.list("ann/")] == ["ann/1", "ann/2"]


def test_a_list_and_a_walk_bear_changes_meanwhile(pets):
    pets.put("a", Pet("Rex"))
    for pet in pets:
        pets.put(f"{pet.name}'s puppy", pet)
    for key, _ in pets.list():
        pets.delete(key)
    assert len(pets) == 0


def test_a_full_collection_forgets_its_oldest_value():
    bounded = Collection(int, RLock(), capacity=2)
    for number, key in enumerate("abc"):
        bounded.put(key, number)
    assert bounded.list() == [("b", 1), ("c", 2)]


def test_a_replaced_value_needs_no_room():
    bounded = Collection(int, RLock(), capacity=2)
    for key in "abb":
        bounded.put(key, 0)
    assert [key for key, _ in bounded.list()] == ["a", "b"]


def test_a_counter_begins_at_nothing():
    counts = Collection(int, RLock())
    assert [counts.increment("a"), counts.increment("a", 5), counts.increment("b", -1)] == [1, 6, -1]


def test_twenty_threads_lose_no_count():
    counts = Collection(int, RLock())
    with ThreadPoolExecutor(20) as threads:
        said = list(threads.map(lambda _: counts.increment("a"), range(4000)))
    assert sorted(said) == list(range(1, 4001))


def test_twenty_threads_lose_no_value():
    numbers = Collection(int, RLock())

    def use(number):
        numbers.put(str(number), number)
        assert (str(number), number) in numbers.list(str(number))
        return numbers.delete(str(number)) if number % 2 else numbers.get(str(number))

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(use, range(400))) == list(range(400))
    assert sorted(numbers) == list(range(0, 400, 2))


def test_a_snapshot_does_not_change_with_its_collection(pets):
    pets.put("a", Pet("Rex"))
    taken = pets.snapshot()
    pets.clear()
    assert (taken, len(pets)) == ({"a": {"name": "Rex", "toys": ()}}, 0)


def test_a_snapshot_as_json_reads_back_in_the_same_order(pets):
    for key in ("b", "a"):
        pets.put(key, Pet(key))
    text = json.dumps(pets.snapshot())
    pets.clear()
    pets.restore(pets.read(json.loads(text)))
    assert [key for key, _ in pets.list()] == ["b", "a"]
    assert pets.get("a").name == "a"


@pytest.mark.parametrize("row", [{}, {"name": "Rex", "age": 3}, None, [], "Rex"])
def test_what_is_no_value_of_the_collection_is_not_read(pets, row):
    with pytest.raises(TypeError):
        pets.read({"a": row})


@pytest.mark.parametrize("row", ["1", None, 1.5, [1]])
def test_what_is_no_counter_is_not_read(row):
    with pytest.raises(TypeError):
        Collection(int, RLock()).read({"a": row})


def test_every_change_is_counted_and_no_look(pets):
    pets.put("a", Pet("Rex"))
    pets.delete("a")
    before = pets.changes
    pets.get("a")
    pets.list()
    pets.snapshot()
    assert (before, pets.changes) == (2, 2)


class Visit(NamedTuple):
    """Something of every kind of field."""

    pet: str
    at_s: float
    paid_at_s: float | None
    weight: float | None = None
    count: int = 0
    is_over: bool = False
    notes: dict[str, Any] = {}  # noqa: RUF012 - a named tuple's default
    bills: list[dict[str, Any]] = []  # noqa: RUF012


VISIT = {"pet": "Rex", "at_s": 5, "paid_at_s": None}


def test_a_whole_number_will_do_for_a_float_and_a_default_for_what_is_missing():
    visits = Collection(Visit, RLock())
    assert visits.read({"a": {**VISIT, "weight": 3, "bills": [{}]}}) == {
        "a": Visit("Rex", 5, None, 3, bills=[{}])
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pet", 1, "a string"), ("pet", None, "a string"), ("at_s", "1", "a number"), ("at_s", True, "a number"), ("at_s", None, "a number"),
        ("at_s", -1, "from 0"), ("at_s", 1e300, "from 0"), ("paid_at_s", "now", "or null"), ("paid_at_s", 1e300, "or null"), ("weight", True, "or null"),
        ("weight", float("inf"), "or null"), ("weight", 10**400, "or null"), ("count", 1.5, "a whole number"), ("count", False, "a whole number"),
        ("is_over", 1, "true or false"), ("notes", [], "an object"), ("bills", {}, "an array of an object"), ("bills", [1], "an array of an object"),
        ("age", 1, "is not known"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_key_and_field(field, value, words):
    with pytest.raises(TypeError, match=rf"^a\.{field} .*{words}"):
        Collection(Visit, RLock()).read({"a": {**VISIT, field: value}})


def test_a_missing_field_is_named():
    with pytest.raises(TypeError, match=r"a\.at_s is missing"):
        Collection(Visit, RLock()).read({"a": {"pet": "Rex", "paid_at_s": None}})


@pytest.mark.parametrize("values", [None, [], 1, "a"])
def test_what_is_no_object_is_not_read(values):
    with pytest.raises(TypeError, match="object"):
        Collection(int, RLock()).read(values)


def test_true_is_no_counter():
    with pytest.raises(TypeError, match="a is no int"):
        Collection(int, RLock()).read({"a": True})


def test_of_too_many_values_the_newest_are_restored():
    bounded = Collection(int, RLock(), capacity=2)
    bounded.restore({"a": 1, "b": 2, "c": 3})
    assert bounded.list() == [("b", 2), ("c", 3)]


class LikeADict(RuleBasedStateMachine):
    """A collection does what a dict does."""

    def __init__(self):
        super().__init__()
        self.collection, self.model = Collection(int, RLock()), {}

    @rule(key=sampled_from("abc"), value=integers())
    def put(self, key, value):
        self.collection.put(key, value)
        self.model[key] = value

    @rule(key=sampled_from("abc"))
    def delete(self, key):
        assert self.collection.delete(key) == self.model.pop(key, None)

    @rule(key=sampled_from("abc"), by=integers())
    def increment(self, key, by):
        self.model[key] = self.model.get(key, 0) + by
        assert self.collection.increment(key, by) == self.model[key]

    @rule()
    def restore(self):
        self.collection.restore(self.collection.read(self.collection.snapshot()))

    @invariant()
    def is_alike(self):
        assert self.collection.list() == list(self.model.items())


TestLikeADict = LikeADict.TestCase
TestLikeADict.settings = settings(derandomize=True, deadline=None, max_examples=50)
