"""Links of this server: made, read, and turned into the provider's own where they stand in picture fields."""

import pytest
from catalogues import NOTES, a_match, a_request, a_world, an_output, notes
from conftest import said

from mockserver import Settings, create_engine
from mockserver.call import Arguments
from mockserver.links import (
    NOWHERE,
    Names,
    OwnLink,
    base_url,
    cdn_hosts,
    link_to,
    localise,
    marks,
    origins,
    output_id,
    own_addresses,
    read_link,
)

KEY = {"x_api_key": "pkz_test"}
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}


@pytest.mark.parametrize(
    ("public_url", "scheme", "headers", "address"),
    [
        (None, "http", {}, "http://localhost"),
        (None, "http", {"host": "Mock:8080"}, "http://Mock:8080"),
        (None, "https", {"host": "mock"}, "https://mock"),
        (None, "http", {"host": "[::1]:8080"}, "http://[::1]:8080"),
        (None, "http", {"host": "mock", "x-forwarded-proto": "https"}, "https://mock"),
        (None, "http", {"host": "mock", "x-forwarded-host": "outside"}, "http://outside"),
        (None, "http", {"host": "mock", "x-forwarded-host": ""}, "http://mock"),
        (None, "http", {"x-forwarded-proto": " https , http", "x-forwarded-host": " a , b"}, "https://a"),
        ("https://public/base", "http", {"host": "mock", "x-forwarded-host": "a"}, "https://public/base"),
        ("https://public//", "http", {}, "https://public"),
        (None, "http", {"host": "mock", "x-forwarded-proto": "javascript"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-proto": "HTTPS"}, "https://mock"),
        (None, "http", {"host": "mock", "x-forwarded-proto": "https://evil/?"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-host": "evil/path"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-host": "a@evil"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-host": "evil/, good"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-port": "1"}, "http://mock"),
        (None, "http", {"host": "mock", "x-forwarded-prefix": "/evil"}, "http://mock"),
    ],
)
def test_the_address_of_this_server_is_as_the_caller_sees_it(public_url, scheme, headers, address):
    request = a_request()._replace(headers=headers, scheme=scheme)
    assert base_url(request, public_url) == address


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "notes.example"}, "https://notes.example"),
        ({"host": "Notes.Example:443"}, "https://Notes.Example:443"),
        ({"host": "notes.example:8080"}, "http://notes.example:8080"),
        ({"host": "notes.example", "x-forwarded-proto": "http"}, "http://notes.example"),
        ({"host": "notes.example", "x-forwarded-proto": ""}, "https://notes.example"),
        ({"host": "mock", "x-forwarded-host": "notes.example"}, "https://notes.example"),
        ({"host": "xnotes.example"}, "http://xnotes.example"),
    ],
)
def test_who_calls_by_the_host_of_an_api_gets_links_for_tls(headers, address):
    assert (
        base_url(a_request()._replace(headers=headers), None, {"notes.example", "notes.example:443"})
        == address
    )


def test_a_link_leads_below_cdn_and_the_providers_name():
    assert NOTES.outputs is not None
    made = link_to("http://mock:8080", "notes", NOTES.outputs, an_output("7"))
    assert made == "http://mock:8080/cdn/notes/photos/7.png"
    assert read_link(made) == OwnLink("mock:8080", "notes", "/photos/7.png")


@pytest.mark.parametrize(
    ("url", "host", "provider", "path"),
    [
        ("http://h/cdn/notes/a.png", "h", "notes", "/a.png"),
        ("https://h:1/cdn/notes/a/b.png", "h:1", "notes", "/a/b.png"),
        ("https://[::1]:8080/cdn/notes/a.png", "[::1]:8080", "notes", "/a.png"),
        ("http://h/cdn/notes/", "h", "notes", "/"),
        ("http://h/base/cdn/notes/a.png", "h", "notes", "/a.png"),
        ("http://h/cdn/x/cdn/notes/a.png", "h", "notes", "/a.png"),
        ("http://h/cdn/cdn/notes/a.png", "h", "notes", "/a.png"),
        ("http://h/cdn/notes/cdn/", "h", "notes", "/cdn/"),
        ("http://h/cdn//cdn/notes/a.png", "h", "notes", "/a.png"),
        ("http://h/cdn/notes/a.png?x=/cdn/other/b.png", "h", "notes", "/a.png?x=/cdn/other/b.png"),
        ("http://h/cdn/notes/a.png#/cdn/other/b.png", "h", "notes", "/a.png#/cdn/other/b.png"),
    ],
)
def test_a_link_is_read_by_the_last_cdn_that_a_name_and_a_path_follow(url, host, provider, path):
    assert read_link(url) == OwnLink(host, provider, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/cdn/notes/a.png",
        "h/cdn/notes/a.png",
        "ftp://h/cdn/notes/a.png",
        "HTTP://h/cdn/notes/a.png",
        " http://h/cdn/notes/a.png",
        "http:///cdn/notes/a.png",
        "http://u@h/cdn/notes/a.png",
        "http://h/CDN/notes/a.png",
        "http://h",
        "http://h/",
        "http://h/cdn",
        "http://h/cdn/",
        "http://h/cdn//",
        "http://h/cdn//a.png",
        "http://h/cdn/notes",
        "http://h/xcdn/notes/a.png",
        "http://h/a?u=/cdn/notes/a.png",
        "http://h/a#/cdn/notes/a.png",
        "http://h?/cdn/notes/a.png",
        "http://h#/cdn/notes/a.png",
        "http://h/cdn/notes?u=/a.png",
        "http://h/cdn/notes#/a",
    ],
)
def test_what_has_another_form_is_no_link_of_ours(url):
    assert read_link(url) is None


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r", "\x0b", "\xa0", "\u2028", "\u3000", "\ufeff"])
@pytest.mark.parametrize(
    "place", ["http://h{}/cdn/notes/a.png", "http://h/cdn/no{}tes/a.png", "http://h/cdn/notes/a.png{}"]
)
def test_a_link_holds_no_blank(place, blank):
    assert read_link(place.format(blank)) is None


def passed_in(url):
    """Read a link; give how many characters its searches pass."""
    passed = [0]

    class Counted(str):
        __slots__ = ()

        def find(self, sought, start=0, end=None):
            end = len(self) if end is None else end
            at = super().find(sought, start, end)
            passed[0] += max(0, (end if at < 0 else at) - start) + 1
            return at

        def rfind(self, sought, start=0, end=None):
            end = len(self) if end is None else end
            at = super().rfind(sought, start, end)
            passed[0] += max(0, end - (start if at < 0 else at)) + 1
            return at

    read_link(Counted(url))
    return passed[0]


@pytest.mark.parametrize("pump", ["/cdn/", "/cdn//", "cdn/", "/cdn/x", "/", "x", "?", "#", "/cdn", "/cdn/?"])
@pytest.mark.parametrize("tail", ["", "x", "?", "/cdn/"])
def test_a_link_is_read_in_linear_time(pump, tail):
    short, long = (passed_in(f"https://h/{pump * times}{tail}") for times in (1000, 4000))
    assert long <= 4 * short + 100


@pytest.mark.parametrize(
    ("template", "path", "id_"),
    [
        ("/photos/{id}", "/photos/7", "7"),
        ("/photos/{id}", "/photos/7.png", "7"),
        ("/photos/{id}", "/photos/7.webp", "7"),
        ("/photos/{id}", "/photos/7.gif", "7.gif"),
        ("/photos/{id}.png", "/photos/7.png", "7"),
        ("/photos/{id}.png", "/photos/a.b.png", "a.b"),
        ("/photos/{id}.png", "/photos/7xpng", None),
        ("/photos/{id}.png", "/photos/7", None),
        ("/photos/{id}.png", "/photos/.png", None),
        ("/photos/{id}.png", "/photos/a/b.png", None),
        ("/photos/{id}.png", "/photos/7.png/", None),
        ("/photos/{id}.png", "/photos/7.png?x=1", None),
        ("/photos/{id}.png", "/other/7.png", None),
        ("/photos/{id}.png", "", None),
    ],
)
def test_an_id_is_read_out_of_a_path_of_the_tables_form(template, path, id_):
    assert output_id(notes(outputs={**OUTPUTS, "path": template}), path) == id_


OUTPUTS = {
    "origin": "https://cdn.notes.example", "path": "/photos/{id}.png", "media_type": "image/png",
    "provenance": "documented", "citation": "handbook",
}  # fmt: skip


def test_a_provider_without_pictures_has_no_ids_in_paths():
    bare = notes(outputs=None)
    assert output_id(bare, "/photos/7.png") is None
    assert origins([bare]) == {}


@pytest.mark.parametrize(
    ("host", "path", "addresses"),
    [
        ("cdn.notes.example", "/photos/7.png", (("notes", "7"),)),
        ("cdn.notes.example", "/%70hotos/7.png", (("notes", "7"),)),
        ("cdn.notes.example", "/photos/7.gif", (("notes", None),)),
        ("cdn.notes.example", "/photos/a/b.png", (("notes", None),)),
        ("cdn.notes.example", "/photos/", (("notes", None),)),
        ("cdn.notes.example", "/example.png", ()),
        ("cdn.notes.example", "/photos", ()),
        ("cdn.notes.example.org", "/photos/7.png", ()),
        ("other.example", "/photos/7.png", ()),
        (NOWHERE, "/photos/7.png", (("", None),)),
    ],
)
def test_an_address_is_ours_below_the_folder_of_a_providers_pictures(host, path, addresses):
    assert own_addresses(origins([NOTES]), host, path) == addresses


def test_two_apis_may_share_a_host_of_pictures():
    cdns = origins([NOTES, notes("shared")])
    assert own_addresses(cdns, "cdn.notes.example", "/photos/7.png") == (("notes", "7"), ("shared", "7"))


def test_pictures_are_told_by_their_host_where_that_is_no_host_of_the_api():
    shared = notes("shared", hosts=["cdn.notes.example"])
    assert cdn_hosts([NOTES, notes("bare", outputs=None), shared]) == {"cdn.notes.example": "notes"}


@pytest.mark.parametrize(
    ("body", "is_marked"),
    [
        (b'{"photo": "http://h/cdn/notes/a.png"}', True),
        (b'{"photo": "http:\\/\\/h"}', True),
        (b'{"photo": "https://cdn.notes.example/photos/7.png"}', True),
        (b'{"photo": "https://cdnxnotes.example/photos/7.png"}', False),
        (b'{"photo": "https://other.example/a.png"}', False),
        (b"{}", False),
    ],
)
def test_a_body_is_marked_where_it_may_hold_a_link_of_ours(body, is_marked):
    assert (marks([NOTES, notes("bare", outputs=None)]).search(body) is not None) is is_marked


OWN = "https://cdn.notes.example/photos/7.png"


def localised(body, *, provider=NOTES, world=None, raw=None, settings=None, **headers):
    """Turn the links in a body; give the body."""
    request = a_request(body if raw is None else raw, **{"host": "mock:8080", **headers})
    match = a_match("add_note", provider)
    names = Names.of({"notes": provider}, settings)
    return localise(match, request, Arguments({}, {}, {}, body), world or a_world(), names).body


class TestLinksInABody:
    @pytest.mark.parametrize(
        "host",
        [
            "mock:8080",
            "localhost",
            "LOCALHOST:1",
            "localhost:65535",
            "127.0.0.1",
            "127.255.0.9:80",
            "[::1]",
            "[::1]:8080",
        ],
    )
    def test_of_this_machine_or_under_the_callers_name_for_us_become_the_providers_own(self, host):
        assert localised({"photo": f"http://{host}/cdn/notes/photos/7.png"}) == {"photo": OWN}

    @pytest.mark.parametrize(
        "host",
        [
            "mock",
            "mock:80",
            "other",
            "localhost.example",
            "xlocalhost",
            "localhost:123456",
            "127.0.0",
            "128.0.0.1",
            "127.0.0.1.example",
            "::1",
        ],
    )
    def test_of_another_machine_stay_as_they_are(self, host):
        link = f"http://{host}/cdn/notes/photos/7.png"
        assert localised({"photo": link}) == {"photo": link}

    def test_of_another_machine_that_name_a_picture_which_was_handed_out_are_ours(self):
        world = a_world()
        world.add_output(an_output("7"))
        assert localised({"photo": "http://far/cdn/notes/photos/7.png"}, world=world) == {"photo": OWN}
        other = "http://far/cdn/notes/photos/8.png"
        assert localised({"photo": other}, world=world) == {"photo": other}

    def test_under_the_name_that_a_proxy_has_are_ours(self):
        link = "https://outside/cdn/notes/photos/7.png"
        assert localised({"photo": link}, **{"x-forwarded-host": "outside"}) == {"photo": OWN}

    def test_below_the_path_of_a_public_address_are_ours(self):
        assert localised({"photo": "http://mock:8080/base/cdn/notes/photos/7.png"}) == {"photo": OWN}

    def test_keep_their_query(self):
        assert localised({"photo": "http://mock:8080/cdn/notes/photos/7.png?x=1"}) == {"photo": f"{OWN}?x=1"}

    @pytest.mark.parametrize(
        "path", ["notes/any/where", "notes/photos/7.gif", "other/photos/7.png", "notes/photos/"]
    )
    def test_that_have_the_form_of_no_picture_lead_nowhere(self, path):
        turned = localised({"photo": f"http://mock:8080/cdn/{path}"})["photo"]
        assert turned.startswith(f"https://{NOWHERE}/")

    def test_under_a_public_name_or_the_host_of_an_api_are_ours(self):
        chosen = Settings(public_url="https://all", public_urls={"notes": "https://one/base"})
        for host in ("all", "one", "api.notes.example"):
            link = f"https://{host}/cdn/notes/photos/7.png"
            assert localised({"photo": link}, settings=chosen) == {"photo": OWN}

    def test_are_turned_one_by_one_in_a_list(self):
        ours, other = "http://mock:8080/cdn/notes/photos/7.png", "http://other/a.png"
        assert localised({"photos": [ours, other, 7, None, [ours]]}) == {
            "photos": [OWN, other, 7, None, [OWN]]
        }

    @pytest.mark.parametrize("value", [7, None, True, {"photo": "http://mock:8080/cdn/notes/photos/7.png"}])
    def test_are_texts(self, value):
        assert localised({"photo": value}, raw=b"/cdn/") == {"photo": value}

    def test_in_other_fields_are_texts(self):
        link = "http://mock:8080/cdn/notes/photos/7.png"
        assert localised({"text": link, "colour": link, "photo": link}) == {
            "text": link,
            "colour": link,
            "photo": OWN,
        }

    @pytest.mark.parametrize(
        "body", [["http://mock:8080/cdn/notes/photos/7.png"], "http://mock:8080/cdn/notes/a", None, 7]
    )
    def test_are_looked_for_in_objects_only(self, body):
        assert localised(body, raw=b"/cdn/") == body

    def test_may_be_written_with_escapes(self):
        raw = b'{"photo": "http:\\/\\/mock:8080\\/cdn\\/notes\\/photos\\/7.png"}'
        assert localised({"photo": "http://mock:8080/cdn/notes/photos/7.png"}, raw=raw) == {"photo": OWN}

    def test_lead_nowhere_where_the_provider_hands_out_no_pictures(self):
        link = "http://mock:8080/cdn/notes/photos/7.png"
        assert localised({"photo": link}, provider=notes(outputs=None)) == {
            "photo": f"https://{NOWHERE}/photos/7.png"
        }

    def test_leave_everything_else_that_the_request_says(self):
        body = {"photo": "http://localhost/cdn/notes/photos/7.png"}
        before = Arguments({"id": 1}, {"q": 2}, {"h": 3}, body, (), "application/json")
        after = localise(a_match(), a_request(body), before, a_world(), Names.of({"notes": NOTES}))
        assert after == before._replace(body={"photo": OWN})
        assert body == {"photo": "http://localhost/cdn/notes/photos/7.png"}


# Through the whole engine: which links an API takes.


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/cdn/pik\nzels/a.png",
        "http://localhost/cdn/pikzels/a b.png",
        "https://h\n/cdn/pikzels/x",
        "https:// @localhost/cdn/pikzels/x",
        "https://localhost: /cdn/pikzels/x",
        "http://example.com/cdn/pikzels/a.png",
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


def test_a_picture_of_another_provider_is_none_of_ours():
    world = a_world()
    world.add_output(an_output("7", provider="other"))
    body = {"photo": "http://far/cdn/notes/photos/7.png"}
    names = Names.of({"notes": NOTES})
    assert localise(a_match(), a_request(body), Arguments({}, {}, {}, body), world, names).body == body


def test_each_api_may_have_a_public_address_of_its_own():
    chosen = Settings(public_url="https://all", public_urls={"pikzels": "https://one/base/"})
    engine = create_engine(chosen)
    for host in ("localhost", "api.pikzels.com"):
        answer = engine.handle(
            a_request(TEXT, path="/v2/thumbnail/text", host=host, content_type="application/json", **KEY)
        )
        assert said(answer)["output"].startswith("https://one/base/cdn/pikzels/")
    body = {"title": "x", "format": "youtube"}
    other = engine.handle(
        a_request(body, path="/v1/generate", content_type="application/json", x_api_key="tb_test")
    )
    assert said(other)["imageUrl"].startswith("https://all/cdn/thumbapi/")


@pytest.mark.parametrize(
    "host",
    [
        "evil/path", "user@evil", "evil?x", "evil#x", 'evil"x', "evil\\x", "a b", "<script>", "evil:x",
        "evil:65536", "evil:-1", ":80", "[::1", "[zz]", "[::1]]", "[1:2]", "b\xfccher", "a%2fb", "x" * 300,
    ],
)  # fmt: skip
def test_what_is_no_host_never_stands_in_a_link(ask, host):
    for sent in ({"host": host}, {"host": "mock", "x_forwarded_host": host}):
        output = said(ask("POST", "/v2/thumbnail/text", TEXT, **sent, **KEY))["output"]
        assert output.startswith(("http://localhost/cdn/", "http://mock/cdn/"))


def test_a_public_address_of_no_api_is_refused():
    with pytest.raises(ValueError, match="there is no provider pikzel; did you mean pikzels"):
        create_engine(Settings(public_urls={"pikzel": "https://one"}))
