"""`/__admin/requests`: listed, filtered, found in WireMock's words, exported and forgotten."""

import subprocess

import orjson
import pytest
from conftest import header, said

from mockserver import Request

KEY = {"x_api_key": "pkz_test"}
SCORE = {"image_url": "https://example.com/a.png"}
SCORED = "pikzels.post_v2_thumbnail_score"


@pytest.fixture
def calls(ask):
    ask("POST", "/v2/thumbnail/score", SCORE, **KEY)
    ask("POST", "/v2/thumbnail/score", {}, x_api_key="pkz_other")
    ask("GET", "/nowhere?a=1&a=2&b=", cookie="sid=7", x_thing="One")
    return ask


def ids(answer):
    return [each["id"] for each in said(answer)["requests"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3]),
        ("?operation=pikzels.*", [1, 2]),
        (f"?operation={SCORED}&status=200", [1]),
        ("?status=404", [3]),
        ("?account=pkz_test", [1]),
        ("?account=pikzels/pkz_other", [2]),
        ("?limit=2", [2, 3]),
        ("?limit=0", []),
        ("?limit=9", [1, 2, 3]),
    ],
)
def test_the_list_can_be_filtered(calls, query, found):
    answer = calls("GET", f"/__admin/requests{query}")
    assert ids(answer) == [f"req-{number}" for number in found]
    assert said(answer)["meta"] == {"total": len(found)}


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("?operation=pikzels.post_v2_thumbnail_scor", f"did you mean {SCORED}?"),
        ("?statuss=200", "did you mean status?"),
        ("?format=hra", "did you mean har?"),
        ("?status=ok", "status=ok is no whole number"),
        ("?limit=٣", "limit=٣ is no whole number"),
    ],
)
def test_a_misspelt_filter_is_refused_with_what_was_meant(calls, query, hint):
    answer = calls("GET", f"/__admin/requests{query}")
    assert (answer.status, hint in said(answer)["detail"]) == (400, True)


def test_one_call_is_shown_by_the_id_of_its_answer(ask):
    id_ = header(ask("POST", "/v2/thumbnail/score", {}, **KEY), "Mock-Request-Id")
    shown = said(ask("GET", f"/__admin/requests/{id_}"))
    assert (shown["operation"], shown["error"], shown["wasMatched"]) == (SCORED, "VALIDATION_ERROR", True)
    assert (shown["request"]["method"], shown["request"]["body"], shown["response"]["status"]) == (
        "POST",
        "{}",
        400,
    )
    assert shown["violations"][0].keys() == {"location", "pointer", "keyword", "message", "citation"}


def test_an_unknown_id_is_told(ask):
    assert ask("GET", "/__admin/requests/req-9").status == 404
    assert ask("DELETE", "/__admin/requests/req-9").status == 404


def test_bytes_that_are_no_text_are_shown_in_base64(ask):
    ask("POST", "/nowhere", b"\xff\xfe")
    assert said(ask("GET", "/__admin/requests/req-1"))["request"]["bodyAsBase64"] == "//4="


BODY = {"a": [1, {"b": 2}], "name": "Cat", "none": None, "tags": []}


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "ANY"}, True),
        ({"method": "GET"}, False),
        ({"urlPath": "/nowhere"}, True),
        ({"urlPath": "/nowhere?a=x&a=y"}, False),
        ({"url": "/nowhere?a=x&a=y"}, True),
        ({"url": "/nowhere"}, False),
        ({"urlPathPattern": "/now.*"}, True),
        ({"urlPathPattern": "now"}, False),
        ({"urlPattern": r"/nowhere\?a=.*"}, True),
        ({"headers": {"X-Thing": {"equalTo": "One"}}}, True),
        ({"headers": {"X-Thing": {"equalTo": "one"}}}, False),
        ({"headers": {"X-Thing": {"equalTo": "one", "caseInsensitive": True}}}, True),
        ({"headers": {"x-thing": {"contains": "n"}, "x-none": {"absent": True}}}, True),
        ({"headers": {"x-thing": {"absent": True}}}, False),
        ({"headers": {"x-thing": {"absent": False}}}, True),
        ({"headers": {"x-thing": {"matches": "O.e"}}}, True),
        ({"headers": {"x-thing": {"doesNotMatch": "O"}}}, True),
        ({"headers": {"x-thing": {"doesNotContain": "O"}}}, False),
        ({"headers": {"x-thing": {"not": {"equalTo": "Two"}}}}, True),
        ({"headers": {"x-thing": {"and": [{"contains": "O"}, {"contains": "e"}]}}}, True),
        ({"headers": {"x-thing": {"or": [{"contains": "x"}, {"contains": "y"}]}}}, False),
        ({"queryParameters": {"a": {"equalTo": "y"}}}, True),
        ({"queryParameters": {"a": {"equalTo": "z"}}}, False),
        ({"queryParameters": {"c": {"absent": True}}}, True),
        ({"cookies": {"sid": {"equalTo": "7"}}}, True),
        ({"cookies": {"tid": {"equalTo": "7"}}}, False),
        ({"bodyPatterns": [{"contains": "Cat"}, {"contains": "Dog"}]}, False),
        ({"bodyPatterns": [{"equalToJson": BODY}]}, True),
        ({"bodyPatterns": [{"equalToJson": orjson.dumps(BODY).decode()}]}, True),
        ({"bodyPatterns": [{"equalToJson": {**BODY, "a": [1, {"b": True}]}}]}, False),
        ({"bodyPatterns": [{"equalToJson": {"name": "Cat"}}]}, False),
        ({"bodyPatterns": [{"equalToJson": {"name": "Cat"}, "ignoreExtraElements": True}]}, True),
        ({"bodyPatterns": [{"equalToJson": {**BODY, "a": [{"b": 2}, 1]}}]}, False),
        ({"bodyPatterns": [{"equalToJson": {**BODY, "a": [{"b": 2}, 1]}, "ignoreArrayOrder": True}]}, True),
        ({"bodyPatterns": [{"equalToJson": {**BODY, "a": [1, 1]}, "ignoreArrayOrder": True}]}, False),
        ({"bodyPatterns": [{"matchesJsonPath": "$.name"}]}, True),
        ({"bodyPatterns": [{"matchesJsonPath": "$.none"}]}, False),
        ({"bodyPatterns": [{"matchesJsonPath": "$.tags"}]}, False),
        ({"bodyPatterns": [{"matchesJsonPath": "$.a[?(@.b == 2)]"}]}, True),
        ({"bodyPatterns": [{"matchesJsonPath": {"expression": "$.name", "contains": "at"}}]}, True),
        ({"bodyPatterns": [{"matchesJsonPath": {"expression": "$.a[1]", "equalToJson": {"b": 2}}}]}, True),
        ({"bodyPatterns": [{"matchesJsonPath": {"expression": "$.x", "absent": True}}]}, True),
        ({"bodyPatterns": [{"absent": True}]}, False),
    ],
)
def test_calls_are_found_in_the_words_of_wiremock(ask, pattern, is_found):
    ask("POST", "/nowhere?a=x&a=y", BODY, cookie="sid=7", x_thing="One")
    assert ids(ask("POST", "/__admin/requests/find", pattern)) == (["req-1"] if is_found else [])
    assert said(ask("POST", "/__admin/requests/count", pattern)) == {"count": int(is_found)}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"7"])
def test_a_body_that_is_no_json_object_matches_no_path(ask, body):
    ask("POST", "/nowhere", body)
    found = ask("POST", "/__admin/requests/find", {"bodyPatterns": [{"matchesJsonPath": "$.name"}]})
    assert ids(found) == []


def test_a_long_picture_is_found_by_the_json_that_was_sent(ask):
    body = {"image_base64": "data:image/png;base64," + "A" * 100_000, "title": "x"}
    ask("POST", "/nowhere", body)
    assert ids(ask("POST", "/__admin/requests/find", {"bodyPatterns": [{"equalToJson": body}]})) == ["req-1"]
    body["title"] = "y"
    assert ids(ask("POST", "/__admin/requests/find", {"bodyPatterns": [{"equalToJson": body}]})) == []


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ({"urlPth": "/"}, "there is no request attribute 'urlPth'; did you mean urlPath?"),
        (
            {"headers": {"a": {"equalsTo": "b"}}},
            "headers.a: there is no matcher 'equalsTo'; did you mean equalTo?",
        ),
        (
            {"bodyPatterns": [{"equalToJSON": {}}]},
            "bodyPatterns[0]: there is no matcher 'equalToJSON'; did you mean equalToJson?",
        ),
        ({"bodyPatterns": [{"equalToJson": {}, "ignoreOrder": True}]}, "did you mean ignoreArrayOrder?"),
        (
            {"bodyPatterns": [{"equalTo": "a", "contains": "b"}]},
            "one matcher at a time, not equalTo and contains",
        ),
        ({"bodyPatterns": [{}]}, "one matcher at a time"),
        ({"bodyPatterns": [{"matches": "("}]}, "is no regular expression"),
        ({"bodyPatterns": [{"contains": 7}]}, "must be a string, not 7"),
        ({"bodyPatterns": [{"absent": "yes"}]}, "must be true or false"),
        ({"bodyPatterns": [{"and": {}}]}, "must be a list of matchers"),
        ({"bodyPatterns": [{"not": {"equals": "a"}}]}, "there is no matcher 'equals'; did you mean equalTo?"),
        ({"bodyPatterns": [{"equalToJson": "{"}]}, "equalToJson: "),
        ({"bodyPatterns": [{"matchesJsonPath": "$.["}]}, "is no JSONPath"),
        ({"bodyPatterns": ["a"]}, "a matcher is an object"),
        ({"bodyPatterns": {}}, "bodyPatterns: must be a list"),
        ({"headers": []}, "headers: must be an object"),
        ({"urlPathPattern": "("}, "urlPathPattern: is no regular expression"),
        ({"method": 7}, "method: must be a string"),
        ([], "a request pattern is a JSON object"),
    ],
)
def test_a_pattern_that_is_wrong_is_refused_with_what_was_meant(ask, pattern, hint):
    answer = ask("POST", "/__admin/requests/find", pattern)
    assert (answer.status, header(answer, "Content-Type")) == (400, "application/problem+json")
    assert hint in said(answer)["detail"]


@pytest.mark.parametrize("page", ["find", "count", "remove"])
def test_a_pattern_that_is_wrong_forgets_nothing(calls, page):
    assert calls("POST", f"/__admin/requests/{page}", {"urlPth": "/"}).status == 400
    assert ids(calls("GET", "/__admin/requests")) == ["req-1", "req-2", "req-3"]


def test_a_pattern_that_is_no_json_is_refused(calls):
    assert calls("POST", "/__admin/requests/find", b"{").status == 400


def test_calls_are_forgotten_one_by_one_by_pattern_or_all(calls):
    assert calls("DELETE", "/__admin/requests/req-2").status == 200
    assert ids(calls("GET", "/__admin/requests")) == ["req-1", "req-3"]
    assert ids(calls("POST", "/__admin/requests/remove", {"urlPath": "/nowhere"})) == ["req-3"]
    assert ids(calls("GET", "/__admin/requests")) == ["req-1"]
    calls("DELETE", "/__admin/requests")
    assert ids(calls("GET", "/__admin/requests")) == []


NEEDED = {  # what HAR 1.2 wants of each part, by name
    "log": {"version", "creator", "entries"},
    "creator": {"name", "version"},
    "entries": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {
        "method",
        "url",
        "httpVersion",
        "cookies",
        "headers",
        "queryString",
        "headersSize",
        "bodySize",
    },
    "response": {
        "status",
        "statusText",
        "httpVersion",
        "cookies",
        "headers",
        "content",
        "redirectURL",
        "headersSize",
        "bodySize",
    },
    "content": {"size", "mimeType"},
    "postData": {"mimeType", "text"},
    "timings": {"send", "wait", "receive"},
}


def lacking(name, value):
    """What HAR wants and is not there, in a value and all below it."""
    if isinstance(value, list):
        return [each for item in value for each in lacking(name, item)]
    if not isinstance(value, dict):
        return []
    below = [each for inner, item in value.items() for each in lacking(inner, item)]
    return [*((name, each) for each in NEEDED.get(name, set()) - value.keys()), *below]


def test_the_journal_is_exported_as_har(calls):
    har = said(calls("GET", "/__admin/requests?format=har"))
    assert lacking("", har) == []
    assert har["log"]["version"] == "1.2"
    scored, refused, lost = har["log"]["entries"]
    assert scored["request"]["postData"] == {
        "mimeType": "application/json",
        "text": orjson.dumps(SCORE).decode(),
    }
    assert (refused["response"]["status"], refused["response"]["statusText"]) == (400, "Bad Request")
    assert lost["request"]["queryString"] == [
        {"name": "a", "value": "1"},
        {"name": "a", "value": "2"},
        {"name": "b", "value": ""},
    ]
    assert "postData" not in lost["request"]


def test_a_har_tells_of_bytes_of_cut_bodies_and_of_no_answer(engine, ask):
    ask("POST", "/nowhere", b"\xff" * 100_000)
    walk = engine.walk(Request("POST", "/v2/thumbnail/score", {"host": "localhost", "prefer": "delay=9"}))
    next(walk)
    walk.close()
    cut, given_up = said(ask("GET", "/__admin/requests?format=har"))["log"]["entries"]
    assert cut["request"]["postData"]["_encoding"] == "base64"
    assert cut["request"]["postData"]["comment"] == "the journal has cut it; it had 100000 bytes"
    assert (cut["request"]["bodySize"], given_up["request"]["bodySize"]) == (100_000, 0)


def test_a_call_can_be_pasted_as_curl(client, server):
    title = 'It\'s "quoted"\n$HOME `x`'
    first = client.post(
        "/v2/thumbnail/score", json={**SCORE, "title": title}, headers={"X-Api-Key": "pkz_test"}
    )
    id_ = first.headers["mock-request-id"]
    answer = client.get(f"/__admin/requests/{id_}/curl")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    command = answer.text.replace("pkz_...test", "pkz_test")
    told = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30).stdout
    assert orjson.loads(told)["main_score"] == first.json()["main_score"]


def test_bytes_are_pasted_by_way_of_base64(client):
    first = client.post("/nowhere", content=b"\xff\xfe")
    command = client.get(f"/__admin/requests/{first.headers['mock-request-id']}/curl").text
    subprocess.run(["bash", "-c", f"{command.strip()} -s"], capture_output=True, check=True, timeout=30)
    newest = client.get("/__admin/requests?limit=1").json()["requests"][0]
    assert newest["request"]["bodyAsBase64"] == "//4="


def test_a_cut_body_is_not_offered_as_if_it_were_whole(ask):
    ask("POST", "/nowhere", b"\xff" * 100_000)
    text = ask("GET", "/__admin/requests/req-1/curl").body.decode()
    assert text.startswith("# the journal has cut the body, which had 100000 bytes\n")
