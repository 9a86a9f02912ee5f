"""What a request to an operation can say: its optional fields and the values of its enums; and what one says.

Fields are named as they are nested, `style.colour` or `tags[]`, those of a query `?page`, of a header
`If-Match:`. Only what is sent counts: a default that stands in for a field does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.call import Arguments
from mockserver.jsontext import Json, dump
from mockserver.spec.fields import BRANCHES, refuses
from mockserver.spec.model import Operation
from mockserver.spec.schema import Schema

DEEPEST = 3  # levels of fields within fields; documents can nest without an end
Part = Mapping[str, Json]


class Node(NamedTuple):
    """One field, with all that is known of it."""

    label: str
    is_optional: bool
    values: Mapping[str, str]  # how each value of its enum is shown, by the value as JSON
    members: "Mapping[str, Node]"
    items: "Node | None" = None  # None: it is no array, or nothing is said of its items

    def walk(self) -> "Iterator[Node]":
        """Give it and all that stands in it."""
        yield self
        for each in (*self.members.values(), *([self.items] if self.items else ())):
            yield from each.walk()


class Reader:
    """What requests to one operation can say; prepared once, so that reading one is quick."""

    def __init__(self, operation: Operation) -> None:
        self._name = operation.name
        self._bodies = _bodies(operation)
        shown = {"query": "?{}", "header": "{}:", "path": "{}"}
        self._parameters = {
            (each.location, each.name): _node(
                each.schema,
                [each.schema.document],
                shown[each.location].format(each.name),
                is_optional=not each.is_required,
            )
            for each in operation.parameters
            if each.location in shown
        }
        nodes = [
            node for root in (*self._bodies.values(), *self._parameters.values()) for node in root.walk()
        ]
        self.fields = tuple(dict.fromkeys(node.label for node in nodes if node.is_optional))
        self.values = tuple(dict.fromkeys(shown for node in nodes for shown in node.values.values()))
        # The fields with enums, where they and the names in a body tell all that it says. None: more does.
        self.choices = self._flat_choices()

    def read(self, arguments: Arguments) -> Iterator[str]:
        """Give the optional fields and the values of enums that a request says."""
        places = {"query": arguments.query, "header": arguments.header, "path": arguments.path}
        for (location, name), node in self._parameters.items():
            if name in places[location]:
                yield from _said(node, places[location][name])
        root = self._bodies.get(arguments.media_type or "")
        if root is not None and arguments.body is not None:
            yield from _said(root, arguments.body)

    def _flat_choices(self) -> tuple[str, ...] | None:
        roots = list(self._bodies.values())
        nodes = [] if len(roots) != 1 else list(roots[0].members.values())
        is_flat = all(not node.members and not (node.items and node.items.values) for node in nodes)
        says_more = any(node.is_optional or node.values for node in self._parameters.values())
        texts = all(shown[:1] == '"' for node in nodes for shown in node.values)
        if len(roots) != 1 or roots[0].items or says_more or not (is_flat and texts):
            return None
        return tuple(name for name, node in roots[0].members.items() if node.values)


def _bodies(operation: Operation) -> dict[str, Node]:
    schemas = operation.body.schemas if operation.body else {}
    return {
        media_type: _node(schema, [schema.document], "", is_optional=False)
        for media_type, schema in schemas.items()
    }


def _node(schema: Schema, parts: Sequence[Json], label: str, *, is_optional: bool, depth: int = 0) -> Node:
    known = list(_unfolded(schema, parts))
    listed = {
        dump(value).decode(): value
        for part in known
        for value in part.get("enum", ())
        if refuses(label, known, value) is None
    }
    shown = {
        text: f"{label}={value if isinstance(value, str) else text}".lstrip("=")
        for text, value in listed.items()
    }
    if depth == DEEPEST:
        return Node(label, is_optional, shown, {})
    required = {name for part in _unfolded(schema, parts, ("allOf",)) for name in part.get("required", ())}
    inner: dict[str, list[Json]] = {}
    for part in known:
        for name, each in part.get("properties", {}).items():
            inner.setdefault(name, []).append(each)
    members = {
        name: _node(
            schema,
            found,
            f"{label}.{name}" if label else name,
            is_optional=name not in required,
            depth=depth + 1,
        )
        for name, found in inner.items()
    }
    items = [part["items"] for part in known if "items" in part]
    entry = _node(schema, items, f"{label}[]", is_optional=False, depth=depth + 1) if items else None
    return Node(label, is_optional, shown, members, entry)


def _unfolded(schema: Schema, parts: Sequence[Json], branches: Sequence[str] = BRANCHES) -> Iterator[Part]:
    """Give every part of a schema that speaks of the same value, references and branches followed."""
    seen: set[int] = set()
    rest = list(parts)
    while rest:
        part = schema.followed(rest.pop(0))
        if not isinstance(part, Mapping) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        rest += [each for key in branches for each in part.get(key, ())]


def _said(node: Node, value: Any) -> Iterator[str]:
    if node.is_optional:
        yield node.label
    if node.values and (shown := node.values.get(dump(value).decode())) is not None:
        yield shown
    if isinstance(value, dict):
        for name in value.keys() & node.members.keys():
            yield from _said(node.members[name], value[name])
    elif isinstance(value, list) and node.items is not None:
        for item in value:
            yield from _said(node.items, item)
