"""An exchange as a person reads it on the console: a line, which says the reason where the call was refused.

Secrets are shortened, and whatever a caller sent is printed in one line, without what a terminal would obey.
"""

import json
import re
from collections.abc import Iterator, Mapping

from mockserver import pointer
from mockserver.call import Exchange, Match
from mockserver.journal.records import VIOLATION, cited
from mockserver.journal.redaction import NOWHERE, Redaction
from mockserver.jsontext import Json, parse
from mockserver.messages import Response
from mockserver.problems import Violation
from mockserver.spec.explain import spoken
from mockserver.state.clock import isoformat

ERRORS = 400  # the first status of one
LINE = "%-6s %-28s %-36s %s %s"
MOST_BEGUN = 256  # beginnings of lines that are kept
LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{200,}")  # of characters without a blank: a picture in base64
SHOWN, LONGEST_BODY, LONGEST_REASON = 40, 4_000, 600  # characters: of such a run, of a body, of a reason
ODD = {"mistyped", "duplicateKey"}  # no reason to refuse


def write_line(
    exchange: Exchange,
    response: Response,
    colours: Mapping[int, str],
    plain: str,
    redaction: Redaction = NOWHERE,
    begun: dict[tuple[str | None, ...], str] | None = None,
) -> str:
    """Write a line: what was asked, what came back, and why where that is no success.

    `begun` keeps the beginnings of lines that are written with the same colours and redaction.
    """
    request, begun = exchange.request, {} if begun is None else begun
    asked = (request.method, request.path, exchange.operation, str(response.status), response.error)
    beginning = begun.get(asked)
    if beginning is None:
        status = f"{colours.get(response.status // 100, '')}{response.status}{plain}"
        path = redaction.anywhere(printable(request.path))
        beginning = LINE % (request.method, path, asked[2] or "-", status, response.error or "-")
        if len(begun) >= MOST_BEGUN or len(beginning) > LONGEST_REASON:
            begun.clear()
        begun[asked] = beginning
    line = f"{beginning} {exchange.duration_s * 1000:.1f} ms"
    line += f"  [{redaction.anywhere(request.namespace)}]" if request.namespace else ""
    if response.status < ERRORS and not exchange.violations and not exchange.parts:
        return line
    reason = _reason(exchange, response)
    return f"{line}  {redaction.anywhere(reason)} ({exchange.request_id})" if reason else line


def write_json(exchange: Exchange, response: Response, redaction: Redaction, *, has_bodies: bool) -> str:
    """Write the same for programs, with every violation."""
    request = exchange.request
    row: dict[str, Json] = {
        "event": "request",
        "method": request.method,
        "path": request.path,
        **({"namespace": request.namespace} if request.namespace else {}),
        "operation": exchange.operation,
        "status": response.status,
        "error": response.error,
        "ms": round(exchange.duration_s * 1000, 1),
        "id": exchange.request_id,
        "at": isoformat(exchange.at_s),
        "key": _key(exchange, redaction),
        "violations": [
            {name: getattr(cited(each, exchange), name) for name in VIOLATION}
            for each in violations_of(exchange)
        ],
    }
    if has_bodies:
        row |= {"request": _body(request.body, redaction), "response": _answer(response, redaction)}
    return redaction.anywhere(json.dumps(row))


def write_bodies(exchange: Exchange, response: Response, redaction: Redaction) -> Iterator[str]:
    """Write what was sent and what came back, pictures shortened."""
    if exchange.request.body:
        yield f"  > {printable(_body(exchange.request.body, redaction))}"
    yield f"  < {printable(_answer(response, redaction))}"


def violations_of(exchange: Exchange) -> tuple[Violation, ...]:
    """Give why a call was refused and what is odd about it, and that of the calls that it stood for."""
    own = exchange.violations
    return (*own, *(each for part in exchange.parts for each in part.violations if each not in own))


def printable(text: str) -> str:
    r"""Escape what a terminal would obey.

    >>> printable("a\x1b[2Jb\n"), printable("Größe")
    ('a\\x1b[2Jb\\n', 'Größe')
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _reason(exchange: Exchange, response: Response) -> str:
    """Say the reason that the answer names, where it is, and where else something is wrong."""
    found = violations_of(exchange)
    wrong = sorted(
        (each for each in found if each.keyword not in ODD),
        key=lambda each: each.error is None or each.error != response.error,
    )
    told = [f"{_located(wrong[0])}{_others(wrong)}"] if wrong else []
    if not found and response.status >= ERRORS:
        told = [_said(response)]
    told += [f"warning: {_located(each)}" for each in found if each.keyword in ODD]
    return "; ".join(_shortened(each) for each in told)


def _others(wrong: list[Violation]) -> str:
    """Say how many more are wrong, and where.

    >>> _others([Violation("body", f"/{name}", "enum", "") for name in ("model", "format")])
    ' (and 1 more: format)'
    """
    names = dict.fromkeys(each.field for each in wrong[1:] if each.field and each.field != wrong[0].field)
    where = f": {', '.join(names)}" if names else ""
    return f" (and {len(wrong) - 1} more{where})" if len(wrong) > 1 else ""


def _shortened(text: str) -> str:
    return printable(text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…")


def _located(violation: Violation) -> str:
    """Say a violation behind its place, unless the sentence begins with that.

    >>> _located(Violation("body", "/model", "enum", "model must be one of: a, b"))
    'model must be one of: a, b'
    >>> _located(Violation("header", "/x-api-key", "required", "no key"))
    'header x-api-key: no key'
    """
    path = pointer.read(violation.pointer)
    place = (
        spoken([int(each) if each.isascii() and each.isdecimal() else each for each in path]) if path else ""
    )
    if not place or violation.message.lower().startswith(place.lower()):
        return violation.message
    return f"{'' if violation.location == 'body' else f'{violation.location} '}{place}: {violation.message}"


def _said(response: Response) -> str:
    """Give what an answer itself says, where there is nothing else to tell."""
    body = response.body if isinstance(response.body, bytes) else b""
    try:
        value = parse(body)[0]
    except ValueError:
        value = None
    said = value.get("detail") or value.get("message") if isinstance(value, dict) else None
    return str(said or body[:LONGEST_REASON].decode("utf-8", "replace"))


def _key(exchange: Exchange, redaction: Redaction) -> str | None:
    """Give the key that a call came with, shortened: the account's, or what was sent where there is none."""
    if exchange.account:
        return redaction.key(exchange.account.key)
    if not isinstance(exchange.match, Match):
        return None
    headers = exchange.request.headers
    schemes = (each for requirement in exchange.match.operation.security for each in requirement)
    names = [each.field for each in schemes if each.location == "header"]
    return next((redaction.header(name, headers[name]) for name in names if headers.get(name)), None)


def _body(body: bytes, redaction: Redaction) -> str:
    try:
        text = redaction.text(body.decode())
    except UnicodeDecodeError:
        return f"({len(body)} bytes)"
    text = LONG_RUN.sub(lambda run: f"{run[0][:SHOWN]}... ({len(run[0])} characters)", text)
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}... ({len(text)} characters)"


def _answer(response: Response, redaction: Redaction) -> str:
    body = response.body if isinstance(response.body, bytes) else b""
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    return f"({kind}, {len(body)} bytes)" if kind.startswith("image/") else _body(body, redaction)
