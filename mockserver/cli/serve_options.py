"""The options of `serve`, by purpose, and how their values are read."""

import functools
import re
from collections.abc import Callable, Iterable

import click

from mockserver.cli.shared import FILE, SPECS, FiniteRange
from mockserver.settings import PATIENT

ENFORCEABLE = frozenset({"credits", "limits"})
Command = Callable[..., None]
Option = Callable[[Command], Command]


def take(*groups: Iterable[Option]) -> Option:
    """Let a command take the options of these groups, in their order."""
    options = [option for group in groups for option in group]
    return lambda command: functools.reduce(lambda last, option: option(last), reversed(options), command)


def _urls(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read public addresses by provider; that of all is by the empty name."""
    found = {}
    for value in values:
        read = re.fullmatch(r"(?:(?P<name>[^\s=:/]+)=)?(?P<url>https?://[^\s/?#]+(/[^\s?#]*)?)", value)
        if read is None:
            example = "https://mock.example.com or pikzels=https://pikzels.example.com"
            raise click.BadParameter(f"{value} is no address such as {example}")
        found[read["name"] or ""] = read["url"]
    return found


def _host(_context: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        value.encode("idna")
    except UnicodeError as error:
        raise click.BadParameter(f"{value} cannot be resolved: it is no name of a host") from error
    if not value.strip():
        raise click.BadParameter("it is empty; 0.0.0.0 stands for all addresses of this machine")
    return value


def _enforced(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    if not names <= ENFORCEABLE:
        raise click.BadParameter(f"{value} is not a list of {', '.join(sorted(ENFORCEABLE))}")
    return names


def _patience(name: str, default: float, whose: str) -> Option:
    return click.option(
        name,
        default=default,
        show_default=True,
        type=FiniteRange(min=0, min_open=True),
        help=f"Seconds until {whose} is closed.",
    )


host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, callback=_host, help="The address to listen on."
)
# Where it listens, and how others find it.
PLACE = (
    host_option,
    click.option(
        "--port",
        default=8080,
        show_default=True,
        type=click.IntRange(0, 65535),
        help="0 takes any free port.",
    ),
    click.option(
        "--tls",
        "speaks_tls",
        is_flag=True,
        help="Speak HTTPS, with a certificate by the authority that `mockserver ca` shows.",
    ),
    click.option(
        "--port-file",
        type=FILE,
        metavar="FILE",
        help="Write the port there once the server listens; remove it at the end.",
    ),
    click.option(
        "--exit-with-parent",
        "ends_with_parent",
        is_flag=True,
        help="End as soon as the process is gone that started this one.",
    ),
)
# Where a proxy lets calls out to.
WAYS_OUT = (
    click.option(
        "--pass",
        "passed",
        multiple=True,
        metavar="HOST",
        help="Let calls out to this host, too: example.com, *.example.com, db:8443; * is all but the "
        "providers'. Repeatable.",
    ),
    click.option(
        "--allow-live",
        "live",
        multiple=True,
        metavar="HOST",
        help="Let calls out to this real host of a provider; * is all of them. Repeatable.",
    ),
)
# What it emulates, and how.
WORLD = (
    click.option(
        "--seed", default=0, show_default=True, help="Another seed gives other ids, scores and pictures."
    ),
    click.option(
        "--strict-keys",
        "is_strict",
        is_flag=True,
        help="Refuse keys that fixtures/accounts.yaml does not list.",
    ),
    SPECS,
    click.option(
        "--public-url",
        "public_urls",
        multiple=True,
        metavar="[NAME=]URL",
        callback=_urls,
        help="The address in links, where it is another; pikzels=URL for one API alone. Repeatable.",
    ),
    click.option(
        "--assume",
        "assume",
        multiple=True,
        metavar="NAME=READING",
        help="How to read what the documents leave open: see `mockserver assumptions`; also strictest and "
        "most-lenient. Repeatable; the last one wins.",
    ),
    click.option(
        "--time-scale",
        default=1.0,
        show_default=True,
        help="How many seconds pass in one real second.",
        type=FiniteRange(min=0, min_open=True),
    ),
    click.option(
        "--realistic",
        "is_realistic",
        is_flag=True,
        help="Let jobs take about as long as documented, not two seconds.",
    ),
    click.option(
        "--enforce",
        "enforced",
        default="",
        metavar="LIST",
        callback=_enforced,
        help="credits, limits or both: refuse who has none, or too many.",
    ),
    click.option("--state", "state_file", type=FILE, metavar="FILE", help="Keep the world in this file."),
    click.option(
        "--pictures",
        default="poster",
        show_default=True,
        type=click.Choice(["poster", "plain"]),
        help="How they look; plain ones are drawn in a few milliseconds.",
    ),
    click.option(
        "--allow-webhook-host",
        "webhook_hosts",
        multiple=True,
        metavar="HOST",
        help="Send webhooks there, too. Repeatable.",
    ),
    click.option(
        "--latency",
        metavar="DELAY",
        help="Let every well-formed call and every picture wait: 200ms, or 200ms..2s for something between.",
    ),
    click.option(
        "--scenario",
        metavar="NAME",
        help="What goes wrong from the start: a scenario's name, or a file of one.",
    ),
)
# Whom it answers, and what it looks after.
CARE = (
    click.option(
        "--admin-token",
        metavar="TOKEN",
        help="Let /__admin answer whoever sends Authorization: Bearer TOKEN, from any machine, and nobody "
        "else.",
    ),
    click.option("--no-admin", is_flag=True, help="Let /__admin answer nobody."),
    _patience("--timeout-head", PATIENT.head_s, "a connection that has not sent a whole head"),
    _patience("--timeout-body", PATIENT.body_s, "a connection that sends no more of a body"),
    click.option(
        "--self-check",
        "checks_answers",
        is_flag=True,
        help="Hold every answer against the specification; a violation is a 500.",
    ),
)
# What it prints.
OUTPUT = (
    click.option(
        "--json", "is_json", is_flag=True, help="Print one JSON object a line, the first one holding the URL."
    ),
    click.option(
        "--verbose",
        "-v",
        "is_verbose",
        is_flag=True,
        help="Print the bodies of each request, pictures shortened.",
    ),
    click.option("--quiet", is_flag=True, help="Do not print a line for each request."),
)
