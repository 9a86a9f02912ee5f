"""What is asked of a journal: which calls were made; a failure shows the nearest one and what differs.

Expected values are held against what was really sent, the failure shows secrets shortened.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import parse_qsl

from mockserver import pointer
from mockserver.call import Exchange
from mockserver.downloads import NAME as DOWNLOAD
from mockserver.journal.comparison import NOTHING, Difference, differences
from mockserver.journal.keeping import shorten_texts
from mockserver.journal.records import Record, record
from mockserver.journal.redaction import redaction_of
from mockserver.journal.selection import known_operations, select
from mockserver.jsontext import Json, MalformedJsonError, dump, parse
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import nearest

SHOWN = 10  # calls that a failure lists
Step = str | tuple[str, int]  # an operation, or an operation and the status of its answer


class Expected(TypedDict, total=False):
    """What a call can be held against; what is not named may be anything."""

    json: Json  # the body, all of it
    headers: Mapping[str, str]  # these and any others
    query: Mapping[str, str]  # all of it
    status: int  # of the answer
    account: str  # its key, or provider/key


class Verification:
    """Asks the journal of a world; whatever it raises shows the line of the test that asked."""

    def __init__(self, catalog: Catalog, journal: Iterable[Exchange]) -> None:
        self._catalog, self._journal = catalog, journal
        self._redaction = redaction_of(catalog.providers.values())

    def calls(
        self, operation: str | None = None, *, status: int | None = None, account: str | None = None
    ) -> list[Record]:
        """Give the calls so far, newest last. Raises LookupError for an unknown operation."""
        return self._records(self._select(operation, status=status, account=account))

    def count(self, operation: str) -> int:
        """Count the calls of an operation so far. Raises LookupError for an unknown one."""
        return len(self._select(operation))

    def assert_called(self, operation: str, n: int | None, expected: Expected) -> list[Record]:
        """Raise AssertionError unless there was such a call, or just `n` of them; give them."""
        __tracebackhide__ = True
        made = self._select(operation)
        fitting = [each for each in made if not self._differences(each, expected)]
        if len(fitting) == n or (n is None and fitting):
            return self._records(fitting)
        wanted = (
            ("such a call" if expected else "a call") if n is None else _times(n, "such" if expected else "")
        )
        raise AssertionError(self._explain(f"{operation}: expected {wanted}", made, fitting, expected))

    def assert_called_once_with(self, operation: str, expected: Expected) -> Record:
        """Raise AssertionError unless there was just one call, and it was such a one; give it."""
        __tracebackhide__ = True
        made = self._select(operation)
        if len(made) == 1:
            return self.assert_called(operation, 1, expected)[0]
        raise AssertionError(self._explain(f"{operation}: expected one call", made, made, expected))

    def assert_not_called(self, operation: str | None) -> None:
        """Raise AssertionError where there was a call."""
        __tracebackhide__ = True
        if made := self._select(operation):
            what = operation or "anything"
            raise AssertionError(
                "\n".join([f"{what}: expected no call, {_counted(made)}:", *self._list(made)])
            )

    def assert_sequence(self, steps: Sequence[Step]) -> list[Record]:
        """Raise AssertionError unless the calls were these alone; downloads count where one is named."""
        __tracebackhide__ = True
        named = [step if isinstance(step, str) else step[0] for step in steps]
        for name in named:
            known_operations(self._catalog, name)
        made = [each for each in self._journal if each.operation != DOWNLOAD or DOWNLOAD in named]
        expected = [step if isinstance(step, str) else f"{step[0]} → {step[1]}" for step in steps]
        sent = []
        for index, each in enumerate(made):
            name = each.operation or f"{each.request.method} {each.request.path}"
            has_status = index < len(steps) and not isinstance(steps[index], str)
            sent.append(f"{name} → {each.response.status if each.response else None}" if has_status else name)
        if sent != expected:
            lines = [line for line in difflib.ndiff(expected, sent) if line[0] != "?"]
            head = f"expected {_times(len(expected))} in this order, {_counted(sent)} (- expected, + sent):"
            raise AssertionError("\n".join([head, *lines]))
        return self._records(made)

    def late(self, operation: str, n: int, timeout_s: float) -> str:
        """Say that there were not `n` calls in time."""
        made = self._select(operation)
        return self._explain(f"{operation}: expected {_times(n)} within {timeout_s} s", made, made, {})

    def _select(self, operation: str | None, **filters: Any) -> list[Exchange]:
        return select(self._journal, self._catalog, operation, **filters)

    def _records(self, exchanges: Sequence[Exchange]) -> list[Record]:
        return [record(each, self._redaction) for each in exchanges]

    def _list(self, exchanges: Sequence[Exchange]) -> list[str]:
        left_out = max(0, len(exchanges) - SHOWN)
        more = [f"  ({left_out} older ones)"] if left_out else []
        return [*more, *(f"  {each}" for each in self._records(exchanges[-SHOWN:]))]

    def _explain(
        self, head: str, made: Sequence[Exchange], fitting: Sequence[Exchange], expected: Expected
    ) -> str:
        """Say what was expected, and show the nearest call with what differs, or what was called at all."""
        others = [(self._differences(each, expected), each) for each in made if each not in fitting]
        if others:
            found, near = min(others, key=lambda each: len(each[0]))
            lines = [f"the nearest of {_times(len(others), 'other')}: {record(near, self._redaction)}"]
            lines += [f"  {self._shown(each)}" for each in found]
            return "\n".join([f"{head}, {_counted(fitting)}; {lines[0]}", *lines[1:]])
        if fitting:
            return "\n".join([f"{head}, {_counted(fitting)}:", *self._list(fitting)])
        every = list(self._journal)
        called = ["instead there were:", *self._list(every)] if every else ["nothing was called at all"]
        return "\n".join([f"{head}, there was none; {called[0]}", *called[1:]])

    def _shown(self, difference: Difference) -> str:
        """Tell of a difference with secrets shortened."""
        place, *sides = difference
        path = pointer.read(place)
        values = [value if value is NOTHING else self._shorten(path, value) for value in sides]
        return str(Difference(place, *values))

    def _shorten(self, path: Sequence[str], value: Json) -> Json:
        if path[0] == "headers" and isinstance(value, str):
            return self._redaction.header(path[-1], value)
        if path[0] == "account" and isinstance(value, str):
            return self._redaction.key(value.rpartition("/")[2])
        if path[0] == "query" and isinstance(value, str) and path[-1] in self._redaction.query:
            return self._redaction.key(value)
        if path[0] == "json":
            named: Json = {path[-1]: value}
            try:
                return self._redaction.members(named)[path[-1]]
            except (TypeError, ValueError):  # what a test expects need not be JSON
                return value
        return value

    def _differences(self, exchange: Exchange, expected: Expected) -> list[Difference]:
        """Find where a call is another than the expected one."""
        wanted, sent = dict[str, Json](), dict[str, Json]()
        request, account = exchange.request, exchange.account
        if "json" in expected:
            is_cut = exchange.sizes is not None
            wanted["json"] = parse(shorten_texts(dump(expected["json"])))[0] if is_cut else expected["json"]
            sent["json"] = _read(request.body)
        if "headers" in expected:
            wanted["headers"] = {name.lower(): value for name, value in expected["headers"].items()}
            sent["headers"] = {name: request.headers.get(name, NOTHING) for name in wanted["headers"]}
        if "query" in expected:
            wanted["query"] = dict(expected["query"])
            sent["query"] = dict(parse_qsl(request.query, keep_blank_values=True))
        if "status" in expected:
            wanted["status"] = expected["status"]
            sent["status"] = exchange.response.status if exchange.response else NOTHING
        if "account" in expected:
            wanted["account"] = key = expected["account"]
            sent["account"] = (account.id if "/" in key else account.key) if account else NOTHING
        return list(differences(wanted, sent))


def check_names(expected: Expected) -> Expected:
    """Give what is expected. Raises TypeError for a name that nobody knows: it would hold for any call."""
    for name in expected:
        if name not in Expected.__annotations__:
            raise TypeError(f"a call has no {name!r} to compare; {nearest(name, Expected.__annotations__)}")
    return expected


def _read(body: bytes) -> Json:
    """Read a body as JSON; one that is none is its text, and no body is nothing."""
    try:
        return parse(body)[0] if body else NOTHING
    except MalformedJsonError:
        return body.decode("utf-8", "replace")


def _counted(found: Sequence[object]) -> str:
    """Say how many there were.

    >>> _counted([]), _counted([1]), _counted([1, 2])
    ('there was none', 'there was 1', 'there were 2')
    """
    return f"there were {len(found)}" if len(found) > 1 else f"there was {len(found) or 'none'}"


def _times(n: int, kind: str = "") -> str:
    """Write a number of calls.

    >>> _times(1), _times(2, "other")
    ('1 call', '2 other calls')
    """
    return f"{n} {kind} call{'' if n == 1 else 's'}".replace("  ", " ")
