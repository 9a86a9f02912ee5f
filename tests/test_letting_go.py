"""What is over is free at once: no ring of references waits for the collector to look at old things."""

import gc

import pytest
from test_slow_and_hostile_connections import BODY, CALL, GENERATE, LAST, connect, converse
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mockserver.problems import EmulatorProblem, Problem
from mockserver.serving.flow import Flow
from mockserver.serving.protocol import Protocol
from mockserver.serving.transport import CorkedTransport

pytestmark = pytest.mark.usefixtures("uncounted")  # lines that other tests reach, too

KINDS = (Protocol, CorkedTransport, Flow, RequestResponseCycle, EmulatorProblem, Problem)
GONE = b"GET /cdn/pikzels/gone.png HTTP/1.1\r\nHost: x\r\n\r\n"
FOREIGN = b"GET /__admin/state HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\n"
UPGRADE = CALL.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 1)
LONG = GENERATE + b"Content-Length: 40000\r\n\r\n" + b'{"title": "%b"}' % (b"a" * 39_987)
# What is left is a request that waits for more, or for its answer.
LEFT = {"a body": CALL[:-1], "a pause": CALL.replace(b"\r\n\r\n", b"\r\nPrefer: delay=900000\r\n\r\n", 1)}


@pytest.fixture(autouse=True)
def _without_a_collector():
    gc.collect()
    gc.freeze()  # what is here already need not be counted each time
    gc.disable()
    yield
    gc.enable()


def alive():
    """Count what there is of each kind."""
    kinds = [type(each) for each in gc.get_objects()]
    return {kind.__name__: kinds.count(kind) for kind in KINDS}


def counted(client, before):
    """Count again as soon as the server has noticed that a connection is over."""
    for _ in range(200):
        client.get("/__admin/health")
        if (now := alive()) == before:
            break
    return now


@pytest.mark.parametrize(
    "sent",
    [CALL, CALL * 3, CALL.replace(BODY, b"{}" + b" " * 40), GONE, FOREIGN, UPGRADE, LONG, GONE * 2],
    ids=["a call", "a pipeline", "a refusal", "no picture", "a page", "an upgrade", "long", "two waits"],
)
def test_a_connection_leaves_nothing(server, client, sent):
    client.get("/__admin/health")
    before = alive()
    assert converse(server, sent, LAST).count(b"HTTP/1.1 ") >= 2
    assert counted(client, before) == before


@pytest.mark.parametrize("sent", LEFT.values(), ids=LEFT)
def test_who_leaves_before_the_answer_leaves_nothing(server, client, sent):
    client.get("/__admin/health")
    before = alive()
    with connect(server) as wire:
        wire.sendall(CALL + sent)
        assert wire.recv(17) == b"HTTP/1.1 200 OK\r\n"
    assert counted(client, before) == before
