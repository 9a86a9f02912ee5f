"""A behaviour table (`behaviour.yaml`) becomes rows, checked against its schema and against itself.

Every complaint names the file, the key and the way out; nothing is repaired silently.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.jsontext import Json
from mockserver.problems import ProblemType
from mockserver.spec.explain import located, nearest
from mockserver.spec.model import ErrorRow, OperationRow, ProblemRow, Provider, RefusalRow, WordingRow
from mockserver.spec.schema import Schema

PROBLEM_TYPES = tuple(kind.value for kind in ProblemType)


class Table:
    """One behaviour table on its way to becoming a Provider; a name that leads nowhere is a complaint and left out."""

    def __init__(self, document: Json, file: str, schema: Schema) -> None:
        self.document = document
        self.file = file
        violations = [] if schema.accepts(document) else schema.violations(document)
        found = [located(document, violation) for violation in violations] + list(_odd_keys(document))
        self.has_shape = not found  # False: it cannot even be read
        self.complaints = [f"{file}: {complaint}" for complaint in found or self._inner_complaints()]

    def rows(self) -> dict[str, OperationRow]:
        """Give the operations' rows by operationId."""
        return {
            name: OperationRow(
                behaviour=row["behaviour"],
                title=row.get("title", name),
                source=self._source(row["source"]),
                refusals=tuple(_refusal(each, rank) for rank, each in enumerate(row.get("refusals", ()))),
                rules=tuple(
                    {**rule, "source": self._source(rule["source"])} for rule in row.get("rules", ())
                ),
                picture_fields=frozenset(_picture_fields(row)),
                settings=row.get("settings", {}),
                answers=row.get("answers", {}),
                problems=self._problems(row.get("problems", {})),
                price=row.get("price", {}),
            )
            for name, row in self.document["operations"].items()
        }

    def provider(self, name: str, operations: Mapping[str, Any]) -> Provider:
        """Join the table with the operations read from the OpenAPI document."""
        table = self.document
        errors = self._errors
        headers = table["answers"].get("headers", {})
        return Provider(
            name=name,
            folder=self.file.rpartition("/")[0],
            title=table["title"],
            hosts=tuple(table.get("hosts", ())),
            operations=operations,
            errors=errors,
            problems=self._problems(table["problems"]),
            wording=tuple(
                WordingRow(row["message"], row.get("field"), row.get("rule"), row.get("pattern"))
                for row in table.get("wording", ())
            ),
            sources=table["sources"],
            keys=table["keys"],
            answers=table["answers"],
            sizes=table.get("sizes", {}),
            outputs=table.get("outputs", {}),
            limits={key: row["value"] for key, row in table.get("limits", {}).items()},
            plans=table.get("plans", {}),
            vocabulary=table.get("vocabulary", {}),
            rates=tuple(table.get("rates", ())),
            jobs=table.get("jobs", {}),
            webhooks=table.get("webhooks", {}),
            shows_credits=any(value.startswith("$credits_") for value in headers.values()),
            key_endings={f"_{key.lower()}": key for key in sorted(errors, key=len, reverse=True)},
        )

    @functools.cached_property
    def _errors(self) -> dict[str, ErrorRow]:
        return {key: self._error(key, row) for key, row in self.document["errors"].items()}

    def _problems(self, rows: Json) -> dict[str, ProblemRow]:
        found = {}
        for key, row in rows.items():
            error = self._errors.get(row["error"])
            if error is not None:
                found[key] = ProblemRow(
                    error, row.get("status", error.status), row.get("message", error.message)
                )
        return found

    def _error(self, name: str, row: Json) -> ErrorRow:
        return ErrorRow(
            name=name,
            status=row["status"],
            code=row.get("code"),
            message=row["message"],
            cause=row["cause"],
            provenance=row["provenance"],
            source=self._source(row["source"]),
            wording=row.get("wording", "assumed"),
            headers=row.get("headers", {}),
            has_details=row.get("has_details", False),
        )

    def _source(self, name: str) -> str:
        return str(self.document["sources"].get(name, name))

    def _problems_named(self) -> Iterator[tuple[str, str]]:
        """Give every name of a problem with its place."""
        for name in self.document["problems"]:
            yield f"problems.{name}", name
        for operation, row in self.document["operations"].items():
            for name in row.get("problems", {}):
                yield f"operations.{operation}.problems.{name}", name

    def _limits_named(self) -> Iterator[tuple[str, str]]:
        """Give every name of a limit with its place."""
        for index, row in enumerate(self.document.get("rates", ())):
            if "limit" in row:
                yield f"rates[{index}]", row["limit"]
        for name, row in self.document["operations"].items():
            for index, rule in enumerate(row.get("rules", ())):
                if "limit" in rule:
                    yield f"operations.{name}.rules[{index}]", rule["limit"]

    def _errors_named(self) -> Iterator[tuple[str, Json]]:
        """Give every row that names errors with its place."""
        for name, row in self.document["problems"].items():
            yield f"problems.{name}", row
        for name, row in self.document["operations"].items():
            for kind, each in row.get("problems", {}).items():
                yield f"operations.{name}.problems.{kind}", each
            for part in ("refusals", "rules"):
                for index, each in enumerate(row.get(part, ())):
                    yield f"operations.{name}.{part}[{index}]", each

    def _inner_complaints(self) -> Iterator[str]:
        """Find names that lead nowhere."""
        table = self.document
        for place, name in self._problems_named():
            if name not in PROBLEM_TYPES:
                yield f"{place}: no such problem; {nearest(name, PROBLEM_TYPES)}"
        for place, row in self._errors_named():
            yield from _unknown_errors(place, row, table["errors"])
        for place, limit in self._limits_named():
            if limit not in table.get("limits", {}):
                yield f"{place}.limit: there is no row {limit!r} under `limits`"
        plan = table["keys"]["new_account"].get("plan")
        if plan is not None and plan not in table.get("plans", {}):
            yield f"keys.new_account.plan: there is no plan {plan!r} under `plans`"
        for place, source in _sources(table):
            if source not in table["sources"]:
                yield f"{place}.source: there is no {source!r} under `sources`; {nearest(source, table['sources'])}"


def _picture_fields(row: Json) -> Iterator[str]:
    """Give the fields that an operation's rules open as pictures."""
    for rule in row.get("rules", ()):
        for fields in rule.get("roles", {}).values():
            yield from fields


def _refusal(row: Json, rank: int) -> RefusalRow:
    fields = [row["field"]] if "field" in row else row.get("fields", ())
    return RefusalRow(
        error=row["error"],
        at=row.get("at"),
        fields=tuple(fields),
        rules=tuple(row.get("rules", ())),
        needs=tuple(row.get("needs", ())),
        stands_alone=row.get("stands_alone", False),
        rank=rank,
    )


def _unknown_errors(place: str, row: Json, errors: Json) -> Iterator[str]:
    """Complain of the names of errors in a row that are in no catalogue."""
    named = {key: row[key] for key in row if key == "error" or key.endswith("_error") or key == "too_large"}
    named |= {f"errors[{index}]": name for index, name in enumerate(row.get("errors", ()))}
    named |= {f"states.{state}": name for state, name in row.get("states", {}).items()}
    for key, name in named.items():
        if not isinstance(name, str) or name not in errors:
            yield f"{place}.{key}: there is no row {name!r} under `errors`; {nearest(name, errors)}"


def _odd_keys(value: Json, place: str = "") -> Iterator[str]:
    """Complain of keys that YAML does not read as texts, such as 404 and on."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{place}{key}: this key is {key!r} and no text; put it in quotes"
            yield from _odd_keys(item, f"{place}{key}.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _odd_keys(item, f"{place}{index}.")


def _sources(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    """Give every `source` in a table with its place."""
    if isinstance(value, Mapping):
        if isinstance(value.get("source"), str) and place != "shared":
            yield place, value["source"]
        for key, item in value.items():
            yield from _sources(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _sources(item, f"{place}[{index}]")
