"""Response → what is wrong with it: the faults that change what is sent, and a mark for all others.

The call itself was served and charged: a fault is what goes wrong on the way back.
"""

import base64
import re
from collections.abc import Callable

from mockserver.call import Override
from mockserver.messages import SLOW_BODY, WIRE_FAULTS, Fault, Response
from mockserver.problems import EmulatorProblem

HTML = "text/html; charset=utf-8"
GATEWAY_PAGE = b"\r\n".join([  # as nginx writes it
    b"<html>", b"<head><title>502 Bad Gateway</title></head>", b"<body>",
    b"<center><h1>502 Bad Gateway</h1></center>", b"<hr><center>nginx</center>", b"</body>", b"</html>", b"",
])  # fmt: skip
GIF = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # nothing asks for one
DATA_URL = re.compile(
    rb"(data:image/[a-z+.-]++;base64,)((?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2,3}={1,2})?+)"
)
SLOW_BODY_MS = 5_000  # where no delay is ordered


def spoil(ordered: Override, response: Response) -> Response:
    """Do to an answer what was ordered. Raises EmulatorProblem where there is nothing to do it to."""
    name = ordered.fault
    if name is None:
        return response
    if name in WIRE_FAULTS:
        lasts_ms = (ordered.delay_ms or SLOW_BODY_MS) if is_slow(ordered) else 0
        return response._replace(fault=Fault(name, lasts_ms / 1000))
    return SPOILERS[name](response)


def is_slow(ordered: Override) -> bool:
    """Whether an answer comes slowly: its delay is the time that the body takes, not one before it."""
    return ordered.fault == SLOW_BODY


def _invalid_json(response: Response) -> Response:
    body = response.read()
    if not body or not _type(response).partition(";")[0].endswith("json"):
        raise _unsuitable("INVALID_JSON", "is not JSON")
    # Half of an object, a list or a text is none; any other value becomes invalid by what follows it.
    return response._replace(body=body[: (len(body) + 1) // 2] if body[:1] in b'{["' else body + b"}")


def _wrong_content_type(response: Response) -> Response:
    return _retyped(response, HTML)


def _gateway_page(_response: Response) -> Response:
    headers = (("Server", "nginx"), ("Content-Type", "text/html"))
    return Response(502, headers, GATEWAY_PAGE, error="HTML_GATEWAY_PAGE")


def _truncated_picture(response: Response) -> Response:
    return _repainted("IMAGE_TRUNCATED", response, lambda content: content[: len(content) // 2])


def _picture_of_another_type(response: Response) -> Response:
    return _repainted("IMAGE_WRONG_TYPE", response, lambda _content: GIF)


def _repainted(name: str, response: Response, change: Callable[[bytes], bytes]) -> Response:
    """Change the picture that an answer is, or every picture that stands in it as a data URL."""
    body = response.read()
    if _type(response).startswith("image/"):
        return response._replace(body=change(body))

    def changed(found: re.Match[bytes]) -> bytes:
        return found[1] + base64.b64encode(change(base64.b64decode(found[2])))

    body, count = DATA_URL.subn(changed, body)
    if not count:
        raise _unsuitable(name, "holds no picture; downloads of links are ordered as download")
    return response._replace(body=body)


def _type(response: Response) -> str:
    return next((value for name, value in response.headers if name.lower() == "content-type"), "")


def _retyped(response: Response, media_type: str) -> Response:
    kept = tuple(each for each in response.headers if each[0].lower() != "content-type")
    return response._replace(headers=(("Content-Type", media_type), *kept))


def _unsuitable(name: str, why: str) -> EmulatorProblem:
    return EmulatorProblem(500, "Unsuitable fault", f"{name} cannot be done to this answer: it {why}")


SPOILERS: dict[str, Callable[[Response], Response]] = {
    "INVALID_JSON": _invalid_json,
    "WRONG_CONTENT_TYPE": _wrong_content_type,
    "HTML_GATEWAY_PAGE": _gateway_page,
    "IMAGE_TRUNCATED": _truncated_picture,
    "IMAGE_WRONG_TYPE": _picture_of_another_type,
}
