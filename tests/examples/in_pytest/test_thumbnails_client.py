"""Tests of a client, with nothing beside them: `pip install CHECKOUT pytest`, and the fixture is there."""

import httpx
import pytest
from thumbnails_client import Refused, make_thumbnail


def test_a_thumbnail_can_be_downloaded(mockserver):
    api = mockserver.pikzels
    link = make_thumbnail("I bought my own island", base=api.url, key=api.key)
    assert httpx.get(link).headers["content-type"] == "image/png"


def test_an_empty_balance_is_told(mockserver):
    api = mockserver.pikzels
    mockserver.fail("pikzels.post_v2_thumbnail_text", "INSUFFICIENT_CREDITS")
    with pytest.raises(Refused, match="INSUFFICIENT_CREDITS"):
        make_thumbnail("An island", base=api.url, key=api.key)


def test_a_program_with_the_real_host_built_in_is_led_to_the_mock(mockserver_intercept):
    assert make_thumbnail("An island", key="pkz_test").startswith("https://")
