"""What was ordered for a call, and by whom → one Override; the room where it is resolved who wins.

Precedence: a word in brackets, `[content_policy]`, in a text that the table's `orders` name; the `Prefer`
header (RFC 7240), whose `code` of a success cancels the error that the key orders; the ending of the key;
the plan of faults, of which a call takes nothing that orders an error, a success or a job's end for itself.
What is wrong with the call itself is told before any ordered error, so an order is resolved after all checks;
a delay alone holds for every answer. A key ending that names an error of keys is wrong from the start:
`authorize` answers it, before anything here is asked. What is near to an order and is none is left out here;
`mistyped` warns of it, and `fulfil` of what the call cannot carry out.
"""

import re
from collections.abc import Iterable

from mockserver import pointer
from mockserver.call import Match, Override
from mockserver.jsontext import Json
from mockserver.messages import WIRE_FAULTS, Response
from mockserver.preferences import Preferences
from mockserver.problems import EmulatorProblem, Problem, Violation
from mockserver.spec.model import MarkedWord, Operation, Provider
from mockserver.spec.nearness import nearest_of
from mockserver.spec.rows import ErrorRow
from mockserver.spec.words import (
    DOWNLOADS,
    LONGEST_DELAY_MS,
    TRUNCATED,
    Wish,
    ends_of,
    marks_in,
    near_row,
    wish_of,
)

MILLISECONDS = re.compile(r"[0-9]+")
MOST_DIGITS = 9
ERRORS = "400"  # what is documented below is a success
NOTHING = Override()


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


def delay_of_key(provider: Provider, key_order: str | None, so_far: Override) -> Override:
    """Add the delay that a key orders, which holds for every answer; one in the header wins."""
    if key_order is None:
        return so_far
    wish = wish_of(provider, key_order)
    return (
        so_far._replace(delay_ms=wish.delay_ms) if wish and wish.delay_ms and not so_far.delay_ms else so_far
    )


def override(match: Match, preferences: Preferences, key_order: str | None, body: Json) -> Override:
    """Resolve what a call orders for itself. Raises EmulatorProblem for an order that nobody can fulfil.

    `key_order` is the word that the key orders something by; None: none.
    """
    marked = _marked(match, body) if match.operation.row.order_fields else ()
    if not preferences and key_order is None and not marked:
        return NOTHING
    errors = [(field, wish.error) for field, wish in marked if wish.error]
    if errors:  # of one field's rows, the first of the catalogue
        name = next(each for each in match.provider.errors if (errors[0][0], each) in errors)
        word = MarkedWord(errors[0][0], name, match.operation.row.order_citation)
        resolved = delay_alone(preferences)._replace(error=word.error, origin="word", word=word)
    else:
        resolved = _asked(match, preferences, key_order, body)
    for _, wish in reversed(marked):  # the first of several wins
        resolved = _with(resolved, wish, match, body)
    return resolved


def _asked(match: Match, preferences: Preferences, key_order: str | None, body: Json) -> Override:
    """Resolve what the header and the key order."""
    operation, provider = match.operation, match.provider
    wish = (key_order and wish_of(provider, key_order)) or Wish()
    resolved = delay_alone(preferences)
    row = _preferred(provider, operation, preferences) if preferences else None
    if row is not None:
        is_near = preferences.get("example", row.name).lower() != row.name.lower()
        named = _as_written(preferences, "code", *([] if is_near else ["example"]))
        resolved = resolved._replace(error=row.name, origin="header", applied=(*named, *resolved.applied))
    elif wish.error and "code" not in preferences:
        resolved = resolved._replace(error=wish.error, origin="key")
    elif preferences:
        job = _job(match, preferences, body)
        download = _download(provider, preferences)
        named, ends = _as_written(preferences, "code"), _as_written(preferences, "job") if job else ()
        ends += _as_written(preferences, "download") if download else ()
        resolved = resolved._replace(job=job, download=download, applied=(*named, *resolved.applied, *ends))
    own = {"delay_ms": resolved.delay_ms, "job": resolved.job, "download": resolved.download}  # the header's
    return _with(resolved, wish._replace(**{name: None for name, value in own.items() if value}), match, body)


def _with(resolved: Override, wish: Wish, match: Match, body: Json) -> Override:
    """Add what one word orders beside an error: a delay, the end of a job, the downloads of its pictures."""
    if wish.delay_ms:
        resolved = resolved._replace(delay_ms=wish.delay_ms, applied=_without("delay", resolved))
    if wish.job and match.operation.row.job and not resolved.error:
        _check_end(match, wish.job, body)
        resolved = resolved._replace(job=wish.job, applied=_without("job", resolved))
    if wish.download and not resolved.error:
        resolved = resolved._replace(download=wish.download, applied=_without("download", resolved))
    return resolved


def _without(name: str, ordered: Override) -> tuple[str, ...]:
    return tuple(each for each in ordered.applied if not each.startswith(f"{name}="))


def raise_ordered(ordered: Override, *, has_socket: bool = False) -> None:
    """Return where no error was ordered. Raises the Problem that was; EmulatorProblem without a socket."""
    if ordered.word is not None:
        field, name, citation = ordered.word
        message = f"{field} holds the mark [{name.lower()}]"
        violation = Violation("body", pointer.write((field,)), "marked_words", message, citation)
        raise Problem(violations=(violation,), error=name)
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


def _marked(match: Match, body: Json) -> tuple[tuple[str, Wish], ...]:
    """Find what the texts order by words in brackets; the first field's come first."""
    found: list[tuple[str, Wish]] = []
    for field in match.operation.row.order_fields if isinstance(body, dict) else ():
        text = body.get(field)
        if isinstance(text, str) and "[" in text:
            found += [(field, wish) for _, wish in marks_in(match.provider, text)]
    return tuple(found)


def _as_written(preferences: Preferences, *names: str) -> tuple[str, ...]:
    return tuple(f"{name}={preferences[name]}" for name in names if preferences.get(name))


def _job(match: Match, preferences: Preferences, body: Json) -> str | None:
    """Give how the call's job shall end; None where it has none, or nothing was said of it."""
    wanted, provider = preferences.get("job"), match.provider
    if wanted is None:
        return None
    if provider.jobs is None:
        raise _unknown(f"{provider.title} has no job={wanted[:40]}; it has no jobs at all")
    known = list(ends_of(provider.jobs))
    if wanted not in known:
        if nearest_of(wanted, known):
            return None
        detail = f"{provider.title} has no job={wanted[:40]}; there are {', '.join(known)}"
        raise _unknown(detail, available=known)
    if not match.operation.row.job:
        return None  # a client may send it with the calls that only poll, too
    _check_end(match, wanted, body)
    return wanted


def _download(provider: Provider, preferences: Preferences) -> str | None:
    """Give what the downloads of the call's pictures shall be answered with."""
    wanted = preferences.get("download")
    if wanted is None:
        return None
    wish = wish_of(provider, f"download_{wanted}")
    if wish is None and not nearest_of(wanted, [TRUNCATED]):
        detail = f"no download is answered with {wanted[:40]}; order a status of 400 or more, or {TRUNCATED}"
        raise _unknown(detail, available=list(DOWNLOADS))
    return wish and wish.download


def _check_end(match: Match, wanted: str, body: Json) -> None:
    """Raise EmulatorProblem where the job that this call starts cannot end so."""
    jobs, operation = match.provider.jobs, match.operation
    asked = {**operation.defaults, **body} if isinstance(body, dict) else operation.defaults
    if jobs and not jobs.can_end(wanted, asked):
        detail = (
            f"job={wanted} is the end of several, and this call asks for one; send {jobs.parts} of at least 2"
        )
        raise _unknown(detail, available=[each for each in ends_of(jobs) if each != wanted])


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
    if not found and example is not None and near_row(provider, example):
        return _preferred(
            provider, operation, {key: each for key, each in preferences.items() if key != "example"}
        )
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
