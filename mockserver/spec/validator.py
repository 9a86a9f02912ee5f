"""The validator of values: `jsonschema` for draft 2020-12, with ECMA-262 patterns and JavaScript's numbers.

It differs from jsonschema's own class in what is exact, never in what a keyword means.
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from mockserver.jsontext import Json
from mockserver.spec.explain import MOST_ITEMS, MOST_VIOLATIONS
from mockserver.spec.patterns import matcher


def _pattern(_validator: Any, pattern: str, value: Json, _schema: Json) -> Iterator[ValidationError]:
    if isinstance(value, str) and not matcher(pattern)(value):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, table: Any, value: Json, _schema: Json) -> Iterator[ValidationError]:
    for pattern, subschema in table.items() if isinstance(value, dict) else ():
        for name in filter(matcher(pattern), value):
            yield from validator.descend(value[name], subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, value: Json, schema: Json) -> Iterator[ValidationError]:
    """Look at what has no schema, in the order of the value: jsonschema has a set, which has none."""
    if not isinstance(value, dict):
        return
    patterns = [matcher(pattern) for pattern in schema.get("patternProperties", ())]
    known = schema.get("properties", ())
    others = [name for name in value if name not in known and not any(fits(name) for fits in patterns)]
    if rule is False:
        if others:
            yield ValidationError("additionalProperties")
        return
    for name in others:
        yield from validator.descend(value[name], rule, path=name)


def _properties(validator: Any, table: Any, value: Json, _schema: Json) -> Iterator[ValidationError]:
    """Report a property that is forbidden at its own place, which jsonschema forgets for `false`."""
    for name in table if isinstance(value, dict) else ():
        if name in value and table[name] is False:
            yield ValidationError(
                "false",
                path=(name,),
                validator="false",
                validator_value=False,
                instance=value[name],
                schema=False,
            )
        elif name in value:
            yield from validator.descend(value[name], table[name], path=name, schema_path=name)


def _required(_validator: Any, names: Any, value: Json, _schema: Json) -> Iterator[ValidationError]:
    """Report each missing name at its own place, where jsonschema reports them all at the object's."""
    for name in names if isinstance(value, dict) else ():
        if name not in value:
            yield ValidationError("required", path=(name,))


def _type(validator: Any, types: Any, value: Json, _schema: Json) -> Iterator[ValidationError]:
    """Report a wrong type without formatting the value, which may be 5 MB of base64."""
    wanted = [types] if isinstance(types, str) else types
    if not any(validator.is_type(value, name) for name in wanted):
        yield ValidationError("type")


def _is_number(_checker: Any, value: Json) -> bool:
    """Whether a value is a number; 1e400 is Infinity in JavaScript, which Ajv does not take for one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(checker: Any, value: Json) -> bool:
    return _is_number(checker, value) and value == int(value)


def _brief(check: Any) -> Any:
    """Let a keyword report no more than some errors, and look at no more than an array's first items."""

    def check_briefly(validator: Any, rule: Any, value: Json, schema: Json) -> Iterator[ValidationError]:
        yield from islice(check(validator, rule, value, schema), MOST_VIOLATIONS)

    return check_briefly


def _first_items(check: Any) -> Any:
    def check_first(validator: Any, rule: Any, value: Json, schema: Json) -> Iterator[ValidationError]:
        shown = value[:MOST_ITEMS] if isinstance(value, list) else value
        return check(validator, rule, shown, schema)  # type: ignore[no-any-return]

    return check_first


_types = Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number).redefine("integer", _is_integer)
Validator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "properties": _properties,
        "required": _required,
        "type": _type,
    },
    type_checker=_types,
)
_keywords = Validator.VALIDATORS | {
    keyword: _first_items(Validator.VALIDATORS[keyword]) for keyword in ("items", "uniqueItems")
}
# For a value that is known to be wrong: what it says is bounded, whatever a stranger sends.
Brief: Any = validators.extend(  # type: ignore[no-untyped-call]
    Validator, validators={keyword: _brief(check) for keyword, check in _keywords.items()}
)
