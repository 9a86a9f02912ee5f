"""What the walk of a request yields to whoever goes through it, and how one thread goes through it.

The engine does the work itself and yields only what its caller has to do its own way: run what takes long,
wait, send the answer.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from mockserver.messages import Response


class Wait(NamedTuple):
    """A pause that was ordered; the caller may go away meanwhile."""

    seconds: float


Work = Callable[[], Any]  # takes long; the walk goes on with what it gives or raises
Step = Work | Wait | Response
Walk = Generator[Step, Any, None]  # ends once the answer that it yielded was sent


def run(walk: Walk, *, is_patient: bool = True) -> Response:
    """Go through a walk in this thread, waiting where it wants that and `is_patient`; give its answer."""
    steps = pauses(walk)
    try:
        while True:
            seconds = next(steps)
            if is_patient:
                time.sleep(seconds)
    except StopIteration as end:
        response: Response = end.value
        return response


def pauses(walk: Walk) -> Generator[float, None, Response]:
    """Go through a walk in this thread and give its answer; yield the seconds of each pause that it wants."""
    try:
        step = next(walk)
        while not isinstance(step, Response):
            if isinstance(step, Wait):
                yield step.seconds
                step = next(walk)
                continue
            try:
                result = step()
            except Exception as error:  # noqa: BLE001 - the walk answers it
                step = walk.throw(error)
            else:
                step = walk.send(result)
        next(walk, None)
    finally:
        walk.close()
    return step
