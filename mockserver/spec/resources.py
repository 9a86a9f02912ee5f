"""The schemas of one document: each distinct one is read, checked and kept once, with all that it refers to.

A schema that is none is a complaint at start-up and becomes one that everything obeys: no call meets it.
"""

from collections.abc import Callable, Iterator, Mapping

import jsonschema_rs

from mockserver.jsontext import Json, dump
from mockserver.spec.dialect import modern
from mockserver.spec.explain import ARTICLES, Broken, explain, located, nearest
from mockserver.spec.patterns import matcher
from mockserver.spec.schema import Schema, Shared, keywords, target

REFERENCES = ("$ref", "$dynamicRef")


class Resources:
    """The schemas of one document; `complain` is told of each mistake with its place."""

    def __init__(self, document: Mapping[str, Json], complain: Callable[[str, str], None]) -> None:
        self._document = document
        self._complain = complain
        self._is_3_0 = str(document.get("openapi", "")).startswith("3.0")
        components = document.get("components", {}).get("schemas", {})
        read = {name: modern(schema, is_3_0=self._is_3_0) for name, schema in components.items()}
        self._shared = Shared(read)
        self._made: dict[bytes, tuple[Schema, list[str]]] = {}
        for name, schema in list(read.items()):
            read[name] = self._sound(schema, f"components.schemas.{name}")

    def schema(self, document: Json, place: str) -> Schema:
        """Read a schema; equal ones are one."""
        text = dump(document)
        if text not in self._made:
            read = modern(document, is_3_0=self._is_3_0)
            found = list(dict.fromkeys(self._mistakes(read, read)))
            self._made[text] = (Schema(True if found else read, place, self._shared), found)
        schema, found = self._made[text]
        for mistake in found:
            self._complain(place, mistake)
        return schema

    def _sound(self, schema: Json, place: str) -> Json:
        """Give a schema back; where it is none, complain and give the one that everything obeys."""
        found = list(dict.fromkeys(self._mistakes(schema)))
        for mistake in found:
            self._complain(place, mistake)
        return True if found else schema

    def _mistakes(self, schema: Json, own: Json = None) -> Iterator[str]:
        """Say what is wrong with a schema itself; its references may lead into `own`, too."""
        if not _is_schema(schema):
            yield from _meta_violations(schema)
        for place, keyword, text in keywords(schema, ("pattern", *REFERENCES)):
            if keyword in REFERENCES:
                if not self._leads_somewhere(text, own):
                    yield f"{place}: there is no {text}; add it, or correct the reference"
                continue
            try:
                matcher(text)
            except ValueError as error:
                yield f"{place}: {error}"

    def _leads_somewhere(self, reference: str, own: Json) -> bool:
        """Whether a reference leads to a schema; one outside of the components is shared from now on."""
        if reference == "#":
            return False  # that is the whole document
        if any(target(where, reference) is not None for where in (self._shared.root, own)):
            return True
        part = target(self._document, reference)
        if not isinstance(part, Mapping | bool):
            return False
        self._shared.add(reference, modern(part, is_3_0=self._is_3_0))
        self._shared.add(reference, self._sound(target(self._shared.root, reference), reference))
        return True


def _is_schema(schema: Json) -> bool:
    try:
        return jsonschema_rs.meta.is_valid(schema)
    except ValueError:  # it holds what the fast path cannot: a lone surrogate, a large number
        return False


def _meta_violations(schema: Json) -> Iterator[str]:
    from mockserver.spec.validator import Validator  # noqa: PLC0415 - slow, for what is broken

    for error in Validator(Validator.META_SCHEMA).iter_errors(schema):
        if error.absolute_path and error.absolute_path[-1] == "type" and error.validator == "anyOf":
            place = ".".join(map(str, error.absolute_path))
            yield f"{place}: there is no type {error.instance!r}; {nearest(error.instance, ARTICLES)}"
        else:
            yield from (located(schema, violation) for violation in explain(Broken.of(error)))
