"""The schemas of one document are read, checked and compiled once, however many refer to them."""

import copy

import pytest

from mockserver.spec.resources import Resources
from mockserver.spec.schema import MOST_UNFOLDED

PETS = {
    "Pet": {"type": "object", "properties": {"owner": {"$ref": "#/components/schemas/Owner"}}},
    "Owner": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
}
TO_PET = {"$ref": "#/components/schemas/Pet"}


def resources(schemas=PETS, version="3.1.0", **more):
    """The schemas of a document, with what is wrong with them."""
    document = {"openapi": version, "components": {"schemas": copy.deepcopy(schemas)}, **more}
    complaints: list[str] = []
    return Resources(document, lambda place, what: complaints.append(f"{place}: {what}")), complaints


def chain(length):
    """Components of which each refers to the next, and the last to the first."""
    return {
        f"C{index}": {
            "properties": {
                "next": {"$ref": f"#/components/schemas/C{(index + 1) % length}"},
                "n": {"const": index},
            }
        }
        for index in range(length)
    }


def test_equal_schemas_are_one_and_compiled_once():
    found, _ = resources()
    one, other = found.schema(dict(TO_PET), "here"), found.schema(dict(TO_PET), "there")
    assert one is other
    assert one is not found.schema({"$ref": "#/components/schemas/Owner"}, "here")


def test_schemas_share_what_they_refer_to_and_hold_no_copy_of_it():
    found, _ = resources()
    pet, pets = found.schema(TO_PET, "here"), found.schema({"type": "array", "items": TO_PET}, "there")
    assert pet.document == TO_PET
    assert pet.whole["components"] is pets.whole["components"]
    assert "components" not in found.schema({"type": "string"}, "here").whole


def test_nothing_is_compiled_before_it_is_needed():
    schema = resources()[0].schema(TO_PET, "here")
    assert not schema._is_warm
    assert schema.accepts({"owner": {"name": "Ann"}})
    assert schema._is_warm


def test_the_fast_path_is_given_only_what_a_schema_refers_to():
    schemas = {**PETS, "Odd": {"type": "string", "pattern": "(?<a>x)\\1"}}
    found, _ = resources(schemas)
    assert found.schema(TO_PET, "here").has_fast_path
    assert not found.schema({"$ref": "#/components/schemas/Odd"}, "here").has_fast_path


@pytest.mark.parametrize("length", [2, MOST_UNFOLDED, MOST_UNFOLDED + 1, 20 * MOST_UNFOLDED])
def test_components_that_know_each_other_are_unfolded_up_to_a_bound_and_obeyed_beyond_it(length):
    found, complaints = resources(chain(length))
    schema = found.schema({"$ref": "#/components/schemas/C0"}, "here")
    assert complaints == []
    assert schema.has_fast_path is (length <= MOST_UNFOLDED)
    assert schema.accepts({"n": 0, "next": {"n": 1}})
    assert not schema.accepts({"n": 0, "next": {"n": 0}})


def test_a_part_of_a_component_may_be_referred_to():
    found, complaints = resources()
    schema = found.schema({"$ref": "#/components/schemas/Owner/properties/name"}, "here")
    assert (complaints, schema.accepts("Ann"), schema.accepts(1)) == ([], True, False)


def test_a_schema_that_stands_elsewhere_in_the_document_may_be_referred_to():
    media = {"schema": {"type": "array", "items": TO_PET, "nullable": True}}
    response = {"content": {"application/json": media}}
    found, complaints = resources(version="3.0.3", paths={"/pets": {"get": {"responses": {"200": response}}}})
    reference = "#/paths/~1pets/get/responses/200/content/application~1json/schema"
    schema = found.schema({"$ref": reference}, "here")
    assert complaints == []
    for value, is_accepted in ((None, True), ([{"owner": {"name": "Ann"}}], True), ([{"owner": {}}], False)):
        assert (schema.accepts(value), schema.violations(value) == []) == (is_accepted, is_accepted)


def test_a_schema_may_hold_what_it_refers_to():
    schema = resources()[0].schema(
        {"$defs": {"a": {"type": "integer"}}, "items": {"$ref": "#/$defs/a"}}, "here"
    )
    assert (schema.accepts([1]), schema.accepts(["x"])) == (True, False)


def test_a_component_with_a_name_of_its_own_still_refers_to_the_others():
    found, complaints = resources(
        {**PETS, "Pet": {**PETS["Pet"], "$id": "Pet", "$schema": "http://json-schema.org/draft-07/schema#"}}
    )
    schema = found.schema(TO_PET, "here")
    assert complaints == []
    assert (schema.accepts({"owner": {"name": "Ann"}}), schema.accepts({"owner": {}})) == (True, False)
    assert [violation.path for violation in schema.violations({"owner": {}})] == [("owner", "name")]


NOWHERE = "there is no {}; add it, or correct the reference"
NOPE, FILE = "#/components/schemas/Nope", "pets.yaml#/Pet"
WRONG = {
    "an unknown component": ({"$ref": NOPE}, "$ref: " + NOWHERE.format(NOPE)),
    "another file": ({"items": {"$ref": FILE}}, "items.$ref: " + NOWHERE.format(FILE)),
    "the whole document": ({"$ref": "#"}, "$ref: " + NOWHERE.format("#")),
    "a dynamic reference": ({"$dynamicRef": "#pet"}, "$dynamicRef: " + NOWHERE.format("#pet")),
    "an unknown type further in": (
        {"properties": {"a": {"type": "objekt"}}},
        "properties.a.type: there is no type 'objekt'; did you mean object?",
    ),
    "an unknown type": ({"type": "objekt"}, "type: there is no type 'objekt'; did you mean object?"),
    "a field called type that has no schema": ({"properties": {"type": 5}}, "properties.type: type must be"),
    "a bound that is a text": ({"maxLength": "9"}, "maxLength must be a whole number"),
    "a pattern that is none": ({"pattern": "("}, "pattern: '(' is no ECMA-262 pattern"),
    "a pattern of names that is none":
        ({"patternProperties": {"(": {}}}, "patternProperties: '(' is no ECMA-262 pattern"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_schema_is_named_wherever_it_stands_and_obeyed_by_everything(schema, said):
    found, complaints = resources({"Bad": schema})
    assert len(complaints) == 1
    made = found.schema(schema, "here")
    assert (made, made.accepts(None)) == (found.schema(schema, "there"), True)
    places = [complaint.partition(": ")[0] for complaint in complaints]
    assert (places, all(said in each for each in complaints)) == (
        ["components.schemas.Bad", "here", "there"],
        True,
    )
    assert found.schema({"$ref": "#/components/schemas/Bad"}, "here").accepts(None)


def test_a_component_cannot_lean_on_what_only_the_schemas_around_it_hold():
    _, complaints = resources({"Bad": {"$defs": {"a": {}}, "items": {"$ref": "#/$defs/a"}}})
    assert complaints == ["components.schemas.Bad: items.$ref: " + NOWHERE.format("#/$defs/a")]
