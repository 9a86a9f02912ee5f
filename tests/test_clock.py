"""Time as the APIs see it: it runs, stands, jumps and hurries, and never runs back by itself."""

import threading
import time

import pytest
from conftest import meanwhile

from mockserver.state.clock import LATEST_S, Clock, duration_s, isoformat, moment_s

NEW_YEAR_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.fixture
def passed():
    """Tell how many seconds have passed at most, and one for a machine that sets its time."""
    began = time.monotonic()
    return lambda: time.monotonic() - began + 1


@pytest.fixture
def frozen():
    clock = Clock()
    clock.set(NEW_YEAR_S, is_frozen=True)
    return clock


def test_a_new_clock_shows_real_time(passed):
    assert abs(Clock().now() - time.time()) < passed()
    assert not Clock().is_frozen


def test_a_running_clock_never_runs_back():
    clock = Clock()
    told = [clock.now() for _ in range(1000)]
    assert told == sorted(told)


def test_a_frozen_clock_stands(frozen):
    assert {frozen.now() for _ in range(100)} == {NEW_YEAR_S}
    assert frozen.isoformat() == "2026-01-01T00:00:00.000Z"


def test_a_frozen_clock_advances_exactly(frozen):
    frozen.advance(86_400)
    frozen.advance(0.5)
    assert frozen.now() == NEW_YEAR_S + 86_400.5


def test_a_running_clock_advances_too(passed):
    clock = Clock()
    before = clock.now()
    clock.advance(86_400)
    assert 0 <= clock.now() - before - 86_400 < passed()


def test_a_clock_does_not_advance_backwards(frozen):
    with pytest.raises(ValueError, match="only"):
        frozen.advance(-1)
    assert frozen.now() == NEW_YEAR_S


def test_a_clock_that_is_stopped_keeps_its_time(passed):
    clock = Clock()
    clock.set(NEW_YEAR_S)
    clock.set(is_frozen=True)
    assert 0 <= clock.now() - NEW_YEAR_S < passed()
    assert clock.now() == clock.now()


def test_a_clock_that_goes_on_does_not_catch_up(frozen, passed):
    frozen.set(is_frozen=False)
    assert not frozen.is_frozen
    assert 0 <= frozen.now() - NEW_YEAR_S < passed()


def test_a_clock_that_is_only_moved_stays_stopped_or_running(frozen):
    frozen.set(NEW_YEAR_S + 1)
    running = Clock()
    running.set(NEW_YEAR_S)
    assert (frozen.now(), frozen.is_frozen, running.is_frozen) == (NEW_YEAR_S + 1, True, False)


def test_a_clock_can_be_set_back(frozen):
    frozen.set(0.0)
    assert frozen.isoformat() == "1970-01-01T00:00:00.000Z"


def test_a_fast_clock_runs_faster_than_real_time():
    clock = Clock(scale=1e6)
    clock.set(0.0)
    before_s, real_s = clock.now(), time.monotonic()
    assert any(time.monotonic() != real_s for _ in range(10**6))
    passed_s = time.monotonic() - real_s
    assert clock.now() - before_s >= 0.999e6 * passed_s > 0


def test_an_advance_is_not_scaled():
    clock = Clock(scale=60)
    clock.set(NEW_YEAR_S, is_frozen=True)
    clock.advance(10)
    assert clock.now() == NEW_YEAR_S + 10


def test_a_scaled_clock_does_not_jump_when_it_is_stopped_and_let_go(passed):
    clock = Clock(scale=1000)
    clock.set(NEW_YEAR_S, is_frozen=True)
    clock.set(is_frozen=False)
    clock.set(is_frozen=True)
    assert 0 <= clock.now() - NEW_YEAR_S < 1000 * passed()


def test_a_reset_clock_shows_real_time_again(frozen, passed):
    frozen.reset()
    assert not frozen.is_frozen
    assert abs(frozen.now() - time.time()) < passed()


@pytest.mark.parametrize("now_s", [-1, LATEST_S + 1, float("inf"), float("nan")])
def test_a_time_that_cannot_be_written_is_refused(frozen, now_s):
    bounds = "time runs from 1970-01-01T00:00:00.000Z to 9000-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match=f"s is out of bounds; {bounds}$"):
        frozen.set(now_s)
    assert frozen.now() == NEW_YEAR_S


def test_a_clock_cannot_be_advanced_out_of_bounds(frozen):
    for by_s in (LATEST_S, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="out of bounds"):
            frozen.advance(by_s)
    assert frozen.now() == NEW_YEAR_S


def test_a_stopped_clock_is_restored_at_its_time(frozen):
    other = Clock()
    other.restore(Clock.read(frozen.snapshot()))
    assert (other.now(), other.is_frozen) == (NEW_YEAR_S, True)


def test_a_running_clock_is_restored_as_far_from_real_time_as_it_was(passed):
    clock, other = Clock(), Clock()
    clock.advance(86_400)
    other.restore(Clock.read(clock.snapshot()))
    assert not other.is_frozen
    assert abs(other.now() - time.time() - 86_400) < passed()


@pytest.mark.parametrize(
    "snapshot",
    [{}, {"offset_s": None, "stopped_at_s": None}, {"offset_s": 0, "stopped_at_s": None, "more": 1}],
)
def test_what_is_no_clocks_snapshot_is_not_read(snapshot):
    with pytest.raises(TypeError):
        Clock.read(snapshot)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT24H", 86_400),
        ("P1D", 86_400),
        ("P2W", 1_209_600),
        ("PT1H30M", 5400),
        ("PT0.5S", 0.5),
        ("P1DT1S", 86_401),
        ("PT0S", 0),
        (90, 90),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_iso_8601_or_seconds(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "24H",
        "PT24",
        "P1Y",
        "P1M",
        "PT-1S",
        "-PT1S",
        "1",
        "PT1H ",
        "PT٣S",
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="PT24H"):
        duration_s(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T02:00:00+02:00",
        "2026-01-01",
        NEW_YEAR_S,
        int(NEW_YEAR_S),
    ],
)
def test_a_time_is_iso_8601_or_seconds(text):
    assert moment_s(text) == NEW_YEAR_S


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", True, None])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="2026-01-31T12:00:00Z"):
        moment_s(text)


def test_times_are_written_to_the_millisecond():
    assert isoformat(NEW_YEAR_S + 0.0625) == "2026-01-01T00:00:00.062Z"


@pytest.mark.parametrize("scale", [0, -1, float("inf"), float("nan"), 1e12, 1_000_001])
def test_a_scale_that_is_none_is_refused_with_the_bounds(scale):
    with pytest.raises(ValueError, match="more than 0, and at most 1,000,000"):
        Clock(scale=scale)


def test_a_fast_clock_stays_at_the_end_of_time():
    clock = Clock(scale=1e6)
    clock.set(LATEST_S)
    real = time.monotonic()
    assert any(time.monotonic() != real for _ in range(10**6))
    assert clock.now() == LATEST_S
    clock.set(is_frozen=True)
    assert clock.now() == LATEST_S
    with pytest.raises(ValueError, match="out of bounds"):
        clock.advance(1)


def test_every_move_is_counted_and_no_look(frozen):
    before = frozen.changes
    frozen.now()
    frozen.isoformat()
    moment = Clock.read(frozen.snapshot())
    assert frozen.changes == before
    for move in (
        lambda: frozen.set(1.0),
        lambda: frozen.advance(1),
        frozen.reset,
        lambda: frozen.restore(moment),
    ):
        move()
    assert frozen.changes == before + 4


def test_nobody_sees_a_clock_between_two_times():
    """A reader sees the one time or the other while another thread moves a stopped clock and lets it go."""
    clock = Clock()
    early_s, late_s = 1000.0, LATEST_S - 1e6
    clock.set(early_s, is_frozen=True)

    def move():
        for _ in range(20_000):
            clock.set(late_s, is_frozen=False)
            clock.set(early_s, is_frozen=True)

    mover = threading.Thread(target=move)
    mover.start()
    told = {clock.now() for _ in range(50_000)}
    mover.join()
    late = {now_s for now_s in told if now_s != early_s}
    assert all(late_s <= now_s < LATEST_S for now_s in late)


def test_a_snapshot_of_a_clock_that_runs_far_ahead_is_read():
    assert Clock.read({"offset_s": LATEST_S - 1, "stopped_at_s": None}).offset_s == LATEST_S - 1


@pytest.mark.parametrize(
    "snapshot",
    [
        {"offset_s": 0, "stopped_at_s": -1},
        {"offset_s": 0, "stopped_at_s": LATEST_S + 1},
        {"offset_s": 1e300, "stopped_at_s": None},
        {"offset_s": -1e11, "stopped_at_s": None},
        {"offset_s": float("nan"), "stopped_at_s": None},
    ],
)
def test_a_snapshot_of_a_time_that_cannot_be_is_not_read(snapshot):
    with pytest.raises(ValueError, match="out of bounds"):
        Clock.read(snapshot)


@pytest.mark.parametrize("value", ["1", True, [], {}])
def test_a_snapshot_whose_time_is_no_number_is_not_read(value):
    with pytest.raises(TypeError, match="stopped_at_s must be a number of seconds"):
        Clock.read({"offset_s": 0, "stopped_at_s": value})


def test_a_clock_at_the_end_of_time_is_restored_there():
    clock, other = Clock(), Clock()
    clock.set(LATEST_S)
    other.restore(Clock.read(clock.snapshot()))
    assert other.now() == LATEST_S


class Interrupted(Clock):
    """A clock of which somebody else makes use just when it was looked at."""

    meanwhile = None

    def now(self):
        told = super().now()
        if self.meanwhile:
            other, self.meanwhile = self.meanwhile, None
            self.other = meanwhile(other)
        return told


@pytest.fixture
def interrupted():
    clock = Interrupted()
    clock.set(NEW_YEAR_S, is_frozen=True)
    return clock


@pytest.mark.parametrize("moved_s", [1, 0])
def test_an_advance_is_not_lost_although_somebody_else_moves_or_stops_the_clock(interrupted, moved_s):
    interrupted.meanwhile = lambda: interrupted.advance(10)
    if moved_s:
        interrupted.advance(moved_s)
    else:
        interrupted.set(is_frozen=True)
    interrupted.other.join()
    assert interrupted.now() == NEW_YEAR_S + 10 + moved_s


def test_a_snapshot_is_of_one_moment_although_somebody_else_lets_the_clock_go(interrupted):
    interrupted.meanwhile = lambda: interrupted.set(LATEST_S - 1e6, is_frozen=False)
    told = interrupted.snapshot()
    interrupted.other.join()
    assert told["stopped_at_s"] == NEW_YEAR_S
