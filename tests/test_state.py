"""The world as a whole: what a reset empties, what a snapshot may say, and the file it is kept in."""

import json
import logging

import pytest

from mockserver import Request
from mockserver.bounded import MIB, Bounds
from mockserver.spec.files import SpecificationError
from mockserver.state.accounts import Account
from mockserver.state.deliveries import WAITING, Delivery
from mockserver.state.ledger import Entry, JobCharges
from mockserver.state.limits import Window, Windows
from mockserver.state.outputs import Output, StoredPicture
from mockserver.state.plans import Plan
from mockserver.state.resources import Resource
from mockserver.state.values import replace
from mockserver.state.world import BOUNDS, World
from mockserver.state.worlds import Worlds
from mockserver.statefile import StateFile

NEW_YEAR_S = 1_767_225_600.0


def output(id_, expires_at_s=None):
    return Output(id_, "pets", "pets/key", NEW_YEAR_S, expires_at_s, "image/png", {})


@pytest.fixture
def world():
    """A world with one of everything, whose clock stands."""
    made = World(seed=7)
    made.clock.set(NEW_YEAR_S, is_frozen=True)
    made.accounts.put(Account("pets", "key", "active", None, 5.5, {"is_test": True}))
    made.add_output(output("kept"))
    made.add_output(output("passing", NEW_YEAR_S + 60))
    made.resources.put(
        "job", Resource("job", "pet", "pets/key", NEW_YEAR_S, 2, "done", "running", {"name": "Rex"})
    )
    made.names.put("pets/Rex", "job")
    made.ledger.put("pets/key/1", Entry(1, "pets.buy", 0.5, 5.5, NEW_YEAR_S, "request"))
    made.windows.put("pets/key", Windows({"hour": Window(NEW_YEAR_S, 3)}))
    made.deliveries.put("job", Delivery("job", "pets/key", "http://localhost", "s", WAITING, None))
    made.seen.increment("digest")
    return made


def wrong_in(snapshot, *place, value):
    """Copy a snapshot with one value replaced."""
    copy = json.loads(json.dumps(snapshot))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return copy


def test_a_snapshot_is_read_back_from_json(world):
    taken = json.loads(json.dumps(world.snapshot()))
    other = World()
    other.restore(taken)
    after = json.loads(json.dumps(other.snapshot()))
    for each in (taken, after):
        del each["clock"]["offset_s"]  # from real time, which has gone on
    assert after == taken
    assert other.seed == 7


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("seed",), True, "seed"),
        (("seed",), "7", "seed"),
        (("seed",), 1.5, "seed"),
        (("seed",), None, "seed"),
        (("clock",), None, "clock"),
        (("clock", "stopped_at_s"), -5, "clock: .*out of bounds"),
        (("clock", "stopped_at_s"), "noon", "clock: stopped_at_s"),
        (("accounts",), [], "accounts: must be object, not array"),
        (
            ("accounts", "pets/key", "credits"),
            "many",
            r"accounts: pets/key\.credits must be int \| float \| null, not str",
        ),
        (("accounts", "pets/key", "flags"), None, r"accounts: pets/key\.flags must be object, not null"),
        (("outputs", "passing", "expires_at_s"), "soon", r"outputs: passing\.expires_at_s"),
        (("kept_outputs", "kept"), 5, "kept_outputs: kept must be object, not int"),
        (("resources", "job", "duration_s"), [], r"resources: job\.duration_s"),
        (("resources", "job", "created_at_s"), 1e300, r"resources: job\.created_at_s"),
        (("ledger", "pets/key/1", "number"), 1.5, r"ledger: pets/key/1\.number must be int, not float"),
        (("deliveries", "job", "attempts"), [1], r"deliveries: job\.attempts\[0\] must be object, not int"),
        (("windows", "pets/key"), {}, r"windows: pets/key\.by_limit is missing"),
        (
            ("windows", "pets/key", "by_limit", "hour", "calls"),
            None,
            r"windows: pets/key\.by_limit.*\.calls must be int",
        ),
        (("accounts", "pets/key", "colour"), "red", r"accounts: pets/key\.colour is not known"),
        (("names", "pets/Rex"), 5, "names: pets/Rex"),
        (("seen", "digest"), True, "seen: digest"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_changed(world, place, value, said):
    taken = world.snapshot()
    before, version = json.dumps({**taken, "clock": None}), world.version
    with pytest.raises(ValueError, match=said):
        world.restore(wrong_in(taken, *place, value=value))
    assert json.dumps({**world.snapshot(), "clock": None}) == before
    assert (world.version, world.clock.now()) == (version, NEW_YEAR_S)


def test_a_restore_drops_the_oldest_of_what_is_too_much(world):
    taken = world.snapshot()
    row = taken["deliveries"]["job"]
    taken["deliveries"] = {f"job {number}": row for number in range(BOUNDS["deliveries"].entries + 2)}
    world.restore(taken)
    keys = [key for key, _ in world.deliveries.list()]
    assert keys[-1] == f"job {BOUNDS['deliveries'].entries + 1}"
    assert 1 < len(keys) <= BOUNDS["deliveries"].entries


def test_a_reset_forgets_everything_and_the_seed_of_a_snapshot(world):
    other = World(seed=3)
    empty = other.snapshot()
    other.restore(world.snapshot())
    assert other.seed == 7
    other.reset()
    assert {**other.snapshot(), "clock": None} == {**empty, "clock": None}
    assert (other.seed, other.clock.is_frozen) == (3, False)


def test_a_reset_frees_every_slot_and_old_calls_free_no_new_ones():
    world = World()
    old = world.slots.take("key", 1)
    assert old is not None
    assert world.slots.take("key", 1) is None
    world.reset()
    new = world.slots.take("key", 1)
    assert new is not None
    world.slots.give_back(old)
    assert world.slots.take("key", 1) is None
    world.slots.give_back(new)
    assert world.slots.take("key", 1) == new


def test_a_snapshot_knows_nothing_of_calls_and_attempts_under_way(world):
    account, job = world.accounts.find("pets", "key"), world.deliveries.get("job")
    world.accounts.put(replace(account, held=3))
    world.deliveries.put("job", replace(job, claim=7))
    world.slots.take("pets/key", 1)
    other = World()
    other.restore(world.snapshot())
    assert (other.accounts.find("pets", "key"), other.deliveries.get("job")) == (account, job)
    assert other.slots.take("pets/key", 1)


def test_a_snapshot_does_not_change_with_its_world(world):
    taken = world.snapshot()
    text = json.dumps(taken)
    world.reset()
    assert json.dumps(taken) == text


def test_the_one_world_is_found_for_every_request(world):
    worlds = Worlds(world)
    assert worlds.find(Request("GET", "/", {})) is worlds.default is world
    assert list(worlds) == [world]


def test_outputs_that_stay_are_not_crowded_out_by_those_that_expire():
    world = World()
    world.add_output(output("portrait"))
    for number in range(BOUNDS["outputs"].entries + 1):
        world.add_output(output(str(number), NEW_YEAR_S))
    assert world.output("pets", "portrait") == output("portrait")
    newest = BOUNDS["outputs"].entries
    assert [world.output("pets", each) is None for each in ("0", str(newest))] == [True, False]
    assert world.output("pets", "never") is None


def test_an_output_is_found_by_its_own_provider_alone():
    world = World()
    world.add_output(output("portrait"))
    world.add_output(output("1", NEW_YEAR_S))
    for id_ in ("portrait", "1"):
        found = world.output("pets", id_)
        assert found is not None
        assert (found.id, world.output("toys", id_)) == (id_, None)
    assert (world.output("pets", None), world.output("pets", "")) == (None, None)


def test_all_that_grows_with_calls_is_bounded_in_entries_and_bytes():
    usage = World().usage
    assert {"accounts", "plans", "seen", "slots", "counters", "journal", "tally"} <= set(usage)
    most = [min(bounds.bytes, bounds.entries * bounds.largest) for _, bounds in usage.values()]
    assert sum(most) <= 132 * MIB


def test_every_set_keeps_no_more_than_its_bound_and_the_newest(world, monkeypatch):
    for name in BOUNDS:
        monkeypatch.setitem(BOUNDS, name, Bounds(3, MIB))
    small, examples = World(), {name: next(iter(each), 1) for name, each in world._collections.items()}
    examples |= {"pictures": StoredPicture("a", "x"), "plans": Plan(), "job_charges": JobCharges(())}
    held = {**small._collections, "slots": small._slots, "counters": small.counters}
    assert held.keys() == BOUNDS.keys()
    for name, collection in held.items():
        for number in range(9):
            collection.put(f"{number}", examples.get(name, 1))
        assert (collection.usage.entries, collection.get("8") is not None) == (3, True), name


def test_an_account_with_a_key_of_60_kb_takes_no_more_than_its_share(world):
    for number in range(300):
        key = f"{number}".zfill(60_000)
        world.accounts.put(Account("pets", key, "active", None, 5.5, {}))
        world.ledger.put(f"pets/{key}/1", Entry(1, "pets.buy", 0.5, 5.5, NEW_YEAR_S, "request"))
        world.windows.put(f"pets/{key}", Windows({"hour": Window(NEW_YEAR_S, 3)}))
    for name in ("accounts", "ledger", "windows"):
        usage, bounds = world.usage[name]
        assert 0 < usage.bytes <= bounds.bytes


def test_an_account_that_calls_outlives_those_that_nobody_uses():
    world = World()
    for number in range(BOUNDS["accounts"].entries + 5):
        world.accounts.put(Account("pets", "busy", "active", None, number, {}))
        world.accounts.put(Account("pets", f"{number}", "active", None, 1, {}))
    assert world.accounts.find("pets", "busy").credits == BOUNDS["accounts"].entries + 4
    assert world.accounts.listed("pets", "0") is None


def test_a_reset_gives_everything_back(world):
    world.reset()
    assert {name for name, (usage, _) in world.usage.items() if usage != (0, 0)} == {"counters"}


def test_of_one_account_all_is_forgotten_and_nothing_of_one_whose_key_begins_so(engine, ask):
    styles = {"name": "Studio", "image_urls": ["https://example.com/1.png"] * 3}
    world = engine.world

    def call(name):
        assert ask("POST", "/v2/pikzonality/style", styles, x_api_key=f"pkz_{name}").status == 200
        thumb = {"title": "t", "format": "youtube", "webhookUrl": "http://127.0.0.1:9/"}
        assert ask("POST", "/v1/generate", thumb, x_api_key=f"tb_{name}").status == 202

    def kept():
        found = world.snapshot()
        return {name: found[name] for name in BOUNDS if name in found and name not in {"seen", "pictures"}}

    call("a/1")
    before = kept()
    assert {"resources", "names", "ledger", "job_charges", "deliveries"} <= {
        name for name, values in before.items() if values
    }
    call("a")
    for provider, key in (("pikzels", "pkz_a"), ("thumbapi", "tb_a")):
        world.forget(world.accounts.find(provider, key))
    assert kept() == before


def test_what_fixtures_list_is_there_again_when_its_account_is_forgotten(engine, ask):
    path, key = "/v2/pikzonality/18b2ad5e-2a9e-4d3f-b9a8-9f2a1e0b1234", "pkz_yourapikey"
    assert ask("DELETE", path, x_api_key=key).status == 200
    assert ask("GET", path, x_api_key=key).status == 404
    engine.world.forget(engine.world.accounts.find("pikzels", key))
    assert ask("GET", path, x_api_key=key).status == 200


@pytest.mark.parametrize(("seed", "is_taken"), [(2**64, True), (-(2**64), True), (2**64 + 1, False)])
def test_a_seed_has_at_most_64_bits(world, seed, is_taken):
    snapshot = {**world.snapshot(), "seed": seed}
    if is_taken:
        world.restore(snapshot)
        assert world.seed == seed
    else:
        with pytest.raises(ValueError, match="at most 64 bits"):
            world.restore(snapshot)


def test_a_moved_clock_makes_another_version(world):
    versions = [world.version]
    for move in (
        lambda: world.clock.advance(1),
        lambda: world.clock.set(is_frozen=False),
        lambda: world.clock.set(5.0),
    ):
        move()
        versions.append(world.version)
    assert versions == sorted(set(versions))


def test_a_moved_clock_is_saved(world, tmp_path):
    file = tmp_path / "world.json"
    keeper = StateFile(Worlds(world), file).loaded()
    keeper.save()
    world.clock.advance(3600)
    keeper.save()
    other = World()
    StateFile(Worlds(other), file.rename(tmp_path / "moved.json")).loaded()
    assert other.clock.now() == NEW_YEAR_S + 3600


@pytest.mark.parametrize(
    "text", ["half a fi", "[]", "{}", '{"format": 1}', '{"format": 2, "seed": 0}', '{"format": 3}']
)
def test_a_file_that_is_no_snapshot_is_told_with_the_way_out(tmp_path, text):
    file = tmp_path / "world.json"
    file.write_text(text)
    with pytest.raises(SpecificationError, match=r"world\.json: .*move it away to begin anew"):
        StateFile(Worlds(World()), file).loaded()


def test_a_file_with_a_wrong_value_is_told_with_the_way_out(world, tmp_path):
    file = tmp_path / "world.json"
    file.write_text(json.dumps(wrong_in(world.snapshot(), "resources", "job", "created_at_s", value=None)))
    with pytest.raises(
        SpecificationError, match=r"world\.json: resources: job\.created_at_s must be .*; move it away"
    ):
        StateFile(Worlds(World()), file).loaded()


def test_a_missing_folder_is_told_with_the_way_out(tmp_path):
    with pytest.raises(
        SpecificationError, match=r"there is no folder .*nowhere; make it, or name another file"
    ):
        StateFile(Worlds(World()), tmp_path / "nowhere" / "world.json").loaded()


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path):
    with pytest.raises(SpecificationError, match="is nothing that can be written"):
        StateFile(Worlds(World()), tmp_path).loaded()


def test_a_save_that_fails_is_logged_once_and_tried_again(world, tmp_path, caplog):
    folder = tmp_path / "there"
    folder.mkdir()
    keeper = StateFile(Worlds(world), folder / "world.json").loaded()
    folder.rename(tmp_path / "away")
    with caplog.at_level(logging.ERROR):
        keeper.try_to_save()
        keeper.try_to_save()
    assert [record.message.partition(": ")[2][:17] for record in caplog.records] == ["cannot be written"]
    (tmp_path / "away").rename(folder)
    keeper.try_to_save()
    assert json.loads((folder / "world.json").read_text())["seed"] == 7


def test_a_world_whose_file_cannot_be_written_is_served_all_the_same(world, tmp_path, caplog):
    with (
        caplog.at_level(logging.ERROR),
        StateFile(Worlds(world), tmp_path / "nowhere" / "world.json") as keeper,
    ):
        assert keeper._thread.is_alive()
    assert len(caplog.records) == 2  # when it began, and for the last time at the end


def test_nothing_is_written_where_nothing_has_changed(world, tmp_path):
    keeper = StateFile(Worlds(world), tmp_path / "world.json")
    keeper.save()
    (tmp_path / "world.json").unlink()
    keeper.save()
    assert not (tmp_path / "world.json").exists()
