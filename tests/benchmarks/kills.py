"""Whether a kill loses what is older than a second: `serve --state` is killed again and again. Run by hand.

`python -m tests.benchmarks.kills --times 50` begins personas one after the other, kills the server (SIGKILL)
at a random moment, starts it with the same file and looks for each of them. It ends with 1 where one is gone
that was answered a second before the kill or outlived another kill, or where an id came again.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from servers import Served, served

LATE_S = 1.0  # what the README promises
LONGEST_S = 3.0  # that a server lives
PICTURES = [f"https://example.com/{number}.png" for number in range(3)]
KEY = {"X-Api-Key": "pkz_test"}
LEAST_PER_LIFE = 1


def begin_personas(server: Served, life_s: float, life: int) -> dict[str, float]:
    """Begin one persona after the other, and kill the server; give each id with its age at the kill."""
    begun: dict[str, float] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=KEY, timeout=30) as client:
        ends_s = time.monotonic() + life_s
        while time.monotonic() < ends_s:
            body = {"name": f"p{life}x{len(begun)}", "image_urls": PICTURES}
            answer = client.post("/v2/pikzonality/persona", json=body)
            assert answer.status_code == 200, answer.text
            begun[answer.json()["id"]] = time.monotonic()
        server.process.kill()
        killed_s = time.monotonic()
    return {id_: killed_s - answered_s for id_, answered_s in begun.items()}


def kept(server: Served) -> set[str]:
    """Give the ids that a server knows."""
    return set(httpx.get(f"{server.admin}/state", timeout=60).raise_for_status().json()["resources"])


def lost(before: list[str], older: set[str], found: set[str]) -> int:
    """Count what outlived a kill and is gone after the next one, but for the oldest, which make room."""
    gone = [id_ for id_ in before if id_ not in found]
    made_room = gone == before[: len(gone)] and not older & found
    return 0 if made_room else len(gone)


def main() -> int:
    """Kill, look, and print."""
    asked = argparse.ArgumentParser(prog="python -m tests.benchmarks.kills", description=__doc__)
    asked.add_argument("--times", type=int, default=50)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    chance = random.Random(chosen.seed)
    known, before = set[str](), list[str]()  # all that outlived a kill; those of the last one, in order
    old, young, again = 0, 0, 0
    total, lost_s, said = 0, 0.0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "world.json"
        for life in range(chosen.times):
            with served("--state", str(file)) as server:
                ages = begin_personas(server, chance.uniform(0.1, LONGEST_S), life)
                server.process.wait()
                said += [line for line in server.said().splitlines() if "WARNING" in line or "ERROR" in line]
            again += len(known & ages.keys())
            with served("--state", str(file)) as server:
                found = kept(server)
            gone = {id_: age for id_, age in ages.items() if id_ not in found}
            old += sum(age > LATE_S for age in gone.values()) + lost(before, known - set(before), found)
            young += sum(age <= LATE_S for age in gone.values())
            lost_s = max([lost_s, *gone.values()])
            before = [id_ for id_ in ages if id_ in found]
            known |= set(before)
            total += len(ages)
            size = file.stat().st_size / 1e6
            print(f"kill {life + 1}: {len(ages)} begun, {len(gone)} lost, {size:.1f} MB", flush=True)
    figures = {
        "kills": chosen.times, "begun": total, "lost_older_than_a_second": old, "lost_younger": young,
        "oldest_lost_s": round(lost_s, 3), "ids_that_came_again": again, "warnings": sorted(set(said)),
    }  # fmt: skip
    print(json.dumps(figures, indent=2))
    return int(bool(old or again) or total < chosen.times * LEAST_PER_LIFE)


if __name__ == "__main__":
    sys.exit(main())
