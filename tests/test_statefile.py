"""The file of `serve --state`: one owner, its user's alone, whole whatever happens, saved as it changes."""

import contextlib
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import threading

import httpx
import pytest
from conftest import first_line

from mockserver import create_engine
from mockserver.ownedfile import OwnedFile
from mockserver.spec.files import SpecificationError
from mockserver.state.changes import apply_changes, find_changes
from mockserver.state.outputs import Output
from mockserver.state.worlds import Worlds
from mockserver.statefile import SMALL, StateFile


@pytest.fixture
def file(tmp_path):
    return tmp_path / "world.json"


def a_world():
    return create_engine().world


def kept(world, file):
    return StateFile(Worlds(world), file).loaded()


@contextlib.contextmanager
def held(world, file):
    """Keep a world in a file without the thread that saves it."""
    keeper = kept(world, file)
    keeper.save()
    yield keeper
    keeper._owned.release()


def grown(world, count=1):
    """Give a world so many megabytes."""
    for index in range(count * 500):
        scene = {
            "width": 1,
            "height": 1,
            "media_type": "image/png",
            "provider": "",
            "operation": "",
            "seed": "",
        }
        told = {**scene, "headline": "x" * 2_000, "insets": []}
        world.add_output(Output(f"{index}", "pikzels", "pikzels/a", 1.0, None, "image/png", told))


def said_of(world):
    return world.snapshot() | {"clock": None}


def read_back(file):
    world = a_world()
    keeper = kept(world, file)
    keeper._owned.release()
    return said_of(world)


def test_a_second_owner_is_told_who_the_first_is(file):
    told = f"process {os.getpid()} keeps its world in it"
    with kept(a_world(), file), pytest.raises(SpecificationError, match=told):
        kept(a_world(), file)
    with kept(a_world(), file):
        pass


def test_an_owner_by_another_name_is_one_too(file, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(file)
    with kept(a_world(), file), pytest.raises(SpecificationError, match="keeps its world"):
        kept(a_world(), link)


def test_a_second_server_does_not_start(file):
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--json", "--state", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        first_line(process)
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (second.returncode, f"process {process.pid} keeps" in second.stderr) == (1, True)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert process.stdout
        process.stdout.close()
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("mode", [0o644, 0o666, None])
def test_it_is_its_users_alone(file, mode):
    before = os.umask(0)
    try:
        if mode:
            with kept(a_world(), file):
                pass
            file.chmod(mode)
        with kept(a_world(), file):
            assert [stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()] == [0o600, 0o600]
    finally:
        os.umask(before)


def test_a_symbolic_link_stays_one_and_its_target_is_written(file, tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real.json"
    file.symlink_to(target)
    with kept(a_world(), file):
        pass
    assert file.is_symlink()
    assert json.loads(target.read_bytes())["seed"] == 0


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_at_once(file, make):
    make(file)
    with pytest.raises(SpecificationError, match="nothing that can be written"):
        kept(a_world(), file)


def test_a_link_to_a_pipe_is_refused_at_once(file, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    file.symlink_to(tmp_path / "pipe")
    with pytest.raises(SpecificationError, match="nothing that can be written"):
        kept(a_world(), file)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/hostname")])
def test_a_lock_that_somebody_else_has_laid_is_not_followed(file, make):
    make(file.with_name("world.json.lock"))
    with pytest.raises(SpecificationError, match="nothing can be written"):
        kept(a_world(), file)


def test_what_a_killed_owner_left_is_swept_away_and_nothing_else(file):
    left = [file.with_name(name) for name in ("world.json.1234.part", "world.json.k3_9xyz.part")]
    others = [file.with_name(name) for name in ("world.json.part", "other.json.1.part", "world.json.bak")]
    for each in (*left, *others):
        each.touch()
    with kept(a_world(), file):
        pass
    assert {each.name for each in file.parent.iterdir()} == {file.name, *(each.name for each in others)}


def test_what_is_written_beside_it_is_new_and_gone_where_that_fails(file):
    owned = OwnedFile(file)
    owned.replace([b"old"])

    def breaks():
        yield b"half"
        beside = [each for each in file.parent.iterdir() if each != file]
        assert [stat.S_IMODE(each.stat().st_mode) for each in beside] == [0o600]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        owned.replace(breaks())
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert file.read_bytes() == b"old"


def test_a_small_world_is_one_json_object_after_each_save(file):
    world = a_world()
    with held(world, file) as keeper:
        for index in range(3):
            world.seen.increment(f"{index}")
            keeper.save()
            assert len(json.loads(file.read_bytes())["seen"]) == index + 1


def test_of_a_large_world_only_what_has_changed_is_written(file):
    world = a_world()
    grown(world, 2)
    with held(world, file) as keeper:
        whole = file.stat()
        assert whole.st_size > SMALL
        world.seen.increment("one")
        world.kept_outputs.delete("7")
        keeper.save()
        assert file.stat().st_ino == whole.st_ino
        assert 0 < file.stat().st_size - whole.st_size < 1_000
        assert read_copy(file) == said_of(world)
        world.reset()
        keeper.save()
        assert read_copy(file) == said_of(world)


def read_copy(file):
    copy = file.with_name("copy.json")
    copy.write_bytes(file.read_bytes())
    return read_back(copy)


@pytest.mark.parametrize("left", [1, 5, 9, 40, -5])
def test_half_a_change_at_the_end_is_none_and_is_written_over(file, left):
    world = a_world()
    grown(world, 2)
    with held(world, file) as keeper:
        world.seen.increment("one")
        keeper.save()
        before, size = said_of(world), file.stat().st_size
        world.seen.increment("two")
        keeper.save()
        torn = file.with_name("torn.json")
        torn.write_bytes(file.read_bytes()[: size + left if left > 0 else left])
    other = a_world()
    with held(other, torn) as keeper:
        assert said_of(other) == before
        other.seen.increment("three")
        keeper.save()
        assert read_copy(torn) == said_of(other)


def test_a_file_of_many_changes_is_written_anew(file, monkeypatch):
    world = a_world()
    grown(world, 2)
    monkeypatch.setattr("mockserver.statefile.LEAST_CHANGES", 0)
    with held(world, file) as keeper:
        before, whole = file.stat().st_ino, file.stat().st_size
        for index in range(2):
            world.seed = index
            for output in list(world.kept_outputs):
                world.add_output(type(output)(**{**vars_of(output), "created_at_s": 2.0 + index}))
            keeper.save()
        assert file.stat().st_ino != before
        assert file.stat().st_size < 1.5 * whole
        assert read_copy(file) == said_of(world)


def vars_of(value):
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_what_changes_while_a_world_is_written_anew_is_in_both_files(file, monkeypatch):
    world = a_world()
    grown(world, 4)
    with held(world, file) as keeper:
        monkeypatch.setattr("mockserver.statefile.SAVES_EVERY_S", 0)
        pieces, copies = keeper._append, list[object]()

        def append():
            world.seen.increment("meanwhile")
            pieces()
            if len(copies) < 3:
                copies.append(read_copy(file) == said_of(world))

        keeper._append = append
        keeper._write_anew()
        assert read_copy(file) == said_of(world)
        assert copies == [True] * 3


def test_a_value_that_went_and_came_again_keeps_its_place():
    world = a_world()
    for name in "abc":
        world.seen.increment(name)
    before, snapshot = world.look(), json.loads(json.dumps(world.snapshot()))
    world.seen.delete("a")
    world.seen.increment("a")
    world.seen.increment("d")
    apply_changes(snapshot, find_changes(before, world.look(before)))
    assert list(snapshot["seen"]) == ["b", "c", "a", "d"]
    assert snapshot | {"clock": None} == said_of(world)


def test_a_file_that_somebody_moved_away_is_there_again(file):
    world = a_world()
    grown(world, 2)
    with held(world, file) as keeper:
        file.unlink()
        world.seen.increment("one")
        keeper.save()
        assert read_copy(file) == said_of(world)


def test_a_save_that_takes_long_says_so_once(file, caplog, monkeypatch):
    world = a_world()
    monkeypatch.setattr("mockserver.statefile.LATE_S", -1)
    monkeypatch.setattr("mockserver.statefile.SAVES_EVERY_S", 0.001)
    keeper = kept(world, file)
    looks = iter([False, False, True])
    monkeypatch.setattr(keeper._is_over, "wait", lambda _: next(looks))
    with caplog.at_level(logging.WARNING):
        keeper._run()
    keeper._owned.release()
    assert [record.getMessage().count("a kill may lose") for record in caplog.records] == [1]


def test_a_kill_loses_nothing_that_is_older_than_a_save(file):
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--json", "--state", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = json.loads(first_line(process))["url"]
    httpx.put(f"{url}/__admin/accounts/pikzels/pkz_kept", json={"credits": 7}).raise_for_status()
    never = threading.Event()
    is_saved = any(never.wait(0.05) or b"pkz_kept" in file.read_bytes() for _ in range(200))
    process.kill()
    process.wait(20)
    assert process.stdout
    process.stdout.close()
    assert is_saved
    assert b"pkz_kept" in json.dumps(read_back(file)).encode()
