"""JSON Pointers (RFC 6901) are written, read and followed as its examples say."""

import pytest

from mockserver.pointer import follow, read, write

# RFC 6901, section 5, and one that its section 4 names: `~01` is `~1`, and never `/`.
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, 'k"l': 6, " ": 7, "m~n": 8, "~1": 9}
EXAMPLES = [
    ("", [], DOCUMENT),
    ("/foo", ["foo"], ["bar", "baz"]),
    ("/foo/0", ["foo", "0"], "bar"),
    ("/foo/1", ["foo", "1"], "baz"),
    ("/", [""], 0),
    ("/a~1b", ["a/b"], 1),
    ("/c%d", ["c%d"], 2),
    ('/k"l', ['k"l'], 6),
    ("/ ", [" "], 7),
    ("/m~0n", ["m~n"], 8),
    ("/~01", ["~1"], 9),
]


@pytest.mark.parametrize(("pointer", "path", "value"), EXAMPLES)
def test_a_pointer_is_written_read_and_followed(pointer, path, value):
    assert (write(path), read(pointer), follow(pointer, DOCUMENT)) == (pointer, path, value)


@pytest.mark.parametrize("pointer", ["/nowhere", "/foo/2", "/foo/-", "/foo/bar", "/foo/²", "/foo/0/0"])
def test_what_leads_nowhere_is_told(pointer):
    with pytest.raises(LookupError):
        follow(pointer, DOCUMENT)
