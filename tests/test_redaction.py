"""No key stands in what is shown, wherever a caller has put it."""

import logging

import pytest
from conftest import KEYS, said

from mockserver.console import write_bodies, write_json, write_line
from mockserver.journal.redaction import ShownFormatter, redaction_of

SECRET = "SECRETSECRET"
KEY = f"pkz_{SECRET}1234"
SCORE, BODY = "/v2/thumbnail/score", {"image_url": "https://example.com/a.png"}
CALLS = {
    "where it belongs": ("POST", SCORE, BODY, {"x_api_key": KEY}),
    "as it is in Authorization": ("POST", SCORE, BODY, {"authorization": KEY}),
    "in another header": ("POST", SCORE, BODY, {"x_apikey": KEY}),
    "in a cookie": ("POST", SCORE, BODY, {"cookie": f"k={KEY}"}),
    "in a referer": ("POST", SCORE, BODY, {"referer": f"http://x/?k={KEY}", "x_api_key": KEY}),
    "in the query": ("POST", f"{SCORE}?key={KEY}", BODY, {}),
    "in the path": ("GET", f"/v2/pikzonality/{KEY}", None, {"x_api_key": KEY}),
    "in no path": ("GET", f"/v2/nowhere/{KEY}", None, {}),
    "as a field": ("POST", SCORE, {**BODY, KEY: 1}, {"x_api_key": KEY}),
    "as a value": ("POST", SCORE, {"image_url": KEY}, {"x_api_key": KEY}),
    "as a member": ("POST", SCORE, {**BODY, "key": KEY}, {}),
    "as a secret with a quote": ("POST", SCORE, {**BODY, "api_key": f'a"{SECRET}1234'}, {}),
    "as a preference": ("POST", SCORE, BODY, {"prefer": f"example={KEY}", "x_api_key": KEY}),
}


@pytest.mark.parametrize("place", CALLS)
def test_a_key_is_nowhere_shown(ask, engine, heard, place):
    method, path, body, headers = CALLS[place]
    ask(method, path, body, **headers)
    exchange = heard[0]
    response, redaction = exchange.response, redaction_of(engine.catalog.providers.values())
    shown = [
        write_line(exchange, response, {}, "", redaction),
        write_json(exchange, response, redaction, has_bodies=True),
        *write_bodies(exchange, response, redaction),
    ]
    pages = ("", "?format=har", f"/{exchange.request_id}", f"/{exchange.request_id}/curl")
    shown += [ask("GET", f"/__admin/requests{page}").read().decode() for page in pages]
    assert [text for text in shown if SECRET in text] == []


@pytest.mark.parametrize(
    "page",
    ["accounts", f"accounts/pikzels/{KEY}", "faults", f"faults/{KEY}", f"jobs/{KEY}",
     f"requests?operation={KEY}", f"requests/{KEY}", f"nowhere/{KEY}", f"accounts/{KEY}/x", "webhooks"],
)  # fmt: skip
def test_no_admin_page_shows_a_key(ask, page):
    ask("PUT", f"/__admin/accounts/pikzels/{KEY}", {"credits": 3})
    ask("POST", "/__admin/faults", {"operation": "pikzels.*", "error": "TOO_MANY_REQUESTS", "account": KEY})
    hook = f"http://me:{SECRET}@127.0.0.1:9/?k={KEY}"
    ask("POST", "/v1/generate", {"title": "a", "format": "x", "webhookUrl": hook}, **KEYS["thumbapi"])
    assert SECRET not in ask("GET", f"/__admin/{page}").read().decode()


def test_the_state_alone_tells_keys_for_it_can_be_put_back(ask):
    ask("PUT", f"/__admin/accounts/pikzels/{KEY}", {"credits": 3})
    assert f"pikzels/{KEY}" in said(ask("GET", "/__admin/state"))["accounts"]


def test_a_log_with_its_traceback_shows_no_key(engine):
    formatter = ShownFormatter("%(message)s", redaction_of(engine.catalog.providers.values()))
    with pytest.raises(KeyError) as raised:
        dict[str, int]()[KEY]
    told = (raised.type, raised.value, raised.tb)
    record = logging.LogRecord("x", logging.ERROR, "", 1, "a bug with %s", (KEY,), told)
    assert SECRET not in formatter.format(record)
    assert "pkz_...1234" in formatter.format(record)


def test_what_is_no_key_stays(ask, heard):
    ask(
        "POST",
        "/v2/thumbnail/text",
        {"prompt": "pkz_4 and tb_x", "model": "pkz_4", "format": "1:1"},
        x_api_key="pkz_test",
    )
    shown = said(ask("GET", "/__admin/requests"))["requests"][0]["request"]["body"]
    assert "pkz_4 and tb_x" in shown
