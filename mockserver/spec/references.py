"""Every name in a table leads somewhere: to a row of the table, to the OpenAPI document, or to a complaint.

What a value names, the marks of its type say (`marks.Mark`); for each kind of mark there is a function here.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from mockserver.jsontext import Json
from mockserver.spec.explain import nearest
from mockserver.spec.fields import refuses
from mockserver.spec.marks import Mark
from mockserver.spec.row import Cited, Row
from mockserver.spec.scope import Scope

Others = Mapping[str, Json]  # the other members of a row
Walk = Callable[[Scope, Json, str, Others, list[str]], None]  # adds what it complains of to a list
# How a complaint speaks of what is not there.
KINDS = {
    "account attributes": "there is no attribute {!r} under `accounts`",
    "answer members": "the success of this operation is no object with a member {!r}",
    "choices": "no field of a request takes {!r}",
    "citations": "there is no {!r} under `citations`",
    "errors": "there is no row {!r} under `errors`",
    "fields": "the body of this operation has no field {!r}",
    "fields anywhere": "no body has a field {!r}",
    "keywords": "there is no keyword {!r} that a refusal can tell of",
    "kinds": "no operation has `job: {}`",
    "limits": "there is no row {!r} under `limits`",
    "operations": "there is no operation {!r}",
    "parameters": "this operation has no parameter {!r}",
    "patterns": "no schema has the pattern {}",
    "plan attributes": "not every plan under `plans` has {!r}",
    "problems": "no such problem as {!r}",
    "roles": "no picture is opened in the role {!r}",
    "sizes": "there is no size {!r} under `sizes`",
}
STANDARD_HEADERS = (
    "Allow", "Cache-Control", "Content-Language", "Link", "Location", "Retry-After", "WWW-Authenticate",
)  # fmt: skip


def complaints(scope: Scope, kind: Any, value: Json, place: str) -> list[str]:
    """Hold a value against the marks of its type, as deep as it goes."""
    found: list[str] = []
    if walk := _walk(kind):
        walk(scope, value, place, {}, found)
    return found


@functools.cache
def _walk(kind: Any) -> Walk | None:
    """Make what looks for the marks of a type, however deep in it; None where it has none."""
    inner = get_args(kind)
    if get_origin(kind) is Annotated:
        return _annotated(_walk(inner[0]), [mark for mark in inner[1:] if isinstance(mark, Mark)])
    if isinstance(kind, type) and issubclass(kind, Row):
        return _look_into if _marked(kind) else None
    walks = [_walk(each) for each in inner]
    if not any(walks):
        return None
    if get_origin(kind) in {Union, UnionType}:
        return _any_of([walk for walk in walks if walk])
    return _of_parts(walks[0], walks[-1])


def _annotated(then: Walk | None, marks: list[Mark]) -> Walk | None:
    if not marks:
        return then
    checks = [(CHECKS[mark.check], mark.arguments) for mark in marks]

    def walk(scope: Scope, value: Json, place: str, others: Others, found: list[str]) -> None:
        if value is not None:
            for check, arguments in checks:
                found.extend(check(scope, value, place, others, *arguments))
            if then:
                then(scope, value, place, others, found)

    return walk


def _any_of(walks: list[Walk]) -> Walk:
    def walk(scope: Scope, value: Json, place: str, others: Others, found: list[str]) -> None:
        for each in walks:
            each(scope, value, place, others, found)

    return walk if len(walks) > 1 else walks[0]


def _of_parts(of_key: Walk | None, of_item: Walk | None) -> Walk:
    """Make what looks into a mapping, or into a list, whose items are of the first type."""

    def walk(scope: Scope, value: Json, place: str, others: Others, found: list[str]) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                if of_key:
                    of_key(scope, key, f"{place}.{key}", others, found)
                if of_item:
                    of_item(scope, item, f"{place}.{key}", others, found)
        elif of_key and isinstance(value, tuple):
            for index, item in enumerate(value):
                of_key(scope, item, f"{place}[{index}]", others, found)

    return walk


def _look_into(scope: Scope, row: Json, place: str, _others: Others, found: list[str]) -> None:
    """Look into a row, by the types of its members."""
    if isinstance(row, Row):
        others = _members(row)
        for name, walk in _marked(type(row)):
            walk(scope, others[name], f"{place}.{name}", others, found)


@functools.cache
def _marked(kind: type[Row]) -> list[tuple[str, Walk]]:
    """Give the members of a row whose types have marks."""
    return [(name, walk) for name, each in hints(kind).items() if (walk := _walk(each))]


@functools.cache
def hints(kind: Any) -> Mapping[str, Any]:
    """Give the annotations of a class or function, with their marks."""
    return get_type_hints(kind, include_extras=True)


def _name(scope: Scope, value: Json, place: str, _others: Others, kind: str, *types: str) -> Iterator[str]:
    """The text is the name of something that stands elsewhere, and has one of some types."""
    known = scope.known(kind)
    scope.used.add((kind, value))
    if value not in known:
        yield f"{place}: {KINDS[kind].format(value)}; {nearest(value, known)}"
    elif types and known[value] and not known[value] & set(types):
        is_ = " or ".join(sorted(known[value]))
        yield f"{place}: {value} is {is_}; name one that is {' or '.join(types)}"


def _member(_scope: Scope, value: Json, place: str, others: Others) -> Iterator[str]:
    """The text is the name of a member of the row in which it stands."""
    known = [name for name in others if name not in Cited.__struct_fields__]
    if value not in known:
        yield f"{place}: this row has no member {value!r}; {nearest(value, known)}"


def _place(scope: Scope, value: Json, place: str, _others: Others) -> Iterator[str]:
    """The text is a place in the table: keys with dots between, of which `*` is any."""
    here: list[Any] = [scope.provider.table]
    for part in value.split("."):
        inner = [_members(each) for each in here]
        known = dict.fromkeys(key for each in inner for key in each)
        here = [each[key] for each in inner for key in each if part in {key, "*"}]
        if not here:
            yield f"{place}: nothing is called {part!r} there; {nearest(part, known)}"
            return


def _members(value: Any) -> Mapping[str, Any]:
    """Give what stands in a row, mapping or list, by its name or number."""
    if isinstance(value, Row):
        return {name: getattr(value, name) for name in hints(type(value))}
    if isinstance(value, Mapping):
        return value
    return {str(index): each for index, each in enumerate(value)} if isinstance(value, tuple | list) else {}


def _documented(scope: Scope, value: Json, place: str, _others: Others, what: str) -> Iterator[str]:
    """The text is a word of the OpenAPI document."""
    if not scope.mentions(value):
        yield f"{place}: the OpenAPI document knows no {what} {value!r}; {scope.meant(value)}"


def _header(scope: Scope, value: Json, place: str, _others: Others) -> Iterator[str]:
    """The text is the name of a header that the OpenAPI document mentions, or that HTTP knows."""
    if value not in STANDARD_HEADERS and not scope.mentions(value):
        near = nearest(value, STANDARD_HEADERS)
        yield f"{place}: the OpenAPI document knows no header {value!r}; {near}, or mention it there"


def _template(_scope: Scope, value: Json, place: str, _others: Others, *names: str) -> Iterator[str]:
    """The text may hold these `$names`."""
    for name in re.findall(r"\$(\w+)", value):
        if name not in names:
            yield f"{place}: there is no ${name} here; {nearest(name, names)}"


def _shape(scope: Scope, value: Json, place: str, others: Others, *names: str) -> Iterator[str]:
    """The value is JSON in which these `$names` stand for values, and whose members the document mentions."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if scope.error_parts and not scope.mentions(name):
                yield f"{place}: the OpenAPI document knows no member {name!r}; {scope.meant(name)}"
            yield from _shape(scope, item, f"{place}.{name}", others, *names)
    elif isinstance(value, str) and value.startswith("$") and value[1:] not in names:
        yield f"{place}: there is no {value} here; {nearest(value[1:], names)}"


def _values_of(scope: Scope, value: Json, place: str, _others: Others, field: str) -> Iterator[str]:
    """The text, or each of several, is a value that this field of the body can have."""
    for each in value if isinstance(value, tuple | list) else (value,):
        wrong = refuses(field, scope.fields.get(field, []), each)
        if wrong:
            yield f"{place}: {wrong}"


def _body_values(scope: Scope, value: Json, place: str, others: Others) -> Iterator[str]:
    """The keys are fields of the body, and the values what they can have; a list holds several."""
    for field, each in value.items():
        yield from _values_of(scope, each, f"{place}.{field}", others, field)


def _choices_of(scope: Scope, value: Json, place: str, others: Others, member: str) -> Iterator[str]:
    """The keys are all the values of the field that another member names."""
    field = others[member]
    listed = [each for part in scope.fields.get(field, ()) for each in part.get("enum", ())] if value else []
    yield from (f"{place}: {each!r} is missing, which {field} can be" for each in listed if each not in value)
    yield from _values_of(scope, tuple(value), place, others, field)


def _gates(scope: Scope, value: Json, _place: str, others: Others, member: str) -> Iterator[str]:
    """The attribute of the plans says which values the field can have that another member names."""
    for plan, attributes in scope.provider.plans.items():
        allowed = attributes.get(value)
        if not isinstance(allowed, bool | None):
            each = tuple(allowed) if isinstance(allowed, list) else (allowed,)
            yield from _values_of(scope, each, f"plans.{plan}.{value}", others, others[member])


def _states_of(scope: Scope, value: Json, place: str, others: Others, member: str) -> Iterator[str]:
    """The keys are states that things can have under the account attribute that another member names."""
    attribute = scope.provider.table.accounts.attributes.get(others[member])
    states = attribute.states if attribute else ()
    for name in value:
        if name not in states:
            yield f"{place}: nothing under `{others[member]}` can be {name!r}; {nearest(name, states)}"


def _members_of(scope: Scope, value: Json, place: str, _others: Others, name: str) -> Iterator[str]:
    """The keys are all the members that answers have below one of this name."""
    members = (part.get("properties", {}).get(name, {}) for part in scope.answer_parts(of_errors=False))
    shown = dict.fromkeys(each for part in members for each in part.get("properties", ()))
    yield from (f"{place}: {each!r} is missing, which answers show" for each in shown if each not in value)
    for each in value:
        if each not in shown:
            yield f"{place}: answers show no {each!r} in {name}; {nearest(each, shown)}"


def _key_of(_scope: Scope, value: Json, place: str, others: Others, member: str) -> Iterator[str]:
    """The text is a key of what another member holds."""
    if value not in others[member]:
        yield f"{place}: there is no {value!r} under `{member}`; {nearest(value, others[member])}"


# The functions behind the names of marks.
CHECKS: Mapping[str, Callable[..., Iterator[str]]] = {
    "name": _name,
    "member": _member,
    "place": _place,
    "sent": lambda *_: iter(()),
    "documented": _documented,
    "header": _header,
    "template": _template,
    "shape": _shape,
    "values_of": _values_of,
    "body_values": _body_values,
    "choices_of": _choices_of,
    "gates": _gates,
    "key_of": _key_of,
    "states_of": _states_of,
    "members_of": _members_of,
}
