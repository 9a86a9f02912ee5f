"""An OpenAPI document becomes operations.

What the emulator does not understand is a complaint at start-up, never a silent difference at run time.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, count
from urllib.parse import urlsplit

from mockserver.jsontext import Json
from mockserver.spec.explain import located, nearest
from mockserver.spec.model import Operation, OperationRow, Parameter, RequestBody, ResponseSpec
from mockserver.spec.resources import Resources
from mockserver.spec.schema import Schema, target
from mockserver.spec.security import read_security

JSON_TYPE = "application/json"
BODILESS = {"204", "205", "304"}  # statuses that HTTP sends no body with
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STYLES = {"path": "simple", "header": "simple", "query": "form"}
IN_QUERIES = {"form", "spaceDelimited", "pipeDelimited", "deepObject"}
KNOWN_STYLES = {"path": {"simple"}, "header": {"simple"}, "query": IN_QUERIES}


class Document:
    """One OpenAPI document on its way to becoming operations; it gathers complaints as it goes.

    `shape` is how a document must look, None where it is known to; what does not is left out.
    """

    def __init__(self, document: Json, file: str, provider: str, shape: Schema | None = None) -> None:
        self.document = document
        self.file = file
        self.provider = provider
        violations = [] if shape is None else shape.violations(document)
        self.complaints = [f"{file}: {located(document, violation)}" for violation in violations]
        self._unreadable = {_whole_of(violation.path) for violation in violations}
        self._resources = Resources(document if self._can_read() else {}, self._complain)

    @property
    def is_whole(self) -> bool:
        """Whether every operation could be read."""
        return not self._unreadable

    @property
    def base_paths(self) -> tuple[str, ...]:
        """What its `servers` put before every path, where they put anything there that is no template."""
        servers = self.document.get("servers", ()) if self._can_read() else ()
        paths = (urlsplit(server.get("url", "")).path.rstrip("/") for server in servers)
        return tuple(dict.fromkeys(path for path in paths if path.startswith("/") and "{" not in path))

    @property
    def ids(self) -> list[str]:
        """Every operationId; of an operation without one, what is made of its method and path."""
        documented = [(item[method], method, path) for path, method, item in self._documented()]
        taken = {details["operationId"] for details, *_ in documented if "operationId" in details}
        return [
            details.get("operationId") or _free_name(f"{method}{path}", taken)
            for details, method, path in documented
        ]

    def operations(self, rows: Mapping[str, OperationRow]) -> dict[str, Operation]:
        """Read every operation that has a row in the table; complain of the others."""
        found: dict[str, Operation] = {}
        for name, (path, method, item) in zip(self.ids, self._documented(), strict=True):
            place = f"paths.{path}.{method}"
            if name not in rows:
                what = f"operation {name!r} has no row under `operations` in behaviour.yaml; add one, "
                self._complain(place, f"{what}for instance with `behaviour: generate`")
            elif other := found.get(name):
                what = f"operationId {name!r} is that of {other.method} {other.path}, too; rename one"
                self._complain(place, what)
            else:
                found[name] = self._operation(name, path, method, item, rows[name])
        return {name: found[name] for name in rows if name in found}

    def callbacks(self) -> tuple[Schema, ...]:
        """Give the schemas of what the API sends to its callers."""
        found: list[Schema] = []
        for path, method, item in self._documented():
            for name, callback in item[method].get("callbacks", {}).items():
                sent = self._resolved(callback, f"paths.{path}.{method}.callbacks.{name}") or {}
                bodies = [self._body(each.get("post", {}).get("requestBody"), name) for each in sent.values()]
                found += [schema for body in bodies if body for schema in body.schemas.values()]
        return tuple(found)

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

    def _operation(self, name: str, path: str, method: str, item: Json, row: OperationRow) -> Operation:
        details = item[method]
        place = f"paths.{path}.{method}"
        parameters = self._parameters(item, details, place)
        body = self._body(details.get("requestBody"), place)
        known = {parameter.name for parameter in parameters if parameter.location == "path"}
        for part in re.findall(r"\{([^}]*)\}", path):
            if part not in known:
                what = f"{{{part}}} of the path is not documented; add a parameter {part!r} with `in: path`"
                self._complain(place, what)
        security = read_security(self.document, details)
        for complaint in security.complaints:
            self._complain(place, complaint)
        return Operation(
            id=name,
            provider=self.provider,
            method=method.upper(),
            path=path,
            summary=details.get("summary", ""),
            parameters=parameters,
            body=body,
            responses=self._responses(details.get("responses", {}), place),
            security=security.requirements,
            row=row,
            name=f"{self.provider}.{name}",
            defaults=_defaults(body),
            file=self.file,
            is_deprecated=details.get("deprecated") is True,
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
        schema = self._resources.schema(details.get("schema", {}), f"{place}.parameters.{name}")
        wrong = None
        if style not in KNOWN_STYLES.get(location, ()):
            wrong = f"{location} with style {style} is not understood"
        elif "content" in details:
            wrong = "`content` is not understood; describe it with `schema`"
        elif style != "deepObject" and "object" in schema.types(schema.document):
            wrong = f"an object in style {style} is not understood; use deepObject"
        if wrong:
            wrong += "" if location == "path" else "; or remove it: what is not documented is not looked at"
            self._complain(place, f"parameter {name!r}: {wrong}")
        return Parameter(
            name=name,
            location=location,
            is_required=bool(details.get("required", location == "path")),
            style=style,
            is_exploded=bool(details.get("explode", style == "form")),
            schema=schema,
            is_deprecated=details.get("deprecated") is True,
        )

    def _body(self, details: Json, place: str) -> RequestBody | None:
        details = self._resolved(details, f"{place}.requestBody")
        if details is None:
            return None
        schemas, examples = {}, []
        for name, media in details.get("content", {}).items():
            media_type = bare_media_type(name)
            if not is_json(media_type):
                self._complain(place, f"requestBody: media type {name} is not understood; only JSON is")
            schemas[media_type] = self._resources.schema(media.get("schema", {}), f"{place}.requestBody")
            examples.append(self._example(media, f"{place}.requestBody"))
        shown = (example for example in examples if example is not None)
        return RequestBody(bool(details.get("required", False)), schemas, next(shown, None))

    def _responses(self, responses: Json, place: str) -> dict[str, ResponseSpec]:
        """Read the responses; an operation that documents no way to succeed answers with nothing."""
        found = {str(status): self._response(str(status), each, place) for status, each in responses.items()}
        is_silent = not any(status.startswith(("2", "3", "default")) for status in found)
        return {**found, "204": ResponseSpec("204")} if is_silent else found

    def _response(self, status: str, details: Json, place: str) -> ResponseSpec:
        """Read one response: its JSON where it has any, else its first media type."""
        place = f"{place}.responses.{status}"
        content = (self._resolved(details, place) or {}).get("content", {})
        if not content or status in BODILESS:
            return ResponseSpec(status)
        ways = {bare_media_type(name): media for name, media in content.items()}
        preferred = (name for name in (JSON_TYPE, *ways) if name in ways and is_json(name))
        media_type = next(preferred, next(iter(ways)))
        media = ways[media_type]
        schema = self._resources.schema(media.get("schema", {}), place)
        example = self._example(media, place)
        if is_json(media_type):
            return ResponseSpec(status, schema, example, media_type)
        document = schema.followed(schema.document)
        told = (document.get(key) for key in ("example", "const", "default") if isinstance(document, Mapping))
        shown = (text for text in (example, *told) if text is not None)
        return ResponseSpec(status, None, next(shown, None), media_type)

    def _example(self, media: Json, place: str) -> Json:
        """Give the example of a media type, or the first of its `examples`; None where it shows none."""
        if "example" in media:
            return media["example"]
        examples = media.get("examples")
        for each in examples.values() if isinstance(examples, Mapping) else ():
            example = self._resolved(each, f"{place}.examples")
            if isinstance(example, Mapping) and "value" in example:
                return example["value"]
        return None

    def _resolved(self, value: Json, place: str) -> Json:
        """Follow a `$ref`, except into schemas; None, with a complaint, where it leads nowhere."""
        seen = []
        while isinstance(value, Mapping) and isinstance(value.get("$ref"), str):
            reference = value["$ref"]
            seen.append(reference)
            value = None if reference in seen[:-1] else target(self.document, reference)
        if seen and not isinstance(value, Mapping):
            folder = seen[-1].rpartition("/")[0]
            names = target(self.document, folder)
            known = [f"{folder}/{name}" for name in names] if isinstance(names, Mapping) else []
            self._complain(place, f"there is no {seen[-1]}; {nearest(seen[-1], known)}")
            return None
        return value

    def _complain(self, place: str, what: str) -> None:
        self.complaints.append(f"{self.file}: {place}: {what}")


def _whole_of(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Give the operation or path item that cannot be read where `path` is wrong; empty: nothing can.

    >>> _whole_of(("paths", "/pets", "get", "parameters", 0)), _whole_of(("paths", "/pets", "parameters", 0))
    (('paths', '/pets', 'get'), ('paths', '/pets'))
    >>> _whole_of(("paths",)), _whole_of(("components", "schemas"))
    ((), ())
    """
    if path[:1] != ("paths",):
        return ()
    return path[:3] if path[2:3] and path[2] in METHODS else path[:2] if path[1:] else ()


def _free_name(text: str, taken: set[str]) -> str:
    """Name an operation by its method and path, unlike all names that are `taken`, and take that name.

    >>> taken = {"get"}
    >>> _free_name("get/v2/pets/{id}", taken), _free_name("get/v2/pets/id", taken), _free_name("get/", taken)
    ('get_v2_pets_id', 'get_v2_pets_id_2', 'get_2')
    """
    name = re.sub(r"[\W_]+", "_", text).strip("_")
    ways = chain([name], (f"{name}_{number}" for number in count(2)))
    free = next(each for each in ways if each not in taken)
    taken.add(free)
    return free


def bare_media_type(text: str) -> str:
    """Give a media type without its parameters; one that may be anything is JSON here.

    >>> bare_media_type("Application/HAL+JSON; charset=utf-8"), bare_media_type("*/*")
    ('application/hal+json', 'application/json')
    """
    bare = text.partition(";")[0].strip().lower()
    return JSON_TYPE if bare in {"*/*", "application/*"} else bare


def is_json(media_type: str) -> bool:
    """Whether a body of this media type is JSON."""
    return media_type == JSON_TYPE or media_type.endswith("+json")


def _defaults(body: RequestBody | None) -> dict[str, Json]:
    if body is None or not body.schemas:
        return {}
    schema = next(iter(body.schemas.values()))
    document = schema.followed(schema.document)
    properties = document.get("properties", {}) if isinstance(document, Mapping) else {}
    said = {name: each for name, each in properties.items() if isinstance(each, Mapping)}
    return {name: each["default"] for name, each in said.items() if "default" in each}
