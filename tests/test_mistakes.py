"""Whoever writes a provider's folder makes mistakes: each is named with its file, its key and the way out."""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from mockserver.cli import main
from mockserver.spec.files import SPECS, read_yaml

TABLE, DOCUMENT = "behaviour.yaml", "openapi.yaml"
POST, GET = "post_api_v1_generate", "get_api_v1_generations_id"
PATH, STATUS_PATH = "/api/v1/generate", "/api/v1/generations/{id}"


def body_schema(document):
    return document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]


def add_check(table, **check):
    table["operations"][POST]["checks"] = [{"citation": "ours", **check}]


def row(table, operation=POST):
    return table["operations"][operation]


# The file, what is done to it, and what the complaint must name besides the file: the key, and the way out.
MISTAKES: dict[str, tuple[str, Callable[..., Any], list[str]]] = {
    "an error of a check that its operation does not document": (
        DOCUMENT,
        lambda d: [d["paths"][PATH]["post"]["responses"].pop(each, None) for each in ("default", "422")],
        [f"{POST}: no response is documented for 422 (consent_withdrawn)"],
    ),
    "a shape of errors that only one operation has": (
        TABLE,
        lambda t: row(t, GET).update(answers={"error": {"wrong": "$message"}}),
        [f"operations.{GET}.answers.error: as unauthorized it breaks the document's 401"],
    ),
    "a misspelt value in the shape of errors": (
        TABLE,
        lambda t: t.update(answers={"error": {"code": "$cd", "message": "$message"}}),
        ["answers.error.code: there is no $cd here; did you mean code?"],
    ),
    "an error that nothing raises, called like an attribute": (
        TABLE,
        lambda t: t["errors"].update(
            is_blockd={"status": 400, "code": None, "message": "No", "cause": "none"}
        ),
        ["errors.is_blockd: nothing raises this and no document knows it; did you mean org_blocked?"],
    ),
    "a misspelled error": (
        TABLE,
        lambda t: t["problems"]["key_missing"].update(error="unauthorised"),
        ["problems.key_missing.error", "did you mean unauthorized?"],
    ),
    "an unknown problem": (
        TABLE,
        lambda t: t["problems"].update(key_mising={"error": "unauthorized"}),
        ["problems.key_mising", "did you mean key_missing?"],
    ),
    "an unknown check": (
        TABLE,
        lambda t: add_check(t, check="plan_allow"),
        [f"{POST}.checks[0]", "'plan_allow'", "mockserver/behaviours/checks.py", "did you mean plan_allows?"],
    ),
    "an unknown check parameter": (
        TABLE,
        lambda t: add_check(t, check="uuid", field="prompt", error="not_found", colour=1),
        [f"{POST}.checks.0.colour", "is not a known field"],
    ),
    "a missing check parameter": (
        TABLE,
        lambda t: add_check(t, check="uuid", error="not_found"),
        [f"{POST}.checks.0.field", "is required"],
    ),
    "an error of a check": (
        TABLE,
        lambda t: add_check(t, check="uuid", field="prompt", error="not_fund"),
        [f"operations.{POST}.checks[0].error", "did you mean not_found?"],
    ),
    "a field of a check": (
        TABLE,
        lambda t: add_check(t, check="uuid", field="promt", error="not_found"),
        [f"operations.{POST}.checks[0].field", "did you mean prompt?"],
    ),
    "a behaviour as a check": (
        TABLE,
        lambda t: add_check(t, check="fatthumb.read"),
        [f"{POST}.checks[0].check", "'read'"],
    ),
    "a check as a behaviour": (TABLE, lambda t: row(t, GET).update(behaviour="checks.uuid"), [GET, "'uuid'"]),
    "an unknown function": (
        TABLE,
        lambda t: row(t, GET).update(behaviour="fatthumb.reed"),
        [GET, "'reed'", "mockserver/behaviours/fatthumb.py", "did you mean read?"],
    ),
    "an unknown module": (
        TABLE,
        lambda t: row(t, GET).update(behaviour="fathumb.read"),
        [GET, "mockserver/behaviours/fathumb.py", "did you mean fatthumb?"],
    ),
    "a private function": (
        TABLE,
        lambda t: row(t, GET).update(behaviour="fatthumb._thumbnail"),
        [GET, "'_thumbnail'"],
    ),
    "a borrowed function": (
        TABLE,
        lambda t: row(t, GET).update(behaviour="fatthumb.publish"),
        [GET, "'publish'", "mockserver/behaviours/fatthumb.py"],
    ),
    "settings that a behaviour does not take": (
        TABLE,
        lambda t: row(t, GET).update(settings={"colour": "red"}),
        [f"{GET}.settings", "colour is not a known field"],
    ),
    "a misspelled setting": (
        TABLE,
        lambda t: row(t).update(settings={"watermrk": "has_watermark"}),
        [f"{POST}.settings.watermrk", "did you mean watermark?"],
    ),
    "a missing setting": (TABLE, lambda t: row(t).pop("settings"), [f"{POST}.settings", "is required"]),
    "a job that is missing": (TABLE, lambda t: row(t).pop("job"), [POST, "generate needs `job`"]),
    "a job for what starts none": (
        TABLE,
        lambda t: row(t, GET).update(job="generation"),
        [f"{GET}.job", "takes none"],
    ),
    "jobs that are missing": (TABLE, lambda t: t.pop("jobs"), [POST, "needs `jobs`"]),
    "a word that is missing": (
        TABLE,
        lambda t: t["words"].pop("thumbnail_error"),
        [f"words: the function fatthumb.read of operations.{GET} takes", "thumbnail_error is required"],
    ),
    "a word that nothing takes": (
        TABLE,
        lambda t: t["words"].update(thumbnail_eror="No"),
        ["words.thumbnail_eror", "did you mean thumbnail_error?"],
    ),
    "a value that the field cannot have": (
        TABLE,
        lambda t: row(t)["late_checks"][1].update(body={"model": "gpt-image-3"}),
        [f"{POST}.late_checks[1].body.model", "did you mean gpt-image-2?"],
    ),
    "a plan with a value that the field cannot have": (
        TABLE,
        lambda t: t["plans"]["pro"].update(models=["gemini-3-prro"]),
        ["plans.pro.models", "did you mean gemini-3-pro?"],
    ),
    "an attribute that one plan lacks": (
        TABLE,
        lambda t: t["plans"]["free"].pop("variations"),
        ["plans.free", "variations is missing"],
    ),
    "an attribute that nothing reads": (
        TABLE,
        lambda t: [plan.update(colour=1) for plan in t["plans"].values()],
        ["plans", "nothing reads 'colour'"],
    ),
    "an attribute of accounts that nothing reads": (
        TABLE,
        lambda t: t["accounts"]["attributes"].update(is_red={"type": "boolean", "description": "red"}),
        ["accounts.attributes", "nothing reads 'is_red'"],
    ),
    "an attribute of another type": (
        TABLE,
        lambda t: row(t)["price"].update(free_when={"persons": True}),
        [f"{POST}.price.free_when", "persons is states", "boolean"],
    ),
    "a state that nothing can have": (
        TABLE,
        lambda t: row(t)["late_checks"][7].update(states={"withdrawwn": "consent_withdrawn"}),
        [f"{POST}.late_checks[7].states", "did you mean withdrawn?"],
    ),
    "a price that leaves a model out": (
        TABLE,
        lambda t: row(t)["price"]["terms"][0]["amounts"].pop("gpt-image-2"),
        [f"{POST}.price.terms[0].amounts", "'gpt-image-2' is missing"],
    ),
    "a number of a text": (
        TABLE,
        lambda t: row(t)["price"].update(times="prompt"),
        [f"{POST}.price.times", "prompt is string", "integer or number"],
    ),
    "a price without a document": (
        TABLE,
        lambda t: row(t)["price"].pop("citation"),
        [f"{POST}.price", "citation is required", "`defaults`"],
    ),
    "an error that nobody knows": (
        TABLE,
        lambda t: t["errors"].update(teapot={"status": 418, "message": "No", "cause": "tea"}),
        ["errors.teapot", "knows no code 'teapot'", "add it to the enum there"],
    ),
    "a plan that is not documented": (
        TABLE,
        lambda t: t["plans"].update(team=t["plans"]["pro"]),
        ["plans.team", "name it there"],
    ),
    "a misspelled code": (
        TABLE,
        lambda t: t["errors"]["not_found"].update(code="not_fund"),
        ["errors.not_found", "did you mean not_found?"],
    ),
    "a member of errors that is not documented": (
        TABLE,
        lambda t: t["answers"].update(error={"mesage": "$message", "code": "$code"}),
        ["answers.error", "'mesage'", "did you mean message?"],
    ),
    "an error in a shape that the document does not have": (
        TABLE,
        lambda t: t["answers"].update(error={"message": "$message"}),
        ["answers.error: as unauthorized it breaks the document's 401: ", "code is required"],
    ),
    "an operation's own errors in a shape that the document does not have": (
        TABLE,
        lambda t: row(t).update(answers={"error": {"code": "$code"}}),
        [f"operations.{POST}.answers.error: as unauthorized it breaks", "message is required"],
    ),
    "details that errors of the document do not have": (
        TABLE,
        lambda t: (
            t["errors"]["rate_limited"].update(has_details=True)
            or t["answers"].update(detail={"at": "$field"}, error={**t["answers"]["error"], "at": "$details"})
        ),
        ["answers.error: as rate_limited it breaks the document's 429: at is not a known field"],
    ),
    "details that have no place": (
        TABLE,
        lambda t: t["errors"]["not_found"].update(has_details=True),
        ["answers: an error has details, but `error` has no $details"],
    ),
    "details in no shape": (
        TABLE,
        lambda t: (
            t["errors"]["not_found"].update(has_details=True)
            or t["answers"].update(error={**t["answers"]["error"], "details": "$details"})
        ),
        ["answers: an error has details, but", "`detail` is missing"],
    ),
    "a name that has no value": (
        TABLE,
        lambda t: t["answers"].update(error={"message": "$mesage", "code": "$code"}),
        ["answers.error.message", "$mesage", "did you mean message?"],
    ),
    "a name in a message": (
        TABLE,
        lambda t: t["problems"]["invalid_request"].update(message="No: $violatoin"),
        ["problems.invalid_request.message", "did you mean violation?"],
    ),
    "an operation without a row": (
        TABLE,
        lambda t: t["operations"].pop(GET),
        [DOCUMENT, GET, "has no row under `operations`", "add one"],
    ),
    "a row without an operation": (
        TABLE,
        lambda t: t["operations"].update(extra={"behaviour": "generate"}),
        ["operations.extra", "no such operationId", "remove or rename"],
    ),
    "an unknown citation": (
        TABLE,
        lambda t: t["errors"]["not_found"].update(citation="genrate"),
        ["errors.not_found.citation", "did you mean generate?"],
    ),
    "a citation that nothing cites": (
        TABLE,
        lambda t: t["citations"].update(elsewhere="a page"),
        ["citations", "nothing reads 'elsewhere'"],
    ),
    "an unknown plan": (
        TABLE,
        lambda t: t["keys"]["new_account"].update(plan="prro"),
        ["keys.new_account.plan", "must be one of: free, pro, ultra"],
    ),
    "an unknown limit": (
        TABLE,
        lambda t: add_check(t, check="utf16_length", field="prompt", error="not_found", limit="most"),
        [f"{POST}.checks[0].limit", "no row 'most' under `limits`"],
    ),
    "a sample that is no key": (TABLE, lambda t: t["keys"].update(sample="test"), ["keys.sample", "'nsk_'"]),
    "a host that no document mentions": (
        TABLE,
        lambda t: t.update(hosts=["fatthum.klaas.pro"]),
        ["hosts[0]", "'fatthum.klaas.pro'"],
    ),
    "a keyword that the field does not have": (
        TABLE,
        lambda t: t["wording"][0].update(keyword="maxLength"),
        ["wording[0].keyword", "aspectRatio has no 'maxLength'"],
    ),
    "a wrong type of a key": (
        TABLE,
        lambda t: t.update(hosts="fatthumb.klaas.pro"),
        ["hosts", "must be an array"],
    ),
    "an unknown key": (TABLE, lambda t: t.update(host=[]), ["host", "did you mean hosts?"]),
    "an unknown provenance": (
        TABLE,
        lambda t: t["errors"]["not_found"].update(provenance="guessed"),
        ["errors.not_found.provenance", "documented, observed, assumed"],
    ),
    "a member that the row does not have": (
        TABLE,
        lambda t: t["errors"]["not_found"].update(ours=["cod"]),
        ["errors.not_found.ours[0]", "no member 'cod'", "did you mean code?"],
    ),
    "a place that the table does not have": (
        TABLE,
        lambda t: t["known"].update({"plans.*.variatons": t["known"].pop("plans.*.variations")}),
        ["known.plans.*.variatons", "nothing is called 'variatons' there", "did you mean variations?"],
    ),
    "a citation of a keyword that the field does not have": (
        TABLE,
        lambda t: row(t)["keywords"][0].update(keywords=["maxLength"]),
        [f"{POST}.keywords[0].keywords", "prompt has no 'maxLength'"],
    ),
    "a sentence without a document": (
        TABLE,
        lambda t: t["wording"][0].pop("citation"),
        ["wording[0]", "citation is required", "`defaults`"],
    ),
    "the document of a problem": (
        TABLE,
        lambda t: t["problems"]["malformed_body"].update(citation="our"),
        ["problems.malformed_body.citation", "did you mean ours?"],
    ),
    "an unknown problem of an operation": (
        TABLE,
        lambda t: row(t, "post_api_mcp")["problems"].update(internl={"error": "not_found"}),
        ["operations.post_api_mcp.problems.internl", "did you mean internal?"],
    ),
    "a key that is a number": (
        TABLE,
        lambda t: t["words"].update({404: "no"}),
        ["words.404", "no behaviour of this table takes it"],
    ),
    "roles that are no mapping": (
        TABLE,
        lambda t: row(t).update(pictures=[{"roles": ["a"], "limit": "calls_per_hour"}]),
        [f"operations.{POST}.pictures.0.roles", "must be a JSON object"],
    ),
    "a size that no field takes": (
        TABLE,
        lambda t: t["sizes"].update({"16:8": t["sizes"]["16:9"]}),
        ["sizes.16:8", "did you mean 16:9?"],
    ),
    "a size that is not what it is called": (
        TABLE,
        lambda t: t["sizes"]["16:9"].update(width=720),
        ["sizes.16:9", "720 x 720"],
    ),
    "a body that is no mapping": (DOCUMENT, lambda d: d["paths"].update({PATH: 5}), [PATH]),
    "a list of paths": (DOCUMENT, lambda d: d.update(paths=[PATH]), ["paths"]),
    "an empty operation": (DOCUMENT, lambda d: d["paths"][PATH].update(post=None), [f"{PATH}.post"]),
    "empty components": (DOCUMENT, lambda d: d.update(components=None), ["components"]),
    "a parameter without a place": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(parameters=[{"name": "page"}]),
        [f"{PATH}.post", "page"],
    ),
    "a reference to no schema": (
        DOCUMENT,
        lambda d: body_schema(d)["properties"].update(a={"$ref": "#/components/schemas/Nope"}),
        [f"{PATH}.post", "Nope"],
    ),
    "a reference to no body": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(requestBody={"$ref": "#/components/requestBodies/Nope"}),
        [f"{PATH}.post", "Nope"],
    ),
    "a reference to no parameter": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(parameters=[{"$ref": "#/components/parameters/Nope"}]),
        [f"{PATH}.post", "Nope"],
    ),
    "a reference to itself": (
        DOCUMENT,
        lambda d: (
            d["components"].update(parameters={"A": {"$ref": "#/components/parameters/A"}})
            or d["paths"][PATH]["post"].update(parameters=[{"$ref": "#/components/parameters/A"}])
        ),
        [f"{PATH}.post", "there is no #/components/parameters/A"],
    ),
    "a broken schema that others refer to": (
        DOCUMENT,
        lambda d: d["components"]["schemas"]["ErrorResponse"].update(type="objekt"),
        ["components.schemas.ErrorResponse", "type 'objekt'", "did you mean object?"],
    ),
    "a version that is not understood": (
        DOCUMENT,
        lambda d: d.update(openapi="2.0"),
        ["openapi", "must match"],
    ),
    "an operation without a name": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(operationId=""),
        [f"{PATH}.post.operationId", "must not be empty"],
    ),
    "one name for two operations": (
        DOCUMENT,
        lambda d: d["paths"][PATH].update(put=dict(d["paths"][PATH]["post"])),
        [f"{PATH}.p", f"operationId '{POST}'", "rename one"],
    ),
    "a parameter of a path that is without it": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(
            parameters=[{"name": "nr", "in": "path", "required": True, "schema": {}}]
        ),
        [POST, "'nr'", "rename or remove it"],
    ),
    "a parameter that the path lacks": (
        DOCUMENT,
        lambda d: d["paths"][STATUS_PATH]["get"].pop("parameters"),
        [f"{STATUS_PATH}.get", "id"],
    ),
    "a type that does not exist": (
        DOCUMENT,
        lambda d: body_schema(d)["properties"]["count"].update(type="int"),
        [f"{PATH}.post", "count"],
    ),
    "a pattern that is none": (
        DOCUMENT,
        lambda d: body_schema(d)["properties"]["prompt"].update(pattern="("),
        [f"{PATH}.post", "'('"],
    ),
    "an unknown media type": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(requestBody={"content": {"text/xml": {}}}),
        [f"{PATH}.post", "text/xml", "only JSON"],
    ),
    "an unknown security scheme": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"].update(security=[{"Basic": []}]),
        [f"{PATH}.post", "there is no security scheme 'Basic'", "known are: "],
    ),
    "an error code not in the documented enum": (
        DOCUMENT,
        lambda d: d["components"]["schemas"]["ErrorResponse"]["properties"]["code"].update(
            enum=["not_found"]
        ),
        [POST, "the error insufficient_balance as 402", "code must be one of: not_found"],
    ),
    "a status that is not documented": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"]["responses"].pop("default"),
        [POST, "no response is documented for 404 (not_found)", "add it, or a `default`"],
    ),
    "a request example that breaks its schema": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["example"].update(
            count=9
        ),
        [POST, "the request's example", "count must be at most 4"],
    ),
    "a response example that breaks its schema": (
        DOCUMENT,
        lambda d: d["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"][
            "example"
        ].update(status="done"),
        [POST, "the example of 200", "status must be one of"],
    ),
}


@pytest.fixture(scope="module")
def as_json():
    """The files of one bundled provider as JSON, which is YAML that is read at once."""
    return {name: json.dumps(read_yaml(SPECS / "fatthumb" / name)) for name in (TABLE, DOCUMENT)}


@pytest.fixture
def folder(tmp_path, as_json):
    """A copy of that provider, to make mistakes in."""
    (tmp_path / "fatthumb").mkdir()
    for name, text in as_json.items():
        (tmp_path / "fatthumb" / name).write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def written(tmp_path):
    """The same as people write it."""
    shutil.copytree(SPECS / "fatthumb", tmp_path / "fatthumb")
    return tmp_path


def test_errors_with_details_ask_none_of_an_operation_with_errors_of_its_own(tmp_path):
    shutil.copytree(SPECS / "pikzels", tmp_path / "pikzels")
    table = read_yaml(tmp_path / "pikzels" / TABLE)
    shape = {"error": {"code": "$code", "message": "$message"}, "request_id": "$request_id"}
    next(iter(table["operations"].values()))["answers"] = {"error": shape}
    (tmp_path / "pikzels" / TABLE).write_text(json.dumps(table), "utf-8")
    result = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert (result.exit_code, "details" in result.output) == (0, False), result.output


def edit(file, change):
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


def check(folder):
    """Run `mockserver check`, which must refuse in words, not in a traceback; give what it says, by line."""
    result = CliRunner().invoke(main, ["check", str(folder)])
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), repr(result.exception)
    return result.output.splitlines()


def test_a_copy_without_mistakes_is_fine(written):
    assert CliRunner().invoke(main, ["check", str(written)]).exit_code == 0


@pytest.mark.parametrize(("file", "change", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_file_its_key_and_the_way_out(folder, file, change, named):
    edit(folder / "fatthumb" / file, change)
    place = folder / "fatthumb" / (DOCUMENT if DOCUMENT in named else file)
    lines = check(folder)
    assert [line for line in lines if f"{place}: " in line and all(part in line for part in named)], lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [FatThumb\nhosts: 5\n", "line 2"),
        ("title: Fat\n\tThumb: 1\n", "line 2"),
        ("title: \xff", "not YAML"),
        ("", "must be a mapping, not NoneType"),
        ("- title", "must be a mapping, not list"),
        ("title: a\ntitle: b\n", "title"),
        ("title: a\nhosts: {one: {[1, 2]: 3}}\n", "line 2, column 15: a key must be a text"),
    ],
    ids=[
        "an open bracket",
        "a tab",
        "Latin-1",
        "an empty file",
        "a list",
        "a key that stands twice",
        "a list as a key",
    ],
)
@pytest.mark.parametrize("file", [TABLE, DOCUMENT])
def test_a_file_that_is_no_mapping_in_yaml_is_named_with_the_line(folder, file, text, said):
    (folder / "fatthumb" / file).write_bytes(text.encode("latin-1"))
    assert any(f"{folder / 'fatthumb' / file}: " in line and said in line for line in check(folder))


@pytest.mark.parametrize("file", [TABLE, DOCUMENT])
def test_a_key_that_stands_twice_is_named_with_both_lines(written, file):
    place = written / "fatthumb" / file
    place.write_text(place.read_text("utf-8") + "\nx-a:\n  b: 1\n  b: 2\n", "utf-8")
    last = len(place.read_text("utf-8").splitlines())
    assert f"error: {place}: line {last}: the key 'b' stands in line {last - 1} already; remove one" in check(
        written
    )


def test_a_status_that_no_operation_documents_is_one_complaint_about_its_row(folder):
    edit(folder / "fatthumb" / TABLE, lambda table: table["errors"]["cogs_cap_reached"].update(status=418))
    edit(
        folder / "fatthumb" / DOCUMENT,
        lambda document: [
            each[method]["responses"].pop("default", 0)
            for each in document["paths"].values()
            for method in each
        ],
    )
    (line,) = [line for line in check(folder) if " 418" in line]
    assert (
        f"{folder / 'fatthumb' / TABLE}: errors.cogs_cap_reached.status: no operation documents 418" in line
    )


def without_402(document):
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("default", None)
    del document["paths"][STATUS_PATH]["get"]["responses"]["402"]
    return document["paths"].values()


@pytest.mark.parametrize(
    ("path", "method", "name", "asked"),
    [
        (PATH, "post", POST, {*read_yaml(SPECS / "fatthumb" / TABLE)["errors"]}),
        (
            STATUS_PATH,
            "get",
            GET,
            {
                "unauthorized",
                "org_blocked",
                "validation_error",
                "rate_limited",
                "not_found",
                "internal_error",
            },
        ),
    ],
)
def test_each_status_that_an_operation_can_answer_with_by_itself_is_asked_of_it(
    folder, path, method, name, asked
):
    def forget(document):
        responses = document["paths"][path][method]["responses"]
        document["paths"][path][method]["responses"] = {"200": responses["200"]}

    edit(folder / "fatthumb" / DOCUMENT, forget)
    said = [line.partition("no response is documented for ")[2] for line in check(folder) if name in line]
    assert {each.rpartition("(")[2].partition(")")[0] for each in said if each} == asked


@pytest.mark.parametrize(
    "row", [{"keyword": "maxLength", "message": "Too long"}, {"field": "prompt", "message": "No"}]
)
def test_a_sentence_may_be_that_of_a_keyword_of_any_field_or_of_a_field(folder, row):
    wording = {**row, "provenance": "assumed", "citation": "ours"}
    edit(folder / "fatthumb" / TABLE, lambda table: table["wording"].append(wording))
    assert CliRunner().invoke(main, ["check", str(folder)]).exit_code == 0


def test_a_status_is_asked_only_of_operations_that_can_answer_it(folder):
    edit(folder / "fatthumb" / DOCUMENT, without_402)
    wrong = [line for line in check(folder) if "402 (" in line]  # no folder is called so
    assert [line.rpartition("402 (")[2].partition(")")[0] for line in wrong] == ["org_blocked"]  # of its key
    assert all(GET in line for line in wrong)


def test_a_status_that_is_answered_only_where_it_is_ordered_is_a_remark(folder):
    document, table = folder / "fatthumb" / DOCUMENT, folder / "fatthumb" / TABLE
    edit(table, lambda rows: rows["problems"].update(account_suspended={"error": "unauthorized"}))
    edit(table, lambda rows: rows["operations"]["get_api_v1_generations_id"].pop("problems"))
    edit(document, lambda rows: rows["paths"][STATUS_PATH]["get"]["responses"].pop("402"))
    edit(document, lambda rows: rows["paths"][STATUS_PATH]["get"]["responses"].pop("default"))
    result = CliRunner().invoke(main, ["check", str(folder)])
    assert result.exit_code == 0, result.output
    (remark,) = [line for line in result.output.splitlines() if line.startswith("remark: ")]
    assert remark.startswith(f"remark: {document}: insufficient_balance (402), ")
    assert "and 6 more: not documented for some operations" in remark


def test_an_error_that_breaks_many_responses_is_one_complaint(folder):
    edit(
        folder / "fatthumb" / DOCUMENT,
        lambda document: document["components"]["schemas"]["ErrorResponse"]["properties"]["code"].update(
            maxLength=12
        ),
    )
    assert len([line for line in check(folder) if "the error insufficient_balance" in line]) == 1


def test_a_date_is_a_text_as_in_json(written):
    with (written / "fatthumb" / DOCUMENT).open("a") as file:
        file.write("\nx-date: 2026-01-01\n")
    assert CliRunner().invoke(main, ["check", str(written)]).exit_code == 0


@pytest.mark.parametrize("file", [TABLE, DOCUMENT])
def test_a_missing_file_is_named(folder, file):
    (folder / "fatthumb" / file).unlink()
    assert f"error: {folder / 'fatthumb' / file}: cannot be read: No such file or directory" in check(folder)


def test_a_folder_without_providers_is_told_what_it_must_hold(folder):
    (folder / "empty").mkdir()
    said = (
        "holds no provider; it must contain openapi.yaml (or .json) and behaviour.yaml, or folders with them"
    )
    assert said in check(folder / "empty")[0]


def test_a_providers_own_folder_is_checked_like_the_folder_it_is_in(folder):
    edit(folder / "fatthumb" / TABLE, MISTAKES["a misspelled error"][1])
    assert check(folder / "fatthumb") == check(folder)


def without_time(document, table):
    del table["webhooks"]["payloads"]["failure"]["timestamp"]


def of_png_alone(document, table):
    """The table's pictures are WebP."""
    image = document["components"]["schemas"]["GenerationCompletedEvent"]["properties"]["data"]
    image["properties"]["image"] = {"type": "string", "pattern": "^data:image/png;"}


@pytest.mark.parametrize(
    ("change", "told"), [(without_time, "payloads.failure"), (of_png_alone, "payloads.success")]
)
def test_what_webhooks_send_is_held_against_the_documents_callback(tmp_path, change, told):
    (tmp_path / "thumbapi").mkdir()
    files = {name: read_yaml(SPECS / "thumbapi" / name) for name in (DOCUMENT, TABLE)}
    change(*files.values())
    for name, content in files.items():
        (tmp_path / "thumbapi" / name).write_text(json.dumps(content), "utf-8")
    result = CliRunner().invoke(main, ["check", str(tmp_path)])
    said = f"webhooks.{told}: the document's callback says: "
    assert (result.exit_code, said in result.output) == (1, True), result.output


def test_a_folder_that_is_not_there_is_named(folder):
    assert str(folder / "nowhere") in check(folder / "nowhere")[0]


def test_mistakes_of_every_kind_and_folder_are_reported_at_once(folder):
    shutil.copytree(SPECS / "thumbapi", folder / "thumbapi")
    table = read_yaml(folder / "thumbapi" / TABLE)
    table["errors"]["NOT_FOUND"].update(source="nobody")
    (folder / "thumbapi" / TABLE).write_text(json.dumps(table), "utf-8")
    for name in (
        "a misspelled error",
        "an unknown function",
        "a request example that breaks its schema",
        "a row without an operation",
    ):
        file, change, _ = MISTAKES[name]
        edit(folder / "fatthumb" / file, change)
    said = "\n".join(check(folder))
    for part in (
        "'unauthorised'",
        "'reed'",
        "count must be at most 4",
        "operations.extra",
        "errors.NOT_FOUND.source",
    ):
        assert part in said


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["routes"], ["errors"]])
def test_every_command_stops_with_the_same_complaint(folder, command):
    edit(folder / "fatthumb" / TABLE, MISTAKES["a misspelled error"][1])
    result = CliRunner().invoke(main, [*command, "--specs", str(folder)])
    assert (result.exit_code, result.output.splitlines()) == (1, check(folder))
