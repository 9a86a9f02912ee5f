"""Figures of the bundled tables, seen from outside: each stands here once more, as its document says it."""

import asyncio
import base64
import re

import orjson
import pytest
from conftest import KEYS, said

from mockserver import Request, Settings, create_engine
from mockserver.behaviours.outputs import draw_scene
from mockserver.seeded import Random
from mockserver.spec.files import FIXTURES
from mockserver.state.world import World

STYLE = {"name": "Studio", "image_urls": ["https://cdn.pikzels.com/example.png"] * 3}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}
THUMB = {"title": "10 Tips", "format": "youtube", "webhookUrl": "http://127.0.0.1:9/"}
JOBS = [
    # "This can take up to 3 minutes"
    ("pikzels", "/v2/pikzonality/style", STYLE, 180),
    # "under about 60 s"; the figure is ours
    ("fatthumb", "/api/v1/generate", {"prompt": "A developer"}, 45),
    # "under 25 s"
    ("thumbapi", "/v1/generate", THUMB, 25),
]
# Ours, as the table says: each subscore is a weighted mean of what the pixels say.
WEIGHTS = {
    "clarity": {"calm": 0.5, "contrast": 0.3, "sharpness": 0.2},
    "curiosity": {"composition": 0.6, "colourfulness": 0.4},
    "emotion": {"colourfulness": 0.7, "brightness": 0.3},
    "idea": {"composition": 0.5, "contrast": 0.3, "brightness": 0.2},
    "virality": {"contrast": 0.4, "colourfulness": 0.4, "sharpness": 0.2},
}
MEASURED = sorted({name for weights in WEIGHTS.values() for name in weights})
# What a picture that is never fetched is taken for.
LOW, HIGH = 0.55, 0.95
SUGGESTIONS = {
    "clarity": "Sharpen",
    "curiosity": "Leave one question open",
    "emotion": "Use warmer",
    "idea": "Give the main subject",
    "virality": "Increase contrast",
}


def asked(engine, provider, path, body):
    headers = {"host": "localhost", "content-type": "application/json"}
    headers |= {name.lower(): value for name, value in KEYS[provider].items()}
    return said(engine.handle(Request("POST", path, headers, body=orjson.dumps(body))))


@pytest.mark.parametrize(("provider", "path", "body", "realistic_s"), JOBS, ids=[job[0] for job in JOBS])
def test_a_job_takes_two_seconds_or_as_long_as_the_documents_say(provider, path, body, realistic_s):
    for is_realistic, lasts_s in ((False, 2), (True, realistic_s)):
        engine = create_engine(Settings(is_realistic=is_realistic, raises_bugs=True, checks_answers=True))
        engine.world.clock.set(1_800_000_000, is_frozen=True)
        asked(engine, provider, path, body)
        (job,) = engine.world.resources
        engine.world.clock.advance(lasts_s - 0.5)
        assert job.status(engine.world.clock.now()) == "processing"
        engine.world.clock.advance(0.5)
        assert job.status(engine.world.clock.now()) in {"completed", "succeeded"}


def test_a_score_weighs_what_a_picture_is_taken_for(ask):
    for number in range(20):
        url = f"https://example.com/{number}.png"
        random = Random.from_text("0", f"example.com/{number}.png")
        measured = {name: LOW + (HIGH - LOW) * random.share(name) for name in MEASURED}
        subscores = {
            name: round(100 * sum(measured[each] * weight for each, weight in weights.items()))
            for name, weights in WEIGHTS.items()
        }
        answer = said(ask("POST", "/v2/thumbnail/score", {"image_url": url}, **KEYS["pikzels"]))
        assert answer["subscores"] == subscores
        assert answer["main_score"] == round(sum(subscores.values()) / 5)
        weakest = min(subscores, key=lambda name: subscores[name])
        assert answer["suggestion"].startswith(SUGGESTIONS[weakest])


def test_the_progress_of_a_failed_training_stops_at_60(ask, engine):
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    made = said(ask("POST", "/v2/pikzonality/style", STYLE, prefer="job=failed", **KEYS["pikzels"]))["id"]
    seen = []
    for _ in range(3):
        seen.append(said(ask("GET", f"/v2/pikzonality/{made}", **KEYS["pikzels"]))["progress"])
        engine.world.clock.advance(1)
    assert seen == [0, 30, 60]


def test_a_receiver_of_webhooks_has_ten_seconds_and_a_retry_doubles_its_pause(ask, engine, monkeypatch):
    given, wait = [], asyncio.timeout

    def note(seconds):
        given.append(seconds)
        return wait(seconds)

    monkeypatch.setattr(asyncio, "timeout", note)
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    job = said(ask("POST", "/v1/generate", THUMB, prefer="job=failed", **KEYS["thumbapi"]))["jobId"]
    dues = []
    while (due_at_s := engine.world.deliveries.get(job).due_at_s) is not None:
        dues.append(due_at_s - 1_800_000_000)
        engine.webhooks.advance_clock(engine.world, due_at_s - engine.world.clock.now())
    # "retries up to 3 times with exponential backoff", and "respond within 10 seconds"
    assert dues == [2, 3, 5, 9]
    assert given == [10] * 4


def test_titles_are_five_about_the_first_seven_words(ask):
    prompt = "one two three four five six seven eight"
    answer = said(ask("POST", "/v2/title/text", {"prompt": prompt}, **KEYS["pikzels"]))
    assert len(answer["outputs"]) == 5
    topics = [re.search(r"(?i)one two.*?seven", each) for each in answer["outputs"]]
    assert all(topics)
    assert "eight" not in str(answer["outputs"])


def test_a_picture_tells_who_is_in_it_and_how_much_of_a_picture_it_keeps(ask, engine):
    def told(path, body):
        assert ask("POST", path, body, **KEYS["pikzels"]).status == 200
        made = list(engine.world.outputs)[-1].scene
        return made["notes"], dict(made["metadata"])["Software"]

    style = {"name": "Studio", "image_urls": ["https://example.com/a.png"] * 3}
    id_ = said(ask("POST", "/v2/pikzonality/style", style, **KEYS["pikzels"]))["id"]
    engine.world.clock.advance(5)
    assert told("/v2/thumbnail/text", {**TEXT, "style": id_}) == (["style: Studio"], "Pikzels")
    assert told("/v2/thumbnail/text", TEXT) == ([], "Pikzels")


@pytest.mark.parametrize(("count", "notes"), [(1, []), (2, ["variation 1 of 2", "variation 2 of 2"])])
def test_a_thumbnail_tells_which_of_several_it_is(ask, engine, count, notes):
    assert ask("POST", "/api/v1/generate", {"prompt": "a", "count": count}, **KEYS["fatthumb"]).status == 200
    made = [*engine.world.outputs, *engine.world.kept_outputs]
    assert (len(made), [note for each in made for note in each.scene["notes"]]) == (count, notes)


def test_every_picture_that_a_call_brings_is_drawn_once(ask, engine):
    file = (FIXTURES / "images" / "logo.png").read_bytes()
    picture = f"data:image/png;base64,{base64.b64encode(file).decode()}"
    body = {**TEXT, "image_base64": picture}
    assert ask("POST", "/v2/thumbnail/image", body, **KEYS["pikzels"]).status == 200
    (made,) = engine.world.outputs
    assert len(made.scene["insets"]) == 1
    assert draw_scene(engine.world, made.scene) != draw_scene(World(), made.scene), "it is not to be seen"
    engine.world.reset()
    style = {"name": "Studio", "image_base64s": [picture] * 3}
    assert ask("POST", "/v2/pikzonality/style", style, **KEYS["pikzels"]).status == 200
    every = [each for kind in (engine.world.outputs, engine.world.kept_outputs) for _, each in kind.list()]
    drawn = {each.scene["headline"]: len(each.scene["insets"]) for each in every}
    assert drawn == {"Studio": 3, "Studio 1": 1, "Studio 2": 1, "Studio 3": 1}


def test_the_files_of_a_reference_set_are_drawn_and_the_saved_photo_where_it_is_asked_for(ask, engine):
    asked = {**THUMB, "customAssetsId": "ref_brand_v2", "usePhoto": True}
    assert ask("POST", "/v1/generate", asked, x_api_key="tb_live_abc123").status == 202
    (job,) = engine.world.resources
    drawn = [(each["role"], each["data"][-15:]) for each in job.fields["scene"]["insets"]]
    files = [("reference", f"reference-{number}.png") for number in (1, 2, 3)]
    assert [role for role, _ in drawn] == ["photo", *(role for role, _ in files)]
    assert len({name for _, name in drawn}) == 4


GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def padded(name, size, label="png"):
    """Give a picture as a data URL, filled up to a size."""
    file = (FIXTURES / "images" / name).read_bytes().ljust(size, b"\0")
    return f"data:image/{label};base64,{base64.b64encode(file).decode()}"


def as_photo(picture):
    return {"title": "10 Tips", "format": "youtube", "usePhoto": True, "photoImage": picture}


def as_logo(picture):
    return {"title": "10 Tips", "format": "youtube", "useLogo": True, "logoImage": picture}


def test_a_picture_that_was_taken_as_a_photo_is_held_to_the_cap_of_a_logo_when_it_comes_as_one(ask):
    picture = padded("logo.png", 1_200_000)  # "photoImage … Max 2MB", "logoImage … Max 1MB"
    answers = [
        ask("POST", "/v1/generate", each(picture), x_api_key="tb_test") for each in (as_photo, as_logo)
    ]
    assert [each.status for each in answers] == [200, 400]
    assert said(answers[1]) == {"error": "logoImage exceeds 1MB cap"}


@pytest.mark.parametrize(
    ("reading", "sent"),
    [
        ("size_caps=text", as_logo(padded("logo.png", 1_000_000))),
        ("contradicting_label=refused", as_logo(padded("logo.png", 0, "webp"))),
        ("picture_types=as_saved", as_photo(GIF)),
    ],
)
def test_a_picture_that_is_known_is_judged_again_where_it_is_read_more_strictly(ask, engine, reading, sent):
    assert ask("POST", "/v1/generate", sent, x_api_key="tb_test").status == 200
    engine.world.assume(f"thumbapi.{reading}")
    assert ask("POST", "/v1/generate", sent, x_api_key="tb_test").status == 400


def test_a_flag_that_is_off_is_off_although_pictures_switch_theirs_on(ask, engine):
    engine.world.assume("thumbapi.pictures_without_flag=used")
    photo = padded("photo.png", 0)
    for flag, drawn in ((None, ["photo"]), (False, [])):
        body = {**THUMB, "photoImage": photo, "usePhoto": flag}
        body = {name: value for name, value in body.items() if value is not None}
        job = said(ask("POST", "/v1/generate", body, **KEYS["thumbapi"]))["jobId"]
        insets = engine.world.resources.get(job).fields["scene"]["insets"]
        assert [each["role"] for each in insets] == drawn


URL = {"image_url": "https://example.com/a.png"}
FACE = {**URL, "face_image": "https://example.com/b.png"}
# "USD per call", by model where that makes a difference.
PRICES = [
    *(("thumbnail/text", {**TEXT, "model": name}, usd) for name, usd in (
        ("pkz_4_5", 0.13), ("pkz_4", 0.37), ("pkz_3", 0.16), ("pkz_2", 0.20))),
    *(("thumbnail/image", {**TEXT, **URL, "model": name}, usd) for name, usd in (
        ("pkz_4_5", 0.13), ("pkz_4", 0.36), ("pkz_3", 0.18), ("pkz_2", 0.20))),
    ("thumbnail/edit", {**URL, "prompt": "a", "format": "16:9"}, 0.12),
    ("thumbnail/faceswap", {**FACE, "format": "16:9"}, 0.12),
    ("thumbnail/score", URL, 0.03),
    ("title/text", {"prompt": "a"}, 0.08),
    ("pikzonality/persona", STYLE, 0.38),
    ("pikzonality/style", STYLE, 0.38),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "body", "usd"), PRICES)
def test_a_call_of_pikzels_costs_what_its_price_list_says(ask, engine, operation, body, usd):
    assert ask("POST", f"/v2/{operation}", body, **KEYS["pikzels"]).status == 200
    (entry,) = engine.world.ledger
    assert (entry.amount, entry.balance) == (usd, 100 - usd)


@pytest.mark.parametrize(
    ("plan", "monthly", "per_second"),
    [("free", 50, 1), ("creator", 750, 2), ("pro", 2500, 5), ("business", 10_000, 20)],
)
def test_a_plan_of_thumbapi_grants_so_many_credits_a_month_and_calls_a_second(
    ask, engine, plan, monthly, per_second
):
    engine.world.clock.set(1_800_000_000, is_frozen=True)
    put = {"plan": plan, "credits": 7, "enforce": ["limits"]}
    ask("PUT", "/__admin/accounts/thumbapi/tb_test", put)
    call = {"title": "10 Tips", "format": "youtube"}
    answers = [ask("POST", "/v1/generate", call, x_api_key="tb_test").status for _ in range(per_second + 1)]
    assert answers == [200] * per_second + [429]
    engine.world.clock.advance(31 * 86_400)
    account = said(ask("GET", "/__admin/accounts/thumbapi/tb_test"))
    assert account["credits"] == monthly


def test_new_accounts_have_what_the_documents_give_them(ask):
    found = {
        name: said(ask("GET", f"/__admin/accounts/{name}/{key}"))["credits"]
        for name, key in (("pikzels", "pkz_new"), ("fatthumb", "nsk_new"), ("thumbapi", "tb_new"))
    }
    assert found == {"pikzels": 100, "fatthumb": 500, "thumbapi": 10_000}


@pytest.mark.parametrize(
    ("body", "cost"), [({}, 10), ({"model": "hd"}, 20), ({"useLogo": True}, 12), ({"usePhoto": True}, 12)]
)
def test_a_call_of_thumbapi_costs_ten_or_twenty_and_two_for_each_picture(ask, engine, body, cost):
    call = {"title": "10 Tips", "format": "youtube", **body}
    assert ask("POST", "/v1/generate", call, x_api_key="tb_live_abc123").status == 200
    (entry,) = engine.world.ledger
    assert entry.amount == cost
