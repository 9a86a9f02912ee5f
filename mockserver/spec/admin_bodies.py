"""What a test may tell the emulator: the document of `/__admin`, and the schemas of what it cannot say.

The one is specs/admin.openapi.json: pages are made from it, and what they take is held against it. Stored
values, scenarios and the attributes of accounts stand in specs/admin.schema.json. Of an account it is what
every account can have, and what the table declares under `accounts`.
"""

from collections.abc import Mapping
from functools import cache

from mockserver.jsontext import Json
from mockserver.spec.callers import Attribute
from mockserver.spec.files import SPECS, read_mapping
from mockserver.spec.model import Provider
from mockserver.spec.schema import COMPONENTS, Schema, Shared

DOCUMENT: Mapping[str, Json] = read_mapping(SPECS / "admin.openapi.json")
_SHARED = Shared(DOCUMENT["components"]["schemas"])
_BODIES: Mapping[str, Json] = read_mapping(SPECS / "admin.schema.json")["$defs"]


def described(part: Json, place: str) -> Schema:
    """Give a schema that stands in the document."""
    return Schema(part, place, _SHARED)


FAULT = described({"$ref": f"{COMPONENTS}Fault"}, "/__admin/faults")
REPORT = described({"$ref": f"{COMPONENTS}Report"}, "/__admin/coverage")
SCENARIO = Schema(_BODIES["scenario"], "fixtures/scenarios")
_STORED = {"$defs": {name: _BODIES[name] for name in ("scene", "shown")}}
OUTPUT = Schema({**_BODIES["output"], **_STORED}, "/__admin/state outputs")
BEGUN = {  # by the behaviour that begins a resource
    name: Schema({**schema, **_STORED}, f"/__admin/state resources of {name}")
    for name, schema in _BODIES["begun"].items()
    if name != "description"
}


@cache
def account_schema(provider: Provider) -> Schema:
    """Make the schema of what can be said of an account of this provider."""
    plans, sizes = list(provider.plans), list(provider.sizes)
    account = DOCUMENT["components"]["schemas"]["AccountChange"]
    kinds = sorted({each.row.job for each in provider.operations.values() if each.row.job})
    own = {name: _kind(each, sizes, kinds) for name, each in provider.table.accounts.attributes.items()}
    if provider.credits and provider.credits.smart_balance:
        own["smart_balance"] = _BODIES["smart_balance"]
    rows = provider.table.assumptions.items()
    assumed = {name: {"enum": list(each.readings)} for name, each in rows}
    own["assume"] = {"type": "object", "properties": assumed, "additionalProperties": False}
    own |= {**account["properties"], "plan": {"enum": plans} if plans else {"type": "null"}}
    return Schema({**account, "properties": own}, "/__admin/accounts")


def _kind(attribute: Attribute, sizes: list[str], kinds: list[str]) -> Json:
    kind = _BODIES["attributes"][attribute.type]
    inner = kind.get("additionalProperties", {})
    if attribute.type == "states":
        return {**kind, "additionalProperties": {"enum": list(attribute.states)}}
    if attribute.type == "resources":
        properties = {**inner["properties"], "kind": {"enum": kinds}}
        return {**kind, "additionalProperties": {**inner, "properties": properties}}
    if attribute.type == "picture_sets":
        properties = {**inner["properties"], "format": {"enum": sizes}}
        return {**kind, "additionalProperties": {**inner, "properties": properties}}
    return kind
