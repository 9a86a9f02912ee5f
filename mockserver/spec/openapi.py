"""An OpenAPI document becomes operations: references embedded, version 3.0 schemas read as 3.1.

What the emulator does not understand is a complaint at start-up, never a silent difference at run time.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.model import (
    Operation,
    OperationRow,
    Parameter,
    RequestBody,
    ResponseSpec,
    SecurityScheme,
)
from mockserver.spec.schema import Schema, complaints

Json = Any
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STYLES = {"path": "simple", "header": "simple", "query": "form"}
KNOWN_STYLES = {"simple", "form", "spaceDelimited", "pipeDelimited", "deepObject"}


class Document:
    """One OpenAPI document on its way to becoming operations; it gathers complaints as it goes."""

    def __init__(self, document: Json, file: str, provider: str) -> None:
        self.document = document
        self.file = file
        self.provider = provider
        self.complaints: list[str] = []
        self._is_3_0 = str(document.get("openapi", "")).startswith("3.0")
        self._components = {
            name: self._modern(schema)
            for name, schema in document.get("components", {}).get("schemas", {}).items()
        }

    def operations(self, rows: Mapping[str, OperationRow]) -> dict[str, Operation]:
        """Read every operation that has a row in the table; complain of the others."""
        found: dict[str, Operation] = {}
        for path, item in self.document.get("paths", {}).items():
            for method in filter(item.__contains__, METHODS):
                name = item[method].get("operationId")
                if name not in rows:
                    self._complain(
                        f"paths.{path}.{method}",
                        f"operation {name!r} has no row under `operations` in behaviour.yaml; add one, "
                        "for instance with `behaviour: generate`",
                    )
                    continue
                found[name] = self._operation(path, method, item, rows[name])
        return {name: found[name] for name in rows if name in found}

    def _operation(self, path: str, method: str, item: Json, row: OperationRow) -> Operation:
        details = item[method]
        place = f"paths.{path}.{method}"
        parameters = [*item.get("parameters", ()), *details.get("parameters", ())]
        body = self._body(details.get("requestBody"), place)
        return Operation(
            id=details["operationId"],
            provider=self.provider,
            method=method.upper(),
            path=path,
            summary=details.get("summary", ""),
            parameters=tuple(self._parameter(self._resolved(each), place) for each in parameters),
            body=body,
            responses={
                str(status): self._response(str(status), self._resolved(response), place)
                for status, response in details.get("responses", {}).items()
            },
            security=tuple(self._security(details.get("security", self.document.get("security", [])), place)),
            row=row,
            name=f"{self.provider}.{details['operationId']}",
            defaults=_defaults(body),
        )

    def _parameter(self, details: Json, place: str) -> Parameter:
        location = details["in"]
        style = details.get("style", STYLES.get(location, "form"))
        if location not in STYLES or style not in KNOWN_STYLES:
            self._complain(place, f"parameter {details['name']!r}: {location} with style {style} is not understood")
        return Parameter(
            name=details["name"],
            location=location,
            is_required=bool(details.get("required", location == "path")),
            style=style,
            is_exploded=bool(details.get("explode", style == "form")),
            schema=self._schema(details.get("schema", {}), f"{place}.parameters.{details['name']}").warm(),
        )

    def _body(self, details: Json, place: str) -> RequestBody | None:
        if details is None:
            return None
        details = self._resolved(details)
        schemas = {}
        for name, media in details.get("content", {}).items():
            if name != "application/json" and not name.endswith("+json"):
                self._complain(place, f"requestBody: media type {name} is not understood; only JSON is")
            schemas[name.lower()] = self._schema(media.get("schema", {}), f"{place}.requestBody").warm()
        examples = [media["example"] for media in details.get("content", {}).values() if "example" in media]
        return RequestBody(bool(details.get("required", False)), schemas, examples[0] if examples else None)

    def _response(self, status: str, details: Json, place: str) -> ResponseSpec:
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
                    place, f"security scheme {name!r} is not understood; use apiKey in a header or http bearer"
                )

    def _schema(self, schema: Json, place: str) -> Schema:
        modern = self._modern(schema)
        if self._components and "$ref" in json.dumps(modern):
            modern = {**modern, "components": {"schemas": self._components}}
        return Schema(modern, f"{self.file}: {place}")

    def schema_complaints(self, operations: Mapping[str, Operation]) -> list[str]:
        """Say what is wrong with the schemas themselves: thorough, so for `check` and not for every start."""
        found = []
        for operation in operations.values():
            schemas = [parameter.schema for parameter in operation.parameters]
            schemas += [response.schema for response in operation.responses.values() if response.schema]
            schemas += list(operation.body.schemas.values()) if operation.body else []
            for schema in schemas:
                found += [f"{schema.source}: {complaint}" for complaint in complaints(schema.document)]
        return found

    def _resolved(self, value: Json) -> Json:
        """Follow a `$ref` to another part of the document, except into schemas."""
        while isinstance(value, Mapping) and "$ref" in value:
            target: Json = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target.get(part.replace("~1", "/").replace("~0", "~"), {})
            value = target
        return value

    def _modern(self, schema: Json) -> Json:
        """Read a 3.0 schema as 3.1: `nullable` and the boolean exclusive bounds become JSON Schema 2020-12."""
        if not self._is_3_0:
            return schema
        if isinstance(schema, list):
            return [self._modern(item) for item in schema]
        if not isinstance(schema, Mapping):
            return schema
        kept = {"enum", "default", "example", "const"}
        modern = {key: value if key in kept else self._modern(value) for key, value in schema.items()}
        if modern.get("nullable") is True and isinstance(modern.get("type"), str):
            modern["type"] = [modern["type"], "null"]
        if isinstance(modern.get("nullable"), bool):
            del modern["nullable"]
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if isinstance(modern.get(exclusive), bool) and modern.pop(exclusive) and bound in modern:
                modern[exclusive] = modern.pop(bound)
        return modern

    def _complain(self, place: str, what: str) -> None:
        self.complaints.append(f"{self.file}: {place}: {what}")


def _defaults(body: RequestBody | None) -> dict[str, Json]:
    """Give the documented defaults of a body's own fields."""
    document = next(iter(body.schemas.values())).document if body and body.schemas else {}
    properties = document.get("properties", {}) if isinstance(document, Mapping) else {}
    return {name: each["default"] for name, each in properties.items() if isinstance(each, Mapping) and "default" in each}
