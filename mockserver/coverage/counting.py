"""Exchange → tally: which answers, fields and values a call has met, and what it cost.

It is on the path of every call, so it puts off what it can, and does no more than look up a small key; a
request is read only if none that is like it was read before.
"""

from mockserver.call import Exchange, Match
from mockserver.coverage.requests import Reader
from mockserver.spec.model import Operation
from mockserver.state.tally import Likeness

LARGEST_PUT_OFF = 16 * 1024  # bytes of a body that is not kept for later


class Counter:
    """Listens to an engine; every world keeps its own tally."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def __call__(self, told: Exchange) -> None:
        """Hear of one exchange; downloads, admin pages and what led nowhere are no operations."""
        if type(told.match) is not Match:
            return
        tally, response = told.world.tally, told.response
        answer = response.body if response is not None else b""
        tally.put_off(self._count, told)
        if len(told.request.body) + (len(answer) if type(answer) is bytes else 0) > LARGEST_PUT_OFF:
            tally.catch_up()

    def _count(self, told: Exchange) -> None:
        match, response, arguments, charge = told.match, told.response, told.arguments, told.charge
        assert type(match) is Match
        operation = match.operation
        name, status, error, shape = operation.name, None, None, None
        if response is not None and response.fault is None and told.is_sent:  # the caller has seen it
            status, error = response.status, response.error
        reader = self._readers.get(name) or self._prepare(operation)
        if arguments is not None and reader.choices is not None and type(arguments.body) is dict:
            body = arguments.body
            shape = (*body, *[body.get(each) for each in reader.choices]) if reader.choices else tuple(body)
        tally, likeness = told.world.tally, (name, status, error, charge, shape)
        try:
            heard = tally.entries.get(likeness) if shape or arguments is None else None
        except TypeError:  # a value that the schema leaves open is an array or an object
            heard, likeness = None, (name, status, error, charge, None)
        tally.note_readings(name, match.provider.chosen)
        if heard is None:
            heard = tally.add(Likeness(*likeness), () if arguments is None else reader.read(arguments))
        if charge:
            with tally.lock:
                heard.times += 1

    def _prepare(self, operation: Operation) -> Reader:
        return self._readers.setdefault(operation.name, Reader(operation))
