"""The head of an answer as HTTP/1.1 writes it; the one place that knows status lines."""

from collections.abc import Iterable
from http import HTTPStatus

STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n" for status in range(100, 600)}
STATUS_LINES |= {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def write_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    r"""Write a head. Raises ValueError for a header that holds the end of a line.

    >>> write_head(204, [("date", "now")])
    b'HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n'
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    head = f"{STATUS_LINES[status]}{''.join(lines)}\r\n"
    if head.count("\n") != len(lines) + 2 or head.count("\r") != len(lines) + 2:
        raise ValueError(f"a header holds the end of a line: {lines}")
    return head.encode("latin-1")
