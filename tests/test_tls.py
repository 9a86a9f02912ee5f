"""HTTPS: the authority of a user, certificates by it, and a server that is the same behind a handshake."""

import contextlib
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from conftest import STRICT, unmeasured
from test_faults_on_the_wire import BODY, CALL, HEADERS, NAME, last_of

from mockserver import Server, create_engine
from mockserver.cli import main
from mockserver.scenarios import expand, read_orders
from mockserver.settings import Timeouts
from mockserver.tls.authority import Authority, AuthorityError, usual_folder
from mockserver.tls.stores import java_store, make_stores, system_roots

PATIENCE_S = 20
IMPATIENT = Timeouts(head_s=0.3, body_s=0.3)
NAMES = ("localhost", "127.0.0.1", "::1", "api.pikzels.com", "no_name_of_a_host")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def trusting(authority):
    return ssl.create_default_context(cafile=str(authority.certificate))


@pytest.fixture(scope="module")
def running(authority):
    with Server(create_engine(STRICT), tls=authority.server_context(NAMES), timeouts=IMPATIENT) as server:
        yield server


@pytest.fixture
def secure(running):
    yield running
    running.engine.world.reset()


def plainly(server):
    return socket.create_connection((server.address.host, server.address.port), timeout=PATIENCE_S)


@contextlib.contextmanager
def connected(server, context):
    with plainly(server) as wire, context.wrap_socket(wire, server_hostname="localhost") as wrapped:
        yield wrapped


def received(server, context, call=CALL):
    """Give all that comes back until the connection is closed."""
    with connected(server, context) as wire:
        wire.sendall(call)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def order(server, fault, **options):
    engine = server.engine
    engine.world.plans.add(read_orders(engine.catalog, expand(NAME, fault, **options)))


def test_a_call_is_answered_and_its_link_leads_back_over_tls(secure, trusting):
    with httpx.Client(base_url=secure.url, verify=trusting, timeout=PATIENCE_S) as client:
        text = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
        link = client.post("/v2/thumbnail/text", json=text, headers=HEADERS).json()["output"]
        assert link.startswith(f"https://127.0.0.1:{secure.address.port}/")
        assert client.get(link).content.startswith(b"\x89PNG")


def test_nobody_else_is_vouched_for(secure, trusting):
    with plainly(secure) as wire, pytest.raises(ssl.SSLCertVerificationError):
        trusting.wrap_socket(wire, server_hostname="example.com")


def test_a_namespace_has_a_port_of_its_own_over_tls(secure, trusting):
    with httpx.Client(verify=trusting, timeout=PATIENCE_S) as client:
        url = client.post(f"{secure.url}/__admin/namespaces", json={"name": "a", "port": True}).json()["url"]
        assert url.startswith("https://127.0.0.1:")
        assert client.post(f"{url}/v2/thumbnail/score", content=BODY, headers=HEADERS).status_code == 200
        calls = client.get(f"{secure.url}/ns/a/__admin/requests").json()["requests"]
        assert [call["request"]["url"] for call in calls] == [f"{url}/v2/thumbnail/score"]
        assert client.delete(f"{secure.url}/__admin/namespaces/a").status_code == 200


def test_many_calls_go_over_one_connection(secure, trusting):
    answer = received(secure, trusting, CALL * 20 + last_of())
    assert answer.count(b"HTTP/1.1 200 OK") == 21


def test_who_speaks_before_it_was_let_in_is_heard(authority, trusting):
    server = Server(create_engine(STRICT), tls=authority.server_context(NAMES))
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = trusting.wrap_bio(coming, going, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        shaking.do_handshake()
    with plainly(server) as wire:
        wire.sendall(going.read())
        with server:
            assert wire.recv(1) == b"\x16"  # a record of the handshake


def test_a_reset_over_tls_is_seen_as_one(secure, trusting):
    order(secure, "CONNECTION_RESET_BY_PEER")
    with connected(secure, trusting) as wire, socket.socket(fileno=os.dup(wire.fileno())) as bare:
        bare.settimeout(PATIENCE_S)
        wire.sendall(CALL)
        with pytest.raises(ConnectionResetError):  # of which Python's TLS makes an end
            list(iter(lambda: bare.recv(65536), b""))


def test_an_empty_response_over_tls_is_a_closed_connection(secure, trusting):
    order(secure, "EMPTY_RESPONSE")
    assert received(secure, trusting) == b""


def test_random_data_over_tls_is_no_http(secure, trusting):
    order(secure, "RANDOM_DATA_THEN_CLOSE")
    assert b"HTTP" not in received(secure, trusting)


def test_a_slow_body_over_tls_comes_whole(secure, trusting):
    order(secure, "SLOW_BODY", delay=200)
    with httpx.Client(verify=trusting, timeout=PATIENCE_S) as client:
        answer = client.post(f"{secure.url}/v2/thumbnail/score", content=BODY, headers=HEADERS)
    assert "main_score" in answer.json()


def test_a_call_that_hangs_over_tls_ends_with_the_server(authority, trusting):
    with Server(create_engine(STRICT), tls=authority.server_context(NAMES)) as server:
        order(server, "HANG")
        with connected(server, trusting) as wire:
            wire.sendall(CALL)
            httpx.get(f"{server.url}/__admin/health", verify=trusting)  # which is read behind the call


def test_who_is_refused_in_the_middle_of_a_body_can_read_why(secure, trusting):
    head = (
        CALL.partition(b"\r\n\r\n")[0]
        .replace(b"X-Api-Key: pkz_test\r\n", b"")
        .replace(b"Content-Length: 42", b"Content-Length: 5000000")
    )
    with connected(secure, trusting) as wire:
        wire.sendall(head + b"\r\n\r\n" + b"x" * 1_000_000)
        assert wire.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_an_answer_of_many_records_is_not_read_ahead_of(secure, trusting):
    text = b'{"prompt": "a", "model": "pkz_4", "format": "1:1"}'
    head = CALL.partition(b"\r\n\r\n")[0].replace(b"score", b"text")
    made = received(secure, trusting, last_of(head.replace(b"42", b"%d" % len(text)) + b"\r\n\r\n" + text))
    link = json.loads(made.partition(b"\r\n\r\n")[2])["output"].partition("/cdn")[2]
    call = f"GET /cdn{link} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    picture = received(secure, trusting, last_of(call)).partition(b"\r\n\r\n")[2]
    with connected(secure, trusting) as wire:
        wire.sendall(call * 30 + last_of(call))
        answers = b"".join(iter(lambda: wire.recv(1000), b""))
    assert answers.count(picture) == 31


def test_plain_http_is_parted_from_quietly(secure, capfd):
    with plainly(secure) as wire:
        wire.sendall(CALL)
        with contextlib.suppress(ConnectionResetError):
            while wire.recv(65536):
                pass
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"], ids=["silent", "half a hello"])
def test_a_handshake_that_never_ends_has_a_bound(secure, said, capfd):
    with plainly(secure) as wire:
        wire.sendall(said)
        with contextlib.suppress(ConnectionResetError):
            assert wire.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_connections_that_never_shake_hands_make_room(authority, trusting, monkeypatch):
    monkeypatch.setattr("mockserver.serving.server.most_connections", lambda: 16)
    with Server(create_engine(STRICT), tls=authority.server_context(NAMES)) as server:
        silent = [plainly(server) for _ in range(24)]
        assert received(server, trusting, last_of()).startswith(b"HTTP/1.1 200")
        for each in silent:
            each.close()


# The authority.


def test_an_authority_is_made_once_and_its_key_is_its_users_alone(tmp_path):
    first = Authority(tmp_path / "ca")
    assert Authority(tmp_path / "ca").certificate_pem == first.certificate_pem
    assert stat.S_IMODE((tmp_path / "ca" / "ca-key.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in first.certificate.read_bytes()


def test_authorities_that_are_made_at_once_are_one(tmp_path):
    found, together = [], threading.Barrier(8)

    def make():
        together.wait()
        found.append(Authority(tmp_path).certificate_pem)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(found)) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"ca-key.pem", "ca.pem"}


def test_a_key_that_others_may_read_is_refused_with_the_way_out(tmp_path):
    Authority(tmp_path)
    (tmp_path / "ca-key.pem").chmod(0o644)
    with pytest.raises(AuthorityError, match="chmod 600"):
        Authority(tmp_path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN", b"no key"])
def test_a_file_that_holds_no_authority_is_refused_with_the_way_out(tmp_path, content):
    (tmp_path / "ca-key.pem").write_bytes(content)
    (tmp_path / "ca-key.pem").chmod(0o600)
    with pytest.raises(AuthorityError, match="remove it for another"):
        Authority(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuthorityError, match="MOCKSERVER_CA_DIR"):
        Authority(tmp_path / "file" / "ca")


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"HOME": "/home/a"}, "/home/a/.local/share/mockserver/ca"),
        ("linux", {"HOME": "/home/a", "XDG_DATA_HOME": "here"}, "/home/a/.local/share/mockserver/ca"),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Application Support/mockserver/ca"),
        ("win32", {"LOCALAPPDATA": "/c/local"}, "/c/local/mockserver/ca"),
    ],
)
def test_an_authority_is_kept_where_the_system_keeps_such_things(platform, environment, folder):
    assert usual_folder(environment, platform) == Path(folder)


# Who trusts it.


def test_what_was_trusted_before_is_trusted_still(authority, tmp_path):
    (tmp_path / "corporate.pem").write_bytes(system_roots())
    before = {"SSL_CERT_FILE": str(tmp_path / "corporate.pem")}
    stores = make_stores(authority, tmp_path, before)
    bundle = stores.bundle.read_bytes()
    assert bundle.startswith(system_roots())
    assert bundle.endswith(authority.certificate_pem)
    within = make_stores(authority, tmp_path / "within", {"SSL_CERT_FILE": str(stores.bundle)})
    assert within.bundle.read_bytes() == bundle


def test_a_root_that_no_parser_takes_is_left_out_for_java(authority):
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert java_store(broken + authority.certificate_pem)


@pytest.mark.parametrize("language", ["sh", "powershell", "json"])
def test_ca_prints_what_makes_programs_trust_it(tmp_path, monkeypatch, language):
    monkeypatch.setenv("MOCKSERVER_CA_DIR", str(tmp_path / "it's here"))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1g")
    told = CliRunner().invoke(main, ["ca", "--env", language]).output
    names = (
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "JAVA_TOOL_OPTIONS",
    )
    assert all(name in told for name in names)
    if language == "json":
        found = json.loads(told)
        assert found["JAVA_TOOL_OPTIONS"].startswith("-Xmx1g -D")
    elif language == "sh":
        command = f'{told}\ncat "$SSL_CERT_FILE" >/dev/null && echo $JAVA_TOOL_OPTIONS'
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("-Xmx1g -D")


def test_ca_prints_the_path_of_the_certificate(tmp_path, monkeypatch):
    monkeypatch.setenv("MOCKSERVER_CA_DIR", str(tmp_path))
    assert CliRunner().invoke(main, ["ca"]).output == f"{tmp_path / 'ca.pem'}\n"
    assert ssl.create_default_context(cafile=str(tmp_path / "ca.pem")).cert_store_stats()["x509_ca"] == 1


def test_serve_speaks_tls(tmp_path):
    command = [sys.executable, "-m", "mockserver", "serve", "--tls", "--port", "0", "--json", "--quiet"]
    command += ["--public-url", "https://mock.example.com:8443"]
    environment = unmeasured(MOCKSERVER_CA_DIR=str(tmp_path))
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = httpx.URL(json.loads(process.stdout.readline())["url"])
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            assert url.scheme == "https"
            with (
                socket.create_connection((url.host, url.port or 0), timeout=PATIENCE_S) as wire,
                context.wrap_socket(wire, server_hostname="localhost") as wrapped,
            ):
                names = str(wrapped.getpeercert())
            known = ("mock.example.com", "api.pikzels.com", "cdn.thumbapi.dev", socket.gethostname())
            assert all(f"'{name}'" in names for name in known)
            assert httpx.get(url.join("/__admin/health"), verify=context).status_code == 200
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
    assert process.returncode == 0


def test_a_start_without_a_place_for_the_authority_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOCKSERVER_CA_DIR", str(tmp_path / "file" / "ca"))
    done = CliRunner().invoke(main, ["serve", "--tls", "--port", "0"])
    assert done.exit_code == 1
    assert "MOCKSERVER_CA_DIR names another folder" in done.output
    assert os.fspath(tmp_path) in done.output
