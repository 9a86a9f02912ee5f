"""Ids and random values repeat on every run and every machine, and differ where anything else does."""

import re
import subprocess
import sys
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.seeded import Random, digest_of

CHANCE = Random(digest_of(b"seed", b"body"), 1)
sources = st.builds(Random, st.binary(min_size=16, max_size=16), st.integers(0, 10**9))
labels = st.text(st.characters(codec="utf-8"), max_size=20)


def test_the_values_are_the_same_on_every_machine():
    assert CHANCE.uuid("request") == "4f0214a0-8446-48c0-bdad-044da371f61b"
    assert (CHANCE.hex("x", 10), CHANCE.whole("x", 1, 100), CHANCE.shuffled("x", [1, 2, 3, 4, 5])) == (
        "9a28e99313",
        16,
        [2, 5, 3, 1, 4],
    )


def test_another_process_with_another_hash_seed_gives_the_same_values():
    program = "from mockserver.seeded import *; print(Random(digest_of(b'seed', b'body'), 1).uuid('request'))"
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said == [CHANCE.uuid("request") + "\n"] * 2


parts = st.builds(
    lambda first, last: (*first, last),
    st.lists(st.binary(max_size=6).map(lambda part: part.replace(b"\0", b"")), max_size=3),
    st.binary(max_size=6),
)


@settings(derandomize=True)
@given(parts, parts)
def test_two_lists_of_equal_length_have_one_digest_only_where_they_are_one_list(some, others):
    """Only the last part may hold NUL: it is the body; the others are text."""
    assert len(some) != len(others) or (digest_of(*some) == digest_of(*others)) is (some == others)


@pytest.mark.parametrize(
    ("some", "others"),
    [
        ((b"a", b"bc"), (b"ab", b"c")),
        ((b"a",), (b"a", b"")),
        ((b"", b"a"), (b"a", b"")),
        ((b"a", b"b"), (b"b", b"a")),
    ],
)
def test_where_one_part_ends_makes_a_difference(some, others):
    assert digest_of(*some) != digest_of(*others)


@settings(derandomize=True)
@given(sources, labels)
def test_an_id_is_a_uuid_of_version_4(random, label):
    read = UUID(random.uuid(label))
    assert (read.version, read.variant, str(read)) == (4, RFC_4122, random.uuid(label))


def test_the_digest_the_count_and_the_label_each_make_another_id():
    others = [Random(digest_of(b"other"), 1), Random(digest_of(b"seed", b"body"), 2)]
    ids = {CHANCE.uuid("a"), CHANCE.uuid("b"), *(other.uuid("a") for other in others)}
    assert len(ids) == 4


def test_ten_thousand_calls_get_ten_thousand_ids():
    assert len({Random(digest_of(b"same"), count).uuid("request") for count in range(10_000)}) == 10_000


@settings(derandomize=True)
@given(sources, labels, st.integers(1, 128))
def test_hexadecimal_digits_are_as_many_as_asked_for(random, label, length):
    assert re.fullmatch(f"[0-9a-f]{{{length}}}", random.hex(label, length))


@settings(derandomize=True)
@given(sources, labels, st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_a_whole_number_lies_between_its_bounds(random, label, low, more):
    assert low <= random.whole(label, low, low + more) <= low + more


def test_every_whole_number_between_the_bounds_comes_up():
    assert {CHANCE.whole(f"roll {count}", 1, 6) for count in range(200)} == {1, 2, 3, 4, 5, 6}


@settings(derandomize=True)
@given(sources, labels)
def test_a_share_is_less_than_the_whole(random, label):
    assert 0 <= random.share(label) < 1


@settings(derandomize=True)
@given(sources, labels, st.lists(st.integers(), max_size=8))
def test_shuffling_loses_and_adds_nothing(random, label, items):
    assert sorted(random.shuffled(label, items)) == sorted(items)


def test_equal_items_and_items_that_cannot_be_compared_are_shuffled_too():
    assert len(CHANCE.shuffled("x", [{}, {}, None])) == 3


def test_drawing_one_value_changes_no_other():
    before = CHANCE.uuid("request")
    CHANCE.whole("anything", 1, 6)
    assert CHANCE.uuid("request") == before


@settings(derandomize=True)
@given(sources, labels, st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_number_lies_between_its_bounds(random, label, low, more):
    assert low <= random.between(label, low, low + more) <= low + more


@settings(derandomize=True)
@given(sources, labels, st.lists(st.integers(), min_size=1, max_size=8))
def test_what_is_picked_is_one_of_the_choices(random, label, choices):
    assert random.pick(label, choices) in choices


def test_a_part_draws_by_labels_of_its_own():
    assert len({CHANCE.uuid("a"), CHANCE.part("x").uuid("a"), CHANCE.part("y").uuid("a")}) == 3
    assert CHANCE.part("x").uuid("a") == CHANCE.part("x").uuid("a")


def test_any_text_is_a_source_and_where_it_is_parted_makes_a_difference():
    assert Random.from_text("\ud800\0").hex("x") != Random.from_text("").hex("x")
    assert Random.from_text("a", "bc").hex("x") != Random.from_text("ab", "c").hex("x")
