"""The proxy: who is answered by the mock, who is let out because somebody said so, and nobody else."""

import contextlib
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

import httpx
import pytest
from conftest import STRICT
from test_faults_on_the_wire import BODY, CALL, HEADERS, NAME

from mockserver import create_engine
from mockserver.links import provider_hosts
from mockserver.proxy import tunnel
from mockserver.proxy.heads import read_wish
from mockserver.proxy.rules import Rules, Way
from mockserver.running.station import Station
from mockserver.scenarios import expand, read_orders
from mockserver.serving.heads import LARGEST_HEAD
from mockserver.settings import Timeouts
from mockserver.spec.catalog import load
from mockserver.testing.guard import guard
from mockserver.tls.authority import Authority

PATIENCE_S = 20
HOSTS = provider_hosts(load().providers.values())
SCORE = "https://api.pikzels.com/v2/thumbnail/score"
TEXT = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
LARGE = os.urandom(1000) * 3000


class Echo(socketserver.ThreadingTCPServer):
    """A real host: it gives back what comes, and ends when its caller has ended."""

    allow_reuse_address = daemon_threads = True

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    if data == b"reset":
                        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                        socket.close(self.request.detach())
                        return
                    self.request.sendall(data)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)


@pytest.fixture(scope="module")
def real():
    with Echo() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def running(authority):
    station = Station(create_engine(STRICT), authority, passed=["localhost"], timeouts=Timeouts(head_s=0.5))
    with station.server:
        yield station


@pytest.fixture
def station(running):
    yield running
    running.log.turned_away.clear()
    running.server.engine.world.reset()


@pytest.fixture
def client(station, authority):
    """A client that calls the real hosts through the proxy."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    proxy = f"http://127.0.0.1:{station.proxy_port}"
    with guard([], allow=HOSTS), httpx.Client(proxy=proxy, verify=context, timeout=PATIENCE_S) as opened:
        yield opened


def connected(station):
    return socket.create_connection(("127.0.0.1", station.proxy_port), timeout=PATIENCE_S)


def read_all(wire):
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while data := wire.recv(65536):
            answer += data
    return answer


def said(station, sent):
    with connected(station) as wire:
        wire.sendall(sent)
        return read_all(wire)


def opened(station, port, host="localhost"):
    wire = connected(station)
    wire.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = wire.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return wire


def test_a_call_of_a_providers_host_is_answered_and_so_is_its_picture(client):
    assert client.post(SCORE, content=BODY, headers=HEADERS).status_code == 200
    url = "https://api.pikzels.com/v2/thumbnail/text"
    link = client.post(url, json=TEXT, headers=HEADERS).json()["output"]
    assert link.startswith("https://api.pikzels.com/cdn/")
    own = link.replace("api.pikzels.com/cdn/pikzels", "cdn.pikzels.com")
    assert client.get(link).content == client.get(own).content
    assert client.get(own).content.startswith(b"\x89PNG")


def test_an_order_and_a_refusal_come_through(client):
    assert client.post(SCORE, content=BODY, headers={**HEADERS, "Prefer": "code=402"}).status_code == 402
    assert client.post(SCORE, content=b"{}", headers=HEADERS).status_code == 400


def test_a_reset_reaches_the_caller_as_one(station):
    engine = station.server.engine
    engine.world.plans.add(read_orders(engine.catalog, expand(NAME, "CONNECTION_RESET_BY_PEER")))
    with opened(station, 80, "api.pikzels.com") as wire:
        wire.sendall(CALL)
        with pytest.raises(ConnectionResetError):
            wire.recv(1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_to_a_proxy_is_answered_in_the_hosts_place(station, scheme):
    call = CALL.replace(b" /v2", b" %b://API.pikzels.com/v2" % scheme.encode()).replace(
        b"Host: x", b"Host: y"
    )
    answer = said(station, call + CALL)
    assert answer.count(b"HTTP/1.1 200 OK") == 1  # the next one may be for another host
    assert b"connection: close" in answer


def test_a_request_by_its_host_alone_is_answered_for_providers(station):
    assert said(station, CALL.replace(b"Host: x", b"Host: api.pikzels.com")).startswith(b"HTTP/1.1 200 OK")


def test_port_80_can_be_tunnelled_to(station):
    with opened(station, 80, "api.pikzels.com") as wire:
        wire.sendall(CALL)
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_who_shakes_hands_before_the_tunnel_is_open_is_heard(station, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = context.wrap_bio(coming, going, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        shaking.do_handshake()
    with connected(station) as wire:
        wire.sendall(b"CONNECT api.pikzels.com:443 HTTP/1.1\r\n\r\n" + going.read())
        answer = b""
        while b"\r\n\r\n\x16" not in answer:
            data = wire.recv(65536)
            assert data
            answer += data


# Who is turned away.


@pytest.mark.parametrize(
    ("host", "port", "way"),
    [
        ("example.com", 443, Way.REFUSED),
        ("127.0.0.1", 22, Way.REFUSED),
        ("[::1]", 22, Way.REFUSED),
        ("www.pikzels.com", 443, Way.KEPT),
        ("pikzels.com.", 443, Way.KEPT),
        ("API.pikzels.com", 8443, Way.KEPT),
    ],
)
def test_others_are_refused_with_a_sentence_and_noted(station, host, port, way):
    answer = said(station, f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
    line, _, rest = answer.partition(b"\r\n")
    assert line.startswith(b"HTTP/1.1 403 mockserver ")
    assert rest.endswith(line[len("HTTP/1.1 403 ") :] + b"\n")
    assert station.log.turned_away == {(way, host.lower().strip("[].").rstrip("."), port): 1}


def test_a_refused_request_with_a_long_body_can_read_why(station):
    head = b"POST http://example.com/ HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n"
    with connected(station) as wire:
        wire.sendall(head + LARGE[:1_000_000])
        assert b"--pass example.com" in wire.recv(65536)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: api.pikzels.com\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://api.pikzels.com/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://user@/ HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT api.pikzels.com HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT a/b:443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT api.pikzels.com:70000 HTTP/1.1\r\n\r\n", 400),
        (b"no http at all\r\n\r\n", 400),
        (b"\x16\x03\x01\xff\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\nA: " + b"a" * LARGEST_HEAD + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_to_a_proxy_is_refused(station, sent, status):
    assert said(station, sent).startswith(b"HTTP/1.1 %d " % status)
    assert not station.log.turned_away


@pytest.mark.parametrize("sent", [b"", b"CONNECT api.pikzels.com:443 HTTP/1.1\r\n"])
def test_a_head_that_never_ends_has_a_bound(station, sent):
    assert said(station, sent) == b""


def test_connections_that_never_ask_make_room(authority, monkeypatch):
    monkeypatch.setattr("mockserver.serving.server.most_connections", lambda: 16)
    station = Station(create_engine(STRICT), authority)
    with station.server, contextlib.ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(connected(station))
        assert said(station, CALL.replace(b"Host: x", b"Host: api.pikzels.com")).startswith(b"HTTP/1.1 200")


# Who is let out.


def test_what_is_passed_goes_to_the_real_host_and_back(station, real):
    with opened(station, real) as wire:
        sending = threading.Thread(target=wire.sendall, args=(LARGE,))
        sending.start()
        answer = b""
        while len(answer) < len(LARGE):
            answer += wire.recv(65536)
        sending.join()
    assert answer == LARGE


def test_a_passed_request_is_written_as_its_host_reads_it(station, real):
    sent = (
        f"GET http://user:word@localhost:{real}/a?b=c#d HTTP/1.1\r\nHost: x\r\nProxy-Authorization: y\r\n\r\n"
    )
    with connected(station) as wire:
        wire.sendall(sent.encode())
        assert (
            wire.recv(65536)
            == f"GET /a?b=c HTTP/1.1\r\nhost: localhost:{real}\r\nconnection: close\r\n\r\n".encode()
        )


def test_who_ceases_to_send_through_a_tunnel_has_the_rest(station, real):
    with opened(station, real) as wire:
        wire.sendall(b"last words")
        wire.shutdown(socket.SHUT_WR)
        assert read_all(wire) == b"last words"


def test_a_reset_of_the_real_host_is_seen_as_one(station, real):
    with opened(station, real) as wire:
        wire.sendall(b"reset")
        with pytest.raises(ConnectionResetError):
            wire.recv(1)


def test_who_does_not_read_stops_the_other_from_sending(station, real):
    with opened(station, real) as wire:
        wire.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.sendall(LARGE * 30)


def test_a_tunnel_where_nothing_comes_ends(station, real, monkeypatch):
    monkeypatch.setattr(tunnel, "IDLE_S", 0.2)
    with opened(station, real) as wire:
        assert read_all(wire) == b""


def test_a_real_host_that_cannot_be_reached_is_told(station):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert said(station, b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % port).startswith(
        b"HTTP/1.1 502 localhost:"
    )
    assert said(station, b"CONNECT localhost..a:1 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")


def other_address():
    """An address of this machine by which it looks like another one to who listens at 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            address = probe.getsockname()[0]
            socket.create_server((address, 0)).close()
        except OSError:
            return None
    return None if address.startswith("127.") or sys.platform != "linux" else address


@pytest.mark.skipif(other_address() is None, reason="needs Linux and an address besides 127.0.0.1")
@pytest.mark.parametrize("wish", ["CONNECT localhost:%d", "GET http://localhost:%d/__admin/state"])
def test_another_machine_is_not_let_through_to_the_proxys_own(station, real, wish):
    """It would come from this machine then, which the admin pages and much else trust."""
    place, far = ("127.0.0.1", station.proxy_port), (other_address(), 0)
    for port in (real, station.server.address.port):
        with socket.create_connection(place, PATIENCE_S, source_address=far) as wire:
            wire.sendall(f"{wish % port} HTTP/1.1\r\n\r\n".encode())
            answer = wire.recv(65536)
        assert answer.startswith(b"HTTP/1.1 403 localhost:")
        assert b"own programs" in answer


def test_an_open_tunnel_ends_with_the_server(authority, real):
    station = Station(create_engine(STRICT), authority, passed=["localhost"])
    with station.server:
        wire = opened(station, real)
    with wire:
        assert read_all(wire) == b""


# The rules.


@pytest.mark.parametrize(
    ("host", "port", "passed", "live", "way"),
    [
        ("api.pikzels.com", 443, (), (), Way.ANSWERED),
        ("cdn.thumbapi.dev", 80, ("*",), (), Way.ANSWERED),
        ("api.pikzels.com", 443, ("*",), ("api.pikzels.com",), Way.PASSED),
        ("cdn.pikzels.com", 443, (), ("api.pikzels.com",), Way.ANSWERED),
        ("fatthumb.klaas.pro", 443, (), ("*",), Way.PASSED),
        ("www.pikzels.com", 443, ("*",), (), Way.KEPT),
        ("www.pikzels.com", 443, (), ("www.pikzels.com",), Way.PASSED),
        ("notpikzels.com", 443, (), (), Way.REFUSED),
        ("example.com", 443, ("*",), (), Way.PASSED),
        ("a.example.com", 443, ("example.com",), (), Way.REFUSED),
        ("a.example.com", 443, ("*.Example.com",), (), Way.PASSED),
        ("db", 8443, ("db:8443",), (), Way.PASSED),
        ("db", 443, ("db:8443",), (), Way.REFUSED),
    ],
)
def test_rules_say_where_a_call_may_go(host, port, passed, live, way):
    assert Rules.of(HOSTS, passed, live).way(host, port) is way


@pytest.mark.parametrize(
    ("passed", "live", "complaint"),
    [
        (["www.pikzels.com"], [], "--allow-live www.pikzels.com"),
        (["*.pikzels.com"], [], "--allow-live"),
        (["https://example.com"], [], "it is no host"),
        ([], ["example.com"], "--pass example.com lets"),
    ],
)
def test_what_is_let_out_is_named_by_the_option_that_is_for_it(passed, live, complaint):
    with pytest.raises(ValueError, match=complaint):
        Rules.of(HOSTS, passed, live)


@pytest.mark.parametrize(
    "head", [b"", b"GET http://[::1/ HTTP/1.1", b"GET http://a:b/ HTTP/1.1", b"GET a HTTP/2"]
)
def test_a_head_that_says_nothing_is_a_mistake(head):
    with pytest.raises(ValueError, match="proxy"):
        read_wish(head)


# The command.


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="there is no curl here; the system's packages have one"
)
def test_the_command_prints_what_leads_curl_to_the_mock(tmp_path):
    command = [sys.executable, "-m", "mockserver", "proxy", "--port", "0", "--json", "--quiet"]
    environment = {**os.environ, "MOCKSERVER_CA_DIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as mock:
        assert mock.stdout is not None
        assert mock.stderr is not None
        try:
            env = json.loads(mock.stdout.readline())["env"]
            call = ["curl", "-sS", "-m", "20", SCORE, "-H", "X-Api-Key: pkz_test"]
            call += ["-H", "Content-Type: application/json", "-d", BODY.decode()]
            call += ["--next", "-sS", "https://www.pikzels.com/"]
            done = subprocess.run(
                call, env={**environment, **env}, capture_output=True, text=True, check=False
            )
        finally:
            mock.terminate()
            complaints = mock.communicate(timeout=PATIENCE_S)[1]
    assert "main_score" in done.stdout
    assert "403" in done.stderr
    port = env["HTTPS_PROXY"].rpartition(":")[2]  # of which Java learns in its own way
    assert f"-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={port}" in env["JAVA_TOOL_OPTIONS"]
    assert complaints == "WARNING the proxy let no call out to www.pikzels.com:443\n"
