"""A client of Pikzels, written with the library that it is told: success, refusal, ordered error, picture.

It knows nothing of a mock; the hosts of production stand in it.
"""

import asyncio
import json
import sys
import urllib.error
import urllib.request

API = "https://api.pikzels.com"
SCORE, TEXT = f"{API}/v2/thumbnail/score", f"{API}/v2/thumbnail/text"
KEY = {"X-Api-Key": "pkz_test", "Content-Type": "application/json"}
RIGHT, WRONG = {"image_url": "https://example.com/a.png"}, {"image_ur": "https://example.com/a.png"}
PROMPT = {"prompt": "Islands", "model": "pkz_4", "format": "1:1"}
ORDERED = {**KEY, "Prefer": "code=402"}


def tell(name, statuses, picture):
    print(name, *statuses, "picture" if picture.startswith(b"\x89PNG") else "no picture", flush=True)


def with_urllib():
    def ask(url, headers=None, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers or {}), timeout=20
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    statuses = [ask(SCORE, KEY, RIGHT)[0], ask(SCORE, KEY, WRONG)[0], ask(SCORE, ORDERED, RIGHT)[0]]
    link = json.loads(ask(TEXT, KEY, PROMPT)[1])["output"]
    tell("urllib", statuses, ask(link)[1])


def with_session(name, session):
    calls = [(KEY, RIGHT), (KEY, WRONG), (ORDERED, RIGHT)]
    statuses = [session.post(SCORE, headers=headers, json=body).status_code for headers, body in calls]
    link = session.post(TEXT, headers=KEY, json=PROMPT).json()["output"]
    tell(name, statuses, session.get(link).content)


def with_requests():
    import requests

    with_session("requests", requests.Session())


def with_requests_deaf():
    import requests

    session = requests.Session()
    session.trust_env = False  # heeds no proxy and no roots but certifi's
    with_session("requests_deaf", session)


def with_httpx():
    import httpx

    with httpx.Client(timeout=20) as client:
        with_session("httpx", client)


def with_httpx_deaf():
    import httpx

    with httpx.Client(timeout=20, trust_env=False) as client:
        with_session("httpx_deaf", client)


def with_httpx_async():
    import httpx

    async def ask():
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            calls = [(KEY, RIGHT), (KEY, WRONG), (ORDERED, RIGHT)]
            answers = [await client.post(SCORE, headers=headers, json=body) for headers, body in calls]
            link = (await client.post(TEXT, headers=KEY, json=PROMPT)).json()["output"]
            tell("httpx_async", [each.status_code for each in answers], (await client.get(link)).content)

    asyncio.run(ask())


async def ask_with_aiohttp(name):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        statuses = []
        for headers, body in [(KEY, RIGHT), (KEY, WRONG), (ORDERED, RIGHT)]:
            async with session.post(SCORE, headers=headers, json=body) as answer:
                statuses.append(answer.status)
        async with session.post(TEXT, headers=KEY, json=PROMPT) as answer:
            link = (await answer.json())["output"]
        async with session.get(link) as answer:
            tell(name, statuses, await answer.read())


def with_aiohttp():
    asyncio.run(ask_with_aiohttp("aiohttp"))


def with_uvloop():
    import uvloop

    uvloop.run(ask_with_aiohttp("uvloop"))


for library in sys.argv[1:]:
    globals()[f"with_{library}"]()
