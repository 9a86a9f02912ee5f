"""An OpenAPI document becomes operations: references embedded, version 3.0 schemas read as 3.1.

What the emulator does not understand is a complaint at start-up, never a silent difference at run time.
"""

import re
from collections.abc import Iterator, Mapping

from mockserver.jsontext import Json
from mockserver.spec.explain import located, nearest
from mockserver.spec.model import (
    Operation,
    OperationRow,
    Parameter,
    RequestBody,
    ResponseSpec,
    SecurityScheme,
)
from mockserver.spec.schema import NAMED, VALUES, Schema, complaints, keywords, target

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STYLES = {"path": "simple", "header": "simple", "query": "form"}
KNOWN_STYLES = {
    "path": {"simple"},
    "header": {"simple"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
}


class Document:
    """One OpenAPI document on its way to becoming operations; it gathers complaints as it goes.

    `shape` is how a document must look, None where it is known to; what does not is left out.
    `is_thorough` looks into every schema, and not only into those that a start needs.
    """

    def __init__(
        self,
        document: Json,
        file: str,
        provider: str,
        shape: Schema | None = None,
        *,
        is_thorough: bool = False,
    ) -> None:
        self.document = document
        self.file = file
        self.provider = provider
        violations = [] if shape is None or shape.accepts(document) else shape.violations(document)
        self.complaints = [f"{file}: {located(document, violation)}" for violation in violations]
        self._unreadable = {_whole_of(violation.path) for violation in violations}
        self._is_thorough = is_thorough
        self._is_3_0 = str(document.get("openapi", "")).startswith("3.0")
        self._components: dict[str, Json] = {}
        if self._can_read():
            self._read_components()

    @property
    def is_whole(self) -> bool:
        """Whether every operation could be read."""
        return not self._unreadable

    def operations(self, rows: Mapping[str, OperationRow]) -> dict[str, Operation]:
        """Read every operation that has a row in the table; complain of the others."""
        found: dict[str, Operation] = {}
        for path, method, item in self._documented():
            name, place = item[method]["operationId"], f"paths.{path}.{method}"
            if name not in rows:
                self._complain(
                    place,
                    f"operation {name!r} has no row under `operations` in behaviour.yaml; add one, "
                    "for instance with `behaviour: generate`",
                )
            elif name in found:
                other = found[name]
                self._complain(
                    place, f"operationId {name!r} is that of {other.method} {other.path}, too; rename one"
                )
            else:
                found[name] = self._operation(path, method, item, rows[name])
        return {name: found[name] for name in rows if name in found}

    def _documented(self) -> Iterator[tuple[str, str, Json]]:
        """Give the path, method and path item of every operation that has the right shape."""
        for path, entry in self.document["paths"].items() if self._can_read() else ():
            if not self._can_read("paths", path) or not path.startswith("/"):
                continue
            item = self._resolved(entry, f"paths.{path}")
            for method in METHODS if isinstance(item, Mapping) else ():
                if method in item and self._can_read("paths", path, method):
                    yield path, method, item

    def _can_read(self, *path: str) -> bool:
        return path not in self._unreadable

    def _operation(self, path: str, method: str, item: Json, row: OperationRow) -> Operation:
        details = item[method]
        place = f"paths.{path}.{method}"
        parameters = self._parameters(item, details, place)
        body = self._body(details.get("requestBody"), place)
        known = {parameter.name for parameter in parameters if parameter.location == "path"}
        for name in re.findall(r"\{([^}]*)\}", path):
            if name not in known:
                self._complain(
                    place,
                    f"{{{name}}} of the path is not documented; add a parameter {name!r} with `in: path`",
                )
        return Operation(
            id=details["operationId"],
            provider=self.provider,
            method=method.upper(),
            path=path,
            summary=details.get("summary", ""),
            parameters=parameters,
            body=body,
            responses={
                str(status): self._response(str(status), response, place)
                for status, response in details.get("responses", {}).items()
            },
            security=tuple(self._security(details.get("security", self.document.get("security", [])), place)),
            row=row,
            name=f"{self.provider}.{details['operationId']}",
            defaults=_defaults(body),
        )

    def _parameters(self, item: Json, details: Json, place: str) -> tuple[Parameter, ...]:
        """Read the parameters of an operation; its own replace those of its path."""
        found: dict[tuple[str, str], Json] = {}
        for each in (*item.get("parameters", ()), *details.get("parameters", ())):
            parameter = self._resolved(each, f"{place}.parameters")
            if parameter is not None:
                found[parameter["name"], parameter["in"]] = parameter
        return tuple(self._parameter(each, place) for each in found.values())

    def _parameter(self, details: Json, place: str) -> Parameter:
        name, location = details["name"], details["in"]
        style = details.get("style", STYLES.get(location, "form"))
        schema = self._schema(details.get("schema", {}), f"{place}.parameters.{name}", is_needed=True)
        if style not in KNOWN_STYLES.get(location, ()):
            self._complain(place, f"parameter {name!r}: {location} with style {style} is not understood")
        elif "content" in details:
            self._complain(
                place, f"parameter {name!r}: `content` is not understood; describe it with `schema`"
            )
        elif style != "deepObject" and "object" in schema.types(schema.document):
            self._complain(
                place,
                f"parameter {name!r}: an object in style {style} is not understood; use deepObject in a query",
            )
        return Parameter(
            name=name,
            location=location,
            is_required=bool(details.get("required", location == "path")),
            style=style,
            is_exploded=bool(details.get("explode", style == "form")),
            schema=schema,
        )

    def _body(self, details: Json, place: str) -> RequestBody | None:
        details = self._resolved(details, f"{place}.requestBody")
        if details is None:
            return None
        schemas = {}
        for name, media in details.get("content", {}).items():
            if name != "application/json" and not name.endswith("+json"):
                self._complain(place, f"requestBody: media type {name} is not understood; only JSON is")
            schemas[name.lower()] = self._schema(
                media.get("schema", {}), f"{place}.requestBody", is_needed=True
            )
        examples = [media["example"] for media in details.get("content", {}).values() if "example" in media]
        return RequestBody(bool(details.get("required", False)), schemas, examples[0] if examples else None)

    def _response(self, status: str, details: Json, place: str) -> ResponseSpec:
        details = self._resolved(details, f"{place}.responses.{status}") or {}
        media = details.get("content", {}).get("application/json")
        if media is None:
            return ResponseSpec(status, None)
        schema = self._schema(media.get("schema", {}), f"{place}.responses.{status}")
        return ResponseSpec(status, schema, media.get("example"))

    def _security(self, requirements: Json, place: str) -> Iterator[SecurityScheme]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for name in (name for requirement in requirements for name in requirement):
            scheme = schemes.get(name, {})
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                yield SecurityScheme(name, "apiKey", scheme["name"].lower(), scheme["name"])
            elif scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer":
                yield SecurityScheme(name, "bearer", "authorization", "Authorization")
            else:
                self._complain(
                    place,
                    f"security scheme {name!r} is not understood; use apiKey in a header or http bearer",
                )

    def _read_components(self) -> None:
        """Read the schemas that others refer to; one that is none becomes one that everything obeys."""
        schemas = self.document.get("components", {}).get("schemas", {})
        self._components = {name: self._modern(schema) for name, schema in schemas.items()}
        if self._is_thorough:
            whole = {"components": {"schemas": dict(self._components)}}
            for name, schema in whole["components"]["schemas"].items():
                self._components[name] = self._sound(schema, whole, f"components.schemas.{name}")

    def _schema(self, schema: Json, place: str, *, is_needed: bool = False) -> Schema:
        """Read a schema, with what it refers to; `is_needed` compiles it now, since the first call needs it."""
        modern = self._modern(schema)
        whole = modern
        if self._components and any(True for _ in keywords(modern, "$ref")):
            whole = {**modern, "components": {"schemas": self._components}}
        source = f"{self.file}: {place}"
        if self._is_thorough and self._sound(modern, whole, place) is True:
            whole = True
        made = Schema(whole, source)
        try:
            return made.warm() if is_needed else made
        except ValueError as error:
            if self._sound(modern, whole, place) is not True:  # then what it refers to is broken
                self._complain(place, str(error).partition("\n")[0])
            return Schema(True, source)  # which everything obeys

    def _sound(self, part: Json, whole: Json, place: str) -> Json:
        """Give a schema back; where it is none, complain and give the one that everything obeys."""
        found = complaints(part, whole)
        for complaint in found:
            self._complain(place, complaint)
        return True if found else part

    def _resolved(self, value: Json, place: str) -> Json:
        """Follow a `$ref` to another part of the document, except into schemas; None, with a complaint, where it leads nowhere."""
        seen = []
        while isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
            reference = value["$ref"]
            seen.append(reference)
            value = None if reference in seen[:-1] else target(self.document, reference)
        if seen and not isinstance(value, Mapping):
            folder = target(self.document, seen[-1].rpartition("/")[0])
            known = (
                [f"{seen[-1].rpartition('/')[0]}/{name}" for name in folder]
                if isinstance(folder, Mapping)
                else []
            )
            self._complain(place, f"there is no {seen[-1]}; {nearest(seen[-1], known)}")
            return None
        return value

    def _modern(self, schema: Json) -> Json:
        """Read a 3.0 schema as 3.1: `nullable` and the boolean exclusive bounds become JSON Schema 2020-12."""
        if not self._is_3_0:
            return schema
        if isinstance(schema, list):
            return [self._modern(item) for item in schema]
        if not isinstance(schema, Mapping):
            return schema
        modern = {key: self._modern_part(key, value) for key, value in schema.items()}
        if modern.get("nullable") is True and isinstance(modern.get("type"), str):
            modern["type"] = [modern["type"], "null"]
        if isinstance(modern.get("nullable"), bool):
            del modern["nullable"]
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if isinstance(modern.get(exclusive), bool) and modern.pop(exclusive) and bound in modern:
                modern[exclusive] = modern.pop(bound)
        return modern

    def _modern_part(self, key: str, value: Json) -> Json:
        if key in VALUES:
            return value
        if key in NAMED and isinstance(value, Mapping):
            return {name: self._modern(each) for name, each in value.items()}
        return self._modern(value)

    def _complain(self, place: str, what: str) -> None:
        self.complaints.append(f"{self.file}: {place}: {what}")


def _whole_of(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Give the operation or path item that cannot be read where `path` is wrong; empty: nothing can.

    >>> _whole_of(("paths", "/pets", "get", "parameters", 0)), _whole_of(("components", "schemas"))
    (('paths', '/pets', 'get'), ())
    """
    if path[:1] != ("paths",):
        return ()
    return path[:3] if len(path) > 2 and path[2] in METHODS else path[:2] if len(path) > 1 else ()  # noqa: PLR2004


def _defaults(body: RequestBody | None) -> dict[str, Json]:
    """Give the documented defaults of a body's own fields."""
    if body is None or not body.schemas:
        return {}
    schema = next(iter(body.schemas.values()))
    document = schema.followed(schema.document)
    properties = document.get("properties", {}) if isinstance(document, Mapping) else {}
    return {
        name: each["default"]
        for name, each in properties.items()
        if isinstance(each, Mapping) and "default" in each
    }
