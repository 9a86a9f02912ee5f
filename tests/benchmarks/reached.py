"""A plugin of pytest, `-p reached`: notes which lines each test reaches, for mutation.py."""

import os

import coverage
import pytest

NOTED = coverage.Coverage(data_file=os.environ["REACHED"], source=["mockserver"], config_file=False)
NOTED.start()  # before anything of it is imported


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    """Note what is reached from now on under the name of this test."""
    NOTED.switch_context(nodeid)


def pytest_sessionfinish() -> None:
    """Write it down."""
    NOTED.stop()
    NOTED.save()
