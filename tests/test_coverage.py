"""What a run has met of the documented APIs, and what it would have cost: counted, merged, written."""

import copy
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from catalogues import DOCUMENT, TABLE, a_catalogue, a_provider, a_world, notes
from click.testing import CliRunner
from conftest import KEYS, meanwhile, said
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver import Engine, Request
from mockserver.cli import main
from mockserver.coverage.catalogue import KINDS
from mockserver.coverage.costs import Cost, Costs, Spent
from mockserver.coverage.files import load_report, write_report
from mockserver.coverage.markdown import write_markdown
from mockserver.coverage.measuring import measure
from mockserver.coverage.report import Count, Report, merge, read_report
from mockserver.coverage.requests import Reader
from mockserver.coverage.tables import write_table
from mockserver.jsontext import dump
from mockserver.state.tally import HEARD, Likeness, Paid, Tally
from mockserver.state.worlds import Worlds

SCORE = ("POST", "/v2/thumbnail/score", {"image_url": "https://example.com/a.png"})
TEXT = ("POST", "/v2/thumbnail/text", {"prompt": "a", "model": "pkz_4", "format": "16:9"})
THUMB = {"title": "Ten tips", "format": "youtube"}
SCORING, TEXTING = "pikzels.post_v2_thumbnail_score", "pikzels.post_v2_thumbnail_text"
PIKZELS, FATTHUMB, THUMBAPI = KEYS["pikzels"], KEYS["fatthumb"], KEYS["thumbapi"]


# A table that says no more than it must.
BARE = {
    "title": "Bare",
    "operations": {name: {"behaviour": "generate"} for name in ("add_note", "read_note")},
}

DOCUMENT_OF_ANYTHING = copy.deepcopy(DOCUMENT)
del DOCUMENT_OF_ANYTHING["components"]["schemas"]["Note"]["additionalProperties"]


class Notes:
    """The notes' API as callers see it, and what they have met of it."""

    def __init__(self, provider=None, **accounts):
        provider = provider or notes()
        self.world, catalogue = a_world(provider, **accounts), a_catalogue(provider)
        self.engine = Engine(catalogue, Worlds(self.world))

    def add(self, body, query="", **headers):
        sent = {"note-key": "note_1", "content-type": "application/json", **headers}
        return self.engine.handle(Request("POST", "/notes", sent, query, json.dumps(body).encode())).status

    @property
    def report(self):
        return measure(self.engine.catalog, self.world.tally)

    def met(self, kind, name="notes.add_note"):
        return {each for each, is_met in self.report.entries[name][kind].items() if is_met}

    def all(self, kind, name="notes.add_note"):
        return set(self.report.entries[name][kind])


@pytest.fixture
def api():
    return Notes(note_1={"credits": 100})


@pytest.fixture
def report(engine):
    """Give what an engine's callers have met so far."""
    return lambda: measure(engine.catalog, engine.world.tally)


class TestWhatThereIs:
    def test_is_each_documented_status_and_no_default(self, api):
        assert api.all("statuses") == {"201"}

    def test_is_each_field_that_may_be_left_out_and_each_value_of_an_enum(self, api):
        assert api.all("fields") == {"colour", "copies", "is_framed", "photo", "photos"}
        assert api.all("values") == {"colour=yellow", "colour=green"}

    def test_is_each_error_where_it_applies(self, api):
        assert api.all("errors") == {"wrong", "taken", "too_fast", "too_large"}
        assert api.all("errors", "notes.*") == {"no_key", "no_money", "banned", "locked", "broken"}

    def test_is_no_error_that_no_operation_answers(self, api):
        named = {each for entry in api.report.entries.values() for each in entry["errors"]}
        assert not named & {"wrong_method", "nowhere"}

    def test_is_no_error_that_only_stands_in_for_what_a_table_leaves_out(self):
        bare = Notes(a_provider("bare", DOCUMENT, BARE)).report
        assert bare.count(kind="errors") == (0, 0)
        assert "bare.*" not in bare.entries

    def test_can_all_be_brought_about(self, engine):
        """An order brings about any row, so that each error, and each status with a row, can be met."""
        for operation in engine.catalog.operations:
            provider = engine.catalog.providers[operation.provider]
            rows = {str(row.status) for row in provider.errors.values()}
            assert {each for each in operation.responses if each >= "400"} - rows == {"default"}


class TestAStatus:
    def test_is_met_by_an_answer(self, api):
        assert api.met("statuses") == set()
        assert api.add({"text": "x"}) == 201
        assert api.met("statuses") == {"201"}

    def test_of_another_operation_is_not_met(self, api):
        api.add({"text": "x"})
        assert api.met("operations", "notes.read_note") == api.met("statuses", "notes.read_note") == set()

    def test_may_stand_for_its_class(self):
        answers = {
            "201": {"description": "yes"},
            "4XX": {"description": "no"},
            "404": {"description": "none"},
        }
        api = Notes(notes(responses=answers), note_1={})
        api.add({})
        assert api.met("statuses") == {"4XX"}
        api.add({"text": "x"}, prefer="code=404")
        assert api.met("statuses") == {"4XX", "404"}

    def test_that_the_mock_itself_answers_with_is_not_the_apis(self):
        api = Notes(notes(responses={"201": {"description": "yes"}, "400": {"description": "no"}}), note_1={})
        assert api.add({"text": "x"}, prefer="code=418") == 400
        assert api.met("statuses") == set()

    def test_that_a_stub_answers_with_is_met(self, engine, ask, report):
        from mockserver.scenarios import read_orders

        engine.world.plans.add(
            read_orders(engine.catalog, [{"operation": "pikzels.*", "stub": {"status": 503}}])
        )
        assert ask(*SCORE, **PIKZELS).status == 503
        assert report().entries[SCORING]["statuses"]["503"]
        assert not report().entries["pikzels.*"]["errors"]["SERVICE_UNDER_MAINTENANCE"]


class TestAnError:
    def test_is_met_by_its_natural_cause(self, api):
        api.add({"text": 7})
        assert api.met("errors") == {"wrong"}

    def test_is_met_where_it_was_ordered(self, api):
        api.add({"text": "x"}, prefer="example=taken")
        assert api.met("errors") == {"taken"}

    def test_that_any_operation_can_have_counts_once_for_all(self, api):
        api.add({"text": "x"}, **{"note-key": ""})
        assert api.met("errors", "notes.*") == {"no_key"}
        assert api.met("errors") == set()


class TestAField:
    def test_is_met_where_it_was_sent(self, api):
        api.add({"text": "x", "copies": 2, "colour": "green"})
        assert api.met("fields") == {"copies", "colour"}
        assert api.met("values") == {"colour=green"}

    def test_that_a_default_stands_in_for_is_not_met(self, api):
        api.add({"text": "x"})
        assert api.met("values") == set()

    def test_of_a_call_that_was_ordered_to_fail_is_met(self, api):
        assert api.add({"text": "x", "copies": 2}, prefer="example=broken") == 500
        assert api.met("fields") == {"copies"}

    def test_of_a_call_that_the_schema_refuses_is_not_met(self, api):
        assert api.add({"text": "", "copies": 2}) == 400
        assert api.met("fields") == set()

    def test_is_found_at_any_depth(self):
        body = {
            "type": "object",
            "required": ["style"],
            "properties": {
                "style": {
                    "required": ["colour"],
                    "properties": {"colour": {"enum": ["red", 1, True]}, "width": {"type": "number"}},
                },
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
                "colour": {"enum": ["yellow"]},
            },
        }
        document = copy.deepcopy(DOCUMENT)
        document["paths"]["/notes"]["post"]["requestBody"]["content"]["application/json"]["schema"] = body
        api = Notes(a_provider("notes", document, BARE), note_1={})
        assert api.all("fields") == {"style.width", "tags", "colour"}
        assert api.add({"style": {"colour": 1}}) == 201
        assert api.met("values") == {"style.colour=1"}
        assert api.add({"style": {"colour": True, "width": 2}, "tags": ["b", "b"]}) == 201
        assert api.met("values") == {"style.colour=1", "style.colour=true", "tags[]=b"}
        assert api.met("fields") == {"style.width", "tags"}

    def test_may_be_a_parameter(self):
        document = copy.deepcopy(DOCUMENT)
        document["paths"]["/notes/{id}"]["get"]["parameters"] += [
            {"name": "page", "in": "query", "schema": {"type": "integer", "enum": [1, 2]}},
            {"name": "Note-View", "in": "header", "schema": {"enum": ["short"]}},
        ]
        api = Notes(a_provider("notes", document, TABLE), note_1={})
        api.engine.handle(Request("GET", "/notes/1", {"note-key": "note_1"}, "page=2"))
        assert api.all("fields", "notes.read_note") == {"?page", "Note-View:"}
        assert api.met("fields", "notes.read_note") == {"?page"}
        assert api.met("values", "notes.read_note") == {"?page=2"}

    def test_may_nest_in_itself(self):
        schemas = {
            "Tree": {
                "properties": {"leaf": {"type": "string"}, "left": {"$ref": "#/components/schemas/Tree"}}
            }
        }
        provider = notes(
            body={"$ref": "#/components/schemas/Tree"},
            schemas=schemas,
            add_note={"orders": None, "pictures": None, "price": None},
        )
        fields = Reader(provider.operations["add_note"]).fields
        assert fields == ("leaf", "left", "left.leaf", "left.left", "left.left.leaf", "left.left.left")


class Interrupting(str):  # noqa: SLOT000 - which are for others
    """A shape of which the look-up is the moment for somebody else's call."""

    other: Callable[[], Any] | None = None

    def __hash__(self):
        if self.other:
            other, self.other = self.other, None
            self.thread = meanwhile(other)
        return super().__hash__()


class Price(float):
    """A price of which the sum is the moment for somebody else's call."""

    other: Callable[[], Any] | None = None

    def __mul__(self, factor):
        if self.other:
            other, self.other = self.other, None
            self.thread = meanwhile(other)
        return float(self) * factor


class TestCounting:
    def test_reads_no_request_again_of_a_shape_that_it_knows(self, api):
        for number in range(50):
            api.add({"text": f"number {number}", "colour": "green"})
        api.world.tally.catch_up()
        assert len(api.world.tally.entries) == 1

    def test_keeps_no_more_shapes_than_it_may_and_still_hears_all(self):
        api, open_body = Notes(a_provider("notes", DOCUMENT_OF_ANYTHING, BARE), note_1={}), {"text": "x"}
        tally = api.world.tally
        for number in range(HEARD.entries):
            tally.add(Likeness("notes.add_note", 201, None, 0, number), ())
        known = len(tally.entries)
        api.add({**open_body, "made_up": 1})
        api.add({**open_body, "colour": "green"})
        tally.catch_up()
        assert len(tally.entries) == known <= HEARD.entries + 1
        assert api.met("values") == {"colour=green"}

    def test_keeps_no_long_names_that_callers_make_up(self):
        api = Notes(a_provider("notes", DOCUMENT_OF_ANYTHING, BARE), note_1={})
        tally = api.world.tally
        for number in range(50):
            assert api.add({f"{number}".zfill(100_000): 1, "text": "x", "colour": "green"}) == 201
        tally.catch_up()
        assert len(tally.entries) == 1
        assert tally.usage.bytes < 10_000
        tally.forget_met()
        assert tally.usage == (0, 0)

    def test_weighs_what_two_hear_at_the_same_time_once(self):
        tally, alone = Tally(), Tally()
        shape = Interrupting("shape")
        likeness = Likeness("notes.add_note", 201, None, 0, shape)
        shape.other = lambda: tally.add(likeness, ("colour=green",))
        tally.add(likeness, ("colour=blue",))
        shape.thread.join()
        alone.add(likeness, ())
        assert tally.usage == alone.usage
        assert {said for _, said in tally.said} == {"colour=green", "colour=blue"}

    def test_counts_once_what_two_catch_up_with_at_the_same_time(self):
        tally, counted = Tally(), []
        threads: list[threading.Thread] = []

        def count(told):
            if not threads:
                threads.append(meanwhile(tally.catch_up))
            counted.append(told)

        for number in range(3):
            tally.put_off(count, number)
        tally.catch_up()
        threads[0].join()
        assert counted == [0, 1, 2]

    def test_loses_nothing_that_is_paid_while_it_begins_anew(self):
        tally, charge = Tally(), Price(0.5)
        tally.add(Likeness("notes.add_note", 201, None, charge), ()).times = 1

        def pay():
            tally.add(Likeness("notes.add_note", 200, None, 0.5), ()).times = 1

        charge.other = pay
        tally.forget_met()
        charge.thread.join()
        assert tally.paid == {"notes.add_note": Paid(2, 1_000_000)}

    def test_begins_anew_with_what_was_paid_or_with_what_was_met(self):
        tally, likeness = Tally(), Likeness("notes.add_note", 201, None, 0.5)
        tally.add(likeness, ("colour=blue",)).times = 2
        tally.add(likeness._replace(status=200), ()).times = 3
        tally.note_readings("notes.add_note", (("notes.a", "b"),))
        assert tally.paid == {"notes.add_note": Paid(5, 2_500_000)}
        assert tally.read == {("notes.add_note", (("notes.a", "b"),))}
        tally.forget_paid()
        assert (tally.paid, len(tally.answers)) == ({}, 2)
        tally.add(likeness, ()).times += 1
        tally.forget_met()
        assert (tally.paid, tally.answers, tally.said, tally.read) == (
            {"notes.add_note": Paid(1, 500_000)}, set(), set(), set(),
        )  # fmt: skip

    def test_counts_at_once_when_64_calls_were_put_off(self):
        tally, counted = Tally(), list[int]()
        for number in range(64):
            assert counted == []
            tally.put_off(counted.append, number)
        assert counted == [*range(64)]

    def test_weighs_what_it_keeps(self):
        tally = Tally()
        tally.add(Likeness("notes.add_note", 201, None, 0.5, ("text", "colour")), ())
        assert 1_000 < tally.usage.bytes < 2_500

    def test_keeps_shapes_of_up_to_four_kilobytes(self):
        tally = Tally()
        for length in (2_000, 5_000):
            tally.add(Likeness("notes.add_note", 201, None, 0.5, "x" * length), ())
        assert [len(str(Likeness._make(each).shape)) for each in tally.entries] == [2_000, 4]

    def test_hears_of_a_value_that_the_schema_leaves_open(self, ask, report):
        body = {"title": "a", "customAssetsId": "ref_brand_v2", "format": ["any", {"thing": 1}]}
        ask("POST", "/v1/generate", body, **{**THUMBAPI, "x_api_key": "tb_live_abc123"})
        assert report().entries["thumbapi.post_v1_generate"]["fields"]["format"]

    def test_outlives_a_reset(self, api):
        api.add({"text": "x", "copies": 2})
        before = api.report
        api.world.reset()
        assert api.report == before

    def test_leaves_out_downloads_and_admin_pages(self, engine, ask, report):
        link = said(ask(*TEXT, **PIKZELS))["output"]
        before = report()
        assert ask("GET", link.removeprefix("http://localhost")).status == 200
        assert ask("GET", "/__admin/health").status == 200
        assert report() == before

    def test_leaves_out_what_never_reached_the_caller(self, engine, report):
        body = json.dumps(SCORE[2]).encode()
        headers = {"x-api-key": "pkz_test", "content-type": "application/json"}
        walk = engine.walk(Request("POST", SCORE[1], headers, body=body))
        next(walk)
        walk.close()
        assert report().count(kind="statuses") == (0, report().count(kind="statuses").of)
        assert Spent(report().costs)["pikzels"] == 0.03  # the API would have done it


class TestCosts:
    def test_are_what_was_charged(self, ask, report):
        for call in (SCORE, SCORE, TEXT):
            ask(*call, **PIKZELS)
        paid = {cost.operation: (each.calls, each.micros) for cost, each in report().costs.items()}
        assert paid == {SCORING: (2, 60_000), TEXTING: (1, 370_000)}

    def test_name_unit_date_and_how_the_price_is_known(self, ask, report):
        ask(*SCORE, **PIKZELS)
        assert list(report().costs) == [Cost(SCORING, "USD", "2026-05", "observed")]

    @pytest.mark.parametrize("order", ["code=500", "example=INSUFFICIENT_CREDITS"])
    def test_are_nothing_for_a_call_that_fails(self, ask, report, order):
        ask(*SCORE, **PIKZELS, prefer=order)
        ask("POST", SCORE[1], {"title": 7}, **PIKZELS)
        assert report().costs == {}

    def test_are_nothing_for_who_pays_nothing(self, ask, report):
        ask("POST", "/v1/generate", THUMB, x_api_key="thumbapi_test")
        assert report().costs == {}

    def test_count_what_is_given_back(self, api):
        for amount in (2, -2):
            api.world.tally.add(Likeness("notes.add_note", None, None, amount), ()).times += 1
        assert Spent(api.report.costs)["notes"] == 0
        assert str(Spent(api.report.costs)) == "nothing"

    def test_of_a_tool_stand_with_the_operation_that_was_called(self, ask, report):
        arguments = {"name": "generate_thumbnail", "arguments": {"prompt": "a", "count": 2}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
        ask("POST", "/api/mcp", message, **FATTHUMB)
        assert list(report().costs) == [Cost("fatthumb.post_api_mcp", "credits", None, "assumed")]

    def test_do_not_drift(self, api):
        api.world.tally.add(Likeness("notes.add_note", 201, None, 0.1), ()).times += 1000
        assert Spent(api.report.costs)["notes"] == 100

    def test_miss_no_call_of_many_threads(self, engine, ask, report, impatient):
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: ask(*SCORE, **PIKZELS), range(200)))
        assert report().costs[Cost(SCORING, "USD", "2026-05", "observed")] == (200, 6_000_000)

    def test_are_text_with_units_dates_and_the_total_of_what_is_money(self):
        one, two = Cost("a.x", "USD", "2026-05", "observed"), Cost("b.x", "USD", None, "assumed")
        spent = Spent(
            {
                one: Paid(1, 400_000),
                two: Paid(2, 500),
                Cost("c.x", "credits", None, "assumed"): Paid(1, 2_000_000),
            }
        )
        assert str(spent) == "0.40 USD at a, 0.0005 USD at b, 2 credits at c; 0.4005 USD in all"
        assert "0.40 USD at a (prices of 2026-05), 0.0005 USD at b (prices undated)" in spent.describe(
            has_dates=True
        )
        assert dict(spent) == {"a": 0.4, "b": 0.0005, "c": 2}


NAMES = st.sampled_from(["a.x", "a.y", "b.x", "b.*"])
ENTRIES = st.dictionaries(
    NAMES,
    st.dictionaries(
        st.sampled_from(KINDS), st.dictionaries(st.sampled_from("pqrs"), st.booleans(), max_size=4)
    ),
)
COSTS: st.SearchStrategy[Costs] = st.dictionaries(
    st.builds(
        Cost,
        NAMES,
        st.sampled_from(["USD", "credits"]),
        st.sampled_from([None, "2026-05"]),
        st.just("observed"),
    ),
    st.builds(Paid, st.integers(0, 99), st.integers(-(10**9), 10**9)),
    max_size=4,
)
REPORTS = st.builds(Report, ENTRIES, COSTS)
FEW = settings(max_examples=30, deadline=None)


class TestMerging:
    @FEW
    @given(REPORTS, REPORTS)
    def test_takes_reports_in_any_order(self, one, two):
        assert merge(one, two) == merge(two, one)

    @FEW
    @given(REPORTS, REPORTS, REPORTS)
    def test_takes_them_one_by_one_or_all_at_once(self, one, two, three):
        assert merge(merge(one, two), three) == merge(one, merge(two, three)) == merge(one, two, three)

    @FEW
    @given(REPORTS)
    def test_counts_what_was_met_once_and_what_was_paid_each_time(self, one):
        twice = merge(one, one)
        assert twice.entries == one.entries
        assert {cost: paid.micros for cost, paid in twice.costs.items()} == {
            cost: 2 * paid.micros for cost, paid in one.costs.items()
        }

    @FEW
    @given(REPORTS)
    def test_with_nothing_changes_nothing(self, one):
        assert merge(one) == merge(one, Report({}, {})) == one

    @FEW
    @given(REPORTS)
    def test_takes_what_was_written(self, one):
        assert read_report(dump(one.as_json())) == one

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "operations": {"a": 1}}']
    )
    def test_refuses_what_is_no_report(self, text):
        with pytest.raises(ValueError, match=r"report|line"):
            read_report(text.encode())


class TestAReport:
    def test_rounds_percents_down(self):
        assert (Count(999, 1000).percent, Count(9999, 10000).percent, Count(0, 0).percent) == (
            99.9,
            99.9,
            100,
        )
        assert not Count(9999, 10000).reaches(100)
        assert Count(1, 3).reaches(33.3)

    def test_is_cut_down_to_some_operations(self, report):
        assert set(report().only(["*.post_v2_thumbnail_score", "thumbapi"]).entries) == {
            SCORING, "thumbapi.*", "thumbapi.post_v1_generate",
        }  # fmt: skip
        with pytest.raises(LookupError, match="did you mean pikzels"):
            report().only(["pikzel.*"])

    def test_shows_a_row_for_what_was_called_and_names_the_rest(self, ask, report):
        ask(*SCORE, **PIKZELS)
        text = "\n".join(write_table(report(), 80))
        assert [
            line.split()[0] for line in text.split("\n\n")[0].splitlines() if line.startswith("  po")
        ] == [SCORING.partition(".")[2]]
        assert f"{SCORING}\n  statuses: 400, 401, 402" in text
        assert "not called\n  fatthumb.*, pikzels.post_v2_thumbnail_text," in text
        assert max(map(len, text.splitlines())) <= 80

    def test_says_nothing_of_gaps_where_there_are_none(self):
        whole = Report({"a.x": {"operations": {"a.x": True}, "statuses": {"200": True}}}, {})
        assert write_table(whole)[-1].split()[-2:] == ["100.0", "%"]
        assert "details" not in write_markdown(whole)

    def test_is_markdown_with_all_that_is_missing_behind_folds(self, ask, report):
        ask(*SCORE, **PIKZELS)
        text = write_markdown(report())
        assert text.startswith("## Contract coverage: ")
        assert "| `post_v2_thumbnail_score` |  | 1/14 | 0/5 | - | 1/3 |" in text
        assert "  * optional fields: `image_base64`, `title`" in text
        assert f"| `{SCORING}` | 1 | 0.03 USD | observed, of 2026-05 |" in text

    def test_is_written_as_its_file_is_called(self, ask, report, tmp_path):
        ask(*SCORE, **PIKZELS)
        for name in ("new/a.json", "a.md", "a.xml"):
            write_report(report(), tmp_path / name)
        assert load_report(tmp_path / "new/a.json") == report()
        tree = ET.parse(tmp_path / "a.xml")
        found = {
            each.get("name"): each.get("value") for each in tree.iterfind("testsuite/properties/property")
        }
        assert found["mockserver.coverage.pikzels.operations"] == "1/11"
        assert found["mockserver.cost.pikzels"] == "0.03 USD"


class TestThePages:
    def test_show_what_was_met_and_paid(self, ask, report):
        ask(*SCORE, **PIKZELS)
        shown = ask("GET", "/__admin/coverage")
        assert read_report(shown.read()) == report()
        assert said(shown)["operations"][SCORING]["statuses"]["met"] == ["200"]
        costs = said(ask("GET", "/__admin/costs"))
        assert costs["spent"] == {"fatthumb": 0, "pikzels": 0.03, "thumbapi": 0}
        assert costs["totals"] == {"USD": 0.03}
        assert costs["costs"][0]["prices_as_of"] == "2026-05"
        assert read_report(dump(costs)).costs == report().costs

    def test_hear_of_calls_over_a_socket(self, client):
        assert client.post(SCORE[1], json=SCORE[2], headers=PIKZELS).is_success
        shown = client.get("/__admin/coverage").json()["operations"][SCORING]
        assert (shown["statuses"]["met"], shown["fields"]["met"]) == (["200"], ["image_url"])

    def test_go_on_over_a_reset(self, ask):
        ask(*SCORE, **PIKZELS)
        before = [said(ask("GET", f"/__admin/{page}")) for page in ("coverage", "costs")]
        ask("POST", "/__admin/reset")
        assert [said(ask("GET", f"/__admin/{page}")) for page in ("coverage", "costs")] == before

    def test_begin_anew_each_for_itself(self, ask, report):
        ask(*SCORE, **PIKZELS)
        assert said(ask("DELETE", "/__admin/coverage"))["met"] == 0
        assert report().costs != {}
        assert said(ask("DELETE", "/__admin/costs"))["costs"] == []
        ask(*SCORE, **PIKZELS)
        assert report().entries[SCORING]["fields"]["image_url"]

    def test_keep_what_was_paid_when_coverage_begins_anew(self, ask, report):
        for _ in range(2):
            ask(*SCORE, **PIKZELS)
            ask("DELETE", "/__admin/coverage")
        assert Spent(report().costs)["pikzels"] == 0.06


class TestTheCommand:
    @pytest.fixture
    def files(self, engine, ask, report, tmp_path):
        """Write the reports of two runs that met different things."""
        found = []
        for number, call in enumerate((SCORE, TEXT)):
            ask(*call, **PIKZELS)
            found.append(tmp_path / f"{number}.json")
            write_report(report(), found[-1])
            engine.world.tally.forget_met()
            engine.world.tally.forget_paid()
        return found

    def run(self, *arguments):
        return CliRunner().invoke(main, ["coverage", *map(str, arguments)])

    def test_merges_and_prints(self, files):
        done = self.run(*files, "--only", "pikzels")
        assert done.exit_code == 0
        assert "pikzels                      2/11" in done.output
        assert "would have cost 0.40 USD at pikzels (prices of 2026-05)" in done.output

    def test_writes_what_it_merged(self, files, tmp_path):
        to = [tmp_path / "all.json", tmp_path / "all.md"]
        assert self.run(*files, "--report", to[0], "--report", to[1]).exit_code == 0
        assert load_report(to[0]) == merge(*map(load_report, files))
        assert to[1].read_text().startswith("## Contract coverage")

    def test_fails_where_too_little_was_met(self, files):
        assert self.run(*files, "--fail-under", "1").exit_code == 0
        done = self.run(*files, "--fail-under", "99")
        assert done.exit_code == 1
        assert "%, less than 99 %" in done.output

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--only", "pikzel"], "there is no operation 'pikzel'"),
            (["--report", "a.txt"], "a.txt must end in .json, .md, .xml"),
            (["nowhere.json"], "nowhere.json: No such file"),
            ([__file__], "test_coverage.py: "),
        ],
    )
    def test_says_what_is_wrong(self, files, arguments, told):
        done = self.run(*files, *arguments)
        assert done.exit_code == 1
        assert told in done.output


LINES = {"prompt": "one\ntwo", "model": "pkz_4", "format": "16:9"}


class TestReadings:
    def test_are_met_by_calls_that_they_are_about(self, ask, report):
        ask("POST", "/v2/thumbnail/text", {**LINES, "prompt": "one"}, **PIKZELS)
        met = {name for name, is_met in report().entries["pikzels.*"]["readings"].items() if is_met}
        assert {"multi_line_prompts=refused", "browsers=allowed"} <= met
        assert not met & {"multi_line_prompts=accepted", "rename=refused"}

    def test_are_met_where_they_are_chosen_and_are_not_in_the_sum(self, ask, report, engine):
        before = report().count().of
        engine.world.assume({"pikzels.multi_line_prompts": "accepted"})
        ask("POST", "/v2/thumbnail/text", LINES, **PIKZELS)
        assert report().entries["pikzels.*"]["readings"]["multi_line_prompts=accepted"]
        assert report().count().of == before
        assert "readings: " in "\n".join(write_table(report(), 80))

    def test_of_a_run_that_chooses_none_are_not_missed(self, ask, report):
        ask(*SCORE, **PIKZELS)
        assert "readings: " not in "\n".join(write_table(report(), 80))
