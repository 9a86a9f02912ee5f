"""Call → Result: each operation's rewrites, checks, pictures and behaviour, found by name once, at the start.

A name without a dot is a shared one, `provider.verb` is a function of that provider's module. The annotations
of a function say what it takes from the table, so that a misspelling stops the start.
"""

import functools
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

from mockserver.call import Behaviour, Call, Referral, Result, Rewrite
from mockserver.jsontext import Json
from mockserver.links import Cdns, origins
from mockserver.spec import references
from mockserver.spec.agreement import agreement
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import nearest
from mockserver.spec.files import SpecificationError
from mockserver.spec.marks import CitationName, OtherCitation, SentField
from mockserver.spec.model import Operation, Provider
from mockserver.spec.references import hints
from mockserver.spec.rows import Added, Row
from mockserver.spec.scope import Scope
from mockserver.spec.table import convert, row_type

MOST_KEPT = 8  # providers with their functions
CITATIONS = (CitationName, OtherCitation)
USUAL = "200"  # the status of what a behaviour does not say otherwise
PACKAGE, SHARED_CHECKS = "mockserver.behaviours", "checks"
# The sections that a function takes by the name of its parameter.
SECTIONS = ("job", "jobs", "outputs", "sizes", "webhooks")
Function = Callable[..., Any]
# A function that a row names, with the field without which it is not asked; None: always.
Named = tuple[str | None, Function]


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation with the functions that its table names, in the order in which they are asked."""

    rewrites: tuple[Rewrite, ...]
    checks: tuple[Named, ...]
    pictures: tuple[Rewrite, ...]
    late_checks: tuple[Named, ...]
    behaviour: Behaviour


def bind(catalog: Catalog, beside: Iterable[Provider] = ()) -> Mapping[str, Bound]:
    """Find every function that a table names, by the operation's full name. Raises SpecificationError.

    `beside`: all providers, whose pictures can be sent, where the catalogue holds but some.
    This is where a name that leads nowhere, and a row that nothing reads, is complained of.
    """
    bound: dict[str, Bound] = {}
    complaints: list[str] = []
    around = tuple(beside or catalog.providers.values())
    for provider in catalog.providers.values():
        made, found = _bind_provider(provider, around)
        bound |= made
        complaints += [f"{provider.folder}/behaviour.yaml: {each}" for each in found]
    if complaints:
        raise SpecificationError(complaints)
    return bound


@functools.lru_cache(MOST_KEPT)  # for the bundled ones, which all engines of a process share
def _bind_provider(provider: Provider, around: tuple[Provider, ...]) -> tuple[Mapping[str, Bound], list[str]]:
    scope, cdns = Scope(provider), origins(around)
    found = list(agreement(scope))
    binders = [_Binder(scope, operation, cdns) for operation in provider.operations.values()]
    bound = {each.operation.name: made for each in binders if (made := each.bound())}
    found += [complaint for each in binders for complaint in each.complaints]
    found += _unread_words(scope, binders)
    found += [] if found or provider.chosen else scope.unread()
    return bound, list(dict.fromkeys(found))


def examine(call: Call, bound: Bound) -> Call:
    """Rewrite a valid call, hold it against what no schema can say, and open its pictures. Raises Problem."""
    for rewrite in bound.rewrites:
        call = rewrite(call)
    if bound.checks:
        _ask(bound.checks, call)
    for open_pictures in bound.pictures:
        call = open_pictures(call)
    if bound.late_checks:
        _ask(bound.late_checks, call)
    return call


def behave(call: Call, bound: Bound) -> Result | Referral:
    """Do what the operation does. Raises whatever Problem the API documents."""
    return bound.behaviour(call)


def _ask(checks: tuple[Named, ...], call: Call) -> None:
    body = call.body
    for sent, check in checks:
        if sent is None or sent in body:
            check(call)


class _Binder:
    """Finds the functions of one operation, and holds against their annotations what the table gives them."""

    def __init__(self, scope: Scope, operation: Operation, cdns: Cdns) -> None:
        self.operation = operation
        self.cdns = cdns
        self.scope = scope.at(operation)
        self.place = f"operations.{operation.id}"
        self.complaints: list[str] = []
        self.words: list[type[Row]] = []  # that the functions take

    def bound(self) -> Bound | None:
        """Find every function; None, with complaints, where one cannot be had."""
        rewrites = self._rows("rewrites", "rewrite")
        checks, late_checks = (self._rows(part, "check") for part in ("checks", "late_checks"))
        open_ = self._function("pictures.open_pictures", Call, self.place)
        behaviour = self._behaviour()
        if self.complaints or behaviour is None or open_ is None:
            return None
        rows = self.operation.row.pictures
        pictures = tuple(functools.partial(open_, wanted=row, cdns=self.cdns) for row in rows)
        return Bound(tuple(each for _, each in rewrites), checks, pictures, late_checks, behaviour)

    def _behaviour(self) -> Behaviour | None:
        name = self.operation.row.behaviour
        module = name if "." in name else f"{name}.{name}"
        function = self._function(module, Result, f"{self.place}.behaviour")
        if function is None:
            return None
        for member in ("settings", "job"):
            if getattr(self.operation.row.section, member) and member not in hints(function):
                self.complaints.append(f"{self.place}.{member}: the behaviour {name} takes none; remove it")
        found: Behaviour = functools.partial(function, **self._given(function, self.place))
        statuses = [status for status in self.operation.responses if status[0] == "2" and status.isdecimal()]
        if self.operation.row.section.adds or (statuses and USUAL not in statuses):
            status = int(statuses[0]) if statuses else None
            return functools.partial(_complete, found, self.operation.row.section.adds, status)
        return found

    def _rows(self, part: str, kind: str) -> tuple[Named, ...]:
        rows = enumerate(getattr(self.operation.row.section, part))
        found = [self._row(row, kind, f"{self.place}.{part}[{index}]") for index, row in rows]
        return tuple(each for each in found if each)

    def _row(self, row: Mapping[str, Any], kind: str, place: str) -> Named | None:
        """Find the function of a row, with the row's other members as its parameters."""
        name, returns = str(row[kind]), Call if kind == "rewrite" else None
        module = name if "." in name else f"{SHARED_CHECKS}.{name}"
        function = self._function(module, returns, f"{place}.{kind}")
        if function is None:
            return None
        wanted, given = parameters(function), self._given(function, place)
        members = {key: value for key, value in row.items() if key != kind}
        read = self._read(wanted, members, place, f"{kind} {name}")
        if read is None:
            return None
        sent, citations = None, self.scope.provider.citations
        for key, annotation in hints(wanted).items():
            value = getattr(read, key)
            given[key] = citations.get(value) if annotation in CITATIONS else value
            sent = value if annotation == SentField else sent
        return sent, functools.partial(function, **given)

    def _given(self, function: Function, place: str) -> dict[str, Any]:
        """Give what a function takes from the sections of the table, by the names of its parameters."""
        row, provider, found = self.operation.row, self.scope.provider, dict[str, Any]()
        for name, kind in hints(function).items():
            if name == "settings":
                taker = f"behaviour {row.behaviour}"
                found[name] = self._read(kind, row.section.settings, f"{place}.settings", taker)
            elif name == "words":
                self.words.append(kind)
                # One value for all that take the same: results are kept by it.
                if kind not in self.scope.words:
                    own = {key: each for key, each in provider.words.items() if key in kind.__struct_fields__}
                    self.scope.words[kind] = self._read(kind, own, "words", self._taker(function))
                found[name] = self.scope.words[kind]
            elif name in SECTIONS:
                found[name] = getattr(row if name == "job" else provider, name)
                if not found[name]:
                    where = place.partition("[")[0] if name == "job" else "the table"
                    self.complaints.append(f"{place}: {function.__name__} needs `{name}`; add it to {where}")
        return found

    def _taker(self, function: Function) -> str:
        """Name a function as tables do, and the operation that it is for."""
        return f"function {function.__module__.rpartition('.')[2]}.{function.__name__} of {self.place}"

    def _read(self, kind: type[Row], value: Any, place: str, taker: str) -> Any:
        """Type what a function takes; None, with complaints, where that cannot be."""
        read, complaint = convert(value, kind, place, taker)
        found = [complaint] if complaint else list(references.complaints(self.scope, kind, read, place))
        self.complaints += found
        return read

    def _function(self, name: str, returns: Any, place: str) -> Function | None:
        """Find a function of a behaviour module that gives what is asked of it."""
        module, _, verb = name.rpartition(".")
        try:
            found = import_module(f"{PACKAGE}.{module}")
        except ModuleNotFoundError:
            modules = [each.name for each in pkgutil.iter_modules(import_module(PACKAGE).__path__)]
            what = f"there is no mockserver/behaviours/{module}.py; {nearest(module, modules)}"
            self.complaints.append(f"{place}: {what}")
            return None
        known = _functions(found, returns)
        if verb not in known:
            file = f"mockserver/behaviours/{module}.py"
            what = f"there is no function {verb!r} for this in {file}; {nearest(verb, known)}"
            self.complaints.append(f"{place}: {what}")
        return known.get(verb)


def _complete(
    behaviour: Behaviour, adds: Mapping[str, Added], status: int | None, call: Call
) -> Result | Referral:
    """Give a result with what the table adds to it, and the documented status where 200 is not."""
    result = behaviour(call)
    if not isinstance(result, Result):
        return result
    if status is not None and str(result.status) == USUAL:
        result = result._replace(status=status)
    if isinstance(result.body, dict):
        told = {name: _told(call, each) for name, each in adds.items()}
        body = {**result.body, **{name: each for name, each in told.items() if each is not None}}
        return result._replace(body=body)
    return result


def _told(call: Call, added: Added) -> Json:
    if added.field is None:
        return added.value
    value = call.value(added.field)
    return value if added.longer_than is None else len(value or "") > added.longer_than


@functools.cache
def _functions(module: ModuleType, returns: Any) -> Mapping[str, Function]:
    """Give the public functions of a module that take a call and give what is asked of them."""
    functions = inspect.getmembers(module, inspect.isfunction)
    own = {name: each for name, each in functions if each.__module__ == module.__name__ and name[0] != "_"}
    return {name: each for name, each in own.items() if _takes_and_gives(each, returns)}


def _takes_and_gives(function: Function, wanted: Any) -> bool:
    """Whether a function takes a call and gives its due: a Result or Referral, a Call (a rewrite), None."""
    kinds = function.__annotations__
    return kinds.get("call") is Call and wanted in (kinds.get("return", ...), *get_args(kinds.get("return")))


@functools.cache
def parameters(function: Function) -> type[Row]:
    """Make the type of a check's or rewrite's rows: its parameters, without those that sections give."""
    fields = [
        (name, hints(function)[name], *([] if each.default is each.empty else [each.default]))
        for name, each in inspect.signature(function).parameters.items()
        if name not in {"call", "settings", "words", *SECTIONS}
    ]
    return row_type(function.__name__, fields)


def _unread_words(scope: Scope, binders: list[_Binder]) -> Iterator[str]:
    known = [name for each in binders for kind in each.words for name in kind.__struct_fields__]
    for name in scope.provider.words:
        if name not in known:
            yield f"words.{name}: no behaviour of this table takes it; {nearest(name, known)}"
