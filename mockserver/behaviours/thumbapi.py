"""ThumbAPI: one call, one picture in the answer; the older parameter names mean the newer ones.

Only what the shared verbs cannot say stands here; numbers and sentences are in specs/thumbapi/behaviour.yaml.
"""

import base64
from collections.abc import Mapping
from typing import Annotated, Any

from mockserver.behaviours.jobs import start_job
from mockserver.behaviours.outputs import SceneJson, draw_scene, insets, link, publish, scene
from mockserver.call import EMPTY, Call, Result
from mockserver.jsontext import Json
from mockserver.spec import marks
from mockserver.spec.rows import Jobs, Outputs, Row, Size
from mockserver.state.deliveries import WAITING, Delivery
from mockserver.state.resources import Resource
from mockserver.state.values import replace


class Settings(Row, frozen=True, kw_only=True):
    """What a table sets for `generate`: what to look up in accounts, and what a test account gets."""

    assets: marks.AccountPictures
    reference_sets: marks.AccountPictureSets
    webhook_secret: marks.AccountText
    placeholder_for: marks.AccountFlag
    placeholder: str
    scales: Mapping[Annotated[str, marks.Mark("values_of", "model")], int] = {}  # of sizes, by model
    long_sides: Mapping[Annotated[str, marks.Mark("values_of", "model")], int] = {}  # in pixels, by model
    has_extra_fields: bool = False  # answers tell the size, an id and a link, too


class LegacyStyle(Row, frozen=True, kw_only=True):
    """What one older style stands for."""

    flags: Mapping[marks.FlagField, bool]
    picture: marks.PictureField | None = None  # that the older picture field means


def modernise(
    call: Call,
    *,
    style: marks.BodyField,
    picture: marks.PictureField,
    styles: Annotated[Mapping[str, LegacyStyle], marks.Mark("choices_of", "style")],
    flags: Mapping[marks.FlagField, marks.FlagField],
    implied: Mapping[marks.PictureField, marks.FlagField] = EMPTY,
    alone: marks.PictureField | None = None,
    saved: Mapping[marks.FlagField, marks.PictureField] = EMPTY,
    wins: bool = False,
    picture_wins: bool = False,
    flags_win: bool = False,
) -> Call:
    """Read the legacy parameters as what they mean today; an explicit new parameter wins unless `wins`.

    `implied`: pictures that switch on their flag by being there. `alone`: what the older picture is where no
    style is sent. `saved`: older flags, and the picture that is put aside for the saved one. `picture_wins`:
    the older picture goes before the newer one. `flags_win`: an older flag goes before the style.
    """
    body = dict(call.body)
    meant = styles.get(body.get(style, ""))
    older: dict[str, Json] = dict(meant.flags) if meant else {}
    for flag, newer in flags.items():
        if body.get(flag) and (flags_win or newer not in older):
            older[newer] = True
    body = {**body, **older} if wins else {**older, **body}
    field = alone if meant is None else meant.picture
    if field and picture in body and (picture_wins or field not in body):
        body[field] = body[picture]
    for flag, field in saved.items():
        if body.get(flag):
            body.pop(field, None)
    for field, flag in implied.items():
        if field in body:
            body.setdefault(flag, True)
    return call._replace(arguments=call.arguments._replace(body=body))


def generate(
    call: Call, *, job: str, jobs: Jobs, outputs: Outputs, settings: Settings, sizes: Mapping[str, Size]
) -> Result:
    """Generate a thumbnail; it is drawn when the answer is sent."""
    format_ = _format(call, settings)
    output_format = call.value("outputFormat")
    size = _scaled(sizes[format_], call.value("model"), settings)
    picture = _scene(call, settings, size, f"image/{output_format}")
    if "webhookUrl" in call.body:
        return _promised(call, start_job(call, jobs, job, *_job(call, format_, picture)), settings)
    answer: dict[str, Json] = {"image": None, "format": format_, "outputFormat": output_format}
    if settings.has_extra_fields:
        output = publish(call, picture, "output", lifetime_s=outputs.lifetime_s)
        answer["dimensions"] = {"width": picture["width"], "height": picture["height"]}
        answer["generationId"] = f"gen_{call.random.hex('generation', 24)}"
        answer["imageUrl"] = f"{link(call, outputs, output)}.{output_format}"
    world = call.world

    def body() -> Json:
        encoded = base64.b64encode(draw_scene(world, picture)).decode()
        return {**answer, "image": f"data:image/{output_format};base64,{encoded}"}

    return Result(body, has_links=settings.has_extra_fields)


def _scaled(size: Size, model: str, settings: Settings) -> Size:
    """Give the size that pictures of a model have: that of their format, unless the table enlarges them."""
    times: float = settings.scales.get(model, 1)
    if model in settings.long_sides:
        times = settings.long_sides[model] / max(size.width, size.height)
    if times == 1:
        return size
    return replace(size, width=round(size.width * times), height=round(size.height * times))


def _job(call: Call, format_: str, picture: SceneJson) -> tuple[str, dict[str, Json]]:
    size = {"width": picture["width"], "height": picture["height"]}
    fields = {"format": format_, "dimensions": size, "scene": picture}
    return f"job_{call.random.hex('job', 24)}", fields


def _promised(call: Call, job: Resource, settings: Settings) -> Result:
    """Answer at once, and tell the webhook when the job has ended."""
    world, url = call.world, call.body["webhookUrl"]
    secret = str(call.account.flag(settings.webhook_secret))
    world.resources.put(job.id, job)  # before its webhook, which is dropped where there is no job
    world.deliveries.put(job.id, Delivery(job.id, call.account.id, url, secret, WAITING, job.ends_at_s))
    return Result({"jobId": job.id, "status": job.running, "webhookUrl": url}, status=202, job=job.id)


def _format(call: Call, settings: Settings) -> str:
    """Give the format: a reference set's own wins over whatever was sent."""
    return str(_reference_set(call, settings).get("format") or call.value("format"))


def _reference_set(call: Call, settings: Settings) -> Mapping[str, Any]:
    sets: Mapping[str, Mapping[str, Any]] = call.account.flag(settings.reference_sets) or {}
    return sets.get(call.value("customAssetsId") or "", {})


def _scene(call: Call, settings: Settings, size: Size, media_type: str) -> SceneJson:
    picture = scene(
        call,
        size=size,
        media_type=media_type,
        headline=call.body["title"],
        seed=call.random.seed,
        notes=[f"{name}: {call.body[name]}" for name in ("category", "customAssetsId") if name in call.body],
        insets=_insets(call, settings),
    )
    if not call.account.flag(settings.placeholder_for):
        return picture
    # The public test key always gets the same placeholder, whatever it asks for.
    fixed = {"headline": settings.placeholder, "seed": "", "model": None}
    return {**picture, **fixed, "notes": (), "insets": (), "metadata": picture["metadata"][:1]}


def _insets(call: Call, settings: Settings) -> list[SceneJson]:
    """Show the photo and the logo that are switched on, inline or saved, and the reference set."""
    wanted = {"photo": call.value("usePhoto"), "logo": call.value("useLogo")}
    saved = call.account.flag(settings.assets) or {}
    shown = [each for each in insets(call) if wanted.get(each["role"])]
    shown += [
        _saved(role, saved[role])
        for role, is_wanted in wanted.items()
        if is_wanted and role not in call.pictures and role in saved
    ]
    files = _reference_set(call, settings).get("files", ())
    return shown + [{"role": "reference", "label": "reference", "data": file} for file in files]


def _saved(role: str, asset: Mapping[str, Any]) -> SceneJson:
    options = {name: asset[name] for name in ("corner", "scale", "has_shadow") if name in asset}
    return {"role": role, "label": f"saved {role}", "data": asset["file"], **options}
