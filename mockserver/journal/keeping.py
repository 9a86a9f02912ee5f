"""What the journal keeps of an exchange: all of it, but no body of more than 64 KiB.

Long texts in JSON, which are pictures, lose their middle first, so that what is kept is JSON still.
"""

from mockserver.call import Exchange
from mockserver.state.journal import Era

LARGEST_KEPT, SMALL = 64 * 1024, 256  # bytes of one body; of one that is kept as values, too
LONG_RUN, SHOWN = 4_096, 512  # bytes: of a text that is shortened, and of each of its ends that stay
MOST_TEXTS = 10_000  # in a body that is shortened as JSON; another one is not worth the time


def keep(exchange: Exchange, era: Era[Exchange]) -> None:
    """Put an exchange into the journal; `sizes` tells that one of its bodies was cut."""
    request, response = exchange.request, exchange.response
    answer = response.body if response is not None else b""
    size = len(request.body) if request.whole_size is None else request.whole_size
    if size > LARGEST_KEPT or (type(answer) is bytes and len(answer) > LARGEST_KEPT):
        exchange = shorten(exchange)
    elif size > SMALL and exchange.arguments is not None:  # as values, a body can take many times its bytes
        exchange = exchange._replace(arguments=None)
    era.add(exchange)


def shorten(exchange: Exchange) -> Exchange:
    """Give an exchange with both bodies cut; `sizes` tells how long they were."""
    request, response = exchange.request, exchange.response
    answer = response.body if response and isinstance(response.body, bytes) else b""
    return exchange._replace(
        request=request._replace(body=cut(request.body)),
        response=response and response._replace(body=cut(answer)),
        arguments=None,
        sizes=(request.size, len(answer)),
        parts=tuple(map(shorten, exchange.parts)),
    )


def cut(body: bytes) -> bytes:
    r"""Give a body of at most 64 KiB: with its long texts shortened, if it is JSON, or with its end cut off.

    >>> cut(b'{"a": "%b"}' % (b"x" * 100_000))[510:550]
    b'xxxxxxxxx... (100000 bytes) ...xxxxxxxxx'
    """
    if len(body) <= LARGEST_KEPT:
        return body
    shortened = shorten_texts(body)
    return shortened if len(shortened) <= LARGEST_KEPT else body[:LARGEST_KEPT]


def shorten_texts(body: bytes) -> bytes:
    """Take the middle out of every long text in JSON, unless an end of it has an escape or is not ASCII."""
    if body[:1] not in {b"{", b"["}:
        return body
    parts: list[bytes] = []
    copied, start = 0, body.find(b'"') + 1
    for _ in range(MOST_TEXTS):
        end = body.find(b'"', start)
        if end < 0:
            return b"".join([*parts, body[copied:]])
        # What stands between two quotes and is no text begins with a brace, a comma, a colon or a blank.
        if end - start > LONG_RUN and body[start : start + 1].isalnum():
            first, last = body[start : start + SHOWN], body[end - SHOWN : end]
            if b"\\" not in first + last and (first + last).isascii():
                parts += [body[copied:start], first, b"... (%d bytes) ..." % (end - start)]
                copied = end - SHOWN
        start = end + 1
    return body
