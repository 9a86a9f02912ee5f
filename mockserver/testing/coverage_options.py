"""What pytest is asked about coverage and cost, on its command line or in its ini file.

pytest imports this in every run, so nothing else of ours is imported before something was asked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol


class Parser(Protocol):
    """As much of `pytest.Parser` as is needed."""

    def getgroup(self, name: str, description: str) -> Any:
        """Give a group of options."""

    def addini(self, name: str, help: str, type: Any = None, default: Any = ...) -> None:  # noqa: A002
        """Declare a setting."""


class Setting(NamedTuple):
    """One option, and the setting in an ini file that says the same."""

    name: str  # in an ini file
    help: str
    kind: Literal["bool", "string", "args", "paths"]
    metavar: str | None = None

    @property
    def option(self) -> str:
        """As it is written on a command line."""
        return f"--{self.name.replace('_', '-')}"


COV = Setting("mockserver_cov", "show what of the documented APIs the run has met", "bool")
ONLY = Setting(
    "mockserver_cov_only",
    "count these operations alone: a name, a provider, pikzels.*; repeatable",
    "args",
    "PATTERN",
)
REPORT = Setting(
    "mockserver_cov_report",
    "write what was met and paid to a .json, .md or .xml file; repeatable",
    "paths",
    "FILE",
)
APPEND = Setting(
    "mockserver_cov_append",
    "count on from the run before, whose report this .json file keeps",
    "paths",
    "FILE",
)
FAIL_UNDER = Setting("mockserver_cov_fail_under", "fail the run where less was met", "string", "PERCENT")
MAX_COST = Setting(
    "mockserver_max_cost",
    "fail the run where it would have cost more: 0.5 (of each currency), USD=0.5 or pikzels=0.5; repeatable",
    "args",
    "[NAME=]AMOUNT",
)
SETTINGS = (COV, ONLY, REPORT, APPEND, FAIL_UNDER, MAX_COST)


class Wishes(NamedTuple):
    """What a run was asked for."""

    is_shown: bool = False  # the table
    only: tuple[str, ...] = ()
    reports: tuple[Path, ...] = ()
    append: Path | None = None
    fail_under: float | None = None  # percent
    most: Mapping[str, float] = {}  # by provider or currency; "" is each currency

    @property
    def counts_coverage(self) -> bool:
        """Whether anything but the cost was asked for."""
        return self.is_shown or bool(self.only or self.reports or self.append) or self.fail_under is not None


def declare(parser: Parser) -> None:
    """Declare every option and setting."""
    group = parser.getgroup("mockserver", "contract coverage and cost (mockserver)")
    for each in SETTINGS:
        parser.addini(each.name, each.help, type=each.kind)
        if each.kind == "bool":
            group.addoption(each.option, dest=each.name, action="store_true", help=each.help)
        else:
            how = "store" if each.kind == "string" else "append"
            group.addoption(each.option, dest=each.name, action=how, metavar=each.metavar, help=each.help)


def read_wishes(config: Any) -> Wishes:
    """Read what a `pytest.Config` says; the command line has the last word. Raises ValueError."""

    def said(setting: Setting) -> Any:
        given = config.getoption(setting.name, None)
        if given and setting.kind == "paths":
            return [config.invocation_params.dir / each for each in given]
        return given or config.getini(setting.name)

    appended, under = said(APPEND), said(FAIL_UNDER)
    if len(appended) > 1:
        raise ValueError(f"{APPEND.option} takes one file")
    return Wishes(
        is_shown=bool(said(COV)),
        only=tuple(said(ONLY)),
        reports=tuple(said(REPORT)),
        append=appended[0] if appended else None,
        fail_under=_number(FAIL_UNDER, under, 100) if under else None,
        most=dict(_limit(each) for each in said(MAX_COST)),
    )


def _limit(text: str) -> tuple[str, float]:
    name, _, amount = text.rpartition("=")
    return name.strip(), _number(MAX_COST, amount)


def _number(setting: Setting, text: str, most: float = 1e9) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise ValueError(f"{setting.option}: {text!r} is no number from 0 to {most:g}")
    return value
