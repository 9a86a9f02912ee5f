"""The whole life of Pikzels over HTTP: train, poll, use, expire; run out, top up, go on. Nothing sleeps."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import STRICT, said
from PIL import Image, ImageDraw

from mockserver import Server, create_engine

STYLE = {"name": "Creator Studio", "image_urls": ["https://cdn.pikzels.com/example.png"] * 3}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}


@pytest.fixture
def api():
    with Server(create_engine(STRICT)) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        client.headers["X-Api-Key"] = "pkz_life"
        client.put("/__admin/clock", json={"now": "2026-03-01T12:00:00Z", "frozen": True}).raise_for_status()
        yield client


def advance(api, by):
    answer = api.post("/__admin/clock/advance", json={"by": by})
    assert answer.status_code == 200, answer.text
    return answer.json()["now"]


def trained(api, mode="style", **headers):
    answer = api.post(f"/v2/pikzonality/{mode}", json=STYLE, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_a_style_is_trained_polled_used_and_deleted(api):
    style = trained(api)
    seen = []
    for _ in range(5):
        read = api.get(f"/v2/pikzonality/{style}").json()
        seen.append(
            (read["status"], read["progress"], read["portrait_url"] is None, read["reference"] is None)
        )
        advance(api, 0.5)
    assert seen == [
        ("processing", 0, True, True),
        ("processing", 25, True, True),
        ("processing", 50, True, True),
        ("processing", 75, True, True),
        ("completed", 100, False, False),
    ]
    used = api.post("/v2/thumbnail/text", json={**TEXT, "style": style})
    assert used.status_code == 200
    assert api.delete(f"/v2/pikzonality/{style}").json() == {"message": "Persona or style deleted"}
    assert code(api.get(f"/v2/pikzonality/{style}")) == (404, "NOT_FOUND")
    assert code(api.delete(f"/v2/pikzonality/{style}")) == (404, "NOT_FOUND")
    assert code(api.post("/v2/thumbnail/text", json={**TEXT, "style": style})) == (404, "NOT_FOUND")


def test_while_it_trains_it_can_be_changed_but_neither_used_nor_deleted(api):
    style = trained(api)
    assert code(api.delete(f"/v2/pikzonality/{style}")) == (400, "CANNOT_DELETE_PROCESSING")
    assert code(api.post("/v2/thumbnail/text", json={**TEXT, "style": style})) == (409, "CONFLICT")
    changed = api.patch(f"/v2/pikzonality/{style}", json={"special_instructions": "More contrast"})
    assert changed.json()["special_instructions"] == "More contrast"


def test_a_failed_training_ends_in_failed_and_is_not_usable(api):
    persona = trained(api, "persona", Prefer="job=failed")
    advance(api, 2)
    read = api.get(f"/v2/pikzonality/{persona}").json()
    assert (read["status"], read["portrait_url"], read["reference"]) == ("failed", None, None)
    assert read["progress"] < 100
    assert code(api.post("/v2/thumbnail/text", json={**TEXT, "persona": persona})) == (409, "CONFLICT")


def test_a_manual_training_ends_when_the_admin_says_so(api):
    persona = trained(api, "persona", Prefer="job=manual")
    advance(api, "P7D")
    assert api.get(f"/v2/pikzonality/{persona}").json()["status"] == "processing"
    api.put(f"/__admin/jobs/{persona}", json={"status": "completed"}).raise_for_status()
    read = api.get(f"/v2/pikzonality/{persona}").json()
    assert (read["status"], read["progress"]) == ("completed", 100)


def test_an_end_that_nobody_knows_is_refused_and_creates_nothing(api):
    answer = api.post("/v2/pikzonality/style", json=STYLE, headers={"Prefer": "job=partial"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "completed" in answer.text
    assert trained(api)


def test_a_deleted_name_is_free_again(api):
    style = trained(api)
    assert code(api.post("/v2/pikzonality/style", json=STYLE)) == (409, "NAME_ALREADY_EXISTS")
    advance(api, 2)
    api.delete(f"/v2/pikzonality/{style}").raise_for_status()
    assert trained(api)


def test_a_link_expires_after_24_hours_and_a_portrait_does_not(api):
    style = trained(api)
    link = api.post("/v2/thumbnail/text", json=TEXT).json()["output"]
    advance(api, "PT23H59M59S")
    assert httpx.get(link).status_code == 200
    assert api.post("/v2/thumbnail/score", json={"image_url": link}).status_code == 200
    portrait = api.get(f"/v2/pikzonality/{style}").json()["portrait_url"]
    advance(api, 1)
    assert httpx.get(link).status_code == 404
    assert code(api.post("/v2/thumbnail/score", json={"image_url": link})) == (400, "INVALID_IMAGE")
    assert httpx.get(portrait).status_code == 200


def test_a_day_passes_without_waiting_for_it(api):
    before = api.get("/__admin/clock").json()["now"]
    assert (before, advance(api, "PT24H")) == ("2026-03-01T12:00:00.000Z", "2026-03-02T12:00:00.000Z")


def test_out_of_credits_topped_up_and_on_again(api):
    account = "/__admin/accounts/pikzels/pkz_life"
    api.put(account, json={"credits": 0.40, "enforce": ["credits"]}).raise_for_status()
    assert api.post("/v2/thumbnail/text", json=TEXT).status_code == 200
    assert code(api.post("/v2/thumbnail/text", json=TEXT)) == (402, "INSUFFICIENT_CREDITS")
    assert api.post("/v2/thumbnail/score", json={"image_url": "https://example.com/a.png"}).status_code == 200
    api.put(account, json={"credits": 5}).raise_for_status()
    assert api.post("/v2/thumbnail/text", json=TEXT).status_code == 200
    shown = api.get(account).json()
    assert [entry["amount"] for entry in shown["ledger"]] == [0.37, 0.03, 0.37]
    assert shown["credits"] == 4.63


def test_a_call_that_fails_costs_nothing(api):
    for headers in ({"Prefer": "code=500"}, {"Prefer": "code=422"}, {"Prefer": "code=504"}):
        api.post("/v2/thumbnail/text", json=TEXT, headers=headers)
    api.post("/v2/thumbnail/text", json={**TEXT, "model": "pkz_9"})
    assert api.get("/__admin/accounts/pikzels/pkz_life").json()["ledger"] == []


@pytest.mark.parametrize(
    ("smart", "answered"),
    [
        ({"top_up": 10}, None),
        ({"top_up": 0.36}, (402, "INSUFFICIENT_CREDITS")),
        ({"top_up": 10, "has_unpaid_invoice": True}, (402, "SMART_BALANCE_PAYMENT_FAILED")),
    ],
)
def test_smart_balance_covers_the_call_or_says_why_not(api, smart, answered):
    account = "/__admin/accounts/pikzels/pkz_life"
    api.put(account, json={"credits": 0, "enforce": ["credits"], "smart_balance": smart})
    answer = api.post("/v2/thumbnail/text", json=TEXT)
    shown = api.get(account).json()
    if answered:
        assert code(answer) == answered
        assert (shown["credits"], shown["ledger"]) == (0, [])
    else:
        assert answer.status_code == 200
        assert [entry["amount"] for entry in shown["ledger"]] == [-10, 0.37]
        assert shown["credits"] == 9.63


def test_the_eleventh_call_at_once_is_refused_and_passes_later(api):
    api.put("/__admin/accounts/pikzels/pkz_life", json={"enforce": ["limits"]}).raise_for_status()

    def slow(_):
        return api.post("/v2/thumbnail/text", json=TEXT, headers={"Prefer": "delay=1500"})

    with ThreadPoolExecutor(11) as pool:
        answers = list(pool.map(slow, range(11)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["message"] == "Too many requests. Please try again later."
    assert refused.headers["Retry-After"] == "1"
    assert api.post("/v2/thumbnail/text", json=TEXT).status_code == 200


def test_twenty_threads_lose_nothing_and_count_right(api):
    def create_and_read(number):
        created = api.post("/v2/pikzonality/style", json={**STYLE, "name": f"Style {number}"}).json()["id"]
        read = api.get(f"/v2/pikzonality/{created}").json()
        return created, read["name"]

    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(create_and_read, range(100)))
    assert len({id_ for id_, _ in made}) == 100
    assert {name for _, name in made} == {f"Style {number}" for number in range(100)}
    shown = api.get("/__admin/accounts/pikzels/pkz_life").json()
    assert len(shown["ledger"]) == 100
    assert shown["credits"] == round(100 - 100 * 0.38, 6)


def data_url(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("colour", ["red", "grey", "black", "white", (30, 60, 120)])
def test_a_score_of_flat_colour_is_not_advised_to_sharpen(ask, colour):
    body = {"image_base64": data_url(Image.new("RGB", (640, 360), colour))}
    answer = said(ask("POST", "/v2/thumbnail/score", body, x_api_key="pkz_test"))
    assert "Sharpen" not in answer["suggestion"]
    assert "subject" not in answer["suggestion"]


def test_a_picture_full_of_words_is_less_clear_than_a_clean_one(ask):
    clean, full = Image.new("RGB", (640, 360), "navy"), Image.new("RGB", (640, 360), "white")
    ImageDraw.Draw(clean).ellipse((220, 80, 420, 280), fill="gold")
    for row in range(0, 360, 12):
        ImageDraw.Draw(full).text((2, row), "words and more words " * 10, fill="black")
    clarity = [
        said(ask("POST", "/v2/thumbnail/score", {"image_base64": data_url(each)}, x_api_key="pkz_test"))
        for each in (clean, full)
    ]
    assert clarity[0]["subscores"]["clarity"] > clarity[1]["subscores"]["clarity"] + 10


@pytest.mark.parametrize("name", ["Creator Studio ", " Creator Studio", "CREATOR studio"])
def test_a_name_that_differs_by_a_blank_or_its_case_is_the_same_until_it_is_free(ask, engine, name):
    def train(name):
        return ask("POST", "/v2/pikzonality/style", {**STYLE, "name": name}, x_api_key="pkz_life")

    first = train(name)
    assert (first.status, train("Creator Studio").error) == (200, "NAME_ALREADY_EXISTS")
    engine.world.clock.advance(2)
    assert ask("DELETE", f"/v2/pikzonality/{said(first)['id']}", x_api_key="pkz_life").status == 200
    assert (train("Creator Studio").status, train(name).error) == (200, "NAME_ALREADY_EXISTS")


def test_who_spells_its_own_name_in_another_way_keeps_it(ask, engine):
    ask("PUT", "/__admin/accounts/pikzels/pkz_life", {"assume": {"rename": "accepted"}})

    def train(name):
        return ask("POST", "/v2/pikzonality/style", {**STYLE, "name": name}, x_api_key="pkz_life")

    id_ = said(train("Creator Studio"))["id"]
    engine.world.clock.advance(2)
    path = f"/v2/pikzonality/{id_}"
    assert ask("PATCH", path, {"name": "CREATOR studio"}, x_api_key="pkz_life").status == 200
    assert train("Creator Studio").error == train("creator studio").error == "NAME_ALREADY_EXISTS"
    assert ask("PATCH", path, {"name": "Another"}, x_api_key="pkz_life").status == 200
    assert train("Creator Studio").status == 200
    engine.world.clock.advance(2)
    assert ask("DELETE", path, x_api_key="pkz_life").status == 200
    assert train("Creator Studio").error == "NAME_ALREADY_EXISTS"


@pytest.mark.parametrize("name", ["admin", " admin", "Admin "])
def test_a_reserved_name_is_reserved_with_blanks_and_in_any_case(ask, name):
    answer = ask("POST", "/v2/pikzonality/style", {**STYLE, "name": name}, x_api_key="pkz_life")
    assert answer.error == "NAME_RESERVED"


def test_a_failed_training_frees_its_name_where_the_documents_are_read_so(ask, engine):
    reading = {"assume": {"name_of_failed": "free"}}
    assert ask("PUT", "/__admin/accounts/pikzels/pkz_life", reading).status == 200

    def train(**headers):
        return ask("POST", "/v2/pikzonality/style", STYLE, x_api_key="pkz_life", **headers).status

    assert (train(prefer="job=failed"), train()) == (200, 409)
    engine.world.clock.advance(2)
    assert (train(), train()) == (200, 409)
