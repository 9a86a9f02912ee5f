"""Pictures that are handed out: scenes are put behind links, and drawn when somebody downloads them.

Drawing takes tens of milliseconds; only `draw_scene` does any: call it outside the event loop.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.caches import DRAWINGS
from mockserver.call import Call
from mockserver.imaging.scene import Scene
from mockserver.links import link_to
from mockserver.spec.rows import Outputs, Size
from mockserver.state.outputs import Output
from mockserver.state.world import World

SceneJson = dict[str, Any]  # a Scene of `imaging` as JSON, whose insets name stored pictures by key
LONGEST_HEADLINE, LONGEST_NOTE, MOST_NOTES = 10_000, 200, 20  # of what is kept; far less can be drawn


def scene(
    call: Call,
    *,
    size: Size,
    media_type: str,
    headline: str,
    seed: str,
    notes: Sequence[str] = (),
    insets: Sequence[SceneJson] = (),
    is_watermarked: bool = False,
) -> SceneJson:
    """Put together the scene that tells what was called, as JSON: it is stored far more often than drawn."""
    title = call.provider.title
    return {
        "width": size.width,
        "height": size.height,
        "media_type": media_type,
        "provider": title,
        "operation": call.operation.row.title,
        "headline": headline[:LONGEST_HEADLINE],
        "seed": seed,
        "model": call.value("model"),
        "notes": [note[:LONGEST_NOTE] for note in notes[:MOST_NOTES]],
        "insets": insets,
        "is_watermarked": is_watermarked,
        "style": call.world.style or call.settings.pictures,
        "metadata": (("Software", title.partition(" ")[0]), ("Request-Id", call.request_id)),
    }


def insets(call: Call) -> list[SceneJson]:
    """Show every picture that the call brought; the picture itself is looked up when it is drawn."""
    return [
        {"role": role, "label": given.label, "data": given.key}
        for role, pictures in call.pictures.items()
        for given in pictures
    ]


def publish(call: Call, scene: SceneJson, label: str, *, lifetime_s: float | None) -> Output:
    """Put a scene behind a link that works for `lifetime_s` seconds; None: for ever."""
    now_s = call.world.clock.now()
    output = Output(
        id=call.random.uuid(label),
        provider=call.provider.name,
        account=call.account.id,
        created_at_s=now_s,
        expires_at_s=None if lifetime_s is None else now_s + lifetime_s,
        media_type=scene["media_type"],
        scene=scene,
        fails=call.override.download,
    )
    return call.world.add_output(output)


def link(call: Call, outputs: Outputs, output: Output) -> str:
    """Give the address at which a caller downloads an output."""
    return link_to(call.base_url, call.provider.name, outputs, output)


def draw_scene(world: World, scene: Mapping[str, Any]) -> bytes:
    """Draw a scene whose insets name stored pictures by their keys; takes tens of ms the first time."""
    shown = []
    for inset in scene["insets"]:
        stored = world.picture(inset["data"]) if inset["data"] else None
        shown.append({**inset, "data": stored.small if stored else None})
    return DRAWINGS.ask(_rendered, Scene.from_json({**scene, "insets": shown}))


def _rendered(scene: Scene) -> bytes:
    from mockserver.imaging.rendering import render  # noqa: PLC0415 - Pillow is slow to import

    return render(scene)
