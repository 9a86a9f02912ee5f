"""Response → what is sent: the headers that every answer has, and no body where HTTP allows none."""

from mockserver.messages import Request, Response
from mockserver.state.clock import Clock

NO_CONTENT = frozenset({204, 205, 304})  # and all below 200: an answer without a body, whatever was made


def finish(request: Request, response: Response, applied: str, clock: Clock, id_: str) -> Response:
    """Give an answer as it goes to the caller, in process as over a socket; its body has been drawn."""
    status, headers, content, error, fault = response
    if not isinstance(content, bytes):
        content = content()
    own = ("Mock-Request-Id", id_)
    if applied:
        headers = (*headers, ("Preference-Applied", applied))
    if status in NO_CONTENT or status < 200:  # noqa: PLR2004 - 1xx
        kept = tuple(each for each in headers if each[0].lower() != "content-type")
        return response._replace(headers=(*kept, own, ("Date", clock.http_date())), body=b"")
    headers = (*headers, own, ("Content-Length", str(len(content))), ("Date", clock.http_date()))
    body = b"" if request.method == "HEAD" else content
    # Half of the time that _replace takes.
    return Response(status, headers, body, error, fault)
