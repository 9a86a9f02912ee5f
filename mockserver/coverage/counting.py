"""Exchange → tally: which answers, fields and values a call has met, and what it cost.

It is on the path of every call, so it notes small keys alone: a request is read only if none of its shape was
read before.
"""

from mockserver.call import Arguments, Exchange, Match
from mockserver.coverage.requests import Reader
from mockserver.spec.model import Operation
from mockserver.state.tally import Tally


class Counter:
    """Listens to an engine; every world keeps its own tally."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def __call__(self, told: Exchange) -> None:
        """Count one exchange; downloads, admin pages and what led nowhere are no operations."""
        match = told.match
        if type(match) is not Match:
            return
        operation, tally, response = match.operation, told.world.tally, told.response
        if response is not None and response.fault is None and told.is_sent:  # the caller has seen it
            answer = (operation.name, response.status, response.error)
            if answer not in tally.answers:
                tally.answers.add(answer)
        if told.arguments is not None:
            self._hear(operation, told.arguments, tally)
        if told.charge:
            tally.pay(operation.name, told.charge)

    def _hear(self, operation: Operation, arguments: Arguments, tally: Tally) -> None:
        reader = self._readers.get(operation.name)
        if reader is None:
            reader = self._readers[operation.name] = Reader(operation)
        shape = reader.shape(arguments)
        try:
            if shape in tally.shapes:
                return
        except TypeError:  # a value that the schema leaves open is an array or an object
            shape = None
        tally.say([(operation.name, said) for said in reader.read(arguments)], shape)
