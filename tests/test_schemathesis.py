"""Schemathesis reads our documents and calls as they allow and forbid: never a 500 or a wrong shape."""

import pytest
import schemathesis
import yaml
from conftest import KEYS
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from mockserver.spec.files import SPECS

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def operations():
    found = []
    for provider in KEYS:
        document = yaml.safe_load((SPECS / provider / "openapi.yaml").read_text())
        schema = schemathesis.openapi.from_dict(document)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            if operation.label.endswith("/api/mcp"):
                continue  # its body is any JSON, so nothing is invalid; test_mcp sends what JSON-RPC forbids
            found.append(pytest.param(provider, operation, id=f"{provider} {operation.label}"))
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize(("provider", "operation"), operations())
def test_no_generated_call_breaks_the_document(server, provider, operation, mode):
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def obeys(case):
        case.call_and_validate(base_url=server.url, headers=KEYS[provider], checks=CHECKS)

    given(case=operation.as_strategy(generation_mode=mode))(obeys)()
