"""Did the caller order an error? An order is for a well-formed call, so this step comes after all checks.

Orders come in the `Prefer` header (RFC 7240) or at the end of a key; the header wins, and none outlives its call.
"""

import re
from collections.abc import Iterable, Mapping

from mockserver.messages import Response
from mockserver.problems import OwnProblem, Problem, Violation
from mockserver.spec.model import ErrorRow, Operation, Provider

# One preference of RFC 7240: a token, and a value that is a token or a quoted string.
PREFERENCE = re.compile(
    r"""\s*([A-Za-z][\w-]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*)))?\s*(?:[,;]|$)""", re.ASCII
)
MILLISECONDS = re.compile(r"[0-9]+")
LONGEST_DELAY_MS = 600_000
MOST_DIGITS = 9
ERRORS = "400"  # what is documented below is a success


def preferences(header: str) -> dict[str, str]:
    """Read a Prefer header; what is not understood is left out, as RFC 7240 wants.

    >>> preferences('code=402, example="NO_MONEY"; delay=800')
    {'code': '402', 'example': 'NO_MONEY', 'delay': '800'}
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(header):
        match = PREFERENCE.match(header, at)
        if match:
            found.setdefault(match[1].lower(), match[2] or match[3] or "")
            at = match.end()
        else:
            at = next((index + 1 for index in range(at, len(header)) if header[index] in ",;"), len(header))
    return found


def delay_ms(wanted: Mapping[str, str]) -> int:
    """Give the delay that was asked for, in milliseconds; 0 where none was, or none that makes sense."""
    text = wanted.get("delay", "")
    if not MILLISECONDS.fullmatch(text):
        return 0
    return min(int(text[:MOST_DIGITS]), LONGEST_DELAY_MS)


def intercept(
    provider: Provider, operation: Operation, wanted: Mapping[str, str], ordered: str | None
) -> None:
    """Return where nothing was ordered. Raises the ordered Problem, or OwnProblem for an order nobody can fulfil."""
    if not wanted and ordered is None:
        return
    row = _preferred(provider, operation, wanted)
    name = row.name if row else ordered
    if name is not None and (row is not None or "code" not in wanted):
        location, pointer = ("header", "/prefer") if row else ("header", "/key")
        violation = Violation(
            location, pointer, "ordered", f"the caller ordered {name}", "the request itself"
        )
        raise Problem(violations=(violation,), error=name)


def applied(wanted: Mapping[str, str], response: Response, operation: Operation | None = None) -> str:
    """Say which preferences an answer honours, for Preference-Applied."""
    is_honoured = {
        "code": wanted.get("code") == str(response.status),
        "example": wanted.get("example", "").lower() == (response.error or "").lower(),
        "delay": delay_ms(wanted) > 0,
        "job": response.error is None and operation is not None and "job" in operation.row.settings,
    }
    return ", ".join(
        f"{name}={wanted[name]}" for name, yes in is_honoured.items() if yes and wanted.get(name)
    )


def _preferred(provider: Provider, operation: Operation, wanted: Mapping[str, str]) -> ErrorRow | None:
    """Find the row that the Prefer header names; None where it names none."""
    code, example, delay = wanted.get("code"), wanted.get("example"), wanted.get("delay")
    if delay is not None and str(delay_ms(wanted)) != (delay.lstrip("0") or "0"):
        raise _unknown(f"delay={delay[:40]} is not a number of milliseconds up to {LONGEST_DELAY_MS}")
    if code is None and example is None:
        return None
    rows: Iterable[ErrorRow] = provider.errors.values()
    if code is not None:
        if code in operation.responses and code < ERRORS and example is None:
            return None  # a documented success: what the call gets anyway
        rows = [row for row in rows if str(row.status) == code]
    found = [row for row in rows if example is None or row.name.lower() == example.lower()]
    if not found:
        raise _unknown_order(provider, operation, code, example)
    return found[0]


def _unknown_order(
    provider: Provider, operation: Operation, code: str | None, example: str | None
) -> OwnProblem:
    asked = ", ".join(filter(None, [code and f"code={code[:40]}", example and f"example={example[:80]}"]))
    available: dict[str, list[str]] = {}
    for row in provider.errors.values():
        available.setdefault(str(row.status), []).append(row.name)
    successes: dict[str, list[str]] = {status: [] for status in operation.responses if status < ERRORS}
    return _unknown(
        f"{provider.title} has no answer for {asked}; `available` lists every code with its examples",
        available=dict(sorted({**successes, **available}.items())),
    )


def _unknown(detail: str, **members: object) -> OwnProblem:
    violation = Violation("header", "/prefer", "preference", detail, "RFC 7240")
    return OwnProblem(400, "Unknown preference", detail, members, (violation,))
