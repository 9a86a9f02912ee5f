"""The verdict as a value: what it finds in the calls of a mock, without pytest."""

import threading

import httpx
import pytest

from mockserver import ContractWarning, MockServer, Start
from mockserver.behaviours import checks
from mockserver.problems import ProblemType
from mockserver.scaffold import scaffold
from mockserver.spec.schema import Schema
from mockserver.spec.usage import usages
from mockserver.verdict.judging import NOT_AGAINST_IT

SCORE = {"image_url": "https://example.com/a.png"}
# Checks and problems of the request alone; a new one must be known as one of these, or as one of the state.
OF_THE_REQUEST = {
    "uuid", "utf16_length", "utf8_length", "allowed_with", "unknown_path", "unknown_method",
    "key_missing", "key_malformed",
    "body_too_large", "unsupported_media_type", "malformed_body", "invalid_request", "picture_unreadable",
    "picture_too_large", "name_reserved",
}  # fmt: skip


def ask(mock, path="/v2/thumbnail/score", body=SCORE, provider="pikzels", method="POST"):
    to = mock.provider(provider)
    with httpx.Client(transport=mock.httpx_transport(), base_url=to.url, headers=to.headers) as client:
        return client.request(method, path, json=body)


def found(mock):
    return [(each.part, each.violations[0].pointer) for each in mock.verdict().findings if each.violations]


def test_every_check_and_every_problem_is_known_as_of_the_request_or_of_the_state():
    known = {name for name in vars(checks) if name[0] != "_" and callable(getattr(checks, name))}
    own = {name for name in known if getattr(checks, name).__module__ == checks.__name__}
    all_ = own | {each.value for each in ProblemType}
    assert all_ - NOT_AGAINST_IT == OF_THE_REQUEST


def test_a_right_call_leaves_nothing_to_say(mock):
    ask(mock)
    assert mock.verdict().findings == ()
    mock.assert_contract()


def test_a_finding_tells_its_call_and_no_line_where_no_test_of_pytest_runs(mock):
    ask(mock, body={"image_ur": 1})
    (finding,) = mock.verdict().errors
    assert finding.part == "refusals"
    assert finding.call.request.json == {"image_ur": 1}
    assert finding.violations[0].citation
    assert finding.line is None


def test_assert_contract_raises_what_is_an_error_and_warns_of_the_rest(mock):
    mock.reset(Start(strict="warn unmatched=error"))
    ask(mock, body={"image_ur": 1})
    with pytest.warns(ContractWarning, match="refusals: req-1"):
        mock.assert_contract()
    ask(mock, "/v2/nowhere")
    with (
        pytest.warns(ContractWarning),
        pytest.raises(AssertionError, match=r"\(unmatched\):\n1. unmatched: req-2"),
    ):
        mock.assert_contract()


def test_a_reset_begins_anew_and_keeps_how_strict_to_be(mock):
    mock.reset(Start(strict="unmatched=off", expect=["VALIDATION_ERROR"]))
    ask(mock, body={"image_ur": 1})
    mock.reset()
    ask(mock, "/v2/nowhere")
    assert [each.part for each in mock.verdict().errors] == ["expected"]


def test_a_strictness_or_a_declaration_that_cannot_be_is_refused_at_once(mock):
    with pytest.raises(ValueError, match="there is no level 'lax'"):
        mock.reset(Start(strict="lax"))
    with pytest.raises(ValueError, match="there is no operation 'pikzel"):
        mock.reset(Start(expect=[{"operation": "pikzel.*"}]))


def test_a_block_declares_without_pytest_too(mock):
    with mock.expect_refusal("VALIDATION_ERROR") as refused:
        ask(mock, body={"image_ur": 1})
    assert [each.error for each in refused.calls] == ["VALIDATION_ERROR"]
    mock.assert_contract()


def test_a_block_knows_calls_whose_answers_have_just_come():
    with MockServer() as mock:
        for number in range(100):
            with mock.expect_refusal(status=404):
                httpx.get(f"{mock.url}/nowhere/{number}")


def test_many_findings_are_counted_and_a_long_command_is_cut(mock):
    for number in range(13):
        ask(mock, f"/v2/nowhere/{number}")
    text = str(mock.verdict())
    assert "10. unmatched: req-10" in text
    assert "11. " not in text
    assert "... and 3 more" in text
    mock.reset()
    ask(mock, body={"image_ur": "word " * 10_000})
    assert len(str(mock.verdict())) < 6_000


def test_what_the_mock_says_in_its_own_voice_is_declared_by_its_status(mock):
    with httpx.Client(transport=mock.httpx_transport(), base_url=mock.url) as client:
        client.get("/nowhere/at/all")
    assert "with mockserver.expect_refusal(status=404)" in str(mock.verdict())


def test_an_order_that_came_too_seldom_says_how_often(mock):
    score = "pikzels.post_v2_thumbnail_score"
    mock.fail(score, "TOO_MANY_REQUESTS", times=3)
    mock.fail(score, {"status": 418})
    ask(mock)
    assert [each.summary for each in mock.verdict().errors] == [
        f"unused_faults: TOO_MANY_REQUESTS was ordered for {score} and came 1 of 3 times",
        f"unused_faults: a stub (418) was ordered for {score} and came never",
    ]


OPENAPI = """
openapi: 3.0.3
info: {title: Petshop, version: "1"}
paths:
  /pets:
    get:
      operationId: list_pets
      security: [{Key: []}, {}]
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
        - {name: page, in: query, deprecated: true, schema: {type: integer}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {a: {}}}}
        - {name: X-Trace, in: header, schema: {type: string, deprecated: true}}
      responses: {"200": {description: fine}}
    post:
      operationId: add_pet
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [name]
              properties:
                owner: {type: object, properties: {email: {type: string}, fax: {deprecated: true}}}
                tags: {type: array, items: {$ref: "#/components/schemas/Tag"}}
                labels: {type: object, additionalProperties: {type: object, properties: {text: {}}}}
                anything: {type: object}
                kind: {oneOf: [{type: string, enum: [old], deprecated: true}, {type: string, enum: [new]}]}
      responses: {"200": {description: fine}}
  /old:
    get: {operationId: old, deprecated: true, responses: {"200": {description: fine}}}
components:
  securitySchemes: {Key: {type: apiKey, in: query, name: key}}
  schemas: {Tag: {type: object, properties: {id: {}, code: {deprecated: true}}}}
"""


@pytest.fixture(scope="module")
def petshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specs")
    (folder / "openapi.yaml").write_text(OPENAPI)
    return MockServer(specs=[scaffold("petshop", folder / "openapi.yaml", folder)])


@pytest.fixture
def shop(petshop):
    petshop.reset(Start())
    return petshop


BODIES = {
    "a documented one": ({"name": "a", "owner": {"email": "a"}, "tags": [{"id": 1}]}, []),
    "a name that is only required": ({"name": "a"}, []),
    "a name that nobody knows": ({"name": "a", "tag": []}, [("undocumented", "/tag")]),
    "an inner one": ({"name": "a", "owner": {"mail": "a"}}, [("undocumented", "/owner/mail")]),
    "in an item": ({"name": "a", "tags": [{}, {"ix": 1}]}, [("undocumented", "/tags/1/ix")]),
    "a free name": ({"name": "a", "labels": {"x": {"text": 1}}}, []),
    "below a free name": ({"name": "a", "labels": {"x": {"test": 1}}}, [("undocumented", "/labels/x/test")]),
    "in an object of which nothing is said": ({"name": "a", "anything": {"x": 1}}, []),
    "a deprecated one": ({"name": "a", "owner": {"fax": 1}}, [("deprecated", "/owner/fax")]),
    "a deprecated one in an item": ({"name": "a", "tags": [{"code": 1}]}, [("deprecated", "/tags/0/code")]),
    "a choice that is deprecated": ({"name": "a", "kind": "old"}, [("deprecated", "/kind")]),
    "a choice that is not": ({"name": "a", "kind": "new"}, []),
    "a name with a slash": ({"name": "a", "a/b": 1}, [("undocumented", "/a~1b")]),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_a_field_is_undocumented_or_deprecated_by_its_schema(shop, body, expected):
    assert ask(shop, "/pets", body, "petshop").is_success
    assert found(shop) == expected


FREE = {"properties": {"a": {}}, "additionalProperties": True}
DEPENDENT = {"properties": {"a": {}}, "dependentSchemas": {"a": {"properties": {"b": {}}}}}


@pytest.mark.parametrize(
    ("schema", "value", "odd"),
    [
        (FREE, {"a": 1, "b": 1}, ["b"]),  # what may be there is not what is documented
        (DEPENDENT, {"b": 1}, ["b"]),
        (DEPENDENT, {"a": 1, "b": 1}, []),
        ({"items": FREE}, [{"b": 1}], ["[0].b"]),
        ({"prefixItems": [FREE], "items": {}}, [{"b": 1}, {"b": 1}], ["[0].b"]),
        ({"deprecated": True, "properties": {"a": {"deprecated": True}}}, {"a": 1}, ["a"]),
    ],
)
def test_a_name_is_documented_where_the_schema_gives_it(schema, value, odd):
    said = [each.message.partition(" is ")[0] for each in usages(Schema(schema, "here"), value)]
    assert [each.removeprefix("the request body") for each in said] == odd


QUERIES = {
    "limit=1&filter[a]=1&key=test": [],
    "limt=1": [("undocumented", "/limt")],
    "page=1": [("deprecated", "/page")],
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_parameter_is_undocumented_or_deprecated(shop, query):
    assert ask(shop, f"/pets?{query}", None, "petshop", "GET").is_success
    assert found(shop) == QUERIES[query]


def test_a_deprecated_header_and_a_deprecated_operation_are_found(shop):
    with httpx.Client(transport=shop.httpx_transport(), base_url=shop.provider("petshop").url) as client:
        client.get("/pets", headers={"X-Trace": "a"})
        client.get("/old")
    assert found(shop) == [("deprecated", "/X-Trace"), ("deprecated", "")]


def test_a_call_that_is_refused_is_not_asked_for_its_fields_too(shop):
    assert ask(shop, "/pets", {"tag": []}, "petshop").status_code >= 400
    assert [part for part, _ in found(shop)] == ["refusals"]


def test_a_body_of_which_the_journal_kept_a_part_is_read_as_far_as_it_goes(shop):
    ask(shop, "/pets", {"name": "a" * 100_000, "tag": 1}, "petshop")
    ask(shop, "/pets", {"name": "a b " * 50_000, "tag": 1}, "petshop")
    ask(shop, "/pets", ["a"] * 50_000, "petshop")
    assert ("undocumented", "/tag") in found(shop)


def test_settling_waits_for_a_server_that_runs_and_for_no_other():
    mock = MockServer()
    with mock:
        mock.verdict()
        server = mock._control.server  # type: ignore[attr-defined] # it is in this process
        assert server
        thread = threading.Thread(target=server.settle)
        thread.start()
        thread.join()
    server.settle()
    mock.verdict()


def call_tool(mock, **arguments):
    params = {"name": "generate_thumbnail", "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return ask(mock, "/api/mcp", message, "fatthumb")


def test_what_a_tool_refuses_is_a_refusal_although_its_answer_is_a_200(mock):
    assert call_tool(mock, prompt="A focused developer", model="none").status_code == 200
    (finding,) = mock.verdict().errors
    assert (finding.part, finding.violations[0].pointer) == ("refusals", "/model")
    assert finding.call.operation == "fatthumb.post_api_mcp"


def test_a_refusal_of_a_tool_is_declared_like_any_other(mock):
    with mock.expect_refusal("validation_error", field="model"):
        call_tool(mock, prompt="A focused developer", model="none")
    call_tool(mock, prompt="A focused developer")
    mock.assert_contract()


def test_what_the_journal_keeps_of_a_tool_is_cut_too(mock):
    call_tool(mock, prompt="A focused developer " * 10_000, model="none")
    (exchange,) = mock.engine.world.journal
    assert exchange.weight < 300_000
    assert [each.part for each in mock.verdict().errors] == ["refusals"]
