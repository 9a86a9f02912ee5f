"""Links of this server: turned into the provider's own only where they are whole links in a picture field."""

import pytest
from conftest import said

KEY = {"x_api_key": "pkz_test"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/cdn/pik\nzels/a.png",
        "http://localhost/cdn/pikzels/a b.png",
        "https://h\n/cdn/pikzels/x",
        "https:// @localhost/cdn/pikzels/x",
        "https://localhost: /cdn/pikzels/x",
        "http://example.com/cdn/pikzels/a.png",
        "http://localhost/cdn/fatthumb/a.png",
    ],
)
def test_what_only_looks_like_our_link_is_refused_as_the_schema_says(ask, url):
    answer = ask("POST", "/v2/thumbnail/score", {"image_url": url}, **KEY)
    assert (answer.status, said(answer)["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_link_in_a_text_is_text(ask):
    title = "http://localhost/cdn/pikzels/" + "x" * 171
    assert len(title) == 200
    body = {"image_url": "https://example.com/a.png", "title": title}
    assert ask("POST", "/v2/thumbnail/score", body, **KEY).status == 200
    assert ask("POST", "/v2/thumbnail/score", {**body, "title": title + "x"}, **KEY).status == 400


def test_a_text_with_half_a_link_is_accepted_where_the_document_accepts_it(ask):
    body = {
        "title": "http://localhost/cdn/thumb\tapi/",
        "format": "x",
        "note": ["http://localhost/cdn/thumb\tapi/"],
    }
    assert ask("POST", "/v1/generate", body, x_api_key="tb_test").status == 200
    assert (
        ask(
            "POST", "/api/v1/generate", {"prompt": "http://localhost/cdn/fat\nthumb/"}, x_api_key="nsk_test"
        ).status
        == 200
    )


def test_instructions_are_given_back_as_they_were_sent(ask):
    style = {"name": "n", "image_urls": ["https://example.com/a.png"] * 3}
    id_ = said(ask("POST", "/v2/pikzonality/style", style, **KEY))["id"]
    text = "http://localhost/cdn/pikzels/"
    answer = ask("PATCH", f"/v2/pikzonality/{id_}", {"special_instructions": text}, **KEY)
    assert said(answer)["special_instructions"] == text


def test_a_link_works_under_another_name_of_the_same_server(ask):
    output = said(ask("POST", "/v2/thumbnail/text", TEXT, host="mockserver:8080", **KEY))["output"]
    assert output.startswith("http://mockserver:8080/cdn/pikzels/")
    assert ask("POST", "/v2/thumbnail/score", {"image_url": output}, host="127.0.0.1:9", **KEY).status == 200


def test_an_escaped_slash_is_a_slash(ask):
    output = said(ask("POST", "/v2/thumbnail/text", TEXT, **KEY))["output"]
    body = ('{"image_url": "' + output.replace("/", "\\/") + '"}').encode()
    assert ask("POST", "/v2/thumbnail/score", body, **KEY).status == 200
