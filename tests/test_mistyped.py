"""What is near to an order and is none: answered as without it, and said wherever somebody looks."""

import json

import orjson
import pytest
from catalogues import a_catalogue, notes
from conftest import header, said
from hypothesis import given
from hypothesis import strategies as st

from mockserver import Request, Settings, create_engine
from mockserver.pipeline.mistyped import Mistyped
from mockserver.spec.nearness import Lookalikes, distance
from mockserver.testing.mock import MockServer

SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
CALLS = {
    "pikzels": ("/v2/thumbnail/text", "x-api-key", "pkz_test", "prompt", TEXT),
    "fatthumb": (
        "/api/v1/generate",
        "authorization",
        "nsk_test",
        "prompt",
        {"prompt": "A focused developer"},
    ),
    "thumbapi": (
        "/v1/generate",
        "x-api-key",
        "tb_test",
        "title",
        {"title": "An island", "format": "youtube"},
    ),
}
ENDINGS = [
    ("pikzels", "content_polcy", "content_policy"),
    ("pikzels", "contentpolicy", "content_policy"),
    ("pikzels", "content-policy", "content_policy"),
    ("pikzels", "too_many_request", "too_many_requests"),
    ("pikzels", "rate_limited", "too_many_requests"),
    ("pikzels", "credits_exhausted", "insufficient_credits"),
    ("pikzels", "content_rejected", "generation_rejected"),
    ("pikzels", "job_faild", "job_failed"),
    ("pikzels", "dealy_800", "delay_800"),
    ("pikzels", "delay_2s", "delay_2000"),
    ("pikzels", "downlod_404", "download_404"),
    ("fatthumb", "unauthorised", "unauthorized"),
    ("fatthumb", "too_many_requests", "rate_limited"),
    ("fatthumb", "job_partail", "job_partial"),
    ("thumbapi", "rate_limited", "rate_limit_exceeded"),
    ("thumbapi", "RATE_LIMIT_EXCEDED", "rate_limit_exceeded"),
]
NATURAL = [
    "[16:9]", "[draft]", "[Vlog]", "[4K]", "[Official Video]", "[Part 2]", "[part_2]", "[EP12]", "[ad]",
    "[Conflicted]", "[wip]", "[RELAY]", "[NEW]", "[Delay]", "[timeout]", "[x_y]", "[my_title]", "[top_10]",
    "[not found yet]", "[policy]", "[job]", "[Download]", "[rate]", "[credits]", "[Failed]", "[image_1]",
    "[2026]", "[]", "[", "[unlisted]", "[trailer]", "[before/after]", "[a, b]", "[[nested]]", "[🎉]",
]  # fmt: skip
PREFER = [
    ("cod=402", "cod=402 orders nothing; did you mean code?"),
    ("exmaple=CONFLICT", "exmaple=CONFLICT orders nothing; did you mean example?"),
    ("dealy=5", "dealy=5 orders nothing; did you mean delay?"),
    ("status=402", "status=402 orders nothing; did you mean code?"),
    (
        "code=200, count=2",
        "count is no preference: what happens to calls to come is ordered at /__admin/faults",
    ),
    ("times=2", "times is no preference: what happens to calls to come is ordered at /__admin/faults"),
    ("example=CONTENT_POLCY", "example=CONTENT_POLCY orders nothing; did you mean example=CONTENT_POLICY?"),
    ("example=rate_limited", "example=rate_limited orders nothing; did you mean example=TOO_MANY_REQUESTS?"),
    ("downlod=404", "downlod=404 orders nothing; did you mean download?"),
    ("download=trunkated", "download=trunkated orders nothing; did you mean download=truncated?"),
    ("code: 402", "code cannot be read in 'code: 402'; write Prefer: code=402, delay=800"),
]


def sent(ask, api, *, key="", word="", prefer=""):
    path, name, own, field, body = CALLS[api]
    value = f"{own}_{key}" if key else own
    value = f"Bearer {value}" if name == "authorization" else value
    body = {**body, field: f"{body[field]} {word}"}
    return ask("POST", path, body, **{name.replace("-", "_"): value, "prefer": prefer})


def warnings(answer):
    return [each["message"] for each in json.loads(header(answer, "mock-violations") or "[]")]


def test_a_keys_ending_is_answered_as_without_it_and_warned_of(ask):
    for api, typed, meant in ENDINGS:
        answer = sent(ask, api, key=typed)
        assert (answer.status, answer.error) == (200, None)
        assert [each.rpartition("; ")[2] for each in warnings(answer)] == [f"did you mean _{meant}?"]


def test_of_two_endings_that_are_near_to_a_word_the_longer_one_is_told(ask):
    (told,) = warnings(sent(ask, "pikzels", key="api_key_inactve"))
    assert told == "the key's ending _api_key_inactve orders nothing; did you mean _api_key_inactive?"


def test_a_word_in_brackets_is_answered_as_without_it_and_warned_of(ask):
    for api, typed, meant in ENDINGS:
        answer = sent(ask, api, word=f"[{typed}]")
        assert (answer.status, answer.error) == (200, None)
        assert warnings(answer) == [f"{CALLS[api][3]}: [{typed}] orders nothing; did you mean [{meant}]?"]


@pytest.mark.parametrize(("prefer", "message"), PREFER)
def test_a_preference_is_answered_as_without_it_and_warned_of(ask, prefer, message):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert (answer.status, warnings(answer)) == (200, [message])


def test_the_end_of_a_job_that_is_near_to_one_is_warned_of(ask):
    answer = sent(ask, "fatthumb", prefer="job=parital")
    assert warnings(answer) == ["job=parital orders nothing; did you mean job=partial?"]


def test_the_end_of_a_job_in_a_call_that_starts_none_is_warned_of(ask):
    (message,) = warnings(sent(ask, "pikzels", word="[job_failed]"))
    assert message == "prompt: [job_failed] orders nothing: pikzels.post_v2_thumbnail_text starts no job"


def test_downloads_of_a_call_that_hands_out_no_link_are_warned_of(ask):
    what = "orders nothing: this call of pikzels.post_v2_title_text hands out no link to a picture"
    titles = {"prompt": "I bought an island"}
    by_word = ask("POST", "/v2/title/text", {"prompt": "An island [download_500]"}, x_api_key="pkz_test")
    by_key = ask("POST", "/v2/title/text", titles, x_api_key="pkz_test_download_truncated")
    by_header = ask("POST", "/v2/title/text", titles, x_api_key="pkz_test", prefer="download=404")
    assert warnings(by_word) == [f"prompt: [download_500] {what}"]
    assert warnings(by_key) == [f"the key's ending _download_truncated {what}"]
    assert warnings(by_header) == [f"download=404 {what}"]
    assert header(by_header, "preference-applied") is None


@pytest.mark.parametrize("order", [{"key": "job_failed"}, {"word": "[job_failed]"}, {"prefer": "job=failed"}])
def test_the_end_of_a_job_that_this_very_call_does_not_start_is_warned_of(ask, order):
    answer = sent(ask, "thumbapi", **order)  # without a webhookUrl
    assert [each.partition(" orders ")[2] for each in warnings(answer)] == [
        "nothing: this call starts no job"
    ]
    assert header(answer, "preference-applied") is None


def test_a_success_that_is_not_the_one_of_this_call_is_warned_of(ask):
    answer = sent(ask, "thumbapi", prefer="code=202")
    assert warnings(answer) == ["code=202 orders nothing: this call is answered with 200"]


@pytest.mark.parametrize("order", ["job_failed", "job_manual", "download_404"])
def test_what_a_key_orders_for_other_calls_is_no_matter_of_polls(ask, order):
    key = {"authorization": f"Bearer nsk_test_{order}"}
    made = ask("POST", "/api/v1/generate", {"prompt": "Focus"}, **key)
    poll = ask("GET", f"/api/v1/generations/{said(made)['generationId']}", **key)
    assert (warnings(made), warnings(poll)) == ([], [])


def test_a_word_in_another_text_is_told_the_right_one(ask):
    body = {**CALLS["fatthumb"][4], "notes": "[delay_5]"}
    (message,) = warnings(ask("POST", "/api/v1/generate", body, authorization="Bearer nsk_test"))
    assert message == "notes: [delay_5] orders nothing; no order is read there: write [delay_5] into prompt"


@pytest.mark.parametrize("word", ["conflict", "confilct", "delay_5", "job_failed"])
def test_a_word_where_no_text_orders_anything_is_warned_of(ask, word):
    style = {"name": "A", "image_urls": ["https://example.com/1.png"] * 3}
    id_ = said(ask("POST", "/v2/pikzonality/style", style, x_api_key="pkz_test"))["id"]
    changes = {"special_instructions": f"[{word}]"}
    (message,) = warnings(ask("PATCH", f"/v2/pikzonality/{id_}", changes, x_api_key="pkz_test"))
    assert message.endswith("orders nothing; no order is read there: use the Prefer header")


def test_a_download_of_which_anything_but_a_delay_is_preferred_is_warned_of(ask, heard):
    made = sent(ask, "pikzels")
    path = said(made)["output"].partition("localhost")[2]
    answer = ask("GET", path, prefer="code=404, delay=1")
    assert (answer.status, header(answer, "preference-applied")) == (200, "delay=1")
    (message,) = warnings(answer)
    assert message.startswith("code=404 orders nothing of a download; order it with the call")
    assert [each.message for each in heard[-1].violations] == [message]


def test_a_strict_server_has_the_hint_beside_its_refusal():
    engine = create_engine(Settings(is_strict=True, raises_bugs=True))
    body = orjson.dumps(SCORE)
    headers = {"x-api-key": "pkz_test_content_polcy", "content-type": "application/json"}
    answer = engine.handle(Request("POST", "/v2/thumbnail/score", headers, body=body))
    assert answer.status == 401
    first, second = warnings(answer)
    assert first == "no fixture lists this key (--strict-keys)"
    assert second.endswith("did you mean _content_policy?")


def test_the_mock_in_its_own_voice_warns_too(ask):
    answer = sent(ask, "pikzels", key="content_polcy", prefer="code=418")
    assert len(warnings(answer)) == 2


def test_natural_words_in_brackets_are_nothing(ask):
    for api in CALLS:
        for word in NATURAL:
            answer = sent(ask, api, word=word)
            assert (word, answer.status, warnings(answer)) == (word, 200, [])


def test_natural_keys_are_nothing(ask):
    for key in ("alice", "life", "1", "8f3kd0s9", "team_7", "x" * 500, "my_key_for_ci", "a_b_c_d_e_f"):
        assert warnings(sent(ask, "pikzels", key=key)) == []


@pytest.mark.parametrize("order", [{"word": "[job_partial]"}, {"key": "job_partial"}])
def test_an_end_of_several_is_refused_where_the_call_asks_for_one(ask, order):
    answer = sent(ask, "fatthumb", **order)
    assert answer.status == 400
    assert said(answer)["detail"].startswith("job=partial is the end of several")


@pytest.mark.parametrize("prefer", ["respond-async, wait=10", 'note="code=402"', "return=minimal", "depth"])
def test_preferences_of_others_are_nothing(ask, prefer):
    assert warnings(sent(ask, "pikzels", prefer=prefer)) == []


def test_a_key_that_somebody_listed_is_not_looked_at(ask, engine):
    engine.world.accounts.put(engine.world.accounts.fresh("pikzels", "pkz_content_polcy"))
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_content_polcy")
    assert (answer.status, warnings(answer)) == (200, [])


def test_the_warning_stands_beside_what_is_wrong(ask):
    answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test_content_polcy")
    assert answer.status == 400
    assert (
        warnings(answer)[-1]
        == "the key's ending _content_polcy orders nothing; did you mean _content_policy?"
    )


def test_a_tool_that_is_called_warns_of_its_prompt_once(ask, heard):
    arguments = {"name": "generate_thumbnail", "arguments": {"prompt": "Focus [content_rejcted]"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
    answer = ask("POST", "/api/mcp", call, authorization="Bearer nsk_test_rate_limitd", prefer="cod=402")
    assert len(warnings(answer)) == 3
    assert "result" in said(answer)
    assert [each.keyword for each in heard[0].violations] == ["mistyped"]  # the rest is its part's


class TestTheVerdict:
    @pytest.mark.parametrize(
        "order", [{"key": "content_polcy"}, {"word": "[content_polcy]"}, {"prefer": "count=2"}]
    )
    def test_fails_for_it(self, order):
        mock = MockServer()
        self.call(mock, **order)
        (found,) = mock.verdict().errors
        assert found.part == "mistyped"

    def test_fails_for_it_though_a_refusal_was_declared(self):
        mock = MockServer()
        with mock.expect_refusal("VALIDATION_ERROR"):
            self.call(mock, key="content_polcy", model="pkz_9")
        assert [each.part for each in mock.verdict().errors] == ["mistyped"]

    @staticmethod
    def call(mock, *, key="", word="", prefer="", **members):
        import httpx

        body = {**TEXT, "prompt": f"An island {word}", **members}
        headers = {"x-api-key": f"pkz_test_{key}" if key else "pkz_test", "prefer": prefer}
        with httpx.Client(transport=mock.httpx_transport(), base_url=mock.pikzels.url) as api:
            api.post("/v2/thumbnail/text", json=body, headers=headers)


def test_each_of_several_marks_is_told_once(ask):
    body = {**TEXT, "prompt": "[content_polcy] [confilct] [content_polcy]"}
    answer = ask("POST", "/v2/thumbnail/text", body, x_api_key="pkz_test")
    assert [each.rpartition("; ")[2] for each in warnings(answer)] == [
        "did you mean [content_policy]?", "did you mean [conflict]?",
    ]  # fmt: skip


@pytest.mark.parametrize(("where", "told"), [("header", "header"), ("query", "query"), ("cookie", "header")])
def test_a_key_is_told_where_it_was_sent_and_its_ending_is_all_but_its_first_part(where, told):
    provider = notes(schemes={"Key": {"type": "apiKey", "in": where, "name": "key"}})
    finder, scheme = Mistyped(a_catalogue(provider)), provider.operations["add_note"].security[0][0]

    def of_key(key):
        return [(each.location, each.pointer, each.message) for each in finder.of_key(provider, scheme, key)]

    ordered = "the key's ending _{} orders nothing; did you mean _{}?"
    assert of_key("me_lockd") == [(told, "/key", ordered.format("lockd", "locked"))]
    assert of_key("me_no_mony") == [(told, "/key", ordered.format("no_mony", "no_money"))]
    assert of_key("lockd") == of_key("me_x") == of_key("x" * 300 + "_lockd") == []


LETTERS = st.text("abc_", max_size=7)


@given(LETTERS, LETTERS)
def test_a_bounded_distance_is_the_whole_one_where_that_is_within_the_bound(one, other):
    whole = distance(one, other, 20)
    assert whole == distance(other, one, 20)
    for most in range(4):
        assert distance(one, other, most) == (whole if whole is not None and whole <= most else None)


@pytest.mark.parametrize(
    ("text", "near"), [("taekn", "taken"), ("take", None), ("t" * 60, "t" * 60), ("t" * 61, None)]
)
def test_from_five_letters_to_sixty_a_text_is_near_to_a_word(text, near):
    assert Lookalikes(["taken", "t" * 60]).nearest(text) == near


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("content_policy", "content_policy"), ("content_poli", "content_policy"), ("content_pol", None),
        ("ontent_polic", "content_policy"), ("content_policyyy", "content_policy"),
        ("content_policyyyy", None), ("confli", None), ("conflic", "conflict"), ("conflictt", "conflict"),
        ("conflictts", None), ("take", None), ("t_ken", "taken"),
    ],
)  # fmt: skip
def test_one_letter_may_differ_and_two_in_a_long_word_with_an_underscore(text, near):
    assert Lookalikes(["content_policy", "conflict", "taken"]).nearest(text) == near


def test_a_long_text_is_not_held_against_words():
    assert Lookalikes(["conflict"]).nearest("conflict" * 1000) is None
