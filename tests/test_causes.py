"""What brings an error about by itself, read from the tables and the fixtures."""

import re

import pytest
from catalogues import NOTES

from mockserver import create_engine
from mockserver.causes import find_causes
from mockserver.fixtures import load_fixtures
from mockserver.jsontext import dump
from mockserver.messages import Request
from mockserver.settings import Settings
from mockserver.spec.catalog import load

CATALOG, ACCOUNTS = load(), load_fixtures().accounts
CAUSES = {name: find_causes(each, ACCOUNTS[name]) for name, each in CATALOG.providers.items()}
KEYS = [
    (CATALOG.providers[name], error, key, said)
    for name, causes in CAUSES.items()
    for error, texts in causes.items()
    for text in texts
    if (found := re.fullmatch(r"the key (\w+(?: or \w+)*)(?: with (\w+(?:: \S+)?)(?: without .+)?)?", text))
    for key, said in ((each, found[2]) for each in found[1].split(" or "))
]
SENT = {"true": True, "1": 1, "2": 2, "3": 3, "4": 4}


@pytest.mark.parametrize("provider", CATALOG.providers.values(), ids=lambda provider: provider.name)
def test_every_row_that_no_call_brings_about_can_be_ordered_only(provider):
    never = {name for name in provider.errors if name not in CAUSES[provider.name]}
    causes = {name: provider.errors[name].cause for name in never}
    assert all(re.search("timeout|long|mainten|anything|polic|failed|cancelled|amount|capac|process", each)
               for each in causes.values()), causes  # fmt: skip


def test_an_account_brings_about_what_is_said_of_it():
    engine = create_engine(Settings(pictures="plain", raises_bugs=True))
    for provider, error, key, said in KEYS:
        operation = provider.sample_operation
        name, _, value = (said or "").partition(": ")
        more = {name: SENT.get(value, value) or "https://example.com"} if name else {}
        assert operation.body
        body, scheme = {**operation.body.example, **more}, operation.schemes[0]
        word = "Bearer " if scheme.kind == "bearer" else ""
        headers = {scheme.field: f"{word}{key}", "content-type": "application/json", "host": "localhost"}
        answer = engine.handle(Request("POST", operation.path, headers, "", dump(body)))
        assert (key, said, answer.error) == (key, said, error)


@pytest.mark.parametrize(
    ("provider", "error", "cause"),
    [
        ("pikzels", "NAME_RESERVED", "the name admin or api or default or mock or pikzels or system"),
        ("pikzels", "INVALID_API_KEY_FORMAT", "a key that does not begin with pkz_"),
        (
            "pikzels",
            "SUPPORT_IMAGE_NOT_SUPPORTED",
            "support_image_url or support_image_base64 with model: pkz_2 or pkz_3",
        ),
        ("fatthumb", "consent_withdrawn", "personIds with person_withdrawn"),
        ("fatthumb", "count_exceeds_plan", "the key nsk_free with count: 2"),
        ("thumbapi", "UPGRADE_REQUIRED", "the key tb_free or tb_creator with model: hd"),
        ("thumbapi", "PHOTO_TOO_LARGE", "photoImage of more than 2097152 bytes"),
    ],
)
def test_a_call_that_brings_an_error_about_is_read_from_the_table(provider, error, cause):
    assert cause in CAUSES[provider][error]


def test_an_api_without_accounts_has_causes_too():
    assert find_causes(NOTES, {})["no_key"] == ("no key", "a key that does not begin with note_")


def test_an_api_that_takes_no_links_is_not_said_to_fetch_any():
    fetching = [
        name for name, causes in CAUSES.items() if any("*.invalid" in str(each) for each in causes.values())
    ]
    assert fetching == ["pikzels"]
