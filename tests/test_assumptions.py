"""What the documents leave open: chosen by name, misspellings told, and found by world and by account."""

import copy
import dataclasses
import json

import msgspec
import pytest

from mockserver import Request, Settings, create_engine
from mockserver.messages import Response
from mockserver.readings import misreadings
from mockserver.spec.assumptions import read_choices
from mockserver.spec.catalog import load, under
from mockserver.spec.files import SpecificationError

CATALOG = load()
KEY = {"x-api-key": "pkz_test", "content-type": "application/json"}
LINES = {"prompt": "one\ntwo", "model": "pkz_4", "format": "16:9"}
LINES_ACCEPTED = {"pikzels.multi_line_prompts": "accepted"}


@pytest.fixture
def engine():
    return create_engine()


def ask(engine, method="POST", path="/v2/thumbnail/text", body=LINES, headers=KEY):
    sent = b"" if body is None else json.dumps(body).encode()
    answer = engine.handle(Request(method, path, headers, body=sent))
    return answer.status, json.loads(answer.read() or b"null")


def status(engine, **more):
    return ask(engine, **more)[0]


class TestAChoice:
    def test_names_an_assumption_in_full_and_a_reading(self):
        chosen = read_choices(CATALOG.providers, ["pikzels.rename=accepted"])
        assert chosen == {"pikzels": {"rename": "accepted"}}

    def test_of_the_default_is_none(self):
        assert read_choices(CATALOG.providers, {"pikzels.rename": "refused"}) == {}

    def test_that_comes_later_wins(self):
        said = ["strictest", "thumbapi.extra_answer_fields=sent"]
        assert "extra_answer_fields" not in read_choices(CATALOG.providers, said)["thumbapi"]

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ("pikzels.renam=accepted", "did you mean pikzels.rename?"),
            ("rename=accepted", "there is no assumption 'rename'"),
            ("pikzels.rename=acepted", "pikzels.rename has no reading 'acepted'; did you mean accepted?"),
            ("pikzels.rename", "pikzels.rename has no reading ''; known are: refused, accepted"),
            ("strict", "did you mean strictest?"),
            ({"strictest": "accepted"}, "there is no assumption 'strictest'"),
        ],
    )
    def test_that_is_misspelt_is_told_with_the_nearest(self, said, told):
        with pytest.raises(ValueError, match=told.replace("?", r"\?")):
            read_choices(CATALOG.providers, said)

    def test_of_all_at_once_takes_what_each_row_says(self):
        strictest, lenient = (
            read_choices(CATALOG.providers, word)["pikzels"] for word in ("strictest", "most-lenient")
        )
        assert strictest["persona_with_style"] == "refused"
        assert lenient["multi_line_prompts"] == "accepted"
        assert set(strictest) & set(lenient) == set()

    def test_of_all_at_once_is_known_by_what_it_says(self):  # a header's text is another object each time
        said = json.loads('["strictest"]')
        assert read_choices(CATALOG.providers, said) == read_choices(CATALOG.providers, "strictest")


class TestTheBundledTables:
    def test_are_sound_under_every_reading(self):
        assert misreadings(CATALOG.providers.values()) == []

    def test_say_of_every_default_that_it_changes_nothing(self):
        for provider in CATALOG.providers.values():
            for row in provider.table.assumptions.values():
                default = row.readings[row.default]
                assert not any((default.table, default.body, default.answer, default.parameters))

    def test_say_of_every_other_reading_what_it_changes(self):
        for provider in CATALOG.providers.values():
            for name, row in provider.table.assumptions.items():
                for key, each in row.readings.items():
                    changes = (each.table, each.body, each.answer, each.errors, each.parameters, each.status)
                    assert key == row.default or any(changes), (name, key)


def changed(name, change):
    """Give what is wrong with one of Pikzels' assumptions, of which one thing was changed."""
    source = CATALOG.providers["pikzels"].source
    assert source is not None
    row = copy.deepcopy(source.table["assumptions"][name])
    change(row["readings"])
    table = {**source.table, "assumptions": {name: row}}
    provider = under(CATALOG.providers["pikzels"], {})
    assumption = provider.table.assumptions[name]
    sections = msgspec.structs.replace(provider.table, assumptions={name: assumption})
    return misreadings([dataclasses.replace(provider, source=source._replace(table=table), table=sections)])


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (
            "progress",
            lambda rows: rows["one"]["table"].update(job={"full_progress": 1}),
            "job is not a known field; did you mean jobs?",
        ),
        (
            "progress",
            lambda rows: rows["one"]["table"]["jobs"].update(ful_progress=2),
            "ful_progress is not a known field; did you mean full_progress?",
        ),
        (
            "rename",
            lambda rows: rows["accepted"]["body"].update(propertis={}),
            "there is no keyword 'propertis'; did you mean properties?",
        ),
        (
            "title_prompts",
            lambda rows: rows["free"]["body"]["properties"].update(promt={"a": 1}),
            "there is no such field; did you mean prompt?",
        ),
        (
            "title_prompts",
            lambda rows: rows["free"]["body"]["properties"]["prompt"].update(paten=None),
            "there is no keyword 'paten'; did you mean pattern?",
        ),
        (
            "id_in_paths",
            lambda rows: rows["invalid"].update(parameters={"ID": {"minLength": 1}}),
            "parameters.ID: no such parameter; known are: id",
        ),
        (
            "multi_line_prompts",
            lambda rows: rows["accepted"]["table"]["wording"]["change"][0]["where"].update(pattern="x"),
            "wording.change[0].where: no item holds",
        ),
        (
            "multi_line_prompts",
            lambda rows: rows["accepted"]["table"]["wording"].update(first=[{"field": "x"}]),
            "wording.first[0]: no item holds",
        ),
        (
            "multi_line_prompts",
            lambda rows: rows["accepted"]["table"]["wording"].update(ad=[]),
            "wording.ad: a list is not changed by this; did you mean add?",
        ),
        (
            "unknown_trained_id",
            lambda rows: rows["invalid"]["table"]["operations"]["post_v2_thumbnail_text"]["checks"]["change"][
                0
            ]["to"].update(error="INVALID_PERSON"),
            "there is no row 'INVALID_PERSON' under `errors`; did you mean INVALID_PERSONA?",
        ),
        (
            "multi_line_prompts",
            lambda rows: rows["accepted"].setdefault("body", {}).update(maxLenth=1),
            "assumptions.multi_line_prompts.readings.accepted.body.maxLenth: there is no keyword 'maxLenth'",
        ),
        (
            "gone_links",
            lambda rows: rows["gone"]["table"].update(assumptions={}),
            "no reading changes the assumptions",
        ),
        (
            "support_image_gate",
            lambda rows: rows["validation_error"]["table"].update(hostz=None),
            "hostz: there is none to be removed; did you mean hosts?",
        ),
    ],
)
def test_a_mistake_in_a_reading_is_told_with_its_place(name, change, told):
    complaints = changed(name, change)
    assert any(told in each for each in complaints), complaints
    assert all(each.startswith("specs/pikzels/behaviour.yaml: ") for each in complaints)


class TestWhoChooses:
    def test_is_the_start(self):
        assert status(create_engine(Settings(assume=LINES_ACCEPTED))) == 200

    def test_of_a_misspelt_name_does_not_start(self):
        with pytest.raises(ValueError, match=r"did you mean pikzels\.rename\?"):
            create_engine(Settings(assume="pikzels.renam=accepted"))

    def test_is_whoever_asks_admin_until_a_reset(self, engine):
        assert status(engine) == 400
        code, shown = ask(engine, "PUT", "/__admin/assumptions", LINES_ACCEPTED)
        reading = {each["name"]: each["reading"] for each in shown["assumptions"]}
        assert (code, reading["pikzels.multi_line_prompts"]) == (200, "accepted")
        assert status(engine) == 200
        ask(engine, "POST", "/__admin/reset", None)
        assert status(engine) == 400

    def test_of_one_leaves_the_others_as_they_are(self, engine):
        ask(engine, "PUT", "/__admin/assumptions", LINES_ACCEPTED)
        ask(engine, "PUT", "/__admin/assumptions", ["pikzels.rename=accepted"])
        assert engine.world.assumed == {"pikzels": {"multi_line_prompts": "accepted", "rename": "accepted"}}
        ask(engine, "PUT", "/__admin/assumptions", {"pikzels.rename": "refused"})
        assert engine.world.assumed == {"pikzels": {"multi_line_prompts": "accepted"}}

    def test_over_what_the_start_chose_is_brought_back_by_a_reset(self):
        engine = create_engine(Settings(assume=LINES_ACCEPTED))
        ask(engine, "PUT", "/__admin/assumptions", {"pikzels.multi_line_prompts": "refused"})
        assert status(engine) == 400
        ask(engine, "POST", "/__admin/reset", None)
        assert status(engine) == 200

    @pytest.mark.parametrize("body", [{"pikzels.renam": "accepted"}, {"pikzels.rename": "x"}, "strict", 5])
    def test_in_other_words_changes_nothing(self, engine, body):
        code, _ = ask(engine, "PUT", "/__admin/assumptions", body)
        assert (code, engine.world.assumed) == (400, {})

    def test_is_an_account_before_all_others(self, engine):
        account = "/__admin/accounts/pikzels/pkz_test"
        assert (
            status(engine, method="PUT", path=account, body={"assume": {"multi_line_prompts": "accepted"}})
            == 200
        )
        assert status(engine) == 200
        assert status(engine, headers={**KEY, "x-api-key": "pkz_other"}) == 400
        ask(engine, "PUT", "/__admin/assumptions", LINES_ACCEPTED)
        ask(engine, "PUT", account, {"assume": {"multi_line_prompts": "refused"}})
        assert status(engine) == 400
        assert status(engine, headers={**KEY, "x-api-key": "pkz_other"}) == 200

    def test_may_be_the_account_of_a_key_that_is_refused(self, engine):
        account, own = "/__admin/accounts/pikzels/pkz_test", {"assume": {"judged_first": "body"}}
        ask(engine, "PUT", account, {"state": "suspended", **own})
        assert status(engine) == 400
        assert status(engine, body={**LINES, "prompt": "one"}) == 403
        ask(engine, "PUT", account, {"assume": {"judged_first": "key"}})
        ask(engine, "PUT", "/__admin/assumptions", {"pikzels.judged_first": "body"})
        assert status(engine) == 403

    def test_may_be_one_account_for_which_an_operation_is_not_there(self, engine):
        ask(engine, "PUT", "/__admin/accounts/pikzels/pkz_test", {"assume": {"face_swap": "withdrawn"}})
        url = "https://example.com/a.png"
        swap = {
            "path": "/v2/thumbnail/faceswap",
            "body": {"image_url": url, "face_image": url, "format": "16:9"},
        }
        assert status(engine, **swap) == 404
        assert status(engine, **swap, headers={**KEY, "x-api-key": "pkz_other"}) == 200

    def test_for_an_account_is_refused_where_it_is_misspelt(self, engine):
        account = "/__admin/accounts/pikzels/pkz_test"
        code, problem = ask(engine, "PUT", account, {"assume": {"multi_line_prompt": "accepted"}})
        assert code == 400
        assert "did you mean multi_line_prompts?" in problem["detail"]
        assert status(engine, method="PUT", path=account, body={"assume": {"rename": "yes"}}) == 400


class TestASnapshot:
    def test_holds_what_is_chosen(self, engine):
        engine.world.assume(LINES_ACCEPTED)
        snapshot = engine.world.snapshot()
        engine.world.reset()
        assert status(engine) == 400
        engine.world.restore(snapshot)
        assert status(engine) == 200

    def test_of_an_earlier_version_chooses_nothing(self, engine):
        snapshot = engine.world.snapshot()
        del snapshot["assumed"]
        engine.world.assume(LINES_ACCEPTED)
        engine.world.restore(snapshot)
        assert engine.world.assumed == {}

    def test_of_what_is_not_there_is_refused_and_changes_nothing(self, engine):
        snapshot = engine.world.snapshot() | {"assumed": {"pikzels.nothing": "x"}}
        engine.world.assume(LINES_ACCEPTED)
        with pytest.raises(ValueError, match="there is no assumption"):
            engine.world.restore(snapshot)
        assert status(engine) == 200


@pytest.mark.parametrize(("reading", "answered"), [("ten", 429), ("any", 200)])
def test_an_eleventh_call_at_once_is_refused_where_ten_are_all(engine, reading, answered):
    limits = {"enforce": ["limits"], "assume": {"concurrent_calls": reading}}
    ask(engine, "PUT", "/__admin/accounts/pikzels/pkz_test", limits)
    body = b'{"image_url": "https://example.com/a.png"}'
    walks = [engine.walk(Request("POST", "/v2/thumbnail/score", KEY, body=body)) for _ in range(11)]
    answers = [next(each) for each in walks]  # sent to nobody yet, so all are under way
    assert all(isinstance(each, Response) for each in answers)
    assert [each.status for each in answers] == [200] * 10 + [answered]
    assert [next(each, None) for each in walks] == [None] * 11


@pytest.mark.parametrize(
    "odd", [5, "x", None, [5], [None], {"a": 5}, [{"where": 5, "to": 1}], [{"where": {}}]]
)
def test_a_reading_of_any_shape_is_refused_or_taken(odd):
    changed("multi_line_prompts", lambda rows: rows["accepted"].update(table={"a": odd}))
    changed("multi_line_prompts", lambda rows: rows["accepted"].update(body={"a": odd}))
    changed("multi_line_prompts", lambda rows: rows["accepted"].update(answer={"a": odd}))
    changed("multi_line_prompts", lambda rows: rows["accepted"]["table"]["wording"].update(add=odd))
    changed("multi_line_prompts", lambda rows: rows["accepted"]["table"]["wording"].update(first=odd))
    changed("multi_line_prompts", lambda rows: rows["accepted"]["table"]["wording"].update(change=odd))
    changed("title_prompts", lambda rows: rows["free"]["body"].update(properties=odd))
    changed("id_in_paths", lambda rows: rows["invalid"].update(parameters={"id": odd}))


def test_the_readings_that_do_not_go_together_are_told():
    provider = CATALOG.providers["pikzels"]
    assert provider.source is not None
    table = copy.deepcopy(provider.source.table)
    table["assumptions"]["progress"]["readings"]["broken"] = {"does": "x", "table": {"jobs": {"running": 5}}}
    broken = dataclasses.replace(provider, source=provider.source._replace(table=table))
    with pytest.raises(SpecificationError, match="under gone_links=gone, progress=broken"):
        under(broken, {"gone_links": "gone", "progress": "broken"})
