"""What any store must do: a class of tests that is given a `store`, as test_store.py shows."""

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.bounded import MIB, Bounds
from mockserver.problems import Problem, ProblemType
from mockserver.state.collection import Collection
from mockserver.state.store import Kind
from mockserver.state.values import Number, Value, replace

THREADS, EACH = 8, 60


class Pet(Value, frozen=True):
    """Something to keep."""

    name: str
    weight: Number = 1
    toys: tuple[str, ...] = ()
    notes: Mapping[str, Any] = {}


PETS, COUNTS, FEW = Kind("pets", Pet), Kind("counts", int), Kind("few", int, Bounds(2, MIB))
LIGHT, LIVELY = Kind("light", str, Bounds(100, 10_000)), Kind("lively", int, Bounds(2, MIB), renews=True)
ENDLESS = Kind("endless", int, Bounds(3, MIB), goes_on=True)
REX = Pet("Rex", 12.5, ("ball", "\ud800"), {"vet": {"seen": [1, 2.0, None, True]}})
verbs = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abc"), st.integers(1, 9)),
    st.tuples(st.just("delete"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("increment"), st.sampled_from("abc"), st.integers(-3, 3)),
    st.tuples(
        st.just("put_if_unchanged"), st.sampled_from("abc"), st.tuples(st.integers(1, 3), st.integers(0, 3))
    ),
)


def together(function):
    """Run a function in many threads, often in each; give what it gave."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(function, range(THREADS * EACH)))


class StoreContract:
    """The contract. A subclass has a fixture `store` that gives an empty one."""

    def test_what_was_put_is_there(self, store):
        store.put(PETS, "a", REX)
        assert store.get(PETS, "a") == REX

    def test_what_was_never_put_is_none(self, store):
        assert (store.get(PETS, "a"), store.delete(PETS, "a"), store.list(PETS)) == (None, None, [])

    def test_a_value_comes_back_in_its_types(self, store):
        for key, weight in (("whole", 100), ("part", 100.0)):
            store.put(PETS, key, Pet("Rex", weight))
        assert [(type(each), repr(each.weight)) for _, each in store.list(PETS)] == [
            (Pet, "100"),
            (Pet, "100.0"),
        ]

    def test_a_key_may_be_any_text(self, store):
        for key in ("", "a/b", "%_", "\0", "é", "\ud800"):
            store.put(COUNTS, key, 1)
            assert store.get(COUNTS, key) == 1
        assert store.list(COUNTS, "%") == [("%_", 1)]

    def test_kinds_are_strangers(self, store):
        store.put(COUNTS, "a", 1)
        store.replace({PETS: {"a": REX}})
        assert (store.get(COUNTS, "a"), store.get(PETS, "a")) == (1, REX)

    def test_deleting_gives_what_was_there_and_forgets_it(self, store):
        store.put(PETS, "a", REX)
        assert (store.delete(PETS, "a"), store.get(PETS, "a")) == (REX, None)

    def test_values_are_listed_oldest_first_and_a_replaced_one_keeps_its_place(self, store):
        for key in ("b", "a", "c", "b"):
            store.put(COUNTS, key, 1)
        assert [key for key, _ in store.list(COUNTS)] == ["b", "a", "c"]
        store.delete(COUNTS, "b")
        store.put(COUNTS, "b", 1)
        assert [key for key, _ in store.list(COUNTS)] == ["a", "c", "b"]

    def test_a_list_can_be_narrowed_to_a_prefix(self, store):
        for key in ("ann/1", "bob/1", "ann/2"):
            store.put(COUNTS, key, 1)
        assert [key for key, _ in store.list(COUNTS, "ann/")] == ["ann/1", "ann/2"]

    def test_where_there_is_no_more_room_the_oldest_goes(self, store):
        for number, key in enumerate("abbc", 1):
            store.put(FEW, key, number)
        assert store.list(FEW) == [("b", 3), ("c", 4)]

    def test_where_there_are_too_many_bytes_the_oldest_goes(self, store):
        for number in range(20):
            store.put(LIGHT, str(number), "x" * 1_000)
        kept = [key for key, _ in store.list(LIGHT)]
        assert 2 < len(kept) < 10
        assert kept == [str(number) for number in range(20 - len(kept), 20)]
        assert store.usage(LIGHT).entries == len(kept)
        assert 1_000 * len(kept) < store.usage(LIGHT).bytes <= 10_000

    def test_a_value_that_takes_too_much_alone_is_refused_and_nothing_is_lost(self, store):
        store.put(LIGHT, "a", "x")
        for refused in (
            lambda: store.put(LIGHT, "b", "x" * 9_000),
            lambda: store.put_if_unchanged(LIGHT, "a", "x" * 9_000, "x"),
            lambda: store.put(LIGHT, "b" * 9_000, "x"),
            lambda: store.replace({PETS: {"a": REX}, LIGHT: {"b": "x" * 9_000}}),
        ):
            with pytest.raises(Problem) as caught:
                refused()
            assert caught.value.type is ProblemType.BODY_TOO_LARGE
        assert (store.list(LIGHT), store.list(PETS)) == ([("a", "x")], [])

    def test_what_is_forgotten_takes_no_bytes(self, store):
        store.put(LIGHT, "a", "x" * 1_000)
        store.put(LIGHT, "a", "x")
        store.delete(LIGHT, "a")
        store.delete(LIGHT, "a")
        assert store.usage(LIGHT) == (0, 0)
        store.put(LIGHT, "a", "x")
        store.replace({LIGHT: {}})
        assert store.usage(LIGHT) == (0, 0)

    def test_what_is_changed_is_the_newest_where_that_is_said(self, store):
        for key in "abac":
            store.put(LIVELY, key, 1)
        assert [key for key, _ in store.list(LIVELY)] == ["a", "c"]

    def test_a_counter_that_made_room_never_says_a_number_again(self, store):
        said = [store.increment(ENDLESS, "a") for _ in range(3)]
        for number in range(20):
            store.increment(ENDLESS, f"{number}")
        said += [store.increment(ENDLESS, "a") for _ in range(3)]
        assert said == sorted(set(said))
        assert store.usage(ENDLESS).entries == 3

    def test_what_is_unchanged_is_replaced(self, store):
        store.put(PETS, "a", REX)
        assert store.put_if_unchanged(PETS, "a", Pet("Tom"), store.get(PETS, "a"))
        assert store.get(PETS, "a") == Pet("Tom")

    def test_what_was_changed_meanwhile_stays(self, store):
        store.put(PETS, "a", REX)
        read = store.get(PETS, "a")
        store.put(PETS, "a", replace(REX, weight=13))
        assert not store.put_if_unchanged(PETS, "a", Pet("Tom"), read)
        assert store.get(PETS, "a") == replace(REX, weight=13)

    def test_equal_is_unchanged_whichever_object_it_is(self, store):
        store.put(PETS, "a", REX)
        assert store.put_if_unchanged(PETS, "a", Pet("Tom"), copy.deepcopy(REX))

    def test_what_was_changed_and_changed_back_is_unchanged(self, store):
        for value in (REX, Pet("Tom"), REX):
            store.put(PETS, "a", value)
        assert store.put_if_unchanged(PETS, "a", Pet("Tom"), REX)

    def test_none_stands_for_nothing(self, store):
        assert not store.put_if_unchanged(PETS, "a", REX, Pet("Tom"))
        assert store.put_if_unchanged(PETS, "a", REX, None)
        assert not store.put_if_unchanged(PETS, "a", Pet("Tom"), None)
        assert not store.put_if_unchanged(PETS, "a", None, Pet("Tom"))
        assert store.get(PETS, "a") == REX
        assert store.put_if_unchanged(PETS, "a", None, REX)
        assert store.list(PETS) == []

    def test_a_counter_begins_at_nothing(self, store):
        said = [
            store.increment(COUNTS, "a"),
            store.increment(COUNTS, "a", 5),
            store.increment(COUNTS, "b", -1),
        ]
        assert said == [1, 6, -1]

    def test_a_counter_that_is_back_at_nothing_is_not_there(self, store):
        store.increment(COUNTS, "a")
        assert (store.increment(COUNTS, "a", -1), store.get(COUNTS, "a"), store.list(COUNTS)) == (0, None, [])

    def test_every_change_is_seen_and_no_look(self, store):
        changes = [store.changes(PETS)]
        for act in (
            lambda: store.put(PETS, "a", REX),
            lambda: store.put_if_unchanged(PETS, "a", Pet("Tom"), REX),
            lambda: store.delete(PETS, "a"),
            lambda: store.replace({PETS: {}}),
        ):
            act()
            changes.append(store.changes(PETS))
        assert changes == sorted(set(changes))
        store.put_if_unchanged(PETS, "a", Pet("Tom"), REX)
        store.get(PETS, "a")
        store.list(PETS)
        store.copy([PETS])
        store.put(COUNTS, "a", 1)
        assert store.changes(PETS) == changes[-1]

    def test_a_copy_is_of_one_moment_and_does_not_change(self, store):
        store.put(PETS, "a", REX)
        store.put(COUNTS, "b", 2)
        taken = store.copy([PETS, COUNTS, FEW])
        store.replace({PETS: {}, COUNTS: {}})
        assert taken == {PETS: {"a": REX}, COUNTS: {"b": 2}, FEW: {}}

    def test_a_replacement_holds_its_values_in_their_order_and_no_others(self, store):
        store.put(COUNTS, "a", 1)
        store.replace({COUNTS: {"c": 3, "b": 2}})
        store.put(COUNTS, "a", 1)
        assert store.list(COUNTS) == [("c", 3), ("b", 2), ("a", 1)]

    def test_of_too_many_values_the_newest_are_held(self, store):
        store.replace({FEW: {"a": 1, "b": 2, "c": 3}})
        assert store.list(FEW) == [("b", 2), ("c", 3)]

    def test_threads_lose_no_count(self, store, impatient):
        said = together(lambda _: store.increment(COUNTS, "a"))
        assert sorted(said) == list(range(1, THREADS * EACH + 1))

    def test_threads_lose_no_value(self, store, impatient):
        together(lambda number: store.put(COUNTS, str(number), number + 1))
        assert sorted(value for _, value in store.list(COUNTS)) == list(range(1, THREADS * EACH + 1))

    def test_threads_lose_no_change(self, store, impatient):
        pets = Collection(store, PETS)

        def feed(pet):
            return replace(pet, weight=pet.weight + 1)

        pets.put("a", Pet("Rex", 0))
        together(lambda _: pets.update("a", feed))
        assert pets.get("a") == Pet("Rex", THREADS * EACH)

    def test_of_all_who_want_one_key_one_gets_it(self, store, impatient):
        names = Kind("names", str)
        got = together(lambda number: store.put_if_unchanged(names, str(number % EACH), f"{number}", None))
        assert (got.count(True), len(store.list(names))) == (EACH, EACH)

    def test_of_all_who_delete_one_value_one_is_given_it(self, store, impatient):
        store.put(PETS, "a", REX)
        assert sum(held is not None for held in together(lambda _: store.delete(PETS, "a"))) == 1

    @settings(derandomize=True, deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
    @given(st.lists(verbs, max_size=20))
    def test_it_does_what_a_dict_does(self, store, acts):
        store.replace({COUNTS: {}})
        model = {}
        for verb, key, value in acts:
            if verb == "put":
                store.put(COUNTS, key, value)
                model[key] = value
            elif verb == "delete":
                assert store.delete(COUNTS, key) == model.pop(key, None)
            elif verb == "increment":
                model[key] = model.get(key, 0) + value
                assert store.increment(COUNTS, key, value) == model[key]
                if not model[key]:
                    del model[key]
            else:
                is_unchanged = model.get(key) == (value[1] or None)
                assert store.put_if_unchanged(COUNTS, key, value[0], value[1] or None) == is_unchanged
                if is_unchanged:
                    model[key] = value[0]
            assert store.list(COUNTS) == list(model.items())
