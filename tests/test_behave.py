"""Which functions an operation has, and in which order they are asked."""

import json
import shutil

import pytest
from catalogues import NOTES, a_call, a_catalogue, notes

from mockserver import Request, create_engine
from mockserver.call import Result
from mockserver.pipeline.behave import Bound, behave, bind, examine
from mockserver.problems import Problem, ProblemType
from mockserver.spec.files import SPECS, SpecificationError, read_yaml


def bound(asked, *, refusing=None, sent=None):
    """Make the functions of an operation; each notes its name and what it sees, and one of them refuses."""

    def check(name):
        def noted(call):
            asked.append((name, call.request_id))
            if name == refusing:
                raise Problem(ProblemType.INVALID_REQUEST)

        return noted

    def change(name):
        def noted(call):
            check(name)(call)
            return call._replace(request_id=f"{call.request_id} {name}")

        return noted

    return Bound(
        rewrites=(change("rewrite 1"), change("rewrite 2")),
        checks=((None, check("check 1")), (sent, check("check 2"))),
        pictures=(change("picture"),),
        late_checks=((None, check("late check")),),
        behaviour=lambda call: Result(call.request_id),
    )


ORDER = ["rewrite 1", "rewrite 2", "check 1", "check 2", "picture", "late check"]


def test_a_call_is_rewritten_checked_and_its_pictures_are_opened_before_late_checks():
    asked: list[tuple[str, str]] = []
    call = examine(a_call(), bound(asked))
    assert [name for name, _ in asked] == ORDER
    assert call.request_id == "request-1 rewrite 1 rewrite 2 picture"


def test_everybody_sees_what_those_before_have_made_of_the_call():
    asked: list[tuple[str, str]] = []
    examine(a_call(), bound(asked))
    seen = dict(asked)
    assert seen["rewrite 1"] == "request-1"
    assert seen["rewrite 2"] == "request-1 rewrite 1"
    assert seen["check 1"] == seen["check 2"] == seen["picture"] == "request-1 rewrite 1 rewrite 2"
    assert seen["late check"] == "request-1 rewrite 1 rewrite 2 picture"


@pytest.mark.parametrize("name", ORDER)
def test_after_a_refusal_nobody_is_asked(name):
    asked: list[tuple[str, str]] = []
    with pytest.raises(Problem):
        examine(a_call(), bound(asked, refusing=name))
    assert asked[-1][0] == name


@pytest.mark.parametrize(("body", "is_asked"), [({"text": "x"}, False), ({"text": "x", "photo": None}, True)])
def test_a_check_of_a_field_is_asked_where_the_field_was_sent(body, is_asked):
    asked: list[tuple[str, str]] = []
    examine(a_call(body), bound(asked, sent="photo"))
    assert ("check 2" in [name for name, _ in asked]) is is_asked


def test_a_behaviour_gets_the_call():
    assert behave(a_call(), bound([])).body == "request-1"


def test_every_name_of_the_notes_leads_somewhere():
    made = bind(a_catalogue(NOTES, notes("pad")))
    assert list(made) == ["notes.add_note", "notes.read_note", "pad.add_note", "pad.read_note"]
    assert [len(each.pictures) for each in made.values()] == [1, 0, 1, 0]


def test_an_operation_answers_by_the_behaviour_that_its_row_names():
    call = a_call({"text": "Hello"})
    assert behave(call, bind(a_catalogue())["notes.add_note"]) == Result({"text": "Hello"}, 201)


@pytest.mark.parametrize(
    ("documented", "status"), [(["201"], 201), (["202", "201"], 202), (["202", "200"], 200), ([], 200)]
)
def test_a_success_has_its_documented_status_where_200_is_not(tmp_path, documented, status):
    fatthumb = tmp_path / "fatthumb"
    shutil.copytree(SPECS / "fatthumb", fatthumb)
    document = read_yaml(fatthumb / "openapi.yaml")
    responses = document["paths"]["/api/v1/generate"]["post"]["responses"]
    responses |= dict.fromkeys(documented, responses.pop("200"))
    (fatthumb / "openapi.yaml").write_text(json.dumps(document), "utf-8")
    headers = {"authorization": "Bearer nsk_test", "content-type": "application/json"}
    call = Request("POST", "/api/v1/generate", headers, body=b'{"prompt": "A cat"}')
    assert create_engine(spec_folders=[fatthumb]).handle(call).status == status


CHECK = {
    "check": "utf16_length",
    "field": "text",
    "limit": "photo_bytes",
    "error": "taken",
    "citation": "handbook",
}


def test_a_row_of_a_table_becomes_a_check_with_its_members():
    provider = notes(
        limits={**LIMITS, "photo_bytes": {**LIMITS["photo_bytes"], "value": 4}}, add_note={"checks": [CHECK]}
    )
    functions = bind(a_catalogue(provider))["notes.add_note"]
    examine(a_call({"text": "four"}, provider=provider), functions)
    with pytest.raises(Problem) as caught:
        examine(a_call({"text": "five!"}, provider=provider), functions)
    assert caught.value.error == "taken"
    assert caught.value.violations[0].citation == "The notes' handbook"


SMALL, HUGE = (f"data:image/png;base64,{'A' * size}" for size in (40, 4000))
LIMITS = {
    name: {"value": 3, "provenance": "documented", "citation": "handbook"}
    for name in ("per_minute", "photo_bytes")
}


@pytest.mark.parametrize(
    "body", [{"photo": HUGE}, {"photo": SMALL, "photos": [SMALL, HUGE]}, {"photos": [HUGE]}]
)
def test_a_picture_that_nothing_asks_for_is_held_to_its_limit_wherever_it_stands(body):
    row = {"roles": {"source": ["photo", "photos"]}, "limit": "photo_bytes", "citation": "handbook"}
    limits = {**LIMITS, "photo_bytes": {**LIMITS["photo_bytes"], "value": 1000}}
    provider = notes(limits=limits, add_note={"pictures": [{**row, "only_with": "is_framed"}]})
    functions = bind(a_catalogue(provider))["notes.add_note"]
    examine(a_call({"photo": SMALL}, provider=provider), functions)
    with pytest.raises(Problem) as caught:
        examine(a_call(body, provider=provider), functions)
    assert caught.value.type == ProblemType.PICTURE_TOO_LARGE


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"behaviour": "generat"},
            "add_note.behaviour: there is no mockserver/behaviours/generat.py; did you mean generate?",
        ),
        (
            {"behaviour": "generate.generat"},
            "there is no function 'generat' for this in mockserver/behaviours/generate.py",
        ),
        (
            {"behaviour": "checks.uuid"},
            "there is no function 'uuid' for this in mockserver/behaviours/checks.py",
        ),
        ({"checks": [{**CHECK, "check": "utf16_lenth"}]}, "did you mean utf16_length?"),
        ({"checks": [{**CHECK, "limit": "per_hour"}]}, "there is no row 'per_hour' under `limits`"),
        (
            {"late_checks": [{**CHECK, "field": "txt"}]},
            "late_checks[0].field: the body of this operation has no field 'txt'",
        ),
        ({"job": "note"}, "add_note.job: "),
    ],
)
def test_a_name_that_leads_nowhere_stops_the_start(row, said):
    with pytest.raises(SpecificationError) as caught:
        bind(a_catalogue(notes(add_note=row)))
    assert any(said in complaint for complaint in caught.value.complaints), caught.value.complaints
    assert all(complaint.startswith("notes/behaviour.yaml: ") for complaint in caught.value.complaints)
