"""The plugin, in runs of pytest within a test: fixtures, marker, settings, and whom it leaves alone."""

import pytest
from conftest import PLUGIN
from test_new_provider import write

import mockserver.imaging.rendering
import mockserver.serving.server
import mockserver.testing.mock  # noqa: F401 - a run within this process forgets what it was the first to import
from mockserver.spec.catalog import load

pytest_plugins = ["pytester"]

PRELUDE = """
import asyncio, unittest
import httpx, pytest
from mockserver import MockServer, Request

SCORE = {"image_url": "https://example.com/a.png"}
TEXT = {"prompt": "a", "model": "pkz_4", "format": "1:1"}
STYLE = {"name": "Creator Studio", "image_urls": ["https://example.com/1.png"] * 3}

def ask(mock, path="/v2/thumbnail/score", body=SCORE, provider="pikzels"):
    to = mock.provider(provider)
    with httpx.Client(transport=mock.httpx_transport(), base_url=to.url, headers=to.headers) as client:
        return client.post(path, json=body)
"""
QUIET = ("-q", "-p", "no:cacheprovider", "-W", "error")


@pytest.fixture
def run(pytester):
    """Run a test file, in order, in this process."""

    def run_file(text, *options):
        pytester.makepyfile(PRELUDE + text)
        return pytester.runpytest_inprocess(*PLUGIN, *QUIET, "-p", "no:randomly", *options)

    return run_file


def test_the_server_is_ready_when_it_is_handed_over(run):
    text = """
def test_a_client_is_answered(mockserver: MockServer):
    pikzels = mockserver.pikzels
    answer = httpx.post(f"{pikzels.url}/v2/thumbnail/score", json=SCORE, headers=pikzels.headers)
    assert answer.status_code == 200
    assert pikzels.env() == {"PIKZELS_BASE_URL": pikzels.url, "PIKZELS_API_KEY": pikzels.key}
    assert mockserver.provider("pikzels") == pikzels
"""
    run(text).assert_outcomes(passed=1)


def test_every_test_begins_in_a_clean_world_on_the_same_server(run):
    text = """
seen = []

@pytest.mark.parametrize("time", range(3))
def test_a_name_is_free_and_ids_begin_anew(mockserver, time):
    answer = ask(mockserver, "/v2/pikzonality/style", STYLE)
    assert answer.is_success
    seen.append((mockserver.url, answer.json()["id"]))
    assert len(set(seen)) == 1
"""
    run(text).assert_outcomes(passed=3)


def test_a_fixture_of_a_wider_scope_knows_the_same_server(run):
    text = """
@pytest.fixture(scope="module")
def client(mockserver_session):
    with httpx.Client(base_url=mockserver_session.url) as client:
        yield client

def test_both_speak_to_one_world(client, mockserver):
    mockserver.clock.freeze("2026-03-01T12:00:00Z")
    assert client.get("/__admin/clock").json()["frozen"]
"""
    run(text).assert_outcomes(passed=1)


POOR = '{"pikzels": {"pkz_test": {"credits": 0.01}}}'
MARKED = {
    "seed=7": "ask(mockserver).json() != first",
    "seed=0": "ask(mockserver).json() == first",
    f"accounts={POOR}": "ask(mockserver).status_code == 200",
    f"accounts={POOR}, enforce=['credits']": "ask(mockserver).status_code == 402",
    "pictures='plain'": "mockserver.engine.settings.pictures == 'plain'",
    "pictures='poster'": "mockserver.engine.settings.pictures == 'poster'",
    "clock='2026-03-01T12:00:00Z'": "mockserver.clock.now() == 1772366400",
    "clock='frozen'": "mockserver.clock.now() == mockserver.clock.now()",
}


def test_a_marker_says_how_the_world_begins_for_its_test_alone(run):
    without = """
def test_{}_without_it(mockserver):
    answer = ask(mockserver).json()
    first.update(first or answer)
    assert answer == first
    assert mockserver.engine.settings.pictures == "plain"
    assert not mockserver.engine.world.clock.is_frozen
    assert mockserver.clock.now() != 1772366400
"""
    marked = """
@pytest.mark.mockserver({})
def test_{}(mockserver):
    assert {}
"""
    pairs = [
        without.format(number) + marked.format(arguments, number, condition)
        for number, (arguments, condition) in enumerate(MARKED.items())
    ]
    run("first = {}\n" + "".join(pairs)).assert_outcomes(passed=2 * len(MARKED))


def test_markers_of_a_class_and_of_its_test_add_up_and_the_closer_one_wins(run):
    text = """
@pytest.mark.mockserver(seed=7, clock="2026-03-01T12:00:00Z")
class TestBoth:
    @pytest.mark.mockserver(seed=8)
    def test_it(self, mockserver):
        assert (mockserver.engine.world.seed, mockserver.clock.now()) == (8, 1772366400)
"""
    run(text).assert_outcomes(passed=1)


def test_a_reset_within_a_test_begins_as_the_test_began(run):
    text = """
@pytest.mark.mockserver(seed=7, clock="2026-03-01T12:00:00Z")
def test_it(mockserver):
    first = ask(mockserver, body=SCORE).json()
    mockserver.clock.advance("PT24H")
    assert ask(mockserver).json() != first
    mockserver.reset()
    assert ask(mockserver).json() == first
    assert mockserver.clock.now() == 1772366400
"""
    run(text).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("flavour=1", "there is no 'flavour'; there are accounts, assume, clock, enforce, expect, *"),
        ("7", "7 has no name; write mockserver(seed=0, "),
        ("seed='7'", "seed is a whole number, not '7'"),
        ("enforce=['credit']", 'enforce is a list of "credits" and "limits", not [[]\'credit\'[]]'),
        ("accounts={'pikzels': 7}", "accounts is accounts by provider and key, such as "),
        ("pictures='plane'", 'pictures is "plain" or "poster", not \'plane\''),
        ("scenario=7", "scenario is the name of a scenario such as *, not 7"),
        ("clock='noon'", "clock is \"frozen\", or a time in ISO 8601 such as *, not 'noon'"),
    ],
)
def test_a_marker_that_nobody_understands_is_refused_with_what_there_is(run, arguments, complaint):
    done = run(f"@pytest.mark.mockserver({arguments})\ndef test_without_the_fixture(): pass")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"@pytest.mark.mockserver: {complaint}*"])


def test_a_scenario_holds_for_its_test_alone(run):
    run("""
@pytest.mark.mockserver(scenario="out-of-credits")
def test_one(mockserver):
    assert ask(mockserver).status_code == 402

def test_two(mockserver):
    assert ask(mockserver).status_code == 200
""").assert_outcomes(passed=2)


def test_a_scenario_that_nobody_knows_is_refused_with_those_there_are(run):
    done = run("""
@pytest.mark.mockserver(scenario="flakey")
def test_it(mockserver): pass
""")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["mockserver: scenario: *flaky*"])


def test_an_account_that_cannot_be_is_refused(run):
    done = run("""
@pytest.mark.mockserver(accounts={"pikzels": {"pkz_test": {"credit": 1}}})
def test_it(mockserver): pass

@pytest.mark.mockserver(accounts={"pikzel": {"pkz_test": {"credits": 1}}})
def test_that(mockserver): pass
""")
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(
        [
            "mockserver: accounts: pikzels: pkz_test: credit is not a known field; did you mean credits?",
            "mockserver: accounts: pikzel: pkz_test: there is no provider 'pikzel'; there are *",
        ]
    )


@pytest.mark.parametrize(
    ("setting", "condition"),
    [
        ("mockserver_seed = 7", "mockserver.engine.world.seed == 7"),
        (f"mockserver_enforce = credits\nmockserver_accounts = {POOR}", "ask(mockserver).status_code == 402"),
        ("mockserver_pictures = poster", "mockserver.engine.settings.pictures == 'poster'"),
        ("mockserver_clock = 2026-03-01T12:00:00Z", "mockserver.clock.now() == 1772366400"),
        ("mockserver_scenario = maintenance", "ask(mockserver).status_code == 503"),
        ("mockserver_clock = frozen", "mockserver.clock.now() == mockserver.clock.now()"),
        (
            'mockserver_accounts = {"pikzels": {"pkz_test": {"state": "inactive"}}}',
            "ask(mockserver).status_code == 401",
        ),
    ],
)
def test_an_ini_file_says_how_the_world_begins_in_every_test(run, pytester, setting, condition):
    pytester.makeini(f"[pytest]\n{setting}")
    run(f"""
def test_one(mockserver):
    assert {condition}

def test_two(mockserver):
    assert {condition}
""").assert_outcomes(passed=2)


def test_an_ini_file_counts_for_a_fixture_of_a_wider_scope_too(run, pytester):
    pytester.makeini("[pytest]\nmockserver_clock = 2026-03-01T12:00:00Z")
    run("""
def test_it(mockserver_session):
    assert mockserver_session.clock.now() == 1772366400
""").assert_outcomes(passed=1)


def test_an_account_in_an_ini_file_that_cannot_be_is_told_clearly(run, pytester):
    pytester.makeini('[pytest]\nmockserver_accounts = {"pikzels": {"pkz_test": {"credit": 1}}}')
    done = run("def test_it(mockserver): pass")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["mockserver: accounts: pikzels: pkz_test: credit is not a known field; *"])


def test_pyproject_says_the_same_and_a_marker_has_the_last_word(run, pytester):
    pytester.makepyprojecttoml("""
[tool.pytest.ini_options]
mockserver_seed = "7"
mockserver_enforce = ["credits", "limits"]
""")
    run("""
@pytest.mark.mockserver(seed=8)
def test_it(mockserver):
    world = mockserver.engine.world
    account = world.accounts.fresh("pikzels", "pkz_test")
    assert world.seed == 8
    assert world.enforces(account, "credits") and world.enforces(account, "limits")
""").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("mockserver_seed = seven", "mockserver_seed is a whole number, not 'seven'"),
        ("mockserver_enforce = credit", 'mockserver_enforce is a list of "credits" and "limits", not *'),
        ("mockserver_accounts = pikzels", "mockserver_accounts is accounts by provider and key, such as *"),
        ("mockserver_pictures = plane", 'mockserver_pictures is "plain" or "poster", not \'plane\''),
        ("mockserver_clock = noon", 'mockserver_clock is "frozen", or a time in ISO 8601 such as *'),
    ],
)
def test_an_ini_file_that_nobody_understands_stops_the_run(run, pytester, setting, complaint):
    pytester.makeini(f"[pytest]\n{setting}")
    done = run("def test_it(): pass")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: ini file: {complaint}"])


def test_providers_of_ones_own_are_served_and_called_by_their_names(run, pytester):
    write(pytester.mkdir("specs") / "pet-shop")
    pytester.makeini("[pytest]\nmockserver_specs = specs")
    run("""
def test_it(mockserver):
    shop = mockserver.provider("pet-shop")
    assert httpx.get(f"{shop.url}/pets?limit=1", headers=shop.headers).status_code == 200
    assert shop.env()["PET_SHOP_BASE_URL"] == shop.url
""").assert_outcomes(passed=1)


def test_providers_that_cannot_be_served_are_told_once_and_clearly(run, pytester):
    pytester.makeini("[pytest]\nmockserver_specs = nowhere")
    done = run("def test_it(mockserver): pass")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*nowhere*"])
    assert "Traceback" not in done.stdout.str()


def test_async_tests_use_it_as_it_is(run):
    text = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_it(mockserver):
    to = mockserver.thumbapi
    body = {"title": "a", "format": "youtube"}
    async with httpx.AsyncClient(base_url=to.url, headers=to.headers) as client:
        before = mockserver.clock.now()
        await mockserver.sleep(3600)
        assert mockserver.clock.now() >= before + 3600
        assert (await client.post("/v1/generate", json=body)).status_code == 200
"""
    run(text).assert_outcomes(passed=1)


def test_unittest_classes_find_it_in_themselves(run):
    text = """
@pytest.mark.usefixtures("mockserver")
class Plain(unittest.TestCase):
    @pytest.mark.mockserver(clock="2026-03-01T12:00:00Z")
    def test_it(self):
        assert ask(self.mockserver).status_code == 200
        assert self.mockserver.clock.now() == 1772366400

@pytest.mark.usefixtures("mockserver")
class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_it(self):
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{self.mockserver.url}/__admin/health")).status_code == 200
"""
    run(text).assert_outcomes(passed=2)


def test_a_failed_test_leaves_nothing_to_the_next(run):
    text = """
def test_one(mockserver):
    mockserver.clock.freeze("2000-01-01T00:00:00Z")
    ask(mockserver, "/v2/pikzonality/style", STYLE)
    assert not "this fails"

def test_two(mockserver):
    assert mockserver.clock.now() > 946684800
    assert ask(mockserver, "/v2/pikzonality/style", STYLE).is_success
"""
    run(text).assert_outcomes(passed=1, failed=1)


MANY = """
import os, pathlib

@pytest.mark.mockserver(clock="2026-03-01T12:00:00Z")
@pytest.mark.parametrize("number", range(16))
def test_a_life(mockserver, number):
    to = mockserver.pikzels
    with httpx.Client(base_url=to.url, headers=to.headers) as client:
        style = client.post("/v2/pikzonality/style", json={**STYLE, "name": f"Style {number % 3}"})
        text = client.post("/v2/thumbnail/text", json={**TEXT, "prompt": f"number {number}"}).json()
        text["output"] = text["output"].removeprefix(mockserver.url)
    said = pathlib.Path("said"); said.mkdir(exist_ok=True)
    (said / str(number)).write_text(repr((style.json(), text)))
    (said / f"worker-{os.getpid()}").write_text(mockserver.url)
"""


def test_in_parallel_and_in_any_order_every_test_says_the_same(pytester, quick_processes):
    plugins = ("-p", "mockserver.pytest_plugin", "-p", "xdist", "-p", "randomly")
    pytester.makepyfile(PRELUDE + MANY)
    spoken = []
    for seed in (1, 2):
        done = pytester.runpytest_subprocess(*plugins, *QUIET, "-n", "2", f"--randomly-seed={seed}")
        done.assert_outcomes(passed=16)
        files = sorted((pytester.path / "said").iterdir())
        spoken.append({file.name: file.read_text() for file in files if file.name.isdigit()})
        urls = [file.read_text() for file in files if file.name.startswith("worker-")]
        assert len(set(urls)) == 2, "one server for each worker"
        for file in files:
            file.unlink()
    assert len(spoken[0]) == 16
    assert spoken[0] == spoken[1]


def test_who_does_not_use_it_pays_nothing(pytester, quick_processes):
    pytester.makepyfile("""
import sys

def test_nothing_of_it_was_imported():
    ours = {name for name in sys.modules if name.partition(".")[0] == "mockserver"}
    stops_real_calls = {"mockserver.testing", "mockserver.testing.guard"}
    options = {"mockserver.testing.coverage_options"}
    assert ours <= {"mockserver", "mockserver.pytest_plugin"} | stops_real_calls | options
    assert not {"uvicorn", "PIL", "starlette", "httpx", "jsonschema", "requests"} & set(sys.modules)
""")
    alone = ("-p", "mockserver.pytest_plugin")
    pytester.runpytest_subprocess(*alone, *QUIET).assert_outcomes(passed=1)


def test_pytest_lists_its_marker_its_fixtures_and_its_settings(run):
    run("", "--markers").stdout.fnmatch_lines(["@pytest.mark.mockserver(seed=0, *): how the world of *"])
    fixtures = run("", "--fixtures").stdout
    fixtures.fnmatch_lines(["mockserver_session*"])  # pytest sorts them by the text of their line numbers
    fixtures.fnmatch_lines(["mockserver *", "    A running mock in *"])
    run("", "--help").stdout.fnmatch_lines(["  mockserver_specs (paths):*", "  mockserver_seed (string):*"])


def test_the_marker_is_known_under_strict_markers(run):
    run("@pytest.mark.mockserver\ndef test_it(): pass", "--strict-markers").assert_outcomes(passed=1)


LINES = """
LINES = {**TEXT, "prompt": "one\\ntwo"}

def lines(mock):
    return ask(mock, "/v2/thumbnail/text", LINES).status_code
"""


class TestReadings:
    def test_are_chosen_by_the_marker_for_one_test(self, run):
        text = """
@pytest.mark.mockserver(assume={"pikzels.multi_line_prompts": "accepted"})
def test_with(mockserver):
    assert lines(mockserver) == 200

@pytest.mark.mockserver(expect=["VALIDATION_ERROR"])
def test_without(mockserver):
    assert lines(mockserver) == 400
"""
        run(LINES + text).assert_outcomes(passed=2)

    def test_are_chosen_by_the_ini_file_for_all(self, run, pytester):
        pytester.makeini("[pytest]\nmockserver_assume = pikzels.multi_line_prompts=accepted")
        text = "def test_all(mockserver): assert lines(mockserver) == 200"
        run(LINES + text).assert_outcomes(passed=1)

    def test_of_a_list_of_names_are_tried_one_by_one(self, run):
        text = """
@pytest.mark.mockserver(assume=["pikzels.multi_line_prompts", "pikzels.gone_links"])
def test_all(mockserver):
    assert ask(mockserver).status_code == 200
"""
        ran = run(LINES + text, "-vv")
        ran.assert_outcomes(passed=4)
        runs = ("defaults", "pikzels.multi_line_prompts=accepted", "pikzels.gone_links=forbidden")
        for name in (*runs, "pikzels.gone_links=gone"):
            assert f"test_all[{name}]" in ran.stdout.str()

    def test_of_each_assumption_that_a_test_touches_are_tried(self, run):
        text = """
@pytest.mark.mockserver(assume="each")
@pytest.mark.parametrize("number", [1, 2])
def test_all(mockserver, number):
    assert ask(mockserver).status_code == 200
"""
        ran = run(LINES + text, "-vv")
        outcomes = ran.parseoutcomes()
        assert outcomes["passed"] > 10
        assert outcomes["passed"] + outcomes["skipped"] == 2 * (1 + number_of_other_readings())
        assert "test_all[pikzels.rename=accepted-1] SKIPPED" in ran.stdout.str()
        assert "test_all[pikzels.content_type=ignored-2] PASSED" in ran.stdout.str()
        assert "test_all[fatthumb.links=for_a_day-2] SKIPPED" in ran.stdout.str()

    def test_show_a_client_that_passes_under_some_alone(self, run):
        text = """
@pytest.mark.mockserver(assume=["fatthumb.several_persons"])
def test_all(mockserver):
    body = {"prompt": "a", "personIds": ["person_test"] * 2}
    assert ask(mockserver, "/api/v1/generate", body, "fatthumb").is_success
"""
        ran = run(LINES + text)
        assert "FAILED" in ran.stdout.str()
        assert "test_all[fatthumb.several_persons=refused]" in ran.stdout.str()
        assert ran.parseoutcomes()["passed"] == 1

    @pytest.mark.parametrize(
        ("assume", "told"),
        [
            ("{'pikzels.renam': 'accepted'}", "did you mean pikzels.rename?"),
            ("{'pikzels.rename': 'acepted'}", "did you mean accepted?"),
            ("['pikzels.renam']", "did you mean pikzels.rename?"),
            ("'ech'", "there is no assumption 'ech'"),
            ("5", "assume is readings such as"),
        ],
    )
    def test_that_are_misspelt_are_told(self, run, assume, told):
        text = f"@pytest.mark.mockserver(assume={assume})\ndef test_all(mockserver): pass"
        ran = run(LINES + text)
        assert ran.ret != 0
        assert told in ran.stdout.str()


def number_of_other_readings():
    rows = [row for each in load().providers.values() for row in each.table.assumptions.values()]
    return sum(len(row.readings) - 1 for row in rows)
