"""JSON Schema: whether a value obeys, and every way in which it does not.

Two readers of one schema: the gate (`jsonschema-rs`) accepts in a microsecond, the judge (`jsonschema` with
`regress`) explains every refusal and has the last word. The gate never accepts what the judge refuses.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from mockserver.spec.explain import Breach, explain
from mockserver.spec.patterns import for_rust, matcher

Json = Any


class Schema:
    """One JSON Schema (draft 2020-12); each reader is compiled when it is first needed, or by `warm`."""

    __slots__ = ("_gate", "_is_warm", "_judge", "document", "source")

    def __init__(self, document: Mapping[str, Json] | bool, source: str) -> None:
        self.document = document
        self.source = source
        self._judge: Any = None
        self._gate: Any = None  # once warm, None: the gate cannot read this schema exactly
        self._is_warm = False

    def warm(self) -> "Schema":
        """Compile the gate now, so that the first call does not pay for it."""
        if not self._is_warm:
            readable, is_exact = _for_gate(self.document)
            self._gate = jsonschema_rs.Draft202012Validator(readable) if is_exact else None
            self._is_warm = True
        return self

    @property
    def has_gate(self) -> bool:
        """Whether the gate can read this schema exactly; otherwise every value waits for the judge."""
        self.warm()
        return self._gate is not None

    def accepts(self, value: Json) -> bool:
        """Say whether a value obeys. Takes about a microsecond where it does."""
        if not self._is_warm:
            self.warm()
        if self._gate is not None:
            try:
                if self._gate.is_valid(value):
                    return True
            except ValueError:  # a lone surrogate or a number the gate cannot hold: the judge can
                pass
        return not any(True for _ in self._errors(value))

    def breaches(self, value: Json) -> list[Breach]:
        """Give every way in which a value breaks the schema, outermost first; empty when it obeys."""
        found = [breach for error in self._errors(value) for breach in explain(error)]
        return sorted(found, key=lambda breach: len(breach.path))

    def _errors(self, value: Json) -> Iterator[Any]:
        if self._judge is None:
            from mockserver.spec.judge import Judge  # noqa: PLC0415 - a tenth of a second, for refusals alone

            self._judge = Judge(self.document)
        errors: Iterator[Any] = self._judge.iter_errors(value)
        return errors


def complaints(document: Json) -> list[str]:
    """Say what is wrong with a schema itself, for `mockserver check`; empty when nothing is."""
    from mockserver.spec.judge import Judge  # noqa: PLC0415 - a tenth of a second, for `check` alone

    found = [f"{error.json_path}: {error.message}" for error in Judge(Judge.META_SCHEMA).iter_errors(document)]
    for pattern in _patterns(document):
        try:
            matcher(pattern)
        except ValueError as error:
            found.append(str(error))
    return found


def _for_gate(schema: Json) -> tuple[Json, bool]:
    """Rewrite all patterns for the gate; the flag is False where one cannot be read exactly."""
    if isinstance(schema, list):
        parts = [_for_gate(item) for item in schema]
        return [part for part, _ in parts], all(exact for _, exact in parts)
    if not isinstance(schema, Mapping):
        return schema, True
    rewritten, is_exact = {}, True
    for key, value in schema.items():
        if key in {"enum", "const", "default", "example", "examples"}:
            rewritten[key] = value
        elif key == "pattern" and isinstance(value, str):
            pattern = for_rust(value)
            is_exact &= pattern is not None
            rewritten[key] = pattern
        else:
            rewritten[key], exact = _for_gate(value)
            is_exact &= exact and key != "patternProperties"
    return rewritten, is_exact


def _patterns(schema: Json) -> Iterator[str]:
    """Give every pattern that stands in a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from _patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _patterns(value)
