"""Plans of faults in process: who takes an order, when it is used up, and what is misspelt."""

import base64

import orjson
import pytest
from conftest import STRICT, header, said

from mockserver import Request, create_engine
from mockserver.messages import BYTE_FAULTS, FAULTS, WIRE_FAULTS
from mockserver.pipeline.spoil import SPOILERS
from mockserver.scenarios import delays, expand, list_scenarios, misfits, read_orders, read_scenario
from mockserver.seeded import Random
from mockserver.serving.spoil import SPOILERS as WIRE_SPOILERS
from mockserver.spec.files import SpecificationError
from mockserver.state.plans import Delay, Spread, Stub

SCORE = {"image_url": "https://example.com/a.png"}
THUMB = {"title": "Ten tips", "format": "youtube"}
TEXT = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
NAME = "pikzels.post_v2_thumbnail_score"


@pytest.fixture
def fail(engine):
    """Order as `MockServer.fail` does."""

    def order(operation, answers, **options):
        engine.world.plans.add(read_orders(engine.catalog, expand(operation, answers, **options)))

    return order


@pytest.fixture
def score(ask):
    """Call one operation, and give the error that comes back, or the status of what is none."""

    def call(body=SCORE, key="pkz_test", **headers):
        answer = ask("POST", "/v2/thumbnail/score", body, x_api_key=key, **headers)
        return answer.error or answer.status

    return call


def test_answers_come_one_after_the_other(fail, score):
    fail(NAME, ["TOO_MANY_REQUESTS", "GENERATION_TIMEOUT", "ok"])
    assert [score() for _ in range(4)] == ["TOO_MANY_REQUESTS", "GENERATION_TIMEOUT", 200, 200]


def test_only_a_well_formed_call_uses_an_order_up(fail, score):
    fail(NAME, "TOO_MANY_REQUESTS")
    assert [score({}), score(key="pkz_inactive"), score()] == [
        "VALIDATION_ERROR", "API_KEY_INACTIVE", "TOO_MANY_REQUESTS",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"prefer": "code=402"}, "INSUFFICIENT_CREDITS"),
        ({"key": "pkz_test_conflict"}, "CONFLICT"),
        ({"prefer": "code=200"}, 200),
    ],
)
def test_what_a_call_orders_for_itself_comes_before_a_plan(fail, score, own, told):
    fail(NAME, "TOO_MANY_REQUESTS")
    assert [score(**own), score()] == [told, "TOO_MANY_REQUESTS"]


def test_a_marked_word_comes_before_a_plan(fail, ask):
    fail("thumbapi.post_v1_generate", "INTERNAL_SERVER_ERROR")
    marked = {**THUMB, "title": "[rate_limit_exceeded]"}
    bodies = [marked, THUMB]
    answers = [ask("POST", "/v1/generate", body, x_api_key="tb_test").error for body in bodies]
    assert answers == ["RATE_LIMIT_EXCEEDED", "INTERNAL_SERVER_ERROR"]


def test_a_calls_own_delay_goes_with_a_planned_error(fail, score, heard):
    fail(NAME, "TOO_MANY_REQUESTS", delay=60_000)
    assert score(prefer="delay=1") == "TOO_MANY_REQUESTS"
    assert (heard[0].override.delay_ms, heard[0].override.origin) == (1, "plan")


def test_a_planned_error_is_neither_charged_nor_done(fail, score, engine):
    fail(NAME, "TOO_MANY_REQUESTS")
    score()
    assert len(engine.world.ledger) == 0


def test_a_fault_spoils_what_was_done_and_charged(fail, score, engine):
    fail(NAME, "HTML_GATEWAY_PAGE")
    assert (score(), len(engine.world.ledger)) == ("HTML_GATEWAY_PAGE", 1)


@pytest.mark.parametrize(
    ("options", "hits"),
    [
        ({}, [0]),
        ({"times": 2}, [0, 1]),
        ({"after": 2}, [2]),
        ({"every": 3}, [2, 5, 8]),
        ({"every": 3, "after": 1}, [3, 6]),
        ({"every": 2, "times": 2}, [1, 3]),
        ({"times": None}, list(range(9))),
        ({"probability": 0}, []),
        ({"account": "pkz_other"}, []),
        ({"account": "pikzels/pkz_test"}, [0]),
        ({"account": "pkz_test"}, [0]),
    ],
)
def test_an_order_says_which_calls_it_is_for(fail, score, options, hits):
    fail(NAME, "CONFLICT", **options)
    assert [index for index in range(9) if score() == "CONFLICT"] == hits


def test_a_call_that_orders_the_end_of_its_job_uses_nothing_of_a_plan_up(fail, ask):
    style = {"name": "Studio", "image_urls": ["https://example.com/a.png"] * 3}
    fail("*", "CONFLICT")
    calls = [({"prefer": "job=failed"}, style), ({}, {**style, "name": "Another"})]
    answers = [ask("POST", "/v2/pikzonality/style", body, x_api_key="pkz_test", **own) for own, body in calls]
    assert [each.error for each in answers] == [None, "CONFLICT"]


def test_an_order_waits_as_long_as_it_says_itself_beside_a_delay_for_all(fail, score, heard):
    fail("*", {"delay": 30}, times=None)
    fail(NAME, "CONFLICT", delay=20)
    fail(NAME, "CANCELLED")
    assert [score() for _ in range(3)] == ["CONFLICT", "CANCELLED", 200]
    assert [each.override.delay_ms for each in heard] == [20, 30, 30]


def test_an_order_never_has_the_number_of_another_one_that_is_gone(fail, engine):
    plans = engine.world.plans
    fail(NAME, ["CONFLICT", "CANCELLED"])
    known = [each.id for each in plans.orders]
    for id_ in known:
        assert plans.remove(id_)
    for _ in range(3):
        fail(NAME, "CONFLICT")
        known.append(plans.orders[-1].id)
    assert len(set(known)) == 5


def test_two_orders_count_the_same_calls(fail, score):
    fail(NAME, "CONFLICT", after=1)
    fail(NAME, "CANCELLED", after=2)
    assert [score() for _ in range(4)] == [200, "CONFLICT", "CANCELLED", 200]


def test_what_comes_to_an_end_goes_before_what_does_not(fail, score):
    fail("*", "rate_limited", times=None)
    fail(NAME, "CONFLICT")
    assert [score() for _ in range(3)] == ["CONFLICT", "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS"]


def test_random_orders_fall_on_the_same_calls_in_any_order_of_calls():
    def hits(keys):
        engine = create_engine(STRICT)
        rows = expand("*", "INTERNAL_ERROR", probability=0.5)
        engine.world.plans.add(read_orders(engine.catalog, rows))
        head = {"host": "localhost", "content-type": "application/json"}
        found = {}
        for key in keys:
            request = Request(
                "POST", "/v2/thumbnail/score", {**head, "x-api-key": key}, "", orjson.dumps(SCORE)
            )
            found[key] = engine.handle(request).status
        return found

    keys = [f"pkz_{number}" for number in range(20)]
    assert hits(keys) == hits(keys[::-1])
    assert set(hits(keys).values()) == {200, 500}


def test_a_pattern_reaches_the_operations_that_know_the_error(fail, ask):
    fail("*", "rate_limited", times=3)
    asked = [
        ("/v2/thumbnail/score", SCORE, {"x_api_key": "pkz_test"}),
        ("/v1/generate", THUMB, {"x_api_key": "tb_test"}),
        ("/api/v1/generate", {"prompt": "a"}, {"authorization": "Bearer nsk_test"}),
    ]
    told = [ask("POST", path, body, **headers).error for path, body, headers in asked]
    assert told == ["TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED", "rate_limited"]


def test_a_stub_is_any_answer_at_all(fail, ask, engine):
    fail(NAME, {"status": 418, "headers": {"X-Tea": "green"}, "body": {"short": "stout"}})
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.status, header(answer, "x-tea"), said(answer)) == (418, "green", {"short": "stout"})
    assert (header(answer, "content-type"), len(engine.world.ledger)) == ("application/json", 0)


def test_a_stub_of_text_is_sent_as_it_is(fail, ask):
    fail(NAME, {"body": "<ü>"})
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.body, header(answer, "content-type")) == ("<ü>".encode(), "text/plain; charset=utf-8")


@pytest.mark.parametrize("fault", WIRE_FAULTS)
def test_what_only_a_socket_can_do_is_refused_without_one(fail, ask, fault):
    fail(NAME, fault)
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.status, said(answer)["title"]) == (501, "Only over a socket")
    assert "call the server's URL" in said(answer)["detail"]


def test_half_a_json_document_is_none(fail, ask):
    fail(NAME, "INVALID_JSON")
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.status, header(answer, "content-type")) == (200, "application/json")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.body)


def test_a_content_type_can_be_wrong(fail, ask):
    fail(NAME, "WRONG_CONTENT_TYPE")
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (header(answer, "content-type"), "main_score" in said(answer)) == (
        "text/html; charset=utf-8",
        True,
    )


def test_a_gateway_answers_with_its_page(fail, ask):
    fail(NAME, "HTML_GATEWAY_PAGE")
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.status, header(answer, "server"), header(answer, "content-type")) == (
        502,
        "nginx",
        "text/html",
    )
    assert b"<h1>502 Bad Gateway</h1>" in answer.body


def picture(ask):
    """Hand out a picture, and ask for it three times."""
    link = said(ask("POST", "/v2/thumbnail/text", TEXT, x_api_key="pkz_test"))["output"]
    return [ask("GET", link.partition("localhost")[2]) for _ in range(3)]


def test_a_download_can_be_cut_or_be_another_type(fail, ask):
    fail("download", ["IMAGE_TRUNCATED", "IMAGE_WRONG_TYPE"])
    half, wrong, whole = picture(ask)
    assert half.body == whole.body[: len(whole.body) // 2]
    assert (wrong.body[:3], header(wrong, "content-type")) == (b"GIF", header(whole, "content-type"))
    assert header(half, "content-length") == str(len(half.body))


def test_a_picture_inside_an_answer_can_be_cut(fail, ask):
    fail("thumbapi.*", ["IMAGE_WRONG_TYPE"])
    answer = ask("POST", "/v1/generate", THUMB, x_api_key="tb_test")
    data = next(value for value in said(answer).values() if str(value).startswith("data:image/"))
    assert base64.b64decode(data.partition(",")[2])[:3] == b"GIF"


@pytest.mark.parametrize("fault", ["IMAGE_TRUNCATED", "IMAGE_WRONG_TYPE"])
def test_an_answer_without_a_picture_cannot_have_a_broken_one(fail, ask, fault):
    fail(NAME, fault)
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test")
    assert (answer.status, said(answer)["title"]) == (500, "Unsuitable fault")


def test_a_picture_is_no_json(fail, ask):
    fail("pikzels.download", "INVALID_JSON")
    assert [answer.status for answer in picture(ask)] == [500, 200, 200]


def test_a_wildcard_leaves_downloads_alone(fail, ask):
    fail("*", "HTML_GATEWAY_PAGE", after=1)
    assert [answer.status for answer in picture(ask)] == [200, 200, 200]


def test_a_missing_picture_uses_no_order_up(fail, ask):
    fail("download", {"status": 503})
    assert ask("GET", "/cdn/pikzels/rest-api/none.png").status == 404
    assert [answer.status for answer in picture(ask)] == [503, 200, 200]


def test_every_fault_has_its_function():
    assert (tuple(SPOILERS), tuple(WIRE_SPOILERS)) == (BYTE_FAULTS, WIRE_FAULTS)
    assert set(FAULTS) == set(WIRE_FAULTS) | set(BYTE_FAULTS)


MISSPELT = [
    (
        {"operation": "pikzels.post_v2_thumbnail_scor", "error": "CONFLICT"},
        "did you mean pikzels.post_v2_thumbnail_score?",
    ),
    ({"operation": "downlod", "fault": "HANG"}, "did you mean download?"),
    ({"operation": NAME, "error": "TOO_MANY_REQUEST"}, "did you mean TOO_MANY_REQUESTS?"),
    ({"operation": "thumbapi.*", "error": "TOO_MANY_REQUESTS"}, "no error TOO_MANY_REQUESTS of ThumbAPI"),
    ({"operation": "*", "fault": "HANGG"}, "did you mean HANG?"),
    ({"operation": "pikzel.download", "fault": "HANG"}, "did you mean pikzels?"),
    ({"operation": "download", "error": "CONFLICT"}, "knows no error CONFLICT"),
    ({"operation": "download", "fault": "HANG", "account": "a"}, "leave out account"),
    ({"operation": "webhook", "fault": "SLOW_BODY"}, "nothing that a webhook can have"),
    ({"operation": "pikzels.webhook", "stub": {}}, "there is no webhook of pikzels: the order would never"),
    ({"operaton": "*", "fault": "HANG"}, "did you mean operation?"),
    ({"operation": "*", "fault": "HANG", "error": "internal"}, "not error and fault"),
    ({"operation": "*"}, "not nothing"),
    ({"operation": "*", "delay": {"unifrm": [1, 2]}}, "delay.unifrm is not known"),
    ({"operation": "*", "delay": {"uniform": [2, 1]}}, "from the shortest to the longest"),
    ({"operation": "*", "delay": {}}, "delay has one of"),
    ({"operation": "*", "delay": True}, "delay must be"),
    ({"operation": "*", "fault": "HANG", "every": 0}, "every must be at least 1"),
    ({"operation": "*", "stub": {"headers": {"Content-Length": "1"}}}, "written by the emulator"),
    ({"operation": "*", "stub": {"headers": {"a b": "1"}}}, "cannot be written in HTTP"),
    ({"operation": "*", "stub": {"headers": {"a": "1\r\nb: 2"}}}, "cannot be written in HTTP"),
    ({"operation": "*", "stub": {"statu": 1}}, "did you mean status?"),
]


@pytest.mark.parametrize(("order", "told"), MISSPELT, ids=lambda value: str(value)[:60])
def test_a_misspelt_order_is_refused_with_the_nearest_right_word(ask, engine, order, told):
    answer = ask("POST", "/__admin/faults", order)
    assert (answer.status, told in said(answer)["detail"], engine.world.plans.orders) == (400, True, ()), (
        said(answer)
    )


def test_the_admin_page_shows_what_is_left(ask, score):
    ask("POST", "/__admin/faults", {"operation": NAME, "error": "conflict", "times": 3})
    ask("POST", "/__admin/faults", {"operation": "*", "delay": 1})
    score()
    shown = said(ask("GET", "/__admin/faults"))
    assert [(row["id"], row["used"], row["left"]) for row in shown["faults"]] == [(1, 1, 2), (2, 1, None)]
    assert [row["id"] for row in shown["unused"]] == [1]


def test_a_delay_of_nothing_is_none_and_a_stub_is_a_success():
    assert Delay(fixed=0).draw_ms(Random(b"")) == Delay().draw_ms(Random(b"")) == 0
    assert Stub(body="a").status == 200


def test_orders_are_taken_back_one_by_one_or_all(ask, score):
    for error in ("CONFLICT", "CANCELLED", "NOT_FOUND"):
        ask("POST", "/__admin/faults", {"operation": NAME, "error": error})
    assert ask("DELETE", "/__admin/faults/1").status == 200
    assert ask("DELETE", "/__admin/faults/1").status == 404
    assert ask("DELETE", "/__admin/faults/9").status == 404
    assert score() == "CANCELLED"
    assert said(ask("DELETE", "/__admin/faults")) == {"faults": [], "unused": []}
    assert score() == 200


def test_a_plan_is_in_a_snapshot_and_gone_after_a_reset(ask, score, fail, engine):
    fail(NAME, ["CONFLICT", "CANCELLED"], delay={"uniform": [0, 1]})
    score()
    snapshot = orjson.dumps(engine.world.snapshot())
    ask("POST", "/__admin/reset")
    assert score() == 200
    assert ask("PUT", "/__admin/state", snapshot).status == 200
    assert [score(), score()] == ["CANCELLED", 200]


def test_a_snapshot_from_before_there_were_plans_can_be_restored(engine):
    snapshot = engine.world.snapshot()
    del snapshot["plans"]
    engine.world.restore(snapshot)
    assert engine.world.plans.orders == ()


def test_what_an_emulator_was_started_with_comes_again_after_a_reset(engine, score, ask):
    engine.world.plans.begin_with(read_orders(engine.catalog, expand(NAME, "CONFLICT")))
    assert [score(), score()] == ["CONFLICT", 200]
    ask("POST", "/__admin/reset")
    assert [score(), score()] == ["CONFLICT", 200]


@pytest.mark.parametrize("name", list_scenarios())
def test_a_scenario_is_loaded_in_place_of_what_was_ordered(ask, fail, name):
    fail(NAME, "CONFLICT", times=1000)
    answer = said(ask("PUT", "/__admin/scenario", {"name": name}))
    assert answer["faults"]
    assert "CONFLICT" not in str(answer)


def test_the_scenarios_are_those_that_are_promised(engine, ask):
    names = ["flaky", "maintenance", "offline", "out-of-credits", "rate-limited", "slow"]
    assert said(ask("GET", "/__admin/scenario"))["scenarios"] == names
    assert list(misfits(engine.catalog)) == []


def test_rate_limits_let_one_call_of_three_through(engine, score):
    engine.world.plans.add(read_scenario(engine.catalog, "rate-limited"))
    assert [score() for _ in range(8)] == [
        200,
        200,
        *["TOO_MANY_REQUESTS"] * 2,
        200,
        *["TOO_MANY_REQUESTS"] * 2,
        200,
    ]


def test_an_unknown_scenario_is_told_with_the_nearest(ask, engine):
    answer = ask("PUT", "/__admin/scenario", {"name": "flakey"})
    assert (answer.status, said(answer)["detail"]) == (
        404,
        "there is no scenario 'flakey'; did you mean flaky?",
    )
    with pytest.raises(SpecificationError, match=r"did you mean flaky\?"):
        read_scenario(engine.catalog, "flakey")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "description: a\nfaults: [{operation: '*', fault: HANGG}]",
            "mine.yaml: there is no fault HANGG; did you mean HANG",
        ),
        ("descripton: a\nfaults: [{operation: '*', fault: HANG}]", "did you mean description?"),
        ("description: a\nfaults: []\nfaults: []", "stands in line 2 already"),
        ("[]", "must be a JSON object"),
    ],
)
def test_a_file_of_a_scenario_is_checked_like_a_table(engine, tmp_path, text, told):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(SpecificationError) as raised:
        read_scenario(engine.catalog, file)
    assert told in str(raised.value)


def test_delays_are_drawn_as_they_are_described():
    draws = [Random(b"", number) for number in range(2000)]
    even = sorted(Delay(uniform=(100, 300)).draw_ms(each) for each in draws)
    skew = sorted(Delay(lognormal=Spread(90, 0.5)).draw_ms(each) for each in draws)
    assert (even[0] in range(100, 103), even[-1] in range(297, 301), even[1000] in range(190, 211)) == (
        True,
    ) * 3
    assert (skew[1000] in range(85, 96), skew[-1] > 300, skew[0] > 0) == (True,) * 3
    assert {Delay(fixed=200).draw_ms(each) for each in draws} == {200}
    assert Delay(lognormal=Spread(90, 10_000)).draw_ms(Random(b"x")) in range(600_001)


@pytest.mark.parametrize("text", ["", "200", "2s..200ms", "1ms..2ms..3ms", "-1ms", "200 ms", "a..b"])
def test_a_latency_is_written_in_milliseconds_or_seconds(text):
    with pytest.raises(ValueError, match="write 200ms, or"):
        delays(text)
