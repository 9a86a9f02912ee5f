"""requests without a socket. The only home of requests and urllib3, which need not be installed."""

import io
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import DEFAULT_RETRIES, HTTPAdapter
from requests.exceptions import ReadTimeout, RetryError
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import MaxRetryError, ReadTimeoutError
from urllib3.util import Retry, Timeout

from mockserver.engine import Engine
from mockserver.messages import Request
from mockserver.testing.transports import ask, make_request, phrase

Retries = Retry | int


class EngineAdapter(HTTPAdapter):
    """Asks an engine for `requests.Session`, wherever it is mounted, as often as `max_retries` says."""

    def __init__(self, engine: Engine, max_retries: Retries = DEFAULT_RETRIES) -> None:
        super().__init__(max_retries=max_retries)
        self._engine = engine

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the answer is whole
        timeout: Any = None,
        *_: Any,
        **_more: Any,
    ) -> requests.Response:
        """Answer one request. Raises what requests does where the caller waits, or tries, no more."""
        method, url, asked = str(request.method), request.path_url, _read(request)
        pool = self.poolmanager.connection_from_url(str(request.url))  # which messages name; never connected
        retries: Retry = self.max_retries
        while True:
            answer = self._ask(asked, retries, timeout)
            late = None if answer else ReadTimeoutError(pool, url, "Read timed out.")
            if answer and not retries.is_retry(method, answer.status, "Retry-After" in answer.headers):
                return self.build_response(request, answer)
            try:
                retries = retries.increment(method, url, answer, late, pool)
            except ReadTimeoutError as error:
                raise ReadTimeout(error, request=request) from error
            except MaxRetryError as error:
                if answer is None:
                    raise requests.ConnectionError(error, request=request) from error
                if retries.raise_on_status:
                    raise RetryError(error, request=request) from error
                return self.build_response(request, answer)
            retries.sleep(answer)

    def _ask(self, asked: Request, retries: Retry, timeout: Any) -> HTTPResponse | None:
        """Ask once; None where the answer is due later than the caller waits."""
        response = ask(self._engine, asked, _timeout_s(timeout))
        return response and HTTPResponse(
            io.BytesIO(response.read()),
            HTTPHeaderDict(response.headers),
            response.status,
            version=11,
            reason=phrase(response.status),
            preload_content=False,
            retries=retries,
            request_method=asked.method,
        )


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
