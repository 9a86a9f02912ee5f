"""The guide's recipes, followed word by word."""

import json
import shutil

import yaml
from click.testing import CliRunner

from mockserver import Request, create_engine
from mockserver.cli import main
from mockserver.spec.files import SPECS

PATH, OPERATION = "/api/v1/generate", "post_api_v1_generate"


def write_team_plan(folder):
    """FatThumb with a plan `team`, whose callers, and nobody else, are told that no seat is left."""
    shutil.copytree(SPECS / "fatthumb", folder)
    document, table = (
        yaml.safe_load((folder / file).read_text("utf-8")) for file in ("openapi.yaml", "behaviour.yaml")
    )
    document["info"]["description"] = "Plans are free, pro, ultra and team."
    document["components"]["schemas"]["ErrorResponse"]["properties"]["code"]["enum"].append("seat_missing")
    for plan in table["plans"].values():
        plan["has_seats"] = True
    table["plans"]["team"] = {**table["plans"]["pro"], "has_seats": False}
    table["errors"]["seat_missing"] = {"status": 402, "message": "No seat is left.", "cause": "a full team"}
    seats = {"check": "plan_allows", "field": "prompt", "attribute": "has_seats", "error": "seat_missing"}
    table["operations"][OPERATION]["late_checks"].insert(0, seats)
    (folder / "openapi.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(table, sort_keys=False), "utf-8")
    return folder


def test_a_402_for_a_new_plan_is_found_right(tmp_path):
    folder = write_team_plan(tmp_path / "fatthumb")
    assert CliRunner().invoke(main, ["check", str(folder)]).output.endswith("nothing to complain of\n")


def test_a_402_for_a_new_plan_is_told_to_its_callers_alone(tmp_path):
    engine = create_engine(spec_folders=[write_team_plan(tmp_path / "fatthumb")])
    engine.handle(Request("PUT", "/__admin/accounts/fatthumb/nsk_team", {}, body=b'{"plan": "team"}'))
    answers = []
    for key in ("nsk_team", "nsk_free"):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        body = b'{"prompt": "A developer", "model": "gpt-image-2"}'
        answer = engine.handle(Request("POST", PATH, headers, body=body))
        answers.append((answer.status, json.loads(answer.read())["code"]))
    assert answers == [(402, "seat_missing"), (402, "model_requires_paid_plan")]
