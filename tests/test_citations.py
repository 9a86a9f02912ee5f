"""What a table calls documented stands in the document that it cites; what is ours says so.

The vendors' pages are not ours to copy. Where texts of them lie beside the checkout, in `documents`, or in
the folders that MOCKSERVER_DOCUMENTS names, every quote, figure and code is looked up in them; a text is of a
page or about it when it holds its address or title, and is the page itself when that stands at its beginning.
"""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from mockserver import create_engine
from mockserver.messages import Request
from mockserver.spec.catalog import load
from mockserver.spec.references import hints
from mockserver.spec.row import Cited, Fact
from mockserver.spec.rows import ErrorRow, Row

ROOT = Path(__file__).parents[1]
PROVIDERS = load().providers
OWN = ("a choice of this emulator", "inferred from")  # how the names begin of what is no document
PROGRAMS = "programs"
UNCITED = ("hosts", "accounts.attributes", "credits", "plans", "words")  # what has no provenance in its rows
FOLDERS = os.environ.get("MOCKSERVER_DOCUMENTS", str(ROOT.parent / "documents")).split(os.pathsep)
DOCUMENTS = [
    re.sub(r"(?:\s|`|\*\*)+", " ", file.read_text("utf-8"))
    for folder in FOLDERS
    for file in sorted(Path(folder).glob("*"))
    if file.suffix in {".txt", ".md", ".yaml", ".html"}
]
OPENING = 400  # characters of a text in which a page says which one it is
UNITS = {"second": 1, "minute": 60, "hour": 3600}  # in which a figure may be said


def rows_of(value, place=""):
    """Give every row of facts in a table, with its place."""
    if isinstance(value, Fact):
        yield place, value
    if isinstance(value, Row):
        parts = {name: getattr(value, name) for name in hints(type(value))}
    elif isinstance(value, tuple):
        parts = {str(index): each for index, each in enumerate(value)}
    else:
        parts = value if hasattr(value, "items") else {}
    for name, each in parts.items():
        yield from rows_of(each, f"{place}.{name}" if place else name)


def leaves_of(value, place=""):
    """Give every bare value of a table, with its place."""
    if isinstance(value, Row):
        value = {
            name: getattr(value, name) for name in hints(type(value)) if getattr(value, name) is not None
        }
    if isinstance(value, tuple):
        value = {str(index): each for index, each in enumerate(value)}
    if not hasattr(value, "items"):
        yield place, value
        return
    for name, each in value.items():
        yield from leaves_of(each, f"{place}.{name}" if place else name)


def is_at(known, place):
    """Whether what is known of one place is known of another, which is the same or within it."""
    pattern = re.escape(known).replace(r"\*", "[^.]+")
    return re.fullmatch(rf"{pattern}(\..*)?", place) is not None


FACTS = [(provider, place, row) for provider in PROVIDERS.values() for place, row in rows_of(provider.table)]
SAID = [(provider, place, row) for provider, place, row in FACTS if row.provenance == "documented"]


def named(cases):
    return [f"{provider.name}: {place}" for provider, place, *_ in cases]


def cited(provider, row):
    return provider.citations[row.citation]


@pytest.mark.parametrize(("provider", "place", "row"), FACTS, ids=named(FACTS))
def test_a_row_cites_what_its_provenance_says(provider, place, row):
    kind = {"documented": False, "observed": False, "assumed": True}[row.provenance]
    assert cited(provider, row).startswith(OWN) is kind
    assert (PROGRAMS in cited(provider, row)) is (row.provenance == "observed")


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_what_has_no_provenance_in_its_row_is_known_elsewhere(provider):
    table = provider.table
    places = [place for place, value in leaves_of(table) if value is not False and place.startswith(UNCITED)]
    places += ["keys.prefix", "answers.error"]
    assert [each for each in places if not any(is_at(known, each) for known in table.known)] == []


def figures_of(provider, place, row):
    """Give the figures that a row itself vouches for: not those that are ours, or known from elsewhere.

    Of an assumption it vouches for the default, which changes nothing, not for the other readings.
    """
    value = row
    if place.startswith("known."):
        value = [each for at, each in leaves_of(provider.table) if is_at(place.removeprefix("known."), at)]
        return [each for each in value if type(each) in {int, float}]
    ours = set(row.ours) if isinstance(row, Cited) else set()
    others = [known for known in provider.table.known if is_at(place, known)]
    return [
        each
        for at, each in leaves_of(value, place)
        if type(each) in {int, float} and each and not any(is_at(known, at) for known in others)
        and at.removeprefix(f"{place}.").split(".")[0] not in ours | {"status", "readings"}
    ]  # fmt: skip


def figures_in(quote):
    """Give the figures of a quote, a unit alone being one of it: `an hour` is 3600."""
    written = re.findall(r"\d{1,3}(?:[, ]\d{3})+|\d+(?:\.\d+)?", quote)
    figures = [float(re.sub("[, ]", "", each)) for each in written]
    units = [seconds for unit, seconds in UNITS.items() if unit in quote.lower()]
    return {figure * seconds for figure in (*figures, 1) for seconds in units} | set(figures)


@pytest.mark.parametrize(("provider", "place", "row"), SAID, ids=named(SAID))
def test_the_figures_of_a_documented_row_stand_in_its_quote(provider, place, row):
    figures = figures_of(provider, place, row)
    if figures:
        assert row.quote, f"{place} gives {figures}: quote the document, or name them under `ours`"
        assert set(figures) - figures_in(row.quote) == set()


def texts_of(name, documents=DOCUMENTS):
    """Give the texts of a document: those which hold its address or title."""
    title = re.sub(r" \(.*", "", name).rpartition(", ")[2].removeprefix("the vendor's page ")
    names = {title, f"/{title.rpartition('/')[2]}" if title.endswith(".json") else title}
    return [text for text in documents if any(each in text for each in names)]


def pages_of(name):
    """Give the texts that are a document, not those which only speak of it, in words of their own."""
    return [text for text in texts_of(name) if texts_of(name, [text[:OPENING]])]


needs_documents = pytest.mark.skipif(
    not DOCUMENTS, reason="the vendors' pages do not lie beside the checkout"
)
QUOTED = [case for case in FACTS if case[2].quote]


@needs_documents
@pytest.mark.parametrize(("provider", "place", "row"), QUOTED, ids=named(QUOTED))
def test_a_quote_stands_in_the_document_that_is_cited(provider, place, row):
    name = cited(provider, row)
    pages = DOCUMENTS if row.provenance == "observed" else pages_of(name)
    if not any(row.quote in text for text in pages or texts_of(name)):
        assert not pages, f"{row.quote!r} does not stand in {name}"
        pytest.skip(f"{name} is not at hand")


ERRORS = [case for case in SAID if isinstance(case[2], ErrorRow)]


@needs_documents
@pytest.mark.parametrize(("provider", "place", "row"), ERRORS, ids=named(ERRORS))
def test_the_status_code_and_documented_words_of_an_error_stand_in_its_document(provider, place, row):
    words = [str(row.status)] if "status" not in row.ours else []
    words += [row.code] if row.code and "code" not in row.ours else []
    words += [row.message] if row.wording == "documented" else []
    texts = texts_of(cited(provider, row))
    assert any(all(word in text for word in words) for text in texts), words


TEXT, SCORE, GENERATE = "/v2/thumbnail/text", "/v2/thumbnail/score", "/api/v1/generate"
THUMB = "/v1/generate"
A_TEXT = {"prompt": "a", "model": "pkz_4", "format": "16:9"}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_the_examples_of_errors_say_what_the_table_says(provider):
    document = yaml.safe_load((ROOT / provider.folder / "openapi.yaml").read_text("utf-8"))
    said = {(str(row.status), text) for row in provider.errors.values() for text in (row.code, row.message)}
    shown = [
        (status, text)
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        for text in answer.get("content", {}).get("application/json", {}).get("example", {}).values()
        if status >= "4"
    ]
    assert set(shown) - said == set()


SWAP, PERSONA = "/v2/thumbnail/faceswap", "/v2/pikzonality/persona"
A_PICTURE = "https://cdn.pikzels.com/example.png"
AN_EDIT = {"prompt": "a", "format": "16:9", "image_url": A_PICTURE}
A_SWAP = {"image_url": A_PICTURE, "face_image": A_PICTURE, "format": "16:9"}
A_PERSONA = {"name": "a", "image_urls": [A_PICTURE] * 3}
A_TITLE = {"title": "a", "format": "youtube"}
WANTED = [  # what is sent where, and the citation of the first violation
    ("pikzels", TEXT, {**A_TEXT, "prompt": "http"}, "text"),
    ("pikzels", TEXT, {**A_TEXT, "colour": 1}, "analogy"),
    ("pikzels", TEXT, {**A_TEXT, "model": "pkz_9"}, "text"),
    ("pikzels", TEXT, {**A_TEXT, "model": "pkz_2", "support_image_url": "https://a.example/b.png"}, "gate"),
    ("pikzels", "/v2/thumbnail/edit", {**AN_EDIT, "prompt": "http"}, "edit"),
    ("pikzels", "/v2/thumbnail/edit", {**AN_EDIT, "colour": 1}, "analogy"),
    ("pikzels", "/v2/thumbnail/edit", {"prompt": "a", "format": "16:9"}, "edit_words"),
    ("pikzels", SWAP, {**A_SWAP, "face_image": "http://a"}, "faceswap_words"),
    ("pikzels", SWAP, {**A_SWAP, "face_image_base64": "a"}, "faceswap_words"),
    ("pikzels", SWAP, {**A_SWAP, "format": "4:3"}, "faceswap"),
    ("pikzels", SWAP, {**A_SWAP, "colour": 1}, "analogy"),
    ("pikzels", PERSONA, {**A_PERSONA, "name": "a!"}, "persona_words"),
    ("pikzels", PERSONA, {"name": "a"}, "persona_words"),
    ("pikzels", PERSONA, {**A_PERSONA, "name": "a" * 26}, "persona"),
    ("pikzels", PERSONA, {**A_PERSONA, "colour": 1}, "analogy"),
    ("pikzels", PERSONA, {**A_PERSONA, "name": "Pikzels"}, "names"),
    ("pikzels", "/v2/nothing", {}, "errors"),
    ("pikzels", "/v2/title/text", {"prompt": "http"}, "analogy"),
    ("pikzels", "/v2/title/text", {}, "clients"),
    ("pikzels", SCORE, {"image_url": "http://a"}, "score"),
    ("pikzels", SCORE, {"image_base64": "data:image/png;base64,QUJD"}, "errors"),
    ("pikzels", SCORE, None, "ours"),
    ("fatthumb", GENERATE, {"prompt": ""}, "ours"),
    ("fatthumb", GENERATE, {"prompt": "a", "aspectRatio": "wide"}, "ours"),
    ("fatthumb", GENERATE, {"prompt": "a", "count": 1.5}, "ours"),
    ("fatthumb", GENERATE, {"prompt": "a", "count": "1"}, "generate"),
    ("fatthumb", GENERATE, {"prompt": "a", "count": 5}, "generate"),
    ("fatthumb", GENERATE, {"prompt": "a", "model": None}, "ours"),
    ("fatthumb", GENERATE, {"prompt": "a", "personIds": ["nobody"]}, "ours"),
    ("fatthumb", GENERATE, {"prompt": "a", "personIds": ["person_withdrawn"]}, "generate"),
    ("fatthumb", GENERATE, {"prompt": "a", "inspirationIds": ["none"]}, "ours"),
    ("fatthumb", GENERATE, None, "ours"),
    ("fatthumb", "/api/v2/generate", {}, "ours"),
    ("thumbapi", THUMB, {**A_TITLE, "title": ""}, "generate"),
    ("thumbapi", THUMB, {**A_TITLE, "customAssetsId": ""}, "ours"),
    ("thumbapi", THUMB, {**A_TITLE, "webhookUrl": "ftp://a"}, "ours"),
    ("thumbapi", THUMB, {**A_TITLE, "usePhoto": None}, "values"),
    ("thumbapi", THUMB, {**A_TITLE, "model": "4k"}, "values"),
    ("thumbapi", THUMB, {**A_TITLE, "category": "cats"}, "generate"),
    ("thumbapi", THUMB, {**A_TITLE, "category": 5}, "generate"),
    ("thumbapi", THUMB, {**A_TITLE, "category": None}, "values"),
    ("thumbapi", THUMB, {**A_TITLE, "imageStyle": 5}, "beta_errors"),
    ("thumbapi", THUMB, {**A_TITLE, "imageStyle": None}, "values"),
    ("thumbapi", THUMB, {**A_TITLE, "title": "😀" * 101}, "characters"),
    ("thumbapi", "/v2/generate", {}, "ours"),
    ("thumbapi", THUMB, {**A_TITLE, "usePhoto": True, "photoImage": "data:image/png;base64,QUJD"}, "ours"),
    ("thumbapi", THUMB, {**A_TITLE, "customAssetsId": "none"}, "generate"),
    ("thumbapi", THUMB, None, "ours"),
]
KEYS = {"pikzels": "pkz_test", "fatthumb": "nsk_test", "thumbapi": "tb_test"}


@pytest.mark.parametrize(("provider", "path", "body", "citation"), WANTED, ids=str)
def test_a_refusal_names_the_document_that_says_so(provider, path, body, citation):
    sent = b"{" if body is None else json.dumps(body).encode()
    headers = {"x-api-key": KEYS[provider], "content-type": "application/json"}
    answer = create_engine().handle(
        Request("POST", path, {**headers, "host": PROVIDERS[provider].hosts[0]}, body=sent)
    )
    first = json.loads(dict(answer.headers)["Mock-Violations"])[0]
    assert first["source"] == PROVIDERS[provider].citations[citation]


def test_the_journal_names_the_document_that_the_header_names():
    engine = create_engine()
    for path in (GENERATE, "/api/v1/generations/none"):
        method = "POST" if path == GENERATE else "GET"
        headers = {"x-api-key": "key", "content-type": "application/json"}
        answer = engine.handle(Request(method, path, headers, body=b"{}"))
        seen = engine.handle(Request("GET", "/__admin/requests", {}))
        assert isinstance(seen.body, bytes)
        listed = json.loads(seen.body)["requests"]
        (shown,) = [each for each in listed if each["request"]["url"].endswith(path)]
        said = json.loads(dict(answer.headers)["Mock-Violations"])
        assert [each["citation"] for each in shown["violations"]] == [each["source"] for each in said]
