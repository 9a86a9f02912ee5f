"""What a mock was asked, as Markdown for the summary of a job, and its report of coverage as a file."""

import json
import os
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

MOST_REFUSED = 50  # calls; the rest is counted


def ask(url: str) -> Any:
    """Read one page of `/__admin`."""
    token = os.environ.get("ADMIN_TOKEN") or os.environ.get("MOCKSERVER_ADMIN_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - the mock's own address
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30) as answer:
        return json.load(answer)


def cell(text: object) -> str:
    """Write a text so that it stays in its cell, and is no HTML."""
    escaped = str(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(escaped.split())


def table(head: list[str], rows: list[list[object]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def write(calls: list[dict[str, Any]]) -> str:
    """Put calls into words: how many of each, and which were refused."""
    answered = [(call["operation"] or "no operation", call["response"]) for call in calls]
    counted = Counter((name, str(answer["status"]) if answer else "none") for name, answer in answered)
    said = "## mockserver\n\n"
    if not calls:
        return f"{said}Nothing was asked.\n\n"
    said += table(["operation", "status", "calls"], [[*key, count] for key, count in sorted(counted.items())])
    refused = [call for call in calls if call["violations"]]
    if refused:
        rows = [
            [
                call["operation"] or f"{call['request']['method']} {call['request']['url']}",
                call["error"] or "",
                why,
            ]
            for call in refused[:MOST_REFUSED]
            for why in ["; ".join(each["message"] for each in call["violations"])]
        ]
        said += f"\n### Refused or warned of: {len(refused)}\n\n{table(['call', 'error', 'why'], rows)}"
    return f"{said}\n"


if __name__ == "__main__":
    base, file = sys.argv[1:]
    Path(file).write_text(json.dumps(ask(f"{base}/__admin/coverage")), "utf-8")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # Windows writes into files as it likes
    sys.stdout.write(write(ask(f"{base}/__admin/requests")["requests"]))
