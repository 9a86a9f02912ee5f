"""Ten minutes of strangers: hostile and valid traffic over sockets, side by side. Run by hand.

`python -m tests.benchmarks.soak --minutes 10` lets callers of many kinds loose on a server of its own: random
verbs, paths, keys, bodies and pictures, connections that stall, end in the middle, pipeline without reading.
It ends with 1 where a 5xx came that nobody ordered, a valid call was not answered as it must be, the memory
or the open files were over their bound, or the server printed a traceback.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import httpx
from memory import calls, heavy_pictures, picture
from servers import Served, resident_mb, served

MOST_MB, MOST_AT_ONCE_MB = 200, 400  # when all have gone; at any moment, while pictures are read
MOST_FILES = 60  # that are open when all have gone
LOOKS_EVERY_S = 5.0
PATIENCE_S = 60  # with any answer: the machine is busy, and pictures are looked at two at a time
KEYS = ["X-Api-Key: pkz_test", "Authorization: Bearer nsk_test", "x-api-key: tb_test"]
PATHS = [
    "/v2/thumbnail/score", "/v2/thumbnail/text", "/v2/thumbnail/image", "/v2/thumbnail/edit",
    "/v2/title/text", "/v2/pikzonality/persona", "/v2/pikzonality/x", "/api/v1/generate", "/api/mcp",
    "/api/v1/generations/x", "/v1/generate", "/cdn/pikzels/rest-api/x.png", "/__admin/requests",
    "/__admin/state", "/", "*", "//", "/%00/%ff",
]  # fmt: skip
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get", "CONNECT"]
VALID = [
    ("/v2/thumbnail/score", KEYS[0], {"image_url": "https://example.com/a.png"}),
    ("/v2/thumbnail/text", KEYS[0], {"prompt": "A cat", "model": "pkz_4", "format": "16:9"}),
    ("/v2/title/text", KEYS[0], {"prompt": "A cat"}),
    ("/api/v1/generate", KEYS[1], {"prompt": "A cat"}),
    ("/v1/generate", KEYS[2], {"title": "A title", "format": "youtube"}),
]
HEADERS = [
    "Upgrade: h2c", "Expect: 100-continue", "Transfer-Encoding: chunked", "Content-Length: 5",
    "Content-Length: -1", "Prefer: a" + " " * 500 + "x", "Content-Type: application/json",
    "Content-Type: \xff", "Accept-Encoding: br", "Origin: https://evil.example", "Host: evil.example",
    "X-Forwarded-Host: [", "Range: bytes=0-,5-", "A" * 9000 + ": b", "Cookie: " + "a=b;" * 3000,
    "Connection: close", "Connection: upgrade", "X-Api-Key: pkz_" + "k" * 2000, "Bad", ": x",
]  # fmt: skip


class Seen:
    """What came back, and what should not have."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.valid = 0
        self.deeds: Counter[str] = Counter()
        self.complaints: Counter[str] = Counter()

    def answer(self, head: bytes, sent: str) -> int:
        """Count an answer by its head."""
        status = int(head[9:12])
        self.statuses[status] += 1
        if status >= 500:
            self.complaints[f"{status} for {sent[:80]}"] += 1
        return status


class Stranger:
    """One caller, who opens a connection for each of its deeds."""

    def __init__(self, port: int, seed: int, seen: Seen) -> None:
        self.port, self.seen, self.chance = port, seen, random.Random(seed)

    async def live(self, deed: "Callable[[Stranger], Awaitable[None]]", ends_s: float) -> None:
        """Do the same again and again; being cut off is what a stranger must expect."""
        while time.monotonic() < ends_s:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await deed(self)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                self.seen.deeds["was cut off"] += 1
            except TimeoutError:
                self.seen.complaints[f"{deed.__name__}: no answer in {PATIENCE_S} s"] += 1
            else:
                self.seen.deeds[deed.__name__] += 1
            await asyncio.sleep(0)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def body(self) -> bytes:
        """Make a body that may be anything."""
        chance, noise = self.chance, self.chance.randbytes(self.chance.choice([0, 1, 40, 3000]))
        names = ["prompt", "image_url", "title", "x" * 500, "\ud800"]
        wild = {chance.choice(names): self.value(0) for _ in range(4)}
        deep = b"[" * 500
        many = json.dumps([0] * chance.choice([10, 100_000])).encode()
        return chance.choice(
            [noise, json.dumps(wild).encode(), deep, many, b"{}", b'{"a": NaN}', b"\xff\xfe{}"]
        )

    def value(self, depth: int) -> object:
        chance = self.chance
        flat: list[object] = [
            None,
            True,
            0,
            -1,
            1e308,
            10**400,
            "",
            "a" * 4000,
            "https://" + "[" * 50,
            "\u2028",
            "[rate",
            [],
            {},
        ]
        if depth > 3 or chance.random() < 0.7:
            return chance.choice(flat)
        return chance.choice([[self.value(depth + 1)] * 3, {"image_url": self.value(depth + 1)}])

    def request(self, method: str, path: str, headers: list[str], body: bytes) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", *headers, "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace") + body

    def json_call(self, path: str, key: str, body: object) -> bytes:
        text = json.dumps(body).encode()
        headers = ["Host: x", key, "Content-Type: application/json", f"Content-Length: {len(text)}"]
        return self.request("POST", path, headers, text)

    async def told(self, reader: asyncio.StreamReader, sent: str) -> int:
        """Read one answer whole; give its status."""
        head = await reader.readuntil(b"\r\n\r\n")
        status = self.seen.answer(head, sent)
        named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
        await reader.readexactly(int(named[0][16:]) if named else 0)
        return status


async def call_validly(stranger: Stranger) -> None:
    """Make calls that must succeed, over one connection."""
    reader, writer = await stranger.open()
    for path, key, body in VALID:
        try:
            writer.write(stranger.json_call(path, key, body))
            status = await stranger.told(reader, path)
        except (OSError, asyncio.IncompleteReadError) as error:
            stranger.seen.complaints[f"a valid call of {path} was cut off: {error!r}"] += 1
            return
        if status != 200:
            stranger.seen.complaints[f"a valid call of {path} was answered {status}"] += 1
        stranger.seen.valid += 1
    writer.close()


async def call_wildly(stranger: Stranger) -> None:
    """Send what may be a request."""
    chance = stranger.chance
    reader, writer = await stranger.open()
    method, path, body = chance.choice(VERBS), chance.choice(PATHS), stranger.body()
    headers = [*chance.sample(HEADERS, 3), chance.choice(KEYS)]
    if chance.random() < 0.8:
        headers += ["Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    writer.write(stranger.request(method, path, headers, body))
    if chance.random() < 0.5:
        writer.write_eof()
    heard = b""
    with contextlib.suppress(TimeoutError):  # half a request is not answered so soon
        heard = await asyncio.wait_for(reader.read(65536), 3)
    for head in [heard] if heard.startswith(b"HTTP/1.1 ") else ():
        stranger.seen.answer(head, f"{method} {path} {body[:30]!r}")
    writer.transport.abort()


async def call_as_never_before(stranger: Stranger) -> None:
    """Send what memory is measured with: keys, ids and links that never come twice."""
    reader, writer = await stranger.open()
    for method, path, headers, body in calls(stranger.chance, 20):
        lines = ["Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(stranger.request(method, path, lines, body))
        await stranger.told(reader, f"{method} {path}")
    writer.close()


async def send_pictures(stranger: Stranger) -> None:
    """Send pictures that are broken, not what they say, or more than they seem."""
    chance = stranger.chance
    good = base64.b64decode(picture(chance, chance.choice([16, 400, 1200]), "RGB").partition(",")[2])
    at = chance.randrange(len(good))
    huge = good[:16] + struct.pack(">II", 30_000, 30_000) + good[24:]
    spoiled = [good[:at], good[:at] + chance.randbytes(20) + good[at:], huge, b"GIF89a" + good[6:], good]
    spoiled += [chance.choice(heavy_pictures())]
    reader, writer = await stranger.open()
    sent = f"data:image/png;base64,{base64.b64encode(chance.choice(spoiled)).decode()}"
    writer.write(stranger.json_call("/v2/thumbnail/score", KEYS[0], {"image_base64": sent}))
    await stranger.told(reader, "a picture")
    writer.close()


async def dawdle(stranger: Stranger) -> None:
    """Send a request by the byte, and stop somewhere."""
    _, writer = await stranger.open()
    call = stranger.json_call(*VALID[stranger.chance.randrange(len(VALID))])
    for at in range(stranger.chance.randrange(1, 120)):
        writer.write(call[at : at + 1])
        await asyncio.sleep(0.02)
    await asyncio.sleep(stranger.chance.uniform(0, 12))
    writer.transport.abort()


async def pipeline(stranger: Stranger) -> None:
    """Send a thousand requests at once, and read some of the answers, or none."""
    reader, writer = await stranger.open()
    writer.write(stranger.json_call(*VALID[0]) * 1000)
    for _ in range(stranger.chance.choice([0, 1, 100, 1000])):
        await stranger.told(reader, "a pipeline")
    await asyncio.sleep(stranger.chance.uniform(0, 2))
    writer.transport.abort()


async def reset(stranger: Stranger) -> None:
    """Send a part of a request, or all of it, and reset the connection."""
    _, writer = await stranger.open()
    call = stranger.json_call(*VALID[stranger.chance.randrange(len(VALID))])
    writer.write(call[: stranger.chance.randrange(len(call) + 1)])
    await asyncio.sleep(stranger.chance.choice([0, 0, 0.01, 0.1]))
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# How many of each go about at once.
CROWD: list[tuple[Callable[[Stranger], Awaitable[None]], int]] = [
    (call_validly, 3), (call_wildly, 4), (call_as_never_before, 2), (send_pictures, 1), (dawdle, 20),
    (pipeline, 2), (reset, 2),
]  # fmt: skip


async def look(server: Served, seen: Seen, ends_s: float) -> None:
    """Show from time to time how the memory grows."""
    while (left_s := ends_s - time.monotonic()) > 0:
        now, _ = resident_mb(server.process.pid)
        print(f"{left_s:5.0f} s left, {sum(seen.statuses.values()):>9,} answers, {now:6.1f} MB", flush=True)
        await asyncio.sleep(min(LOOKS_EVERY_S, left_s))


async def soak(server: Served, minutes: float, seed: int) -> Seen:
    seen, ends_s = Seen(), time.monotonic() + minutes * 60
    deeds = [deed for deed, count in CROWD for _ in range(count)]
    strangers = [Stranger(server.port, seed * 1000 + number, seen) for number in range(len(deeds))]
    lives = [each.live(deed, ends_s) for each, deed in zip(strangers, deeds, strict=True)]
    await asyncio.gather(look(server, seen, ends_s), *lives)
    await call_validly(Stranger(server.port, seed, seen))
    return seen


def main() -> int:
    """Let them loose, and print what came of it."""
    asked = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    with served() as server:
        seen = asyncio.run(soak(server, chosen.minutes, chosen.seed))
        now, most = resident_mb(server.process.pid)
        httpx.post(f"{server.admin}/reset").raise_for_status()
        after = resident_mb(server.process.pid)[0]
        files, said = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())), server.said()
    if now > MOST_MB or most > MOST_AT_ONCE_MB:
        seen.complaints[f"memory over {MOST_MB} MB in the end, or over {MOST_AT_ONCE_MB} MB at once"] += 1
    if files > MOST_FILES:
        seen.complaints[f"{files} files are open in the end"] += 1
    if "Traceback" in said:
        seen.complaints["the server printed a traceback"] += 1
        print(said[said.index("Traceback") - 500 :][:5000])
    figures = {
        "minutes": chosen.minutes, "answers": dict(sorted(seen.statuses.items())), "valid": seen.valid,
        "deeds": dict(seen.deeds), "mb": round(now, 1), "most_mb": round(most, 1),
        "after_reset_mb": round(after, 1), "files": files,
        "complaints": dict(seen.complaints),
    }  # fmt: skip
    print(json.dumps(figures, indent=2))
    return int(bool(seen.complaints) or not seen.valid)


if __name__ == "__main__":
    sys.exit(main())
