"""Reports in files: JSON to be merged, Markdown for people, JUnit's XML for what collects test results."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mockserver.coverage.catalogue import KINDS
from mockserver.coverage.costs import Spent
from mockserver.coverage.markdown import write_markdown
from mockserver.coverage.report import Report, read_report
from mockserver.jsontext import dump

PREFIX = "mockserver"


def properties(report: Report) -> dict[str, str]:
    """Give what a JUnit file tells of a run as properties: percentages, counts and costs."""
    found = {f"{PREFIX}.coverage": str(report.count().percent)}
    for provider, names in report.providers.items():
        found[f"{PREFIX}.coverage.{provider}"] = str(report.count(names).percent)
        for kind in KINDS:
            found[f"{PREFIX}.coverage.{provider}.{kind}"] = str(report.count(names, kind))
    spent = Spent(report.costs)
    return found | {f"{PREFIX}.cost.{each}": f"{spent[each]:g} {spent.unit(each)}" for each in spent}


def write_xml(report: Report) -> str:
    """Write a JUnit file that holds no tests, only these properties."""
    root = Element("testsuites")
    suite = SubElement(
        root, "testsuite", name=f"{PREFIX} coverage", tests="0", failures="0", errors="0", skipped="0"
    )
    inner = SubElement(suite, "properties")
    for name, value in properties(report).items():
        SubElement(inner, "property", name=name, value=value)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def write_json(report: Report) -> str:
    """Write JSON that `mockserver coverage` reads and merges."""
    return dump({"mockserver": version("mockserver"), **report.as_json()}).decode()


WRITERS: Mapping[str, Callable[[Report], str]] = {
    ".json": write_json,
    ".md": write_markdown,
    ".xml": write_xml,
}


def check_ending(file: Path) -> None:
    """Raise ValueError for a file whose ending says nothing."""
    if file.suffix.lower() not in WRITERS:
        raise ValueError(f"{file} must end in {', '.join(WRITERS)}")


def write_report(report: Report, file: Path) -> None:
    """Write a report in the language that a file's ending names, its folder made where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(WRITERS[file.suffix.lower()](report), "utf-8")


def load_report(file: Path) -> Report:
    """Read a JSON file. Raises ValueError that names it where it holds no report, OSError as usual."""
    try:
        return read_report(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
