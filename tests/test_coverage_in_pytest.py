"""Coverage and cost at the end of a run of pytest: every option and setting, workers, several runs."""

import json
from xml.etree import ElementTree as ET

import pytest
from conftest import PLUGIN

import mockserver.testing.coverage_plugin  # noqa: F401 - as in test_pytest_plugin.py
from mockserver.coverage.files import load_report
from mockserver.coverage.report import merge

pytest_plugins = ["pytester"]

PRELUDE = """
import httpx, pytest

SCORE = {"image_url": "https://example.com/a.png"}

def ask(mock, path="/v2/thumbnail/score", provider="pikzels", body=SCORE, **more):
    to = mock.provider(provider)
    headers = {**to.headers, **more}
    with httpx.Client(transport=mock.httpx_transport(), base_url=to.url, headers=headers) as client:
        return client.post(path, json=body)
"""
ONE = """
def test_one(mockserver):
    assert ask(mockserver).is_success
"""
TWO = """
def test_two(mockserver):
    assert ask(mockserver, Prefer="code=429").status_code == 429
    assert ask(mockserver, body={"image_base64": "data:image/png;base64,"}).status_code == 400
    big = {"title": "a", "format": "x", "model": "hd"}
    assert ask(mockserver, "/v1/generate", "thumbapi", big).is_success
"""
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")
SCORING = "pikzels.post_v2_thumbnail_score"


@pytest.fixture
def run(pytester):
    """Run a test file in this process; give the result."""

    def run_file(text, *options, ini=""):
        pytester.makeini(f"[pytest]\nmockserver_strict = off\n{ini}")
        pytester.makepyfile(PRELUDE + text)
        return pytester.runpytest_inprocess(*PLUGIN, *QUIET, *options)

    return run_file


@pytest.fixture
def run_apart(pytester, quick_processes):
    """Run a test file in processes of its own, with no other plugins, which take seconds to load."""

    def run_file(text, *options):
        pytester.makeini("[pytest]\nmockserver_strict = off")
        pytester.makepyfile(PRELUDE + text)
        plugins = ("-p", "mockserver.pytest_plugin", "-p", "xdist.plugin")
        return pytester.runpytest_subprocess(
            *plugins, "-q", "-p", "no:cacheprovider", "-W", "error", *options
        )

    return run_file


def test_a_run_that_asks_for_nothing_ends_with_what_it_would_have_cost(run):
    done = run(ONE + TWO)
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(
        ["mockserver: would have cost 0.03 USD at pikzels (prices of 2026-05), 20 credits at thumbapi (*; *"]
    )
    done.stdout.no_fnmatch_line("*coverage*")


def test_a_run_that_spends_nothing_says_nothing(run):
    done = run("def test_nothing(mockserver): pass\ndef test_else(): pass")
    done.stdout.no_fnmatch_line("*mockserver*")


@pytest.mark.parametrize(
    ("options", "ini"), [(("--mockserver-cov",), ""), ((), "mockserver_cov = true")], ids=["option", "ini"]
)
def test_the_table_is_shown_where_it_is_asked_for(run, options, ini):
    done = run(ONE + TWO, *options, ini=ini)
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        [
            "*mockserver: contract coverage*",
            "*called  statuses  errors  values  fields*all",
            "pikzels   * 1/11 *",
            "  post_v2_thumbnail_score  *3/14 *1/5 * - *2/3 *",
            "thumbapi  * 1/1 *",
            "in all    * 2/15 *",
            "missing",
            SCORING,
            "  optional fields: title",
            "not called",
        ]
    )


def test_the_table_is_there_for_a_run_that_met_nothing(run):
    done = run("def test_nothing(): pass", "--mockserver-cov")
    done.stdout.fnmatch_lines(["in all * 0/15 * 0.0 %"])


@pytest.mark.parametrize(
    ("options", "ini"),
    [(("--mockserver-cov-only", SCORING), ""), ((), f"mockserver_cov_only = {SCORING} fatthumb")],
    ids=["option", "ini"],
)
def test_only_some_operations_are_counted(run, options, ini):
    done = run(ONE, *options, ini=ini)
    done.stdout.fnmatch_lines(["pikzels   * 1/1 *"])
    done.stdout.no_fnmatch_line("thumbapi*1/1*")


@pytest.mark.parametrize(("percent", "status"), [("0", 0), ("1", 0), ("1.1", 1), ("100", 1)])
def test_a_run_that_met_too_little_fails(run, percent, status):
    done = run(ONE, "--mockserver-cov-fail-under", percent, ini="mockserver_cov_only = pikzels")
    assert done.ret == status
    done.assert_outcomes(passed=1)
    if status:
        done.stdout.fnmatch_lines([f"mockserver: contract coverage is 1.0 %, less than {percent} %"])


def test_what_a_run_must_meet_may_stand_in_the_ini_file(run):
    assert run(ONE, ini="mockserver_cov_fail_under = 99").ret == 1


def test_reports_are_written_as_their_files_are_called(run, pytester):
    files = [f"reports/all.{ending}" for ending in ("json", "md", "xml")]
    done = run(ONE, *(f"--mockserver-cov-report={file}" for file in files))
    assert done.ret == 0
    report = load_report(pytester.path / files[0])
    assert report.entries[SCORING]["statuses"]["200"]
    assert (pytester.path / files[1]).read_text().startswith("## Contract coverage: ")
    assert ET.parse(pytester.path / files[2]).find("testsuite/properties/property") is not None


def test_reports_may_be_named_in_the_ini_file(run, pytester):
    run(ONE, ini="mockserver_cov_report = a.json b.md")
    assert (pytester.path / "a.json").exists()
    assert (pytester.path / "b.md").exists()


def test_a_report_that_cannot_be_written_fails_the_run_and_says_why(run, pytester):
    (pytester.path / "taken.md").mkdir()
    done = run(ONE, "--mockserver-cov-report=taken.md")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["mockserver: *taken.md: Is a directory"])


def test_junitxml_gets_properties(run, pytester):
    run(ONE, "--mockserver-cov", "--junitxml=junit.xml")
    tree = ET.parse(pytester.path / "junit.xml")
    found = {each.get("name"): each.get("value") for each in tree.iterfind("testsuite/properties/property")}
    assert found["mockserver.coverage.pikzels.operations"] == "1/11"
    assert found["mockserver.cost.pikzels"] == "0.03 USD"


def test_workers_are_merged(run_apart, pytester):
    assert run_apart(ONE + TWO, "--mockserver-cov-report=alone.json").ret == 0
    both = ("-n", "2", "--dist=each", "--tx=2*popen")  # each worker runs all of it
    assert run_apart(ONE + TWO, "--mockserver-cov-report=together.json", *both).ret == 0
    alone, together = (load_report(pytester.path / f"{name}.json") for name in ("alone", "together"))
    assert together == merge(alone, alone)


def test_what_workers_spent_is_told_without_being_asked_for(run_apart):
    done = run_apart(ONE + TWO, "-n", "2")
    done.stdout.fnmatch_lines(["mockserver: would have cost 0.03 USD at pikzels*"])


def test_a_run_counts_on_from_those_before(run, pytester):
    for text in (ONE, TWO):
        assert run(text, "--mockserver-cov-append=all.json").ret == 0
    whole = load_report(pytester.path / "all.json")
    assert {each for each, is_met in whole.entries[SCORING]["statuses"].items() if is_met} == {
        "200",
        "400",
        "429",
    }
    done = run("def test_nothing(): pass", ini="mockserver_cov_append = all.json")
    done.stdout.fnmatch_lines(["  post_v2_thumbnail_score  *3/14 *"])


BOUNDS = {
    "0.02": "0.03 USD, more than 0.02 USD",
    "USD=0.02": "0.03 USD, more than 0.02 USD",
    "pikzels=0.02": "0.03 USD at pikzels, more than 0.02 USD",
    "thumbapi=19": "20 credits at thumbapi, more than 19 credits",
}


@pytest.mark.parametrize(("bound", "told"), BOUNDS.items())
def test_a_run_that_would_have_cost_too_much_fails(run, bound, told):
    done = run(ONE + TWO, f"--mockserver-max-cost={bound}")
    assert done.ret == 1
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines([f"mockserver: the run would have cost {told}"])


def test_what_a_run_may_cost_may_stand_in_the_ini_file(run):
    done = run(ONE + TWO, ini="mockserver_max_cost = pikzels=0.5 thumbapi=19")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["mockserver: * 20 credits at thumbapi, more than 19 credits"])


def test_a_run_that_stays_within_its_bounds_passes(run):
    bounds = ["0.03", "USD=0.03", "pikzels=0.03", "thumbapi=20", "fatthumb=0"]
    assert run(ONE + TWO, *(f"--mockserver-max-cost={bound}" for bound in bounds)).ret == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--mockserver-cov-only=pikzel"],
            "--mockserver-cov-only: there is no operation 'pikzel'; did you mean *",
        ),
        (["--mockserver-cov-report=a.txt"], "--mockserver-cov-report: *a.txt must end in .json, .md, .xml"),
        (["--mockserver-cov-append=a.md"], "--mockserver-cov-append: *a.md must end in .json"),
        (
            ["--mockserver-cov-append=wrong.json"],
            "--mockserver-cov-append: *wrong.json: is no report of coverage*",
        ),
        (["--mockserver-cov-append=a.json"] * 2, "--mockserver-cov-append takes one file"),
        (
            ["--mockserver-cov-fail-under=101"],
            "--mockserver-cov-fail-under: '101' is no number from 0 to 100",
        ),
        (["--mockserver-max-cost=much"], "--mockserver-max-cost: 'much' is no number *"),
        (["--mockserver-max-cost=nan"], "--mockserver-max-cost: 'nan' is no number *"),
        (["--mockserver-max-cost=credits=1"], "--mockserver-max-cost: there is no 'credits'; there are *USD"),
    ],
)
def test_what_is_misspelt_stops_the_run_before_any_test(run, pytester, options, told):
    (pytester.path / "wrong.json").write_text(json.dumps({"format": 0}))
    done = run(ONE, *options)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: {told}"])


def test_a_run_that_fails_anyway_shows_both(run):
    done = run(
        "def test_wrong(mockserver):\n    ask(mockserver)\n    assert False", "--mockserver-max-cost=0"
    )
    assert done.ret == 1
    done.stdout.fnmatch_lines(
        ["*assert False*", "mockserver: the run would have cost 0.03 USD, more than 0.00 USD"]
    )


def test_collecting_alone_is_not_judged(run):
    assert run(ONE, "--collect-only", "--mockserver-cov-fail-under=99").ret == 0


def test_what_was_spent_can_be_asked_for_and_outlives_each_test(run):
    text = """
@pytest.mark.parametrize("times", [1, 2, 3])
def test_spending(mockserver, times):
    ask(mockserver)
    assert mockserver.spent["pikzels"] == pytest.approx(0.03 * times)
    assert mockserver.spent["fatthumb"] == 0
    assert str(mockserver.spent) == f"0.0{3 * times} USD at pikzels"
"""
    run(text).assert_outcomes(passed=3)
