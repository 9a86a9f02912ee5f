"""Providers' folders: documents in JSON and YAML, a folder of its own, and `check` as strict as a start."""

import json
import logging
import re

import pytest
import yaml
from click.testing import CliRunner
from conftest import STRICT
from test_new_provider import DOCUMENT, TABLE, write

from mockserver import Request, create_engine
from mockserver.cli import main
from mockserver.spec.catalog import load, survey
from mockserver.spec.files import SpecificationError, read_yaml


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "petshop")
    return tmp_path / "petshop"


def check(*arguments):
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["openapi.json", "openapi.yaml"])
def test_json_is_read_by_the_json_reader_under_either_name(folder, name):
    (folder / "openapi.yaml").unlink()
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/pets"]["get"]["summary"] = "PLACE"
    escaped = r"cats\/dogs \ud83d\ude00"  # which are no escapes in YAML
    (folder / name).write_text(json.dumps(document).replace("PLACE", escaped), "utf-8")
    assert load([folder]).providers["petshop"].operations["list_pets"].summary == "cats/dogs 😀"


def test_a_mapping_in_braces_that_is_no_json_is_yaml(folder):
    text = yaml.safe_dump(DOCUMENT, default_flow_style=True, width=10_000)
    (folder / "openapi.yaml").write_text(text, "utf-8")
    assert text.startswith("{components: ")
    assert "petshop" in load([folder]).providers


def test_a_byte_order_mark_before_a_document_is_nothing(folder):
    (folder / "openapi.yaml").unlink()
    (folder / "openapi.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode())
    assert check(folder)[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"openapi": }', "is not JSON: Expecting value at line 1, column 13"),
        ("openapi: 3.1.0", "is not JSON: "),
        ("[]", "must be a mapping, not list"),
        ('{"openapi": "3.0.3", "paths": {"/a": 1, "/a": {}}}', "paths./a: this key stands twice; remove one"),
    ],
)
def test_a_mistake_in_a_json_document_is_named_with_its_file(folder, text, said):
    (folder / "openapi.yaml").unlink()
    (folder / "openapi.json").write_text(text, "utf-8")
    status, output = check(folder)
    assert (status, f"error: {folder / 'openapi.json'}: " in output, said in output) == (1, True, True)


def test_what_does_not_fit_a_json_document_is_named_with_that_file(folder):
    (folder / "openapi.yaml").unlink()
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/pets"]["post"]["responses"]["200"]["content"]["application/json"]["example"] = {
        "name": "Rex"
    }
    (folder / "openapi.json").write_text(json.dumps(document), "utf-8")
    assert (
        f"error: {folder / 'openapi.json'}: add_pet: the example of 200: age is required" in check(folder)[1]
    )


def test_two_documents_in_one_folder_are_one_too_many(folder):
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT), "utf-8")
    with pytest.raises(SpecificationError, match=r"holds both openapi\.yaml and openapi\.json; remove one"):
        load([folder])


def test_a_providers_own_folder_is_served_like_the_folder_it_is_in(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for given in (folder, folder.parent, type(folder)(".")):
        answer = create_engine(STRICT, [given]).handle(
            Request("GET", "/pets", {"pet-key": "pet_1"}, "limit=1")
        )
        assert (answer.status, list(load([given]).providers)[-1]) == (200, "petshop")


@pytest.mark.parametrize("file", ["openapi.yaml", "behaviour.yaml"])
def test_a_providers_own_folder_may_lack_a_file_which_is_named(folder, file):
    (folder / file).unlink()
    assert check(folder) == (1, f"error: {folder / file}: cannot be read: No such file or directory\n")


def test_a_document_beside_providers_folders_is_none_of_them(folder):
    (folder.parent / "openapi.yaml").write_text("{}", "utf-8")
    assert "petshop" in load([folder.parent]).providers


@pytest.mark.parametrize(
    ("path", "is_one"), [("/pets", True), ("/v2/pikzonality/{name}", True), ("/v2/pikzonality/mine", False)]
)
def test_check_says_of_a_collision_what_serve_warns_of(tmp_path, caplog, path, is_one):
    document = json.loads(json.dumps(DOCUMENT))
    write(tmp_path / "one" / "first", document)
    methods = document["paths"].pop("/pets")
    if "{" in path:
        methods["get"]["parameters"] = [
            {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
        del methods["post"]
    write(
        tmp_path / "one" / "second",
        {**document, "paths": {path: methods}},
        {
            **TABLE,
            "operations": {
                each["operationId"]: {"behaviour": "generate", "citation": "ours"}
                for each in methods.values()
            },
        },
    )
    with caplog.at_level(logging.WARNING, "mockserver"):
        load([tmp_path / "one"])
    status, output = check(tmp_path / "one")
    assert (bool(caplog.messages), status) == (is_one, int(is_one))
    assert all(message in output for message in caplog.messages)
    assert all("the first answers; use the prefix /second" in message for message in caplog.messages)


DANGLING = {"$ref": "#/components/schemas/Nope"}


@pytest.mark.parametrize("place", ["parameter", "body", "answer", "error", "component"])
def test_a_reference_to_no_schema_stops_check_and_start_alike(folder, place):
    document = json.loads(json.dumps(DOCUMENT))
    pets = document["paths"]["/pets"]
    if place == "parameter":
        pets["get"]["parameters"][0]["schema"] = DANGLING
    elif place == "body":
        pets["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["name"] = DANGLING
    elif place == "component":
        document["components"]["schemas"]["Owner"]["properties"]["email"] = DANGLING
    else:
        status = "200" if place == "answer" else "default"
        pets["get"]["responses"][status] = {
            "description": "",
            "content": {"application/json": {"schema": DANGLING}},
        }
    (folder / "openapi.yaml").write_text(json.dumps(document), "utf-8")
    status, output = check(folder)
    with pytest.raises(SpecificationError) as caught:
        load([folder])
    said = "there is no #/components/schemas/Nope; add it, or correct the reference"
    assert (status, said in output) == (1, True)
    assert [complaint for complaint in caught.value.complaints if said in complaint]


def test_what_a_first_call_needs_is_compiled_before_it_for_bundled_providers_alone(folder):
    catalog = load([folder])
    warm = {
        operation.provider: all(schema._is_warm for schema in operation.body.schemas.values())
        for operation in catalog.operations
        if operation.body
    }
    assert warm == {"fatthumb": True, "pikzels": True, "thumbapi": True, "petshop": False}


WRITTEN = {
    "2026-03-01": "2026-03-01", "2026-03-01T12:00:00Z": "2026-03-01T12:00:00Z",
    "!!timestamp 2026-03-01": "2026-03-01", "=": "=", "[<<]": ["<<"],
    "{1: 1, yes: 2, 1.10: 3, ~: 4, 2026-03-01: 5}": {"1": 1, "yes": 2, "1.10": 3, "~": 4, "2026-03-01": 5},
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_dates_and_keys_are_texts_as_they_are_written(folder, text):
    file = folder / "openapi.yaml"
    file.write_text(f"a: &one {{b: 1}}\nc: {text}\nd: {{<<: *one}}", "utf-8")
    assert read_yaml(file) == {"a": {"b": 1}, "c": WRITTEN[text], "d": {"b": 1}}


NO_JSON = [
    "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!mine a", "!!python/name:os.x a",
    ".nan", "-.inf", "1.0e+999", "!!int a", "!!bool a", "!!timestamp [1]", "&it [*it]", "&it {a: {b: *it}}",
    "{{id}}", "{[a]: 1}", "{? {a: 1} : 2}", "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", NO_JSON)
def test_a_value_that_json_cannot_hold_is_refused_with_its_place(folder, text):
    file = folder / "openapi.yaml"
    lines = yaml.safe_dump(DOCUMENT).splitlines()
    at = next(index for index, line in enumerate(lines) if line.strip() == "example:")
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at:] = [f"{indent}example: {text}"]
    file.write_text("\n".join(lines), "utf-8")
    status, output = check(folder)
    assert (status, output.count("\n")) == (1, 1)
    assert re.match(rf"error: {re.escape(str(file))}: line {at + 1}, column \d+: .", output)
    with pytest.raises(SpecificationError):
        load([folder])


def test_a_document_that_nests_without_end_is_refused(folder):
    (folder / "openapi.yaml").write_text("a: " + "[" * 3000 + "]" * 3000, "utf-8")
    assert check(folder)[0] == 1


def test_a_survey_of_the_bundled_providers_finds_nothing():
    assert survey()[1] == []
