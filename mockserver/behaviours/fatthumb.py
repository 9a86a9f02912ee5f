"""FatThumb: a generation is a job with one thumbnail for each variation, polled until it ends.

Only what the shared verbs cannot say stands here; numbers and sentences are in specs/fatthumb/behaviour.yaml.
"""

from collections.abc import Mapping

from mockserver.behaviours.jobs import find_owned, start_job
from mockserver.behaviours.outputs import link, publish, scene
from mockserver.call import Call, Result
from mockserver.jsontext import Json
from mockserver.spec.marks import PlanAttribute
from mockserver.spec.rows import Jobs, Outputs, Row, Size
from mockserver.state.resources import Resource


class Settings(Row, frozen=True, kw_only=True):
    """What a table sets for `generate`."""

    watermark: PlanAttribute  # whether pictures carry one


class Words(Row, frozen=True, kw_only=True):
    """What a table says for `read`."""

    thumbnail_error: str


def generate(
    call: Call, *, job: str, jobs: Jobs, outputs: Outputs, settings: Settings, sizes: Mapping[str, Size]
) -> Result:
    """Start a generation; its thumbnails are there when the job ends."""
    count, is_watermarked = int(call.value("count")), bool(call.plan(settings.watermark))
    size = sizes.get(call.value("aspectRatio")) or next(iter(sizes.values()))
    ids = [f"thumb_{call.random.hex(f'thumbnail {index}', 24)}" for index in range(count)]
    thumbnails = [
        {"id": id_, "output": _published(call, outputs, size, index, is_watermarked=is_watermarked)}
        for index, id_ in enumerate(ids)
    ]
    told = {"model": call.value("model"), "count": count}
    fields = {**told, "is_watermarked": is_watermarked, "thumbnails": thumbnails}
    resource = start_job(call, jobs, job, f"gen_{call.random.hex('generation', 24)}", fields)
    call.world.resources.put(resource.id, resource)
    told = {"generationId": resource.id, "thumbnailIds": ids, "status": resource.running}
    return Result(told, job=resource.id, has_links=True)


def _published(call: Call, outputs: Outputs, size: Size, index: int, *, is_watermarked: bool) -> str:
    people, ideas = call.value("personIds") or (), call.value("inspirationIds") or ()
    notes = [f"person: {name}" for name in people] + [f"inspiration: {name}" for name in ideas]
    if int(call.value("count")) > 1:
        notes.append(f"variation {index + 1} of {int(call.value('count'))}")
    picture = scene(
        call,
        size=size,
        media_type=outputs.media_type,
        headline=call.body["prompt"],
        seed=f"{call.random.seed}{index:02x}",
        notes=notes,
        is_watermarked=is_watermarked,
    )
    return publish(call, picture, f"output {index}", lifetime_s=outputs.lifetime_s).id


def read(call: Call, *, jobs: Jobs, outputs: Outputs, words: Words) -> Result:
    """Show a generation as it is now; another organisation's does not exist."""
    resource = find_owned(call, "this organisation has no generation")
    count = resource.fields["count"]
    shown = {
        "id": resource.id,
        "status": resource.status(call.world.clock.now()),
        "model": resource.fields["model"],
        "count": count,
        "createdAt": int(resource.created_at_s * 1000),
        "thumbnails": [_thumbnail(call, jobs, outputs, words, resource, index) for index in range(count)],
    }
    return Result(shown)


def _thumbnail(
    call: Call, jobs: Jobs, outputs: Outputs, words: Words, resource: Resource, index: int
) -> Json:
    """Show one variation; they end one after another, and of a partial generation the last one fails."""
    thumbnail, count = resource.fields["thumbnails"][index], resource.fields["count"]
    is_over = resource.share_done(call.world.clock.now()) * count >= index + 1
    is_failed = resource.outcome == jobs.failure or (resource.outcome == jobs.partial and index == count - 1)
    output = call.world.output(call.provider.name, thumbnail["output"])
    return {
        "id": thumbnail["id"],
        "status": resource.running if not is_over else jobs.failure if is_failed else jobs.success,
        "url": link(call, outputs, output) if is_over and not is_failed and output else None,
        "isWatermarked": resource.fields["is_watermarked"],
        "isHidden": False,
        "error": words.thumbnail_error if is_over and is_failed else None,
    }
