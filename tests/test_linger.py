"""What a connection's end waits for: what a caller still sends is read and dropped, within bounds."""

import asyncio
from typing import Any, cast

from mockserver.serving.transport import CorkedTransport


class Wire:
    """Notes what becomes of a transport, and when it is looked at again."""

    def __init__(self):
        self.written, self.done, self.later, self.soon = b"", list[str](), list[Any](), list[Any]()
        self.is_gone = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.is_gone

    def can_write_eof(self):
        return True

    def __getattr__(self, name):
        return lambda: self.done.append(name)

    def call_soon(self, work):
        self.soon.append(work)

    def call_later(self, after_s, work):
        self.later.append((after_s, work))

    def look(self):
        after_s, work = self.later.pop()
        assert (after_s, self.later) == (2, [])
        work()


def corked(*, still_comes=True):
    wire = Wire()
    loop = cast(asyncio.AbstractEventLoop, wire)
    return wire, CorkedTransport(cast(asyncio.Transport, wire), loop, lambda: still_comes)


def test_writes_of_one_turn_are_one():
    wire, transport = corked()
    transport.write(b"a")
    transport.write(b"b")
    transport.hold(b"c")
    assert (wire.written, len(wire.soon)) == (b"", 1)
    wire.soon.pop()()
    assert wire.written == b"abc"
    wire.is_gone = True
    transport.hold(b"d")
    transport.flush()
    assert wire.written == b"abc"


def test_an_end_that_nobody_sends_into_is_one_at_once():
    wire, transport = corked(still_comes=False)
    transport.hold(b"a")
    transport.close()
    assert (wire.written, wire.done, wire.later) == (b"a", ["close"], [])


def test_who_sends_on_is_heard_until_it_says_nothing_for_two_seconds():
    wire, transport = corked()
    transport.hold(b"a")
    transport.close()
    transport.hold(b"late")
    transport.flush()
    assert (wire.written, wire.done) == (b"a", ["resume_reading", "write_eof"])
    assert (transport.is_lingering, transport.is_closing()) == (True, True)
    for _ in range(3):
        transport.drain(10)
        wire.look()
    assert "abort" not in wire.done
    wire.look()
    assert (wire.done[-1], wire.later) == ("abort", [])


def test_who_sends_on_without_an_end_is_cut_off_after_half_a_minute():
    wire, transport = corked()
    transport.close()
    looks = 0
    while wire.later and looks < 99:
        transport.drain(1)
        wire.look()
        looks += 1
    assert (wire.done[-1], looks) == ("abort", 15)


def test_who_sends_too_much_is_cut_off():
    wire, transport = corked()
    transport.close()
    transport.drain(128 * 1024 * 1024)
    assert "abort" not in wire.done
    transport.drain(1)
    assert wire.done[-1] == "abort"
