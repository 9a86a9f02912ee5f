"""requests without a socket. The only home of requests and urllib3, which need not be installed."""

import io
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ReadTimeout
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.util import Timeout

from mockserver.engine import Engine
from mockserver.messages import Request
from mockserver.testing.transports import ask, make_request, phrase


class EngineAdapter(HTTPAdapter):
    """Asks an engine for `requests.Session`, wherever it is mounted; urllib3's retries are not made."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the answer is whole
        timeout: Any = None,
        *_: Any,
        **_more: Any,
    ) -> requests.Response:
        """Answer one request. Raises ReadTimeout where the answer is due later than the caller waits."""
        response = ask(self._engine, _read(request), _timeout_s(timeout))
        if response is None:
            raise ReadTimeout("timed out", request=request)
        raw = HTTPResponse(
            io.BytesIO(response.read()),
            HTTPHeaderDict(response.headers),
            response.status,
            version=11,
            reason=phrase(response.status),
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def _read(request: requests.PreparedRequest) -> Request:
    url, headers = urlsplit(str(request.url)), dict(request.headers)
    host = url.netloc.rpartition("@")[2]
    headers.setdefault("Host", host.removesuffix(":443" if url.scheme == "https" else ":80"))
    sent = [
        (name, value if isinstance(value, str) else value.decode("latin-1"))
        for name, value in headers.items()
    ]
    return make_request(str(request.method), url.scheme, request.path_url, sent, _content(request.body))


def _content(body: Any) -> bytes:
    """Read what requests takes for a body: bytes, text, a file, or pieces of them."""
    if body is None or isinstance(body, bytes):
        return body or b""
    if isinstance(body, str):
        return body.encode()
    return b"".join(map(_content, [body.read()] if hasattr(body, "read") else body))


def _timeout_s(timeout: Any) -> float | None:
    """Give how long to wait for an answer, of all that requests takes for a timeout."""
    if isinstance(timeout, Timeout):
        read_s = timeout.read_timeout
        return read_s if isinstance(read_s, int | float) else None
    waits_s: float | None = timeout[1] if isinstance(timeout, tuple) else timeout
    return waits_s
