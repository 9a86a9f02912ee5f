"""Which functions an operation has, and in which order they are asked."""

from catalogues import a_catalogue

from mockserver.pipeline.behave import bind


def test_every_name_of_the_notes_leads_somewhere():
    assert list(bind(a_catalogue())) == ["notes.add_note", "notes.read_note"]
