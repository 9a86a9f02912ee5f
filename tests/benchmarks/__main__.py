"""How fast the mock is beside an empty Starlette app and beside Prism: `python -m tests.benchmarks`.

Run it by hand on a machine that does nothing else; no test times anything. Where the command of Prism is not
on the path, `PRISM` names it. It ends with 1 where a figure misses its limit.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from figures import Figure, figures, growth
from load import INVALID, PRISM, ROUNDS, UNKNOWN, VALID, Side, measure, ratio


def over_sockets(rounds: int) -> list[Figure]:
    """Ask ours, bare Starlette and Prism in turn; give calls per second, and the ratios that have limits."""
    sides = {
        "ours, valid": Side("ours", VALID),
        "ours, invalid": Side("ours", INVALID),
        "ours, unknown path": Side("ours", UNKNOWN),
        "bare Starlette, valid": Side("bare", VALID),
    }
    if PRISM:
        sides |= {
            "Prism, valid": Side("prism", VALID),
            "Prism, invalid": Side("prism", INVALID._replace(status=422)),
        }
    found = dict(zip(sides, measure(list(sides.values()), rounds), strict=True))
    made = [Figure(f"{name}, over a socket", statistics.median(each), "1/s") for name, each in found.items()]
    bare = found["bare Starlette, valid"]
    limits = [
        ("valid : bare Starlette", "ours, valid", bare, 0.82),
        ("invalid : bare Starlette", "ours, invalid", bare, 0.45),
        ("unknown path : bare Starlette", "ours, unknown path", bare, None),
    ]
    if PRISM:
        limits += [
            ("valid : Prism", "ours, valid", found["Prism, valid"], 7),
            ("invalid : Prism", "ours, invalid", found["Prism, invalid"], 5),
        ]
    ratios = [
        Figure(name, ratio(found[own], other), "", limit, is_floor=True) for name, own, other, limit in limits
    ]
    return made + ratios


def machine() -> str:
    kind, python = f"{platform.system()} {platform.machine()}", platform.python_version()
    return f"{os.cpu_count()} cores, {kind}, Python {python}"


def main() -> int:
    """Measure, print, and say whether every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each side, interleaved [{ROUNDS}]")
    parser.add_argument(
        "--grow", type=int, metavar="CALLS", help="show what grows over so many calls instead"
    )
    asked = parser.parse_args()
    table = growth(asked.grow) if asked.grow else [*figures(), *over_sockets(asked.rounds)]
    today = dt.datetime.now(dt.UTC).date().isoformat()
    if asked.json:
        rows = [{**each._asdict(), "is_kept": each.is_kept} for each in table]
        print(json.dumps({"date": today, "machine": machine(), "figures": rows}, indent=2))
    else:
        print(f"{today}, {machine()}", *table, sep="\n")
    return int(not all(each.is_kept for each in table))


if __name__ == "__main__":
    sys.exit(main())
