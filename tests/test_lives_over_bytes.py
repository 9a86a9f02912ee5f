"""A whole life of each API over a store of bytes: every answer is the one that is given over memory."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from conftest import KEYS, STRICT
from sqlite_store import SqliteStore

from mockserver import Request, create_engine
from mockserver.state.deliveries import DELIVERED
from mockserver.state.store import MemoryStore
from mockserver.state.values import as_json, replace

PICTURE = "https://cdn.pikzels.com/example.png"
TEXT = {"prompt": "I bought my own island", "model": "pkz_4", "format": "16:9"}


class Life:
    """One caller of one emulator; everything that it is answered is kept."""

    def __init__(self, store, provider):
        self.engine = create_engine(STRICT, store=store)
        self.provider, self.world, self.answers = provider, self.engine.world, []
        self.world.clock.set(1_800_000_000, is_frozen=True)
        account = self.account()
        self.world.accounts.put(replace(account, flags={**account.flags, "enforce": ["credits", "limits"]}))

    def account(self):
        return self.world.accounts.find(self.provider, next(iter(KEYS[self.provider].values())).split()[-1])

    def ask(self, method, path, body=None, **headers):
        sent = {name.lower(): value for name, value in {**KEYS[self.provider], **headers}.items()}
        sent |= {"host": "localhost", "content-type": "application/json"}
        text = b"" if body is None else orjson.dumps(body)
        response = self.engine.handle(Request(method, path, sent, body=text))
        content = response.read()
        self.answers.append((response.status, response.headers, content))
        return orjson.loads(content)

    def told(self):
        """Everything that was answered, and everything that is stored."""
        snapshot = self.world.snapshot()
        del snapshot["clock"]
        return self.answers, orjson.loads(orjson.dumps(snapshot))


def pikzels(life):
    style = life.ask("POST", "/v2/pikzonality/style", {"name": "Ann", "image_urls": [PICTURE] * 3})["id"]
    life.ask("POST", "/v2/pikzonality/style", {"name": "ann ", "image_urls": [PICTURE] * 3})
    life.ask("DELETE", f"/v2/pikzonality/{style}")
    for _ in range(3):
        life.ask("GET", f"/v2/pikzonality/{style}")
        life.world.clock.advance(1)
    life.ask("PATCH", f"/v2/pikzonality/{style}", {"special_instructions": "More contrast"})
    link = life.ask("POST", "/v2/thumbnail/text", {**TEXT, "style": style})["output"]
    life.ask("POST", "/v2/thumbnail/score", {"image_url": link})
    life.ask("DELETE", f"/v2/pikzonality/{style}")
    life.ask("GET", f"/v2/pikzonality/{style}")
    life.world.clock.advance(86_400)
    life.ask("POST", "/v2/thumbnail/score", {"image_url": link})
    life.world.accounts.put(replace(life.account(), credits=0.4))
    for _ in range(2):
        life.ask("POST", "/v2/thumbnail/text", TEXT)


def fatthumb(life):
    call = {"prompt": "A focused developer", "count": 2}
    for end in ("succeeded", "failed", "partial"):
        made = life.ask("POST", "/api/v1/generate", call, Prefer=f"job={end}")["generationId"]
        for _ in range(3):
            life.ask("GET", f"/api/v1/generations/{made}")
            life.world.clock.advance(1)
    for _ in range(12):
        life.ask("POST", "/api/v1/generate", call)


def thumbapi(life):
    got, answers = [], [500, 200]

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    call = {"title": "10 Tips", "format": "youtube"}
    job = life.ask("POST", "/v1/generate", {**call, "webhookUrl": "http://127.0.0.1:9/"})["jobId"]
    promised = life.world.deliveries.get(job)
    life.world.deliveries.put(job, replace(promised, url=f"http://127.0.0.1:{server.server_port}/"))
    for _ in range(4):
        life.world.clock.advance(1)
        life.engine.webhooks.run_due(life.world)
    server.shutdown()
    server.server_close()
    delivered = life.world.deliveries.update(job, lambda known: replace(known, url=promised.url))
    assert (delivered.status, [each.status for each in delivered.attempts]) == (DELIVERED, [500, 200])
    life.answers.append(got)
    life.ask("POST", "/v1/generate", call)
    life.world.clock.advance(40 * 86_400)
    life.ask("POST", "/v1/generate", call)
    life.answers.append(as_json(life.account()))


@pytest.mark.parametrize("live", [pikzels, fatthumb, thumbapi])
def test_a_life_over_bytes_is_the_life_over_memory(live):
    told = []
    with contextlib.closing(SqliteStore()) as bytes_alone:
        for store in (MemoryStore(), bytes_alone):
            life = Life(store, live.__name__)
            live(life)
            told.append(life.told())
    assert told[1] == told[0]
