"""What stands in `fixtures/accounts.yaml` must mean something to the provider's table."""

import shutil

import pytest
import yaml
from click.testing import CliRunner

from mockserver import create_engine, fixtures
from mockserver.cli import main
from mockserver.fixtures import load_fixtures
from mockserver.spec.catalog import load
from mockserver.spec.files import FIXTURES, SPECS, SpecificationError

CATALOG = load()
# What is done to the accounts, and what the complaint must name: the place, and the way out.
MISTAKES = {
    "an unknown provider": (lambda a: a.update(pikzel={}), ["pikzel: ", "did you mean pikzels?"]),
    "a provider without accounts": (lambda a: a.update(pikzels=None), ["pikzels: must be a mapping of keys"]),
    "an account that is no mapping": (
        lambda a: a["pikzels"].update(pkz_a=None),
        ["pikzels.pkz_a: must be a mapping"],
    ),
    "an unknown plan": (
        lambda a: a["fatthumb"].update(nsk_a={"plan": "prro"}),
        ["fatthumb.nsk_a.plan: ", "must be one of: free, pro, ultra"],
    ),
    "a plan that is a list": (
        lambda a: a["fatthumb"].update(nsk_a={"plan": ["pro"]}),
        ["fatthumb.nsk_a.plan: "],
    ),
    "an unknown state": (
        lambda a: a["pikzels"].update(pkz_a={"state": "activ"}),
        ["pikzels.pkz_a.state: ", "must be one of: active, inactive"],
    ),
    "an unknown enforcement": (
        lambda a: a["pikzels"].update(pkz_a={"enforce": ["credit"]}),
        ["pikzels.pkz_a.enforce.0: ", "must be one of: credits, limits"],
    ),
    "an enforcement that is no list": (
        lambda a: a["pikzels"].update(pkz_a={"enforce": "credits"}),
        ["pikzels.pkz_a.enforce: ", "must be an array"],
    ),
    "credits that are a text": (
        lambda a: a["pikzels"].update(pkz_a={"credits": "many"}),
        ["pikzels.pkz_a.credits: ", "must be a number or null"],
    ),
    "credits that are a truth": (
        lambda a: a["pikzels"].update(pkz_a={"credits": True}),
        ["pikzels.pkz_a.credits: ", "must be a number"],
    ),
    "a misspelled attribute": (
        lambda a: a["thumbapi"].update(tb_a={"creditz": 5}),
        ["thumbapi.tb_a.creditz: ", "did you mean credits?"],
    ),
    "another provider's attribute": (
        lambda a: a["pikzels"].update(pkz_a={"is_blocked": True}),
        ["pikzels.pkz_a.is_blocked: ", "is not a known field"],
    ),
    "a picture that is not there": (
        lambda a: a["thumbapi"].update(tb_a={"assets": {"logo": {"file": "images/nope.png"}}}),
        ["there is no picture fixtures/images/nope.png"],
    ),
}


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    """A copy of the fixtures that takes their place; give the file of the accounts."""
    shutil.copytree(FIXTURES, tmp_path / "fixtures")
    monkeypatch.setattr(fixtures, "FIXTURES", tmp_path / "fixtures")
    return tmp_path / "fixtures" / "accounts.yaml"


def edit(file, change):
    content = yaml.safe_load(file.read_text("utf-8"))
    change(content)
    file.write_text(yaml.safe_dump(content), "utf-8")


def complaints():
    with pytest.raises(SpecificationError) as caught:
        load_fixtures(CATALOG)
    return caught.value.complaints


def test_the_bundled_accounts_fit_their_tables():
    assert set(load_fixtures(CATALOG).accounts) == set(CATALOG.providers)


def test_no_bundled_account_has_more_credits_than_its_plan_gives_a_month():
    provider = CATALOG.providers["thumbapi"]
    rows = load_fixtures(CATALOG).accounts["thumbapi"]
    whole = {key: {**provider.keys.new_account, **row} for key, row in rows.items()}
    given = {key: provider.plans[row["plan"]]["monthly_credits"] for key, row in whole.items()}
    assert [key for key, row in whole.items() if (row["credits"] or 0) > given[key]] == []


@pytest.mark.parametrize(("change", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_place_and_the_way_out(accounts, change, named):
    edit(accounts, change)
    (complaint,) = complaints()
    assert complaint.startswith(f"{accounts}: ")
    assert [part for part in named if part not in complaint] == [], complaint


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"credits": None},
        {"credits": 0.5},
        {"enforce": []},
        {"enforce": ["credits", "limits"]},
        {"is_blocked": True},
        {"uses_own_keys": True},
    ],
)
def test_what_an_account_may_say_is_no_mistake(accounts, row):
    edit(accounts, lambda content: content["fatthumb"].update(nsk_a=row))
    assert load_fixtures(CATALOG).accounts["fatthumb"]["nsk_a"] == row


def test_a_key_that_stands_twice_is_named_with_its_line(accounts):
    accounts.write_text("pikzels:\n  pkz_test: {}\n  pkz_test: {credits: 0}\n", "utf-8")
    assert complaints() == (f"{accounts}: line 3: the key 'pkz_test' stands in line 2 already; remove one",)


def test_a_file_that_is_no_mapping_is_a_mistake(accounts):
    accounts.write_text("- pikzels\n", "utf-8")
    assert complaints() == (f"{accounts}: must be a mapping of providers, not list",)


def test_all_mistakes_are_reported_at_once_at_the_start_and_by_check(accounts):
    for name in ("an unknown state", "an unknown plan", "a picture that is not there"):
        edit(accounts, MISTAKES[name][0])
    found = complaints()
    assert len(found) == 3
    with pytest.raises(SpecificationError) as caught:
        create_engine()
    result = CliRunner().invoke(main, ["check"])
    assert (caught.value.complaints, result.exit_code, result.output.splitlines()) == (
        found,
        1,
        [f"error: {each}" for each in found],
    )


def test_who_replaces_a_bundled_provider_needs_none_of_its_plans_and_attributes(tmp_path):
    shutil.copytree(SPECS / "thumbapi", tmp_path / "thumbapi")

    def without_free(table):
        table["plans"].pop("free")
        table["known"] = {at: fact for at, fact in table["known"].items() if not at.startswith("plans.free.")}

    edit(tmp_path / "thumbapi" / "behaviour.yaml", without_free)
    assert create_engine(spec_folders=[tmp_path]).catalog.providers["thumbapi"].folder == str(
        tmp_path / "thumbapi"
    )
