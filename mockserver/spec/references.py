"""Every name in a table leads somewhere: to a row of the table, to the OpenAPI document, or to a complaint.

What a value names, the marks of its type say (`marks.Mark`); for each kind of mark there is a function here.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from mockserver.jsontext import Json
from mockserver.spec.explain import nearest
from mockserver.spec.fields import refuses
from mockserver.spec.marks import Mark
from mockserver.spec.row import Cited, Row
from mockserver.spec.scope import Scope

Others = Mapping[str, Json]  # the other members of a row
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


def complaints(
    scope: Scope, kind: Any, value: Json, place: str, others: Others | None = None
) -> Iterator[str]:
    """Hold a value against the marks of its type, as deep as it goes."""
    if value is None or not _is_marked(kind):
        return
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        for mark in inner[1:]:
            if isinstance(mark, Mark):
                yield from CHECKS[mark.check](scope, value, place, others or {}, *mark.arguments)
        yield from complaints(scope, inner[0], value, place, others)
    elif origin in {Union, UnionType}:
        for each in inner:
            yield from complaints(scope, each, None if each is NoneType else value, place, others)
    else:
        for of, item, name, near in _parts(inner, value, others):
            yield from complaints(scope, of, item, place + name, near)


@functools.cache
def _is_marked(kind: Any) -> bool:
    """Whether a type has a mark, however deep in it."""
    if get_origin(kind) is Annotated and any(isinstance(each, Mark) for each in get_args(kind)):
        return True
    inner = hints(kind).values() if isinstance(kind, type) and issubclass(kind, Row) else get_args(kind)
    return any(_is_marked(each) for each in inner)


def _parts(
    kinds: tuple[Any, ...], value: Json, others: Others | None
) -> Iterator[tuple[Any, Json, str, Others | None]]:
    """Give the parts of a row, mapping or list: the type, the part, its place within, its neighbours."""
    if isinstance(value, Row):
        members = {name: getattr(value, name) for name in hints(type(value))}
        yield from ((hints(type(value))[name], item, f".{name}", members) for name, item in members.items())
    elif isinstance(value, Mapping) and kinds:
        for key, item in value.items():
            yield kinds[0], key, f".{key}", others
            yield kinds[1], item, f".{key}", others
    elif isinstance(value, tuple) and kinds:
        yield from ((kinds[0], item, f"[{index}]", others) for index, item in enumerate(value))


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
