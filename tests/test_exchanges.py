"""Replay tests/exchanges: what the documents promise, one file after the other, each on a fresh world.

In the files `!repeat [text, times, …]` is a long text, and `!picture NAME` or `!picture [NAME, BYTES]` a picture
from fixtures/images as a data URL, filled up with zeros to that many bytes where a size cap is to be met.
`after_s` lets that many seconds pass before an exchange.
"""

import asyncio
import base64
import json
import re
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from exchanges.judge import broken_promises, complaints, content, found

from mockserver import Engine, Request, Settings, create_app, create_engine

EXCHANGES = Path(__file__).parent / "exchanges"
NOON = 1_800_000_000  # seconds since 1970; time stands still but for `after_s`
PICTURES = Path(__file__).parents[1] / "fixtures" / "images"
WORDS = {
    "exchange": {"name", "source", "after_s", "request", "answer", "remember"},
    "request": {"method", "path", "headers", "body", "raw", "raw_hex"},
    "answer": {"status", "body", "headers", "absent", "matches", "violations", "differs", "pictures"},
}


class Loader(yaml.CSafeLoader):
    """Reads the two tags of the files."""


def long_text(loader: Loader, node: yaml.SequenceNode) -> str:
    parts = loader.construct_sequence(node)
    return "".join(text * times for text, times in zip(parts[::2], parts[1::2], strict=True))


def data_url(loader: Loader, node: yaml.Node) -> str:
    name, size = loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else (node.value, 0)
    picture = (PICTURES / name).read_bytes()
    return "data:image/png;base64," + base64.b64encode(picture.ljust(size, b"\0")).decode()


Loader.add_constructor("!repeat", long_text)
Loader.add_constructor("!picture", data_url)


def send(engine: Engine, request: Mapping[str, Any]) -> httpx.Response:
    """Give the answer of the engine, or of the whole application where a file is fetched."""
    headers = {"content-type": "application/json"} if "body" in request else {}
    headers |= {name.lower(): value for name, value in request.get("headers", {}).items()}
    headers = {name: value for name, value in headers.items() if value is not None}
    text = json.dumps(request["body"]) if "body" in request else request.get("raw", "")
    body = bytes.fromhex(request["raw_hex"]) if "raw_hex" in request else text.encode()
    path, _, query = request["path"].removeprefix("http://localhost").partition("?")
    if path.startswith(("/cdn/", "/__admin/")):
        return asyncio.run(fetch(engine, request["method"], path, headers))
    answer = engine.handle(
        Request(method=request["method"], path=path, headers=headers, query=query, body=body)
    )
    return httpx.Response(answer.status, headers=answer.headers, content=answer.read())


async def fetch(engine: Engine, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path, headers=headers)


def filled(value: Any, remembered: Mapping[str, Any]) -> Any:
    """Put what was remembered in the place of every ${name}."""
    if isinstance(value, dict):
        return {filled(key, remembered): filled(item, remembered) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, remembered) for item in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: str(remembered.get(match[1], match[0])), value)
    return value


def told(where: str, exchange: Mapping[str, Any], answer: httpx.Response | None, faults: list[str]) -> str:
    lines = [f"{where}: {exchange['name']}", *(f"  - {fault[:2000]}" for fault in faults)]
    lines.append(f"  request: {str(exchange['request'])[:2000]}")
    if answer is not None:
        lines.append(
            f"  answer:  {answer.status_code} {dict(answer.headers)}\n           {answer.text[:3000]}"
        )
    return "\n".join(lines)


def replayed(where: str) -> Iterator[tuple[Mapping[str, Any], httpx.Response | None, list[str]]]:
    """Give each exchange of a file with its answer, `None` for a crash, and what is wrong with it."""
    engine = create_engine(Settings(raises_bugs=True, checks_answers=True))
    engine.world.clock.set(NOON, is_frozen=True)
    remembered: dict[str, Any] = {}
    for written in yaml.load((EXCHANGES / where).read_text("utf-8"), Loader):
        exchange = filled(written, remembered)
        unknown = exchange.keys() - WORDS["exchange"]
        unknown |= exchange["request"].keys() - WORDS["request"] | exchange["answer"].keys() - WORDS["answer"]
        assert not unknown, f"{where}: {exchange['name']}: nobody reads {unknown}"
        answer = None
        engine.world.clock.advance(exchange.get("after_s", 0))
        try:
            answer = send(engine, exchange["request"])
            faults = [*complaints(exchange["answer"], answer), *broken_promises(answer)]
            names = exchange.get("remember", {})
            remembered |= {name: found(content(answer), at) for name, at in names.items()}
        except Exception:  # noqa: BLE001  a bug of the server is told like a wrong answer, with the rest
            faults = [traceback.format_exc()[-2000:]]
        yield exchange, answer, faults


@pytest.mark.parametrize(
    "where", sorted(str(file.relative_to(EXCHANGES)) for file in EXCHANGES.rglob("*.yaml"))
)
def test_every_answer_is_the_one_the_documents_promise(where: str) -> None:
    wrong = [told(where, *one) for one in replayed(where) if one[2]]
    assert not wrong, f"{len(wrong)} exchanges went wrong:\n\n" + "\n\n".join(wrong)


@pytest.mark.parametrize("where", ["pikzels/lifecycle.yaml", "pikzels/outputs.yaml", "thumbapi/plans.yaml"])
def test_two_fresh_worlds_answer_alike(where: str) -> None:
    first, second = ([answer and answer.content for _, answer, _ in replayed(where)] for _ in range(2))
    assert first == second
