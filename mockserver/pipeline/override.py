"""What was ordered for a call, and by whom → one Override; the room where it is resolved who wins.

Precedence: a word in brackets in a text of the body, `[content_policy]`, where the table's `orders` know it;
the `Prefer` header (RFC 7240), whose `code` of a success cancels what the key orders; the ending of the key;
the plan of faults, of which a call takes nothing that orders an error, a success or a job's end for itself.
What is wrong with the call itself is told before any ordered error, so an order is resolved after all checks;
a delay alone holds for every answer. A key ending that names an error of keys is wrong from the start:
`authorize` answers it, before anything here is asked.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mockserver import pointer
from mockserver.call import MANUAL, Match, Override
from mockserver.jsontext import Json
from mockserver.messages import WIRE_FAULTS, Response
from mockserver.problems import EmulatorProblem, Problem, ProblemType, Violation
from mockserver.seeded import Random
from mockserver.spec.model import MarkedWord, Operation, Provider
from mockserver.spec.rows import ErrorRow
from mockserver.state.world import World

# One preference of RFC 7240: a token, and a value that is a token or a quoted string.
PREFERENCE = re.compile(
    r"""\s*+([A-Za-z][\w-]*+)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^",;\s]*+)))?+\s*+(?:[,;]|$)""", re.ASCII
)
MILLISECONDS = re.compile(r"[0-9]+")
LONGEST_DELAY_MS = 600_000
MOST_DIGITS = 9
ERRORS = "400"  # what is documented below is a success
NOTHING = Override()
Preferences = Mapping[str, str]
NO_PREFERENCES: Preferences = MappingProxyType({})


def read_preferences(headers: Mapping[str, str]) -> Preferences:
    """Read the Prefer header; what is not understood is left out, as RFC 7240 wants.

    >>> read_preferences({"prefer": 'code=402, example="NO_MONEY"; delay=800'})
    {'code': '402', 'example': 'NO_MONEY', 'delay': '800'}
    """
    header = headers.get("prefer")
    if not header:
        return NO_PREFERENCES
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


def delay_ms(preferences: Preferences) -> int:
    """Give the delay that was asked for, in milliseconds; 0 where none was, or none that makes sense."""
    text = preferences.get("delay", "")
    if not MILLISECONDS.fullmatch(text):
        return 0
    return min(int(text[:MOST_DIGITS]), LONGEST_DELAY_MS)


def delay_alone(preferences: Preferences) -> Override:
    """Give what holds for every answer, before it is known whether the call is well-formed."""
    delay = delay_ms(preferences) if preferences else 0
    return Override(delay_ms=delay, applied=(f"delay={preferences['delay']}",)) if delay else NOTHING


def planned(
    own: Override,
    subject: str,
    provider: Provider | None,
    world: World,
    random: Random,
    account: tuple[str, str] | None = None,
) -> Override:
    """Add what the plan of a world holds for a well-formed call; a delay of the call's own stays.

    Of a call that orders an error, a success or a job's end for itself nothing is used up.
    """
    if own.origin or own.job or any(each.startswith("code=") for each in own.applied):
        return own
    order, delay = world.plans.take(
        subject, account, random, lambda name: provider is not None and provider.find_error(name) is not None
    )
    resolved = own._replace(delay_ms=own.delay_ms or delay) if delay else own
    if order is None or order.is_ok:
        return resolved
    row = provider.find_error(order.error) if provider and order.error else None
    return resolved._replace(
        error=row.name if row else None, fault=order.fault, stub=order.stub, origin="plan"
    )


def override(match: Match, preferences: Preferences, key_order: str | None, body: Json) -> Override:
    """Resolve what a call orders for itself. Raises EmulatorProblem for an order that nobody can fulfil.

    `key_order` is the error that the key orders by its ending; None: none.
    """
    operation, provider = match.operation, match.provider
    if not preferences and key_order is None and not operation.row.marked_words:
        return NOTHING
    word = _marked(operation, body)
    if word is not None:
        return delay_alone(preferences)._replace(error=word.error, origin="word", word=word)
    if not preferences:
        return NOTHING if key_order is None else Override(error=key_order, origin="key")
    resolved = delay_alone(preferences)
    row = _preferred(provider, operation, preferences)
    if row is not None:
        named = _as_written(preferences, "code", "example")
        return resolved._replace(error=row.name, origin="header", applied=(*named, *resolved.applied))
    if key_order is not None and "code" not in preferences:
        return resolved._replace(error=key_order, origin="key")
    job = _job(provider, operation, preferences, body)
    named, ends = _as_written(preferences, "code"), _as_written(preferences, "job") if job else ()
    return resolved._replace(job=job, applied=(*named, *resolved.applied, *ends))


def raise_ordered(ordered: Override, *, has_socket: bool = False) -> None:
    """Return where no error was ordered. Raises the Problem that was; EmulatorProblem without a socket."""
    if ordered.word is not None:
        field, name, citation = ordered.word
        message = f"{field} holds the mark [{name.lower()}]"
        violation = Violation("body", pointer.write((field,)), "marked_words", message, citation)
        raise Problem(ProblemType.INVALID_REQUEST, (violation,), error=name)
    if ordered.error is not None:
        by_plan = ordered.origin == "plan"
        place = "" if by_plan else "/prefer" if ordered.origin == "header" else "/key"
        message = f"the {'plan of faults' if by_plan else 'caller'} ordered {ordered.error}"
        violation = Violation("header", place, "ordered", message, "the request itself")
        raise Problem(violations=(violation,), error=ordered.error)
    if ordered.fault in WIRE_FAULTS and not has_socket:
        detail = (
            f"{ordered.fault} is done to a connection, and this call came without one: call the server's URL"
        )
        raise EmulatorProblem(501, "Only over a socket", detail)


def applied(ordered: Override, response: Response) -> str:
    """Say which preferences an answer honours, for Preference-Applied."""
    if response.error is None:  # a `code` of success is honoured by its own status alone
        code = f"code={response.status}"
        return ", ".join(each for each in ordered.applied if each[:5] != "code=" or each == code)
    is_ordered = response.error == ordered.error
    return ", ".join(each for each in ordered.applied if is_ordered or each.startswith("delay="))


def _marked(operation: Operation, body: Json) -> MarkedWord | None:
    for word in operation.row.marked_words if isinstance(body, dict) else ():
        text = body.get(word.field)
        if isinstance(text, str) and "[" in text and f"[{word.error.lower()}]" in text.lower():
            return word
    return None


def _as_written(preferences: Preferences, *names: str) -> tuple[str, ...]:
    return tuple(f"{name}={preferences[name]}" for name in names if preferences.get(name))


def _job(provider: Provider, operation: Operation, preferences: Preferences, body: Json) -> str | None:
    """Give how the call's job shall end; None where it has none, or nothing was said of it."""
    wanted = preferences.get("job")
    if wanted is None:
        return None
    if provider.jobs is None:
        raise _unknown(f"{provider.title} has no job={wanted[:40]}; it has no jobs at all")
    known = [*provider.jobs.outcomes, MANUAL]
    if wanted not in known:
        detail = f"{provider.title} has no job={wanted[:40]}; there are {', '.join(known)}"
        raise _unknown(detail, available=known)
    if not operation.row.job:
        return None  # a client may send it with the calls that only poll, too
    asked = {**operation.defaults, **body} if isinstance(body, dict) else operation.defaults
    if not provider.jobs.can_end(wanted, asked):
        parts = provider.jobs.parts
        detail = f"job={wanted} is the end of several, and this call asks for one; send {parts} of at least 2"
        raise _unknown(detail, available=[each for each in known if each != wanted])
    return wanted


def _preferred(provider: Provider, operation: Operation, preferences: Preferences) -> ErrorRow | None:
    """Find the row that the Prefer header names; None where it names none."""
    code, example, delay = preferences.get("code"), preferences.get("example"), preferences.get("delay")
    if delay is not None and (not delay or str(delay_ms(preferences)) != (delay.lstrip("0") or "0")):
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
) -> EmulatorProblem:
    asked = ", ".join(filter(None, [code and f"code={code[:40]}", example and f"example={example[:80]}"]))
    available: dict[str, list[str]] = {}
    for row in provider.errors.values():
        available.setdefault(str(row.status), []).append(row.name)
    successes: dict[str, list[str]] = {status: [] for status in operation.responses if status < ERRORS}
    return _unknown(
        f"{provider.title} has no answer for {asked}; `available` lists every code with its examples, "
        "and a row under `errors` in behaviour.yaml adds one",
        available=dict(sorted({**successes, **available}.items())),
    )


def _unknown(detail: str, **members: object) -> EmulatorProblem:
    violation = Violation("header", "/prefer", "preference", detail, "RFC 7240")
    return EmulatorProblem(400, "Unknown preference", detail, members, (violation,))
