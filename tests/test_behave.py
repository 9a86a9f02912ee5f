"""Which functions an operation has, and in which order they are asked."""

import pytest
from catalogues import NOTES, a_call, a_catalogue, notes

from mockserver.call import Result
from mockserver.pipeline.behave import Bound, behave, bind, examine
from mockserver.problems import Problem, ProblemType


def test_every_name_of_the_notes_leads_somewhere():
    assert list(bind(a_catalogue())) == ["notes.add_note", "notes.read_note"]
