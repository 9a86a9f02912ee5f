"""The Prefer header of HTTP (RFC 7240): names and values, whatever they mean."""

import re
from collections.abc import Mapping
from types import MappingProxyType

# One preference of RFC 7240: a token, and a value that is a token or a quoted string.
PREFERENCE = re.compile(
    r"""\s*+([A-Za-z][\w-]*+)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^",;\s]*+)))?+\s*+(?:[,;]|$)""", re.ASCII
)
Preferences = Mapping[str, str]
NO_PREFERENCES: Preferences = MappingProxyType({})


def read_preferences(headers: Mapping[str, str]) -> Preferences:
    """Read the Prefer header; what is not understood is left out, as RFC 7240 wants.

    >>> read_preferences({"prefer": 'code=402, example="NO_MONEY"; delay=800'})
    {'code': '402', 'example': 'NO_MONEY', 'delay': '800'}
    """
    header = headers.get("prefer")
    if not header:
        return NO_PREFERENCES
    found: dict[str, str] = {}
    at = 0
    while at < len(header):
        match = PREFERENCE.match(header, at)
        if match:
            found.setdefault(match[1].lower(), match[2] or match[3] or "")
            at = match.end()
        else:
            at = next((index + 1 for index in range(at, len(header)) if header[index] in ",;"), len(header))
    return found
