"""One server, many worlds: which one a request is in, what is its own there, and when it is dropped."""

import gc
import json
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import STRICT, header, said

from mockserver import Request, Settings, create_engine, namespaces
from mockserver.bounded import MIB
from mockserver.namespaces import HEADER, NAME, enter, named_before
from mockserver.problems import EmulatorProblem
from mockserver.scenarios import delays, read_orders
from mockserver.spec.files import SPECS
from mockserver.state import worlds
from mockserver.state.clock import Clock
from mockserver.state.ports import Opened, Ports
from mockserver.state.world import World
from mockserver.state.worlds import IDLE_S, MOST
from mockserver.walk import Wait

KEY = {"x_api_key": "pkz_test"}
SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
SCORED = "/v2/thumbnail/score"
ALICE = {"mock_namespace": "alice"}


def path_of(link):
    return "/" + link.split("/", 3)[3]


def names(engine):
    return [each.name for each in engine.worlds.namespaces()]


def a_request(path="/v2", **headers):
    return Request("GET", path, {"host": "localhost", **headers})


class TestTheName:
    def test_is_that_of_the_path_and_the_rest_is_the_path_there(self):
        inside = enter(a_request("/ns/alice/v2/thumbnail/score"))
        assert inside[:2] == ("GET", "/v2/thumbnail/score")
        assert (inside.namespace, inside.prefix, inside.base) == ("alice", "/ns/alice", "/ns/alice")

    def test_is_that_of_the_header_where_the_path_has_none(self):
        inside = enter(a_request(**{HEADER: "alice"}))
        assert (inside.path, inside.namespace, inside.prefix, inside.base) == (
            "/v2",
            "alice",
            "",
            "/ns/alice",
        )

    def test_of_the_path_wins_over_that_of_the_header(self):
        assert enter(a_request("/ns/bob/v2", **{HEADER: "alice"})).namespace == "bob"

    def test_of_the_port_wins_over_both_and_links_need_no_path(self):
        inside = enter(a_request("/ns/bob/v2", **{HEADER: "alice"})._replace(namespace="carol"))
        assert (inside.path, inside.namespace, inside.prefix, inside.base) == ("/v2", "carol", "/ns/bob", "")

    @pytest.mark.parametrize("request_", [a_request("/ns/a/ns/b/v2"), a_request(**{HEADER: "a"})])
    def test_is_looked_for_once(self, request_):
        inside = enter(request_)
        assert (enter(inside), inside.namespace) == (inside, "a")

    @pytest.mark.parametrize("path", ["/ns/alice", "/ns/alice/"])
    def test_may_be_all_there_is_of_a_path(self, path):
        assert enter(a_request(path)).path == "/"

    @pytest.mark.parametrize("path", ["/ns", "/nsx/alice/v2", "/v2/ns/alice", "/NS/alice", "", "/", "ns/a"])
    def test_is_not_in_another_path(self, path):
        assert not namespaces.names_one(a_request(path))

    @pytest.mark.parametrize("name", ["a", "A", "7", "a.b_c-d", "x" * 100, "ns", "cdn", "__admin"[2:]])
    def test_can_be_this(self, name):
        assert enter(a_request(f"/ns/{name}/v2")).namespace == name

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "-a", "_a", "a b", "ä", "a\n", "x" * 101, "a?b", "a,b", "%61"]
    )
    @pytest.mark.parametrize("is_header", [False, True])
    def test_cannot_be_that(self, name, is_header):
        with pytest.raises(EmulatorProblem, match="letter or digit"):
            enter(a_request(**{HEADER: name}) if is_header else a_request(f"/ns/{name}/v2"))

    @pytest.mark.parametrize(
        ("lead", "name"),
        [
            ("", ""), ("/base", ""), ("/ns/alice", "alice"), ("/base/ns/alice", "alice"), ("/ns", "/"),
            ("/ns/", "/"), ("/ns/%61lice", "alice"), ("/ns/a/ns/b", "a/ns/b"), ("/ns/a/x", "a/x"),
        ],
    )  # fmt: skip
    def test_is_read_in_links_as_in_calls_of_them(self, lead, name):
        assert named_before(lead) == name

    def test_has_one_form_in_paths_and_in_bodies(self):
        bodies = json.loads((SPECS / "admin.openapi.json").read_text("utf-8"))["components"]["schemas"]
        assert bodies["NamespaceChoice"]["properties"]["name"]["pattern"] == f"^{NAME}$"


class TestARequest:
    @pytest.mark.parametrize("way", ["path", "header", "host"])
    def test_is_answered_in_its_namespace(self, engine, ask, heard, way):
        path = f"/ns/alice{SCORED}" if way == "path" else SCORED
        named = {} if way == "path" else {**ALICE, **({"host": "api.pikzels.com"} if way == "host" else {})}
        assert ask("POST", path, SCORE, **KEY, **named).status == 200
        assert heard[0].operation == "pikzels.post_v2_thumbnail_score"
        assert len(list(engine.world.journal)) == 0
        assert len(list(engine.worlds.find(a_request("/ns/alice")).journal)) == 1

    @pytest.mark.parametrize("name", ["alice", "Alice", "other"])
    def test_gets_the_answer_that_it_gets_elsewhere(self, ask, name):
        first = ask("POST", SCORED, SCORE, **KEY)
        assert ask("POST", f"/ns/{name}{SCORED}", SCORE, **KEY) == first

    def test_finds_the_providers_and_admin_below_the_namespace(self, ask):
        assert ask("POST", f"/ns/alice/pikzels{SCORED}", SCORE, **KEY).status == 200
        listed = said(ask("GET", "/ns/alice/__admin/requests"))["requests"]
        assert [each["operation"] for each in listed] == ["pikzels.post_v2_thumbnail_score"]

    @pytest.mark.parametrize("path", ["/ns/!/v2/thumbnail/score", "/ns//v2", "/ns/", "/ns/../__admin/health"])
    def test_with_a_malformed_name_is_refused_in_our_own_voice(self, engine, ask, path):
        answer = ask("POST", path, SCORE, **KEY)
        assert (answer.status, header(answer, "Content-Type")) == (400, "application/problem+json")
        assert "letter or digit" in said(answer)["detail"]
        assert (names(engine), len(list(engine.world.journal))) == ([], 1)

    def test_with_an_empty_header_is_refused(self, ask):
        assert ask("POST", SCORED, SCORE, mock_namespace="", **KEY).status == 400

    @pytest.mark.parametrize("path", ["/ns/a/ns/b/v2/thumbnail/score", "/ns/a/nowhere", "/ns/a", "/ns/a/"])
    def test_of_a_path_that_its_namespace_has_not_is_not_found_there(self, engine, ask, path):
        assert ask("POST", path, SCORE, **KEY).status == 404
        assert names(engine) == ["a"]

    def test_over_mcp_stays_in_its_namespace(self, engine, ask):
        call = {"name": "generate_thumbnail", "arguments": {"prompt": "A cat"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        answer = ask("POST", "/api/mcp", body, authorization="Bearer nsk_test", **ALICE)
        assert answer.status == 200
        assert "error" not in said(answer)
        alice = engine.worlds.find(a_request("/ns/alice"))
        assert (len(list(alice.ledger)), len(list(engine.world.ledger))) == (1, 0)
        assert [each.calls for each in engine.worlds.namespaces()] == [1]

    def test_with_a_large_body_is_judged_in_its_namespace(self, engine):
        sent = {"x-api-key": "pkz_test", "content-type": "application/json"}
        request = Request("POST", f"/ns/alice{SCORED}", sent)
        assert engine.useful_size(request) == engine.useful_size(request._replace(path=SCORED)) > 0
        page = request._replace(method="PUT", path="/ns/alice/__admin/state")
        assert engine.useful_size(page) == engine.useful_size(page._replace(path="/__admin/state")) > 0

    def test_of_a_page_is_judged_in_its_namespace(self, engine, ask):
        ask("PUT", "/ns/alice/__admin/assumptions", {"pikzels.browsers": "refused"})
        assert not engine.has_cors(Request("POST", f"/ns/alice{SCORED}", {}))
        assert engine.has_cors(Request("POST", f"/ns/bob{SCORED}", {}))
        assert not engine.has_cors(Request("GET", "/ns/bob/__admin/health", {}))


class TestAWorld:
    def test_has_its_own_clock(self, ask):
        ask("PUT", "/ns/alice/__admin/clock", {"now": "2026-03-01T12:00:00Z", "frozen": True})
        assert said(ask("GET", "/ns/alice/__admin/clock"))["now"] == "2026-03-01T12:00:00.000Z"
        assert said(ask("GET", "/__admin/clock"))["frozen"] is False
        assert said(ask("GET", "/ns/bob/__admin/clock"))["frozen"] is False

    def test_has_its_own_faults(self, ask):
        order = {"operation": "pikzels.*", "error": "TOO_MANY_REQUESTS"}
        ask("POST", "/ns/alice/__admin/faults", order)
        paths = [SCORED, f"/ns/bob{SCORED}", f"/ns/alice{SCORED}"]
        assert [ask("POST", path, SCORE, **KEY).status for path in paths] == [200, 200, 429]

    def test_has_its_own_accounts_costs_and_coverage(self, ask):
        ask("PUT", "/ns/alice/__admin/accounts/pikzels/pkz_test", {"credits": 7})
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        costs = [said(ask("GET", f"{below}/__admin/costs")) for below in ("", "/ns/bob", "/ns/alice")]
        assert costs[0] == costs[1] != costs[2]
        accounts = [
            said(ask("GET", f"{below}/__admin/accounts/pikzels/pkz_test"))["credits"]
            for below in ("/ns/bob", "/ns/alice")
        ]
        assert accounts == [accounts[0], 6.97] != [6.97, 6.97]

    def test_is_reset_alone(self, ask):
        for below in ("", "/ns/alice", "/ns/bob"):
            ask("POST", f"{below}{SCORED}", SCORE, **KEY)
        ask("POST", "/ns/alice/__admin/reset")
        counts = [
            said(ask("GET", f"{below}/__admin/requests"))["meta"]["total"]
            for below in ("", "/ns/alice", "/ns/bob")
        ]
        assert counts == [1, 0, 1]

    def test_goes_into_a_snapshot_that_another_takes_back(self, ask):
        link = said(ask("POST", "/ns/alice/v2/thumbnail/text", TEXT, **KEY))["output"]
        snapshot = ask("GET", "/ns/alice/__admin/state").read()
        assert ask("PUT", "/ns/bob/__admin/state", snapshot).status == 200
        assert ask("GET", path_of(link).replace("alice", "bob")).status == 200

    def test_begins_as_the_emulator_was_started(self):
        settings = Settings(seed=7, assume={"pikzels.browsers": "refused"}, enforced=frozenset({"credits"}))
        engine = create_engine(settings, clock=Clock(scale=60))
        engine.world.plans.begin_with(read_orders(engine.catalog, delays("200ms")))
        made = engine.worlds.find(a_request("/ns/alice"))
        assert (made.seed, made.assumed, made.clock.scale) == (7, engine.world.assumed, 60)
        assert [each.delay for each in made.plans.orders] == [
            each.delay for each in engine.world.plans.orders
        ]
        made.reset()
        assert (made.seed, len(made.plans.orders)) == (7, 2)

    def test_is_looked_at_for_webhooks_when_it_was_used(self, engine):
        now = [0.0]
        engine.worlds.now_s = lambda: now[0]
        alice, now[0] = engine.worlds.find(a_request("/ns/alice")), 1
        bob = engine.worlds.find(a_request("/ns/bob"))
        assert engine.worlds.used_since(1) == [engine.world, bob]
        with engine.worlds.held("alice"):
            now[0] = 2
            assert engine.worlds.used_since(2) == [engine.world, alice]
        assert engine.worlds.used_since(2) == [engine.world, alice]

    def test_sends_its_webhooks(self, engine):
        alice = engine.worlds.find(a_request("/ns/alice"))
        assert set(engine.webhooks.worlds) == {engine.world, alice}


class TestALink:
    def link(self, ask, below="", **named):
        return said(ask("POST", f"{below}/v2/thumbnail/text", TEXT, **KEY, **named))["output"]

    @pytest.mark.parametrize("below", ["", "/ns/alice"])
    def test_leads_into_its_namespace(self, ask, below):
        link = self.link(ask, "/ns/alice") if below else self.link(ask, **ALICE)
        assert link.startswith("http://localhost/ns/alice/cdn/pikzels/")
        assert ask("GET", path_of(link)).status == 200
        assert ask("GET", path_of(link).removeprefix("/ns/alice")).status == 404
        assert ask("GET", path_of(link).removeprefix("/ns/alice"), **ALICE).status == 200

    def test_has_a_public_address_before_it(self):
        engine = create_engine(Settings(public_url="https://mock.example/base", raises_bugs=True))
        headers = {"x-api-key": "pkz_test", "content-type": "application/json"}
        body = json.dumps(TEXT).encode()
        link = said(engine.handle(Request("POST", "/ns/alice/v2/thumbnail/text", headers, body=body)))[
            "output"
        ]
        assert link.startswith("https://mock.example/base/ns/alice/cdn/pikzels/")
        again = json.dumps({"image_url": link}).encode()
        assert engine.handle(Request("POST", f"/ns/alice{SCORED}", headers, body=again)).status == 200
        assert engine.handle(Request("POST", SCORED, headers, body=again)).status == 400

    def test_is_a_picture_where_it_was_handed_out_and_nowhere_else(self, ask):
        links = {below: self.link(ask, below) for below in ("", "/ns/alice", "/ns/bob")}
        assert len({link.rpartition("/")[2] for link in links.values()}) == 1  # the seed is the same
        taken = {
            (below, of)
            for below in links
            for of, link in links.items()
            if ask("POST", f"{below}{SCORED}", {"image_url": link}, **KEY).status == 200
        }
        assert taken == {(below, below) for below in links}

    def test_of_another_namespace_is_refused_as_one_that_was_never_handed_out(self, ask):
        alices = self.link(ask, "/ns/alice")
        self.link(ask, "/ns/bob")
        unknown = alices.replace("alice", "bob").rpartition("/")[0] + "/00000000.png"
        refused, never = (
            said(ask("POST", f"/ns/bob{SCORED}", {"image_url": link}, **KEY))["error"]
            for link in (alices, unknown)
        )
        assert (refused["code"], refused["message"]) == (never["code"], never["message"])

    @pytest.mark.parametrize(
        "lead", ["/ns/!", "/ns", "/ns/", "/ns/bob/ns/alice", "/ns/alice/x", "/ns/Alice", ""]
    )
    def test_that_nobody_could_call_is_no_picture(self, ask, lead):
        link = self.link(ask, "/ns/alice").replace("/ns/alice", lead)
        assert ask("POST", f"/ns/alice{SCORED}", {"image_url": link}, **KEY).status == 400

    def test_by_which_the_namespace_is_escaped_is_the_same(self, ask):
        link = self.link(ask, "/ns/alice").replace("/ns/alice", "/ns/%61lice")
        assert ask("POST", f"/ns/alice{SCORED}", {"image_url": link}, **KEY).status == 200

    def test_of_a_host_that_is_none_of_ours_is_remote_unless_it_is_a_picture_there(self, ask):
        link = self.link(ask, "/ns/alice").replace("http://localhost", "https://elsewhere.example")
        self.link(ask, "/ns/bob")
        statuses = [
            ask("POST", f"{b}{SCORED}", {"image_url": link}, **KEY).status for b in ("/ns/alice", "/ns/bob")
        ]
        assert statuses == [200, 200]

    def test_of_the_providers_own_cdn_is_the_callers(self, engine, ask):
        origin = engine.catalog.providers["pikzels"].outputs.origin
        link = origin + path_of(self.link(ask, "/ns/alice")).removeprefix("/ns/alice/cdn/pikzels")
        bodies = {below: {"image_url": link} for below in ("/ns/alice", "/ns/bob")}
        assert [ask("POST", f"{b}{SCORED}", body, **KEY).status for b, body in bodies.items()] == [200, 400]

    def test_with_a_port_of_its_own_is_that_namespaces_alone(self, engine, ask):
        engine.worlds.ports.begin(lambda _name: Opened(4001, lambda: None), 4000)
        engine.worlds.ports.open("alice")
        link = self.link(ask, "/ns/alice").replace("localhost/ns/alice", "localhost:4001")
        self.link(ask)
        statuses = [ask("POST", f"{b}{SCORED}", {"image_url": link}, **KEY).status for b in ("/ns/alice", "")]
        assert statuses == [200, 400]

    @pytest.mark.parametrize("host", ["localhost:9000", "api.pikzels.com", "Mock.example"])
    def test_of_a_port_of_its_own_leads_to_whatever_that_is_called(self, engine, host):
        engine.worlds.ports.begin(lambda _name: Opened(4001, lambda: None), 4000)
        engine.worlds.ports.open("alice")
        headers = {"x-api-key": "pkz_test", "content-type": "application/json", "host": host}

        def ask(path, body, namespace):
            sent = Request("POST", path, headers, body=json.dumps(body).encode(), namespace=namespace)
            return engine.handle(sent)

        link = said(ask("/v2/thumbnail/text", TEXT, "alice"))["output"]
        assert link.partition("://")[2].startswith(f"{host}/cdn/pikzels/")
        assert ask(SCORED, {"image_url": link}, "alice").status == 200
        assert ask(SCORED, {"image_url": link}, "").status == 400

    def test_has_the_path_below_a_public_address_for_the_port_is_not_public(self):
        engine = create_engine(Settings(public_url="https://mock.example", raises_bugs=True))
        headers = {"x-api-key": "pkz_test", "content-type": "application/json", "host": "localhost:4001"}
        asked = Request(
            "POST", "/v2/thumbnail/text", headers, body=json.dumps(TEXT).encode(), namespace="alice"
        )
        link = said(engine.handle(asked))["output"]
        assert link.startswith("https://mock.example/ns/alice/cdn/pikzels/")
        again = asked._replace(path=SCORED, body=json.dumps({"image_url": link}).encode())
        assert engine.handle(again).status == 200


class TestTheJournal:
    def test_shows_the_path_that_was_called(self, ask):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        (call,) = said(ask("GET", "/ns/alice/__admin/requests"))["requests"]
        assert call["request"]["url"] == f"http://localhost/ns/alice{SCORED}"
        curl = ask("GET", f"/ns/alice/__admin/requests/{call['id']}/curl").read().decode()
        assert f"http://localhost/ns/alice{SCORED}" in curl
        har = said(ask("GET", "/ns/alice/__admin/requests?format=har"))["log"]["entries"][0]
        assert har["request"]["url"] == f"http://localhost/ns/alice{SCORED}"

    def test_shows_the_header_that_was_sent(self, ask):
        ask("POST", SCORED, SCORE, **KEY, **ALICE)
        (call,) = said(ask("GET", "/ns/alice/__admin/requests"))["requests"]
        assert call["request"]["url"] == f"http://localhost{SCORED}"
        assert call["request"]["headers"][HEADER] == "alice"

    @pytest.mark.parametrize("path", [SCORED, f"/ns/alice{SCORED}"])
    def test_is_asked_by_either_path(self, ask, path):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        assert said(ask("POST", "/ns/alice/__admin/requests/count", {"urlPath": path})) == {"count": 1}


class TestItIsDropped:
    @pytest.fixture
    def real(self, engine):
        """A real clock that stands where a test puts it."""
        now = [0.0]
        engine.worlds.now_s = lambda: now[0]
        return now

    def test_after_ten_idle_minutes_and_begins_anew(self, engine, ask, real):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        real[0] = IDLE_S - 1
        ask("POST", f"/ns/bob{SCORED}", SCORE, **KEY)
        assert names(engine) == ["alice", "bob"]
        real[0] = IDLE_S
        assert names(engine) == ["bob"]
        assert said(ask("GET", "/ns/alice/__admin/requests"))["meta"]["total"] == 0

    def test_not_while_it_is_used(self, engine, ask, real):
        for minutes in range(0, 60, 9):
            real[0] = minutes * 60
            ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        assert [each.calls for each in engine.worlds.namespaces()] == [7]

    def test_not_under_a_call(self, engine, real):
        headers = {"x-api-key": "pkz_test", "prefer": "delay=800", "content-type": "application/json"}
        request = Request("POST", f"/ns/alice{SCORED}", headers, body=json.dumps(SCORE).encode())
        walk = engine.walk(request)
        assert isinstance(next(walk), Wait)
        real[0] = 10 * IDLE_S
        assert names(engine) == ["alice"]
        next(walk)
        next(walk, None)
        assert names(engine) == ["alice"]
        real[0] += IDLE_S
        assert names(engine) == []

    def test_and_not_held_by_a_caller_that_went_away(self, engine, real):
        headers = {"x-api-key": "pkz_test", "prefer": "delay=800", "content-type": "application/json"}
        walk = engine.walk(Request("POST", f"/ns/alice{SCORED}", headers, body=json.dumps(SCORE).encode()))
        next(walk)
        walk.close()
        real[0] = IDLE_S
        assert names(engine) == []

    def test_for_another_where_there_are_a_thousand(self, engine, ask, monkeypatch):
        monkeypatch.setattr(worlds, "MOST", MOST._replace(entries=3))
        for name in ("a", "b", "c", "a", "d"):
            ask("GET", f"/ns/{name}/__admin/health")
        assert names(engine) == ["c", "a", "d"]

    def test_unless_all_are_busy_which_refuses_the_newcomer(self, engine, ask, monkeypatch):
        monkeypatch.setattr(worlds, "MOST", MOST._replace(entries=2))
        with engine.worlds.held("a"), engine.worlds.held("b"):
            answer = ask("POST", f"/ns/c{SCORED}", SCORE, **KEY)
            assert (answer.status, header(answer, "Retry-After")) == (503, "1")
            assert ask("POST", f"/ns/a{SCORED}", SCORE, **KEY).status == 200
        assert ask("POST", f"/ns/c{SCORED}", SCORE, **KEY).status == 200

    def test_where_all_together_are_too_heavy(self, engine, ask, monkeypatch):
        monkeypatch.setattr(worlds, "MOST", MOST._replace(bytes=MIB))
        for name in "abcdefgh":
            for number in range(10):
                ask("POST", f"/ns/{name}{SCORED}", {**SCORE, "title": f"{number}" * 20_000}, **KEY)
        assert names(engine)[-1] == "h"
        assert len(names(engine)) < 8
        assert engine.worlds.usage.bytes == sum(each.bytes for each in engine.worlds.namespaces()) <= MIB

    def test_by_its_name(self, engine, ask):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        assert ask("DELETE", "/__admin/namespaces/alice").status == 200
        assert ask("DELETE", "/__admin/namespaces/alice").status == 404
        assert (names(engine), engine.worlds.usage) == ([], (0, 0))

    def test_by_a_call_of_its_own(self, engine, ask):
        assert ask("DELETE", "/ns/alice/__admin/namespaces/alice").status == 200
        assert (names(engine), engine.worlds.usage) == ([], (0, 0))

    def test_and_nothing_of_it_is_kept(self, engine, ask):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        ask("POST", "/ns/alice/__admin/clock/advance", {"by": 1})
        world = weakref.ref(engine.worlds.find(a_request("/ns/alice")))
        ask("DELETE", "/__admin/namespaces/alice")
        ask("POST", "/ns/bob/__admin/clock/advance", {"by": 1})
        gc.collect()
        assert world() is None

    def test_so_that_many_names_in_a_row_take_no_memory(self, engine):
        for number in range(5_000):
            engine.worlds.find(a_request(f"/ns/n{number}"))
        assert engine.worlds.usage.entries == MOST.entries == 1_000
        assert engine.worlds.usage.bytes <= MOST.bytes


class TestPorts:
    def opener(self, first, closed):
        ports = iter(range(first, first + 9))

        def opened(name):
            port = next(ports)
            return Opened(port, lambda: closed.append((name, port)))

        return opened

    def test_are_opened_and_closed_by_the_server_that_began_last(self):
        ports, closed = Ports(), list[tuple[str, int]]()
        one, other = self.opener(100, closed), self.opener(200, closed)
        ports.begin(one, 1)
        assert (ports.open("a"), ports.main) == (100, 1)
        ports.begin(other, 2)
        assert (ports.open("b"), ports.open("a"), ports.main) == (200, 100, 2)
        ports.end(other)
        assert (closed, ports.of("b"), ports.of("a"), ports.main) == ([("b", 200)], None, 100, 1)
        assert ports.open("c") == 101
        ports.end(one)
        assert (closed, ports.main) == ([("b", 200), ("a", 100), ("c", 101)], None)
        assert dict(ports.names) == {100: "a", 200: "b", 101: "c"}  # a link that holds one is nobody else's
        with pytest.raises(EmulatorProblem, match="nobody listens here"):
            ports.open("d")

    def test_are_at_most_a_hundred(self):
        ports = Ports()
        ports.begin(lambda name: Opened(int(name), lambda: None), 1)
        assert [ports.open(str(number)) for number in range(100)] == [*range(100)]
        with pytest.raises(EmulatorProblem, match="100 namespaces have one of their own"):
            ports.open("100")
        ports.close("7")
        assert ports.open("100") == 100

    def test_that_cannot_be_opened_are_told(self):
        def refuse(name):
            raise OSError("no address")

        ports = Ports()
        ports.begin(refuse, 1)
        with pytest.raises(EmulatorProblem) as caught:
            ports.open("a")
        assert (caught.value.status, caught.value.detail) == (503, "none can be opened: no address")
        assert ports.of("a") is None


class TestTheAdminPages:
    def test_make_a_namespace(self, engine, ask):
        answer = ask("POST", "/__admin/namespaces", {"name": "alice"})
        assert (answer.status, said(answer)) == (
            201,
            {"name": "alice", "url": "http://localhost/ns/alice", "port": None},
        )
        assert ask("POST", "/__admin/namespaces", {"name": "alice"}).status == 200
        assert names(engine) == ["alice"]

    @pytest.mark.parametrize("body", [{}, b""])
    def test_make_up_a_name(self, ask, body):
        ask("GET", "/ns/ns-1/__admin/health")
        made = [said(ask("POST", "/__admin/namespaces", body))["name"] for _ in range(2)]
        assert made == ["ns-2", "ns-3"]

    def test_list_them_in_every_namespace(self, engine, ask):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        (alice,) = said(ask("GET", "/__admin/namespaces"))["namespaces"]
        assert alice["idle_s"] >= 0
        assert {**alice, "idle_s": 0, "bytes": 0} == {
            "name": "alice", "url": "http://localhost/ns/alice", "port": None, "idle_s": 0, "bytes": 0,
            "calls": 1,
        }  # fmt: skip
        assert len(said(ask("GET", "/ns/bob/__admin/namespaces"))["namespaces"]) == 2

    def test_tell_that_there_is_none_of_a_name_by_its_beginning(self, ask):
        answer = ask("DELETE", f"/__admin/namespaces/{'x' * 500}")
        told = f"there is no '{'x' * 120}'; GET /__admin/namespaces lists those there are"
        assert (answer.status, said(answer)["detail"]) == (404, told)

    def test_stand_in_the_order_in_which_they_were_used_last(self, engine):
        def order():
            return [each.name for each in engine.worlds.namespaces()]

        with engine.worlds.held("alice"), engine.worlds.held("bob"):
            assert order() == ["alice", "bob"]
            engine.worlds.find(a_request("/ns/alice"))
            assert order() == ["bob", "alice"]
            with engine.worlds.held("carol"):
                assert order() == ["bob", "alice", "carol"]
        assert order() == ["carol", "bob", "alice"]

    def test_say_how_long_they_are_idle(self, engine, ask):
        engine.worlds.now_s = lambda: 100.0
        ask("GET", "/ns/alice/__admin/health")
        engine.worlds.now_s = lambda: 107.25
        shown = said(ask("GET", "/ns/bob/__admin/namespaces"))["namespaces"]
        assert [(each["name"], each["idle_s"]) for each in shown] == [("alice", 7.25), ("bob", 0)]

    @pytest.mark.parametrize(
        "body", [{"name": ""}, {"name": "a/b"}, {"name": 7}, {"nam": "a"}, {"port": 80}, [], b"{"]
    )
    def test_refuse_what_is_none(self, engine, ask, body):
        assert ask("POST", "/__admin/namespaces", body).status == 400
        assert names(engine) == []

    def test_say_why_there_is_no_port_without_a_socket(self, engine, ask):
        answer = ask("POST", "/__admin/namespaces", {"port": True})
        assert (answer.status, said(answer)["detail"][:27]) == (409, "nobody listens here who cou")
        assert names(engine) == []

    def test_show_how_much_is_kept(self, ask):
        ask("POST", f"/ns/alice{SCORED}", SCORE, **KEY)
        kept = said(ask("GET", "/__admin/health?verbose"))["memory"]["namespaces"]
        assert (kept["entries"], kept["mostEntries"], kept["mostBytes"]) == (1, MOST.entries, MOST.bytes)
        assert 0 < kept["bytes"] < MIB


def run_of_300(engine):
    """Send 300 calls over 50 namespaces from four threads; give what each namespace answered, and holds."""
    headers = {"x-api-key": "pkz_test", "content-type": "application/json", "host": "localhost"}

    def send(below, method, path, body=None):
        sent = b"" if body is None else json.dumps(body).encode()
        return engine.handle(Request(method, f"{below}{path}", headers, body=sent))

    def work(number):
        below, minute = f"/ns/n{number}", f"2026-03-01T12:{number:02}:00Z"
        send(below, "PUT", "/__admin/clock", {"now": minute, "frozen": True})
        send(below, "PUT", "/__admin/accounts/pikzels/pkz_test", {"credits": 10 + number})
        send(
            below,
            "POST",
            "/__admin/faults",
            {"operation": "pikzels.*", "error": "INTERNAL_ERROR", "after": 3},
        )
        answers = [send(below, "POST", SCORED, SCORE) for _ in range(2)]
        answers.append(send(below, "POST", "/v2/thumbnail/text", TEXT))
        answers.append(send(below, "POST", SCORED, SCORE))
        answers.append(send(below, "GET", path_of(said(answers[2])["output"]).removeprefix(below)))
        answers.append(send(below, "POST", SCORED, {"image_url": said(answers[2])["output"]}))
        shown = [
            send(below, "GET", path).read()
            for path in ("/__admin/requests", "/__admin/accounts/pikzels/pkz_test")
        ]
        return [*answers, *shown]

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(work, range(50)))


def test_300_calls_over_50_namespaces_from_four_threads_are_answered_the_same_twice():
    engine = create_engine(STRICT)
    runs = [run_of_300(engine)]
    for name in names(engine):
        engine.worlds.drop(name)
    runs.append(run_of_300(engine))
    assert runs[0] == runs[1]
    assert [each.status for each in runs[0][7][:6]] == [200, 200, 200, 500, 200, 200]
    assert [len(json.loads(each[6])["requests"]) for each in runs[0]] == [6] * 50
    assert [json.loads(each[7])["credits"] for each in runs[0]] == pytest.approx(
        [9.54 + n for n in range(50)]
    )
    assert len(list(engine.world.journal)) == 0


def test_a_namespace_is_made_once_however_many_threads_come_at_once(engine):
    barrier, found = threading.Barrier(8), list[World]()

    def come():
        barrier.wait()
        found.extend(engine.worlds.find(a_request(f"/ns/n{number}")) for number in range(200))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(found), len(set(found))) == (1_600, 200)


def test_nothing_is_left_behind_where_many_are_made_and_dropped_at_once(engine, monkeypatch):
    monkeypatch.setattr(worlds, "MOST", MOST._replace(entries=5))
    headers = {"x-api-key": "pkz_test", "content-type": "application/json"}
    body = json.dumps(SCORE).encode()

    def work(number):
        statuses = set()
        for turn in range(40):
            name = f"n{(number * 7 + turn) % 9}"
            request = Request("POST", f"/ns/{name}{SCORED}", headers, body=body)
            statuses.add(engine.handle(request).status)
            if turn % 5 == 0:
                engine.worlds.drop(name)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(work, range(8))) == {200}
    left = engine.worlds.namespaces()
    assert {each.under_way for each in left} <= {0}
    assert engine.worlds.usage == (len(left), sum(each.bytes for each in left))
    assert len(engine.worlds) == 1 + len(left) <= 6
