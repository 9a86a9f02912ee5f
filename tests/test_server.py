"""Over a real socket: downloads, hosts, CORS, delays, many callers at once, large bodies, odd connections."""

import asyncio
import base64
import queue
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import httpx
import pytest
from conftest import KEYS, STRICT
from PIL import Image

from mockserver import Request, create_app, create_engine
from mockserver.call import Exchange
from mockserver.spec.files import FIXTURES

SCORE = {"image_url": "https://example.com/a.png"}
PNG = "data:image/png;base64," + base64.b64encode((FIXTURES / "images" / "logo.png").read_bytes()).decode()
MB = 1024 * 1024


def made(client, format_="16:9"):
    """Have a thumbnail made, and give its link."""
    body = {"prompt": "Island", "model": "pkz_4", "format": format_}
    return client.post("/v2/thumbnail/text", json=body, headers=KEYS["pikzels"]).json()["output"]


def score(client, **headers):
    return client.post("/v2/thumbnail/score", json=SCORE, headers={**KEYS["pikzels"], **headers})


@pytest.mark.parametrize(
    ("format_", "size"), [("16:9", (1280, 720)), ("9:16", (720, 1280)), ("1:1", (720, 720))]
)
def test_a_link_downloads_a_picture_of_the_exact_size_without_a_key(client, format_, size):
    answer = client.get(made(client, format_))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with Image.open(BytesIO(answer.content)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", size)


def test_a_head_request_gives_the_same_headers_and_no_body(client):
    link = made(client)
    got, head = client.get(link), client.head(link)
    names = ("content-type", "content-length", "etag")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]


@pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', "*"])
def test_a_picture_that_the_caller_has_is_not_sent_again(client, template):
    link = made(client)
    tag = client.get(link).headers["etag"]
    answer = client.get(link, headers={"If-None-Match": template.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


def test_a_picture_that_the_caller_has_another_of_is_sent(client):
    assert client.get(made(client), headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_link_is_accepted_as_a_picture_and_looked_at(client):
    scores = []
    for link in (made(client), made(client, "1:1")):
        picture = f"data:image/png;base64,{base64.b64encode(client.get(link).content).decode()}"
        by_link, by_bytes = (
            client.post("/v2/thumbnail/score", json=body, headers=KEYS["pikzels"])
            for body in ({"image_url": link}, {"image_base64": picture})
        )
        assert [by_link.status_code, by_bytes.status_code] == [200, 200]
        assert by_link.json()["subscores"] == by_bytes.json()["subscores"]
        scores.append(by_link.json()["subscores"])
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    "path",
    [
        "/cdn/pikzels/rest-api/nope.png",
        "/cdn/pikzels/",
        "/cdn/nobody/rest-api/nope.png",
        "/cdn/",
        "/cdn/pikzels/rest-api/%2E%2E%2Fa.png",
    ],
)
def test_an_unknown_link_is_answered_with_problem_details(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "No such picture"


def test_another_providers_link_leads_nowhere(client):
    assert (
        client.get(made(client).replace("/cdn/pikzels/rest-api", "/cdn/thumbapi/generations")).status_code
        == 404
    )


def test_a_link_can_only_be_read(client):
    answer = client.post(made(client))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("host", ["cdn.pikzels.com", "CDN.Pikzels.com", "cdn.pikzels.com:443"])
def test_a_link_works_at_the_providers_own_address(client, host):
    path = httpx.URL(made(client)).path.removeprefix("/cdn/pikzels")
    assert client.get(path, headers={"Host": host}).headers["content-type"] == "image/png"


@pytest.mark.parametrize("host", ["api.pikzels.com", "API.Pikzels.com", "api.pikzels.com:443"])
def test_the_host_header_says_whose_api_is_meant(client, host):
    answers = [
        client.post(path, json=SCORE, headers={**KEYS["pikzels"], "Host": host}).status_code
        for path in ("/v2/thumbnail/score", "/v1/generate")
    ]
    assert answers == [200, 404]


def test_a_browser_may_ask_before_it_calls(client):
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key,content-type,prefer",
    }
    answer = client.options("/v2/thumbnail/score", headers=asked)
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert allowed >= {"x-api-key", "content-type", "prefer"}
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_a_page_of_the_internet_may_call_this_machine_where_its_browser_asks_for_that(client):
    asked = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = client.options("/v2/thumbnail/score", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-private-network"]) == (200, "true")


@pytest.mark.parametrize(
    ("path", "status"), [("/v2/thumbnail/score", 200), ("/nowhere", 404), ("/v2/pikzonality/style", 400)]
)
def test_a_browser_may_read_every_answer_and_our_headers(client, path, status):
    answer = client.post(path, json=SCORE, headers={**KEYS["pikzels"], "Origin": "https://app.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    own = {"Mock-Request-Id", "Mock-Violations", "Preference-Applied", "X-Request-Id"}
    assert exposed >= {*own, "Retry-After", "Allow", "ETag"}


ORIGIN = {"Origin": "https://app.example"}
ALLOWED = "access-control-allow-origin"


def test_a_page_may_not_read_the_pixels_of_a_picture_whose_cdn_does_not_let_it(client):
    link, asked = made(client), {**ORIGIN, "Access-Control-Request-Method": "GET"}
    by_host = {"Host": "cdn.pikzels.com", **ORIGIN}
    answers = [client.get(link, headers=ORIGIN), client.options(link, headers=asked)]
    answers += [client.get(httpx.URL(link).path.removeprefix("/cdn/pikzels"), headers=by_host)]
    assert [answer.status_code for answer in answers] == [200, 405, 200]
    assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)


def test_a_page_may_read_the_pixels_of_another_picture(client):
    thumb = {"title": "x", "format": "x"}
    link = client.post("/v1/generate", json=thumb, headers=KEYS["thumbapi"]).json()["imageUrl"]
    assert client.get(link, headers=ORIGIN).headers[ALLOWED] == "*"


def test_who_calls_is_who_connected_whatever_a_stranger_writes_into_headers(server):
    heard: queue.SimpleQueue[Exchange] = queue.SimpleQueue()
    server.engine.listeners.append(heard.put)
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "wss"}
    assert httpx.get(f"{server.url}/__admin/health", headers=forwarded).status_code == 403
    request = heard.get(timeout=10).request
    server.engine.listeners.remove(heard.put)
    assert (request.peer and request.peer[0], request.scheme) == ("127.0.0.1", "http")


def test_a_delay_holds_up_its_own_call_alone(server, client):
    done, seen = [], server.engine.world.seen
    before = seen.changes
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(score, client, Prefer="delay=1500")
        slow.add_done_callback(lambda _: done.append("slow"))
        never = threading.Event()
        assert any(seen.changes != before or never.wait(0.01) for _ in range(3000)), "it was never heard of"
        for _ in range(5):
            score(client)
            done.append("quick")
        slow.result()
    assert done == ["quick"] * 5 + ["slow"]


def test_twenty_callers_at_once_get_twenty_ids_and_no_error(server):
    together = threading.Barrier(20)

    def call(_):
        with httpx.Client(base_url=server.url, timeout=60) as own:
            together.wait()
            return [
                own.post("/v2/thumbnail/score", json={"image_base64": PNG}, headers=KEYS["pikzels"])
                for _ in range(5)
            ]

    with ThreadPoolExecutor(20) as threads:
        answers = [answer for several in threads.map(call, range(20)) for answer in several]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 100


def test_twenty_callers_may_download_one_picture_at_once(client):
    link = made(client)
    with ThreadPoolExecutor(20) as threads:
        assert len({answer.content for answer in threads.map(client.get, [link] * 20)}) == 1


def test_a_picture_over_the_documented_limit_is_too_large(client):
    url = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(10 * MB)).decode()
    answer = client.post("/v2/thumbnail/score", json={"image_base64": url}, headers=KEYS["pikzels"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "IMAGE_TOO_LARGE")


@pytest.mark.parametrize("chunks", [[bytes(65 * MB)], [bytes(MB)] * 65], ids=["announced", "in chunks"])
def test_a_body_over_64_mib_is_refused_and_the_server_goes_on(client, chunks):
    content = chunks[0] if len(chunks) == 1 else iter(chunks)
    headers = {**KEYS["pikzels"], "Content-Type": "application/json"}
    answer = client.post("/v2/thumbnail/score", content=content, headers=headers)
    assert (answer.status_code, score(client).status_code) == (413, 200)


def exchanged(server, raw):
    """Send bytes over one connection, and read until the server closes it."""
    with socket.create_connection((server.address.host, server.address.port), timeout=30) as connection:
        connection.sendall(raw)
        return b"".join(iter(lambda: connection.recv(65536), b""))


GET = b"GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v2/thumbnail/score HTTP/1.1\r\nHost: localhost\r\n"
POST += b"X-Api-Key: pkz_test\r\nContent-Type: application/json\r\n"
BODY = b'{"image_url": "https://example.com/a.png"}'
CALL = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
LAST = GET + b"Connection: close\r\n\r\n"


def test_one_connection_serves_many_calls(client):
    assert {score(client).status_code for _ in range(200)} == {200}


def test_calls_that_are_sent_without_waiting_are_answered_in_their_order(server):
    answer = exchanged(server, (CALL + POST + b"Content-Length: 2\r\n\r\n{}") * 25 + LAST)
    assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 400] * 25 + [200]


def test_a_connection_is_closed_when_the_caller_says_so(server):
    assert exchanged(server, LAST).startswith(b"HTTP/1.1 200")


def test_http_1_0_is_answered(server):
    assert b" 200 " in exchanged(server, b"GET /__admin/health HTTP/1.0\r\n\r\n").splitlines()[0]


def test_a_body_in_chunks_is_read(server):
    sent = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n" + LAST
    assert exchanged(server, sent).startswith(b"HTTP/1.1 200")


def test_a_body_is_asked_for_where_the_caller_waits_for_that(server):
    sent = (
        POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    )
    assert exchanged(server, sent).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


@pytest.mark.parametrize(
    "raw", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", POST + b"Content-Length: 9\r\n\r\n{"]
)
def test_a_broken_connection_harms_nobody_else(server, client, raw):
    with socket.create_connection((server.address.host, server.address.port)) as connection:
        connection.sendall(raw)
    assert score(client).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/%ff",
        "/%00",
        "//",
        "/v2//thumbnail",
        "/" + "a" * 8000,
        "/%F0%9F%8F%9D",
        "/cdn/%ff",
        "/__admin/%ff",
        "/v2/pikzonality/%0A",
    ],
)
def test_an_odd_path_is_answered_with_a_4xx(client, path):
    assert (
        client.get(httpx.URL(client.base_url, raw_path=path.encode()), headers=KEYS["pikzels"]).status_code
        == 404
    )


@pytest.mark.parametrize(
    "prefer", ["delay=" + "9" * 5000, "code=" + "9" * 5000, b"code=\xb2", b"example=\xff"]
)
def test_an_odd_order_is_refused_in_our_own_voice(client, prefer):
    answer = score(client, Prefer=prefer)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_the_application_works_in_process(client):
    async def call():
        transport = httpx.ASGITransport(create_app(create_engine(STRICT)))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as own:
            answer = await own.post(
                "/v2/thumbnail/text",
                json={"prompt": "a", "model": "pkz_4", "format": "16:9"},
                headers=KEYS["pikzels"],
            )
            return (
                answer.json()["output"],
                await own.get(answer.json()["output"]),
                await own.get("/__admin/health"),
            )

    link, picture, health = asyncio.run(call())
    assert link.startswith("http://inside/cdn/pikzels/")
    assert (picture.headers["content-type"], health.status_code) == ("image/png", 200)


def test_the_engine_answers_as_the_server_does(client):
    headers = {
        "host": client.base_url.netloc.decode(),
        "x-api-key": "pkz_inside",
        "content-type": "application/json",
    }
    inside = create_engine(STRICT).handle(Request("POST", "/v2/thumbnail/score", headers, body=BODY))
    outside = client.post("/v2/thumbnail/score", content=BODY, headers=headers)
    assert (inside.status, inside.read()) == (outside.status_code, outside.content)
