"""Whose key is it, and may it call: where keys are read, whose account they open, and what they order."""

import base64

import pytest
from catalogues import NOTES, a_match, a_request, a_world, errors, notes

from mockserver.pipeline.authorize import authorize, credential
from mockserver.problems import Problem, ProblemType, Violation
from mockserver.spec.security import read_security
from mockserver.spec.words import ordered_by

SCHEMES = {
    "Key": {"type": "apiKey", "in": "header", "name": "Note-Key"},
    "App": {"type": "apiKey", "in": "header", "name": "Note-App"},
    "Query": {"type": "apiKey", "in": "query", "name": "key"},
    "Cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "Basic": {"type": "http", "scheme": "basic"},
    "Bearer": {"type": "http", "scheme": "Bearer"},
    "Token": {"type": "oauth2", "flows": {}},
}
Security = list[dict[str, list[str]]]
BOTH: Security = [{"Key": [], "App": []}]
EITHER: Security = [{"Key": []}, {"App": []}]
OPTIONAL: Security = [{}, {"Key": []}]


def caller(security=None, *, query="", world=None, is_strict=False, provider=None, **headers):
    """Ask for the caller of a request to add a note."""
    provider = provider or notes(security=security or [{"Key": []}], schemes=SCHEMES)
    request = a_request(query=query, **headers)
    return authorize(a_match("add_note", provider), request, world or a_world(), is_strict=is_strict)


def refused(security=None, **request):
    """Ask for the caller of a request that is refused; give the problem."""
    with pytest.raises(Problem) as caught:
        caller(security, **request)
    return caught.value


def whose(security, **request):
    """Give the key of the caller, or the kind of problem."""
    try:
        return caller(security, **request).account.key
    except Problem as problem:
        return problem.type


MISSING, MALFORMED = ProblemType.KEY_MISSING, ProblemType.KEY_MALFORMED


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, MISSING),
        ({"note_key": "note_1"}, MISSING),
        ({"note_app": "note_2"}, MISSING),
        ({"note_key": "note_1", "note_app": "note_2"}, "note_1"),
        ({"note_key": "note_1", "note_app": "the till"}, "note_1"),
        ({"note_key": "the till", "note_app": "note_2"}, "note_2"),
        ({"note_key": "the till", "note_app": "the other"}, MALFORMED),
    ],
)
def test_two_schemes_in_one_requirement_are_both_asked_for(headers, key):
    assert whose(BOTH, **headers) == key


def test_of_two_keys_that_are_both_malformed_the_first_is_told():
    problem = refused(BOTH, note_key="the till", note_app="the other")
    assert [violation.pointer for violation in problem.violations] == ["/note-key"]


def test_a_key_beside_a_good_one_still_orders_what_is_about_keys():
    problem = refused(BOTH, note_key="note_1", note_app="note_2_banned")
    assert (problem.error, problem.violations[0].pointer) == ("banned", "/note-app")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, MISSING),
        ({"note_key": "note_1"}, "note_1"),
        ({"note_app": "note_2"}, "note_2"),
        ({"note_key": "note_1", "note_app": "note_2"}, "note_1"),
        ({"note_key": "dog_1", "note_app": "note_2"}, "note_2"),
        ({"note_key": "dog_1"}, MALFORMED),
        ({"note_key": "note_1_gone", "note_app": "note_2"}, "note_1_gone"),
    ],
)
def test_either_of_two_requirements_will_do(headers, key):
    assert whose(EITHER, **headers) == key


def test_of_two_requirements_that_are_not_met_the_first_is_told():
    world = a_world(note_1={"state": "inactive"}, note_2={"state": "deleted"})
    assert refused(EITHER, world=world, note_key="note_1", note_app="note_2").type is ProblemType.KEY_INACTIVE


@pytest.mark.parametrize("security", [OPTIONAL, OPTIONAL[::-1]])
@pytest.mark.parametrize(
    ("headers", "key"),
    [({}, "anonymous"), ({"note_key": "note_1"}, "note_1"), ({"note_key": "dog_1"}, MALFORMED)],
)
def test_an_empty_requirement_means_that_the_key_is_optional(security, headers, key):
    assert whose(security, **headers) == key


def test_no_requirement_means_that_nobody_is_asked():
    provider = notes(security=[])
    assert caller(provider=provider, note_key="dog_1").account.key == "anonymous"


def test_nobody_has_what_a_new_account_has():
    account = caller(provider=notes(security=[])).account
    assert (account.provider, account.plan, account.credits, account.state) == (
        "notes",
        "small",
        10,
        "active",
    )


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("scheme", "sent", "key"),
    [
        ("Key", {"note_key": " note_1 "}, "note_1"),
        ("Query", {"query": "limit=1&key=note_1"}, "note_1"),
        ("Query", {"query": "key=note%5F1"}, "note_1"),
        ("Query", {"query": "key=note_1&key=note_2"}, "note_2"),
        ("Cookie", {"cookie": "a=b; key=note_1; c=d"}, "note_1"),
        ("Cookie", {"cookie": "key=note_1=="}, "note_1=="),
        ("Cookie", {"cookie": "key=note_1;key=note_2"}, "note_1"),
        ("Basic", {"authorization": basic("note_1:")}, "note_1"),
        ("Basic", {"authorization": basic("note_1")}, "note_1"),
        ("Basic", {"authorization": basic(":note_1")}, "note_1"),
        ("Basic", {"authorization": basic("note_1:secret")}, "note_1:secret"),
        ("Basic", {"authorization": basic("note_1").replace("Basic ", "bASIC   ")}, "note_1"),
        ("Bearer", {"authorization": "Bearer note_1"}, "note_1"),
        ("Bearer", {"authorization": "  BEARER   note_1  "}, "note_1"),
        ("Token", {"authorization": "bearer note_1"}, "note_1"),
    ],
)
def test_a_key_is_read_where_the_document_says(scheme, sent, key):
    assert whose([{scheme: []}], **sent) == key


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        ("Key", {}),
        ("Key", {"note_key": ""}),
        ("Key", {"note_key": "  "}),
        ("Key", {"key": "note_1"}),
        ("Query", {"query": "Key=note_1"}),
        ("Query", {"query": "key="}),
        ("Query", {"key": "note_1"}),
        ("Cookie", {"cookie": "keys=note_1"}),
        ("Cookie", {"cookie": "KEY=note_1"}),
        ("Cookie", {"cookie": "key"}),
        ("Cookie", {}),
        ("Basic", {"authorization": "Basic note_1"}),
        ("Basic", {"authorization": "Bearer " + basic("note_1").partition(" ")[2]}),
        ("Basic", {"authorization": basic(":")}),
        ("Basic", {"authorization": "Basic /w=="}),
        ("Basic", {"authorization": "Basic"}),
        ("Bearer", {"authorization": "note_1"}),
        ("Bearer", {"authorization": "Bearer"}),
        ("Bearer", {"authorization": "Bearernote_1"}),
        ("Token", {"authorization": basic("note_1:")}),
    ],
)
def test_a_key_in_another_place_or_form_is_none(scheme, sent):
    assert whose([{scheme: []}], **sent) is MISSING


def test_one_key_is_read_at_one_place():
    document = {"components": {"securitySchemes": SCHEMES}, "security": [{"Key": []}]}
    ((scheme,),) = read_security(document, {}).requirements
    assert credential(scheme, a_request(note_key="note_1")) == "note_1"
    assert credential(scheme, a_request()) is None


@pytest.mark.parametrize(
    ("security", "place", "ways"),
    [
        (BOTH, ("header", "/note-key"), "Note-Key: KEY and Note-App: KEY"),
        (EITHER, ("header", "/note-key"), "Note-Key: KEY or Note-App: KEY"),
        ([{"Query": []}], ("query", "/key"), "?key=KEY"),
        ([{"Cookie": []}], ("header", "/cookie"), "Cookie: key=KEY"),
        ([{"Basic": []}], ("header", "/authorization"), "Authorization: Basic KEY"),
        ([{"Token": []}], ("header", "/authorization"), "Authorization: Bearer KEY"),
    ],
)
def test_a_missing_key_is_told_where_to_send_it(security, place, ways):
    problem = refused(security)
    (violation,) = problem.violations
    assert (problem.type, violation.keyword) == (MISSING, "required")
    assert (violation.location, violation.pointer) == place
    assert violation.message == f"the request carries no key in the right form; send {ways}"


@pytest.mark.parametrize("key", ["dog_1", "Note_1", "note", "xnote_1"])
def test_a_key_that_begins_otherwise_than_the_tables_prefix_is_malformed(key):
    provider = notes(keys={"prefix": "note_"}, plans=None, rates=None)
    problem = refused(provider=provider, note_key=key)
    (violation,) = problem.violations
    assert (problem.type, problem.error) == (MALFORMED, None)
    assert (violation.location, violation.pointer, violation.keyword) == (
        "header",
        "/note-key",
        "key_malformed",
    )
    assert violation.message == "the key must start with note_"


@pytest.mark.parametrize("prefix", [{}, {"prefix": None}])
def test_without_a_prefix_any_key_will_do(prefix):
    provider = notes(keys=prefix, plans=None, rates=None)
    assert caller(provider=provider, note_key="dog").account.key == "dog"


def test_the_place_of_a_wrong_key_is_where_it_was_sent():
    problem = refused([{"Cookie": []}], cookie="key=dog_1")
    assert (problem.violations[0].location, problem.violations[0].pointer) == ("header", "/cookie")
    problem = refused([{"Query": []}], query="key=dog_1")
    assert (problem.violations[0].location, problem.violations[0].pointer) == ("query", "/key")


def test_a_key_that_nobody_lists_is_a_new_healthy_account():
    made = caller(note_key="note_new")
    assert (made.account.key, made.account.plan, made.account.credits, made.ordered) == (
        "note_new",
        "small",
        10,
        None,
    )


def test_a_strict_world_knows_only_the_keys_that_are_listed():
    world = a_world(note_1={})
    assert caller(world=world, is_strict=True, note_key="note_1").account.key == "note_1"
    problem = refused(world=world, is_strict=True, note_key="note_2")
    assert problem.type is ProblemType.KEY_UNKNOWN
    assert problem.violations[0].message == "no fixture lists this key (--strict-keys)"


def test_a_listed_key_need_not_begin_as_the_table_says():
    account = caller(world=a_world(dog_1={"credits": 5}), is_strict=True, note_key="dog_1").account
    assert (account.key, account.credits) == ("dog_1", 5)


def test_what_was_stored_of_an_account_counts():
    world = a_world(note_1={})
    world.accounts.update(world.accounts.find("notes", "note_1"), lambda each: each)
    assert caller(world=world, note_key="note_1").account == world.accounts.find("notes", "note_1")


@pytest.mark.parametrize(
    ("account", "type_", "message"),
    [
        ({"state": "inactive"}, ProblemType.KEY_INACTIVE, "this key is inactive"),
        ({"state": "deleted"}, ProblemType.KEY_DELETED, "this key was deleted"),
        ({"state": "unknown"}, ProblemType.KEY_UNKNOWN, "nobody has this key"),
        ({"state": "suspended"}, ProblemType.ACCOUNT_SUSPENDED, "the account of this key is suspended"),
        ({"has_api_access": False}, ProblemType.ACCESS_DISABLED, "the account of this key has no API access"),
        ({"state": "deleted", "has_api_access": False}, ProblemType.KEY_DELETED, "this key was deleted"),
    ],
)
def test_an_account_that_may_not_call_is_told_why(account, type_, message):
    problem = refused(world=a_world(note_1=account), note_key="note_1")
    (violation,) = problem.violations
    assert (problem.type, violation.keyword, violation.message) == (type_, type_.value, message)
    assert (violation.location, violation.pointer) == ("header", "/note-key")


@pytest.mark.parametrize(
    "account", [{}, {"state": "active"}, {"has_api_access": True}, {"has_api_access": None}]
)
def test_a_healthy_account_may_call(account):
    assert caller(world=a_world(note_1=account), note_key="note_1").account.key == "note_1"


class TestAKeyThatEndsInAnErrorsName:
    @pytest.mark.parametrize(
        ("key", "owner", "error"),
        [
            ("note_1_locked", "note_1", "locked"),
            ("note_1_LOCKED", "note_1", "locked"),
            ("note_1_too_fast", "note_1", "too_fast"),
            ("note_1_wrong_method", "note_1", "wrong_method"),
            ("note_locked", "note", "locked"),
            ("note_1locked", "note_1locked", None),
            ("note_1_locked_", "note_1_locked_", None),
            ("note_1_nothing", "note_1_nothing", None),
        ],
    )
    def test_belongs_to_the_account_before_it_and_orders_that_error(self, key, owner, error):
        assert ordered_by(NOTES, key) == (owner, error)
        made = caller(note_key=key)
        assert (made.account.key, made.ordered) == (owner, error)

    def test_names_the_longest_of_several(self):
        provider = notes(errors=errors("late", "too_late", "rather_too_late"))
        assert ordered_by(provider, "note_1_rather_too_late") == ("note_1", "rather_too_late")
        assert ordered_by(provider, "note_1_too_late") == ("note_1", "too_late")
        assert ordered_by(provider, "note_1_very_late") == ("note_1_very", "late")

    def test_may_end_in_a_delay_or_the_end_of_a_job(self):
        ending = {
            "running": "waiting",
            "success": "done",
            "failure": "failed",
            "quick_s": 2,
            "realistic_s": 60,
        }
        provider = notes(jobs={**ending, "provenance": "documented", "citation": "handbook"})
        assert ordered_by(provider, "note_1_job_failed") == ("note_1", "job_failed")
        assert ordered_by(NOTES, "note_1_delay_800") == ("note_1", "delay_800")
        assert ordered_by(NOTES, "note_1_Download_404") == ("note_1", "download_404")
        assert ordered_by(NOTES, "note_1_delay_600000") == ("note_1", "delay_600000")
        assert ordered_by(NOTES, "note_1_delay_600001") == ("note_1_delay_600001", None)

    @pytest.mark.parametrize(("ending", "word"), [("LOCKED", "locked"), ("Delay_800", "delay_800")])
    def test_may_be_in_any_case_and_the_key_before_it_keeps_its_own(self, ending, word):
        assert ordered_by(NOTES, f"note_Ab_{ending}") == ("note_Ab", word)

    def test_is_looked_at_where_nobody_listed_it_and_it_orders_nothing(self):
        seen = []

        def hint(_provider, scheme, key):
            seen.append((scheme, key))
            return (Violation("header", "", "odd", key),)

        request = a_request(note_key="note_1_lokced")
        made = authorize(a_match(), request, a_world(), is_strict=False, hint=hint)
        assert seen == [(NOTES.operations["add_note"].schemes[0], "note_1_lokced")]
        assert [each.message for each in made.warnings] == ["note_1_lokced"]
        assert caller(note_key="note_1_locked").warnings == ()
        assert caller(world=a_world(note_1={}), note_key="note_1").warnings == ()

    def test_has_what_the_account_before_it_has(self):
        world = a_world(note_1={"credits": 5}, note_2={"state": "inactive"})
        assert caller(world=world, is_strict=True, note_key="note_1_locked").account.credits == 5
        assert refused(world=world, note_key="note_2_locked").type is ProblemType.KEY_INACTIVE

    def test_orders_nothing_where_an_account_of_that_very_name_is_listed(self):
        made = caller(world=a_world(note_1_locked={"credits": 5}), note_key="note_1_locked")
        assert (made.account.key, made.account.credits, made.ordered) == ("note_1_locked", 5, None)

    @pytest.mark.parametrize("name", ["no_key", "banned"])
    def test_is_answered_at_once_where_the_error_is_about_keys(self, name):
        problem = refused(note_key=f"note_1_{name}")
        (violation,) = problem.violations
        assert (problem.error, violation.keyword, violation.message) == (
            name,
            "ordered",
            f"the key orders {name}",
        )

    def test_is_unknown_in_a_strict_world_where_the_account_before_it_is(self):
        assert refused(is_strict=True, note_key="note_1_locked").type is ProblemType.KEY_UNKNOWN
        assert refused(is_strict=True, note_key="note_1_banned").type is ProblemType.KEY_UNKNOWN

    def test_is_malformed_where_it_begins_otherwise(self):
        assert refused(note_key="dog_1_locked").type is MALFORMED
