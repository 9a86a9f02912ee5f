"""What a generated picture shows: scenes are put together here, and drawn when somebody downloads them.

Drawing takes tens of milliseconds, so nothing here but `drawn` does any; call that outside the event loop.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mockserver.call import Call, GivenPicture
from mockserver.imaging.scene import Inset, Scene
from mockserver.state.outputs import Output, own_link
from mockserver.state.world import World

KEPT_DRAWINGS = 64  # encoded pictures, of 30 to 300 kB each


def scene(
    call: Call,
    *,
    size: Mapping[str, Any],
    media_type: str,
    headline: str,
    seed: str,
    notes: tuple[str, ...] = (),
    insets: tuple[Inset, ...] = (),
    is_watermarked: bool = False,
) -> Scene:
    """Put together the scene that tells what was called."""
    return Scene(
        width=size["width"],
        height=size["height"],
        media_type=media_type,
        provider=call.provider.title,
        operation=call.operation.row.title,
        headline=headline,
        seed=seed,
        model=call.value("model"),
        notes=notes,
        insets=insets,
        is_watermarked=is_watermarked,
        metadata=(("Software", call.provider.title.split()[0]), ("Request-Id", call.request_id)),
    )


def insets(call: Call) -> tuple[Inset, ...]:
    """Show every picture that the call brought; the picture itself is looked up when it is drawn."""
    return tuple(inset(role, given) for role, pictures in call.pictures.items() for given in pictures)


def inset(role: str, given: GivenPicture, **options: Any) -> Inset:
    """Show one picture in a role."""
    return Inset(role, given.label, data=given.key, **options)


def publish(call: Call, scene: Scene, label: str, *, lifetime_s: float | None) -> Output:
    """Put a scene behind a link that works for `lifetime_s` seconds; None: for ever."""
    now_s = call.world.clock.now()
    output = Output(
        id=call.chance.uuid(label),
        provider=call.provider.name,
        account=call.account.id,
        created_at_s=now_s,
        expires_at_s=None if lifetime_s is None else now_s + lifetime_s,
        media_type=scene.media_type,
        scene=scene.as_json(),
    )
    return call.world.outputs.put(output.id, output)


def link(call: Call, output: Output) -> str:
    """Give the address at which a caller downloads an output."""
    path = str(call.provider.outputs["path"]).replace("{id}", output.id)
    return own_link(call.base_url, call.provider.name, path)


def drawn(world: World, output: Output) -> bytes:
    """Draw an output. Takes tens of milliseconds the first time."""
    return drawn_scene(world, Scene.from_json(output.scene))


def drawn_scene(world: World, scene: Scene) -> bytes:
    """Draw a scene whose insets name stored pictures by their keys."""
    insets = []
    for each in scene.insets:
        stored = world.picture(each.data) if each.data else None
        insets.append(replace(each, data=stored.small if stored else None))
    return _rendered(replace(scene, insets=tuple(insets)))


@functools.lru_cache(maxsize=KEPT_DRAWINGS)
def _rendered(scene: Scene) -> bytes:
    from mockserver.imaging.rendering import render  # noqa: PLC0415 - Pillow is imported by the first picture

    return render(scene)
