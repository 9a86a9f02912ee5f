"""How often, and how much at once, an account may call: windows and slots, where limits are enforced."""

import pytest
from catalogues import NOTES, a_match, a_world, notes

from mockserver.pipeline.limit import limit
from mockserver.problems import Problem, ProblemType

# The notes allow 3 calls in 60 seconds, and to add 2 notes at once; 3 where the plan is large.


@pytest.fixture
def world():
    return a_world(enforced="limits", note_large={"plan": "large"})


def tried(world, operation="read_note", *, key="note_1", provider=NOTES, body=b""):
    """Let an account call once; give what frees its slot."""
    return limit(a_match(operation, provider), world.accounts.find("notes", key), world, body)


def refused(world, operation="read_note", **more):
    with pytest.raises(Problem) as caught:
        tried(world, operation, **more)
    return caught.value


def test_as_many_calls_as_the_limit_says_are_let_through_in_a_window(world):
    for _ in range(3):
        tried(world)
    problem = refused(world)
    (violation,) = problem.violations
    assert (problem.type, problem.error) == (ProblemType.RATE_LIMITED, None)
    assert problem.headers == {"Retry-After": "60"}
    assert violation.message == "per_minute: at most 3 calls in 60 s; the next may come in 60 s"
    assert (violation.location, violation.pointer, violation.keyword) == ("header", "", "limit")


def test_a_refusal_cites_the_document_of_the_rate_not_that_of_the_operation(world):
    many = notes(rates=[{"limit": "per_minute", "citation": "prices"}])
    for _ in range(3):
        tried(world, "add_note", provider=many)
    assert refused(world, "add_note", provider=many).violations[0].citation == "The notes' price list"


def test_a_window_begins_with_its_first_call_and_is_over_when_its_seconds_are(world):
    for _ in range(3):
        tried(world)
        world.clock.advance(19.5)
    assert refused(world).headers == {"Retry-After": "2"}  # 1.5 s, rounded up
    world.clock.advance(1.4)
    assert refused(world).headers == {"Retry-After": "1"}
    world.clock.advance(0.1)
    for _ in range(3):
        tried(world)
    assert refused(world).headers == {"Retry-After": "60"}


@pytest.mark.parametrize(
    ("ends", "waits_s"),
    [  # three calls 20 s apart; what waits the next one 5 s later, and the one after that
        ("after_first", (15, 60)),
        ("call_by_call", (15, 20)),
        ("after_last", (55, 60)),
    ],
)
def test_a_window_ends_as_the_table_says(world, ends, waits_s):
    provider = notes(rates=[{"limit": "per_minute", "window_s": 60, "ends": ends}])
    for _ in range(2):
        tried(world, provider=provider)
        world.clock.advance(20)
    tried(world, provider=provider)
    world.clock.advance(5)
    for wait_s in waits_s:
        assert refused(world, provider=provider).headers == {"Retry-After": str(wait_s)}
        world.clock.advance(wait_s)
        for _ in range(1 if ends == "call_by_call" else 3):
            tried(world, provider=provider)


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        (b'{"copies": 2}', 2),
        (b'{"copies": 2.9}', 2),
        (b'{"text": "x"}', 1),  # the default
        *((body, 1) for body in (b"", b"{", b"[]", b"7", b'{"copies": "2"}', b'{"copies": null}')),
        *((b'{"copies": %s}' % each, 1) for each in (b"0", b"-2", b"9", b"1e999", b"true", b"[2]")),
    ],
)
def test_a_call_counts_for_as_many_as_a_field_of_its_body_says(world, body, weight):
    provider = notes(rates=[{"limit": "per_minute", "window_s": 60, "times": "copies"}])
    tried(world, "add_note", provider=provider, body=body)
    for _ in range(3 - weight):
        tried(world, "add_note", provider=provider)
    message = refused(world, "add_note", provider=provider).violations[0].message
    assert message.startswith("per_minute: at most 3 calls, each counted by its copies, in 60 s")


@pytest.mark.parametrize("ends", ["after_first", "call_by_call", "after_last"])
def test_a_call_for_more_than_are_left_is_refused_and_one_for_fewer_is_not(world, ends):
    rate = {"limit": "per_minute", "window_s": 60, "times": "copies", "ends": ends}
    provider = notes(rates=[rate])
    tried(world, "add_note", provider=provider, body=b'{"copies": 2}')
    refused(world, "add_note", provider=provider, body=b'{"copies": 2}')
    tried(world, "add_note", provider=provider, body=b'{"copies": 1}')


def test_a_refused_call_is_not_counted(world):
    both = notes(
        limits={
            name: {"value": value, "provenance": "documented", "citation": "handbook"}
            for name, value in {"per_minute": 1, "per_hour": 2, "photo_bytes": 1}.items()
        },
        rates=[{"limit": "per_hour", "window_s": 3600}, {"limit": "per_minute", "window_s": 60}],
    )
    tried(world, provider=both)
    for _ in range(5):
        assert refused(world, provider=both).headers == {"Retry-After": "60"}
    world.clock.advance(60)
    tried(world, provider=both)  # the second of the hour
    assert (
        refused(world, provider=both).violations[0].message.startswith("per_hour: at most 2 calls in 3600 s")
    )


def test_every_account_has_windows_of_its_own(world):
    for _ in range(3):
        tried(world)
    tried(world, key="note_2")
    refused(world)


def test_all_operations_of_a_limit_count_together(world):
    for operation in ("read_note", "add_note", "read_note"):
        tried(world, operation)
    assert refused(world, "add_note").violations[0].message.startswith("per_minute")


def test_a_limit_of_some_operations_counts_only_those(world):
    some = notes(rates=[{"limit": "per_minute", "window_s": 60, "operations": ["add_note"]}])
    for _ in range(3):
        tried(world, "add_note", provider=some)
    refused(world, "add_note", provider=some)
    for _ in range(10):
        assert tried(world, "read_note", provider=some) is None


def test_a_limit_of_a_plan_is_that_of_the_accounts_plan(world):
    by_plan = notes(rates=[{"plan": "at_once", "window_s": 60}])
    for key, most in (("note_1", 2), ("note_large", 3)):
        for _ in range(most):
            tried(world, provider=by_plan, key=key)
        message = refused(world, provider=by_plan, key=key).violations[0].message
        assert message.startswith(f"at_once: at most {most} calls in 60 s")


def test_a_slot_is_taken_until_it_is_given_back(world):
    free = [tried(world, "add_note") for _ in range(2)]
    problem = refused_at_once(world)
    assert (problem.type, problem.headers) == (ProblemType.RATE_LIMITED, {"Retry-After": "1"})
    assert problem.violations[0].message == "at_once: 2 calls of this account are under way already"
    free[0]()
    tried(world, "add_note")
    refused_at_once(world)


def refused_at_once(world):
    """Try to add a note in another minute, so that only the slots can be full."""
    world.clock.advance(60)
    return refused(world, "add_note")


def test_every_account_has_slots_of_its_own_as_many_as_its_plan_says(world):
    for key in ("note_1", "note_1", "note_large", "note_large", "note_large"):
        tried(world, "add_note", key=key)
    world.clock.advance(60)
    for key in ("note_1", "note_large"):
        assert "under way already" in refused(world, "add_note", key=key).violations[0].message


def test_an_operation_without_slots_has_none_to_give_back(world):
    assert tried(world, "read_note") is None
    assert tried(world, "add_note") is not None


def test_what_no_window_lets_through_takes_no_slot(world):
    for _ in range(3):
        tried(world)
    for _ in range(5):
        refused(world, "add_note")
    world.clock.advance(60)
    for _ in range(2):
        tried(world, "add_note")


@pytest.mark.parametrize("what", [{"limit": "per_minute"}, {"plan": "at_once"}])
def test_two_rates_on_one_limit_count_each_on_its_own(world, what):
    apart = [{**what, "window_s": 60, "operations": [each]} for each in ("add_note", "read_note")]
    provider = notes(rates=[*apart, {**what, "window_s": 3600}, {"limit": "photo_bytes", "window_s": 9}])
    most = 3 if "limit" in what else 2
    only_apart = notes(rates=apart)
    for operation in ("add_note", "read_note"):
        for _ in range(most):
            tried(world, operation, provider=only_apart)
        refused(world, operation, provider=only_apart)
    world.reset()
    for _ in range(most):
        tried(world, provider=provider)
    world.clock.advance(60)  # the minute is over, the hour is not
    assert "3600 s" in refused(world, provider=provider).violations[0].message


def test_two_rates_without_a_window_have_each_slots_of_their_own(world):
    apart = notes(rates=[{"plan": "at_once", "operations": [each]} for each in ("add_note", "read_note")])
    free = [tried(world, each, provider=apart) for each in ("add_note", "read_note") * 2]
    for operation in ("add_note", "read_note"):
        refused(world, operation, provider=apart)
    free[1]()
    refused(world, "add_note", provider=apart)
    tried(world, "read_note", provider=apart)


def test_a_call_takes_a_slot_of_every_rate_or_of_none(world):
    both = [{"plan": "at_once"}, {"limit": "per_minute", "operations": ["add_note"]}]
    provider = notes(rates=both)
    free = [tried(world, each, provider=provider) for each in ("read_note", "read_note")]
    for _ in range(5):
        refused(world, "add_note", provider=provider)
    for each in free:
        each()
    tried(world, "add_note", provider=provider)()
    for _ in range(2):
        tried(world, "add_note", provider=provider)
    refused(world, "read_note", provider=provider)


def test_what_no_slot_is_left_for_is_not_counted_in_a_window(world):
    provider = notes(rates=[{"limit": "per_minute", "window_s": 60}, {"plan": "at_once"}])
    free = [tried(world, provider=provider) for _ in range(2)]
    for _ in range(5):
        assert "under way already" in refused(world, provider=provider).violations[0].message
    free[0]()
    tried(world, provider=provider)  # the third of the minute
    assert "per_minute" in refused(world, provider=provider).violations[0].message


def test_limits_hold_only_where_they_are_enforced():
    world = a_world(
        enforced="credits", note_strict={"enforce": ["limits"]}, note_rich={"enforce": ["credits"]}
    )
    for key in ("note_1", "note_rich"):
        for _ in range(5):
            assert tried(world, "add_note", key=key) is None
    for _ in range(3):
        tried(world, key="note_strict")
    refused(world, key="note_strict")


@pytest.mark.parametrize(
    "more", [{"rates": None, "plans": None, "keys": {"prefix": "note_"}}, {"security": []}]
)
def test_an_api_without_rates_or_without_keys_has_no_limits(world, more):
    for _ in range(5):
        assert tried(world, "add_note", provider=notes(**more)) is None
