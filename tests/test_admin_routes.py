"""The door to `/__admin`: which page a path means, what it takes and tells, and what changes nothing."""

import json

import pytest
from catalogues import NOON_S, NOTES, a_call, a_catalogue, a_request, a_world, notes

from mockserver.admin.routes import Admin
from mockserver.messages import LARGEST_PAGE, LARGEST_SNAPSHOT
from mockserver.pipeline.charge import reserve, settle
from mockserver.problems import EmulatorProblem
from mockserver.readings import Readings
from mockserver.state.deliveries import WAITING, Delivery
from mockserver.state.plans import MOST_ORDERS, Order
from mockserver.state.resources import Resource
from mockserver.state.values import replace
from mockserver.state.worlds import Worlds
from mockserver.webhooks import WebhookSender

JOBS = notes(
    jobs={
        "running": "waiting", "success": "done", "failure": "failed", "quick_s": 2, "realistic_s": 60,
        "provenance": "documented", "citation": "handbook",
    }
)  # fmt: skip


class Pages:
    """The admin pages of one world."""

    def __init__(self, provider=NOTES, **accounts):
        self.world = a_world(provider, **accounts)
        catalogue = a_catalogue(provider)
        readings = Readings(catalogue, {})
        self.admin = Admin(catalogue, WebhookSender(readings, Worlds(self.world)), readings)

    def ask(self, method, path, body=b"", **more):
        request = a_request(body, method=method, path=f"/__admin{path}")._replace(**more)
        door = self.admin.find(request)
        assert door is not None
        answer = door.answer(request, self.world)
        assert (answer.status, answer.headers) == (200, (("Content-Type", "application/json"),))
        return json.loads(answer.read())

    def refused(self, method, path, body=b"", **more):
        before = self.stand()
        with pytest.raises(EmulatorProblem) as caught:
            self.ask(method, path, body, **more)
        assert self.stand() == before
        return caught.value

    def stand(self):
        """Give all that is stored, and how the clock stands."""
        clock = self.world.clock
        return {**self.world.snapshot(), "clock": (clock.now(), clock.is_frozen)}


@pytest.fixture
def pages():
    return Pages(note_1={"credits": 3})


class TestTheDoor:
    @pytest.mark.parametrize("path", ["/__admin", "/__admin/", "/__admin/clock", "/__admin/nothing"])
    def test_is_below_admin(self, pages, path):
        assert pages.admin.find(a_request(path=path)).name == "admin"

    @pytest.mark.parametrize("path", ["/", "/admin", "/_admin", "/notes/__admin", "/__Admin", "__admin"])
    def test_is_nowhere_else(self, pages, path):
        assert pages.admin.find(a_request(path=path)) is None


class TestAPath:
    @pytest.mark.parametrize("path", ["", "/"])
    def test_of_nothing_lists_what_there_is(self, pages, path):
        routes = pages.ask("GET", path)["routes"]
        assert {
            "method": "POST",
            "path": "/__admin/reset",
            "does": "Forget everything that happened.",
        } in routes
        assert {
            "method": "GET",
            "path": "/__admin",
            "does": "List what can be asked and told here.",
        } in routes
        assert {each["path"] for each in routes} >= {
            "/__admin" + path
            for path in (
                "",
                "/health",
                "/clock",
                "/clock/advance",
                "/jobs",
                "/jobs/{id}",
                "/accounts/{provider}/{key}",
                "/webhooks",
                "/reset",
                "/state",
            )
        }

    def test_may_end_in_one_slash(self, pages):
        assert pages.ask("GET", "/clock/") == pages.ask("GET", "/clock")
        assert pages.refused("GET", "/clock//").status == 404

    @pytest.mark.parametrize(
        "path", ["/clocks", "/jobs/a/b", "/account", "/accounts/notes", "/accounts/notes/a/b", "x"]
    )
    def test_that_there_is_not_is_told_what_there_is(self, pages, path):
        problem = pages.refused("GET", path)
        assert (problem.status, problem.title) == (404, "Unknown admin path")
        assert problem.detail == f"there is no GET /__admin{path}; GET /__admin lists what there is"
        assert problem.members == pages.ask("GET", "")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/clock", "GET, HEAD, PUT"),
            ("GET", "/reset", "POST"),
            ("HEAD", "/reset", "POST"),
            ("POST", "", "GET, HEAD"),
            ("put", "/clock", "GET, HEAD, PUT"),
        ],
    )
    def test_with_another_method_is_told_those_that_there_are(self, pages, method, path, allowed):
        problem = pages.refused(method, path)
        assert (problem.status, problem.title) == (405, "Method not allowed")
        assert problem.headers == {"Allow": allowed}
        assert problem.detail == f"there is no {method} /__admin{path}; there is {allowed}"

    def test_that_can_be_read_can_be_asked_for_its_head(self, pages):
        assert pages.ask("HEAD", "/clock") == pages.ask("GET", "/clock")


class TestABody:
    @pytest.mark.parametrize(
        ("raw", "said"), [(b"", "line 1"), (b"{", "line 1"), (b"\xff", "not UTF-8"), (b"NaN", "NaN")]
    )
    def test_that_is_no_json_is_refused(self, pages, raw, said):
        problem = pages.refused("PUT", "/clock", raw)
        assert (problem.status, problem.title) == (400, "Not JSON")
        assert said in problem.detail

    def test_that_is_wrong_is_told_everything_that_is(self, pages):
        problem = pages.refused("PUT", "/clock", {"frozen": 1, "nwo": 2})
        assert (problem.status, problem.title) == (400, "Wrong body")
        assert "frozen must be true or false" in problem.detail
        assert "; nwo is not a known field; did you mean now?" in f"; {problem.detail}"

    @pytest.mark.parametrize(
        ("method", "path", "most"),
        [
            ("PUT", "/clock", LARGEST_PAGE),
            ("POST", "/requests/find", LARGEST_PAGE),
            ("GET", "", LARGEST_PAGE),
            ("PUT", "/state", LARGEST_SNAPSHOT),
        ],
    )
    def test_that_is_too_large_is_refused_wherever_it_is_sent(self, pages, method, path, most):
        assert pages.refused(method, path, {"frozen": True}, whole_size=most + 1).status == 413

    def test_that_is_just_not_too_large_is_read(self, pages):
        assert pages.ask("PUT", "/clock", {"frozen": True}, whole_size=LARGEST_PAGE)["frozen"] is True

    def test_of_which_too_much_would_be_kept_is_refused(self, pages):
        stub = {"operation": "notes.add_note", "stub": {"body": "x" * 11_000_000}}
        assert pages.refused("POST", "/faults", stub).status == 413

    def test_of_one_order_too_many_is_refused(self, pages):
        for _ in range(2):
            order = Order("notes.add_note", is_ok=True)
            pages.world.plans.add([order] * (MOST_ORDERS // 2))
        problem = pages.refused("POST", "/faults", {"operation": "notes.add_note", "error": "too_fast"})
        assert (problem.status, problem.title) == (400, "Wrong order")


class TestTheClock:
    def test_is_told(self, pages):
        assert pages.ask("GET", "/clock") == {"now": "2026-03-14T12:00:00.000Z", "frozen": True, "scale": 1.0}

    @pytest.mark.parametrize(
        "now", ["2030-01-01T00:00:00Z", "2030-01-01", 1893456000, "2030-01-01T01:00:00+01:00"]
    )
    def test_is_set(self, pages, now):
        assert pages.ask("PUT", "/clock", {"now": now})["now"] == "2030-01-01T00:00:00.000Z"
        assert pages.world.clock.is_frozen

    def test_is_let_go_and_stopped(self, pages):
        assert pages.ask("PUT", "/clock", {"frozen": False})["frozen"] is False
        assert pages.ask("PUT", "/clock", {"frozen": True})["frozen"] is True

    def test_advances(self, pages):
        assert pages.ask("POST", "/clock/advance", {"by": "PT1H"})["now"] == "2026-03-14T13:00:00.000Z"
        assert pages.ask("POST", "/clock/advance", {"by": 0.5})["now"] == "2026-03-14T13:00:00.500Z"

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", "/clock", {"now": "soon"}),
            ("PUT", "/clock", {"now": -1, "frozen": False}),
            ("POST", "/clock/advance", {"by": "soon"}),
            ("POST", "/clock/advance", {"by": 1e15}),
        ],
    )
    def test_that_is_told_no_time_stands_where_it_stood(self, pages, method, path, body):
        assert pages.refused(method, path, body).title in ("Wrong time", "Wrong body")


class TestAnAccount:
    def test_is_shown_with_all_that_is_known_of_it(self, pages):
        assert pages.ask("GET", "/accounts/notes/note_1") == {
            "provider": "notes",
            "key": "note_...",
            "state": "active",
            "plan": "small",
            "credits": 3,
            "period": None,
            "enforce": [],
            "ledger": [],
        }

    def test_that_nobody_has_used_is_shown_as_it_would_be(self, pages):
        assert pages.ask("GET", "/accounts/notes/note_new")["credits"] == 10

    def test_changes_in_what_is_named(self, pages):
        pages.ask("PUT", "/accounts/notes/note_1", {"state": "suspended", "is_guest": True})
        shown = pages.ask("PUT", "/accounts/notes/note_1", {"plan": "large", "enforce": ["credits"]})
        assert (shown["state"], shown["is_guest"], shown["plan"], shown["enforce"], shown["credits"]) == (
            "suspended", True, "large", ["credits"], 3,
        )  # fmt: skip
        assert shown == pages.ask("GET", "/accounts/notes/note_1")
        assert pages.world.accounts.find("notes", "note_1").flags == {
            "is_guest": True,
            "enforce": ["credits"],
        }

    def test_keeps_what_is_set_aside_for_calls_under_way(self, pages):
        known = pages.world.accounts.find("notes", "note_1")
        pages.world.accounts.put(replace(known, held=1, entries=4))
        assert "held" not in pages.ask("PUT", "/accounts/notes/note_1", {"credits": 9})
        changed = pages.world.accounts.find("notes", "note_1")
        assert (changed.credits, changed.held, changed.entries) == (9, 1, 4)

    def test_shows_its_key_and_secrets_shortened_and_keeps_them(self):
        attributes = {"api_secret": {"type": "text", "description": "signs what is sent"}}
        pages = Pages(notes(accounts={"attributes": attributes}))
        place = "/accounts/notes/note_0123456789"
        shown = pages.ask("PUT", place, {"api_secret": "sk_9876543210"})
        assert (shown["key"], shown["api_secret"]) == ("note_...6789", "sk_...3210")
        assert shown == pages.ask("GET", place)
        assert pages.world.accounts.find("notes", "note_0123456789").flags["api_secret"] == "sk_9876543210"
        assert "note_0123456789" in str(pages.ask("GET", "/state"))  # which can be put back

    def test_of_a_provider_that_there_is_not_is_refused(self, pages):
        problem = pages.refused("GET", "/accounts/nobody/note_1")
        assert (problem.status, problem.detail) == (404, "there is no provider 'nobody'; there are notes")

    @pytest.mark.parametrize(
        "body", [{"plan": "gold"}, {"is_gest": True}, {"credits": "many"}, {"held": 1}, {"ledger": []}]
    )
    def test_cannot_be_what_its_api_does_not_know(self, pages, body):
        assert pages.refused("PUT", "/accounts/notes/note_1", {"state": "inactive", **body}).status == 400

    def test_shows_its_ledger_oldest_first(self, pages):
        for text in ("one", "two"):
            call = a_call({"text": text}, world=pages.world)
            settle(call, reserve(call))
        assert pages.ask("GET", "/accounts/notes/note_1")["ledger"] == [
            {"number": number, "operation": "notes.add_note", "amount": 1, "balance": 3 - number,
             "at": "2026-03-14T12:00:00.000Z", "at_s": NOON_S, "request_id": "request-1"}
            for number in (1, 2)
        ]  # fmt: skip


class TestJobs:
    def with_job(self, **members):
        pages = Pages(JOBS)
        job = {"id": "7", "kind": "note", "account": "notes/note_1", "created_at_s": NOON_S, "duration_s": 4,
               "outcome": "done", "running": "waiting", "fields": {}}  # fmt: skip
        pages.world.resources.put("7", Resource(**{**job, **members}))
        return pages

    def test_are_listed_and_shown_as_they_are_now(self):
        pages = self.with_job()
        pages.world.clock.advance(1)
        shown = {
            "id": "7",
            "kind": "note",
            "account": "notes/note_...",
            "status": "waiting",
            "share_done": 0.25,
            "created": "2026-03-14T12:00:00.000Z",
            "duration_s": 4,
        }
        assert pages.ask("GET", "/jobs") == {"jobs": [shown]}
        assert pages.ask("GET", "/jobs/7") == shown

    @pytest.mark.parametrize("end", ["done", "failed"])
    def test_end_now_as_they_are_told(self, end):
        pages = self.with_job()
        pages.world.clock.advance(1)
        shown = pages.ask("PUT", "/jobs/7", {"status": end})
        assert (shown["status"], shown["share_done"], shown["duration_s"]) == (end, 1, 1)

    def test_run_on_until_told_otherwise(self):
        pages = self.with_job()
        assert pages.ask("PUT", "/jobs/7", {"status": "waiting"})["duration_s"] is None
        pages.world.clock.advance(1000)
        assert pages.ask("GET", "/jobs/7")["status"] == "waiting"

    def test_take_no_end_that_their_api_does_not_know(self):
        problem = self.with_job().refused("PUT", "/jobs/7", {"status": "lost"})
        assert problem.detail == "a job of this API is waiting, done, failed; not lost"

    def test_that_there_are_not_are_refused(self, pages):
        assert pages.ask("GET", "/jobs") == {"jobs": []}
        for method, body in (("GET", b""), ("PUT", {"status": "done"})):
            problem = pages.refused(method, "/jobs/8", body)
            assert (problem.status, problem.detail) == (
                404,
                "there is no job 8; GET /__admin/jobs lists them",
            )


class TestFaults:
    @pytest.mark.parametrize(
        ("account", "shown"),
        [("notes/note_0123456789", "notes/note_...6789"), ("note_0123456789", "note_...6789"), (None, None)],
    )
    def test_show_the_keys_of_their_accounts_shortened(self, pages, account, shown):
        order = {"operation": "notes.add_note", "ok": True} | ({"account": account} if account else {})
        assert pages.ask("POST", "/faults", order)["faults"][0].get("account") == shown
        assert pages.ask("GET", "/faults")["faults"][0].get("account") == shown
        assert pages.world.plans.orders[0].account == account


class TestTheWorld:
    def test_is_well_and_says_what_is_loaded(self, pages):
        health = pages.ask("GET", "/health")
        assert (health["status"], health["operations"]) == ("ok", {"notes": 2})

    def test_is_written_and_put_back(self, pages):
        pages.ask("PUT", "/accounts/notes/note_1", {"credits": 7})
        state = pages.ask("GET", "/state")
        assert pages.ask("POST", "/reset") == {"status": "reset"}
        assert pages.ask("GET", "/accounts/notes/note_1")["credits"] == 3
        assert pages.ask("PUT", "/state", state) == {"status": "restored"}
        assert pages.ask("GET", "/accounts/notes/note_1")["credits"] == 7

    @pytest.mark.parametrize("change", [{"format": 1}, {"accounts": None}, {"clock": {}}, {"seed": "x"}])
    def test_stays_as_it_is_where_what_is_put_back_is_no_world(self, pages, change):
        state = {**pages.ask("GET", "/state"), **change}
        assert pages.refused("PUT", "/state", state).status == 400

    def test_has_sent_no_webhooks(self, pages):
        assert pages.ask("GET", "/webhooks") == {"webhooks": []}

    def test_shows_webhooks_as_they_are(self, pages):
        pages.world.deliveries.put(
            "7", Delivery("7", "notes/note_1", "http://localhost/", "s", WAITING, NOON_S)
        )
        pages.world.deliveries.put(
            "8", Delivery("8", "notes/note_1", "http://localhost/", "s", WAITING, None)
        )
        first, second = pages.ask("GET", "/webhooks")["webhooks"]
        assert first == {
            "jobId": "7", "account": "notes/note_...", "url": "http://localhost/", "status": "waiting",
            "due": "2026-03-14T12:00:00.000Z", "attempts": [],
        }  # fmt: skip
        assert second["due"] is None
