"""Catalogue and tally → report: what was heard of a world's calls, held against what there is."""

from collections.abc import Iterable

from mockserver.coverage.catalogue import ANY, READINGS, readings_of, shared_errors, things_of
from mockserver.coverage.costs import costs_of
from mockserver.coverage.report import Entry, Report
from mockserver.spec.catalog import Catalog
from mockserver.spec.model import Operation, Provider
from mockserver.state.tally import Answer, Tally

STUB = "stub"  # what stands for an error where the answer was ordered in full


def measure(catalog: Catalog, tally: Tally) -> Report:
    """Give what was met of every provider's operations, and what was paid for it."""
    answers: dict[str, list[Answer]] = {}
    for answer in frozenset(tally.answers):
        answers.setdefault(answer[0], []).append(answer)
    said: dict[str, set[str]] = {}
    for name, each in frozenset(tally.said):
        said.setdefault(name, set()).add(each)
    entries: dict[str, Entry] = {}
    for provider in catalog.providers.values():
        own = [each for operation in provider.operations.values() for each in answers.get(operation.name, ())]
        met = {error for _, _, error in own}
        shared = {each: each in met for each in shared_errors(provider)}
        read = set(_readings(provider, tally))
        readings = {each: each in read for each in readings_of(provider)}
        both = {"errors": shared, READINGS: readings}
        if shared or readings:
            entries[provider.name + ANY] = {kind: things for kind, things in both.items() if things}
        for operation in provider.operations.values():
            name = operation.name
            entries[name] = _entry(operation, provider, answers.get(name, []), said.get(name, set()))
    return Report(entries, costs_of(catalog, tally.paid))


def _entry(operation: Operation, provider: Provider, answers: list[Answer], said: set[str]) -> Entry:
    hits: dict[str, set[str | None]] = {
        "operations": {operation.name} if answers else set(),
        "statuses": set(_statuses(operation, provider, answers)),
        "errors": {error for _, _, error in answers},
        "values": {*said},
        "fields": {*said},
    }
    things = things_of(operation, provider)
    return {kind: {each: each in hits[kind] for each in own} for kind, own in things.items()}


def _readings(provider: Provider, tally: Tally) -> Iterable[str]:
    """Give the readings under which an operation was called that they are about."""
    usual = {name: row.default for name, row in provider.table.assumptions.items()}
    for operation, chosen in tally.read:
        owner, _, id_ = operation.partition(".")
        for name, reading in {**usual, **dict(chosen)}.items() if owner == provider.name else ():
            about = provider.table.assumptions[name].operations
            if not about or id_ in about:
                yield f"{name}={reading}"


def _statuses(operation: Operation, provider: Provider, answers: Iterable[Answer]) -> Iterable[str]:
    """Give the documented statuses, or their classes (4XX), of answers in the API's place."""
    theirs = {None, STUB, *provider.errors}  # any other is the mock's own voice, or a gateway's
    for _, status, error in answers:
        if error in theirs:
            yield str(status) if str(status) in operation.responses else f"{status // 100}XX"
