"""Reserve, behave, settle, and no lock: many calls at once pay what they would pay one after another."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from conftest import KEYS, STRICT, said
from sqlite_store import SqliteStore

from mockserver import Request, create_engine
from mockserver.call import Arguments, Call, Match
from mockserver.pipeline.charge import release, reserve, settle
from mockserver.prices import price
from mockserver.problems import Problem, ProblemType
from mockserver.seeded import Random
from mockserver.state.store import MemoryStore
from mockserver.state.values import replace

pytestmark = pytest.mark.usefixtures("uncounted")  # lines that other tests reach, too

TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}  # costs 0.37
STYLE = {"name": "Creator Studio", "image_urls": ["https://cdn.pikzels.com/example.png"] * 3}  # costs 0.38
CALLS, THREADS = 480, 24


@pytest.fixture(params=[MemoryStore, SqliteStore])
def engine(request):
    yield create_engine(STRICT, store=(store := request.param()))
    if isinstance(store, SqliteStore):
        store.close()


@pytest.fixture
def account(engine):
    """Store the account that calls: what it has, and what is real for it; give it as it is now."""

    def set_up(**members):
        known = engine.world.accounts.find("pikzels", "pkz_test")
        flags = {**known.flags, **members.pop("flags", {})}
        return engine.world.accounts.put(replace(known, flags=flags, **members))

    return set_up


@pytest.fixture
def call(engine):
    """Make a call that costs 0.37, as the engine hands it to `reserve`."""
    provider = engine.catalog.providers["pikzels"]
    operation = next(each for each in provider.operations.values() if each.path == "/v2/thumbnail/text")

    def make():
        made = Call(
            match=Match(provider, operation, {}),
            account=now(engine),
            arguments=Arguments({}, {}, {}, TEXT),
            world=engine.world,
            random=Random.from_text("one call"),
            request_id="request",
            base_url="http://localhost",
        )
        assert price(made) == 0.37
        return made

    return make


def now(engine):
    return engine.world.accounts.find("pikzels", "pkz_test")


def at_once(function):
    """Call a function 480 times from 24 threads; count what it gave."""
    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(threads.map(function, range(CALLS)))


def test_480_charges_at_once_are_booked_as_480(engine, ask, impatient):
    statuses = at_once(lambda _: ask("POST", "/v2/thumbnail/text", TEXT, **KEYS["pikzels"]).status)
    account = now(engine)
    assert statuses == {200: CALLS}
    assert (account.credits, account.entries, account.held) == (round(100 - CALLS * 0.37, 6), CALLS, 0)
    assert sorted(each.number for each in engine.world.ledger) == list(range(1, CALLS + 1))


def test_credits_for_a_hundred_calls_pay_a_hundred_of_480(engine, ask, account, impatient):
    account(credits=37, flags={"enforce": ["credits"]})
    statuses = at_once(lambda _: ask("POST", "/v2/thumbnail/text", TEXT, **KEYS["pikzels"]).status)
    assert statuses == {200: 100, 402: CALLS - 100}
    assert (now(engine).credits, now(engine).held, now(engine).entries) == (0, 0, 100)


def test_smart_balance_tops_up_as_often_as_calls_one_by_one_would(engine, ask, account, impatient):
    account(credits=0, flags={"enforce": ["credits"], "smart_balance": {"top_up": 10}})
    statuses = at_once(lambda _: ask("POST", "/v2/thumbnail/text", TEXT, **KEYS["pikzels"]).status)
    assert statuses == {200: CALLS}
    assert Counter(each.amount for each in engine.world.ledger) == {-10: 18, 0.37: CALLS}
    assert (now(engine).credits, now(engine).held) == (round(180 - CALLS * 0.37, 6), 0)


def test_equal_names_are_given_once(engine, ask, impatient):
    def train(number):
        body = {**STYLE, "name": f"Style {number % 60}"}
        return ask("POST", "/v2/pikzonality/style", body, **KEYS["pikzels"]).status

    assert at_once(train) == {200: 60, 409: CALLS - 60}
    assert (len(engine.world.resources), now(engine).entries) == (60, 60)
    assert len(engine.world.names) % 60 == 0  # each is kept under the keys of every reading


def test_changes_of_one_resource_at_once_are_all_made(engine, ask, impatient):
    made = said(ask("POST", "/v2/pikzonality/style", STYLE, **KEYS["pikzels"]))["id"]
    resources = engine.world.resources

    def count(_):
        changed = resources.update(
            made, lambda job: replace(job, fields={**job.fields, "n": job.fields.get("n", 0) + 1})
        )
        return changed.id

    assert at_once(count) == {made: CALLS}
    assert resources.get(made).fields["n"] == CALLS


def test_a_limit_lets_through_as_many_as_it_says(engine, ask, impatient):
    known = engine.world.accounts.find("fatthumb", "nsk_test")
    engine.world.accounts.put(replace(known, flags={**known.flags, "enforce": ["limits"]}))
    engine.world.clock.set(is_frozen=True)
    call = {"prompt": "a", "count": 1}
    statuses = at_once(lambda _: ask("POST", "/api/v1/generate", call, **KEYS["fatthumb"]).status)
    assert statuses == {200: 10, 429: CALLS - 10}
    windows = engine.world.windows.get("fatthumb/nsk_test").by_limit
    assert {window.calls for window in windows.values()} == {10}


def test_a_call_under_way_holds_up_nobody(engine, ask, account, call):
    account(credits=1, flags={"enforce": ["credits"]})
    under_way = call()
    reservation = reserve(under_way)
    assert ask("POST", "/v2/thumbnail/text", TEXT, **KEYS["pikzels"]).status == 200
    assert (now(engine).credits, now(engine).held) == (0.63, 0.37)
    assert ask("POST", "/v2/thumbnail/text", TEXT, **KEYS["pikzels"]).status == 402
    settle(under_way, reservation)
    assert (now(engine).credits, now(engine).held) == (0.26, 0)


def test_what_was_set_aside_for_a_call_that_fails_is_free_again():
    class Full(MemoryStore):
        def put(self, kind, key, value):
            if kind.name == "outputs":
                raise OSError("no room")
            super().put(kind, key, value)

    engine = create_engine(STRICT, store=Full())
    known = now(engine)
    before = engine.world.accounts.put(
        replace(known, credits=1, flags={**known.flags, "enforce": ["credits"]})
    )
    headers = {"host": "localhost", "x-api-key": "pkz_test", "content-type": "application/json"}
    with pytest.raises(OSError, match="no room"):
        engine.handle(Request("POST", "/v2/thumbnail/text", headers, body=orjson.dumps(TEXT)))
    assert (now(engine), len(engine.world.ledger)) == (before, 0)


def test_what_cannot_be_paid_is_refused_and_nothing_is_set_aside(engine, account, call):
    before = account(credits=0.36, flags={"enforce": ["credits"]})
    with pytest.raises(Problem) as refused:
        reserve(call())
    assert (refused.value.type, now(engine)) == (ProblemType.CREDITS_EXHAUSTED, before)


def test_credits_that_are_only_counted_are_not_set_aside(engine, account, call):
    account(credits=0)
    under_way = call()
    settle(under_way, reserve(under_way))
    assert (now(engine).credits, now(engine).held) == (-0.37, 0)


def test_a_call_that_outlives_a_reset_pays_nothing_after_it(engine, account, call):
    first = now(engine)
    for end in (settle, release):
        account(credits=1, flags={"enforce": ["credits"]})
        under_way = call()
        reservation = reserve(under_way)
        engine.world.reset()
        end(under_way, reservation)
        assert (now(engine), len(engine.world.ledger)) == (first, 0)


def test_a_call_that_outlives_a_reset_pays_from_the_new_balance(engine, account, call):
    account(credits=1)
    under_way = call()
    reservation = reserve(under_way)
    engine.world.reset()
    settle(under_way, reservation)
    assert (now(engine).credits, now(engine).entries) == (99.63, 1)


def test_what_is_set_aside_is_free_again_where_calls_are_metered_no_more(engine, account, call):
    account(credits=1, flags={"enforce": ["credits"]})
    under_way = call()
    reservation = reserve(under_way)
    account(credits=None, held=now(engine).held)
    settle(under_way, reservation)
    assert (now(engine).credits, now(engine).held, len(engine.world.ledger)) == (None, 0, 0)


def test_a_top_up_waits_until_the_call_has_succeeded(engine, account, call):
    before = account(credits=0, flags={"enforce": ["credits"], "smart_balance": {"top_up": 10}})
    under_way = call()
    release(under_way, reserve(under_way))
    assert (now(engine), len(engine.world.ledger)) == (before, 0)
    settle(under_way, reserve(under_way))
    assert [each.amount for each in engine.world.ledger] == [-10, 0.37]


def test_two_emulators_over_one_store_are_one(impatient):
    """What must be right is right for both: nothing of it lives in one process alone."""
    store = SqliteStore()
    engines = [create_engine(STRICT, store=store) for _ in range(2)]

    def train(number):
        headers = {"host": "localhost", "x-api-key": "pkz_test", "content-type": "application/json"}
        body = (
            b'{"name": "Style %d", "image_urls": ["https://a/b.png", "https://a/b.png", "https://a/b.png"]}'
        )
        request = Request("POST", "/v2/pikzonality/style", headers, body=body % (number // 2))
        return engines[number % 2].handle(request).status

    assert at_once(train) == {200: CALLS // 2, 409: CALLS // 2}
    one, other = (now(engine) for engine in engines)
    assert one == other
    assert (one.credits, one.entries) == (round(100 - CALLS / 2 * 0.38, 6), CALLS // 2)
    store.close()
