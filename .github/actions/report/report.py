"""What a mock was asked, as Markdown for the summary of a job, and its report of coverage as a file."""

import json
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_FINDINGS = 50  # that are told; the rest is counted
BROKEN = 70  # the status where calls were against the contract


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
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def write(calls: list[dict[str, Any]], findings: list[dict[str, Any]]) -> str:
    """Put calls into words: how many of each, and what they did against the contract."""
    answered = [(call["operation"] or "no operation", call["response"]) for call in calls]
    counted = Counter((name, str(answer["status"]) if answer else "none") for name, answer in answered)
    said = "## mockserver\n\n"
    if not calls:
        return f"{said}Nothing was asked.\n\n"
    said += table(["operation", "status", "calls"], [[*key, count] for key, count in sorted(counted.items())])
    if findings:
        rows: list[list[object]] = [
            [each["summary"], "; ".join(violation["message"] for violation in each["violations"])]
            for each in findings[:MOST_FINDINGS]
        ]
        said += f"\n### Against the contract: {len(findings)}\n\n{table(['what', 'why'], rows)}"
    return f"{said}\n"


if __name__ == "__main__":
    base, file = sys.argv[1:]
    Path(file).write_text(json.dumps(ask(f"{base}/__admin/coverage")), "utf-8")
    verdict = ask(f"{base}/__admin/verdict")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # Windows writes into files as it likes
    sys.stdout.write(write(ask(f"{base}/__admin/requests")["requests"], verdict["findings"]))
    sys.exit(BROKEN if verdict["errors"] else 0)
