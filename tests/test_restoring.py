"""A snapshot with a wrong value in it is refused with its place, or serves every later call without a 5xx."""

import base64
import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import KEYS, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver import Request, Settings, create_engine
from mockserver.walk import run

PHOTO = (
    "data:image/png;base64,"
    + base64.b64encode((Path(__file__).parent.parent / "fixtures/images/logo.png").read_bytes()).decode()
)
JSON = {"content-type": "application/json"}
TEXT = {"prompt": "an island", "model": "pkz_4", "format": "1:1"}
THUMB = {"title": "t", "format": "x"}
FREE = Settings(raises_bugs=True, pictures="plain")


PERSONA = {"name": "Me", "image_urls": ["https://example.com/a.png"] * 3}
SMART = {"top_up": 10, "has_unpaid_invoice": False}
ASSETS = {"photo": {"data": PHOTO, "scale": 0.2}}
SETS = {"r": {"format": "x", "files": ["images/logo.png"]}}
ACCOUNTS = [
    ("pikzels", "pkz_test", {"credits": 90, "enforce": ["credits", "limits"], "smart_balance": SMART}),
    ("fatthumb", "nsk_test", {"enforce": ["limits"], "assume": {"unknown_fields": "ignored"}}),
    ("thumbapi", "tb_test", {"plan": "business", "assets": ASSETS, "reference_sets": SETS}),
]
ORDERS = [
    {"operation": "pikzels.post_v2_thumbnail_score", "error": "TOO_MANY_REQUESTS", "times": 3, "after": 1},
    {
        "operation": "fatthumb.*",
        "stub": {"status": 503, "headers": {"X-A": "b"}, "body": {"a": 1}},
        "every": 2,
    },
    {"operation": "download", "fault": "IMAGE_TRUNCATED", "probability": 0.5},
    {"operation": "thumbapi.*", "delay": {"uniform": [0, 1]}, "account": "tb_nobody"},
    {"operation": "thumbapi.*", "delay": {"lognormal": {"median": 0, "sigma": 0.1}}},
    {"operation": "webhook", "delay": 0},
    {"operation": "pikzels.*", "ok": True, "after": 4},
]


def send(engine, method, path, body=None, key=None, **headers):
    sent = {name.lower(): value for name, value in (key or {}).items()}
    sent |= JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    path, _, query = path.partition("?")
    raw = b"" if body is None else orjson.dumps(body)
    return run(engine.walk(Request(method, path, {"host": "same", **sent}, query, raw)), is_patient=False)


def live():
    """Do a bit of everything; give the snapshot and what can be read."""
    engine = create_engine(FREE)
    send(engine, "PUT", "/__admin/clock", {"now": "2026-05-05T05:05:05Z", "frozen": True})
    pkz, bearer, thumb = KEYS["pikzels"], KEYS["fatthumb"], KEYS["thumbapi"]
    sent = "/v2/pikzonality"
    trained = [
        ("persona", {**PERSONA, "name": "Manual"}, {"prefer": "job=manual"}),
        ("persona", {**PERSONA, "name": "Failed"}, {"prefer": "job=failed"}),
        ("style", {"name": "Uploaded", "image_base64s": [PHOTO] * 3}, {}),
        ("style", PERSONA, {}),
    ]
    ids = [
        said(send(engine, "POST", f"{sent}/{kind}", body, pkz, **more))["id"] for kind, body, more in trained
    ]
    link = said(send(engine, "POST", "/v2/thumbnail/text", TEXT, pkz))["output"]
    photo = {"prompt": "p", "model": "pkz_4", "format": "16:9", "image_base64": PHOTO}
    image = said(send(engine, "POST", "/v2/thumbnail/image", photo, pkz))["output"]
    call = {"prompt": "a", "count": 3}
    ended = [
        send(engine, "POST", "/api/v1/generate", call, bearer, prefer=f"job={end}")
        for end in ("partial", "failed")
    ]
    generations = [said(each)["generationId"] for each in ended]
    promised = said(
        send(engine, "POST", "/v1/generate", {**THUMB, "webhookUrl": "http://127.0.0.1:1/"}, thumb)
    )
    made = said(send(engine, "POST", "/v1/generate", THUMB, thumb))["imageUrl"]
    for provider, key, change in ACCOUNTS:
        assert send(engine, "PUT", f"/__admin/accounts/{provider}/{key}", change).status == 200, change
    for order in ORDERS:
        assert send(engine, "POST", "/__admin/faults", order).status == 200, order
    send(engine, "PUT", "/__admin/assumptions", {"pikzels.rename": "accepted"})
    for _ in range(2):  # windows
        send(engine, "POST", "/api/v1/generate", {"prompt": "w"}, bearer)
        send(engine, "POST", "/v1/generate", THUMB, thumb)
    send(engine, "POST", "/v2/thumbnail/score", {"image_url": "https://example.com/s.png"}, pkz)
    state = engine.world.snapshot()
    links = [f"/{each.split('/', 3)[3]}" for each in (link, image, made)]
    return orjson.loads(orjson.dumps(state)), [*reads_of(ids, generations, links, promised["jobId"])]


def reads_of(ids, generations, links, job):
    """Give calls that look at all of it, and some that change it."""
    pkz, bearer, thumb = KEYS["pikzels"], KEYS["fatthumb"], KEYS["thumbapi"]
    pages = ("accounts", "jobs", "webhooks", "faults", "clock", "assumptions", "state", f"jobs/{job}")
    yield from (("GET", f"/v2/pikzonality/{id_}", None, pkz) for id_ in ids)
    yield from (("GET", f"/api/v1/generations/{id_}", None, bearer) for id_ in generations)
    yield from (("GET", link, None, None) for link in links)
    yield from (("GET", f"/__admin/{page}", None, None) for page in pages)
    yield from (("GET", f"/__admin/accounts/{provider}/{key}", None, None) for provider, key, _ in ACCOUNTS)
    yield from [
        ("POST", "/v2/thumbnail/score", {"image_url": f"http://same{links[1]}"}, pkz),
        ("POST", "/v2/thumbnail/score", {"image_base64": PHOTO}, pkz),
        ("POST", "/v2/thumbnail/text", {**TEXT, "style": ids[-1]}, pkz),
        ("PATCH", f"/v2/pikzonality/{ids[-1]}", {"name": "Other"}, pkz),
        ("POST", "/v2/pikzonality/style", {**PERSONA, "name": "Me"}, pkz),
        ("POST", "/api/v1/generate", {"prompt": "b"}, bearer),
        ("POST", "/v1/generate", {**THUMB, "usePhoto": True, "customAssetsId": "r"}, thumb),
        ("POST", "/v1/generate", {**THUMB, "webhookUrl": "http://127.0.0.1:1/"}, thumb),
        ("PUT", f"/__admin/jobs/{job}", {"status": "failed"}, None),
        ("PUT", "/__admin/accounts/pikzels/pkz_test", {"credits": 3}, None),
        ("DELETE", f"/v2/pikzonality/{ids[-1]}", None, pkz),
    ]


STATE, READS = live()


def leaves(value, path=()):
    """Give the path of everything within a value, containers included."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from leaves(item, (*path, key))


LEAVES = [path for path in leaves(STATE) if path]
WRONG: tuple[Any, ...] = (
    None, True, 5, -1, 1.0, 0.5, 10**14, 10**30, "", "x", "é\ud800", "a\r\nB: c", "\0", "200", "image/jpeg",
    "9" * 5000, [], [1], [None], ["x"], {}, {"x": 1}, {"": None}, [[]], 20_000,
)  # fmt: skip
ENGINE = create_engine(FREE)


def changed(path, value):
    state = copy.deepcopy(STATE)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return state


def serves(state):
    """Restore a state; say whether it was taken, and if so that everything is answered without a 5xx."""
    ENGINE.world.reset()
    answer = ENGINE.handle(Request("PUT", "/__admin/state", {}, body=json.dumps(state).encode()))
    if answer.status != 200:
        assert answer.status == 400, answer
        assert len(json.loads(answer.read())["detail"]) > 20
        return False
    for moved in (0, 1, 3600):
        if moved:
            send(ENGINE, "POST", "/__admin/clock/advance", {"by": moved})
        for method, path, body, key in READS:
            found = send(ENGINE, method, path, body, key)
            assert found.status < 500 or found.error == "stub", (method, path, found)
    return True


def test_what_was_not_changed_is_taken_and_served():
    assert serves(STATE)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(path=st.sampled_from(LEAVES), value=st.sampled_from([..., *WRONG]))
def test_any_wrong_value_is_refused_or_does_no_harm(path, value):
    serves(changed(path, value))


@pytest.mark.parametrize(
    ("kind", "inner", "value", "place"),
    [
        ("accounts", ("flags", "enforce"), 5, "enforce"),
        ("accounts", ("flags", "assume"), {"pikzels": "x"}, "assume"),
        ("accounts", ("state",), "asleep", "state"),
        ("accounts", ("key",), "other", "other"),
        ("outputs", ("scene", "width"), 20_000, "scene.width"),
        ("outputs", ("scene", "width"), 1280.0, "scene.width"),
        ("outputs", ("scene", "insets"), [{}], "scene.insets"),
        ("outputs", ("media_type",), "image/png\r\nX: y", "media_type"),
        ("outputs", ("fails",), "later", "fails"),
        ("kept_outputs", ("scene", "metadata"), [["Software"]], "scene.metadata"),
        ("pictures", ("small",), "bm8gcGljdHVyZQ==", "small"),
        ("pictures", ("small",), "no base64", "small"),
        ("resources", ("outcome",), "nothing", "a job of"),
        ("resources", ("kind",), "nothing", "kind"),
        ("resources", ("duration_s",), 10**14, "duration_s"),
        ("deliveries", ("status",), "lost", "status"),
    ],
)
def test_a_wrong_inner_value_is_refused_with_its_place_and_changes_nothing(kind, inner, value, place):
    assert serves(STATE)
    before = ENGINE.world.snapshot() | {"clock": None}
    key = next(iter(STATE[kind]))
    wrong = changed((kind, key, *inner), value)
    answer = ENGINE.handle(Request("PUT", "/__admin/state", {}, body=json.dumps(wrong).encode()))
    assert answer.status == 400
    assert f"{kind}: {key}: " in said(answer)["detail"]
    assert place in said(answer)["detail"]
    assert ENGINE.world.snapshot() | {"clock": None} == before


@pytest.mark.parametrize("start", ["gen_", "job_"])
def test_a_job_of_which_nothing_is_known_is_refused(start):
    key = next(each for each in STATE["resources"] if each.startswith(start))
    assert not serves(changed(("resources", key, "fields"), {}))


@pytest.mark.parametrize(
    "order",
    [
        {"operation": "*", "id": 1, "fault": "NOTHING", "times": 1},
        {"operation": "nowhere.*", "id": 1, "is_ok": True},
        {"operation": "*", "id": 1, "stub": {"status": 99}},
        {"operation": "*", "id": 1, "stub": {"headers": {"X": "a\r\nB: c"}}},
        {"operation": "*", "id": 1, "error": "nothing"},
    ],
)
def test_an_order_that_could_not_be_given_is_refused(order):
    assert not serves(changed(("plans", "plan", "orders", 0), order))


def test_readings_that_are_not_there_are_refused():
    assert not serves(changed(("assumed",), {"pikzels.rename": "perhaps"}))


def test_what_belongs_to_an_api_that_is_not_served_is_left_alone():
    other = STATE["accounts"]["pikzels/pkz_test"] | {"provider": "other", "flags": {"enforce": 5}}
    assert serves(changed(("accounts", "other/pkz_test"), other))
