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
from mockserver.state.values import replace

DIGITS = 15  # of a number whose ratio to another is computed


class Shape(Row, frozen=True, kw_only=True):
    """How a picture gets the ratio that was asked for."""

    longest_px: int
    shortest_px: int  # however flat or thin it should be


class Settings(Row, frozen=True, kw_only=True):
    """What a table sets for `generate`."""

    watermark: PlanAttribute  # whether pictures carry one
    shape: Shape | None = None  # None: every ratio without a size of its own gives the first of `sizes`


class ReadSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `read`."""

    ends_at_once: bool = False  # False: one thumbnail after another
    fails_first: bool = False  # False: of a partial generation the last one fails


class Words(Row, frozen=True, kw_only=True):
    """What a table says for `read`."""

    thumbnail_error: str


def generate(
    call: Call, *, job: str, jobs: Jobs, outputs: Outputs, settings: Settings, sizes: Mapping[str, Size]
) -> Result:
    """Start a generation; its thumbnails are there when the job ends."""
    count, is_watermarked = int(call.value("count")), bool(call.plan(settings.watermark))
    size = _size(call.value("aspectRatio"), sizes, settings.shape)
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


def _size(ratio: str, sizes: Mapping[str, Size], shape: Shape | None) -> Size:
    """Give the size of a picture: its ratio's own, or one that has its shape, or the first that there is."""
    first = next(iter(sizes.values()))
    if ratio in sizes or shape is None:
        return sizes.get(ratio, first)
    width, height = (each[: max(0, len(each) - _excess(ratio))] or "0" for each in ratio.split(":"))
    across, down = int(width), int(height)
    short = shape.longest_px * min(across, down) // max(across, down)
    sides = sorted((max(short, shape.shortest_px), shape.longest_px), reverse=across > down)
    return replace(first, width=sides[0], height=sides[1])


def _excess(ratio: str) -> int:
    """Say how many digits both numbers of a ratio can do without: the first ones make its shape."""
    return max(0, max(map(len, ratio.split(":"))) - DIGITS)


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


def read(call: Call, *, jobs: Jobs, outputs: Outputs, words: Words, settings: ReadSettings) -> Result:
    """Show a generation as it is now; another organisation's does not exist."""
    resource = find_owned(call, "this organisation has no generation")
    count = resource.fields["count"]
    shown = {
        "id": resource.id,
        "status": resource.status(call.world.clock.now()),
        "model": resource.fields["model"],
        "count": count,
        "createdAt": int(resource.created_at_s * 1000),
        "thumbnails": [
            _thumbnail(call, jobs, outputs, words, settings, resource, index)
            for index in range(len(resource.fields["thumbnails"]))
        ],
    }
    return Result(shown)


def _thumbnail(
    call: Call,
    jobs: Jobs,
    outputs: Outputs,
    words: Words,
    settings: ReadSettings,
    resource: Resource,
    index: int,
) -> Json:
    """Show one variation: they end one after another or at once, and of a partial generation one fails."""
    thumbnail, count = resource.fields["thumbnails"][index], resource.fields["count"]
    needed = count if settings.ends_at_once else index + 1
    is_over = resource.share_done(call.world.clock.now()) * count >= needed
    is_unlucky = index == (0 if settings.fails_first else count - 1)
    is_failed = resource.outcome == jobs.failure or (resource.outcome == jobs.partial and is_unlucky)
    output = call.world.output(call.provider.name, thumbnail["output"])
    return {
        "id": thumbnail["id"],
        "status": resource.running if not is_over else jobs.failure if is_failed else jobs.success,
        "url": link(call, outputs, output) if is_over and not is_failed and output else None,
        "isWatermarked": resource.fields["is_watermarked"],
        "isHidden": False,
        "error": words.thumbnail_error if is_over and is_failed else None,
    }
