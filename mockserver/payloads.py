"""What a webhook says: its body, its signature, and what a plan of faults does to both."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from string import Template
from typing import NamedTuple

from mockserver.behaviours.outputs import draw_scene
from mockserver.call import Override
from mockserver.jsontext import dump
from mockserver.messages import JSON_TYPE, Response
from mockserver.pipeline.spoil import spoil
from mockserver.problems import EmulatorProblem
from mockserver.seeded import Random
from mockserver.spec.jobrows import Jobs, Webhooks
from mockserver.spec.template import fill
from mockserver.state.clock import isoformat
from mockserver.state.deliveries import Delivery
from mockserver.state.plans import WEBHOOK
from mockserver.state.resources import Resource
from mockserver.state.world import World

OK = 200


class Message(NamedTuple):
    """One attempt: what is sent, or what it comes to without being sent."""

    body: bytes
    headers: Mapping[str, str]
    delay_s: float
    result: int | str | None = None  # a status or why there is none; None: whatever the receiver answers


def write_message(world: World, delivery: Delivery, job: Resource, jobs: Jobs, settings: Webhooks) -> Message:
    """Write what an attempt sends; a plan may lose it on its way, or answer in the receiver's place."""
    provider, _, key = job.account.partition("/")
    random = Random.from_text(str(world.seed), delivery.id, str(len(delivery.attempts)))
    subject, account = f"{provider}.{WEBHOOK}", (job.account, key)
    order, delay_ms = world.plans.take(subject, account, random, lambda _error: False)
    sent = Response(OK, (JSON_TYPE,), _payload(world, settings, jobs, job))
    result: int | str | None = None
    if order is not None:
        try:
            sent = spoil(Override(fault=order.fault), sent)
            result = f"{sent.fault.name}, as ordered" if sent.fault else None
        except EmulatorProblem as problem:
            result = problem.detail
        status = order.stub.status if order.stub else sent.status
        result = status if order.stub or status != OK else result
    body = sent.read()
    digest = hmac.new(delivery.secret.encode(), body, hashlib.sha256).digest()
    signed = {
        "hex": digest.hex(),
        "upper_hex": digest.hex().upper(),
        "base64": base64.b64encode(digest).decode(),
    }
    signature = Template(settings.signature).safe_substitute(signed)
    headers = {**dict(sent.headers), settings.signature_header: signature}
    return Message(body, headers, delay_ms / 1000, result)


def _payload(world: World, settings: Webhooks, jobs: Jobs, job: Resource) -> bytes:
    ended_at_s = job.ends_at_s or job.created_at_s
    values = {**job.fields, "job_id": job.id, "timestamp": isoformat(ended_at_s)}
    if job.outcome == jobs.success:
        scene = job.fields["scene"]
        encoded = base64.b64encode(draw_scene(world, scene)).decode()
        values["image"] = f"data:{scene['media_type']};base64,{encoded}"
    return dump(fill(settings.payloads.of(job.outcome, jobs), values))
