"""FatThumb: a generation is a job with one thumbnail for each variation, polled until it ends.

Only what the shared verbs cannot say stands here; numbers and sentences stand in specs/fatthumb/behaviour.yaml.
"""

from mockserver.behaviours.drawing import link, publish, scene
from mockserver.behaviours.jobs import owned, started
from mockserver.call import Call, Result
from mockserver.jsontext import Json
from mockserver.state.resources import Resource


def generate(call: Call) -> Result:
    """Start a generation; its thumbnails are there when the job ends."""
    count = int(call.value("count"))
    thumbnails = [
        {"id": f"thumb_{call.random.hex(f'thumbnail {index}', 24)}", "output": _published(call, index)}
        for index in range(count)
    ]
    fields = {
        "model": call.value("model"),
        "count": count,
        "is_watermarked": bool(call.plan("has_watermark")),
        "thumbnails": thumbnails,
    }
    resource = started(call, f"gen_{call.random.hex('generation', 24)}", fields)
    call.world.resources.put(resource.id, resource)
    ids = [thumbnail["id"] for thumbnail in thumbnails]
    return Result({"generationId": resource.id, "thumbnailIds": ids, "status": resource.running})


def _published(call: Call, index: int) -> str:
    people, ideas = call.value("personIds") or (), call.value("inspirationIds") or ()
    notes = [f"person: {name}" for name in people] + [f"inspiration: {name}" for name in ideas]
    if int(call.value("count")) > 1:
        notes.append(f"variation {index + 1} of {int(call.value('count'))}")
    sizes = call.provider.sizes
    picture = scene(
        call,
        size=sizes.get(call.value("aspectRatio")) or next(iter(sizes.values())),
        media_type=call.provider.outputs["media_type"],
        headline=call.body["prompt"],
        seed=f"{call.random.seed}{index:02x}",
        notes=notes,
        is_watermarked=bool(call.plan("has_watermark")),
    )
    return publish(call, picture, f"output {index}", lifetime_s=call.provider.outputs["lifetime_s"]).id


def read(call: Call) -> Result:
    """Show a generation as it is now; another organisation's does not exist."""
    resource = owned(call, "this organisation has no generation")
    return Result(
        {
            "id": resource.id,
            "status": resource.status(call.world.clock.now()),
            "model": resource.fields["model"],
            "count": resource.fields["count"],
            "createdAt": int(resource.created_at_s * 1000),
            "thumbnails": [
                _thumbnail(call, resource, index) for index in range(len(resource.fields["thumbnails"]))
            ],
        }
    )


def _thumbnail(call: Call, resource: Resource, index: int) -> Json:
    """Show one variation; they end one after another, and of a partial generation the last one fails."""
    thumbnail, count = resource.fields["thumbnails"][index], resource.fields["count"]
    succeeded, failed, partial = call.provider.jobs["outcomes"]
    is_over = resource.share_done(call.world.clock.now()) * count >= index + 1
    is_failed = resource.outcome == failed or (resource.outcome == partial and index == count - 1)
    output = call.world.output(thumbnail["output"])
    return {
        "id": thumbnail["id"],
        "status": resource.running if not is_over else failed if is_failed else succeeded,
        "url": link(call, output) if is_over and not is_failed and output else None,
        "isWatermarked": resource.fields["is_watermarked"],
        "isHidden": False,
        "error": call.provider.vocabulary["thumbnail_error"] if is_over and is_failed else None,
    }
