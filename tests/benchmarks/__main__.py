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
    """Ask ours, bare Starlette and Prism in turn; give calls per second and their ratios."""
    sides = {
        f"{server}, {name}": Side(server, call)
        for name, call in {"valid": VALID, "invalid": INVALID, "unknown path": UNKNOWN}.items()
        for server in ("ours", "ours with lines")
    }
    sides |= {f"{server}, valid": Side(server, VALID) for server in ("bare", "bare with lines")}
    if PRISM:
        sides |= {
            "prism, valid": Side("prism", VALID),
            "prism, invalid": Side("prism", INVALID._replace(status=422)),
        }
    found = dict(zip(sides, measure(list(sides.values()), rounds), strict=True))
    made = [Figure(f"{name}, over a socket", statistics.median(each), "1/s") for name, each in found.items()]
    limits = [
        (own, other, limit)
        for call, limit in (("valid", 0.82), ("invalid", 0.45), ("unknown path", None))
        for own, other, limit in (
            (f"ours, {call}", "bare, valid", limit),
            (f"ours with lines, {call}", "bare with lines, valid", limit),
            (f"ours with lines, {call}", "bare, valid", None),
        )
    ]
    if PRISM:  # which prints nothing of such calls, told to warn alone
        limits += [
            ("ours, valid", "prism, valid", 7),
            ("ours, invalid", "prism, invalid", 5),
            ("ours with lines, valid", "prism, valid", None),
            ("ours with lines, invalid", "prism, invalid", None),
        ]
    ratios = [
        Figure(f"{own} : {other}", ratio(found[own], found[other]), "", limit, is_floor=True)
        for own, other, limit in limits
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
