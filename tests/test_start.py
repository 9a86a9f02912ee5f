"""How a world begins: what can be said of it is known wherever it can be said."""

import re
from pathlib import Path

from mockserver.pytest_plugin import SETTINGS, USAGE
from mockserver.testing import local, mock
from mockserver.testing.start import WANTED, Start

OF_ONE_TEST = {"expect"}  # what no ini file can say for all


def test_an_argument_of_the_marker_is_explained_and_can_be_a_setting():
    fields = set(Start._fields)
    assert set(WANTED) == fields
    assert set(SETTINGS) - OF_ONE_TEST == fields - OF_ONE_TEST


def test_an_argument_of_the_marker_does_something():
    texts = [Path(str(each.__file__)).read_text("utf-8") for each in (mock, local)]
    read = re.findall(r"\bstart\.(\w+)", "".join(texts))
    assert [name for name in Start._fields if name not in read] == []


def test_the_usage_of_the_marker_names_every_argument_with_its_default():
    defaults = {**Start._field_defaults, "accounts": {}, "assume": {}}
    said = [f"{name}={list(value) if value == () else value!r}" for name, value in defaults.items()]
    assert f"mockserver({', '.join(said)})" == USAGE
