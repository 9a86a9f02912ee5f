"""Random valid calls from two accounts: what was paid adds up, what was created is read, nothing leaks."""

import orjson
from conftest import STRICT
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mockserver import Request, create_engine
from mockserver.prices import find_current

STARTS = {"pikzels": 100, "fatthumb": 500, "thumbapi": 10_000}
PRICES = {
    "text": {"pkz_2": 0.20, "pkz_3": 0.16, "pkz_4": 0.37, "pkz_4_5": 0.13},
    "image": {"pkz_2": 0.20, "pkz_3": 0.18, "pkz_4": 0.36, "pkz_4_5": 0.13},
}
accounts = st.sampled_from(["one", "two"])
models = st.sampled_from(list(PRICES["text"]))


class Money(RuleBasedStateMachine):
    """What the documents' price tables say, held against what the emulator books."""

    trained = Bundle("trained")
    generated = Bundle("generated")

    def __init__(self):
        super().__init__()
        self.engine = create_engine(STRICT)
        self.paid = {}
        self.names = 0

    def ask(self, provider, account, method, path, body=None, **headers):
        prefix, name = {
            "pikzels": ("pkz", "x-api-key"),
            "fatthumb": ("nsk", "x-api-key"),
            "thumbapi": ("tb", "x-api-key"),
        }[provider]
        sent = {
            "host": "localhost",
            name: f"{prefix}_{account}",
            "content-type": "application/json",
            **headers,
        }
        answer = self.engine.handle(
            Request(method, path, sent, body=orjson.dumps(body) if body is not None else b"")
        )
        return answer.status, orjson.loads(answer.read())

    def pay(self, provider, account, amount):
        key = (provider, account)
        self.paid[key] = round(self.paid.get(key, 0) + amount, 6)

    @rule(
        account=accounts,
        kind=st.sampled_from(["text", "image"]),
        model=models,
        order=st.sampled_from(["", "code=500", "code=422"]),
    )
    def thumbnail(self, account, kind, model, order):
        body = {"model": model, "format": "16:9", "prompt": "a"} | (
            {"image_url": "https://a/b.png"} if kind == "image" else {}
        )
        status, _ = self.ask("pikzels", account, "POST", f"/v2/thumbnail/{kind}", body, prefer=order)
        assert status == (int(order[5:]) if order else 200)
        if not order:
            self.pay("pikzels", account, PRICES[kind][model])

    @rule(target=trained, account=accounts, mode=st.sampled_from(["persona", "style"]))
    def train(self, account, mode):
        self.names += 1
        body = {"name": f"n{self.names}", "image_urls": ["https://a/b.png"] * 3}
        status, said = self.ask("pikzels", account, "POST", f"/v2/pikzonality/{mode}", body)
        assert status == 200
        self.pay("pikzels", account, 0.38)
        return account, said["id"], body["name"]

    @rule(made=trained)
    def read_back(self, made):
        account, id_, name = made
        other = {"one": "two", "two": "one"}[account]
        status, said = self.ask("pikzels", account, "GET", f"/v2/pikzonality/{id_}")
        assert (status, said["name"]) == (200, name)
        assert self.ask("pikzels", other, "GET", f"/v2/pikzonality/{id_}")[0] == 404

    @rule(
        target=generated,
        account=accounts,
        count=st.integers(1, 4),
        model=st.sampled_from([("gemini-3-pro", 1), ("gpt-image-2", 4)]),
    )
    def generate(self, account, count, model):
        status, said = self.ask(
            "fatthumb",
            account,
            "POST",
            "/api/v1/generate",
            {"prompt": "a", "count": count, "model": model[0]},
        )
        assert status == 200
        self.pay("fatthumb", account, count * model[1])
        return account, said["generationId"], said["thumbnailIds"]

    @rule(made=generated)
    def poll(self, made):
        account, id_, thumbnails = made
        other = {"one": "two", "two": "one"}[account]
        status, said = self.ask("fatthumb", account, "GET", f"/api/v1/generations/{id_}")
        assert (status, [each["id"] for each in said["thumbnails"]]) == (200, thumbnails)
        assert self.ask("fatthumb", other, "GET", f"/api/v1/generations/{id_}")[0] == 404

    @rule(account=accounts, model=st.sampled_from([("sd", 10), ("hd", 20)]))
    def thumbapi(self, account, model):
        body = {"title": "a", "format": "x", "model": model[0], "webhookUrl": "http://127.0.0.1:9/"}
        assert self.ask("thumbapi", account, "POST", "/v1/generate", body)[0] == 202
        self.pay("thumbapi", account, model[1])

    @rule(account=accounts)
    def refused(self, account):
        assert self.ask("fatthumb", account, "POST", "/api/v1/generate", {"prompt": ""})[0] == 422

    @rule(seconds=st.integers(0, 5))
    def time_passes(self, seconds):
        self.engine.world.clock.advance(seconds)

    @rule()
    def restored_elsewhere(self):
        snapshot = orjson.loads(orjson.dumps(self.engine.world.snapshot()))
        self.engine = create_engine(STRICT)
        self.engine.world.restore(snapshot)

    @invariant()
    def balances_are_starts_less_charges(self):
        for (provider, account), paid in self.paid.items():
            prefix = {"pikzels": "pkz", "fatthumb": "nsk", "thumbapi": "tb"}[provider]
            stored = self.engine.world.accounts.find(provider, f"{prefix}_{account}")
            held = find_current(self.engine.catalog.providers[provider], self.engine.world, stored)
            booked = [each.amount for key, each in self.engine.world.ledger.list(f"{held.id}/")]
            assert held.credits == round(STARTS[provider] - paid, 6)
            assert round(sum(booked), 6) == paid


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
