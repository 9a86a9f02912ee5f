"""The pytest plugin: the fixture `mockserver`, its marker and its settings in an ini file.

pytest imports this in every run of every project that has mockserver installed, so nothing else of ours but
the guard is imported before a test asks for the fixture, or an ini file says something.
"""

import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.testing.coverage_options import declare, read_wishes

if TYPE_CHECKING:
    from mockserver.spec.catalog import Catalog
    from mockserver.testing.coverage_plugin import Reporter
    from mockserver.testing.home import Home
    from mockserver.testing.mock import MockServer
    from mockserver.testing.start import Start
    from mockserver.verdict.findings import Verdict

MARKER = "mockserver"
SPECS = "mockserver_specs"
URL, TOKEN = "mockserver_url", "mockserver_token"  # the environment has the last word, in capitals
INTERCEPT = "mockserver_intercept"
ALLOW_LIVE = "mockserver_allow_live"
EVERY_HOST = "*"
# How the world begins in every test; a marker takes each by the same name, and has the last word.
SETTINGS = {
    "seed": ("string", "the seed of ids, scores and pictures"),
    "enforce": ("args", "what is real for every account: credits, limits"),
    "accounts": ("string", "accounts as JSON, by provider and key"),
    "pictures": ("string", "plain (the default) or poster"),
    "clock": ("string", "frozen, or the time in ISO 8601 at which it stands"),
    "scenario": ("string", "what goes wrong: flaky, rate-limited, out-of-credits …, or a file"),
    "assume": ("args", "readings: pikzels.rename=accepted, strictest …; or each, or names, to try each of"),
    "strict": ("string", "the verdict: error, warn or off, and parts that differ: unused_faults=off"),
}
USAGE = (
    "mockserver(seed=0, enforce=[], accounts={}, pictures='plain', clock=None, scenario=None, "
    "assume={}, strict='error', expect=[])"
)
START = pytest.StashKey["Start | None"]()
READING = "_mockserver_reading"
CALLED = pytest.StashKey[dict[str, set[str]]]()  # by test: what its run with the defaults has called
HOSTS = pytest.StashKey[Callable[[], frozenset[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what an ini file may say."""
    parser.addini(URL, "a mockserver that runs already: each test has a namespace of its own there")
    parser.addini(TOKEN, "the --admin-token of that server")
    parser.addini(SPECS, "folders with providers to serve beside the bundled ones", type="paths")
    parser.addini(INTERCEPT, "lead calls of every test to the providers' real hosts to the mock", type="bool")
    parser.addini(ALLOW_LIVE, f"real hosts that tests may call, or {EVERY_HOST} for all of them", type="args")
    for name, (kind, help_) in SETTINGS.items():
        parser.addini(f"{MARKER}_{name}", f"how the fixture mockserver begins: {help_}", type=kind)  # type: ignore[arg-type]
    declare(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read what the ini file says of it."""
    config.addinivalue_line("markers", f"{USAGE}: how the world of the fixture mockserver begins")
    said = {name: value for name in SETTINGS if (value := config.getini(f"{MARKER}_{name}"))}
    config.stash[START] = _read_settings(said) if said else None
    hosts: Callable[[], frozenset[str]] = functools.cache(functools.partial(_real_hosts, config))
    config.stash[HOSTS] = hosts
    if config.getini(INTERCEPT):
        config.pluginmanager.register(Everywhere(), "mockserver-everywhere")
    url = os.environ.get(URL.upper(), config.getini(URL))
    if url:
        from mockserver.testing.shared_plugin import NAME, SharedRun  # noqa: PLC0415 - see above

        setting = URL.upper() if os.environ.get(URL.upper()) else URL
        tokens = (os.environ.get(each) for each in (TOKEN.upper(), "MOCKSERVER_ADMIN_TOKEN"))
        token = next(filter(None, tokens), config.getini(TOKEN))
        config.pluginmanager.register(SharedRun(config, url, token, setting, config.getini(SPECS)), NAME)
    try:
        wishes = read_wishes(config)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    if wishes.counts_coverage or wishes.most:
        _reporter(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Stop a test's calls to providers' real hosts, whether or not it uses the mock."""
    from mockserver.testing.guard import guard  # noqa: PLC0415 - see above

    allowed = item.config.getini(ALLOW_LIVE)
    if EVERY_HOST in allowed or "MOCKSERVER_RUN" in os.environ:  # which leads them to the mock, or keeps them
        return (yield)
    with guard(item.config.stash[HOSTS], allowed):
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker that says what nobody understands, also where no fixture reads it."""
    if item.get_closest_marker(MARKER):
        _start(item)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test run once for each reading that its marker or the ini file names."""
    said = [metafunc.config.stash[START], *metafunc.definition.iter_markers(MARKER)]
    if READING not in metafunc.fixturenames or not any(_tells_assume(each) for each in said):
        return
    from mockserver.spec.catalog import load  # noqa: PLC0415 - see above
    from mockserver.testing.each import list_runs, split_assume  # noqa: PLC0415

    _, tried = split_assume(_start(metafunc.definition).assume)
    try:
        runs = list_runs(load(metafunc.config.getini(SPECS)).providers, tried) if tried else []
    except ValueError as error:
        pytest.fail(f"@pytest.mark.{MARKER}: assume: {error}", pytrace=False)
    if runs:
        metafunc.parametrize(READING, runs, indirect=True)


@pytest.fixture
def _mockserver_reading(request: pytest.FixtureRequest) -> str | None:
    """The reading under which a test is run now; None: it is run once."""
    run: str | None = getattr(request, "param", None)
    return run


@pytest.fixture(scope="session")
def _mockserver_home(pytestconfig: pytest.Config) -> "Iterator[Home]":
    """Where mocks are: in this process, or on the server that `mockserver_url` names."""
    from mockserver.testing.home import Home  # noqa: PLC0415 - see above

    shared = pytestconfig.pluginmanager.get_plugin("mockserver-shared")
    wishes = read_wishes(pytestconfig)
    with _failing():
        home = Home(
            pytestconfig.getini(SPECS),
            pytestconfig.stash[START],
            shared and shared.server,
            counts_coverage=wishes.counts_coverage,
        )
    _reporter(pytestconfig).watch(home)
    yield home
    home.close()


@pytest.fixture(scope="session")
def mockserver_session(_mockserver_home: "Home") -> "MockServer":
    """The mock of the whole session, for fixtures of a wider scope; `mockserver` is it, begun anew."""
    with _failing():
        return _mockserver_home.session


@pytest.fixture
def mockserver(
    request: pytest.FixtureRequest, _mockserver_home: "Home", _mockserver_reading: str | None
) -> "Iterator[MockServer]":
    """A running mock in which nothing has happened yet; a unittest class finds it as `self.mockserver`.

    A test that used it fails in the end where its calls were against the contract: see `strict`, `expect`.
    """
    shares = "mockserver_session" in request.fixturenames
    with _mockserver_home.of_test(request.node.name, shares=shares) as mock:
        with _failing():
            mock.reset(_under(_mockserver_reading, request.node, _mockserver_home.catalog))
        # Its methods take no arguments; who has not imported unittest has no such class.
        if isinstance(request.instance, getattr(sys.modules.get("unittest"), "TestCase", ())):
            request.instance.mockserver = mock  # type: ignore[union-attr]
        code = getattr(inspect.unwrap(request.function), "__code__", None)
        names = {str(request.path), *([code.co_filename] if code else [])}
        with mock.judge.sitting(request.node.nodeid.partition("::")[0], names):
            yield mock
            with _failing():
                verdict = mock.verdict()
            if _mockserver_reading:
                called = {each.operation for each in mock.calls() if each.operation}
                request.config.stash.setdefault(CALLED, {}).setdefault(request.node.nodeid, called)
    _tell(request.node, verdict)


@pytest.fixture
def mockserver_intercept(mockserver: "MockServer", pytestconfig: pytest.Config) -> "Iterator[MockServer]":
    """The fixture `mockserver`, to which calls to providers' real hosts are led until the test ends."""
    with mockserver.intercept(pytestconfig.getini(ALLOW_LIVE)):
        yield mockserver


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Let the run hear of what an xdist worker has spent, also where nothing was asked for."""
    if getattr(node, "workeroutput", {}).get("mockserver_coverage") and not _has_reporter(node.config):
        _reporter(node.config).pytest_testnodedown(node)


class Everywhere:
    """A plugin for runs whose ini file says `mockserver_intercept = true`."""

    @pytest.fixture(autouse=True)
    def _mockserver_everywhere(self, mockserver_intercept: "MockServer") -> None:
        """Let every test use the fixture."""


def _tells_assume(said: "Start | pytest.Mark | None") -> bool:
    return bool(said and (said.kwargs.get("assume") if isinstance(said, pytest.Mark) else said.assume))


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Fail, in a line, for what a mock cannot be."""
    from mockserver.spec.files import SpecificationError  # noqa: PLC0415 - see above

    try:
        yield
    except (SpecificationError, ValueError, ConnectionError) as error:
        raise pytest.fail.Exception(f"{MARKER}: {error}", pytrace=False) from None


def _under(run: str | None, item: pytest.Item, catalog: "Catalog") -> "Start":
    """Give how a world begins in one run of a test; skip one that would be as with the defaults."""
    from mockserver.testing.each import DEFAULTS, EACH, is_touched, split_assume  # noqa: PLC0415 - see above

    start = _start(item)
    if run is None:
        return start
    fixed, tried = split_assume(start.assume)
    if run == DEFAULTS:
        return start._replace(assume=fixed)
    called = item.config.stash.get(CALLED, {}).get(item.nodeid.replace(run, DEFAULTS))
    if EACH in tried and called is not None and not is_touched(catalog.providers, run, called):
        pytest.skip("this assumption is about no operation that the test calls")
    texts = [f"{name}={each}" for name, each in fixed.items()] if isinstance(fixed, dict) else list(fixed)
    return start._replace(assume=[*texts, run])


def _tell(item: pytest.Item, verdict: "Verdict") -> None:
    """Warn of a verdict, and fail for what in it is an error."""
    from mockserver.verdict.strictness import ContractWarning  # noqa: PLC0415 - see above

    if verdict.warnings:
        item.warn(ContractWarning(verdict.only(verdict.warnings)))
    if verdict.errors:
        pytest.fail(str(verdict.only(verdict.errors)), pytrace=False)


def _has_reporter(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin("mockserver-coverage")


def _reporter(config: pytest.Config) -> "Reporter":
    """Give what tells of coverage and cost at the end of the run."""
    from mockserver.testing.coverage_plugin import NAME, Reporter  # noqa: PLC0415 - see above

    found: Reporter | None = config.pluginmanager.get_plugin(NAME)
    if found is None:
        found = Reporter(config, read_wishes(config), config.getini(SPECS))
        config.pluginmanager.register(found, NAME)
    return found


def _real_hosts(config: pytest.Config) -> frozenset[str]:
    from mockserver.links import provider_hosts  # noqa: PLC0415
    from mockserver.spec.catalog import load  # noqa: PLC0415 - see above

    return provider_hosts(load(config.getini(SPECS)).providers.values())


def _read_settings(said: dict[str, str | list[str]]) -> "Start":
    from mockserver.testing.start import read_start, read_text  # noqa: PLC0415

    try:
        return read_start(
            {name: read_text(name, text) if isinstance(text, str) else text for name, text in said.items()}
        )
    except ValueError as error:
        raise pytest.UsageError(f"ini file: {MARKER}_{error}") from error


def _start(item: pytest.Item) -> "Start":
    """Read how the world of a test begins: the ini file, then its markers, the closest last."""
    from mockserver.testing.start import Start, read_start  # noqa: PLC0415

    start = item.config.stash[START] or Start()
    for marker in reversed(list(item.iter_markers(MARKER))):
        complaint = f"{marker.args[0]!r} has no name; write {USAGE}" if marker.args else ""
        try:
            start = read_start(marker.kwargs, start)
        except ValueError as error:
            complaint = complaint or str(error)
        if complaint:
            pytest.fail(f"@pytest.mark.{MARKER}: {complaint}", pytrace=False)
    return start
