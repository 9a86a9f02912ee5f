"""The verdict, in runs of pytest within a test: what fails a test in the end, and how that is relaxed."""

import pytest
from conftest import PLUGIN
from test_pytest_plugin import PRELUDE, QUIET

import mockserver.serving.server  # noqa: F401 - as in test_pytest_plugin

pytest_plugins = ["pytester"]

REFUSED = 'ask(mockserver, body={"image_ur": "x"})'
DEPRECATED = 'ask(mockserver, "/v1/generate", {**THUMBNAIL, "imageStyle": "faceless"}, "thumbapi")'
PARTS = {
    "refusals": REFUSED,
    "unmatched": 'ask(mockserver, "/v2/nowhere")',
    "undocumented": 'ask(mockserver, "/v1/generate", {**THUMBNAIL, "titel": 1}, "thumbapi")',
    "deprecated": DEPRECATED,
    "unused_faults": 'mockserver.fail("pikzels.*", "TOO_MANY_REQUESTS")',
}
MORE = """
import threading
import requests

THUMBNAIL = {"title": "a", "format": "youtube"}
JOB = "/v2/pikzonality/00000000-0000-4000-8000-000000000000"

def score(mock, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{mock.pikzels.url}/v2/thumbnail/score", json=SCORE, headers=sent)

"""


@pytest.fixture
def run(pytester):
    """Run a test file, in order, in this process."""

    def run_file(text, *options):
        pytester.makepyfile(PRELUDE + MORE + text)
        return pytester.runpytest_inprocess(*PLUGIN, *QUIET, "-p", "no:randomly", *options)

    return run_file


def a_test(statement, marker="", name="test_it"):
    return f"{marker}\ndef {name}(mockserver):\n    {statement}\n"


def write_tests(cases):
    """Write a test for each case, which is what it does, or that and its marker; one run does for all."""
    pairs = [(each, "") if isinstance(each, str) else each for each in cases]
    return "".join(a_test(text, marker, f"test_{n}") for n, (text, marker) in enumerate(pairs))


def line_of(pytester, text):
    lines = next(pytester.path.glob("test_*.py")).read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if text in line]
    return number


def test_a_test_fails_for_what_its_calls_did_against_the_contract(run):
    done = run(write_tests(PARTS.values()))
    done.assert_outcomes(passed=5, errors=5)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    lines = [(f"mockserver: against the contract ({part}):", f"1. {part}: *") for part in PARTS]
    done.stdout.fnmatch_lines([line for pair in lines for line in pair])


def test_a_test_that_failed_already_shows_both(run):
    done = run(a_test(f"{REFUSED}\n    assert not 'this fails'"))
    done.assert_outcomes(failed=1, errors=1)
    done.stdout.fnmatch_lines(["*against the contract (refusals):*", "*assert not 'this fails'"])


def test_the_verdict_shows_call_violation_keyword_citation_and_line(run, pytester):
    done = run(a_test(REFUSED))
    here, there = line_of(pytester, "    ask(mockserver, "), line_of(pytester, "return client.post")
    called = f"called at test_*.py:{here} by way of line {there}"
    done.stdout.fnmatch_lines(
        [
            f"1. refusals: req-1 POST */score → 400 VALIDATION_ERROR (pikzels.*), {called}",
            "   body /image_ur: additionalProperties: image_ur is not a *; did you mean *? [[]docs*[]]",
            "   curl -X POST http://*/v2/thumbnail/score * -H 'x-api-key: pkz_...test' * '{*image_ur*}'",
            'with mockserver.expect_refusal("VALIDATION_ERROR"): declares *',
            '@pytest.mark.mockserver(strict="refusals=off") *',
        ]
    )


def test_what_is_wrong_several_times_is_told_once(run):
    done = run(a_test(f"for _ in range(3): {DEPRECATED}"))
    done.stdout.fnmatch_lines(["1. deprecated: req-1 *(3 times)", "   body /imageStyle: deprecated: *"])


LINES = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

async def call(mockserver):
    async with httpx.AsyncClient() as api:
        await api.get(mockserver.url + "/run")

def test_0(mockserver):
    httpx.get(mockserver.url + "/httpx")

def test_1(mockserver):
    requests.get(mockserver.url + "/requests", timeout=10)

def test_2(mockserver):
    asyncio.run(call(mockserver))

@pytest.mark.anyio
async def test_3(mockserver):
    async with httpx.AsyncClient() as api:
        await api.get(mockserver.url + "/async")

def test_4(mockserver):
    thread = threading.Thread(target=lambda: httpx.get(mockserver.url + "/thread"))
    thread.start()
    thread.join()
"""


def test_the_line_of_a_call_over_a_socket_is_told(run, pytester):
    done = run(LINES)
    done.assert_outcomes(passed=5, errors=5)
    lines = [line_of(pytester, f'"/{name}"') for name in ("httpx", "requests", "run", "async", "thread")]
    done.stdout.fnmatch_lines([f"1. unmatched: *called at test_*.py:{line}" for line in lines])


def test_of_an_unknown_caller_no_line_is_told(run):
    program = "import sys, httpx; httpx.get(sys.argv[1])"
    done = run(f"""
import subprocess, sys

def test_it(mockserver):
    process = subprocess.Popen([sys.executable, "-c", "{program}", mockserver.url])
    thread = threading.Thread(target=process.wait)
    thread.start()
    thread.join()
""")
    done.stdout.fnmatch_lines(["1. unmatched: req-1 GET / → 404 * (nothing has this path and method)"])


RIGHT = [
    "assert ask(mockserver).status_code == 200",
    "mockserver.fail('*', 'rate_limited'); assert ask(mockserver).status_code == 429",
    "assert score(mockserver, x_api_key='pkz_test_generation_failed').status_code == 500",
    "assert score(mockserver, x_api_key='pkz_test', prefer='code=402').status_code == 402",
    "assert score(mockserver, x_api_key='pkz_inactive').status_code == 401",
    "assert score(mockserver, x_api_key='pkz_unknown').status_code == 401",
    "assert ask(mockserver, body={'image_url': 'https://a.invalid'}).status_code == 400",
    "assert httpx.get(mockserver.url + '/cdn/pikzels/rest-api/gone.png').status_code == 404",
    "assert httpx.get(mockserver.url + '/__admin/nowhere').status_code == 404",
    "mockserver.fail('*', 'ok'); mockserver.fail('*', 'internal', every=3)",
    (
        "assert ask(mockserver).status_code == 402",
        "@pytest.mark.mockserver(enforce=['credits'], accounts={'pikzels': {'pkz_test': {'credits': 0.01}}})",
    ),
    (
        "assert ask(mockserver, '/v1/generate', {**THUMBNAIL, 'model': 'hd'}, 'thumbapi').status_code == 403",
        "@pytest.mark.mockserver(accounts={'thumbapi': {'tb_test': {'plan': 'creator'}}})",
    ),
    "assert httpx.get(mockserver.pikzels.url + JOB, headers=mockserver.pikzels.headers).status_code == 404",
    "assert [ask(mockserver, '/v2/pikzonality/style', STYLE).status_code for _ in '12'] == [200, 409]",
]


def test_what_a_test_has_set_up_is_not_against_the_contract(run):
    run(write_tests(RIGHT)).assert_outcomes(passed=len(RIGHT))


WRONG = [
    "assert score(mockserver).status_code == 401",
    "assert score(mockserver, x_api_key='sk-test').status_code == 401",
    "assert score(mockserver, x_api_key='pkz_test', content_type='text/plain').status_code == 400",
    "assert score(mockserver, x_api_key='pkz_test', prefer='example=PAYMENT_REQUIERD').status_code == 400",
    "ask(mockserver, body=None)",
    "ask(mockserver, body={'image_base64': 'data:image/png;base64,aGVsbG8='})",
    "ask(mockserver, '/v2/pikzonality/style', {**STYLE, 'image_urls': []})",
]


def test_a_request_that_could_never_be_right_is_against_the_contract(run):
    done = run(write_tests(WRONG))
    done.assert_outcomes(passed=len(WRONG), errors=len(WRONG))
    done.stdout.fnmatch_lines(["1. refusals: *"] * len(WRONG))


KNOWN = [
    '"validation_error"', '"invalid_request"', "status=400", 'operation="pikzels.*"', 'field="image_url"', "",
    '"VALIDATION_ERROR", field="/image_ur", status=400, operation="pikzels.post_v2_thumbnail_score"',
]  # fmt: skip
OTHERS = ['"INVALID_IMAGE"', '"VALIDATION_ERROR", field="title"', "status=422", 'operation="thumbapi.*"']


def test_a_refusal_is_declared_by_what_is_known_of_it(run):
    blocks = [f"with mockserver.expect_refusal({wanted}) as refused: {REFUSED}" for wanted in KNOWN]
    after = "    assert [call.status for call in refused.calls] == [400]"
    run(write_tests(f"{each}\n{after}" for each in blocks)).assert_outcomes(passed=len(KNOWN))


def test_where_another_refusal_came_both_the_block_and_the_verdict_say_so(run):
    done = run(write_tests(f"with mockserver.expect_refusal({wanted}): {REFUSED}" for wanted in OTHERS))
    done.assert_outcomes(failed=len(OTHERS), errors=len(OTHERS))
    lines = [
        "E * AssertionError: expected the refusal *; instead there were:",
        "E *   req-1 POST /pikzels/v2/thumbnail/score → 400 VALIDATION_ERROR (*)",
        "E *     body /image_ur: additionalProperties: *",
    ]
    done.stdout.fnmatch_lines(lines * len(OTHERS))


BLOCKS = """
def test_0(mockserver):
    with mockserver.expect_refusal("VALIDATION_ERROR"):
        pass

def test_1(mockserver):
    with mockserver.expect_refusal():
        raise RuntimeError("mine")

def test_2(mockserver):
    with mockserver.expect_refusal("VALIDATION_ERROR"):
        ask(mockserver, body={"image_ur": "x"})
    ask(mockserver, body={"image_ur": "x"})

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_3(mockserver):
    with mockserver.expect_refusal(status=404):
        async with httpx.AsyncClient() as api:
            await api.get(mockserver.url + "/nowhere")
"""


def test_a_block_declares_what_comes_in_it_and_nothing_else(run):
    done = run(BLOCKS)
    done.assert_outcomes(passed=2, failed=2, errors=1)
    done.stdout.fnmatch_lines(
        [
            "1. refusals: req-2 *",
            "E * AssertionError: expected the refusal VALIDATION_ERROR; nothing was called at all",
            "E * RuntimeError: mine",
        ]
    )


MISSPELT = {
    '"VALIDATON_ERROR"': "there is no error 'VALIDATON_ERROR'; did you mean VALIDATION_ERROR?",
    'operation="pikzels.nothing"': "there is no operation 'pikzels.nothing'*",
    'feild="model"': "a refusal has no 'feild'; did you mean field?",
}


def test_a_misspelt_declaration_is_refused(run):
    done = run(write_tests(f"with mockserver.expect_refusal({wanted}): pass" for wanted in MISSPELT))
    done.assert_outcomes(failed=len(MISSPELT))
    done.stdout.fnmatch_lines([f"E * ValueError: {complaint}" for complaint in MISSPELT.values()])


def test_a_marker_declares_for_a_whole_test(run):
    refusals = ['"VALIDATION_ERROR"', '{"error": "VALIDATION_ERROR", "field": "image_ur"}', '{"status": 400}']
    marked = [f"@pytest.mark.mockserver(expect=[{each}])" for each in refusals]
    run(write_tests((f"{REFUSED}; {REFUSED}", each) for each in marked)).assert_outcomes(passed=len(marked))


def test_what_a_marker_declares_has_to_come(run):
    done = run(a_test("ask(mockserver)", '@pytest.mark.mockserver(expect=["VALIDATION_ERROR"])'))
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(
        [
            "mockserver: against the contract (expected):",
            "1. expected the refusal VALIDATION_ERROR; instead there were:",
            "  req-1 POST /pikzels/v2/thumbnail/score → 200 (pikzels.post_v2_thumbnail_score)",
        ]
    )


def test_a_marker_that_declares_what_there_is_not_is_refused(run):
    done = run(a_test("pass", '@pytest.mark.mockserver(expect=["VALIDATON_ERROR"])'))
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["mockserver: there is no error 'VALIDATON_ERROR'; did you mean *"])


def test_a_part_is_relaxed_on_its_own(run):
    everything = "\n    ".join(PARTS.values())
    done = run(write_tests((everything, f'@pytest.mark.mockserver(strict="{part}=off")') for part in PARTS))
    done.assert_outcomes(passed=5, errors=5)
    heads = [", ".join(each for each in PARTS if each != part) for part in PARTS]
    done.stdout.fnmatch_lines([f"mockserver: against the contract ({head}):" for head in heads])


def test_off_says_nothing(run):
    text = a_test("\n    ".join(PARTS.values()), '@pytest.mark.mockserver(strict="off")')
    run(text).assert_outcomes(passed=1)


def test_warn_warns_and_fails_nothing(run):
    text = a_test(REFUSED, '@pytest.mark.mockserver(strict="warn")')
    done = run(text, "-W", "default")
    done.assert_outcomes(passed=1, warnings=1)
    head = "*ContractWarning: mockserver: against the contract (refusals):"
    done.stdout.fnmatch_lines([head, "*1. refusals: *"])
    run(text, "-W", "ignore::mockserver.ContractWarning").assert_outcomes(passed=1)


@pytest.mark.parametrize("setting", ["off", "refusals=off", "error\n    refusals=off", "warn, refusals=off"])
def test_an_ini_file_relaxes_too(run, pytester, setting):
    pytester.makeini(f"[pytest]\nmockserver_strict = {setting}")
    run(a_test(REFUSED)).assert_outcomes(passed=1)


def test_what_an_ini_file_does_not_relax_fails(run, pytester):
    pytester.makeini("[pytest]\nmockserver_strict = off refusals=error")
    run(a_test(REFUSED)).assert_outcomes(passed=1, errors=1)


def test_an_ini_file_with_a_strictness_that_nobody_understands_stops_the_run(run, pytester):
    pytester.makeini("[pytest]\nmockserver_strict = lax")
    done = run(a_test("pass"))
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(['ERROR: ini file: mockserver_strict is "error", "warn" or "off", *'])


def test_a_marker_adds_to_the_ini_file_and_has_the_last_word(run, pytester):
    pytester.makeini("[pytest]\nmockserver_strict = refusals=off")
    text = write_tests(
        (REFUSED, f'@pytest.mark.mockserver(strict="{each}")') for each in ("deprecated=off", "error")
    )
    run(text).assert_outcomes(passed=2, errors=1)


def test_markers_of_a_class_and_of_its_test_relax_together(run):
    run(f"""
@pytest.mark.mockserver(strict="refusals=off")
class TestBoth:
    @pytest.mark.mockserver(strict="deprecated=off")
    def test_it(self, mockserver):
        {REFUSED}
        {DEPRECATED}
""").assert_outcomes(passed=1)


def test_a_strictness_that_nobody_understands_is_refused(run):
    said = ["'lax'", "'refusal=off'", "7"]
    done = run(write_tests(("pass", f"@pytest.mark.mockserver(strict={each})") for each in said))
    done.assert_outcomes(errors=3)
    complaint = '@pytest.mark.mockserver: strict is "error", "warn" or "off", or words such as *'
    done.stdout.fnmatch_lines([f"{complaint}, not {each}" for each in said])


FORGOTTEN = f"""
def test_0(mockserver):
    {REFUSED}
    mockserver.reset()
    {DEPRECATED}
    mockserver.reset()

def test_1(mockserver):
    {REFUSED}
    httpx.delete(mockserver.url + "/__admin/requests")

@pytest.fixture
def closing(mockserver):
    yield
    {REFUSED}

def test_2(closing):
    pass

def test_3(mockserver):
    ask(mockserver)
"""


def test_nothing_of_a_test_is_forgotten_and_nothing_of_it_left_to_the_next(run):
    done = run(FORGOTTEN)
    done.assert_outcomes(passed=4, errors=3)
    told = ["1. refusals: req-1 *", "2. deprecated: req-1 *", "1. refusals: req-1 *", "1. refusals: req-1 *"]
    done.stdout.fnmatch_lines(told)


def test_unittest_classes_are_judged(run):
    done = run(f"""
@pytest.mark.usefixtures("mockserver")
class Plain(unittest.TestCase):
    def test_it(self):
        {REFUSED.replace("mockserver", "self.mockserver")}
""")
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["1. refusals: *called at test_*"])


def test_intercepted_calls_are_shown_as_the_client_made_them(run):
    done = run("""
def test_it(mockserver_intercept):
    requests.get("https://api.pikzels.com/nowhere", timeout=10)
""")
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["   curl -X GET https://api.pikzels.com/nowhere *"])


def test_xdist_workers_judge_their_tests(pytester, quick_processes):
    pytester.makepyfile(PRELUDE + MORE + write_tests([REFUSED, "ask(mockserver)"]))
    plugins = ("-p", "mockserver.pytest_plugin", "-p", "xdist.plugin")
    done = pytester.runpytest_subprocess(*plugins, *QUIET, "-n", "2")
    done.assert_outcomes(passed=2, errors=1)
    done.stdout.fnmatch_lines(["1. refusals: *called at test_*"])
