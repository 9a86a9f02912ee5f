r"""Replay tests/exchanges: what the documents promise, one file after the other, each on a fresh world.

Every exchange names its `citation`, the document that promises the answer: by the full name that the
provider's table has for it, as a section of the README, or as a standard; several are parted by `; `. Where
only documents of the vendor are cited, a refusal names one of them as its `source`.

`assume` chooses readings of what the documents leave open, for this exchange alone.

`only` names the one sender that can send an exchange, where what it shows is a socket's own.

`after_s` lets that many seconds pass before an exchange; `remember` keeps values of the answer for later ones
as `${name}`, and `${host}` is the server's own address; `absent` names places in the body, and headers. The
sender that got a link also follows it.

What would be long or stand there many times is a tag:

* `!repeat [text, times, …]`: a long text;
* `!picture NAME` or `!picture [NAME, BYTES]`: a picture from fixtures/images as a data URL, filled up with
  zeros to that many bytes where a size cap is to be met;
* `!pattern NAME`: one of the patterns in `PATTERNS`;
* `!not_https FIELD`, `!not_data_url FIELD`: the pattern of Pikzels' sentence about a field that is neither.
"""

import base64
import json
import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from conftest import STRICT
from exchanges.comparison import find_broken_promises, find_complaints, look_up, read_body
from exchanges.senders import SENDERS, Sender

from mockserver import create_engine
from mockserver.settings import Style
from mockserver.spec.catalog import load

ROOT = Path(__file__).parents[1]
EXCHANGES = ROOT / "tests" / "exchanges"
FILES = sorted(str(file.relative_to(EXCHANGES)) for file in EXCHANGES.rglob("*.yaml"))
PICTURES = ROOT / "fixtures" / "images"
NOON = 1_800_000_000  # seconds since 1970; time stands still but for `after_s`
WORDS = {
    "exchange": {"name", "citation", "after_s", "assume", "only", "request", "answer", "remember"},
    "request": {"method", "path", "headers", "body", "raw", "raw_hex"},
    "answer": {
        "status",
        "body",
        "headers",
        "absent",
        "lacks",
        "matches",
        "violations",
        "differs",
        "pictures",
    },
}
PATTERNS = {
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "link": "^https?://",
    "png_link": r"^https?://\S+\.png$",
    "webp_data_url": "^data:image/webp;base64,",
    "score": r"^(100|\d{1,2})(\.\d+)?$",  # from 0 to 100
}
JSON_SECTIONS = ("2", "3", "4", "6", "7", "8.1", "8.3")
HTTP_SECTIONS = ("4.2.3", "5.1", "5.5", "5.6.6", "8.3.1", "9.3.1", "9.3.2", "11.1", "11.4", "15.5.6")
# What no answer shows: tests/test_life_thumbapi.py does.
BY_WEBHOOK = {("thumbapi.signature", reading) for reading in ("hex", "upper_hex", "prefixed_hex", "base64")}
AT_ONCE = {("pikzels.concurrent_calls", reading) for reading in ("ten", "any")}  # tests/test_assumptions.py
STANDARDS = {
    r"ECMA-262, \s",
    r"ECMA-262, \s and $",
    "ECMA-262, the dot",
    "ECMA-262, JSON.parse",
    "JSON Schema 2020-12, maxLength",
    "OpenAPI 3.0, path templating",
    "RFC 6901",  # JSON Pointer
    "RFC 7240 §2",  # Prefer
    *(f"RFC 8259 §{section}" for section in JSON_SECTIONS),
    *(f"RFC 9110 §{section}" for section in HTTP_SECTIONS),
    "RFC 9562 §4",  # UUIDs
}


class Loader(yaml.CSafeLoader):
    """Reads the tags of the files."""


def repeat_text(loader: Loader, node: yaml.SequenceNode) -> str:
    parts = loader.construct_sequence(node)
    return "".join(text * times for text, times in zip(parts[::2], parts[1::2], strict=True))


def open_picture(loader: Loader, node: yaml.Node) -> str:
    name, size = loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else (node.value, 0)
    return make_data_url(name, size)


@cache
def make_data_url(name: str, size: int) -> str:
    picture = (PICTURES / name).read_bytes()
    return "data:image/png;base64," + base64.b64encode(picture.ljust(size, b"\0")).decode()


Loader.add_constructor("!repeat", repeat_text)
Loader.add_constructor("!picture", open_picture)
Loader.add_constructor("!pattern", lambda _, node: PATTERNS[node.value])
Loader.add_constructor(
    "!not_https",
    lambda _, node: f"^{node.value} must be an HTTPS URL: it starts with https:// and holds no spaces",
)
Loader.add_constructor(
    "!not_data_url", lambda _, node: f"^{node.value} must be a base64 data URL: it starts with data:image/"
)


@cache
def read_exchanges(where: str) -> list[dict[str, Any]]:
    exchanges: list[dict[str, Any]] = yaml.load((EXCHANGES / where).read_text("utf-8"), Loader)
    for exchange in exchanges:
        unknown = exchange.keys() - WORDS["exchange"]
        unknown |= exchange["request"].keys() - WORDS["request"] | exchange["answer"].keys() - WORDS["answer"]
        assert not unknown, f"{where}: {exchange['name']}: nobody reads {unknown}"
        assert "status" in exchange["answer"], f"{where}: {exchange['name']}: any status would do"
    return exchanges


def fill_in(value: Any, remembered: Mapping[str, Any]) -> Any:
    """Put what was remembered in the place of every ${name}."""
    if isinstance(value, dict):
        return {fill_in(key, remembered): fill_in(item, remembered) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, remembered) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: str(remembered.get(match[1], match[0])), value)
    return value


def send(sender: Sender, request: Mapping[str, Any], host: str) -> httpx.Response:
    """Send a written request: without its null headers, and a whole link to the host that it names."""
    given = request.get("headers", {})
    if "body" in request and "content-type" not in {name.lower() for name in given}:
        given = {"Content-Type": "application/json", **given}
    headers = {name: value for name, value in given.items() if value is not None}
    text = json.dumps(request["body"]) if "body" in request else request.get("raw", "")
    body = bytes.fromhex(request["raw_hex"]) if "raw_hex" in request else text.encode()
    path, host = request["path"], headers.pop("Host", host)
    if path.startswith("http://"):
        host, _, path = path.removeprefix("http://").partition("/")
        path = f"/{path}"
    return sender.send(request["method"], path, headers, body, host)


def replay(
    where: str, sender_name: str, host: str | None = None, pictures: Style = "plain"
) -> Iterator[tuple[Mapping[str, Any], httpx.Response | None, list[str]]]:
    """Give each exchange of a file with its answer, `None` for a crash, and what is wrong with it."""
    engine = create_engine(replace(STRICT, pictures=pictures))
    engine.world.clock.set(NOON, is_frozen=True)
    with SENDERS[sender_name](engine) as sender:
        host = host or sender.host
        remembered: dict[str, Any] = {"host": host}
        for written in read_exchanges(where):
            if written.get("only", sender_name) != sender_name:
                continue
            exchange = fill_in(written, remembered)
            answer = None
            engine.world.clock.advance(exchange.get("after_s", 0))
            engine.world.assume(exchange.get("assume", {}), for_good=True)
            try:
                answer = send(sender, exchange["request"], host)
                complaints = [*find_complaints(exchange["answer"], answer), *find_broken_promises(answer)]
                complaints += find_other_sources(where, exchange["citation"], answer)
                names = exchange.get("remember", {})
                remembered |= {name: look_up(read_body(answer), at) for name, at in names.items()}
            except Exception:  # noqa: BLE001  a bug of the server is told like a wrong answer, with the rest
                complaints = [traceback.format_exc()[-2000:]]
            yield exchange, answer, complaints


def find_other_sources(where: str, cited: str, answer: httpx.Response) -> Iterator[str]:
    """Find a refusal that the exchange has from documents of the vendor, and the answer from elsewhere."""
    said = json.loads(answer.headers.get("mock-violations", "[]"))
    if (
        said
        and set(cited.split("; ")) <= read_documents(where)
        and said[0]["source"] not in cited.split("; ")
    ):
        yield f"it cites {cited}, but the answer {said[0]['source']}"


@cache
def read_documents(where: str) -> set[str]:
    """Give the full names of the documents of the vendor whose API the exchanges of a file call."""
    citations = load().providers[Path(where).parts[0]].citations
    return {each for name, each in citations.items() if name != "ours"}


def describe(
    where: str, exchange: Mapping[str, Any], answer: httpx.Response | None, complaints: list[str]
) -> str:
    lines = [
        f"{where}: {exchange['name']} ({exchange['citation']})",
        *(f"  - {each[:2000]}" for each in complaints),
    ]
    lines.append(f"  request: {str(exchange['request'])[:2000]}")
    if answer is not None:
        lines.append(f"  answer:  {answer.status_code} {dict(answer.headers)}")
        lines.append(f"           {answer.text[:3000]}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("sender_name", "where"),
    [
        *(("over a socket", where) for where in FILES),
        *(("by httpx without a socket", where) for where in FILES[::4]),
    ],
)
def test_every_answer_is_the_one_the_documents_promise(sender_name: str, where: str) -> None:
    wrong = [describe(where, *each) for each in replay(where, sender_name) if each[2]]
    assert not wrong, f"{len(wrong)} exchanges went wrong:\n\n" + "\n\n".join(wrong)


@pytest.mark.parametrize("where", ["pikzels/lifecycle.yaml", "pikzels/outputs.yaml", "thumbapi/plans.yaml"])
def test_a_fresh_world_answers_alike_however_it_is_asked(where: str) -> None:
    first, again, *others = (
        [
            answer and (answer.status_code, answer.content)
            for _, answer, _ in replay(where, name, "localhost", "poster")
        ]
        for name in ("in process", *SENDERS)
    )
    assert again == first
    assert all(other == first for other in others)


def test_every_reading_of_every_assumption_has_an_exchange() -> None:
    shown = {
        choice
        for where in FILES
        for exchange in read_exchanges(where)
        for choice in exchange.get("assume", {}).items()
    }
    assert shown | BY_WEBHOOK | AT_ONCE == {
        (f"{provider.name}.{name}", reading)
        for provider in load().providers.values()
        for name, row in provider.table.assumptions.items()
        for reading in row.readings
    }


def read_citations(where: str) -> set[str]:
    return {each for exchange in read_exchanges(where) for each in exchange["citation"].split("; ")}


@pytest.mark.parametrize("where", FILES)
def test_every_citation_can_be_looked_up(where: str) -> None:
    documents = {*read_documents(where), "a choice of this emulator where the documents are silent"}
    sections = re.findall(r"^## (.+)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    known = documents | {f"README, {section}" for section in sections} | STANDARDS
    assert read_citations(where) - known == set(), "cite a document of the table, the README or a standard"


def test_every_standard_in_the_list_is_cited() -> None:
    assert STANDARDS - {citation for where in FILES for citation in read_citations(where)} == set()
