"""What a request says, held against the specification: every violation at once, and what it comes to."""

from typing import Any

import pytest
from catalogues import NOTES, a_match, a_provider, errors, notes

from mockserver.call import Arguments
from mockserver.pipeline.validate import validate
from mockserver.problems import Problem, ProblemType
from mockserver.spec.fields import branch
from mockserver.spec.rows import Refusal

JSON = "application/json"


def told(body, provider=NOTES, media_type=JSON):
    """Validate the body of a note; give the Problem, None where there is none."""
    try:
        validate(a_match("add_note", provider), Arguments({}, {}, {}, body, (), media_type))
    except Problem as problem:
        return problem
    return None


def places(body, provider=NOTES):
    problem = told(body, provider)
    return {each.pointer: each.keyword for each in problem.violations} if problem else {}


def sentences(body, provider=NOTES):
    return [each.message for each in told(body, provider).violations]


GOOD = {"text": "Buy milk", "colour": "green", "copies": 9, "is_framed": False, "photos": []}


@pytest.mark.parametrize("body", [{"text": "x"}, GOOD, {"text": "y" * 40, "photo": "https://example.com/a"}])
def test_what_obeys_is_let_through(body):
    assert told(body) is None


def test_a_request_without_a_body_is_judged_by_its_parameters_alone():
    assert told(None, media_type=None) is None


@pytest.mark.parametrize(
    ("body", "place", "keyword", "sentence"),
    [
        ({}, "/text", "required", "text is required"),
        ({"text": ""}, "/text", "minLength", "text must not be empty"),
        ({"text": "y" * 41}, "/text", "maxLength", "text must have at most 40 characters (it has 41)"),
        ({"text": 7}, "/text", "type", "text must be a string"),
        ({"text": None}, "/text", "type", "text must be a string"),
        ({"text": "x", "colour": "red"}, "/colour", "enum", "colour must be one of: yellow, green"),
        ({"text": "x", "copies": True}, "/copies", "type", "copies must be a whole number"),
        ({"text": "x", "copies": 10}, "/copies", "maximum", "copies must be at most 9"),
        ({"text": "x", "photos": ["a", 1]}, "/photos/1", "type", "photos[1] must be a string"),
        (
            {"text": "x", "txt": 1},
            "/txt",
            "additionalProperties",
            "txt is not a known field; did you mean text?",
        ),
        ({"text": "x", "a/b~": 1}, "/a~1b~0", "additionalProperties", "a/b~ is not a known field"),
        ([], "", "type", "The request body must be a JSON object"),
        (None, "", "type", "The request body must be a JSON object"),
    ],
)
def test_a_violation_says_where_it_is_which_keyword_is_broken_and_how(body, place, keyword, sentence):
    problem = told(body)
    (violation,) = problem.violations
    assert (violation.location, violation.pointer, violation.keyword) == ("body", place, keyword)
    assert violation.message == sentence
    assert (problem.type, problem.error) == (ProblemType.INVALID_REQUEST, None)


def test_every_violation_is_told_at_once():
    body = {"colour": "red", "copies": 0, "is_framed": 1, "x": 1, "photos": ["a", 1, 2]}
    assert places(body) == {
        "/text": "required",
        "/colour": "enum",
        "/copies": "minimum",
        "/is_framed": "type",
        "/x": "additionalProperties",
        "/photos/1": "type",
        "/photos/2": "type",
    }


def test_what_is_wrong_with_parameters_is_told_before_what_is_wrong_with_the_body():
    path = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    header = {"name": "Note-Tone", "in": "header", "required": True, "schema": {"enum": ["loud"]}}
    body = {"content": {JSON: {"schema": {"type": "object", "required": ["text"]}}}}
    put = {"operationId": "put", "parameters": [path, header], "requestBody": body}
    document = {"openapi": "3.1.0", "paths": {"/notes/{id}": {"put": put}}}
    provider = a_provider("pad", document, {"title": "Pad", "operations": {"put": {"behaviour": "generate"}}})
    with pytest.raises(Problem) as caught:
        validate(a_match("put", provider), Arguments({"id": "x"}, {}, {}, {}, (), JSON))
    assert [(each.location, each.pointer, each.message) for each in caught.value.violations] == [
        ("path", "/id", "id must be a whole number"),
        ("header", "/Note-Tone", "Note-Tone is required"),
        ("body", "/text", "text is required"),
    ]
    validate(
        a_match("put", provider), Arguments({"id": 7}, {}, {"Note-Tone": "loud"}, {"text": ""}, (), JSON)
    )


def queried(schema, value, *, wording=(), required=True, name="ids"):
    """Judge one query parameter; give the violations as place, keyword and sentence."""
    query = {"name": name, "in": "query", "required": required, "schema": schema}
    document = {"openapi": "3.1.0", "paths": {"/": {"get": {"operationId": "ask", "parameters": [query]}}}}
    table = {"title": "Pad", "wording": list(wording), "operations": {"ask": {"behaviour": "generate"}}}
    match = a_match("ask", a_provider("pad", document, table))
    try:
        validate(match, Arguments({}, {} if value is None else {name: value}, {}, None))
    except Problem as problem:
        return [(each.location, each.pointer, each.keyword, each.message) for each in problem.violations]
    return []


def test_a_parameter_is_judged_by_its_schema():
    numbers = {"type": "array", "items": {"type": "integer"}, "minItems": 2}
    assert queried(numbers, [1, 2]) == []
    assert queried(numbers, ["x", 2]) == [("query", "/ids/0", "type", "ids[0] must be a whole number")]
    assert queried(numbers, [1]) == [
        ("query", "/ids", "minItems", "ids must hold at least 2 items (it holds 1)")
    ]


def test_a_parameter_that_need_not_be_sent_may_be_missing():
    assert queried({"type": "integer"}, None, required=False) == []
    assert queried({"type": "integer"}, None) == [("query", "/ids", "required", "ids is required")]


def test_the_name_of_a_parameter_is_escaped_in_its_place():
    places = [queried({"type": "integer"}, value, name="a/b")[0][1] for value in (None, "x")]
    assert places == ["/a~1b", "/a~1b"]


def test_a_parameter_is_named_whatever_it_and_its_schema_are_called():
    said = queried({"type": "array", "items": {"const": "The request body"}}, ["x"])
    assert said == [("query", "/ids/0", "const", "ids[0] must be The request body")]


def test_a_sentence_of_the_table_names_the_parameter():
    fact = {"provenance": "assumed", "citation": "ours"}
    wording = [{"keyword": "minimum", "message": "$field is too small, says $shop", **fact}]
    said = queried({"type": "array", "items": {"minimum": 5}}, [7, 3], wording=wording)
    assert said == [("query", "/ids/1", "minimum", "ids[1] is too small, says $shop")]


class TestTheWordingOfATable:
    ROWS = (
        {"keyword": "minLength", "field": "text", "message": "Say something in $field"},
        {"pattern": "^https://", "message": "$field needs https"},
        {"field": "copies", "message": "$field: 1 to 9"},
        {"keyword": "type", "message": "$field is of the wrong kind"},
        {"keyword": "required", "message": "$field, please"},
    )
    PROVIDER = notes(wording=ROWS)

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({"text": ""}, "Say something in text"),
            ({"text": "y" * 41}, "text must have at most 40 characters (it has 41)"),
            ({"text": "x", "photo": "http://a"}, "photo needs https"),
            ({"text": "x", "photo": 7}, "photo is of the wrong kind"),
            ({"text": "x", "copies": "many"}, "copies: 1 to 9"),
            ({"text": "x", "copies": 10}, "copies: 1 to 9"),
            ({"text": "x", "photos": [1]}, "photos[0] is of the wrong kind"),
            ({}, "text, please"),
            ([], "the request body is of the wrong kind"),
        ],
    )
    def test_speaks_where_all_that_a_row_names_is_so_and_the_first_row_wins(self, body, sentence):
        assert sentences(body, self.PROVIDER) == [sentence]


class TestErrorsOfTheirOwn:
    """The rows `refusals`: the first that fits speaks; of several violations the first row's is named."""

    ROWS = (
        {"error": "textless", "field": "text", "keywords": ["required", "minLength"]},
        {"error": "odd_copies", "field": "copies"},
        {"error": "wordy", "field": "text"},
        {"error": "colourless", "field": "colour", "stands_alone": True},
    )
    PROVIDER = notes(
        errors=errors("textless", "odd_copies", "wordy", "colourless"), add_note={"refusals": list(ROWS)}
    )

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({}, "textless"),
            ({"text": ""}, "textless"),
            ({"text": "y" * 41}, "wordy"),
            ({"text": 7}, "wordy"),
            ({"text": "x", "copies": 0}, "odd_copies"),
            ({"text": "x", "copies": "0"}, "odd_copies"),
            ({"text": "x", "colour": "red"}, "colourless"),
            ({"text": "x", "photos": 1}, None),
            ({"text": "x", "x": 1}, None),
            ([], None),
        ],
    )
    def test_one_violation_comes_to_the_first_row_that_fits(self, body, error):
        problem = told(body, self.PROVIDER)
        assert problem.error == error
        assert [each.error for each in problem.violations] == [error]

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"copies": 0}, "textless"),
            ({"copies": 0, "text": 7}, "odd_copies"),
            ({"text": "", "copies": 0, "photos": 1, "x": 1}, "textless"),
            ({"text": 7, "x": 1}, "wordy"),
            ({"text": 7, "colour": "red"}, "wordy"),
        ],
    )
    def test_of_several_the_one_with_the_first_row_is_named(self, body, error):
        assert told(body, self.PROVIDER).error == error

    @pytest.mark.parametrize("more", [{"x": 1}, {"photos": 1}, {"photos": 1, "x": 1}])
    def test_a_row_that_stands_alone_is_named_only_where_nothing_else_is_wrong(self, more):
        assert told({"text": "x", "colour": "red", **more}, self.PROVIDER).error is None

    def test_its_violations_say_what_the_row_says_and_the_others_what_they_always_say(self):
        body = {"copies": 0, "x": 1}
        assert dict(zip(places(body, self.PROVIDER), sentences(body, self.PROVIDER), strict=True)) == {
            "/text": "It is textless",
            "/copies": "It is odd_copies",
            "/x": "x is not a known field",
        }

    def test_a_violation_deep_in_a_field_belongs_to_the_field(self):
        provider = notes(
            errors=errors("blurred"), add_note={"refusals": [{"error": "blurred", "field": "photos"}]}
        )
        (violation,) = told({"text": "x", "photos": ["a", 1]}, provider).violations
        assert (violation.error, violation.location, violation.pointer) == ("blurred", "body", "/photos/1")

    def test_a_row_of_all_that_is_equal_in_name_stands_alone_together(self):
        rows = [{"error": "blurred", "field": "photos", "stands_alone": True}]
        provider = notes(errors=errors("blurred"), add_note={"refusals": rows})
        assert told({"text": "x", "photos": [1, 2]}, provider).error == "blurred"


CHOICE = {
    "type": "object",
    "properties": {
        "link": {"type": "string"},
        "file": {"type": "string"},
        "size": {"enum": ["s", "l"]},
        "depth": {"type": "integer"},
        "width": {"type": "integer"},
    },
    "allOf": [
        {"oneOf": [{"required": ["link"]}, {"required": ["file"]}]},
        {
            "not": {
                "anyOf": [
                    {"properties": {"size": {"enum": ["s"]}}, "required": ["depth"]},
                    {"properties": {"size": {"enum": ["s"]}}, "required": ["width"]},
                ]
            }
        },
    ],
}


ROWS = (
    {"error": "unclear", "choice": ["link", "file"]},
    {"error": "shallow", "when": {"size": ["s"]}, "forbids": ["depth", "width"]},
)


def choosy(body):
    row = {"refusals": list(ROWS), "price": None, "orders": None, "pictures": None}
    return notes(body=body, schemas={"Choice": CHOICE}, errors=errors("unclear", "shallow"), add_note=row)


@pytest.mark.parametrize("copies", [99, 9.5, 99.5])
def test_what_a_table_says_of_numbers_holds_for_whole_ones_too(copies):
    row = {"field": "copies", "keywords": ["maximum"], "sent": "number", "provenance": "assumed"}
    provider = notes(add_note={"keywords": [{**row, "citation": "manual"}]}, citations={"manual": "a manual"})
    found = {each.keyword: each.citation for each in told({**GOOD, "copies": copies}, provider).violations}
    assert found["maximum"] == "a manual"


def test_what_a_table_says_of_a_field_holds_for_no_other():
    row = {"field": "copies", "provenance": "assumed", "citation": "manual"}
    provider = notes(add_note={"keywords": [row]}, citations={"manual": "a manual"})
    body = {"text": "", "copies": 99, "colour": "red"}
    found = {each.pointer: each.citation for each in told(body, provider).violations}
    assert found == {"/copies": "a manual", "/text": "", "/colour": ""}


class TestErrorsOfChoicesAndOfWhatExcludesEachOther:
    PROVIDER = choosy(CHOICE)

    @pytest.mark.parametrize(
        ("row", "found"),
        [
            (Refusal(error="a", choice=("link", "file")), "/$ref/allOf/0/oneOf"),
            (Refusal(error="a", choice=("link", "size")), None),
            (Refusal(error="a", forbids=("depth", "width"), when={"size": ("s",)}), "/$ref/allOf/1"),
            (Refusal(error="a", forbids=("depth",), when={"size": ("s",)}), None),
            (Refusal(error="a", forbids=("depth", "width"), when={"size": ("l",)}), None),
            (Refusal(error="a", forbids=("depth", "width")), None),
        ],
    )
    def test_are_found_where_the_schema_says_just_that(self, row, found):
        operation = choosy({"$ref": "#/components/schemas/Choice"}).operations["add_note"]
        assert branch(operation, row) == found

    @pytest.mark.parametrize(
        ("body", "place"), [({}, "/link"), ({"link": "a", "file": "b"}, "/link"), ({"link": "a"}, None)]
    )
    def test_a_choice_is_named_by_the_first_field_that_was_sent(self, body, place):
        problem = told({**body, "size": "l"}, self.PROVIDER)
        found = [(each.pointer, each.error, each.message) for each in problem.violations] if problem else []
        assert found == ([(place, "unclear", "It is unclear")] if place else [])

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            ({"size": "s", "width": 1}, "/width"),
            ({"size": "s", "width": 1, "depth": 1}, "/depth"),
            ({"size": "l", "width": 1}, None),
            ({"size": "s"}, None),
        ],
    )
    def test_what_is_forbidden_beside_a_value_is_named_by_what_was_sent_of_it(self, body, place):
        problem = told({"link": "a", **body}, self.PROVIDER)
        found = [(each.pointer, each.error) for each in problem.violations] if problem else []
        assert found == ([(place, "shallow")] if place else [])

    def test_what_only_seems_forbidden_because_its_premise_is_missing_is_no_violation_beside_others(self):
        # Without `size` the document's `not` is broken as well; a caller is told what he can understand.
        problem = told({"width": "w"}, self.PROVIDER)
        assert {each.pointer for each in problem.violations} == {"/link", "/width"}
        assert {each.error for each in problem.violations} == {"unclear", None}

    def test_what_follows_from_a_missing_premise_is_told_where_nothing_else_is_wrong(self):
        problem = told({"link": "a", "width": 1}, self.PROVIDER)
        assert [each.error for each in problem.violations] == ["shallow"]

    def test_a_body_that_is_no_object_is_told_nothing_else(self):
        bodies: list[Any] = [[], "text", 7, None, True]
        for body in bodies:
            assert sentences(body, self.PROVIDER) == ["The request body must be a JSON object"]

    def test_an_error_of_the_second_of_many_is_not_that_of_the_eleventh(self):
        others = [*[{}] * 8, {"properties": {"depth": {"maximum": 5}}}]
        provider = choosy({**CHOICE, "allOf": [*CHOICE["allOf"], *others]})
        (violation,) = told({"link": "a", "size": "l", "depth": 9}, provider).violations
        assert (violation.pointer, violation.keyword, violation.error) == ("/depth", "maximum", None)

    def test_the_first_row_wins_over_the_second(self):
        problem = told({"size": "s", "width": 1}, self.PROVIDER)
        assert (problem.error, len(problem.violations)) == ("unclear", 2)

    @pytest.mark.parametrize("depth", [1, 2])
    def test_they_are_found_behind_a_reference_too(self, depth):
        reference = {"$ref": "#/components/schemas/Choice"}
        provider = choosy(
            reference if depth == 1 else {"allOf": [{"type": "object"}, {"allOf": [reference]}]}
        )
        assert told({}, provider).error == "unclear"
        assert told({"link": "a", "size": "s", "width": 1}, provider).error == "shallow"
