"""Refusals that are declared: which calls are meant by an error, a field, a status, an operation."""

from collections.abc import Iterable, Mapping
from typing import TypedDict, cast

from mockserver import pointer
from mockserver.call import Exchange
from mockserver.journal.records import Record
from mockserver.journal.selection import known_operations
from mockserver.problems import Violation
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import nearest, spoken

SHOWN = 10  # calls that a failure lists


class Options(TypedDict, total=False):
    """What is known of a refusal beforehand; what is not named may be anything."""

    field: str  # the place of a violation: `model`, `data.title`, or a JSON Pointer
    status: int  # of the answer
    operation: str  # a name or a pattern: `pikzels.*`


class Wanted:
    """One kind of refusal. Raises ValueError for an error or an operation that there is not.

    An error is a row of an API's catalogue by its name or code, or `invalid_request`, `key_missing` ….
    """

    def __init__(self, catalog: Catalog, error: str | None = None, options: Options | None = None) -> None:
        self._error, self._options = error, (options := options or {})
        for name in options:
            if name not in Options.__annotations__:
                raise ValueError(f"a refusal has no {name!r}; {nearest(name, Options.__annotations__)}")
        self._rows = _rows(catalog, error) if error else None
        try:
            known = known_operations(catalog, options["operation"]) if "operation" in options else None
        except LookupError as unknown:
            raise ValueError(*unknown.args) from unknown
        self._operations = known

    def __str__(self) -> str:
        details = ", ".join(f"{name} {value}" for name, value in self._options.items())
        return " ".join(filter(None, [self._error or "of any kind", details and f"({details})"]))

    def is_met(self, exchange: Exchange) -> bool:
        """Whether an exchange is such a refusal, or a part of it."""
        return self._is_met(exchange) or any(map(self._is_met, exchange.parts))

    def _is_met(self, exchange: Exchange) -> bool:
        response, options = exchange.response, self._options
        if response is None or response.error is None:
            return False
        return (
            (self._rows is None or response.error.lower() in self._rows)
            and (self._operations is None or exchange.operation in self._operations)
            and ("status" not in options or response.status == options["status"])
            and (
                "field" not in options or any(_is_at(each, options["field"]) for each in exchange.violations)
            )
        )


def read_wanted(catalog: Catalog, value: str | Mapping[str, object]) -> Wanted:
    """Read what `expect` names: an error, or an error with the place, status and operation of a refusal."""
    if isinstance(value, str):
        return Wanted(catalog, value)
    options, error = dict(value), value.get("error")
    options.pop("error", None)
    return Wanted(catalog, None if error is None else str(error), cast("Options", options))


def came_instead(records: Iterable[Record]) -> str:
    """List the calls that there were, each with what was wrong with it."""
    lines = [
        "\n".join([f"  {each}", *(f"    {told(violation)}" for violation in each.violations)])
        for each in records
    ]
    return "\n".join(["instead there were:", *lines]) if lines else "nothing was called at all"


def told(violation: Violation) -> str:
    """Tell of a violation in a line: its place, keyword, sentence and citation."""
    place = f"{violation.location} {violation.pointer}".strip()
    citation = f" [{violation.citation}]" if violation.citation else ""
    return f"{place}: {violation.keyword}: {violation.message}{citation}"


def _rows(catalog: Catalog, error: str) -> frozenset[str]:
    """Give the names of all rows that an error may mean, in lower case."""
    providers = catalog.providers.values()
    rows = [row for each in providers for row in each.errors.values()]
    named = [row for each in providers if (row := each.find_error(error))]
    found = {row.name.lower() for row in [*named, *(row for row in rows if row.code == error)]}
    if not found:
        raise ValueError(f"there is no error {error!r}; {nearest(error, sorted({row.name for row in rows}))}")
    return frozenset(found)


def _is_at(violation: Violation, field: str) -> bool:
    """Whether a violation is at a field, which is named as a programmer writes it or by a pointer.

    >>> wrong = Violation("body", "/data/title", "maxLength", "")
    >>> [_is_at(wrong, field) for field in ("data", "data.title", "/data/title", "title")]
    [True, True, True, False]
    """
    path = [
        int(part) if part.isascii() and part.isdecimal() else part for part in pointer.read(violation.pointer)
    ]
    names = {violation.field, violation.pointer, spoken(path)}
    return field in names or (violation.location == "header" and field.lower() in names)
