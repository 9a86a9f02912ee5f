"""A result or a problem becomes an answer in the provider's dialect, with our own explanation in a header."""

import dataclasses
import json

import pytest
from catalogues import NOTES, TABLE, a_provider, errors, notes

from mockserver.call import EMPTY_BODY, Result
from mockserver.messages import Response
from mockserver.pipeline.respond import (
    draw,
    headers_of,
    problem_response,
    refuse,
    succeed,
    violations_header,
    write_stub,
)
from mockserver.problems import EmulatorProblem, Problem, ProblemType, Violation
from mockserver.spec.template import fill
from mockserver.state.plans import Stub

JSON = ("Content-Type", "application/json")
ADD, READ = NOTES.operations["add_note"], NOTES.operations["read_note"]
ODD = Violation("body", "/text", "duplicateKey", "text stands twice", "RFC 8259")


def violation(field="text", message="is wrong", **more):
    return Violation("body", f"/{field}" if field else "", "type", message, **more)


def refused(problem, *, provider=NOTES, operation=ADD, headers=(), warnings=()):
    """Answer a problem; give the answer with its body read."""
    answer = refuse(provider, operation, problem, request_id="r1", headers=headers, warnings=warnings)
    return answer, json.loads(answer.read())


def explained(answer):
    """Read the header with our explanation."""
    return json.loads(dict(answer.headers)["Mock-Violations"])


class TestHeadersOfEveryAnswer:
    def test_are_those_of_the_table_with_their_values(self):
        assert headers_of(NOTES, {"request_id": "r1"}) == (("Notes-Id", "r1"), ("Notes-Version", "1"))

    def test_are_left_out_where_they_have_no_value(self):
        assert headers_of(NOTES, {}) == (("Notes-Version", "1"),)

    def test_may_have_an_empty_value(self):
        assert headers_of(NOTES, {"request_id": ""}) == (("Notes-Id", ""), ("Notes-Version", "1"))

    def test_tell_of_credits_under_the_names_of_the_table(self):
        told = {"unit": "credits", "headers": {"limit": "Total", "remaining": "Left", "reset": "Anew"}}
        known = {"credits_limit": "10", "credits_remaining": "3", "credits_reset": "soon", "request_id": "r1"}
        made = dict(headers_of(notes(credits=told), known))
        assert made == {"Notes-Id": "r1", "Notes-Version": "1", "Total": "10", "Left": "3", "Anew": "soon"}


class TestAnAnswerThatWasOrderedInFull:
    @pytest.mark.parametrize(("status", "error"), [(399, None), (400, "stub")])
    def test_is_an_error_from_400_on(self, status, error):
        assert write_stub(Stub(status)).error == error

    @pytest.mark.parametrize("name", ["Content-Type", "content-type"])
    def test_has_the_type_that_it_names_in_any_case_and_no_other(self, name):
        made = write_stub(Stub(200, {name: "text/csv"}, "a,b"))
        assert made.headers == ((name, "text/csv"),)


class TestAShape:
    def test_keeps_what_is_null_in_it_and_leaves_out_what_has_no_value(self):
        shape = {"data": None, "error": {"code": "$code", "message": "$message"}}
        assert fill(shape, {"message": "No."}) == {"data": None, "error": {"message": "No."}}


class TestASuccess:
    def test_is_json_with_the_headers_of_every_answer_and_its_own(self):
        result = Result({"text": "é"}, 201, (("Location", "/notes/1"),))
        assert succeed(ADD, result, (("Notes-Id", "r1"),), ()) == Response(
            201, (JSON, ("Notes-Id", "r1"), ("Location", "/notes/1")), '{"text":"é"}'.encode()
        )

    @pytest.mark.parametrize(("body", "text"), [(None, b"null"), ([], b"[]"), ("", b'""'), (0, b"0")])
    def test_may_be_any_json(self, body, text):
        assert succeed(ADD, Result(body), (), ()) == Response(200, (JSON,), text)

    def test_without_a_body_has_no_type(self):
        answer = succeed(ADD, Result(EMPTY_BODY, 204, (("Deleted", "1"),)), (("Notes-Id", "r1"),), ())
        assert answer == Response(204, (("Notes-Id", "r1"), ("Deleted", "1")), b"")

    def test_without_a_body_is_warned_of_as_any_other(self):
        answer = succeed(ADD, Result(EMPTY_BODY, 204), (), (ODD,))
        assert [name for name, _ in answer.headers] == ["Mock-Violations"]

    def test_of_another_operation_is_warned_of_in_one_header(self):
        both = violations_header((ODD, ODD), "")
        said = Result({}, headers=(("Mock-Violations", both),))
        answer = succeed(ADD, said, (), (ODD,))
        (told,) = [value for name, value in answer.headers if name == "Mock-Violations"]
        assert len(json.loads(told)) == 1

    def test_of_another_media_type_is_sent_as_it_is(self):
        answer = succeed(ADD, Result(b"\x89PNG", media_type="image/png"), (), ())
        assert answer == Response(200, (("Content-Type", "image/png"),), b"\x89PNG")

    def test_is_what_was_drawn(self):
        assert [draw(lambda: {"a": 1}), draw(lambda: b"PNG")] == [b'{"a":1}', b"PNG"]

    def test_tells_what_was_odd_about_the_call(self):
        answer = succeed(ADD, Result({}), (), (ODD, violation()))
        assert [(each["pointer"], each["rule"], each["source"]) for each in explained(answer)] == [
            ("/text", "duplicateKey", "RFC 8259"),
            ("/text", "type", "The notes' handbook"),
        ]

    def test_of_which_nothing_is_odd_says_nothing(self):
        assert "Mock-Violations" not in dict(succeed(ADD, Result({}), (), ()).headers)


class TestARefusal:
    def test_is_the_row_that_the_table_gives_to_the_problem(self):
        answer, body = refused(Problem(ProblemType.ACCOUNT_SUSPENDED), headers=(("Notes-Id", "r1"),))
        assert (answer.status, answer.error) == (403, "banned")
        assert answer.headers == (JSON, ("Notes-Id", "r1"))
        assert body == {"error": {"code": "N403", "message": "Banned"}, "request_id": "r1"}

    def test_is_the_named_row_where_one_is_named(self):
        answer, body = refused(Problem(ProblemType.INVALID_REQUEST, error="locked"))
        assert (answer.status, answer.error, body["error"]["message"]) == (409, "locked", "Locked")

    def test_of_a_named_row_that_is_the_problems_own_reads_as_the_problem_does(self):
        problem = Problem(ProblemType.INVALID_REQUEST, (violation(message="text is odd"),), error="wrong")
        assert refused(problem)[1]["error"]["message"] == "text is odd"

    def test_says_what_is_wrong_first(self):
        problem = Problem(ProblemType.INVALID_REQUEST, (violation(message="one"), violation(message="two")))
        assert refused(problem)[1]["error"]["message"] == "one"

    def test_says_what_the_row_says_where_nothing_is_known_to_be_wrong(self):
        assert refused(Problem(ProblemType.INVALID_REQUEST))[1]["error"]["message"] == "The note is wrong"

    @pytest.mark.parametrize(
        ("place", "message"),
        [
            ("/photo", "photo is no picture"),
            ("/photos/1", "photos is no picture"),
            ("", "request is no picture"),
        ],
    )
    def test_names_the_field(self, place, message):
        problem = Problem(ProblemType.PICTURE_UNREADABLE, (Violation("body", place, "image", "bad"),))
        assert refused(problem)[1]["error"]["message"] == message

    def test_names_the_request_where_no_field_is_wrong(self):
        assert (
            refused(Problem(ProblemType.PICTURE_UNREADABLE))[1]["error"]["message"] == "request is no picture"
        )

    @pytest.mark.parametrize("text", ["$5 off", "$$", "100 $field", "$violation"])
    def test_repeats_what_is_wrong_word_for_word(self, text):
        problem = Problem(ProblemType.INVALID_REQUEST, (violation(message=text),))
        assert refused(problem)[1]["error"]["message"] == text

    @pytest.mark.parametrize(("kind", "message"), [("persona", "a persona"), (None, "a resource")])
    def test_names_the_kind_of_what_it_is_about(self, kind, message):
        busy = {"error": "taken", "message": "a $kind"}
        provider = notes(problems={**TABLE["problems"], "resource_busy": busy})
        problem = Problem(ProblemType.RESOURCE_BUSY, kind=kind)
        assert refused(problem, provider=provider)[1]["error"]["message"] == message

    def test_of_a_kind_that_the_table_does_not_know_is_the_row_for_bugs(self):
        answer, body = refused(Problem(ProblemType.RESOURCE_UNKNOWN), provider=_without("resource_unknown"))
        assert (answer.status, body["error"]["code"]) == (500, "N500")

    def test_lists_one_detail_for_each_field_that_is_wrong(self):
        wrong = (
            violation("text", "too short"),
            violation("copies", "too many"),
            violation("text", "odd"),
            violation("", "whole"),
            Violation("query", "/q", "type", "in the query"),
            Violation("path", "/id", "type", "in the path"),
            Violation("header", "/h", "type", "in a header"),
        )
        _, body = refused(Problem(ProblemType.INVALID_REQUEST, wrong))
        assert body["error"]["details"] == [
            {"field": "text", "message": "too short"},
            {"field": "copies", "message": "too many"},
            {"field": "text", "message": "odd"},
            {"message": "whole"},
            {"field": "q", "message": "in the query"},
            {"field": "id", "message": "in the path"},
            {"field": "h", "message": "in a header"},
        ]

    def test_says_the_same_once(self):
        _, body = refused(Problem(ProblemType.INVALID_REQUEST, (violation(), violation())))
        assert body["error"]["details"] == [{"field": "text", "message": "is wrong"}]

    def test_speaks_with_the_first_violation_that_has_no_error_of_its_own(self):
        gate = violation(message="a gate", error="taken", stands_alone=True)
        _, body = refused(Problem(ProblemType.INVALID_REQUEST, (gate, violation(message="text is odd"))))
        assert body["error"]["message"] == "text is odd"

    @pytest.mark.parametrize(
        "problem",
        [
            Problem(ProblemType.KEY_MISSING, (violation(),)),  # details are of what is wrong with the call
            Problem(ProblemType.INVALID_REQUEST, (violation(),), error="taken"),  # the row has none
            Problem(ProblemType.INVALID_REQUEST),
        ],
    )
    def test_without_details_leaves_them_out(self, problem):
        assert "details" not in refused(problem)[1]["error"]

    def test_explains_itself_in_a_header(self):
        answer, _ = refused(Problem(ProblemType.INVALID_REQUEST, (violation("a/b"),)))
        assert explained(answer) == [
            {
                "location": "body",
                "pointer": "/a/b",
                "rule": "type",
                "message": "is wrong",
                "source": "The notes' handbook",
            }
        ]

    def test_tells_what_was_odd_behind_what_was_wrong(self):
        answer, _ = refused(Problem(ProblemType.NAME_TAKEN, (violation(),)), warnings=(ODD,))
        assert [each["rule"] for each in explained(answer)] == ["type", "duplicateKey"]

    def test_of_which_nothing_is_known_explains_nothing(self):
        assert "Mock-Violations" not in dict(refused(Problem(ProblemType.INTERNAL))[0].headers)

    @pytest.mark.parametrize(
        ("problem", "operation", "source"),
        [
            (Problem(ProblemType.INVALID_REQUEST, (violation(),)), ADD, "The notes' handbook"),
            (Problem(ProblemType.INVALID_REQUEST, (violation(),)), READ, "Notes, OpenAPI document"),
            (Problem(ProblemType.INVALID_REQUEST, (violation(),)), None, "The price list"),
            (Problem(ProblemType.CREDITS_EXHAUSTED, (violation(),)), READ, "The price list"),
            (Problem(ProblemType.INVALID_REQUEST, (violation(citation="RFC 1"),)), ADD, "RFC 1"),
        ],
    )  # fmt: skip
    def test_cites_the_document_that_says_so(self, problem, operation, source):
        row = {"message": "No", "cause": "any", "citation": "prices"}
        listed = errors(wrong={**row, "status": 400}, no_money={**row, "status": 402})
        provider = notes(
            errors=listed, citations={"handbook": "The notes' handbook", "prices": "The price list"}
        )
        answer, _ = refused(problem, provider=provider, operation=operation)
        assert explained(answer)[0]["source"] == source

    def test_carries_the_headers_of_its_row_and_those_of_the_problem_which_win(self):
        of_row, _ = refused(Problem(error="too_fast"))
        both, _ = refused(Problem(ProblemType.RATE_LIMITED, headers={"Retry-After": "60", "X-Wait": "1"}))
        assert of_row.headers == (JSON, ("Retry-After", "9"))
        assert both.headers == (JSON, ("Retry-After", "60"), ("X-Wait", "1"))


def _without(problem):
    known = {name: row for name, row in NOTES.problems.items() if name != problem}
    return dataclasses.replace(NOTES, problems=known)


OWN = {
    "answers": {"error": {"error": {"message": "$message"}}},
    "problems": {"invalid_request": {"error": "taken", "status": 422, "message": "In $field: $violation"}},
}


class TestAnOperationWithADialectOfItsOwn:
    PROVIDER = notes(add_note=OWN)

    def told(self, problem, operation="add_note"):
        return refused(problem, provider=self.PROVIDER, operation=self.PROVIDER.operations[operation])

    def test_answers_in_its_own_shape_with_its_own_words(self):
        answer, body = self.told(Problem(ProblemType.INVALID_REQUEST, (violation(message="it is odd"),)))
        assert (answer.status, answer.error, body) == (
            422,
            "taken",
            {"error": {"message": "In text: it is odd"}},
        )

    def test_answers_other_problems_as_the_others_do_but_in_its_shape(self):
        answer, body = self.told(Problem(ProblemType.CREDITS_EXHAUSTED))
        assert (answer.status, body) == (402, {"error": {"message": "No money"}})

    def test_may_have_its_own_problems_in_the_shape_of_all(self):
        provider = notes(add_note={"problems": OWN["problems"]})
        problem = Problem(ProblemType.INVALID_REQUEST, (violation(message="it is odd"),))
        answer, body = refused(problem, provider=provider, operation=provider.operations["add_note"])
        assert (answer.status, answer.error, body["error"]["message"]) == (422, "taken", "In text: it is odd")

    def test_leaves_the_other_operations_alone(self):
        answer, body = self.told(Problem(ProblemType.INVALID_REQUEST, (violation(),)), "read_note")
        assert (answer.status, body["error"]["code"]) == (400, "N400")


def test_a_problem_of_an_unknown_operation_is_told_in_the_providers_voice():
    answer, body = refused(Problem(ProblemType.UNKNOWN_PATH), operation=None)
    assert (answer.status, body["error"]) == (404, {"code": "N404", "message": "Nowhere"})


def test_an_error_without_a_code_leaves_it_out():
    codeless = {"status": 403, "code": None, "message": "Out", "cause": "any"}
    provider = notes(errors=errors(banned=codeless))
    assert refused(Problem(ProblemType.ACCOUNT_SUSPENDED), provider=provider)[1]["error"] == {
        "message": "Out"
    }


def test_what_a_table_does_not_say_is_said_as_usual():
    table = {"title": "Plain", "operations": {"ask": {"behaviour": "generate"}}}
    document = {"openapi": "3.1.0", "info": {"title": "Plain", "version": "1"},
                "paths": {"/": {"get": {"operationId": "ask", "responses": {}}}}}  # fmt: skip
    plain = a_provider("plain", document, table)
    answer, body = refused(Problem(ProblemType.KEY_MISSING), provider=plain, operation=None)
    message = "The key is missing or invalid"
    assert (answer.status, body) == (401, {"error": {"code": "unauthorized", "message": message}})


class TestWhatTheEmulatorItselfSays:
    def test_is_a_problem_of_rfc_9457(self):
        answer = problem_response(EmulatorProblem(418, "A teapot", "it is short"))
        assert (answer.status, answer.error) == (418, "A teapot")
        assert answer.headers == (("Content-Type", "application/problem+json"),)
        assert json.loads(answer.read()) == {
            "type": "about:blank", "title": "A teapot", "status": 418, "detail": "it is short"
        }  # fmt: skip

    def test_may_have_further_members_headers_and_an_explanation(self):
        problem = EmulatorProblem(405, "No", "not so", {"routes": []}, (violation(),), {"Allow": "GET"})
        answer = problem_response(problem)
        assert json.loads(answer.read())["routes"] == []
        assert answer.headers[:2] == (("Content-Type", "application/problem+json"), ("Allow", "GET"))
        assert [each["source"] for each in explained(answer)] == ["mockserver"]


class TestTheExplanation:
    def test_is_ascii_whatever_the_words_are(self):
        text = violations_header((violation("é", "“snow” ☃ 😀 \ud800 \r\n"),), "§ 1")
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(text)[0]["message"] == "“snow” ☃ 😀 \ud800 \r\n"

    def test_of_nothing_is_an_empty_list(self):
        assert violations_header((), "d") == "[]"

    @pytest.mark.parametrize("count", [1, 2, 40, 500])
    @pytest.mark.parametrize("letter", ["x", "é", "😀", '"', "\\"])
    def test_never_takes_more_than_4_kib_and_stays_json(self, letter, count):
        text = violations_header((violation(letter * 700, letter * 5000),) * count, "d")
        assert len(text) <= 4096
        assert 1 <= len(json.loads(text)) <= count

    def test_holds_as_many_as_fit_to_the_byte(self):
        # Each is {"location": "body", "pointer": "/x", …} of a length that its message decides.
        bare = len(violations_header((violation("x", ""),), "d")) - len("[]")
        rest = 4096 - len("[]") - 7 * (bare + len(", ") + 420)

        def held(last):
            seven = (violation("x", "m" * 420),) * 7
            return len(json.loads(violations_header((*seven, violation("x", "m" * last)), "d")))

        fitting = rest - bare - len(", ")  # room is kept for one more comma
        assert 0 < fitting < 600
        assert (held(fitting), held(fitting + 1)) == (8, 7)

    def test_leaves_out_all_that_stands_behind_what_does_not_fit(self):
        known = (violation("x", "m" * 600),) * 6 + (violation("y", ""),)
        kept = json.loads(violations_header(known, "d"))
        assert {each["pointer"] for each in kept} == {"/x"}

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("x" * 600, "x" * 600),
            ("x" * 601, "x" * 600 + "…"),
            ("é" * 100, "é" * 100),
            ("é" * 101, "é" * 100 + "…"),
            ("é" * 100 + "x", "é" * 100 + "…"),
            ("😀" * 50, "😀" * 50),
            ("😀" * 51, "😀" * 50 + "…"),
        ],
    )
    def test_shows_a_long_text_in_part(self, text, kept):
        (shown,) = json.loads(violations_header((violation(message=text),), "d"))
        assert shown["message"] == kept

    def test_shows_a_long_place_in_part(self):
        (shown,) = json.loads(violations_header((violation("x" * 700),), "d"))
        assert shown["pointer"] == "/" + "x" * 599 + "…"
