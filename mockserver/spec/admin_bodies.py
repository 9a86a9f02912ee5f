"""What a test may tell the emulator: the schemas of the bodies that `/__admin` takes, all of them closed.

And of the reports of coverage that it gives, which are read again to be merged.

They stand in specs/admin.schema.json. Of an account that is what every account can have, and what the table
declares under `accounts`.
"""

import json
from functools import cache

from mockserver.jsontext import Json
from mockserver.spec.callers import Attribute
from mockserver.spec.files import SPECS
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema

_BODIES: dict[str, Json] = json.loads((SPECS / "admin.schema.json").read_text("utf-8"))["$defs"]
CLOCK = Schema(_BODIES["clock"], "/__admin/clock")
ADVANCE = Schema(_BODIES["advance"], "/__admin/clock/advance")
ASSUME = Schema(_BODIES["assume"], "/__admin/assumptions")
JOB = Schema(_BODIES["job"], "/__admin/jobs")
FAULT = Schema(_BODIES["fault"], "/__admin/faults")
SCENARIO = Schema(_BODIES["scenario"], "fixtures/scenarios")
SCENARIO_CHOICE = Schema(_BODIES["scenario_choice"], "/__admin/scenario")
BEGINNING = Schema(_BODIES["beginning"], "/__admin/reset")
_REFUSAL = {"$defs": {"refusal": _BODIES["refusal"]}}
VERDICT = Schema({**_BODIES["verdict"], **_REFUSAL}, "/__admin/verdict")
VERIFICATION = Schema({**_BODIES["verification"], **_REFUSAL}, "/__admin/requests/verify")
NAMESPACE = Schema(_BODIES["namespace"], "/__admin/namespaces")
REPORT = Schema(_BODIES["report"] | {"$defs": {"met": _BODIES["met"]}}, "/__admin/coverage")
STATE = Schema(_BODIES["state"], "/__admin/state")  # which the world itself reads
_SHARED = {"$defs": {name: _BODIES[name] for name in ("scene", "shown")}}
OUTPUT = Schema({**_BODIES["output"], **_SHARED}, "/__admin/state outputs")
BEGUN = {  # by the behaviour that begins a resource
    name: Schema({**schema, **_SHARED}, f"/__admin/state resources of {name}")
    for name, schema in _BODIES["begun"].items()
    if name != "description"
}


@cache
def account_schema(provider: Provider) -> Schema:
    """Make the schema of what can be said of an account of this provider."""
    plans, sizes, account = list(provider.plans), list(provider.sizes), _BODIES["account"]
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
