"""What every stored value is: frozen, typed, and the same again after a way through JSON.

The only home of msgspec. Members that hold what a table or a caller said are plain JSON,
which nobody changes once it is stored.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace as replace  # noqa: PLC0414 - given away: how a value is changed

from mockserver.bounded import weigh

V = TypeVar("V")
MOST = 10**15  # of what is measured; beyond it sums and dates no longer come out
LAST_S = 253_402_300_799  # 9999-12-31T23:59:59Z, beyond which no date can be written
# A whole number stays whole: 100 credits are written as 100, before and after a way through JSON.
Number = Annotated[int, Meta(ge=-MOST, le=MOST)] | Annotated[float, Meta(ge=-MOST, le=MOST)]
Time = Annotated[int, Meta(ge=0, le=LAST_S)] | Annotated[float, Meta(ge=0, le=LAST_S)]
Count = Annotated[int, Meta(ge=0, le=MOST)]
Positive = Annotated[int, Meta(ge=0, le=MOST)] | Annotated[float, Meta(ge=0, le=MOST)]
Step = Annotated[int, Meta(ge=1, le=MOST)]
Share = Annotated[int, Meta(ge=0, le=1)] | Annotated[float, Meta(ge=0, le=1)]
FIELD = re.compile(r"Object (?:(?P<missing>missing required)|contains unknown) field `(?P<name>.*)`")


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A stored value. JSON holds no circles, so the garbage collector need not look through it."""

    @property
    def kept_bytes(self) -> int:
        """About how many bytes it takes; what is kept with every call says so without a walk."""
        return weigh(self)


def as_json(value: Any) -> Any:
    """Write a value, or a collection of values, as JSON."""
    return msgspec.to_builtins(value)


def describe(types: Iterable[Any], places: str) -> tuple[list[Any], dict[str, Any]]:
    """Give the JSON Schema of each type, and of the values in them by name, which stand at `places`.

    >>> describe([tuple[int]], "#/$defs/{name}")[0]
    [{'type': 'array', 'minItems': 1, 'maxItems': 1, 'prefixItems': [{'type': 'integer'}]}]
    """
    schemas, values = msgspec.json.schema_components(types, ref_template=places)
    return _read_by_all([*schemas]), _read_by_all(values)


def _read_by_all(schema: Any) -> Any:
    """Leave out what generators of clients stumble over: titles, which are no names, and `items: false`."""
    if isinstance(schema, list):
        return [_read_by_all(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _read_by_all(each)
        for key, each in schema.items()
        if not (key == "title" and isinstance(each, str)) and not (key == "items" and each is False)
    }


def read(type_: type[V], value: Any, place: str) -> V:
    """Make a value of what `as_json` wrote. Raises ValueError that says what is wrong with it, and where.

    >>> read(int, "7", "seen")
    Traceback (most recent call last):
    ValueError: seen must be int, not str
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        what, _, inner = str(error).partition(" - at `$")
        place += inner.removesuffix("`")
        if field := FIELD.fullmatch(what):
            what = "is missing" if field["missing"] else "is not known"
            raise ValueError(f"{place}.{field['name']} {what}") from error
        told = what.replace("Expected ", "must be ").replace(", got ", ", not ").replace("`", "")
        raise ValueError(f"{place} {told}") from error
