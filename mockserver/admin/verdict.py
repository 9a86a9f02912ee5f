"""`/__admin/verdict`: what the calls so far did against the contract, for tests in any language."""

from collections.abc import Collection, Mapping
from typing import Any

from mockserver.admin.asked import Asked, refusing
from mockserver.journal.records import record
from mockserver.jsontext import Json
from mockserver.verdict.judging import Expect, Instruction, judge
from mockserver.verdict.refusals import read_wanted
from mockserver.verdict.strictness import read_strictness


def show(asked: Asked) -> Json:
    """Judge all calls since the last reset; `strict` says how, `expect` names a refusal that was meant."""
    said = asked.query()
    return _judged(asked, " ".join(said.get("strict", ())), said.get("expect", ()), ())


def ask(asked: Asked) -> Json:
    """Judge them by what the body says: `strict`, `expect`, and `declared`, ids of calls that were meant."""
    said: Mapping[str, Any] = asked.body()
    return _judged(asked, said.get("strict", ""), said.get("expect", ()), said.get("declared", ()))


def _judged(asked: Asked, strict: str, expect: Expect, declared: Collection[str]) -> Json:
    world, redaction, ids = asked.world, asked.redaction, frozenset(declared)
    with refusing("Wrong question"):
        strictness = read_strictness(strict)
        wanted = [read_wanted(asked.catalog, each) for each in expect]
    kept = [(world.journal.era, each) for each in world.journal]
    meant = {id(exchange) for _, exchange in kept if exchange.request_id in ids}
    found = judge(
        kept,
        world.plans.unused,
        Instruction(strictness, wanted, meant),
        lambda exchange: record(exchange, redaction),
    )
    unmet = [index for index, each in enumerate(wanted) if each in found.unmet]
    return {**found.verdict.as_json(), "unmet": unmet}
