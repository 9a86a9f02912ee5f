"""What a call costs, and who pays: set aside before an operation, charged when it has succeeded."""

import pytest
from catalogues import NOON_S, NOTES, TABLE, a_call, a_world, notes

from mockserver.pipeline.charge import credit_values, release, reserve, settle
from mockserver.prices import find_current, price
from mockserver.problems import Problem, ProblemType
from mockserver.state.clock import moment_s
from mockserver.state.limits import Window, Windows
from mockserver.state.resources import Resource
from mockserver.state.values import replace

# A yellow note costs 1, a green one 2, a frame 0.5 more; all times `copies`, and nothing for guests.
PRICE = TABLE["operations"]["add_note"]["price"]
YELLOW, GREEN = {"text": "x"}, {"text": "x", "colour": "green"}


@pytest.mark.parametrize(
    ("body", "amount"),
    [
        ({}, 1),
        ({"colour": "yellow"}, 1),
        ({"colour": "green"}, 2),
        ({"is_framed": True}, 1.5),
        ({"is_framed": False}, 1),
        ({"copies": 3}, 3),
        ({"colour": "green", "is_framed": True, "copies": 4}, 10),
    ],
)
def test_a_price_is_the_sum_of_its_terms_times_its_factor(body, amount):
    assert price(a_call({"text": "x", **body})) == amount


@pytest.mark.parametrize(("refunds", "left"), [(True, 9), (False, 8)])
def test_a_failed_job_costs_nothing_where_the_table_says_so(refunds, left):
    ends = {"running": "waiting", "success": "done", "failure": "failed", "quick_s": 2, "realistic_s": 60}
    fact = {"provenance": "documented", "citation": "handbook", "refunds_failure": refunds}
    provider = notes(jobs={**ends, **fact}, add_note={"job": "note"})
    world = a_world(provider, note_1={"credits": 10})
    call = a_call(YELLOW, provider=provider, world=world)
    for id_, outcome in (("1", "failed"), ("2", "done")):
        job = Resource(id_, "note", call.account.id, world.clock.now(), 2, outcome, "waiting", {})
        world.resources.put(id_, job)
        settle(call, reserve(call), id_)
    assert find_current(provider, world, call.account).credits == 8
    world.clock.advance(2)
    both = [find_current(provider, world, call.account).credits for _ in range(2)]
    assert both == [left] * 2


@pytest.mark.parametrize(
    ("refunds", "outcome", "left"),
    [
        ({"refunds_partial": True}, "partial", 8),
        ({"refunds_partial": True}, "failed", 6),
        ({"refunds_partial": True}, "done", 6),
        ({"refunds_failure": True}, "partial", 6),
        ({"refunds_failure": True, "refunds_partial": True}, "failed", 10),
        ({}, "partial", 6),
    ],
)
def test_of_a_job_that_succeeds_in_part_the_failed_part_is_given_back_where_the_table_says_so(
    refunds, outcome, left
):
    ends = {"running": "waiting", "success": "done", "failure": "failed", "partial": "partial"}
    fact = {"provenance": "documented", "citation": "handbook", "parts": "copies", **refunds}
    jobs = {**ends, **fact, "quick_s": 2, "realistic_s": 60}
    provider = notes(jobs=jobs, add_note={"job": "note"})
    world = a_world(provider, note_1={"credits": 10})
    call = a_call({**GREEN, "copies": 2}, provider=provider, world=world)
    job = Resource("1", "note", call.account.id, world.clock.now(), 2, outcome, "waiting", {})
    world.resources.put("1", job)
    settle(call, reserve(call), "1")
    world.clock.advance(2)
    assert [find_current(provider, world, call.account).credits for _ in range(2)] == [left] * 2


def test_an_operation_without_a_price_is_free():
    assert price(a_call(operation="read_note")) == 0
    assert reserve(a_call(operation="read_note")) is None


def test_a_price_without_a_factor_is_the_sum():
    terms = {"terms": [{"amount": 3}, {"amount": 0.25}]}
    single = notes(
        add_note={"price": {name: each for name, each in PRICE.items() if name != "times"} | terms}
    )
    assert price(a_call({"text": "x", "copies": 9}, provider=single)) == 3.25


@pytest.mark.parametrize(("row", "amount"), [({}, 1), ({"is_guest": False}, 1), ({"is_guest": True}, 0)])
def test_an_account_that_is_so_pays_nothing(row, amount):
    assert price(a_call(world=a_world(note_1=row))) == amount


def test_all_conditions_must_hold_before_a_call_is_free():
    attributes = {name: {"type": "boolean", "description": "any"} for name in ("is_guest", "is_old")}
    both = notes(
        accounts={"attributes": attributes},
        add_note={"price": {**PRICE, "free_when": {"is_guest": True, "is_old": False}}},
    )
    for row, amount in (
        ({"is_guest": True}, 1),
        ({"is_guest": True, "is_old": False}, 0),
        ({"is_old": False}, 1),
    ):
        assert price(a_call(provider=both, world=a_world(note_1=row))) == amount


class Purse:
    """One account, with the calls that it pays for."""

    def __init__(self, enforced="", provider=NOTES, **row):
        self.provider, self.world = provider, a_world(provider, enforced, note_1=row)

    @property
    def account(self):
        return self.world.accounts.find("notes", "note_1")

    @property
    def state(self):
        return self.account.credits, self.account.held

    @property
    def ledger(self):
        """The entries, oldest first: what for, how much, and what is left."""
        known = sorted(self.world.ledger, key=lambda each: each.number)
        return [(each.operation, each.amount, each.balance) for each in known]

    def call(self, body=None):
        return a_call(body, world=self.world, provider=self.provider, account=self.account)

    def begin(self, body=None):
        call = self.call(body)
        return call, reserve(call)

    def refused(self, body=None):
        before = self.state, self.ledger
        with pytest.raises(Problem) as caught:
            reserve(self.call(body))
        assert (self.state, self.ledger) == before
        return caught.value


class TestWhereCreditsAreOnlyCounted:
    def test_a_call_is_booked_when_it_has_succeeded(self):
        purse = Purse()
        under_way = purse.begin(GREEN)
        assert purse.state == (10, 0)
        settle(*under_way)
        assert purse.state == (8, 0)
        assert purse.ledger == [("notes.add_note", 2, 8)]

    def test_an_entry_says_when_and_for_which_request(self):
        purse = Purse()
        settle(*purse.begin())
        (entry,) = purse.world.ledger
        assert (entry.number, entry.at_s, entry.request_id) == (1, NOON_S, "request-1")

    def test_a_balance_may_fall_below_nothing_and_nobody_tops_it_up(self):
        purse = Purse(credits=1, smart_balance={"top_up": 10})
        settle(*purse.begin(GREEN))
        settle(*purse.begin(GREEN))
        assert purse.state == (-3, 0)
        assert purse.ledger == [("notes.add_note", 2, -1), ("notes.add_note", 2, -3)]

    def test_what_was_charged_is_told(self):
        purse = Purse()
        assert settle(*purse.begin(GREEN)) == 2
        assert settle(purse.call(), None) == 0

    def test_a_call_that_fails_costs_nothing(self):
        purse = Purse()
        release(*purse.begin())
        assert (purse.state, purse.ledger) == ((10, 0), [])

    def test_an_account_whose_calls_are_not_metered_pays_nothing(self):
        for enforced in ("", "credits"):
            purse = Purse(enforced, credits=None)
            call, reservation = purse.begin()
            assert reservation is None
            settle(call, reservation)
            release(call, reservation)
            assert (purse.state, purse.ledger) == ((None, 0), [])


class TestWhereCreditsAreEnforced:
    @pytest.mark.parametrize("more", [{"enforced": "credits"}, {"enforce": ["credits"]}])
    def test_the_price_is_set_aside_and_then_charged(self, more):
        purse = Purse(credits=3, **more)
        under_way = purse.begin(GREEN)
        assert purse.state == (3, 2)
        settle(*under_way)
        assert (purse.state, purse.ledger) == ((1, 0), [("notes.add_note", 2, 1)])

    def test_what_was_set_aside_is_free_again_when_the_call_fails(self):
        purse = Purse("credits")
        first, second = purse.begin(YELLOW), purse.begin(GREEN)
        assert purse.state == (10, 3)
        release(*first)
        assert purse.state == (10, 2)
        release(*second)
        assert (purse.state, purse.ledger) == ((10, 0), [])

    def test_no_two_calls_spend_the_same_credits(self):
        purse = Purse("credits", credits=3)
        under_way = purse.begin(GREEN)
        assert purse.refused(GREEN).violations[0].message == "the call costs 2, the balance is 1"
        settle(*purse.begin(YELLOW))
        settle(*under_way)
        assert purse.state == (0, 0)

    def test_the_last_credit_can_be_spent_and_no_more(self):
        purse = Purse("credits", credits=2)
        settle(*purse.begin(GREEN))
        problem = purse.refused(YELLOW)
        (violation,) = problem.violations
        assert (problem.type, problem.error) == (ProblemType.CREDITS_EXHAUSTED, None)
        assert (violation.location, violation.pointer, violation.keyword) == (
            "header",
            "",
            "credits_exhausted",
        )
        assert violation.message == "the call costs 1, the balance is 0"
        assert violation.citation == "The notes' handbook"

    def test_limits_alone_enforce_no_credits(self):
        purse = Purse("limits", credits=0)
        settle(*purse.begin())
        assert purse.state == (-1, 0)

    def test_sums_do_not_drift(self):
        tenth = notes(add_note={"price": {**PRICE, "terms": [{"amount": 0.1}]}})
        purse = Purse("credits", tenth, credits=1)
        for _ in range(10):
            settle(*purse.begin())
        assert purse.state == (0, 0)
        assert [balance for _, _, balance in purse.ledger[:3]] == [0.9, 0.8, 0.7]

    def test_a_reset_forgets_what_was_set_aside_and_charges_nothing(self):
        purse = Purse("credits")
        for end in (settle, release):
            under_way = purse.begin()
            purse.world.reset()
            assert not end(*under_way)
            assert (purse.state, purse.ledger) == ((10, 0), [])

    def test_who_is_metered_no_more_is_not_charged_for_what_was_under_way(self):
        purse = Purse("credits")
        under_way = purse.begin()
        purse.world.accounts.put(replace(purse.account, credits=None))
        settle(*under_way)
        assert (purse.state, purse.ledger) == ((None, 0), [])


class TestSmartBalance:
    def test_tops_up_where_the_balance_cannot_cover_the_call(self):
        purse = Purse("credits", credits=1, smart_balance={"top_up": 5})
        settle(*purse.begin(GREEN))
        assert purse.state == (4, 0)
        assert purse.ledger == [("top-up", -5, 6), ("notes.add_note", 2, 4)]
        assert [each.number for each in purse.world.ledger] == [1, 2]

    def test_does_not_where_the_balance_just_covers_it(self):
        purse = Purse("credits", credits=2, smart_balance={"top_up": 5})
        settle(*purse.begin(GREEN))
        assert (purse.state, purse.ledger) == ((0, 0), [("notes.add_note", 2, 0)])

    def test_waits_until_the_call_has_succeeded(self):
        purse = Purse("credits", credits=1, smart_balance={"top_up": 5})
        release(*purse.begin(GREEN))
        assert (purse.state, purse.ledger) == ((1, 0), [])

    def test_is_asked_for_as_often_as_calls_one_by_one_would(self):
        purse = Purse("credits", credits=0, smart_balance={"top_up": 5})
        under_way = [purse.begin(GREEN) for _ in range(6)]
        for each in under_way:
            settle(*each)
        assert purse.state == (3, 0)
        assert [what for what, _, _ in purse.ledger].count("top-up") == 3

    def test_that_is_blocked_by_an_unpaid_invoice_is_told(self):
        problem = Purse(
            "credits", credits=1, smart_balance={"top_up": 5, "has_unpaid_invoice": True}
        ).refused(GREEN)
        (violation,) = problem.violations
        assert (problem.type, violation.location) == (ProblemType.PAYMENT_FAILED, "header")
        assert violation.message == "the call costs 2, the balance is 1, and a top-up invoice is unpaid"

    def test_with_an_unpaid_invoice_is_no_trouble_while_credits_last(self):
        purse = Purse("credits", credits=2, smart_balance={"top_up": 5, "has_unpaid_invoice": True})
        settle(*purse.begin(GREEN))
        assert purse.state == (0, 0)

    @pytest.mark.parametrize(
        ("smart", "told"), [({"top_up": 0.5}, ", and a top-up of 0.5 cannot cover it"), ({}, ""), (None, "")]
    )
    def test_that_cannot_cover_the_call_is_told(self, smart, told):
        problem = Purse("credits", credits=1, smart_balance=smart).refused(GREEN)
        assert problem.type is ProblemType.CREDITS_EXHAUSTED
        assert problem.violations[0].message == f"the call costs 2, the balance is 1{told}"

    def test_that_just_covers_the_call_does(self):
        purse = Purse("credits", credits=0.5, smart_balance={"top_up": 1.5})
        settle(*purse.begin(GREEN))
        assert purse.state == (0, 0)


class TestCreditsOfTheMonth:
    """A plan that grants credits every month: the balance begins anew, whatever is left."""

    PROVIDER = notes(
        credits={"unit": "credits", "monthly": "grant"},
        plans={"small": {"at_once": 2, "grant": 20}, "large": {"at_once": 3, "grant": 50}},
    )

    def purse(self, **row):
        purse = Purse("credits", self.PROVIDER, **row)
        purse.world.clock.set(NOON_S)
        return purse

    def test_begin_with_the_first_call_of_another_month(self):
        purse = self.purse()
        settle(*purse.begin(GREEN))
        assert (purse.state, purse.account.period) == ((8, 0), "2026-03")
        purse.world.clock.advance(17 * 86_400 + 43_200)  # 2026-04-01 00:00
        settle(*purse.begin(GREEN))
        assert (purse.state, purse.account.period) == ((18, 0), "2026-04")
        assert purse.ledger == [
            ("notes.add_note", 2, 8),
            ("monthly credits", -12, 20),
            ("notes.add_note", 2, 18),
        ]

    def test_do_not_begin_anew_within_the_month(self):
        purse = self.purse()
        settle(*purse.begin(GREEN))
        purse.world.clock.advance(17 * 86_400 + 43_199)  # 2026-03-31 23:59:59
        settle(*purse.begin(GREEN))
        assert purse.state == (6, 0)

    def test_do_not_add_up(self):
        purse = self.purse(credits=1000)
        settle(*purse.begin())
        purse.world.clock.advance(31 * 86_400)
        settle(*purse.begin())
        assert purse.ledger[1:] == [("monthly credits", 979, 20), ("notes.add_note", 1, 19)]

    def test_do_not_begin_anew_when_the_clock_is_set_back(self):
        purse = self.purse()
        settle(*purse.begin())
        purse.world.clock.set(NOON_S - 60 * 86_400)
        settle(*purse.begin())
        assert (purse.state, purse.account.period) == ((8, 0), "2026-03")

    def test_pay_for_a_call_that_last_months_could_not(self):
        purse = self.purse(credits=0)
        purse.refused()
        purse.world.clock.advance(31 * 86_400)
        settle(*purse.begin())
        assert purse.state == (19, 0)
        assert purse.ledger == [("monthly credits", -20, 20), ("notes.add_note", 1, 19)]

    def test_are_not_for_those_whose_calls_are_not_metered(self):
        purse = self.purse(credits=None)
        purse.world.clock.advance(31 * 86_400)
        assert reserve(purse.call()) is None
        assert purse.ledger == []

    @pytest.mark.parametrize("credits_", [None, 5])
    def test_are_only_of_an_api_and_an_account_that_has_them(self, credits_):
        provider = self.PROVIDER if credits_ is None else NOTES
        purse = Purse("credits", provider, credits=credits_)
        purse.world.accounts.put(replace(purse.account, period="2026-01"))
        assert find_current(provider, purse.world, purse.account) == purse.account

    def test_are_seen_without_being_stored(self):
        purse = self.purse()
        settle(*purse.begin())
        purse.world.clock.advance(31 * 86_400)
        shown = find_current(self.PROVIDER, purse.world, purse.account)
        assert (shown.credits, shown.period) == (20, "2026-04")
        assert purse.state == (9, 0)

    @pytest.mark.parametrize(
        ("row", "now", "shown"),
        [
            ({}, "2026-03-14", ("20", "10", "2026-04-01T00:00:00.000Z")),
            ({"credits": 7.9}, "2026-03-31", ("20", "7", "2026-04-01T00:00:00.000Z")),
            ({"credits": -3}, "2026-11-01", ("20", "0", "2026-12-01T00:00:00.000Z")),
            ({"plan": "large"}, "2026-12-31", ("50", "10", "2027-01-01T00:00:00.000Z")),
            ({"credits": None}, "2027-12-01", ("20", "20", "2028-01-01T00:00:00.000Z")),
        ],
    )
    def test_are_told_in_headers(self, row, now, shown):
        purse = self.purse(**row)
        purse.world.clock.set(moment_s(f"{now}T08:00:00Z"))
        told = credit_values(self.PROVIDER, purse.world, purse.account)
        assert told == dict(zip(("credits_limit", "credits_remaining", "credits_reset"), shown, strict=True))


def test_headers_that_count_calls_tell_of_the_window_that_the_plan_says():
    rates = [{"limit": "per_minute", "window_s": 60}, {"plan": "at_once"}, {"plan": "burst", "window_s": 10}]
    plans = {"small": {"at_once": 2, "burst": 7}, "large": {"at_once": 3, "burst": 9}}
    provider = notes(rates=rates, plans=plans, credits={"unit": "credits", "headers_tell": "calls"})
    purse = Purse("", provider)
    told = credit_values(provider, purse.world, purse.account)
    assert (told["credits_limit"], told["credits_remaining"]) == ("7", "7")
    purse.world.windows.put(purse.account.id, Windows({"2": Window(NOON_S - 4, 5), "0": Window(NOON_S, 1)}))
    told = credit_values(provider, purse.world, purse.account)
    assert (told["credits_remaining"], told["credits_reset"]) == ("2", "2026-03-14T12:00:06.000Z")


def test_credits_that_no_month_brings_are_told_as_they_are():
    purse = Purse()
    told = credit_values(NOTES, purse.world, purse.account)
    assert (told["credits_limit"], told["credits_remaining"]) == ("0", "10")


def test_the_ledger_keeps_the_newest_thousand_entries():
    purse = Purse(credits=2000)
    call = purse.call()
    for _ in range(1002):
        settle(call, reserve(call))
    numbers = [each.number for each in purse.world.ledger]
    assert (min(numbers), max(numbers), len(numbers)) == (3, 1002, 1000)
    assert purse.state == (998, 0)
