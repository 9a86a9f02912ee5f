"""Pikzels v2: thumbnails, scores and titles at once; personas and styles that are created and stay.

Only what the shared verbs cannot say stands here; numbers and sentences are in specs/pikzels/behaviour.yaml.
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import asdict
from string import Template
from typing import Annotated, Literal, get_args

from mockserver.behaviours.jobs import change_owned, find_owned, start_job
from mockserver.behaviours.names import Naming, free, refuse_reserved, refuse_taken, rename, take
from mockserver.behaviours.outputs import insets, link, publish, scene
from mockserver.caches import GUESSES, SCORES
from mockserver.call import Call, Result
from mockserver.jsontext import Json
from mockserver.problems import ProblemType
from mockserver.seeded import Random
from mockserver.spec.marks import (
    AccountFlag,
    CitationName,
    LimitName,
    Mark,
    Number,
    RoleName,
    SentField,
    SizeName,
)
from mockserver.spec.rows import Jobs, Outputs, Row, Size
from mockserver.state.resources import Resource
from mockserver.state.values import replace

# Of imaging.measuring.
Measure = Literal["brightness", "contrast", "colourfulness", "sharpness", "composition", "calm"]
MEASURES: tuple[str, ...] = get_args(Measure)
Topical = Annotated[str, Mark("template", "topic", "Topic")]
TOPIC_WORDS = 7
PERCENT = 100
NOT_THERE = "this account has no persona or style"


class Subscore(Row, frozen=True, kw_only=True):
    """How one subscore comes about, and what is suggested where it is the lowest."""

    weights: Mapping[Measure, Number]  # of what the pixels say, from 0 to 1; together 1
    suggestion: str
    needs: Mapping[Measure, Number] = {}  # what is measured at least where the suggestion makes sense

    def __post_init__(self) -> None:
        """Refuse weights that would lift or lower the score. Raises ValueError."""
        if not math.isclose(sum(self.weights.values()), 1):
            raise ValueError("the weights must add up to 1")


class Bounds(Row, frozen=True, kw_only=True):
    """The least and the greatest."""

    low: Number
    high: Number


class Words(Row, frozen=True, kw_only=True):
    """What a table says for these behaviours."""

    naming: Naming
    subscores: Annotated[Mapping[str, Subscore], Mark("members_of", "subscores")]
    remote_measures: Bounds
    suggests_below: Number
    score_decimals: int | None = None  # None: scores are whole numbers
    title_patterns: tuple[Topical, ...]
    reasoning: Topical
    deleted: str


class ThumbnailSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `thumbnail`."""

    ignores_prompt_of: Annotated[tuple[str, ...], Mark("values_of", "model")] = ()


class ScoreSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `score`."""

    picture: RoleName  # that is scored


class TitleSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `titles`."""

    most: LimitName


class TrainSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `train`."""

    portrait: SizeName
    pictures: RoleName  # from which it is trained
    equal_names: AccountFlag  # whether an account may give one name twice
    lifetime_s: Number | None = None  # of the links to its pictures; None: they stay


def thumbnail(
    call: Call, *, outputs: Outputs, settings: ThumbnailSettings, sizes: Mapping[str, Size]
) -> Result:
    """Generate a thumbnail from text or pictures; the answer is a link."""
    body, row = call.body, call.operation.row
    ignores_prompt = body.get("model") in settings.ignores_prompt_of
    notes = [f"{mode}: {_name(call, body[mode])}" for mode in ("persona", "style") if mode in body]
    if ignores_prompt:
        notes.append(f"image weight: {call.value('image_weight')}")
    picture = scene(
        call,
        size=sizes[body["format"]],
        media_type=outputs.media_type,
        headline=row.title if ignores_prompt else body.get("prompt", row.title),
        seed=call.random.seed,
        notes=notes,
        insets=insets(call),
    )
    output = publish(call, picture, "output", lifetime_s=outputs.lifetime_s)
    return Result({"output": link(call, outputs, output), "request_id": call.request_id}, has_links=True)


def _name(call: Call, id_: str) -> str:
    resource = call.world.resources.get(id_)
    return str(resource.fields.get("name", id_)) if resource else id_


def score(call: Call, *, settings: ScoreSettings, words: Words) -> Result:
    """Score a thumbnail: an uploaded one by its pixels, a remote one by its address alone."""
    given = call.pictures[settings.picture][0]
    stored = call.world.picture(given.key) if given.key else None
    if stored:
        return Result({**SCORES.ask(_measured, words, stored.small), "request_id": call.request_id})
    return Result(
        {**GUESSES.ask(_guessed, words, call.world.seed, given.label), "request_id": call.request_id}
    )


def _guessed(words: Words, seed: int, address: str) -> Mapping[str, Json]:
    """Take a remote picture, which is never fetched, for one that its address picks."""
    random = Random.from_text(str(seed), address)
    low, high = words.remote_measures.low, words.remote_measures.high
    return _scores(words, {name: low + (high - low) * random.share(name) for name in MEASURES})


def _measured(words: Words, small: str) -> Mapping[str, Json]:
    from mockserver.imaging.measuring import measure  # noqa: PLC0415 - Pillow is slow to import

    return _scores(words, asdict(measure(base64.b64decode(small))))


def _scores(words: Words, measures: Mapping[str, float]) -> Mapping[str, Json]:
    """Weigh what was measured into subscores from 0 to 100; their mean is the main score."""
    digits = words.score_decimals
    subscores = {
        name: round(100 * sum(measures[measure] * weight for measure, weight in each.weights.items()), digits)
        for name, each in words.subscores.items()
    }
    sensible = [
        name
        for name, each in words.subscores.items()
        if all(measures[measure] >= least for measure, least in each.needs.items())
    ]
    weakest = min(sensible or subscores, key=lambda name: subscores[name])
    is_low = subscores[weakest] < words.suggests_below
    return {
        "main_score": round(sum(subscores.values()) / len(subscores), digits),
        "subscores": subscores,
        "suggestion": words.subscores[weakest].suggestion if is_low else None,
    }


def titles(call: Call, *, settings: TitleSettings, words: Words) -> Result:
    """Suggest titles around the prompt's first words."""
    topic = " ".join(str(call.value("prompt") or "this picture").split()[:TOPIC_WORDS]).rstrip(".,!?;:")
    values = {"topic": topic, "Topic": topic[:1].upper() + topic[1:]}
    patterns = call.random.shuffled("titles", words.title_patterns)[: call.provider.limits[settings.most]]
    return Result(
        {
            "outputs": [Template(pattern).safe_substitute(values) for pattern in patterns],
            "reasoning": Template(words.reasoning).safe_substitute(values),
            "request_id": call.request_id,
        }
    )


def free_name(
    call: Call, *, field: SentField, unless: AccountFlag, citation: CitationName, job: str, words: Words
) -> None:
    """Refuse a name that is reserved, or that this account has given already."""
    name = call.body[field]
    refuse_reserved(call, words.naming, job, name, field, citation)
    if not call.account.flag(unless):
        refuse_taken(call, words.naming, job, name, field, citation)


def train(
    call: Call, *, job: str, jobs: Jobs, outputs: Outputs, settings: TrainSettings, words: Words
) -> Result:
    """Create a persona or a style; its name is taken from now on."""
    resource = start_job(call, jobs, job, *_trained(call, outputs, settings, call.body["name"]))
    may_repeat = bool(call.account.flag(settings.equal_names))
    citation = call.match.citation(ProblemType.NAME_TAKEN)
    take(call, words.naming, resource, "name", citation, even_taken=may_repeat)  # `free_name` looked before
    call.world.resources.put(resource.id, resource)
    return Result({"id": resource.id, "request_id": call.request_id}, job=resource.id, has_links=True)


def _trained(call: Call, outputs: Outputs, settings: TrainSettings, name: str) -> tuple[str, dict[str, Json]]:
    """Give the id of what is created, and what reading it shows."""
    portrait = scene(
        call,
        size=call.provider.sizes[settings.portrait],
        media_type=outputs.media_type,
        headline=name,
        seed=call.random.seed,
        insets=insets(call),
    )
    references: list[Json] = []
    for index, given in enumerate(call.pictures[settings.pictures]):
        if given.key is None:
            references.append({"url": call.body[given.place.partition("/")[0]][index]})
            continue
        shown = {**portrait, "headline": f"{name} {index + 1}", "insets": insets(call)[index : index + 1]}
        references.append(
            {"output": publish(call, shown, f"reference {index}", lifetime_s=settings.lifetime_s).id}
        )
    fields = {
        "name": name,
        "special_instructions": None,
        "portrait": {"output": publish(call, portrait, "portrait", lifetime_s=settings.lifetime_s).id},
        "references": references,
    }
    return call.random.uuid("resource"), fields


def read(call: Call, *, jobs: Jobs, outputs: Outputs) -> Result:
    """Show a persona or a style as it is now."""
    resource, now_s = find_owned(call, NOT_THERE), call.world.clock.now()
    status = resource.status(now_s)
    is_completed = status == jobs.success
    share = resource.share_done(now_s)
    if resource.outcome != jobs.success:
        share *= jobs.failed_progress / PERCENT
    progress = PERCENT * share if jobs.full_progress is None else round(jobs.full_progress * share, 2)
    told = {"special_instructions": None, "references": (), **resource.fields}
    portrait = _link(call, outputs, told["portrait"]) if told.get("portrait") else None
    references = [_link(call, outputs, each) for each in told["references"]]
    shown = {
        "name": told.get("name", resource.id),
        "id": resource.id,
        "mode": resource.kind,
        "portrait_url": portrait if is_completed else None,
        "progress": progress if jobs.full_progress else int(progress),
        "reference": references if is_completed else None,
        "special_instructions": told["special_instructions"],
        "status": status,
    }
    return Result(shown)


def update(call: Call, *, words: Words) -> Result:
    """Change what a persona or a style is told; what is left out stays. A new name must be free."""
    if "name" in call.body:
        known = find_owned(call, NOT_THERE)
        rename(call, words.naming, known, call.body["name"], "name", call.operation.row.citation)
    changed = change_owned(call, NOT_THERE, lambda it: replace(it, fields={**it.fields, **call.body}))
    assert changed is not None
    name, told = changed.fields.get("name", changed.id), changed.fields.get("special_instructions")
    return Result({"name": name, "id": changed.id, "special_instructions": told})


def delete(call: Call, *, words: Words) -> Result:
    """Remove a persona or a style, and free its name."""
    removed: list[Resource] = []

    def remove(resource: Resource) -> None:
        if resource.status(call.world.clock.now()) == resource.running:
            message = f"{resource.id} is still processing"
            busy, kind = ProblemType.RESOURCE_BUSY, resource.kind
            raise call.problem(busy, message, name="id", location="path", kind=kind)
        removed[:] = [resource]

    change_owned(call, NOT_THERE, remove)
    free(call, removed[0], removed[0].fields.get("name", removed[0].id))
    return Result({"message": words.deleted})


def _link(call: Call, outputs: Outputs, reference: Json) -> str:
    output = call.world.output(call.provider.name, reference.get("output"))
    return link(call, outputs, output) if output else str(reference.get("url", ""))
