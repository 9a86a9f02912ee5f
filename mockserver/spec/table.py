"""A behaviour table (`behaviour.yaml`) becomes rows: held against its schema, completed by defaults, typed.

Every complaint names the file, the key and the way out; nothing is repaired silently. Whether names lead
somewhere is asked later, in `references`.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, cast

import msgspec
from msgspec.structs import asdict, replace

from mockserver.jsontext import Json
from mockserver.spec.explain import located, nearest
from mockserver.spec.fields import branch
from mockserver.spec.model import Operation, OperationRow, ProblemRow, Provider, RefusalRow, Source
from mockserver.spec.rows import ErrorRow, OperationSection, Refusal, Row, Saying, Sections
from mockserver.spec.schema import Schema
from mockserver.spec.words import key_endings

# Problems that only some mechanisms meet: a table without these need not list errors for them.
JOBS_READ = "jobs.read"  # the behaviour of all tables that may not find what it is asked for
SELDOM = (
    "picture_unreadable", "picture_unreachable", "picture_too_large", "resource_unknown",
    "resource_not_ready", "resource_busy", "name_taken", "name_reserved", "credits_exhausted",
    "payment_failed", "rate_limited",
)  # fmt: skip


class Table:
    """One behaviour table on its way to becoming a Provider; a name that leads nowhere is left out."""

    def __init__(self, document: Json, file: str, schema: Schema) -> None:
        self.file = file
        self._known: Json = schema.document["properties"] if isinstance(schema.document, Mapping) else {}
        found = [located(document, each) for each in schema.violations(document)]
        if not found:
            found += self._read(document)
        self.has_shape = not found  # False: it cannot even be read
        self.complaints = [f"{file}: {complaint}" for complaint in found]

    @property
    def has_webhooks(self) -> bool:
        """Whether the API calls its callers."""
        return self._sections.webhooks is not None

    def rows(self) -> dict[str, OperationRow]:
        """Give the operations' rows by operationId; what depends on the OpenAPI document is still missing."""
        return {name: self._row(name, section) for name, section in self._sections.operations.items()}

    def provider(
        self,
        name: str,
        operations: Mapping[str, Operation],
        text: str = "",
        callbacks: tuple[Schema, ...] = (),
        base_paths: tuple[str, ...] = (),
        readings: Mapping[str, str] | None = None,
        source: Source | None = None,
    ) -> Provider:
        """Join the table with the operations and callbacks of the OpenAPI document, which reads as `text`."""
        table, errors = self._sections, self._errors
        shown = asdict(table.credits.headers) if table.credits else {}
        tells = {header: f"$credits_{of}" for of, header in shown.items() if header}
        return Provider(
            name=name,
            folder=self.file.rpartition("/")[0],
            title=table.title,
            hosts=table.hosts,
            base_paths=base_paths,
            operations={id_: self._located(each) for id_, each in operations.items()},
            errors=errors,
            problems=self._problems(self._sayings),
            wording=table.wording,
            citations=table.citations,
            keys=table.keys,
            answers=msgspec.structs.replace(
                table.answers, error=table.answers.error or self._known["answers"]["default"]["error"]
            ),
            headers={**table.answers.headers, **tells},
            sizes=table.sizes,
            outputs=table.outputs,
            limits={key: row.value for key, row in table.limits.items()},
            plans=table.plans,
            words=table.words,
            rates=table.rates,
            jobs=table.jobs,
            webhooks=table.webhooks,
            credits=table.credits,
            shows_credits=bool(tells),
            key_endings=key_endings(errors, table.jobs),
            callbacks=callbacks,
            table=table,
            text=text,
            readings={key: row.default for key, row in table.assumptions.items()} | dict(readings or {}),
            chosen=tuple((readings or {}).items()),
            source=source,
        )

    def _read(self, document: Json) -> Iterator[str]:
        """Complete the table with its defaults and type it; say what is still missing."""
        defaults = document.get("defaults", {})
        whole = {key: value for key, value in document.items() if key != "defaults"}
        rows: dict[str, Json] = {}  # by place, of what must be cited
        for section in ("errors", "sizes", "limits", "assumptions"):
            own = defaults.get(section, {})
            whole[section] = {name: {**own, **row} for name, row in document.get(section, {}).items()}
            rows |= {f"{section}.{name}": row for name, row in whole[section].items()}
        for section in ("wording", "rates"):
            own, listed = defaults.get(section, {}), document.get(section, ())
            whole[section] = [{**own, **row} for row in listed]
            rows |= {f"{section}[{index}]": row for index, row in enumerate(whole[section])}
        whole["errors"] = {name: {"name": name, "code": name, **row} for name, row in whole["errors"].items()}
        whole["operations"] = {name: {**row} for name, row in document["operations"].items()}
        for name, row in whole["operations"].items():
            if "price" in row:
                price = {**defaults.get("prices", {}), **row["price"]}
                row["price"] = rows[f"operations.{name}.price"] = price
            for part in ("checks", "late_checks", "pictures"):
                own = defaults.get(part.removeprefix("late_"), {})
                row[part] = [{**own, **each} for each in row.get(part, ())]
        for place, row in rows.items():
            for member in ("provenance", "citation"):
                if member not in row:
                    out = "write it here, or once for all rows under `defaults`"
                    yield f"{place}: {member} is required; {out}"
                    return
        try:
            self._sections = msgspec.convert(whole, Sections)
        except msgspec.ValidationError as error:
            yield str(error)

    def _row(self, name: str, section: OperationSection) -> OperationRow:
        citations, orders = self._sections.citations, section.orders
        pictures = section.pictures
        return OperationRow(
            behaviour=section.behaviour,
            title=section.title or name,
            citation=citations.get(section.citation or "", f"{self._sections.title}, OpenAPI document"),
            section=section,
            order_fields=orders.fields if orders else (),
            order_citation=citations.get(orders.citation, "") if orders else "",
            pictures=tuple(replace(row, citation=citations.get(row.citation, "")) for row in pictures),
            picture_fields=frozenset(chain(*(fields for row in pictures for fields in row.roles.values()))),
            price=section.price,
            answers=section.answers,
            problems=self._problems(section.problems),
        )

    def _located(self, operation: Operation) -> Operation:
        """Give an operation whose row knows what the document says: its title, and where refusals stand."""
        row = operation.row
        refusals = tuple(_refusal(operation, each, rank) for rank, each in enumerate(row.section.refusals))
        title = row.section.title or operation.summary or row.title
        return dataclasses.replace(operation, row=row._replace(refusals=refusals, title=title))

    @functools.cached_property
    def _spare(self) -> dict[str, ErrorRow]:
        """Give the errors that stand in for what a table does not say."""
        fact = {"provenance": "assumed", "citation": "mockserver"}
        rows = self._known["errors"]["default"].items()
        return {name: ErrorRow(**{"name": name, "code": name, **fact, **row}) for name, row in rows}

    @functools.cached_property
    def _sayings(self) -> dict[str, Saying]:
        """Give how every problem is answered: as the table says, or as is usual."""
        usual = msgspec.convert(self._known["problems"]["default"], dict[str, Saying])
        return {**usual, **self._sections.problems}

    @functools.cached_property
    def _errors(self) -> dict[str, ErrorRow]:
        """Give the table's own errors, and of those that stand in the ones that its API can raise."""
        table, can_raise = self._sections, [name for name in self._sayings if name not in SELDOM]
        operations = table.operations.values()
        can_raise += ["resource_unknown"] if any(each.behaviour == JOBS_READ for each in operations) else []
        can_raise += ["rate_limited"] if table.rates else []
        can_raise += ["credits_exhausted"] if any(each.price for each in operations) else []
        can_raise += ["payment_failed"] if table.credits and table.credits.smart_balance else []
        pictures = [name for name in SELDOM if name.startswith("picture_")]
        can_raise += pictures if any(each.pictures for each in operations) else []
        spare = {self._sayings[name].error for name in can_raise} - set(table.errors)
        return {**table.errors, **{name: row for name, row in self._spare.items() if name in spare}}

    def _problems(self, sayings: Mapping[str, Saying]) -> dict[str, ProblemRow]:
        """Join what is said of problems with the rows of errors."""
        found, rows = {}, {**self._spare, **self._sections.errors}
        for name, saying in sayings.items():
            if error := rows.get(saying.error):
                status = error.status if saying.status is None else saying.status
                message = error.message if saying.message is None else saying.message
                citation = saying.citation or error.citation
                full = self._sections.citations.get(citation, citation)
                found[name] = ProblemRow(error, status, message, full)
        return found


def _refusal(operation: Operation, row: Refusal, rank: int) -> RefusalRow:
    """Find the keyword that a refusal speaks of; one that is not there is complained of in `references`."""
    is_branch = bool(row.choice or row.forbids)
    return RefusalRow(
        error=row.error,
        at=(branch(operation, row) or "nowhere").replace("/$ref", "")
        if is_branch
        else None,  # as in violations
        fields=(row.field,) if row.field else row.choice or row.forbids,
        keywords=row.keywords,
        needs=tuple(row.when),
        stands_alone=row.stands_alone,
        rank=rank,
    )


def convert(value: Json, kind: type[Row], place: str, taker: str) -> tuple[Any, str | None]:
    """Type a mapping of a table; None, with a complaint, where it does not fit what `taker` takes."""
    try:
        return msgspec.convert(value, kind), None
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        said = re.sub(r"Object missing required field `(.*)`", r"\1 is required", said)
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said)
        if unknown:
            said = f"{unknown[1]} is not a known field; {nearest(unknown[1], kind.__struct_fields__)}"
        takes = ", ".join(kind.__struct_fields__) or "nothing"
        return None, f"{place}{path.rstrip('`')}: the {taker} takes {takes}: {said}"


def row_type(name: str, fields: list[Any]) -> type[Row]:
    """Make a type of rows from the names, types and defaults of its members."""
    made: Any = msgspec.defstruct(name, fields, bases=(Row,), frozen=True, kw_only=True)
    return cast("type[Row]", made)
