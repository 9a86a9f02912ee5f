"""ThumbAPI: one call, one picture in the answer; the older parameter names mean the newer ones.

Only what the shared verbs cannot say stands here; numbers and sentences stand in specs/thumbapi/behaviour.yaml.
"""

import base64
from collections.abc import Mapping
from typing import Any

from mockserver.behaviours.drawing import SceneJson, drawn_scene, insets, link, publish, scene
from mockserver.behaviours.jobs import started
from mockserver.call import Call, Result
from mockserver.jsontext import Json
from mockserver.state.deliveries import WAITING, Delivery


def modernise(call: Call, *, source: str) -> Call:  # noqa: ARG001 - every rule has a source
    """Read the legacy parameters as what they mean today; an explicit new parameter wins."""
    body = dict(call.body)
    style = call.operation.row.settings["legacy_styles"].get(body.get("imageStyle"), {})
    for flag, value in style.get("flags", {}).items():
        body.setdefault(flag, value)
    if "image" in style and "personImage" in body:
        body.setdefault(style["image"], body["personImage"])
    if body.get("usePersonalPhoto") is True:
        body.setdefault("usePhoto", True)
    return call._replace(arguments=call.arguments._replace(body=body))


def generate(call: Call) -> Result:
    """Generate a thumbnail; it is drawn when the answer is sent."""
    format_ = _format(call)
    output_format = call.value("outputFormat")
    picture = _scene(call, format_, f"image/{output_format}")
    if "webhookUrl" in call.body:
        return _promised(call, format_, picture)
    answer: dict[str, Json] = {"image": None, "format": format_, "outputFormat": output_format}
    if call.settings.has_extra_fields:
        output = publish(call, picture, "output", lifetime_s=call.provider.outputs["lifetime_s"])
        answer["dimensions"] = {"width": picture["width"], "height": picture["height"]}
        answer["generationId"] = f"gen_{call.random.hex('generation', 24)}"
        answer["imageUrl"] = f"{link(call, output)}.{output_format}"
    world = call.world

    def body() -> Json:
        encoded = base64.b64encode(drawn_scene(world, picture)).decode()
        return {**answer, "image": f"data:image/{output_format};base64,{encoded}"}

    return Result(body)


def _promised(call: Call, format_: str, picture: SceneJson) -> Result:
    """Answer at once, and tell the webhook when the job has ended."""
    world, url = call.world, call.body["webhookUrl"]
    size = {"width": picture["width"], "height": picture["height"]}
    fields = {"format": format_, "dimensions": size, "scene": picture}
    job = started(call, f"job_{call.random.hex('job', 24)}", fields)
    secret = str(call.account.flag("webhook_secret"))
    world.resources.put(job.id, job)  # before its webhook, which is dropped where there is no job
    world.deliveries.put(job.id, Delivery(job.id, call.account.id, url, secret, WAITING, job.ends_at_s))
    return Result({"jobId": job.id, "status": job.running, "webhookUrl": url}, status=202)


def _format(call: Call) -> str:
    """Give the format: a reference set's own wins over whatever was sent."""
    sets: Mapping[str, Any] = call.account.flag("reference_sets") or {}
    chosen = sets.get(call.value("customAssetsId") or "")
    return str(chosen["format"] if chosen else call.value("format"))


def _scene(call: Call, format_: str, media_type: str) -> SceneJson:
    picture = scene(
        call,
        size=call.provider.sizes[format_],
        media_type=media_type,
        headline=call.body["title"],
        seed=call.random.seed,
        notes=[f"{name}: {call.body[name]}" for name in ("category", "customAssetsId") if name in call.body],
        insets=_insets(call),
    )
    if not call.account.flag("is_test"):
        return picture
    # The public test key always gets the same placeholder, whatever it asks for.
    fixed = {"headline": call.operation.row.settings["placeholder"], "seed": "", "model": None}
    return {**picture, **fixed, "notes": (), "insets": (), "metadata": picture["metadata"][:1]}


def _insets(call: Call) -> list[SceneJson]:
    """Show the photo and the logo that are switched on, inline or saved, and the reference set."""
    wanted = {"photo": call.value("usePhoto"), "logo": call.value("useLogo")}
    saved = call.account.flag("assets") or {}
    shown = [each for each in insets(call) if wanted.get(each["role"])]
    shown += [
        _saved(role, saved[role])
        for role, is_wanted in wanted.items()
        if is_wanted and role not in call.pictures and role in saved
    ]
    sets = call.account.flag("reference_sets") or {}
    chosen = sets.get(call.value("customAssetsId") or "", {})
    return shown + [
        {"role": "reference", "label": "reference", "data": file} for file in chosen.get("files", ())
    ]


def _saved(role: str, asset: Mapping[str, Any]) -> SceneJson:
    options = {name: asset[name] for name in ("corner", "scale", "has_shadow") if name in asset}
    return {"role": role, "label": f"saved {role}", "data": asset["file"], **options}
