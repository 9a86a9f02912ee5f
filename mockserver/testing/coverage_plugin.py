"""Coverage and cost of a run of pytest: gathered from mocks and workers, shown, written, held against bounds.

It is registered once a test uses the fixture, or something was asked for; see `pytest_plugin`.
"""

import math
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.coverage.costs import MONEY, Spent, amount
from mockserver.coverage.files import check_ending, load_report, properties, write_json, write_report
from mockserver.coverage.measuring import measure
from mockserver.coverage.report import Report, merge, read_report
from mockserver.coverage.tables import write_table
from mockserver.spec.catalog import Catalog, load
from mockserver.spec.files import SpecificationError
from mockserver.state.tally import Tally
from mockserver.testing.coverage_options import APPEND, MAX_COST, ONLY, REPORT, Wishes
from mockserver.testing.home import Home

NAME = "mockserver-coverage"
WORKER_OUTPUT = "mockserver_coverage"  # what an xdist worker hands to the run


class Reporter:
    """A plugin that tells at the end what was met and paid."""

    def __init__(self, config: pytest.Config, wishes: Wishes, specs: list[Any]) -> None:
        self._config, self._wishes = config, wishes
        self._homes: list[Home] = []
        self._parts: list[Report] = []  # of workers
        self._whole = Report({}, {})  # with the runs before, where they count
        self._spent = Spent({})
        self._complaints: list[str] = []
        self._is_worker = hasattr(config, "workerinput")
        if self._is_worker:  # what was asked for is asked of the run
            return
        try:
            catalog = load(specs) if wishes.counts_coverage or wishes.most else Catalog({})
        except SpecificationError as error:
            raise pytest.UsageError(*error.complaints) from error
        self._nothing = measure(catalog, Tally())  # all that there is
        try:
            self._check(catalog)
        except (ValueError, LookupError) as error:
            raise pytest.UsageError(str(error.args[0])) from error

    def watch(self, home: Home) -> None:
        """Count what mocks hear."""
        self._homes.append(home)

    @pytest.hookimpl(tryfirst=True)  # before junitxml writes its file, which gets properties
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Gather, write and judge, or as a worker hand over."""
        heard = [home.measured() for home in self._homes]
        if self._is_worker:
            self._config.workeroutput[WORKER_OUTPUT] = write_json(merge(*heard))  # type: ignore[attr-defined]
            return
        if self._config.option.collectonly:
            return
        self._parts += heard
        run, wishes = merge(self._nothing, *self._parts), self._wishes
        self._spent = Spent(run.costs)
        try:
            self._whole = self._append(run).only(wishes.only)
            for file in wishes.reports:
                write_report(self._whole, file)
        except OSError as error:
            self._complaints.append(f"{error.filename}: {error.strerror}")
        except ValueError as error:  # another run has written there meanwhile
            self._complaints.append(str(error))
        if wishes.counts_coverage:
            self._tell_junit()
            self._complaints += self._judge_coverage()
        self._complaints += self._judge_cost(self._spent)
        if self._complaints and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has gathered."""
        output = getattr(node, "workeroutput", {})
        if WORKER_OUTPUT in output:
            self._parts.append(read_report(output[WORKER_OUTPUT].encode()))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show it: the table where it was asked for, and what the run would have cost."""
        if self._is_worker:
            return
        if self._wishes.counts_coverage and self._whole.entries:
            terminalreporter.write_sep("-", "mockserver: contract coverage")
            for line in write_table(self._whole, shutil.get_terminal_size().columns):
                terminalreporter.write_line(line)
        if spent := self._spent.describe(has_dates=True):
            terminalreporter.write_line(f"mockserver: would have cost {spent}")
        for complaint in self._complaints:
            terminalreporter.write_line(f"mockserver: {complaint}", red=True, bold=True)

    def _append(self, run: Report) -> Report:
        """Unite the run with those before, where that was asked for."""
        file = self._wishes.append
        if file is None:
            return run
        before = [load_report(file)] if file.exists() else []
        whole = merge(run, *before)
        write_report(whole, file)
        return whole

    def _tell_junit(self) -> None:
        for plugin in self._config.pluginmanager.get_plugins():
            if tell := getattr(plugin, "add_global_property", None):  # the one of --junitxml
                for name, value in properties(self._whole).items():
                    tell(name, value)

    def _judge_coverage(self) -> Iterator[str]:
        least, count = self._wishes.fail_under, self._whole.count()
        if least is not None and not count.reaches(least):
            yield f"contract coverage is {count.percent} %, less than {least:g} %"

    def _judge_cost(self, spent: Spent) -> Iterator[str]:
        for name, most in self._wishes.most.items():
            found = {name: (spent[name], spent.unit(name))} if name in spent else {}
            for unit, total in spent.totals.items():
                if name in {"", unit}:
                    found[unit] = total, unit
            for where, (value, unit) in found.items():
                if value > most and not math.isclose(value, most):
                    of = f" at {where}" if where != unit else ""
                    told = f"{amount(value, unit)}{of}, more than {amount(most, unit)}"
                    yield f"the run would have cost {told}"

    def _check(self, catalog: Catalog) -> None:
        """Raise ValueError or LookupError for what is misspelt, before any test runs."""
        wishes = self._wishes
        for file in wishes.reports:
            _named(REPORT.option, check_ending, file)
        if wishes.append is not None:
            if wishes.append.suffix.lower() != ".json":
                raise ValueError(f"{APPEND.option}: {wishes.append} must end in .json")
            if wishes.append.exists():
                _named(APPEND.option, load_report, wishes.append)
        _named(ONLY.option, self._nothing.only, wishes.only)
        units = {each.credits.unit for each in catalog.providers.values() if each.credits}
        known = [*catalog.providers, *sorted(units & MONEY)]
        for name in wishes.most:
            if name and name not in known:
                raise LookupError(f"{MAX_COST.option}: there is no {name!r}; there are {', '.join(known)}")


def _named(option: str, check: Any, value: Any) -> None:
    try:
        check(value)
    except (ValueError, LookupError, OSError) as error:
        raise ValueError(f"{option}: {error.args[0] if isinstance(error, LookupError) else error}") from error
