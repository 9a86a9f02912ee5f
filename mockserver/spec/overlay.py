"""What a reading of the documents changes in a provider's two files, as data; both are copied, not changed.

A reading holds a merge patch (RFC 7396) of the table, and of the schemas of the operations that it is about.
In place of a list it says `change` (items that hold `where` are merged with `to`, or taken out where that is
null), `add`, and `first` (items that hold one of these go before all others). `{value: null}` in place of a
text or number puts null there, which a patch cannot say otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mockserver.jsontext import Json
from mockserver.spec.explain import COMPLAINTS, nearest
from mockserver.spec.schema import target

Choice = Mapping[str, str]  # readings by the names of assumptions, of one provider
Told = tuple[str, list[str]]  # where a patch stands, and what is wrong with it
LIST_MEMBERS, CHANGE_MEMBERS = ("change", "add", "first"), ("where", "to")
NULL = {"value": None}
PARTS = ("body", "answer", "errors", "parameters", "status")  # of a reading, which change schemas
KEYWORDS = {
    *COMPLAINTS, "additionalProperties", "allOf", "anyOf", "description", "items", "not", "nullable", "oneOf",
    "properties",
}  # fmt: skip


def patch_table(table: Json, choice: Choice) -> tuple[Json, list[str]]:
    """Give a table under some readings, and what is wrong with what they say of it."""
    complaints: list[str] = []
    for name, reading in choice.items():
        place = f"assumptions.{name}.readings.{reading}.table"
        patch = _reading(table, name, reading).get("table", {})
        merged = merge(table, patch, place, complaints)
        table = {**merged, "assumptions": table["assumptions"]}
        if "assumptions" in patch:
            complaints.append(f"{place}.assumptions: no reading changes the assumptions; remove it")
    return table, complaints


def patch_document(document: Json, table: Json, choice: Choice) -> tuple[Json, list[str]]:
    """Give an OpenAPI document under some readings, and what is wrong with what they say of it."""
    complaints: list[str] = []
    for name, reading in choice.items():
        row, place = _reading(table, name, reading), f"assumptions.{name}.readings.{reading}"
        parts = {part: row[part] for part in PARTS if part in row}
        wanted = table["assumptions"][name].get("operations", list(table["operations"]))
        if parts:
            paths = {
                path: _patch_item(document, item, wanted, parts, (place, complaints))
                for path, item in document.get("paths", {}).items()
            }
            document = {**document, "paths": paths}
    return document, complaints


def _reading(table: Json, name: str, reading: str) -> Mapping[str, Json]:
    row: Mapping[str, Json] = table["assumptions"][name]["readings"][reading]
    return row


def _patch_item(document: Json, item: Json, wanted: Sequence[str], parts: Json, told: Told) -> Json:
    """Patch the operations of one path that are wanted; parameters may be those of the path."""
    found = dict(item)
    for method, details in item.items():
        if not (isinstance(details, Mapping) and details.get("operationId") in wanted):
            continue
        changed = dict(details)
        if "body" in parts and "requestBody" in details:
            body = _followed(document, details["requestBody"])
            changed["requestBody"] = _patch_content(document, body, parts["body"], told, "body")
        responses = dict(details.get("responses", {}))
        for status, each in responses.items():
            part = "answer" if str(status).startswith("2") else "errors"
            if part in parts:
                responses[status] = _patch_content(
                    document, _followed(document, each), parts[part], told, part
                )
        if responses:
            changed["responses"] = responses
        if "status" in parts:
            new = str(parts["status"])
            changed["responses"] = {
                (new if str(key)[0] == "2" else key): each for key, each in responses.items()
            }
        if "parameters" in parts:
            both = [*item.get("parameters", ()), *details.get("parameters", ())]
            changed["parameters"] = _patch_parameters(document, both, parts["parameters"], told)
        found[method] = changed
    return found


def _patch_content(document: Json, holder: Json, patch: Json, told: Told, part: str) -> Json:
    media = {
        name: {**each, "schema": _patch_schema(document, each.get("schema", {}), patch, told, part)}
        for name, each in holder.get("content", {}).items()
    }
    return {**holder, "content": media}


def _patch_parameters(document: Json, parameters: list[Json], patch: Json, told: Told) -> list[Json]:
    found = []
    for each in (_followed(document, one) for one in parameters):
        if each.get("name") in patch:
            part = f"parameters.{each['name']}"
            schema = _patch_schema(document, each.get("schema", {}), patch[each["name"]], told, part)
            each = {**each, "schema": schema}  # noqa: PLW2901
        found.append(each)
    place, complaints = told
    for name in patch:
        known = [each.get("name", "") for each in found]
        if name not in known:
            complaints.append(f"{place}.parameters.{name}: no such parameter; {nearest(name, known)}")
    return found


def _patch_schema(document: Json, schema: Json, patch: Json, told: Told, part: str) -> Json:
    place, complaints = f"{told[0]}.{part}", told[1]
    schema = _followed(document, schema)
    complaints += [each for each in _strange(schema, patch, place) if each not in complaints]
    return merge(schema, patch, place, complaints)


def _strange(schema: Json, patch: Json, place: str) -> Iterator[str]:
    """Find what is no keyword of a schema, and fields that are not there and not described either."""
    known = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    for key, value in patch.items() if isinstance(patch, Mapping) else ():
        at = f"{place}.{key}"
        if key not in KEYWORDS:
            yield f"{at}: there is no keyword {key!r}; {nearest(key, KEYWORDS)}"
        elif key == "not":
            yield from _strange(schema, value, at)
        elif key == "required" and isinstance(value, list):
            own = {**known, **(patch.get("properties") or {})}
            yield from (
                f"{at}: there is no field {each!r}; {nearest(each, own)}" for each in value if each not in own
            )
        elif key == "properties" and isinstance(value, Mapping):
            for name, each in value.items():
                # Several types are what a field becomes that there is: a misspelt one is no new one.
                is_new = isinstance(each, Mapping) and (isinstance(each.get("type"), str) or "anyOf" in each)
                if name not in known and not is_new:
                    near = nearest(name, known)
                    yield f"{at}.{name}: there is no such field; {near} A new one says its type"
                yield from _strange(known.get(name, {}), each, f"{at}.{name}")


def _followed(document: Json, part: Json) -> Json:
    while isinstance(part, Mapping) and isinstance(part.get("$ref"), str):
        part = target(document, part["$ref"])
    return part if isinstance(part, Mapping) else {}


def merge(value: Json, patch: Json, place: str, complaints: list[str]) -> Json:
    """Merge a patch (RFC 7396) into a value; a mapping in place of a list says what of it changes.

    >>> merge({"a": 1, "b": [{"c": 1}, {"d": 2}]}, {"a": None, "b": {"add": [3]}}, "", [])
    {'b': [{'c': 1}, {'d': 2}, 3]}
    >>> merge({"a": [{"b": 1}, {"b": 2}], "c": 1}, {"a": {"first": [{"b": 2}]}, "c": {"value": None}}, "", [])
    {'a': [{'b': 2}, {'b': 1}], 'c': None}
    """
    if isinstance(value, list) and isinstance(patch, Mapping):
        return _merge_list(value, patch, place, complaints)
    if not isinstance(patch, Mapping):
        return patch
    if patch == NULL and isinstance(value, str | int | float):
        return None
    known: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {}
    for key, each in patch.items():
        if each is not None:
            known[key] = merge(known.get(key), each, f"{place}.{key}", complaints)
        elif known.pop(key, None) is None:
            complaints.append(f"{place}.{key}: there is none to be removed; {nearest(key, known)}")
    return known


def _merge_list(value: list[Json], patch: Mapping[str, Json], place: str, complaints: list[str]) -> Json:
    complaints += [
        f"{place}.{key}: a list is not changed by this; {nearest(key, LIST_MEMBERS)}"
        for key in patch
        if key not in LIST_MEMBERS
    ]
    changes, added, first = (patch.get(key, []) for key in LIST_MEMBERS)
    if not all(isinstance(each, list) for each in (changes, added, first)):
        complaints.append(f"{place}: `change`, `add` and `first` are lists")
        return value
    found = list(value)
    for index, row in enumerate(changes):
        at = f"{place}.change[{index}]"
        if not (isinstance(row, Mapping) and isinstance(row.get("where"), Mapping) and "to" in row):
            complaints.append(f"{at}: a change has `where`, with members of the item, and `to`")
            continue
        complaints += [
            f"{at}.{key}: {nearest(key, CHANGE_MEMBERS)}" for key in row if key not in CHANGE_MEMBERS
        ]
        fits = [position for position, each in enumerate(found) if _holds(each, row["where"])]
        if not fits:
            complaints.append(f"{at}.where: no item holds {row['where']}")
        for position in fits:
            found[position] = None if row["to"] is None else merge(found[position], row["to"], at, complaints)
        found = [each for each in found if each is not None]
    return _moved(found + added, first, place, complaints)


def _moved(items: list[Json], first: list[Json], place: str, complaints: list[str]) -> list[Json]:
    """Give items in another order: those first that hold what is wanted, and the others as they stood."""
    front: list[Json] = []
    for index, wanted in enumerate(first):
        fits = [each for each in items if isinstance(wanted, Mapping) and _holds(each, wanted)]
        if not fits:
            complaints.append(f"{place}.first[{index}]: no item holds {wanted}")
        front += [each for each in fits if each not in front]
    return front + [each for each in items if each not in front]


def _holds(item: Json, wanted: Json) -> bool:
    return isinstance(item, Mapping) and all(item.get(key) == each for key, each in wanted.items())
