"""The pages of `/__admin`: the operations of its document, each with the function that its id names.

`clock.advance` is `advance` in mockserver/admin/clock.py: nobody registers anything.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import NamedTuple

from mockserver.admin.asked import Asked, Taken
from mockserver.jsontext import Json
from mockserver.spec.admin_bodies import DOCUMENT, described
from mockserver.spec.explain import nearest
from mockserver.spec.files import SpecificationError
from mockserver.spec.openapi import METHODS
from mockserver.spec.schema import target

FILE = "specs/admin.openapi.json"
Answer = Callable[[Asked], Json]  # or a whole Response, where the answer is no JSON


class Page(NamedTuple):
    """One thing that can be asked or told."""

    method: str
    path: str
    details: Mapping[str, Json]  # as the document says them
    answer: Answer
    takes: Taken

    @property
    def subject(self) -> str:
        """The module that answers."""
        name: str = self.details["operationId"]
        return name.partition(".")[0]

    @property
    def does(self) -> str:
        """What it does, in a sentence."""
        return (self.answer.__doc__ or "").partition("\n")[0]


@cache
def read_pages() -> Mapping[str, Mapping[str, Page]]:
    """Give all pages by path and method, a path without values before one that it is like.

    Raises SpecificationError for an id that names no function.
    """
    paths = sorted(DOCUMENT["paths"].items(), key=lambda each: "{" in each[0])
    return {
        path: {method.upper(): _page(method.upper(), path, item) for method in METHODS if method in item}
        for path, item in paths
    }


def all_pages() -> Iterator[Page]:
    """Give all pages, as the document has them."""
    pages = read_pages()
    return (page for path in DOCUMENT["paths"] for page in pages[path].values())


def _page(method: str, path: str, item: Mapping[str, Json]) -> Page:
    details = item[method.lower()]
    body, place = _followed(details.get("requestBody")), f"{method} {path}"
    parameters = (_followed(each) for each in (*item.get("parameters", ()), *details.get("parameters", ())))
    query = {each["name"]: described(each["schema"], place) for each in parameters if each["in"] == "query"}
    schema = described(body["content"]["application/json"]["schema"], place) if body else None
    return Page(method, path, details, _function(details["operationId"], place), Taken(schema, query))


def _followed(part: Json) -> Json:
    return target(DOCUMENT, part["$ref"]) if part and "$ref" in part else part


def _function(name: str, place: str) -> Answer:
    subject, _, function = name.partition(".")
    module = import_module(f"mockserver.admin.{subject}")
    own = {key: each for key, each in inspect.getmembers(module, inspect.isfunction) if key[0] != "_"}
    if function not in own:
        what = f"there is no function {function!r} in mockserver/admin/{subject}.py; {nearest(function, own)}"
        raise SpecificationError([f"{FILE}: {place}: {what}"])
    found: Answer = own[function]
    return found
