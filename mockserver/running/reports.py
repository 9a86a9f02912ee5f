"""A run in a file, in the language that its ending names: JSON, HAR, Markdown or JUnit's XML."""

import errno
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mockserver.coverage.files import properties
from mockserver.coverage.markdown import write_markdown
from mockserver.journal.export import har
from mockserver.jsontext import Json, dump
from mockserver.proxy.rules import Way
from mockserver.running.outcome import Outcome
from mockserver.running.summary import write_summary
from mockserver.verdict.findings import Finding

NAME = "mockserver run"
NOWHERE = "no operation"
LEAVING = "stays with the mock"


def write_json(outcome: Outcome) -> str:
    """Write all of it; as coverage, `mockserver coverage` reads and merges it."""
    told: dict[str, Json] = {
        "status": outcome.status,
        "exitStatus": outcome.exit_status,
        "calls": [
            {"operation": name, "status": status, "count": count}
            for (name, status), count in sorted(outcome.counts.items())
        ],
        "findings": [
            {"level": level, "part": each.part, "times": each.times, "told": str(each)}
            for level, findings in (("error", outcome.verdict.errors), ("warn", outcome.verdict.warnings))
            for each in findings
        ],
        "turnedAway": [
            {"host": host, "port": port, "count": count, "isProviders": way is Way.KEPT}
            for (way, host, port), count in outcome.turned_away.items()
        ],
    }
    return dump({"mockserver": version("mockserver"), "run": told, **outcome.coverage.as_json()}).decode()


def write_har(outcome: Outcome) -> str:
    """Write the newest calls for a browser's network tab."""
    return dump(har(outcome.records)).decode()


def write_text(outcome: Outcome) -> str:
    """Write Markdown for a CI run's page: the summary, and what of the contract was met."""
    summary = "\n".join(write_summary(outcome))
    fence = "````"  # a body may hold three of them
    return f"# {NAME}\n\n{fence}text\n{summary}\n{fence}\n\n{write_markdown(outcome.coverage)}"


def write_xml(outcome: Outcome) -> str:
    """Write a test for each operation that was called, and for staying here; what was found fails it."""
    found: dict[str, list[Finding]] = {}
    for each in outcome.verdict.errors:
        found.setdefault((each.call and each.call.operation) or NOWHERE, []).append(each)
    called = {name for name, _ in outcome.counts if "." in name and " " not in name}
    names = sorted(called | found.keys())
    kept = [f"{host}:{port}" for way, host, port in outcome.turned_away if way is Way.KEPT]
    failures = len(found) + bool(kept)
    root = Element("testsuites")
    counts = {"tests": len(names) + 1, "failures": failures, "errors": 0, "skipped": 0}
    suite = SubElement(
        root, "testsuite", {"name": NAME, **{name: str(count) for name, count in counts.items()}}
    )
    inner = SubElement(suite, "properties")
    for name, value in properties(outcome.coverage).items():
        SubElement(inner, "property", name=name, value=value)
    for name in names:
        case = SubElement(suite, "testcase", classname="mockserver", name=name)
        if findings := found.get(name):
            told = _printable("\n".join(map(str, findings)))
            SubElement(case, "failure", message=_printable(findings[0].summary)).text = told
    case = SubElement(suite, "testcase", classname="mockserver", name=LEAVING)
    if kept:
        SubElement(case, "failure", message=f"tried to leave for {', '.join(kept)}")
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


WRITERS: Mapping[str, Callable[[Outcome], str]] = {
    ".json": write_json,
    ".har": write_har,
    ".md": write_text,
    ".xml": write_xml,
}


def check_report(file: Path) -> None:
    """Make the folder of a report before the command begins. Raise ValueError where none can be written."""
    if file.suffix.lower() not in WRITERS:
        *most, last = WRITERS
        raise ValueError(f"{file} must end in {', '.join(most)} or {last}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot write {file}: {error.filename}: {error.strerror}") from None
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ValueError(f"cannot write {file}: {os.strerror(errno.EACCES)}")


def write_report(outcome: Outcome, file: Path) -> None:
    """Write a report, its folder made where there is none. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)  # which the command may have removed
    file.write_text(WRITERS[file.suffix.lower()](outcome), "utf-8")


def _printable(text: str) -> str:
    r"""Take out what XML has no way to write.

    >>> _printable("a\x00b") == "a\ufffdb"
    True
    """
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
