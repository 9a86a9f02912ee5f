"""What a test may tell the emulator: the schemas of the bodies that `/__admin` takes, all of them closed.

Of an account that is what every account can have, what `keys.new_account` has, and what the table's rules and
prices ask for.
"""

from collections.abc import Mapping
from functools import lru_cache

from mockserver.jsontext import Json
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema

STATEMENTS = ("has_", "is_", "uses_", "allows_")  # how the name of an attribute begins that is true or false
MOST_CREDITS = 1_000_000_000_000
CREDITS = {"type": ["number", "null"], "minimum": -MOST_CREDITS, "maximum": MOST_CREDITS}
TEXTS = {"type": "array", "items": {"type": "string"}}
NOTHING_ELSE = {"additionalProperties": False}
SMART_BALANCE = {
    "type": ["object", "null"],
    "properties": {
        "top_up": {"type": "number", "minimum": 0, "maximum": MOST_CREDITS},
        "has_unpaid_invoice": {"type": "boolean"},
    },
    **NOTHING_ELSE,
}
ASSET = {
    "type": "object",
    "properties": {
        "file": {"type": "string"},
        "data": {"type": "string"},
        "corner": {"enum": ["top-left", "top-right", "bottom-left", "bottom-right"]},
        "scale": {"type": "number", "minimum": 0.02, "maximum": 0.6},
        "has_shadow": {"type": "boolean"},
    },
    "oneOf": [{"required": ["file"]}, {"required": ["data"]}],
    **NOTHING_ELSE,
}
ATTRIBUTES: Mapping[str, Json] = {
    "state": {"enum": ["active", "inactive", "deleted", "suspended", "unknown"]},
    "credits": CREDITS,
    "enforce": {"type": "array", "items": {"enum": ["credits", "limits"]}},
    "smart_balance": SMART_BALANCE,
    "has_api_access": {"type": "boolean"},
    "allows_equal_names": {"type": "boolean"},
    "is_test": {"type": "boolean"},
    "assets": {"type": "object", "additionalProperties": ASSET},
    "persons": {"type": "object", "additionalProperties": {"enum": ["active", "withdrawn"]}},
    "inspirations": TEXTS,
    "webhook_secret": {"type": "string"},
}
CLOCK = Schema(
    {
        "type": "object",
        "properties": {"now": {"type": ["string", "number"]}, "frozen": {"type": "boolean"}},
        "minProperties": 1,
        **NOTHING_ELSE,
    },
    "/__admin/clock",
)
ADVANCE = Schema(
    {
        "type": "object",
        "properties": {"by": {"type": ["string", "number"]}},
        "required": ["by"],
        **NOTHING_ELSE,
    },
    "/__admin/clock/advance",
)
JOB = Schema(
    {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"], **NOTHING_ELSE},
    "/__admin/jobs",
)
STATE = Schema({"type": "object"}, "/__admin/state")  # which the world itself reads


@lru_cache(maxsize=64)
def account_schema(provider: Provider) -> Schema:
    """Make the schema of what a caller may change of an account of this provider."""
    plans, sizes = list(provider.plans), list(provider.sizes)
    reference_set = {
        "type": "object",
        "properties": {"format": {"enum": sizes}, "files": {**TEXTS, "minItems": 1, "maxItems": 6}},
        "required": ["format", "files"],
        **NOTHING_ELSE,
    }
    own = {
        name: {"type": "boolean"} if name.startswith(STATEMENTS) else {} for name in sorted(_named(provider))
    }
    known = {
        "plan": {"enum": plans} if plans else {"type": "null"},
        "reference_sets": {"type": "object", "additionalProperties": reference_set},
        **ATTRIBUTES,
    }
    return Schema({"type": "object", "properties": {**own, **known}, **NOTHING_ELSE}, "/__admin/accounts")


def _named(provider: Provider) -> set[str]:
    """Give every attribute of an account that the provider's table names."""
    names = set(provider.keys["new_account"])
    for operation in provider.operations.values():
        names |= set(operation.row.price.get("free_when", ()))
        for rule in operation.row.rules:
            names |= set(rule.get("account", ()))
    return names
