"""What can be named at one place of a provider's table, and what is: its own rows, the OpenAPI document."""

import copy
import difflib
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mockserver.jsontext import Json
from mockserver.problems import ProblemType
from mockserver.spec.explain import COMPLAINTS, nearest
from mockserver.spec.fields import fields_of, members_of, schemas_of, types_of
from mockserver.spec.model import Operation, Provider
from mockserver.spec.rows import ErrorRow

ANY: frozenset[str] = frozenset()  # types of what has none
OF_OPERATION = {"answer members", "fields", "parameters", "roles"}
Names = Mapping[str, frozenset[str]]  # with the types of what each names; none where types mean nothing


class Scope:
    """What can be named at one place of a provider's table; it takes note of what is."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.operation: Operation | None = None  # None: outside of all operations
        self.used: set[tuple[str, str]] = {("errors", row.error.name) for row in provider.problems.values()}
        self.words: dict[Any, Any] = {}  # by type: what behaviours have been given
        self.names: dict[str, Names] = {}
        self.names_here: dict[str, Names] = {}  # within the operation

    def at(self, operation: Operation) -> "Scope":
        """Give the scope within an operation; notes go to the same list."""
        inner = copy.copy(self)
        inner.operation = operation
        inner.names_here = {}
        inner.__dict__.pop("fields", None)
        return inner

    def unread(self) -> Iterator[str]:
        """Complain of what stands in the table and nothing reads."""
        table = self.provider.table
        for section, kind, names in (
            ("limits", "limits", table.limits),
            ("citations", "citations", table.citations),
            ("accounts.attributes", "account attributes", table.accounts.attributes),
            (
                "plans",
                "plan attributes",
                dict.fromkeys(name for plan in table.plans.values() for name in plan),
            ),
        ):
            for name in names:
                if (kind, name) not in self.used:
                    near = nearest(name, [each for of, each in self.used if of == kind])
                    yield f"{section}: nothing reads {name!r}; {near}"
        for name, row in table.errors.items():
            yield from self._undocumented(name, row)

    def _undocumented(self, name: str, row: ErrorRow) -> Iterator[str]:
        """Complain of an error that nothing raises or documents, and of a code that is not documented."""
        codes, code = self._codes, row.code
        unknown = f"the OpenAPI document knows no code {code!r}"
        is_mentioned = code is not None and self.mentions(code)
        if code is not None and codes and code not in codes:
            yield f"errors.{name}: {unknown}; correct it, or add it to the enum there; {nearest(code, codes)}"
        elif code not in {None, name, *codes} and self._mentions_errors and not is_mentioned:
            yield f"errors.{name}.code: {unknown}; correct it, leave it out, or name it there"
        elif ("errors", name) not in self.used and row.only is None and not is_mentioned:
            near = nearest(name, [each for of, each in self.used if of == "errors"])
            told = "nothing raises this and no document knows it"
            yield f"errors.{name}: {told}; {near} Or say `only: ordered`"

    def known(self, kind: str) -> Names:
        """Give every name of a kind."""
        known = self.names_here if kind in OF_OPERATION else self.names
        if kind not in known:
            known[kind] = self._find(kind)
        return known[kind]

    def _find(self, kind: str) -> Names:
        table = self.provider.table
        if kind == "fields":
            return {name: types_of(each) for name, each in self.fields.items()}
        if kind == "account attributes":
            own = {name: frozenset([each.type]) for name, each in table.accounts.attributes.items()}
            return {"has_api_access": frozenset(["boolean"]), **own}
        if kind == "plan attributes":
            plans = table.plans.values()
            of_all = (name for plan in plans for name in plan if all(name in each for each in plans))
            return dict.fromkeys(of_all, ANY)
        known: Iterable[str]
        if kind == "kinds":
            known = [each.job for each in table.operations.values() if each.job]
        elif kind in {"roles", "parameters", "answer members"}:
            known = self._of_operation[kind]
        elif kind == "problems":
            known = [each.value for each in ProblemType]
        elif kind == "keywords":
            known = COMPLAINTS
        elif kind in {"choices", "patterns", "fields anywhere"}:
            known = self._anywhere[kind]
        else:
            known = getattr(table, kind)
        return dict.fromkeys(known, ANY)

    @functools.cached_property
    def fields(self) -> Mapping[str, list[Json]]:
        """Give the fields of the operation's body, each with all that its schema says of it."""
        return fields_of(self.operation)

    @property
    def _of_operation(self) -> Mapping[str, Iterable[str]]:
        if self.operation is None:
            return {"roles": (), "parameters": (), "answer members": ()}
        responses = self.operation.responses.values()
        successes = [each.schema for each in responses if each.schema and each.status[0] == "2"]
        return {
            "roles": [role for row in self.operation.row.pictures for role in row.roles],
            "parameters": [each.name for each in self.operation.parameters],
            "answer members": members_of(successes[0]) if successes else (),
        }

    @functools.cached_property
    def _anywhere(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {"choices": [], "patterns": [], "fields anywhere": []}
        for operation in self.provider.operations.values():
            bodies = operation.body.schemas.values() if operation.body else ()
            for part in schemas_of(*bodies, *(each.schema for each in operation.parameters)):
                listed = part["enum"] if isinstance(part.get("enum"), list) else []
                values = (*listed, part.get("const"), part.get("default"))
                found["choices"] += [value for value in values if isinstance(value, str)]
                found["patterns"] += [part["pattern"]] if isinstance(part.get("pattern"), str) else []
                properties = part.get("properties", {})
                found["fields anywhere"] += list(properties) if isinstance(properties, Mapping) else []
        return found

    @functools.cached_property
    def vocabulary(self) -> list[str]:
        """Give every word of the OpenAPI document, hosts and the like whole, too."""
        text = self.provider.text
        return sorted({*re.findall(r"\w+", text), *re.findall(r"\w+(?:[.-]\w+)++", text)})

    def mentions(self, word: str) -> bool:
        """Whether the OpenAPI document holds a word: as a name, as a value or in its prose."""
        text, at = self.provider.text, -1
        while (at := text.find(word, at + 1)) >= 0:
            around = text[at - 1 : at] + text[at + len(word) : at + len(word) + 1]
            if not any(each.isalnum() or each == "_" for each in around):
                return True
        return False

    def meant(self, word: str) -> str:
        """Suggest the nearest word of the OpenAPI document."""
        near = difflib.get_close_matches(word, self.vocabulary, n=1)
        return f"did you mean {near[0]}?" if near else "correct it, or document it"

    def answer_parts(self, *, of_errors: bool) -> Iterator[Mapping[str, Json]]:
        """Give the parts of the schemas of all documented responses, or of those that are errors."""
        every = (each for row in self.provider.operations.values() for each in row.responses.values())
        spoken = (each for each in every if not (of_errors and each.status[0] in "123"))
        return schemas_of(*(each.schema for each in spoken if each.schema))

    @functools.cached_property
    def error_parts(self) -> list[Mapping[str, Json]]:
        """Give the parts of the schemas of all documented errors."""
        return list(self.answer_parts(of_errors=True))

    @functools.cached_property
    def _codes(self) -> list[str]:
        """Give the codes that the document lists where the table puts `$code`; empty where it lists none."""
        names = set(_members(self.provider.answers.error, "$code"))
        return [
            code
            for part in self.error_parts
            for name, each in part.get("properties", {}).items()
            if name in names and isinstance(each, Mapping)
            for code in each.get("enum", ())
        ]

    @functools.cached_property
    def _mentions_errors(self) -> bool:
        return any(self.mentions(name) for name in self.provider.table.errors)


def _members(shape: Json, wanted: str) -> Iterator[str]:
    for name, item in shape.items() if isinstance(shape, Mapping) else ():
        if item == wanted:
            yield name
        yield from _members(item, wanted)
