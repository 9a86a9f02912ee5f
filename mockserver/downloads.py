"""The pictures behind links: downloads without a key, drawn when they are asked for.

A link works at `/cdn/<provider>/…` and under the provider's own CDN host name in the Host header.
"""

import functools
from hashlib import blake2b

from mockserver.behaviours.outputs import draw_scene
from mockserver.call import Door, Override
from mockserver.links import CDN, cdn_hosts, output_id
from mockserver.messages import Request, Response
from mockserver.pipeline.spoil import spoil
from mockserver.problems import EmulatorProblem
from mockserver.readings import Readings
from mockserver.spec.catalog import Catalog
from mockserver.spec.words import TRUNCATED
from mockserver.state.outputs import Output
from mockserver.state.world import World

NAME = "download"
METHODS = ("GET", "HEAD")
CUT = Override(fault="IMAGE_TRUNCATED")


class Downloads:
    """The door to every picture that was handed out."""

    def __init__(self, catalog: Catalog, readings: Readings) -> None:
        self._readings = readings
        self._providers = catalog.providers
        self._hosts = cdn_hosts(catalog.providers.values())

    def find(self, request: Request) -> Door | None:
        """Say whether a request, by its path or its Host header, asks for a picture."""
        name, path = self._read(request.path, request.headers.get("host", ""))
        if name is None:
            return None
        answer = functools.partial(self._answer, name, path)
        return Door(NAME, answer, f"{name}.{NAME}", functools.partial(self._has_cors, name))

    def _has_cors(self, name: str, world: World) -> bool:
        outputs = self._readings.provider(name, world).outputs if name in self._providers else None
        return outputs is None or outputs.has_cors

    def _read(self, path: str, host: str) -> tuple[str | None, str]:
        """Give whose picture is asked for, and its path on that CDN; None where none is."""
        if path.startswith(CDN):
            name, _, rest = path.removeprefix(CDN).partition("/")
            return name, f"/{rest}"
        return self._hosts.get(host.partition(":")[0].lower()), path

    def _answer(self, name: str, path: str, request: Request, world: World) -> Response:
        """Send a picture. Raises EmulatorProblem where it is not there, or no more."""
        if request.method not in METHODS:
            allowed, why = {"Allow": ", ".join(METHODS)}, "a link is downloaded with GET or HEAD"
            raise EmulatorProblem(405, "Method not allowed", why, headers=allowed)
        output = self._output(name, path, world)
        if output is None:
            why = f"{request.path} was never handed out, or has expired"
            outputs = self._readings.provider(name, world).outputs if name in self._providers else None
            raise EmulatorProblem(outputs.gone_status if outputs else 404, "No such picture", why)
        if output.fails and output.fails != TRUNCATED:
            why = f"the call that made {request.path} ordered its downloads to fail"
            raise EmulatorProblem(int(output.fails), "Download ordered to fail", why)
        content = draw_scene(world, output.scene)
        tag = f'"{blake2b(content, digest_size=16).hexdigest()}"'
        headers = (("ETag", tag), ("Cache-Control", "public, no-cache"))  # ask: the clock may have moved
        known = request.headers.get("if-none-match", "")
        if tag in known or known.strip() == "*":
            return Response(304, headers, b"")
        whole = Response(200, (("Content-Type", output.media_type), *headers), content)
        return spoil(CUT, whole) if output.fails else whole

    def _output(self, name: str, path: str, world: World) -> Output | None:
        provider = self._providers.get(name)
        output = world.output(name, output_id(provider, path)) if provider else None
        return None if output is None or output.is_over(world.clock.now()) else output
