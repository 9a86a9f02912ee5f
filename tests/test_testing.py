"""`MockServer`: a mock in the hands of a test, without pytest."""

import asyncio

import httpx
import pytest

from mockserver.testing.mock import MockServer

SCORE = {"image_url": "https://example.com/a.png"}


@pytest.fixture(scope="module")
def mock():
    with MockServer() as running:
        yield running


def test_a_provider_tells_a_client_where_to_call_and_with_which_key(mock):
    pikzels = mock.pikzels
    answer = httpx.post(f"{pikzels.url}/v2/thumbnail/score", json=SCORE, headers=pikzels.headers)
    assert answer.status_code == 200
    assert pikzels.env() == {"PIKZELS_BASE_URL": pikzels.url, "PIKZELS_API_KEY": "pkz_test"}
    assert mock.fatthumb.headers == {"Authorization": "Bearer nsk_test"}


def test_an_unknown_provider_is_told_with_those_there_are(mock):
    with pytest.raises(AttributeError, match="there is no provider 'pikzel'; there are fatthumb, pikzels"):
        mock.pikzel  # noqa: B018


def test_time_moves_and_nothing_waits(mock):
    mock.clock.freeze("2026-03-01T12:00:00Z")
    before = mock.clock.now()
    mock.clock.advance("PT24H")
    mock.sleep(30)
    asyncio.run(_sleep(mock))
    assert mock.clock.now() - before == 24 * 3600 + 60
    mock.reset()


async def _sleep(mock):
    await mock.sleep(30)


def test_it_runs_in_an_async_test_and_frees_its_port():
    async def use():
        async with MockServer() as mock, httpx.AsyncClient() as client:
            return mock.url, (await client.get(f"{mock.url}/__admin/health")).status_code

    url, status = asyncio.run(use())
    assert status == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
