"""Exchange → tally: which answers, fields and values a call has met, and what it cost.

It is on the path of every call, so it does no more than look up a small key; a request is read only if none
that is like it was read before.
"""

from mockserver.call import Exchange, Match
from mockserver.coverage.requests import Reader
from mockserver.spec.model import Operation
from mockserver.state.tally import Likeness


class Counter:
    """Listens to an engine; every world keeps its own tally."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def __call__(self, told: Exchange) -> None:
        """Count one exchange; downloads, admin pages and what led nowhere are no operations."""
        match = told.match
        if type(match) is not Match:
            return
        operation, response, arguments, charge = match.operation, told.response, told.arguments, told.charge
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
        if heard is None:
            heard = tally.add(Likeness(*likeness), () if arguments is None else reader.read(arguments))
        if charge:
            with tally.lock:
                heard.times += 1

    def _prepare(self, operation: Operation) -> Reader:
        return self._readers.setdefault(operation.name, Reader(operation))
