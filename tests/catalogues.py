"""An API of two operations, made by hand, for tests that hand values to a room and look at those it gives.

`notes()` loads it as the program loads any provider, from a document and a table, and reads no bundled one.
What is given replaces a part. `a_match`, `a_world` and `a_call` make what the rooms hand each other.
"""

import copy
import functools
import json
from collections.abc import Mapping
from typing import Any

import yaml

from mockserver import Request
from mockserver.call import EMPTY, Arguments, Call, Match
from mockserver.seeded import Random
from mockserver.settings import Settings
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SPECS
from mockserver.spec.model import Provider
from mockserver.spec.openapi import Document
from mockserver.spec.schema import Schema
from mockserver.spec.table import Table
from mockserver.state.accounts import Account
from mockserver.state.clock import Clock, moment_s
from mockserver.state.outputs import Output
from mockserver.state.world import World

NOON_S = moment_s("2026-03-14T12:00:00Z")  # a Saturday; the clock of `a_world` stands there
DOCUMENT = yaml.safe_load("""
openapi: 3.1.0
info: {title: Notes, version: "1"}
servers: [{url: "https://api.notes.example"}]
security: [{Key: []}]
paths:
  /notes:
    post:
      operationId: add_note
      summary: Add a note
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}
      responses:
        "201": {$ref: "#/components/responses/Note"}
        default: {$ref: "#/components/responses/Wrong"}
  /notes/{id}:
    get:
      operationId: read_note
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {$ref: "#/components/responses/Note"}
        default: {$ref: "#/components/responses/Wrong"}
components:
  securitySchemes: {Key: {type: apiKey, in: header, name: Note-Key}}
  schemas:
    Note:
      type: object
      required: [text]
      additionalProperties: false
      properties:
        text: {type: string, minLength: 1, maxLength: 40}
        colour: {enum: [yellow, green], default: yellow}
        copies: {type: integer, minimum: 1, maximum: 9, default: 1}
        is_framed: {type: boolean}
        photo: {type: string, pattern: "^https://"}
        photos: {type: array, items: {type: string}}
    Error:
      type: object
      required: [error]
      properties:
        error:
          type: object
          required: [code, message]
          properties:
            code: {enum: [N400, N401, N402, N403, N404, N405, N409, N413, N429, N500]}
            message: {type: string}
            details: {type: array, items: {properties: {field: {type: string}, message: {type: string}}}}
        request_id: {type: string}
  responses:
    Note:
      description: The note, under https://cdn.notes.example
      headers: {Notes-Id: {schema: {type: string}}, Notes-Version: {schema: {type: string}}}
      content: {application/json: {schema: {type: object}, example: {text: "Buy milk"}}}
    Wrong:
      description: No
      content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}
""")
TABLE = yaml.safe_load("""
title: Notes
hosts: [api.notes.example]
citations: {handbook: The notes' handbook, prices: The notes' price list}
defaults:
  errors: {provenance: documented, citation: handbook}
  rates: {provenance: documented, citation: handbook}
  wording: {provenance: assumed, citation: handbook}
keys: {prefix: note_, new_account: {plan: small, credits: 10}}
accounts: {attributes: {is_guest: {type: boolean, description: pays nothing}}}
credits: {unit: credits, smart_balance: true}
plans: {small: {at_once: 2}, large: {at_once: 3}}
limits:
  per_minute: {value: 3, provenance: documented, citation: handbook}
  photo_bytes: {value: 1000, provenance: documented, citation: handbook}
rates: [{limit: per_minute, window_s: 60}, {plan: at_once, operations: [add_note]}]
outputs:
  origin: https://cdn.notes.example
  path: /photos/{id}.png
  media_type: image/png
  lifetime_s: 3600
  provenance: documented
  citation: handbook
answers:
  headers: {Notes-Id: $request_id, Notes-Version: "1"}
  error: {error: {code: $code, message: $message, details: $details}, request_id: $request_id}
  detail: {field: $field, message: $message}
problems:
  unknown_path: {error: nowhere}
  unknown_method: {error: wrong_method}
  key_missing: {error: no_key}
  key_malformed: {error: no_key}
  key_unknown: {error: no_key}
  key_inactive: {error: no_key}
  key_deleted: {error: no_key}
  account_suspended: {error: banned}
  access_disabled: {error: banned}
  body_too_large: {error: too_large}
  unsupported_media_type: {error: wrong}
  malformed_body: {error: wrong}
  invalid_request: {error: wrong, message: "$violation"}
  picture_unreadable: {error: wrong, message: "$field is no picture"}
  picture_unreachable: {error: wrong}
  picture_too_large: {error: too_large}
  credits_exhausted: {error: no_money}
  payment_failed: {error: no_money}
  rate_limited: {error: too_fast}
  internal: {error: broken}
errors:
  wrong: {status: 400, code: N400, message: The note is wrong, cause: anything, has_details: true}
  no_key: {status: 401, code: N401, message: No key, cause: anything}
  no_money: {status: 402, code: N402, message: No money, cause: anything}
  banned: {status: 403, code: N403, message: Banned, cause: anything}
  nowhere: {status: 404, code: N404, message: Nowhere, cause: anything}
  wrong_method: {status: 405, code: N405, message: Not so, cause: anything}
  taken: {status: 409, code: N409, message: Taken, cause: anything}
  locked: {status: 409, code: N409, message: Locked, cause: anything, only: ordered}
  too_large: {status: 413, code: N413, message: Too large, cause: anything}
  too_fast: {status: 429, code: N429, message: Too fast, cause: anything, headers: {Retry-After: "9"}}
  broken: {status: 500, code: N500, message: Broken, cause: anything}
operations:
  add_note:
    behaviour: generate
    citation: handbook
    orders: {fields: [text, photo], errors: [taken, too_fast], citation: handbook}
    pictures:
      - {roles: {source: [photo, photos]}, limit: photo_bytes, citation: handbook}
    price:
      terms: [{field: colour, amounts: {yellow: 1, green: 2}}, {amount: 0.5, when: is_framed}]
      times: copies
      free_when: {is_guest: true}
      provenance: documented
      citation: prices
  read_note: {behaviour: generate}
""")


@functools.cache
def _shape() -> Schema:
    return Schema(json.loads((SPECS / "behaviour.schema.json").read_text("utf-8")), "behaviour.schema.json")


def a_provider(name: str, document: Mapping[str, Any], table: Mapping[str, Any]) -> Provider:
    """Load a provider from the contents of its two files; it is an error of the test if they cannot be."""
    read, whole = (
        Table(dict(table), f"{name}/behaviour.yaml", _shape()),
        Document(dict(document), f"{name}/openapi.yaml", name),
    )
    assert read.complaints == []
    provider = read.provider(name, whole.operations(read.rows()), json.dumps(document))
    assert read.complaints + whole.complaints == []
    return provider


def notes(
    name: str = "notes",
    *,
    body: Any = None,
    responses: Any = None,
    security: Any = None,
    schemes: Any = None,
    schemas: Any = None,
    add_note: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Provider:
    """Load the notes' API with another body, other answers, keys, schemas, another row, other sections.

    A section that is None is left out, and so is a member of the row.
    """
    document, table = copy.deepcopy(DOCUMENT), {**TABLE, **sections}
    if body is not None:
        document["paths"]["/notes"]["post"]["requestBody"]["content"]["application/json"]["schema"] = body
    if responses is not None:
        document["paths"]["/notes"]["post"]["responses"] = responses
    if security is not None:
        document["security"] = security
    if schemes is not None:
        document["components"]["securitySchemes"] = schemes
    document["components"]["schemas"] |= schemas or {}
    row = {**TABLE["operations"]["add_note"], **(add_note or {})}
    table["operations"] = {**table["operations"], "add_note": _without_none(row)}
    return a_provider(name, document, _without_none(table))


def errors(*names: str, **rows: Mapping[str, Any]) -> dict[str, Any]:
    """Give the notes' errors, with some that only have a name, or with other rows."""
    known = {name: {"status": 400, "message": f"It is {name}", "cause": "anything"} for name in names}
    return {**TABLE["errors"], **known, **rows}


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


NOTES = notes()


def a_catalogue(*providers: Provider) -> Catalog:
    """Put providers together; without any, the notes alone."""
    return Catalog({each.name: each for each in providers or (NOTES,)})


def a_match(operation: str = "add_note", provider: Provider = NOTES, **path_values: str) -> Match:
    """Give what `route` gives for a request to this operation."""
    return Match(provider, provider.operations[operation], path_values)


def a_request(
    body: Any = b"", *, method: str = "POST", path: str = "/notes", query: str = "", **headers: str
):
    """Make a request to add a note; `note_key="k"` is the header Note-Key."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, {"host": "localhost", **sent}, query, raw)


def a_world(provider: Provider = NOTES, enforced: str = "", **accounts: Mapping[str, Any]) -> World:
    """Make a world whose clock stands at noon, with these accounts by key."""
    clock = Clock()
    clock.set(NOON_S, is_frozen=True)
    return World(
        accounts={provider.name: accounts},
        fresh_accounts={provider.name: provider.keys.new_account},
        clock=clock,
        enforced=frozenset(enforced.split()),
    )


def a_call(
    body: Any = None,
    *,
    provider: Provider = NOTES,
    operation: str = "add_note",
    world: World | None = None,
    account: Account | None = None,
    key: str = "note_1",
) -> Call:
    """Make a call as the rooms behind `validate` get it."""
    world = world or a_world(provider)
    return Call(
        match=a_match(operation, provider),
        account=account or world.accounts.find(provider.name, key),
        arguments=Arguments({}, {}, {}, {"text": "Buy milk"} if body is None else body),
        world=world,
        random=Random.from_text("a test"),
        request_id="request-1",
        base_url="http://localhost",
        settings=Settings(),
        pictures=EMPTY,
    )


def an_output(id_: str = "1", **members: Any) -> Output:
    """Make a picture of the notes behind a link: the smallest that can be drawn, for an hour from noon."""
    scene = {
        "width": 64,
        "height": 64,
        "media_type": "image/png",
        "provider": "Notes",
        "operation": "Add a note",
        "headline": "Buy milk",
        "seed": "1",
        "model": None,
        "notes": (),
        "insets": (),
        "is_watermarked": False,
        "style": "plain",
        "metadata": (),
    }
    known = {
        "provider": "notes", "account": "notes/note_1", "created_at_s": NOON_S, "expires_at_s": NOON_S + 3600,
        "media_type": "image/png", "scene": scene,
    }  # fmt: skip
    return Output(id=id_, **{**known, **members})
