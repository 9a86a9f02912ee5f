"""A client of Pikzels as a program would have it."""

import httpx


class Refused(Exception):  # noqa: N818 - it says what happened
    """Raised where the API refuses; says with which code."""


def make_thumbnail(prompt: str, *, base: str = "https://api.pikzels.com", key: str) -> str:
    """Have a thumbnail made, and give its address."""
    body = {"prompt": prompt, "model": "pkz_4", "format": "16:9"}
    answer = httpx.post(f"{base}/v2/thumbnail/text", json=body, headers={"X-Api-Key": key})
    if answer.is_error:
        raise Refused(answer.json()["error"]["code"])
    return str(answer.json()["output"])
