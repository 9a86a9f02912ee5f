"""Orders for calls to come, as people write them: read from JSON or a file, held against the catalogue.

A misspelling is never accepted: a name that leads nowhere is told with the nearest that does.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypedDict, Unpack

from mockserver.jsontext import Json
from mockserver.messages import FAULTS, SLOW_BODY
from mockserver.spec.admin_bodies import FAULT, SCENARIO
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import located, nearest
from mockserver.spec.files import FIXTURES, SpecificationError, read_yaml, repeated_keys, shown
from mockserver.spec.model import Provider
from mockserver.state.plans import DOWNLOAD, WEBHOOK, Delay, Order
from mockserver.state.values import as_json, read

OK = "ok"
Answer = str | Mapping[str, Any]  # a row, a fault, OK; a stub, or an order's own members
FOLDER = FIXTURES / "scenarios"
ANSWERS = ("error", "fault", "stub", "ok")
MEMBERS = ("operation", "times", "after", "every", "probability", "account")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # the name of a header
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
OURS = ("content-length", "transfer-encoding", "connection", "date")  # headers that we send by ourselves
NOT_FOR_WEBHOOKS = (SLOW_BODY,)  # which is a matter of the way back


def read_orders(catalog: Catalog, rows: Sequence[Json]) -> list[Order]:
    """Read orders. Raises ValueError with all that is wrong with them."""
    found = [complaint for row in rows for complaint in _complaints(catalog, row)]
    if found:
        raise ValueError("; ".join(found))
    return [_order(row) for row in rows]


class Options(TypedDict, total=False):
    """What can be said of an order besides what it orders."""

    times: int | None  # None: without an end
    after: int
    every: int
    probability: float
    delay: float | Mapping[str, Any]
    account: str


def expand(operation: str, answers: Answer | Sequence[Answer], **options: Unpack[Options]) -> list[Json]:
    """Write as orders what shall happen to the next calls, one after the other.

    >>> expand("*", ["HANG", "ok", {"status": 503}])[2]
    {'operation': '*', 'stub': {'status': 503}}
    """
    listed = [answers] if isinstance(answers, str | Mapping) else answers
    return [{"operation": operation, **_meant(each), **options} for each in listed]


def list_scenarios() -> list[str]:
    """Name the scenarios that come with the emulator."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def read_scenario(catalog: Catalog, name: str | Path) -> list[Order]:
    """Read a scenario by its name, or any file of one. Raises SpecificationError."""
    return _read(catalog, name)[1]


def scenario_rows(catalog: Catalog, name: str | Path) -> list[Json]:
    """Read the orders of a scenario as they are written, held against the catalogue."""
    return _read(catalog, name)[0]


def _read(catalog: Catalog, name: str | Path) -> tuple[list[Json], list[Order]]:
    """Read a scenario, as it is written and as orders. Raises SpecificationError."""
    file = Path(name)
    if str(name) in (known := list_scenarios()):
        file = FOLDER / f"{name}.yaml"
    elif not file.is_file():
        raise SpecificationError(
            [f"there is no scenario {str(name)!r}, and no such file; {nearest(name, known)}"]
        )
    document, complaints = read_yaml(file), repeated_keys(file)
    if not SCENARIO.accepts(document):
        complaints += [located(document, each) for each in SCENARIO.violations(document)]
    try:
        orders = [] if complaints else read_orders(catalog, document["faults"])
    except ValueError as error:
        complaints = [str(error)]
    if complaints:
        raise SpecificationError(f"{shown(file)}: {each}" for each in complaints)
    return document["faults"], orders


def misfits(catalog: Catalog) -> Iterator[str]:
    """Find what is wrong with the scenarios that come with the emulator."""
    for name in list_scenarios():
        try:
            read_scenario(catalog, name)
        except SpecificationError as error:
            yield from error.complaints


def delays(text: str) -> list[Json]:
    """Write as orders a latency of all calls and downloads, `200ms` or `200ms..2s`. Raises ValueError.

    >>> delays("200ms..2s")[1]
    {'operation': 'download', 'delay': {'uniform': [200.0, 2000.0]}}
    """
    bounds = [re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)", part) for part in text.split("..")]
    found = [float(each[1]) * (1000 if each[2] == "s" else 1) for each in bounds if each]
    if len(found) != len(bounds) or len(found) not in {1, 2} or found != sorted(found):
        raise ValueError(f"{text!r} is no latency; write 200ms, or 200ms..2s")
    delay: Json = {"uniform": found} if len(found) > 1 else found[0]
    return [{"operation": name, "delay": delay} for name in ("*", DOWNLOAD)]


def _meant(answer: Answer) -> dict[str, Json]:
    """Say which kind of answer is meant: a row, a fault, `ok`, a stub, or an order's own members."""
    if isinstance(answer, str):
        return {OK: True} if answer == OK else {"fault" if answer in FAULTS else "error": answer}
    return dict(answer) if {*ANSWERS, "delay"} & set(answer) else {"stub": dict(answer)}


def _order(row: Mapping[str, Any]) -> Order:
    delay = row.get("delay")
    given = {key: value for key, value in row.items() if key not in {"delay", OK, "stub"}}
    is_endless = {"every", "probability"} & set(row) or not set(ANSWERS) & set(row)
    times = None if is_endless else 1
    return read(
        Order,
        {
            "times": times,
            **given,
            "is_ok": bool(row.get(OK)),
            "stub": row.get("stub"),
            "delay": delay if delay is None or isinstance(delay, Mapping) else {"fixed": delay},
        },
        "order:",
    )


def misfit_of(catalog: Catalog, order: Order) -> str | None:
    """Say what is wrong with a stored order, which was read before; None: nothing."""
    row = as_json(order)
    given = {name: row[name] for name in (*MEMBERS, *ANSWERS) if name in row}
    if order.is_ok:
        given[OK] = True
    if order.delay:
        given["delay"] = row["delay"].get("fixed", row["delay"])
    return next(_complaints(catalog, given), None)


def _complaints(catalog: Catalog, row: Json) -> Iterator[str]:
    """Find what is wrong with one order."""
    if not FAULT.accepts(row):
        yield from (violation.message for violation in FAULT.violations(row))
        return
    given = [name for name in ANSWERS if name in row]
    if len(given) > 1 or not (given or "delay" in row):
        told = " and ".join(given) or "nothing"
        yield f"an order has one of {', '.join(ANSWERS)}, or a delay alone; not {told}"
    yield from _wrong_delay(row.get("delay"))
    yield from _wrong_headers(row.get("stub", {}).get("headers", {}))
    pattern, last = row["operation"], row["operation"].rpartition(".")[2]
    if last in {DOWNLOAD, WEBHOOK}:
        yield from _wrong_beside_operations(row, last, pattern, catalog)
        return
    reached = {each.name: catalog.providers[each.provider] for each in catalog.operations}
    names = [name for name in reached if fnmatchcase(name, pattern)]
    if not names:
        yield f"there is no operation {pattern}; {nearest(pattern, [*reached, DOWNLOAD, WEBHOOK])}"
        return
    providers = list(dict.fromkeys(reached[name] for name in names).keys())
    yield from _unknown_names(row, providers)


def _unknown_names(row: Mapping[str, Any], providers: Sequence[Provider]) -> Iterator[str]:
    error, fault = row.get("error"), row.get("fault")
    if error is not None and not any(each.find_error(error) for each in providers):
        rows = [name for each in providers for name in each.errors]
        meant = nearest(error, [*rows, *FAULTS, OK])
        yield f"there is no error {error} of {', '.join(each.title for each in providers)}; {meant}"
    if fault is not None and fault not in FAULTS:
        yield f"there is no fault {fault}; {nearest(fault, FAULTS)}"


def _wrong_beside_operations(
    row: Mapping[str, Any], what: str, pattern: str, catalog: Catalog
) -> Iterator[str]:
    """Find what is wrong with an order for downloads or webhooks."""
    owner = pattern.rpartition(".")[0]
    meant = [each for name, each in catalog.providers.items() if fnmatchcase(name, owner)]
    if owner and not meant:
        yield f"there is no provider {owner}; {nearest(owner, catalog.providers)}"
    elif owner and not any(each.webhooks if what == WEBHOOK else each.outputs for each in meant):
        yield f"there is no {what} of {owner}: the order would never come true"
    if "error" in row:
        near = nearest(row["error"], FAULTS)
        yield f"a {what} knows no error {row['error']}; order a stub, or a fault: {near}"
    if "account" in row and what == DOWNLOAD:
        yield "a download comes without a key; leave out account"
    if row.get("fault") in NOT_FOR_WEBHOOKS and what == WEBHOOK:
        yield f"{row['fault']} is nothing that a webhook can have"
    yield from _unknown_names({"fault": row.get("fault")}, ())


def _wrong_delay(delay: Json) -> Iterator[str]:
    if isinstance(delay, Mapping) and len(delay) != 1:
        yield "delay has one of uniform and lognormal, or is a number of milliseconds"
    try:
        read_ = read(Delay, delay if isinstance(delay, Mapping) else {"fixed": delay}, "delay")
    except ValueError as error:
        yield str(error).replace("delay.fixed", "delay")
        return
    if read_.uniform and read_.uniform[0] > read_.uniform[1]:
        yield "delay.uniform goes from the shortest to the longest"


def _wrong_headers(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if not TOKEN.fullmatch(name) or CONTROL.search(value):
            yield f"stub.headers: {name!r} and its value cannot be written in HTTP"
        elif name.lower() in OURS:
            yield f"stub.headers: {name} is written by the emulator; a wrong one is a matter of fault"


def as_rows(orders: Iterable[Order]) -> list[Json]:
    """Write orders as they are shown, each with how often it is still to happen; None: without an end."""
    return [
        {**as_json(each), "left": None if each.times is None else each.times - each.used} for each in orders
    ]
