"""What outlives a call is bounded in entries and bytes, whatever callers send; ids never come again."""

import ast
import base64
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from conftest import header, said
from PIL import Image
from test_house_rules import trees

from mockserver import allocation, caches
from mockserver.bounded import ENTRY_BYTES, MIB, BoundedMapping, Bounds, Cache, TooHeavyError, weigh
from mockserver.jsontext import parse
from mockserver.state.journal import MOST as KEPT
from mockserver.state.journal import Journal
from mockserver.state.ledger import JobCharge, JobCharges
from mockserver.state.limits import Window, Windows
from mockserver.state.outputs import StoredPicture
from mockserver.state.plans import Order, Stub
from mockserver.state.world import BOUNDS

TEXT = {"prompt": "A cat", "model": "pkz_4", "format": "16:9"}
PIKZELS = {"x_api_key": "pkz_test"}
GENERATE = ("POST", "/api/v1/generate", {"prompt": "A cat"})
LONG_LINK = f"https://example.com/{'a' * 30_000}.png"
FATTHUMB = {"authorization": "Bearer nsk_test"}


def generate(ask):
    return said(ask(*GENERATE, **FATTHUMB))["generationId"]


def drop_all_counts(world):
    for number in range(BOUNDS["seen"].entries):
        world.seen.increment(f"{number:032}")


def test_a_running_generation_is_never_overwritten_by_one_with_its_id(engine, ask):
    ids = [generate(ask) for _ in range(3)]
    running = engine.world.resources.get(ids[0])
    drop_all_counts(engine.world)
    more = [generate(ask) for _ in range(3)]
    drop_all_counts(engine.world)
    more += [generate(ask) for _ in range(3)]
    assert len({*ids, *more}) == 9
    assert engine.world.resources.get(ids[0]) == running


def test_what_was_never_seen_is_seen_for_the_first_time(engine):
    assert [engine.world.seen.increment("a") for _ in range(3)] == [1, 2, 3]


def test_ids_are_the_same_after_a_reset_however_many_calls_there_were(engine, ask):
    def run():
        first = [generate(ask) for _ in range(2)]
        drop_all_counts(engine.world)
        return [*first, generate(ask), generate(ask)]

    before = run()
    engine.world.reset()
    assert run() == before


def test_dropped_counts_go_on_after_a_snapshot(engine, ask):
    ids = [generate(ask) for _ in range(2)]
    drop_all_counts(engine.world)
    engine.world.restore(engine.world.snapshot())
    assert generate(ask) not in ids


@pytest.mark.parametrize(
    ("value", "least"),
    [("x" * 1_000, 1_000), (b"x" * 1_000, 1_000), ([[]] * 100, 5_000), ({"a": {"b": "x" * 1_000}}, 1_000)],
)
def test_a_value_weighs_what_it_holds(value, least):
    assert least < weigh(value) < 2 * least


def test_what_says_its_weight_itself_says_no_less_than_a_walk_would_find(engine, ask):
    generate(ask)
    link = {"name": "x", "image_urls": [f"https://example.com/{number}.png" for number in range(3)]}
    assert ask("POST", "/v2/pikzonality/style", link, **PIKZELS).status == 200
    assert ask("POST", "/v2/thumbnail/text", TEXT, x_api_key="pkz_" + "y" * 1_000).status == 200
    engine.world.windows.put("a", Windows({"0": Window(0, 1), "1": Window(0, 1, (1.5,) * 50)}))
    engine.world.windows.put("b", Windows({str(number): Window(0, 1) for number in range(20)}))
    engine.world.job_charges.put("a", JobCharges((JobCharge("job", 1, "2026-01", "x" * 36),) * 50))
    engine.world.plans.add([Order("*", stub=Stub(body="x" * 10_000))])
    world = engine.world
    kept = [
        world.outputs,
        world.kept_outputs,
        world.resources,
        world.ledger,
        world.windows,
        world.job_charges,
    ]
    plan, account = world._collections["plans"], world._collections["accounts"]
    for value in (each for collection in (*kept, plan, account) for each in collection):
        assert value.kept_bytes >= 0.8 * weigh(value), value


def test_what_is_nested_deep_is_weighed():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert weigh(deep) > 5_000_000


def test_the_oldest_make_room_in_a_mapping_for_what_is_heavy():
    kept = BoundedMapping[str, str](Bounds(100, 8 * (ENTRY_BYTES + 1_100)))
    for key in "abcdefghij":
        kept.put(key, "x" * 1_000)
    assert list(kept) == list("cdefghij")
    assert kept.put("k", "x" * 2_000) == ["x" * 1_000] * 2
    assert kept.bytes <= 8 * (ENTRY_BYTES + 1_100)


def test_a_mapping_that_refuses_what_is_too_heavy_is_as_it_was():
    kept = BoundedMapping[str, str](Bounds(100, 10_000))
    kept.put("a", "x")
    usage = kept.usage
    with pytest.raises(TooHeavyError, match=r"it takes about 9,\d{3} bytes; one may take 2,500"):
        kept.put("a", "x" * 9_000)
    assert (kept.values, kept.usage) == ({"a": "x"}, usage)


def test_a_value_may_take_just_its_share():
    kept = BoundedMapping[str, int](Bounds(100, 4 * (ENTRY_BYTES + 50)), lambda _key, size: size)
    kept.put("a", 50)
    with pytest.raises(TooHeavyError):
        kept.put("b", 51)
    assert kept.values == {"a": 50}


def test_a_cache_asks_once_and_keeps_nothing_that_is_too_heavy():
    asked = []

    def repeat(number):
        asked.append(number)
        return "x" * number

    cache = Cache[str]("repeated", Bounds(10, MIB))
    answers = [cache.ask(repeat, number) for number in (5, 5, MIB, MIB)]
    assert [len(each) for each in answers] == [5, 5, MIB, MIB]
    assert asked == [5, MIB, MIB]
    assert cache.usage.entries == 1
    cache.clear()
    assert cache.usage == (0, 0)


def test_a_cache_knows_an_answer_that_is_none():
    asked: list[int] = []
    cache = Cache[None]("nothing", Bounds(10, MIB))
    for _ in range(2):
        cache.ask(asked.append, 1)
    assert asked == [1]


class Heavy(NamedTuple):
    """What a journal keeps."""

    request_id: str
    weight: int


def test_a_journal_keeps_what_fits_to_the_byte_and_knows_what_is_left():
    journal = Journal[Heavy]()
    for name in "abc":
        journal.era.add(Heavy(name, KEPT.bytes // 2))
    assert [each.request_id for each in journal] == ["b", "c"]
    assert journal.usage == (2, KEPT.bytes)
    journal.remove(["b", "x"])
    assert (journal.usage, [each.request_id for each in journal]) == ((1, KEPT.bytes // 2), ["c"])


def usage(ask):
    return said(ask("GET", "/__admin/health?verbose"))["memory"]


def test_health_says_how_much_is_kept_of_everything_and_may_be(engine, ask):
    generate(ask)
    said_of = usage(ask)
    assert set(said_of["world"]) == set(engine.world.usage)
    assert set(said_of["caches"]) == {each.name for each in caches.ALL}
    assert said_of["world"]["resources"]["entries"] == 1
    for each in (*said_of["world"].values(), *said_of["caches"].values()):
        assert set(each) == {"entries", "bytes", "mostEntries", "mostBytes"}
        assert each["entries"] <= each["mostEntries"]
        assert each["bytes"] <= each["mostBytes"]
    assert "memory" not in said(ask("GET", "/__admin/health"))


def test_every_cache_is_listed_and_no_other_is_filled_by_callers():
    listed = {value for value in vars(caches).values() if isinstance(value, Cache)}
    assert listed == set(caches.ALL)
    assert sum(each.bounds.bytes for each in caches.ALL) < 48 * MIB
    # What documents, tables and programs fill, never a caller.
    known = {
        "spec.usage._reader", "pipeline.limit._rows", "pipeline.mistyped.Mistyped", "readings._make",
        "verdict.uses._body", "pipeline.authorize._schemes",
        "pipeline.behave._bind_provider", "readings._misreadings_of", "fixtures._read",
        # Callers do, but with 64 texts of 1,024 characters at most.
        "links._first_host", "pipeline.route.Router",
    }  # fmt: skip
    found = {
        f"{name}.{node.name}"
        for name, tree in trees()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and "lru_cache" in ast.unparse(node)
    }
    assert found == known


def test_a_link_too_long_to_be_fetched_is_refused_and_kept_nowhere(engine, ask):
    caches.forget()
    for path, body in (
        ("/v2/thumbnail/score", {"image_url": LONG_LINK}),
        ("/v2/pikzonality/style", {"name": "x", "image_urls": [LONG_LINK] * 3}),
    ):
        answer = ask("POST", path, body, **PIKZELS)
        assert answer.status == 400
        assert "cannot be fetched" in str(header(answer, "Mock-Violations"))
    assert ask("POST", "/v2/thumbnail/score", {"image_url": LONG_LINK[:16_384]}, **PIKZELS).status == 200
    assert caches.ADDRESSES.usage.bytes < 2 * len(LONG_LINK)
    assert len(engine.world.resources) == 0


def test_a_long_prompt_is_kept_as_far_as_it_can_be_drawn(engine, ask):
    answer = ask("POST", "/api/v1/generate", {"prompt": "x" * 5_000_000, "count": 4}, **FATTHUMB)
    assert answer.status in {200, 400}
    assert engine.world.usage["outputs"][0].bytes < 100_000
    assert engine.world.usage["journal"][0].bytes < 200_000


def test_headers_and_paths_count_in_the_journal(engine, ask):
    long = "x" * 60_000
    for _ in range(600):
        ask("GET", f"/{long}", x_long=long)
    kept, bounds = engine.world.usage["journal"]
    assert bounds.bytes * 0.9 < kept.bytes <= bounds.bytes


def test_a_million_empty_lists_are_refused_before_they_are_made(ask):
    body = b'{"title": "a", "format": "youtube", "x": [%b[]]}' % (b"[]," * 500_000)
    answer = ask("POST", "/v1/generate", body, x_api_key="tb_test")
    assert answer.status == 400
    assert "more than 500,000 values" in str(header(answer, "Mock-Violations"))


def test_a_long_text_with_many_commas_is_no_list():
    assert parse(b'"%b"' % (b"," * 400_000 + b"x" * 2_000_000))[0].count(",") == 400_000


def test_a_value_that_takes_too_much_is_refused_in_the_dialect_of_its_api(engine, ask):
    key = "nsk_" + "x" * 3_000_000  # longer than any head: callers in the same process may send it
    answer = ask(*GENERATE, authorization=f"Bearer {key}")
    assert (answer.status, answer.error) == (422, "validation_error")
    assert "would be kept of this among the" in str(header(answer, "Mock-Violations"))
    assert engine.world.usage["accounts"][0].bytes == 0


def test_noise_that_shines_through_is_kept_small(engine, ask):
    noise = Image.effect_noise((800, 800), 100).convert("RGBA")
    noise.putalpha(Image.effect_noise((800, 800), 100))
    file = BytesIO()
    noise.save(file, "PNG")
    sent = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    assert ask("POST", "/v2/thumbnail/score", {"image_base64": sent}, **PIKZELS).status == 200
    assert engine.world.usage["pictures"][0].bytes < 1_000_000


def test_what_was_much_goes_back_with_a_reset(engine, ask):
    for number in range(90):
        engine.world.pictures.put(f"{number}", StoredPicture(f"{number}", "x" * 100_000))
    caches.WIDTHS.ask(len, "a text")
    assert ask("POST", "/__admin/reset").status == 200
    left = usage(ask)
    assert {each["entries"] for each in left["caches"].values()} == {0}
    assert {name for name, each in left["world"].items() if each["entries"]} == {"counters"}


def test_what_the_c_library_lacks_is_left_out():
    allocation.trim()
    assert allocation._function("no_such_function") is None
