"""How much memory a server takes: at rest, under mixed traffic, after a reset. Run by hand.

`python -m tests.benchmarks.memory --calls 200000` starts a server of its own, sends valid and invalid calls,
unknown paths, keys, ids, links and pictures that never come twice, and prints what /proc says of the process.
"""

import argparse
import asyncio
import base64
import functools
import json
import random
import re
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from servers import resident_mb, served

CONNECTIONS = 16
LOOKS = 10  # at the memory meanwhile
Call = tuple[str, str, dict[str, str], bytes]


def picture(chance: random.Random, side: int, mode: str) -> str:
    """Draw noise, which nothing can compress."""
    image = Image.frombytes(mode, (side, side), chance.randbytes(side * side * len(mode)))
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@functools.cache
def heavy_pictures() -> list[bytes]:
    """Draw pictures of 24 megapixels that take some kB, and take long to be read."""
    made, image = [], Image.new("RGB", (6000, 4000), "teal")
    for kind, options in (("WEBP", {}), ("PNG", {}), ("GIF", {}), ("JPEG", {"progressive": True})):
        image.save(file := BytesIO(), kind, **options)
        made.append(file.getvalue())
    return made


def calls(chance: random.Random, pictures_every: int) -> "list[Call]":
    """Make one of each kind of call, none of which came before."""
    unique = f"{chance.getrandbits(64):x}"
    pkz, nsk, tb = ({name: f"{start}{unique}"} for name, start in KEYS)
    own = [{name: f"{start}test"} for name, start in KEYS]
    text = {"prompt": f"A cat {unique}", "model": "pkz_4", "format": "16:9"}
    link = f"https://example.com/{unique}.png"
    made: list[tuple[str, str, dict[str, str], object]] = [
        ("POST", "/v2/thumbnail/score", own[0], {"image_url": link}),
        ("POST", "/v2/thumbnail/score", pkz, {"image_url": link}),
        ("POST", "/v2/thumbnail/text", own[0], text),
        ("POST", "/v2/thumbnail/text", pkz, text),
        ("POST", "/v2/thumbnail/text", own[0], {**text, unique: [unique], "prompt": 5}),
        ("POST", "/v2/title/text", own[0], {"prompt": f"[{unique}] {unique}"}),
        (
            "POST",
            "/v2/pikzonality/style",
            own[0],
            {"name": unique[:20], "image_urls": [link + str(n) for n in range(3)]},
        ),
        ("GET", f"/v2/pikzonality/{unique}", own[0], None),
        ("POST", "/api/v1/generate", own[1], {"prompt": unique, "count": 2}),
        ("POST", "/api/v1/generate", nsk | {"webhook-url": link}, {"prompt": unique, "count": 4}),
        ("GET", f"/api/v1/generations/gen_{unique}", nsk, None),
        ("GET", f"/{unique}/{unique}?{unique}={unique}", pkz | {unique: unique * 9}, None),
        ("GET", f"/cdn/pikzels/rest-api/{unique}.png", {}, None),
        ("POST", "/v2/thumbnail/score", {"X-Api-Key": f"pkz_{unique * 1000}"}, {"image_url": link * 200}),
        ("DELETE", f"/v2/{unique}", {"X-Api-Key": unique}, {unique: unique}),
        ("POST", "/v2/thumbnail/score", pkz, {"image_url": f"https://example.com/{unique * 4000}"}),
    ]
    if chance.randrange(pictures_every) == 0:
        sent = picture(chance, chance.choice([64, 500, 900]), chance.choice(["RGB", "RGBA"]))
        made += [
            ("POST", "/v2/thumbnail/score", own[0], {"image_base64": sent}),
            ("POST", "/v2/thumbnail/score", pkz, {"image_base64": sent}),
            ("POST", "/v1/generate", own[2] | tb, {"title": unique, "format": "youtube"}),
        ]
    return [
        (method, path, headers, b"" if body is None else json.dumps(body).encode())
        for method, path, headers, body in made
    ]


KEYS = (("X-Api-Key", "pkz_"), ("Authorization", "Bearer nsk_"), ("x-api-key", "tb_"))


async def drive(port: int, seed: int, count: int, every: int, seen: Counter[int]) -> None:
    """Send calls over one connection, one after the other."""
    chance = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while count > 0:
        for method, path, headers, body in calls(chance, every):
            lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
            lines += [
                "Content-Type: application/json",
                *(f"{name}: {value}" for name, value in headers.items()),
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            seen[int(head[9:12])] += 1
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            count -= 1
            if re.search(rb"(?i)connection: close", head):
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def attack(port: int, pid: int, count: int, every: int) -> Counter[int]:
    """Send calls over many connections; print how the memory grows meanwhile."""
    seen: Counter[int] = Counter()
    for look in range(LOOKS):
        share = count // LOOKS // CONNECTIONS
        seeds = range(look * CONNECTIONS, (look + 1) * CONNECTIONS)
        await asyncio.gather(*(drive(port, seed, share, every, seen) for seed in seeds))
        now, most = resident_mb(pid)
        print(f"{sum(seen.values()):>9,} calls: {now:6.1f} MB (at most {most:.1f})", flush=True)
    return seen


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--calls", type=int, default=200_000)
    asked.add_argument("--pictures-every", type=int, default=20, help="one picture in so many rounds")
    chosen = asked.parse_args()
    with served() as server:
        pid = server.process.pid
        print(f"at rest: {resident_mb(pid)[0]:.1f} MB")
        seen = asyncio.run(attack(server.port, pid, chosen.calls, chosen.pictures_every))
        print(f"answers: {dict(sorted(seen.items()))}")
        memory = httpx.get(f"{server.admin}/health?verbose").json()["memory"]
        for name, each in (memory["world"] | memory["caches"]).items():
            amounts = f"{each['entries']:>8,} of {each['mostEntries']:>8,}  {each['bytes'] / 2**20:5.1f} of "
            print(f"   {name:<26}{amounts}{each['mostBytes'] / 2**20:5.1f} MiB")
        httpx.post(f"{server.admin}/reset").raise_for_status()
        print(f"after a reset: {resident_mb(pid)[0]:.1f} MB")


if __name__ == "__main__":
    main()
