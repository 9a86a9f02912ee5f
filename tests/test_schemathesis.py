"""Schemathesis reads our documents and calls as they allow and forbid, with all of its checks.

Its command does so as a stranger runs it: examples, edges of each parameter, generated calls, and calls that
follow from each other's answers, as two callers. Where it asks what these APIs do not promise, `SETTINGS` and
`STRICT` say so; nothing else is left out. `/__admin` is asked by its own document, as a server hands it out;
MOCKSERVER_ADMIN_EXAMPLES says how many calls are made up for each page, where more than a few are wanted.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from conftest import KEYS

from mockserver import Server, Settings, create_engine
from mockserver.spec.files import SPECS

pytestmark = pytest.mark.usefixtures("uncounted")
COMMAND = [str(Path(sys.executable).with_name("schemathesis")), "run", "--no-color", "--warnings", "off"]
OPTIONS = {"--phases": "examples,coverage,fuzzing,stateful", "--seed": "1", "--generation-database": "none"}
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
# What a schema allows may be refused all the same, by a documented condition that no schema says; the check
# in schemathesis_hooks.py asks that nothing else refuses it. Links are not looked for in answers, for
# Schemathesis 4.32 stumbles over one that a caller wrote itself, such as https://[.
SETTINGS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "413", "422"]
[auth.wfc]
path = "auth.yaml"
peers = ["one", "two"]
[phases.stateful.inference]
algorithms = ["dependency-analysis"]
"""
# Keys that no fixture lists are refused, or any invented one would do; wrong methods are 405, as it wants.
STRICT = Settings(
    is_strict=True,
    raises_bugs=True,
    checks_answers=True,
    pictures="plain",
    assume="pikzels.wrong_method=not_allowed",
)
# The documents say in prose what follows from what, if at all: what a call answers, and who takes it. A body
# is given whole: mixed into one that is meant to be wrong, it would make that right.
WHOLE = {"x-schemathesis": {"merge_body": False}}
PERSONA = {"id": "$response.body#/id"}
LINKS: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {
    ("pikzels", "/v2/pikzonality/persona"): [
        (f"{method}_v2_pikzonality_id", {"parameters": PERSONA}) for method in ("get", "patch", "delete")
    ],
    ("pikzels", "/v2/pikzonality/style"): [
        (f"{method}_v2_pikzonality_id", {"parameters": PERSONA}) for method in ("get", "patch", "delete")
    ],
    ("pikzels", "/v2/thumbnail/text"): [
        ("post_v2_thumbnail_score", {"requestBody": {"image_url": "$response.body#/output"}} | WHOLE),
        (
            "post_v2_thumbnail_edit",
            {"requestBody": {"image_url": "$response.body#/output", "prompt": "Warmer", "format": "16:9"}}
            | WHOLE,
        ),
    ],
    ("fatthumb", "/api/v1/generate"): [
        ("get_api_v1_generations_id", {"parameters": {"id": "$response.body#/generationId"}})
    ],
}
# Of /__admin: accounts of another API, jobs that there are not and the like are refused, too. What has large
# bodies is left to made-up calls, but for long runs; where a schema holds itself, its edges have no end. An
# account that was forgotten is there: whichever key a call comes with has one.
ADMIN_SETTINGS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "413"]
[generation]
max-examples = {examples}
[phases.stateful.generation]
max-examples = {steps}
[phases.coverage]
unexpected-methods = ["PATCH"]
[phases.stateful.inference]
algorithms = ["dependency-analysis"]
[[operations]]
include-operation-id = {left_out}
phases.coverage.enabled = false
[[operations]]
include-operation-id = ["accounts.show", "accounts.change"]
checks.use_after_free.enabled = false
"""
LARGE = ["accounts.change", "faults.add", "verification.verify", "worlds.change_state"]
RECURSIVE = ["requests.count", "requests.find", "requests.remove"]
EXAMPLES = int(os.environ.get("MOCKSERVER_ADMIN_EXAMPLES", "2"))
ACCOUNT = {name: f"$response.body#/accounts/0/{name}" for name in ("provider", "key")}
CALL = {"id": "$response.body#/requests/0/id"}
ADMIN_LINKS: dict[str, dict[str, dict[str, Any]]] = {
    "accounts.show_all": {
        "accounts.show": {"parameters": ACCOUNT},
        "accounts.change": {"parameters": ACCOUNT, "requestBody": {"credits": 7, "enforce": []}} | WHOLE,
        "accounts.forget": {"parameters": ACCOUNT},
    },
    "faults.add": {"faults.remove": {"parameters": {"id": "$response.body#/faults/0/id"}}},
    "jobs.show_all": {"jobs.show": {"parameters": {"id": "$response.body#/jobs/0/id"}}},
    "requests.show_all": {
        name: {"parameters": CALL} for name in ("requests.show", "requests.show_curl", "requests.delete")
    },
    "worlds.show_state": {"worlds.change_state": {"requestBody": "$response.body"} | WHOLE},
}


@pytest.fixture(scope="module")
def strict_server():
    with Server(create_engine(STRICT)) as running:
        yield running


def document_of(provider):
    """Give a document with the links that say which calls follow from which."""
    document = yaml.safe_load((SPECS / provider / "openapi.yaml").read_text())
    for (owner, path), links in LINKS.items():
        if owner == provider:
            success = min(document["paths"][path]["post"]["responses"])
            document["paths"][path]["post"]["responses"][success]["links"] = {
                name: {"operationId": name, **link} for name, link in links
            }
    return document


def identities(provider):
    """Write down two callers: none of them may see what belongs to the other."""
    ((name, key),) = KEYS[provider].items()
    users = [("one", key), ("two", key.replace("_test", "_other"))]
    return {"auth": [{"name": user, "fixedHeaders": [{"name": name, "value": key}]} for user, key in users]}


def schemathesis(url, document, settings, folder, **more):
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(settings)
    options = OPTIONS | {"--url": url, **more}
    return subprocess.run(
        [*COMMAND, "openapi.json", *(part for option in options.items() for part in option)],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )


@pytest.mark.parametrize("examples", [4, pytest.param(150, marks=pytest.mark.soak)])
@pytest.mark.parametrize("provider", KEYS)
def test_nothing_that_schemathesis_sends_breaks_the_document(strict_server, provider, examples, tmp_path):
    (tmp_path / "auth.yaml").write_text(yaml.safe_dump(identities(provider)))
    most = {"--max-examples": str(examples)}
    run = schemathesis(strict_server.url, document_of(provider), SETTINGS, tmp_path, **most)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    followed = re.search(r"API Links: +(\d+) covered", run.stdout)
    assert (followed is not None and int(followed[1]) > 0) is (provider in {owner for owner, _ in LINKS})


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(100, marks=pytest.mark.soak)])
def test_nothing_that_schemathesis_sends_breaks_the_document_of_admin(examples, tmp_path):
    settings = Settings(raises_bugs=True, checks_answers=True, pictures="plain")
    with Server(create_engine(settings)) as server, httpx.Client(base_url=server.url) as client:
        style = {"name": "Mine", "image_urls": ["https://example.com/1.png"] * 3}
        client.post("/v2/pikzonality/style", json=style, headers=KEYS["pikzels"]).raise_for_status()
        document = client.get("/__admin/openapi.json").raise_for_status().json()
        operations = [each for item in document["paths"].values() for each in item.values()]
        for operation in (each for each in operations if isinstance(each, dict)):
            links = ADMIN_LINKS.get(operation["operationId"], {})
            named = {name: {"operationId": name, **link} for name, link in links.items()}
            operation["responses"]["200"]["links"] = named
        left_out = json.dumps(RECURSIVE + (LARGE if examples <= EXAMPLES else []))
        chosen = ADMIN_SETTINGS.format(examples=examples, steps=5 * examples, left_out=left_out)
        run = schemathesis(server.url, document, chosen, tmp_path)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    followed = re.search(r"API Links: +(\d+) covered", run.stdout)
    assert followed is not None
    assert int(followed[1]) > 0
