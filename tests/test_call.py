"""What a call knows of itself: its fields with their defaults, its plan, and how it is refused."""

import pytest
from catalogues import NOTES, a_call, a_match, a_request, a_world

from mockserver.call import Door, Exchange, Override
from mockserver.messages import Response
from mockserver.problems import ProblemType, Violation


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "x"),
        ("colour", "yellow"),
        ("copies", 5),
        ("is_framed", None),
        ("photo", None),
        ("nothing", None),
    ],
)
def test_a_field_that_was_not_sent_has_its_documented_default(name, value):
    assert a_call({"text": "x", "copies": 5, "photo": None}).value(name) == value


@pytest.mark.parametrize("value", [None, False, 0, ""])
def test_a_field_that_was_sent_has_no_default(value):
    assert a_call({"copies": value}).value("copies") == value


@pytest.mark.parametrize("body", [[], "text", 7, True])
def test_a_body_that_is_no_object_has_no_fields(body):
    call = a_call(body)
    assert (call.body, call.value("colour")) == ({}, "yellow")


def test_a_plan_says_what_the_accounts_plan_includes():
    world = a_world(note_1={"plan": "large"}, note_2={"plan": None})
    assert a_call(world=world).plan("at_once") == 3
    assert a_call(world=world).plan("nothing") is None
    assert a_call(world=world, key="note_2").plan("at_once") is None
    assert a_call(world=world, key="note_new").plan("at_once") == 2


def test_a_call_is_of_its_matchs_provider_and_operation():
    call = a_call(operation="read_note")
    assert (call.provider, call.operation) == (NOTES, NOTES.operations["read_note"])


def test_a_problem_stands_at_a_field_and_cites_the_document_of_the_row_that_answers():
    problem = a_call().problem(ProblemType.CREDITS_EXHAUSTED, "too few", name="a/b")
    assert (problem.type, problem.error) == (ProblemType.CREDITS_EXHAUSTED, None)
    assert problem.violations == (
        Violation("body", "/a~1b", "credits_exhausted", "too few", "The notes' handbook"),
    )


def test_a_problem_that_only_we_have_an_answer_to_is_ours():
    problem = a_call().problem(ProblemType.NAME_TAKEN, "it is taken", name="a")
    assert problem.violations[0].citation == "mockserver"


def test_a_problem_may_name_its_check_its_citation_its_row_and_another_place():
    problem = a_call().problem(
        ProblemType.INVALID_REQUEST, "no", keyword="uuid", citation="RFC 1", error="taken", location="header"
    )
    assert problem.error == "taken"
    assert problem.violations == (Violation("header", "", "uuid", "no", "RFC 1"),)


def exchange(match):
    return Exchange(a_request(), match, None, Override(), (), None, True, 0, 0, a_world(), "req-1")


def test_an_exchange_names_the_operation_or_the_door_or_nothing():
    assert exchange(a_match()).operation == "notes.add_note"
    assert exchange(Door("download", lambda *_: Response(200, (), b""))).operation == "download"
    assert exchange(None).operation is None
