"""`/__admin` and `/__admin/openapi.json`: what can be asked and told here, for people and for programs.

The document is the file that the pages are made from, with what others know: the functions what they do, the
tables what accounts can have, the state what a snapshot holds.
"""

import inspect
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version

from mockserver.admin.asked import PREFIX, Asked
from mockserver.admin.pages import Page, all_pages
from mockserver.jsontext import Json
from mockserver.links import Names, base_url
from mockserver.spec.admin_bodies import DOCUMENT, account_schema
from mockserver.spec.catalog import Catalog
from mockserver.spec.schema import COMPONENTS
from mockserver.state.values import describe
from mockserver.state.world import FORMAT, NEWER, World

PLACE = f"{PREFIX}/openapi.json"
OF_ALL = ("401", "403", "405", "413")  # what every page may refuse with
WRONG, UNKNOWN = "400", "404"


def show_routes(_asked: Asked) -> Json:
    """List what can be asked and told here."""
    return list_routes()


def show(asked: Asked) -> Json:
    """Describe all of it as OpenAPI 3.1, for clients, editors and other tools."""
    settings, names = asked.settings, Names.of(asked.catalog.providers, asked.settings)
    url = base_url(asked.request, settings.public_url, names.apis)
    security = DOCUMENT["security"] if settings.admin_token is None else [{"token": []}]
    whole = write_document(asked.catalog, asked.world)
    return {**whole, "servers": [{"url": url}], "security": security}


def list_routes() -> dict[str, Json]:
    """Give each page in a line, and where the document is."""
    routes = [{"method": each.method, "path": each.path, "does": each.does} for each in all_pages()]
    return {"routes": routes, "document": PLACE}


def write_document(catalog: Catalog, world: World) -> dict[str, Json]:
    """Write the document of an emulator that serves this catalogue."""
    pages, components = list(all_pages()), DOCUMENT["components"]
    paths = {path: dict(item) for path, item in DOCUMENT["paths"].items()}
    for page in pages:
        paths[page.path][page.method.lower()] = _operation(page)
    subjects = dict.fromkeys(page.subject for page in pages)
    schemas = {**components["schemas"], **_of_catalog(catalog), **_of_world(world)}
    return {
        **DOCUMENT,
        "info": {**DOCUMENT["info"], "version": version("mockserver")},
        "tags": [{"name": each, "description": _told(each)} for each in subjects],
        "paths": paths,
        "components": {**components, "schemas": schemas},
    }


def _operation(page: Page) -> Json:
    """Say of a page what its entry need not: what it does, and how it refuses."""
    refused = [*OF_ALL]
    if page.takes.body or page.takes.query:
        refused.append(WRONG)
    if "{" in page.path:
        refused.append(UNKNOWN)
    refusals = {each: {"$ref": f"#/components/responses/{each}"} for each in refused}
    responses = dict(sorted({**refusals, **page.details["responses"]}.items()))
    return {"tags": [page.subject], "summary": page.does, **page.details, "responses": responses}


def _told(subject: str) -> str:
    return inspect.cleandoc(import_module(f"mockserver.admin.{subject}").__doc__ or "").partition("\n")[0]


def _of_catalog(catalog: Catalog) -> Mapping[str, Json]:
    """Give the schemas that the tables know: which APIs there are, and what their accounts can have."""
    named = {f"AccountChange_{name}": each for name, each in catalog.providers.items()}
    return {
        **{name: account_schema(each).document for name, each in named.items()},
        "AccountChange": {"anyOf": [{"$ref": COMPONENTS + name} for name in named]},
        "Provider": {**DOCUMENT["components"]["schemas"]["Provider"], "enum": [*catalog.providers]},
    }


def _of_world(world: World) -> Mapping[str, Json]:
    """Give the schema of a snapshot, and of the values in it."""
    types, state = world.types, DOCUMENT["components"]["schemas"]["State"]
    kinds, values = describe(types.values(), f"{COMPONENTS}Stored{{name}}")
    own = {
        name: {"type": "object", "additionalProperties": kind}
        for name, kind in zip(types, kinds, strict=True)
    }
    properties = {**state["properties"], "format": {"const": FORMAT}, **own}
    required = [*state["required"], *(name for name in own if name not in NEWER)]
    return {
        **{f"Stored{name}": each for name, each in values.items()},
        "State": {**state, "properties": properties, "required": required},
    }
