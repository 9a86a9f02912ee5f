"""Pikzels v2: thumbnails, scores and titles at once; personas and styles that are created and stay.

Only what the shared verbs cannot say stands here; numbers and sentences stand in specs/pikzels/behaviour.yaml.
"""

import base64
import functools
from collections.abc import Mapping
from dataclasses import asdict
from string import Template

from mockserver.behaviours.drawing import insets, link, publish, scene
from mockserver.behaviours.jobs import change_owned, owned, started
from mockserver.call import Call, Result
from mockserver.jsontext import Json
from mockserver.problems import Problem, ProblemType
from mockserver.seeded import Random
from mockserver.spec.model import Provider
from mockserver.state.resources import Resource
from mockserver.state.values import replace

TOPIC_WORDS = 7
NOT_THERE = "this account has no persona or style"
MEASURES = ("brightness", "contrast", "colourfulness", "sharpness", "composition")  # of imaging.measuring


def thumbnail(call: Call) -> Result:
    """Generate a thumbnail from text or pictures; the answer is a link."""
    body, row, outputs = call.body, call.operation.row, call.provider.outputs
    ignores_prompt = body.get("model") in row.settings.get("ignores_prompt_of", ())
    notes = [f"{mode}: {_name(call, body[mode])}" for mode in ("persona", "style") if mode in body]
    if ignores_prompt:
        notes.append(f"image weight: {call.value('image_weight')}")
    picture = scene(
        call,
        size=call.provider.sizes[body["format"]],
        media_type=outputs["media_type"],
        headline=row.title if ignores_prompt else body.get("prompt", row.title),
        seed=call.random.seed,
        notes=notes,
        insets=insets(call),
    )
    output = publish(call, picture, "output", lifetime_s=outputs["lifetime_s"])
    return Result({"output": link(call, output), "request_id": call.request_id})


def _name(call: Call, id_: str) -> str:
    resource = call.world.resources.get(id_)
    return str(resource.fields["name"]) if resource else id_


def measured(call: Call, *, source: str) -> Call:  # noqa: ARG001 - every rule has a source
    """Measure the thumbnail before the score is charged, because that takes milliseconds and charging holds a lock."""
    _scored(call)
    return call


def score(call: Call) -> Result:
    """Score a thumbnail: an uploaded one by its pixels, a remote one by its address alone."""
    return Result({**_scored(call), "request_id": call.request_id})


def _scored(call: Call) -> Mapping[str, Json]:
    given = call.pictures["source"][0]
    stored = call.world.picture(given.key) if given.key else None
    if stored:
        return _measured(call.provider, stored.small)
    return _guessed(call.provider, call.world.seed, given.label)


@functools.lru_cache(maxsize=1024)
def _guessed(provider: Provider, seed: int, address: str) -> Mapping[str, Json]:
    """Take a remote picture, which is never fetched, for one that its address picks."""
    random = Random.from_text(str(seed), address)
    low, high = (provider.vocabulary["remote_measures"][bound] for bound in ("low", "high"))
    return _scores(provider, {name: low + (high - low) * random.share(name) for name in MEASURES})


@functools.lru_cache(maxsize=256)
def _measured(provider: Provider, small: str) -> Mapping[str, Json]:
    """Score a picture by its pixels."""
    from mockserver.imaging.measuring import measure  # noqa: PLC0415 - Pillow is imported by the first picture

    return _scores(provider, asdict(measure(base64.b64decode(small))))


def _scores(provider: Provider, measures: Mapping[str, float]) -> Mapping[str, Json]:
    """Weigh what was measured into subscores from 0 to 100; their mean is the main score."""
    words = provider.vocabulary
    subscores = {
        name: round(100 * sum(measures[measure] * weight for measure, weight in weights.items()))
        for name, weights in words["score_weights"].items()
    }
    weakest = min(subscores, key=lambda name: subscores[name])
    return {
        "main_score": round(sum(subscores.values()) / len(subscores)),
        "subscores": subscores,
        "suggestion": words["suggestions"][weakest] if subscores[weakest] < words["suggests_below"] else None,
    }


def titles(call: Call) -> Result:
    """Suggest titles around the prompt's first words."""
    words = call.provider.vocabulary
    topic = " ".join(str(call.value("prompt") or "this picture").split()[:TOPIC_WORDS]).rstrip(".,!?;:")
    values = {"topic": topic, "Topic": topic[:1].upper() + topic[1:]}
    patterns = call.random.shuffled("titles", words["title_patterns"])[: call.provider.limits["titles"]]
    return Result(
        {
            "outputs": [Template(pattern).safe_substitute(values) for pattern in patterns],
            "reasoning": Template(words["reasoning"]).safe_substitute(values),
            "request_id": call.request_id,
        }
    )


def free_name(call: Call, *, sent: str, source: str) -> Call:
    """Refuse a name that is reserved, or that this account has given already."""
    name = call.body[sent]
    if name.strip().casefold() in call.provider.vocabulary["reserved_names"]:
        raise call.problem(ProblemType.NAME_RESERVED, f"{sent}: {name} is reserved", name=sent, source=source)
    mode = call.operation.row.settings["job"]
    if not call.account.flag("allows_equal_names") and call.world.names.get(_name_key(call, mode, name)):
        raise _taken(call, mode, name, sent, source)
    return call


def _taken(call: Call, mode: str, name: str, sent: str, source: str) -> Problem:
    message = f"{sent}: this account has a {mode} named {name}"
    return call.problem(ProblemType.NAME_TAKEN, message, name=sent, source=source)


def train(call: Call) -> Result:
    """Create a persona or a style; its name is taken from now on."""
    name, names = call.body["name"], call.world.names
    resource = _created(call, name)
    key = _name_key(call, resource.kind, name)
    if call.account.flag("allows_equal_names"):
        names.put(key, resource.id)
    elif not names.put_if_unchanged(key, resource.id, None):  # somebody took it since `free_name` looked
        raise _taken(call, resource.kind, name, "name", call.operation.row.source)
    call.world.resources.put(resource.id, resource)
    return Result({"id": resource.id, "request_id": call.request_id})


def _name_key(call: Call, mode: str, name: str) -> str:
    """Give the key of a name: taken once in each account and mode, in any case."""
    return f"{call.account.id}/{mode}/{name.strip().casefold()}"


def _created(call: Call, name: str) -> Resource:
    size = call.provider.sizes["1:1"]
    media_type = call.provider.outputs["media_type"]
    portrait = scene(
        call, size=size, media_type=media_type, headline=name, seed=call.random.seed, insets=insets(call)
    )
    references: list[Json] = []
    for index, given in enumerate(call.pictures["reference"]):
        if given.key is None:
            references.append({"url": call.body[given.place.partition("/")[0]][index]})
            continue
        shown = {**portrait, "headline": f"{name} {index + 1}", "insets": insets(call)[index : index + 1]}
        references.append({"output": publish(call, shown, f"reference {index}", lifetime_s=None).id})
    fields = {
        "name": name,
        "special_instructions": None,
        "portrait": publish(call, portrait, "portrait", lifetime_s=None).id,
        "references": references,
    }
    return started(call, call.random.uuid("resource"), fields)


def read(call: Call) -> Result:
    """Show a persona or a style as it is now."""
    resource, jobs, now_s = owned(call, NOT_THERE), call.provider.jobs, call.world.clock.now()
    status = resource.status(now_s)
    is_completed = status == jobs["outcomes"][0]
    top = 100 if resource.outcome == jobs["outcomes"][0] else jobs["failed_progress"]
    return Result(
        {
            "name": resource.fields["name"],
            "id": resource.id,
            "mode": resource.kind,
            "portrait_url": _link(call, {"output": resource.fields["portrait"]}) if is_completed else None,
            "progress": int(top * resource.share_done(now_s)),
            "reference": [_link(call, each) for each in resource.fields["references"]]
            if is_completed
            else None,
            "special_instructions": resource.fields["special_instructions"],
            "status": status,
        }
    )


def update(call: Call) -> Result:
    """Change what a persona or a style is told; what is left out stays."""
    changed = change_owned(
        call, NOT_THERE, lambda resource: replace(resource, fields={**resource.fields, **call.body})
    )
    assert changed is not None
    fields = changed.fields
    return Result(
        {"name": fields["name"], "id": changed.id, "special_instructions": fields["special_instructions"]}
    )


def delete(call: Call) -> Result:
    """Remove a persona or a style, and free its name."""
    keys: list[str] = []

    def remove(resource: Resource) -> None:
        if resource.status(call.world.clock.now()) == resource.running:
            message = f"{resource.id} is still processing"
            raise call.problem(ProblemType.RESOURCE_BUSY, message, name="id", location="path")
        keys[:] = [_name_key(call, resource.kind, resource.fields["name"])]

    change_owned(call, NOT_THERE, remove)
    call.world.names.delete(keys[0])
    return Result({"message": call.provider.vocabulary["deleted"]})


def _link(call: Call, reference: Json) -> str:
    output = call.world.output(reference.get("output", ""))
    return link(call, output) if output else str(reference.get("url", ""))
