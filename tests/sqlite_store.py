"""A second store, for tests alone: JSON bytes in SQLite, so that nothing can rely on one object."""

import sqlite3
from threading import Lock

from mockserver.bounded import ENTRY_BYTES, TooHeavyError, Usage
from mockserver.jsontext import dump, parse
from mockserver.state.store import FLOOR, too_heavy, weigh_stored
from mockserver.state.values import as_json, read

SCHEMA = """
CREATE TABLE held (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, key BLOB, value BLOB,
    weight INTEGER, UNIQUE (kind, key)
);
CREATE TABLE changes (kind TEXT PRIMARY KEY, count INTEGER);
"""
SET = """INSERT INTO held (kind, key, value, weight) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, weight = excluded.weight"""
REMOVE = "DELETE FROM held WHERE kind = ? AND key = ?"
USAGE = "SELECT count(*), coalesce(sum(weight), 0) FROM held WHERE kind = ?"
OLDEST = "SELECT key, value FROM held WHERE kind = ? ORDER BY number LIMIT 1"
CHANGED = "INSERT INTO changes VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET count = count + 1"


class SqliteStore:
    """Everything as bytes, each verb one transaction."""

    def __init__(self):
        self._lock = Lock()  # one connection for all threads
        self._file = sqlite3.connect(":memory:", check_same_thread=False)
        self._file.executescript(SCHEMA)

    def close(self):
        self._file.close()

    def get(self, kind, key):
        with self._lock:
            return self._get(kind, key)

    def put(self, kind, key, value):
        with self._lock, self._file:
            self._set(kind, key, value)

    def put_if_unchanged(self, kind, key, value, read):
        with self._lock, self._file:
            if self._get(kind, key) != read:
                return False
            self._set(kind, key, value)
        return True

    def delete(self, kind, key):
        with self._lock, self._file:
            held = self._get(kind, key)
            self._set(kind, key, None)
        return held

    def list(self, kind, prefix=""):
        with self._lock:
            return list(self._items(kind, prefix))

    def increment(self, kind, key, by=1):
        with self._lock, self._file:
            count = self._get(kind, key)
            if count is None:
                count = self._get(kind, FLOOR) or 0 if kind.goes_on else 0
            self._set(kind, key, count + by or None)
        return count + by

    def changes(self, kind):
        with self._lock:
            row = self._file.execute("SELECT count FROM changes WHERE kind = ?", [kind.name]).fetchone()
        return row[0] if row else 0

    def copy(self, kinds):
        with self._lock:
            return {kind: dict(self._items(kind)) for kind in kinds}

    def replace(self, values):
        with self._lock, self._file:
            for kind, held in values.items():
                self._file.execute("DELETE FROM held WHERE kind = ?", [kind.name])
                self._file.execute(CHANGED, [kind.name])
                for key, value in held.items():
                    self._set(kind, key, value)

    def usage(self, kind):
        with self._lock:
            return self._usage(kind)

    def _usage(self, kind):
        return Usage(*self._file.execute(USAGE, [kind.name]).fetchone())

    def _get(self, kind, key):
        asked = "SELECT value FROM held WHERE kind = ? AND key = ?"
        row = self._file.execute(asked, [kind.name, raw(key)]).fetchone()
        return value_of(kind, row[0]) if row else None

    def _items(self, kind, prefix=""):
        asked = "SELECT key, value FROM held WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY number"
        for key, value in self._file.execute(asked, [kind.name, len(raw(prefix)), raw(prefix)]):
            yield key.decode("utf-8", "surrogatepass"), value_of(kind, value)

    def _set(self, kind, key, value):
        self._file.execute(CHANGED, [kind.name])
        if value is None or kind.renews:
            self._file.execute(REMOVE, [kind.name, raw(key)])
        if value is None:
            return
        weight, bounds = ENTRY_BYTES + weigh_stored(key, value), kind.bounds
        if bounds is not None and weight > bounds.largest:
            raise too_heavy(kind, TooHeavyError(f"{weight}"))
        self._file.execute(SET, [kind.name, raw(key), dump(as_json(value)), weight])
        floor = self._get(kind, FLOOR) or 0 if kind.goes_on else 0
        while bounds is not None and (held := self._usage(kind)).entries and exceeds(held, bounds):
            oldest, text = self._file.execute(OLDEST, [kind.name]).fetchone()
            self._file.execute(REMOVE, [kind.name, oldest])
            if kind.goes_on:
                floor = max(floor, value_of(kind, text))
                self._file.execute(REMOVE, [kind.name, raw(FLOOR)])
                self._file.execute(SET, [kind.name, raw(FLOOR), dump(floor), 0])


def exceeds(held, bounds):
    return held.entries > bounds.entries or held.bytes > bounds.bytes


def raw(key):
    return key.encode("utf-8", "surrogatepass")


def value_of(kind, text):
    return read(kind.type, parse(text)[0], kind.name)
