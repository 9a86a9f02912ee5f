"""`mockserver wait`: what is found at an address, as an exit status that scripts can ask for."""

import contextlib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from mockserver import Server, Settings, create_engine
from mockserver.cli import main
from mockserver.cli.port_file import PortFile
from mockserver.cli.wait import MARK
from mockserver.tls.authority import Authority

SHORT_S = "0.2"


def wait(*arguments, **variables):
    environment = {"MOCKSERVER_URL": None, "MOCKSERVER_PORT": None, **variables}
    return CliRunner().invoke(main, ["wait", *map(str, arguments)], env=environment)


@contextlib.contextmanager
def in_thread(server):
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def answering(*statuses):
    """A program that is no mockserver, and gives these statuses one after the other."""
    left = list(statuses)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    with in_thread(HTTPServer(("127.0.0.1", 0), Answering)) as url:
        yield url


@contextlib.contextmanager
def saying(data):
    """A program that sends this and parts, whatever it is asked."""

    class Saying(socketserver.StreamRequestHandler):
        def handle(self):
            self.rfile.readline()
            self.wfile.write(data)

    with in_thread(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Saying)) as url:
        yield url


@pytest.mark.parametrize("path", ["", "/", "/__admin/health"])
def test_a_mockserver_is_found_by_its_url(server, path):
    result = wait(server.url + path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(server.url)


def test_a_path_at_which_no_mockserver_has_its_health_is_told(server):
    result = wait(f"{server.url}/pikzels")
    said = f"error: a mockserver answers, but {server.url}/pikzels is no address of one: 404\n"
    assert (result.exit_code, result.stderr) == (3, said)


@pytest.mark.parametrize("settings", [Settings(has_admin=False), Settings(admin_token="secret")])
def test_a_mockserver_that_shows_its_health_to_nobody_is_one_all_the_same(settings):
    with Server(create_engine(settings)) as server:
        assert wait(server.url).exit_code == 0


def test_without_a_url_it_is_the_one_of_the_environment(server):
    assert wait(MOCKSERVER_URL=server.url).stdout == f"{server.url}\n"
    assert wait(MOCKSERVER_PORT=str(server.address.port)).stdout == f"{server.url}\n"


def test_who_comes_late_is_waited_for(tmp_path, engine):
    file = tmp_path / "port"
    command = [sys.executable, "-m", "mockserver", "wait", "--port-file", str(file)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting,
        Server(engine) as server,
        PortFile(file).telling(server.address.port),
    ):
        said, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, said) == (0, f"{server.url}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for two seconds, and says it its own way")
def test_nobody_there_is_told_with_the_reason_and_the_time():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = wait(f"http://127.0.0.1:{port}", "--timeout", SHORT_S)
    said = f"error: nothing answers at http://127.0.0.1:{port}: Connection refused, after 0.2 s\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


def test_who_listens_and_says_nothing_is_not_waited_for_beyond_the_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = wait(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", SHORT_S)
    assert (result.exit_code, "the first look has not ended" in result.stderr) == (1, True)


def test_a_file_without_a_port_is_told(tmp_path):
    (tmp_path / "port").write_text("99999\n", "utf-8")
    result = wait("--port-file", tmp_path / "port", "--timeout", SHORT_S)
    assert (result.exit_code, "port holds no port, after 0.2 s" in result.stderr) == (1, True)


@pytest.mark.parametrize(("data", "status"), [(b"", 1), (b"HTTP/1.1 200", 3), (b"SSH-2.0-OpenSSH_9\r\n", 3)])
def test_what_speaks_no_http_is_no_mockserver_and_who_parts_may_come_back(data, status):
    with saying(data) as url:
        assert wait(url, "--timeout", SHORT_S).exit_code == status


@pytest.mark.parametrize("status", [200, 204, 301, 404, 500])
def test_another_program_is_told_at_once(status):
    with answering(status) as url:
        result = wait(url)
    assert (result.exit_code, result.stderr) == (
        3,
        f"error: what answers at {url} with {status} is no mockserver\n",
    )


def test_a_gateway_may_have_no_server_behind_it_yet():
    with answering(502, 503, 404) as url:
        assert wait(url).exit_code == 3
    with answering(503) as url:
        result = wait(url, "--timeout", SHORT_S)
    assert (result.exit_code, "a gateway answers 503 at" in result.stderr) == (1, True)


def test_a_server_without_tls_is_not_waited_for_by_https(server):
    result = wait(server.url.replace("http://", "https://"))
    assert (result.exit_code, "speaks no TLS" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "localhost",
        "ftp://127.0.0.1",
        "http://",
        "http://:8080",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:http",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1/?a=1",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: 1",
        "http://a..b/",
        "http://[::1/",
        "http://127.0.0.1/ü",
    ],
)
def test_what_is_no_address_is_refused(url):
    result = wait(url)
    assert (result.exit_code, "is no address such as http://127.0.0.1:8080" in result.stderr) == (2, True)


def test_a_certificate_is_trusted_whose_authority_is_named(tmp_path):
    trustme = pytest.importorskip("trustme", reason="needs trustme: pip install trustme")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    class Marked(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header(MARK, "req-1")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Patient(HTTPServer):
        def handle_error(self, *_):
            """Say nothing of a client that parts: that is what is tried."""

    server = Patient(("127.0.0.1", 0), Marked)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_thread(server) as url:
        secured = url.replace("http://", "https://")
        stranger, friend = wait(secured), wait(secured, "--cacert", tmp_path / "ca.pem")
    assert (stranger.exit_code, "--cacert FILE names an authority to trust" in stranger.stderr) == (4, True)
    assert (friend.exit_code, friend.stdout) == (0, f"{secured}\n")


def test_the_authority_of_serve_is_trusted_without_being_named(tmp_path, engine):
    own = {"MOCKSERVER_CA_DIR": str(tmp_path)}
    with Server(engine, tls=Authority(tmp_path).server_context(["127.0.0.1"])) as server:
        assert wait(server.url, **own).stdout == f"{server.url}\n"
        assert wait(MOCKSERVER_TLS="1", MOCKSERVER_PORT=str(server.address.port), **own).exit_code == 0


def test_what_holds_no_certificate_is_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    for file in ("ca.pem", "nowhere.pem"):
        result = wait("https://127.0.0.1", "--cacert", tmp_path / file)
        assert (result.exit_code, "holds no certificate that can be read" in result.stderr) == (2, True)
