"""What was ordered for a call: by a word, the Prefer header (RFC 7240) or the key; what is honoured."""

import pytest
from catalogues import NOTES, a_match, notes
from conftest import KEYS, header, said
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.call import Override
from mockserver.messages import Response
from mockserver.pipeline.override import applied, delay_alone, delay_ms, override, raise_ordered
from mockserver.preferences import read_preferences
from mockserver.problems import EmulatorProblem, Problem, ProblemType
from mockserver.spec.words import LONGEST_DELAY_MS

SCORE = {"image_url": "https://example.com/a.png"}
HEADERS = [
    ("code=402", {"code": "402"}),
    ("Code=402", {"code": "402"}),
    ('code="402"', {"code": "402"}),
    ("code = 402 ,delay =  8", {"code": "402", "delay": "8"}),
    ("code=402;example=NO_MONEY", {"code": "402", "example": "NO_MONEY"}),
    ("code=402, code=500", {"code": "402"}),
    ("respond-async, wait=10", {"respond-async": "", "wait": "10"}),
    ("code=", {"code": ""}),
    ('code=""', {"code": ""}),
    (",, ;code=402;", {"code": "402"}),
    ("", {}),
    ("=402", {}),
    ("code=4 02, delay=1", {"delay": "1"}),
    ('note="a, code=500, b", code=402', {"note": "a, code=500, b", "code": "402"}),
    ('note="a; code=500; b"', {"note": "a; code=500; b"}),
]
DELAYS = [
    ("800", 800),
    ("0", 0),
    ("600000", 600_000),
    ("600001", LONGEST_DELAY_MS),
    ("-1", 0),
    ("1.5", 0),
    ("²", 0),
    ("٣", 0),
    ("", 0),
    ("soon", 0),
    ("9" * 5000, LONGEST_DELAY_MS),
    ("600000", 600_000),
    ("600001", 600_000),
    ("000000007", 7),
]
UNKNOWN = [
    "code=418", "code=204", "code=abc", "code=", "code=²", "code=" + "9" * 5000, "example=NOPE",
    "code=402, example=CONFLICT", "code=200, example=CONFLICT",
    "delay=", "delay=-1", "delay=soon", "delay=600001", "delay=" + "9" * 5000, "delay=²",
]  # fmt: skip


@pytest.mark.parametrize(("header", "found"), HEADERS)
def test_preferences_are_read_as_rfc_7240_says(header, found):
    assert read_preferences({"prefer": header}) == found


@settings(derandomize=True)
@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_is_read_somehow(header):
    assert all(name == name.lower() for name in read_preferences({"prefer": header}))


@pytest.mark.parametrize(("text", "wanted"), DELAYS)
def test_a_delay_is_a_number_of_milliseconds_up_to_ten_minutes(text, wanted):
    assert delay_ms({"delay": text}) == wanted


def test_without_a_preference_there_is_no_delay():
    assert delay_ms({}) == 0


PLAIN = {"text": "Buy milk"}
ENDS = {
    "running": "waiting", "success": "done", "failure": "failed", "quick_s": 2, "realistic_s": 60,
    "provenance": "documented", "citation": "handbook",
}  # fmt: skip
JOBS = notes(jobs=ENDS, add_note={"job": "note"})
PARTS = notes(jobs={**ENDS, "partial": "partly", "parts": "copies"}, add_note={"job": "note"})


def ordered(prefer="", *, key=None, body=PLAIN, provider=NOTES, operation="add_note"):
    """Resolve what a header, a key and a body order."""
    return override(a_match(operation, provider), read_preferences({"prefer": prefer}), key, body)


def unknown(prefer, **more):
    """Order what there is not; give the problem."""
    with pytest.raises(EmulatorProblem) as caught:
        ordered(prefer, **more)
    return caught.value


def test_nothing_is_ordered_unless_somebody_does():
    assert ordered() == Override()


@pytest.mark.parametrize("note", ["respond-async, wait=10", "note=code", "depth"])
def test_a_preference_that_is_none_of_ours_orders_nothing(note):
    assert ordered(note) == Override()


class TestAnErrorInTheHeader:
    @pytest.mark.parametrize(
        ("prefer", "error", "note"),
        [
            ("code=402", "no_money", ("code=402",)),
            ("code=409", "taken", ("code=409",)),
            ("example=locked", "locked", ("example=locked",)),
            ("example=LOCKED", "locked", ("example=LOCKED",)),
            ("example=locked, code=409", "locked", ("code=409", "example=locked")),
            ("code=409, example=taken", "taken", ("code=409", "example=taken")),
            ('code="402"', "no_money", ("code=402",)),
        ],
    )
    def test_is_the_first_row_of_that_status_and_name(self, prefer, error, note):
        assert ordered(prefer) == Override(error=error, origin="header", applied=note)

    def test_waits_as_it_was_told(self):
        assert ordered("delay=20, code=402") == Override(
            "no_money", 20, None, "header", None, ("code=402", "delay=20")
        )

    @pytest.mark.parametrize(
        "prefer",
        [
            "code=418",
            "code=204",
            "code=20",
            "code=4022",
            "code=",
            "code=abc",
            "code=\u0664\u0660\u0662",
            "example=nothing",
            "example=",
            "code=402, example=taken",
            "code=201, example=taken",
            "code=200",
        ],
    )
    def test_is_refused_in_our_own_voice_where_there_is_none_such(self, prefer):
        problem = unknown(prefer)
        (violation,) = problem.violations
        assert (problem.status, problem.title) == (400, "Unknown preference")
        assert problem.detail.startswith("Notes has no answer for ")
        assert (violation.location, violation.pointer, violation.citation) == (
            "header",
            "/prefer",
            "RFC 7240",
        )
        assert violation.message == problem.detail

    def test_is_told_what_there_is_by_status(self):
        problem = unknown("code=418, example=teapot")
        assert "no answer for code=418, example=teapot;" in problem.detail
        assert problem.members == {
            "available": {
                "201": [], "400": ["wrong"], "401": ["no_key"], "402": ["no_money"], "403": ["banned"],
                "404": ["nowhere"], "405": ["wrong_method"], "409": ["taken", "locked"], "413": ["too_large"],
                "429": ["too_fast"], "500": ["broken"],
            }
        }  # fmt: skip
        assert list(problem.members["available"]) == sorted(problem.members["available"])

    def test_is_shown_in_part_where_it_is_long(self):
        detail = unknown(f"code={'9' * 500}, example={'x' * 500}").detail
        assert f"code={'9' * 40}, example={'x' * 80};" in detail


def test_a_documented_error_is_no_success():
    yes, no = {"description": "Yes"}, {"description": "No"}
    api = notes(responses={"201": yes, "400": no})
    assert ordered("code=400", provider=api).error == "wrong"
    assert unknown("code=418", provider=api).members["available"]["400"] == ["wrong"]


def test_a_documented_success_is_what_the_call_gets_anyway():
    assert ordered("code=201") == Override(applied=("code=201",))
    assert ordered("code=200", operation="read_note") == Override(applied=("code=200",))
    assert unknown("code=201", operation="read_note").title == "Unknown preference"


class TestADelay:
    def test_holds_for_every_answer(self):
        alone = Override(delay_ms=800, applied=("delay=800",))
        assert delay_alone({"delay": "800"}) == ordered("delay=800") == alone

    @pytest.mark.parametrize("text", ["0", "000", "soon", "-1"])
    def test_that_is_none_is_not_said_to_be_honoured(self, text):
        assert delay_alone({"delay": text}) == Override()

    @pytest.mark.parametrize("text", ["0", "000", "0800", "600000"])
    def test_may_be_any_number_of_milliseconds_up_to_ten_minutes(self, text):
        assert ordered(f"delay={text}").delay_ms == int(text)

    @pytest.mark.parametrize("text", ["600001", "-1", "1.5", "soon", "9" * 50])
    def test_that_makes_no_sense_is_refused(self, text):
        assert unknown(f"delay={text}").detail == (
            f"delay={text[:40]} is not a number of milliseconds up to 600000"
        )


class TestTheEndOfAJob:
    @pytest.mark.parametrize("end", ["done", "failed", "manual"])
    def test_is_one_of_the_tables_or_by_hand(self, end):
        assert ordered(f"job={end}", provider=JOBS) == Override(job=end, applied=(f"job={end}",))

    @pytest.mark.parametrize("end", ["waiting", "", "partial"])
    def test_that_the_api_does_not_know_is_refused(self, end):
        problem = unknown(f"job={end}", provider=JOBS)
        assert problem.detail == f"Notes has no job={end}; there are done, failed, manual"
        assert problem.members == {"available": ["done", "failed", "manual"]}

    @pytest.mark.parametrize("end", ["Done", "faild", "manuel"])
    def test_that_is_near_to_one_and_none_is_left_out(self, end):
        assert ordered(f"job={end}", provider=JOBS) == Override()

    def test_is_nothing_to_an_operation_without_a_job(self):
        assert ordered("job=failed", operation="read_note", provider=JOBS) == Override()

    def test_that_does_not_exist_is_refused_by_an_operation_without_a_job_too(self):
        problem = unknown("job=bogus", operation="read_note", provider=JOBS)
        assert problem.members["available"] == ["done", "failed", "manual"]

    @pytest.mark.parametrize("body", [PLAIN, {**PLAIN, "copies": 1}, {**PLAIN, "copies": 1.0}])
    def test_in_part_is_refused_where_one_alone_is_asked_for(self, body):
        problem = unknown("job=partly", provider=PARTS, body=body)
        assert "this call asks for one; send copies of at least 2" in problem.detail
        assert problem.members == {"available": ["done", "failed", "manual"]}

    def test_in_part_is_one_of_several(self):
        assert ordered("job=partly", provider=PARTS, body={**PLAIN, "copies": 2}).job == "partly"

    def test_is_refused_where_an_api_has_no_jobs(self):
        assert unknown("job=failed").detail == "Notes has no job=failed; it has no jobs at all"

    def test_stands_beside_a_delay_and_a_success(self):
        assert ordered("job=failed, delay=5, code=201", provider=JOBS) == Override(
            delay_ms=5, job="failed", applied=("code=201", "delay=5", "job=failed")
        )

    def test_gives_way_to_an_error(self):
        assert ordered("job=failed, code=402", provider=JOBS) == Override(
            error="no_money", origin="header", applied=("code=402",)
        )

    def test_gives_way_to_the_error_of_a_key(self):
        assert ordered("job=failed", key="taken", provider=JOBS) == Override(error="taken", origin="key")


class TestAWordInBrackets:
    @pytest.mark.parametrize(
        ("body", "field", "error"),
        [
            ({"text": "[taken]"}, "text", "taken"),
            ({"text": "an [Taken] one"}, "text", "taken"),
            ({"text": "x", "photo": "https://[too_fast]"}, "photo", "too_fast"),
            ({"text": "[too_fast]", "photo": "[taken]"}, "text", "too_fast"),
            ({"text": "[too_fast] [taken]"}, "text", "taken"),
        ],
    )
    def test_orders_any_row_of_the_catalogue_and_of_several_its_first(self, body, field, error):
        made = ordered(body=body)
        assert (made.error, made.origin) == (error, "word")
        assert made.word == (field, error, "The notes' handbook")

    @pytest.mark.parametrize(
        "body",
        [
            {"text": "taken"},
            {"text": "[taken"},
            {"text": "taken]"},
            {"text": "[ taken ]"},
            {"text": "[lock]"},
            {"text": 7},
            {"text": None},
            {"colour": "[taken]"},
            {"photos": ["[taken]"]},
            {"text": ["[taken]"]},
            ["[taken]"],
            "[taken]",
            None,
        ],
    )
    def test_is_a_text_of_the_tables_fields_and_nothing_else(self, body):
        assert ordered(body=body) == Override()

    def test_is_nothing_to_another_operation(self):
        assert ordered(body={"text": "[taken]"}, operation="read_note") == Override()


class TestOtherWords:
    """A delay, the end of a job and what becomes of downloads, by key and by word."""

    def test_a_word_orders_them_all_at_once(self):
        made = ordered(body={"text": "[delay_5] [JOB_failed] [download_404]"}, provider=JOBS)
        assert made == Override(delay_ms=5, job="failed", download="404")

    def test_a_key_orders_one(self):
        assert ordered(key="delay_5") == Override(delay_ms=5)
        assert ordered(key="delay_600000") == Override(delay_ms=600_000)
        assert ordered(key="job_manual", provider=JOBS) == Override(job="manual")
        assert ordered(key="download_truncated") == Override(download="truncated")

    def test_of_two_words_the_first_wins(self):
        assert ordered(body={"text": "[delay_5] [delay_6]"}).delay_ms == 5

    def test_the_word_wins_over_the_header_and_that_over_the_key(self):
        by_word = {"text": "[delay_5] [job_failed]"}
        assert ordered("delay=6, job=done", body=by_word, provider=JOBS) == Override(delay_ms=5, job="failed")
        made = ordered("delay=6, job=done", key="job_failed", provider=JOBS)
        assert (made.delay_ms, made.job) == (6, "done")
        assert ordered("delay=6", key="delay_5").delay_ms == 6

    def test_the_end_of_a_job_is_nothing_to_an_operation_without_one(self):
        assert ordered(key="job_failed") == Override()

    def test_an_error_leaves_the_delay_alone(self):
        made = ordered(body={"text": "[taken] [delay_5] [job_failed] [download_404]"}, provider=JOBS)
        assert (made.error, made.delay_ms, made.job, made.download) == ("taken", 5, None, None)

    def test_a_delay_by_key_holds_for_a_refused_call_too(self, ask, heard):
        answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test_delay_7")
        assert (answer.status, heard[0].override.delay_ms, heard[0].account.key) == (400, 7, "pkz_test")
        ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test_delay_7", prefer="delay=5")
        ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test_delay_0", prefer="delay=5")
        assert [each.override.delay_ms for each in heard[1:]] == [5, 5]  # the header wins

    @pytest.mark.parametrize("word", ["delay_600001", "delay_", "delay_x", "download_200", "job_done", "job"])
    def test_what_is_none_orders_nothing(self, word):
        assert ordered(body={"text": f"[{word}]"}) == Override()


@pytest.mark.parametrize(
    ("prefer", "made"),
    [
        ("example=lokced", Override()),
        ("code=409, example=lokced", Override(error="taken", origin="header", applied=("code=409",))),
        ("example=rate_limited", Override()),
    ],
)
def test_a_row_that_is_near_to_one_and_none_is_left_out(prefer, made):
    assert ordered(prefer) == made


MARKED = {"text": "[taken]"}


class TestPrecedence:
    """The word goes before the header, and the header before the key; a delay holds in any case."""

    def test_the_word_wins_over_the_header_and_the_key(self):
        made = ordered("code=402, delay=5", key="locked", body=MARKED)
        assert (made.error, made.origin, made.delay_ms, made.applied) == ("taken", "word", 5, ("delay=5",))

    def test_the_word_wins_over_an_order_that_nobody_can_fulfil(self):
        assert ordered("code=418", body=MARKED).error == "taken"

    def test_the_header_wins_over_the_key(self):
        assert ordered("code=402", key="locked") == Override(
            "no_money", origin="header", applied=("code=402",)
        )

    def test_a_success_in_the_header_wins_over_the_key(self):
        assert ordered("code=201", key="locked") == Override(applied=("code=201",))

    def test_an_order_that_nobody_can_fulfil_is_refused_though_the_key_orders_one(self):
        assert unknown("code=418", key="locked").status == 400

    @pytest.mark.parametrize(
        ("prefer", "delay", "note"), [("", 0, ()), ("wait=5", 0, ()), ("delay=5", 5, ("delay=5",))]
    )
    def test_the_key_orders_where_the_header_orders_no_error(self, prefer, delay, note):
        assert ordered(prefer, key="locked") == Override("locked", delay, origin="key", applied=note)


class TestWhatWasOrdered:
    @pytest.mark.parametrize(("origin", "place"), [("header", "/prefer"), ("key", "/key")])
    def test_is_raised_in_the_name_of_the_header_or_the_key(self, origin, place):
        with pytest.raises(Problem) as caught:
            raise_ordered(Override(error="locked", origin=origin))
        (violation,) = caught.value.violations
        assert (caught.value.error, violation.keyword) == ("locked", "ordered")
        assert (violation.location, violation.pointer) == ("header", place)
        assert (violation.message, violation.citation) == ("the caller ordered locked", "the request itself")

    def test_is_raised_as_what_the_word_stands_for(self):
        with pytest.raises(Problem) as caught:
            raise_ordered(ordered(body={"text": "[TAKEN]"}))
        (violation,) = caught.value.violations
        assert (caught.value.type, caught.value.error) == (ProblemType.INTERNAL, "taken")  # as by header
        assert (violation.location, violation.pointer, violation.keyword) == ("body", "/text", "marked_words")
        assert (violation.message, violation.citation) == (
            "text holds the mark [taken]",
            "The notes' handbook",
        )

    def test_is_not_raised_where_it_is_no_error(self):
        raise_ordered(Override(delay_ms=5, job="failed", applied=("delay=5",)))


@pytest.mark.parametrize(
    ("named", "status", "error", "said"),
    [
        (("code=402", "delay=5"), 402, "no_money", "code=402, delay=5"),
        (("example=no_money",), 402, "no_money", "example=no_money"),
        (("code=402", "delay=5"), 400, "wrong", "delay=5"),
        (("code=402", "example=no_money"), 400, "wrong", ""),
        (("code=201", "job=done"), 201, None, "code=201, job=done"),
        (("code=201", "job=done"), 202, None, "job=done"),
        (("delay=5", "job=done"), 400, "wrong", "delay=5"),
        ((), 200, None, ""),
    ],
)
def test_only_what_the_answer_honours_is_said_to_be_applied(named, status, error, said):
    order = "no_money" if any("402" in each or "no_money" in each for each in named) else None
    assert applied(Override(error=order, applied=named), Response(status, (), b"", error)) == said


# Through the whole engine: what the rooms make of it together.
HONOURED = [
    ("code=402", "code=402"),
    ("code=402, example=insufficient_credits, delay=5", "code=402, example=insufficient_credits, delay=5"),
    ("example=conflict, wait=10", "example=conflict"),
    ("code=200", "code=200"),
    ("delay=0", None),
    ("wait=10", None),
    ("job=failed", None),  # a score has no job
    ("", None),
]


@pytest.mark.parametrize(("prefer", "note"), HONOURED)
def test_only_what_was_honoured_is_said_to_be_applied(ask, prefer, note):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert header(answer, "preference-applied") == note


def test_of_a_refused_call_only_the_delay_is_honoured(ask):
    answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test", prefer="code=400, delay=1")
    assert (answer.status, header(answer, "preference-applied")) == (400, "delay=1")


def test_an_order_that_is_refused_waits_for_nothing(ask, heard):
    ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="code=418, delay=60000")
    assert heard[0].override.delay_ms == 0


@pytest.mark.parametrize("prefer", UNKNOWN)
def test_an_order_that_nobody_can_fulfil_is_refused_in_our_own_voice(ask, prefer):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (400, "application/problem+json")
    assert said(answer)["title"] == "Unknown preference"


def test_a_refused_order_lists_what_there_is(ask):
    answer = said(ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="code=418"))
    assert answer["available"]["200"] == []
    assert answer["available"]["402"] == ["INSUFFICIENT_CREDITS", "SMART_BALANCE_PAYMENT_FAILED"]


@pytest.mark.parametrize(
    ("prefer", "status", "error"),
    [
        ("code=402", 402, "INSUFFICIENT_CREDITS"),
        ("example=conflict", 409, "CONFLICT"),
        ("code=402, example=SMART_BALANCE_PAYMENT_FAILED", 402, "SMART_BALANCE_PAYMENT_FAILED"),
        ("code=200", 200, None),
        ("respond-async, wait=10", 200, None),
        ('note="a, code=402, b"', 200, None),
    ],
)
def test_an_order_is_fulfilled(ask, prefer, status, error):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer=prefer)
    assert (answer.status, answer.error) == (status, error)


def test_an_order_waits_behind_what_is_wrong_with_the_call(ask):
    answer = ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_test", prefer="code=402")
    assert (answer.status, "Preference-Applied" in dict(answer.headers)) == (400, False)


def test_the_header_wins_over_the_key(ask):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test_conflict", prefer="code=402")
    assert answer.error == "INSUFFICIENT_CREDITS"


def test_a_delay_is_waited_for_by_whoever_asks(ask, heard):
    answer = ask("POST", "/v2/thumbnail/score", SCORE, x_api_key="pkz_test", prefer="delay=20")
    assert (answer.status, header(answer, "preference-applied")) == (200, "delay=20")
    assert (heard[0].override.delay_ms, heard[0].duration_s >= 0.02) == (20, True)


def test_downloads_are_a_preference_too():
    assert ordered("download=404") == Override(download="404", applied=("download=404",))
    assert ordered("download=truncated", key="download_500").download == "truncated"
    assert unknown("download=200").members == {"available": ["404", "500", "truncated"]}


# What is about keys and access, as the documents name it, and what is not.
ABOUT_KEYS = {
    "pikzels": {
        "missing_api_key": 401,
        "invalid_api_key_format": 401,
        "invalid_api_key": 401,
        "api_key_inactive": 401,
        "api_key_deleted": 401,
        "account_suspended": 403,
        "api_access_not_enabled": 403,
    },
    "fatthumb": {"unauthorized": 401, "org_blocked": 402},
    "thumbapi": {"missing_api_key": 401, "invalid_api_key": 401, "api_access_not_enabled": 403},
}
CREATING = {"pikzels": "/v2/thumbnail/text", "fatthumb": "/api/v1/generate", "thumbapi": "/v1/generate"}
ENDINGS = [(api, word, status) for api, words in ABOUT_KEYS.items() for word, status in words.items()]


@pytest.mark.parametrize(("api", "word", "status"), ENDINGS)
def test_what_a_key_orders_about_keys_is_answered_before_a_broken_body(ask, api, word, status):
    name, key = next(iter(KEYS[api].items()))
    answers = [ask("POST", CREATING[api], b"{", **{name: each}) for each in (key, f"{key}_{word}")]
    assert [each.status for each in answers] == [422 if api == "fatthumb" else 400, status]
    assert answers[1].error == (word if api == "fatthumb" else word.upper())
