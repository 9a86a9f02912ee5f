"""The pictures behind links: who finds the door, and what is answered behind it."""

import io

import pytest
from catalogues import NOON_S, NOTES, a_catalogue, a_request, a_world, an_output, notes
from conftest import said
from PIL import Image

from mockserver.downloads import Downloads
from mockserver.problems import EmulatorProblem
from mockserver.readings import Readings

PATH = "/cdn/notes/photos/7.png"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def world():
    made = a_world()
    made.add_output(an_output("7"))
    return made


def door(path=PATH, *, method="GET", catalogue=None, **headers):
    request = a_request(method=method, path=path, **headers)
    return request, Downloads(catalogue or a_catalogue(), Readings(catalogue or a_catalogue(), {})).find(
        request
    )


def answered(world, path=PATH, **more):
    """Go through the door; give the answer."""
    request, found = door(path, **more)
    return found.answer(request, world)


def refused(world, path=PATH, **more):
    with pytest.raises(EmulatorProblem) as caught:
        answered(world, path, **more)
    return caught.value


class TestTheDoor:
    @pytest.mark.parametrize("path", [PATH, "/cdn/", "/cdn/nobody", "/cdn//", "/cdn/notes"])
    def test_is_below_cdn(self, path):
        assert door(path)[1].name == "download"

    @pytest.mark.parametrize(
        "path", ["/cdn", "/cdnx/notes/photos/7.png", "/CDN/", "/notes", "/", "", "/a/cdn/"]
    )
    def test_is_nowhere_else(self, path):
        assert door(path)[1] is None

    @pytest.mark.parametrize("host", ["cdn.notes.example", "CDN.Notes.Example", "cdn.notes.example:443"])
    @pytest.mark.parametrize("path", ["/photos/7.png", "/", "/notes"])
    def test_is_everywhere_at_the_host_of_the_providers_pictures(self, path, host):
        assert door(path, host=host)[1].name == "download"

    @pytest.mark.parametrize("host", ["notes.example", "xcdn.notes.example", "cdn.notes.example.org", ""])
    def test_is_not_at_another_host(self, host):
        assert door("/photos/7.png", host=host)[1] is None

    def test_is_not_at_a_host_of_the_api_itself(self):
        shared = a_catalogue(notes(hosts=["cdn.notes.example"]))
        assert door("/photos/7.png", host="cdn.notes.example", catalogue=shared)[1] is None

    def test_is_not_found_by_a_request_without_a_host(self):
        request = a_request(method="GET", path="/photos/7.png")._replace(headers={})
        assert Downloads(a_catalogue(), Readings(a_catalogue(), {})).find(request) is None


class TestAPicture:
    def test_is_drawn_and_sent_with_its_type_and_tag(self, world):
        answer = answered(world)
        headers = dict(answer.headers)
        assert (answer.status, answer.body[:8], answer.error) == (200, PNG, None)
        assert list(headers) == ["Content-Type", "ETag", "Cache-Control"]
        assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/png", "public, no-cache")
        assert headers["ETag"][0] == headers["ETag"][-1] == '"'

    def test_has_the_type_that_it_was_made_in(self, world):
        webp = an_output(
            "8", media_type="image/webp", scene={**an_output().scene, "media_type": "image/webp"}
        )
        world.add_output(webp)
        answer = answered(world, "/cdn/notes/photos/8.png")
        assert (answer.headers[0], answer.body[:4]) == (("Content-Type", "image/webp"), b"RIFF")

    def test_is_found_under_the_providers_own_host_too(self, world):
        assert answered(world, "/photos/7.png", host="cdn.notes.example").body == answered(world).body

    def test_has_a_tag_of_its_own(self, world):
        world.add_output(an_output("8", scene={**an_output().scene, "headline": "Other words"}))
        world.add_output(an_output("9"))
        tags = [dict(answered(world, f"/cdn/notes/photos/{id_}.png").headers)["ETag"] for id_ in (7, 8, 9)]
        assert tags[0] == tags[2] != tags[1]

    def test_may_be_asked_for_with_head(self, world):
        assert answered(world, method="HEAD") == answered(world)

    @pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', '{}, "other"', "*", " * "])
    def test_that_the_caller_has_is_not_sent_again(self, world, template):
        tag = dict(answered(world).headers)["ETag"]
        answer = answered(world, if_none_match=template.format(tag))
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers == (("ETag", tag), ("Cache-Control", "public, no-cache"))

    @pytest.mark.parametrize("value", ["", '"other"', 'W/"other"', "no tag", '"*"'])
    def test_that_the_caller_has_another_of_is_sent(self, world, value):
        assert answered(world, if_none_match=value).status == 200


class TestNoPicture:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get"])
    def test_is_sent_for_another_method_whether_there_is_one_or_not(self, world, method):
        for path in (PATH, "/cdn/notes/photos/none.png"):
            problem = refused(world, path, method=method)
            assert (problem.status, problem.headers) == (405, {"Allow": "GET, HEAD"})

    @pytest.mark.parametrize(
        "path",
        [
            "/cdn/notes/photos/8.png",
            "/cdn/notes/photos/7",
            "/cdn/notes/7.png",
            "/cdn/notes/photos/7.png/",
            "/cdn/notes//photos/7.png",
            "/cdn/nobody/photos/7.png",
            "/cdn/photos/7.png",
            "/cdn/notes",
            "/cdn/",
            "/cdn//photos/7.png",
            "/cdn/Notes/photos/7.png",
        ],
    )
    def test_is_where_none_was_handed_out(self, world, path):
        problem = refused(world, path)
        assert (problem.status, problem.title) == (404, "No such picture")
        assert problem.detail == f"{path} was never handed out, or has expired"

    def test_is_behind_a_link_that_has_expired(self, world):
        world.clock.set(NOON_S + 3599.9)
        assert answered(world).status == 200
        world.clock.set(NOON_S + 3600)
        assert refused(world).status == 404
        assert refused(world, if_none_match="*").status == 404

    def test_expires_that_is_kept_for_ever(self, world):
        world.add_output(an_output("9", expires_at_s=None))
        world.clock.advance(100 * 365 * 86_400)
        assert answered(world, "/cdn/notes/photos/9.png").status == 200

    def test_is_below_another_providers_name(self, world):
        both = a_catalogue(NOTES, notes("other"))
        assert refused(world, "/cdn/other/photos/7.png", catalogue=both).status == 404

    def test_is_where_the_provider_hands_out_none(self, world):
        assert refused(world, catalogue=a_catalogue(notes(outputs=None))).status == 404

    def test_is_left_after_a_reset(self, world):
        world.reset()
        world.clock.set(NOON_S)
        assert refused(world).status == 404


@pytest.mark.parametrize(
    ("word", "status", "title"),
    [
        ("download_404", 404, "Download ordered to fail"),
        ("download_500", 500, "Download ordered to fail"),
        ("download_truncated", 200, None),
    ],
)
@pytest.mark.parametrize("way", ["key", "word"])
def test_a_download_fails_where_the_call_ordered_it(ask, word, status, title, way):
    prompt = f"My island [{word}]" if way == "word" else "My island"
    key = f"pkz_test_{word}" if way == "key" else "pkz_test"
    body = {"prompt": prompt, "model": "pkz_4", "format": "16:9"}
    made = ask("POST", "/v2/thumbnail/text", body, x_api_key=key)
    link = said(made)["output"].removeprefix("http://localhost")
    answer = ask("GET", link)
    assert (made.status, answer.status) == (200, status)
    if title:
        assert said(answer)["title"] == title
    else:
        with pytest.raises(OSError, match=r"[Tt]runcated"):
            Image.open(io.BytesIO(answer.read())).load()
