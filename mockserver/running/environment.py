"""The environment in which a program talks to the mock unchanged, whatever language it is written in.

What was there stays, unless it would lead a call past the mock.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from mockserver.proxy.rules import Rules
from mockserver.running.station import HERE
from mockserver.tls.stores import Stores, with_java_properties

PRELOAD = Path(__file__).parent / "preload"
PYTHON, NODE, PHP = PRELOAD / "python", PRELOAD / "node.cjs", PRELOAD / "streams.php"
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
OTHER_PROXIES = ("ALL_PROXY", "all_proxy")
TOLD = "MOCKSERVER_RUN"  # what the preloads read


class Places(NamedTuple):
    """Where a run listens, and where it notes what it was told."""

    url: str  # of the mock
    plain_port: int
    tls_port: int
    proxy_port: int
    report: Path  # where preloads write the hosts that were called past the mock

    @property
    def proxy_url(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self.proxy_port}"


def proxy_variables(proxy_url: str, rules: Rules, before: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that lead programs to a proxy, but not to what runs on this machine."""
    kept = [
        each.strip()
        for name in ("NO_PROXY", "no_proxy")
        for each in before.get(name, "").split(",")
        if each.strip() and not _leads_past(each.strip(), rules)
    ]
    direct = ",".join(dict.fromkeys([*HERE, *kept]))
    return {**dict.fromkeys(PROXIES, proxy_url), "NO_PROXY": direct, "no_proxy": direct}


def java_options(proxy_url: str, before: Mapping[str, str]) -> str:
    """Give JAVA_TOOL_OPTIONS with what leads Java to a proxy, for it knows none of the variables."""
    proxy = urlsplit(proxy_url)
    places = (("proxyHost", proxy.hostname or ""), ("proxyPort", str(proxy.port)))
    found = {f"{scheme}.{name}": value for scheme in ("https", "http") for name, value in places}
    return with_java_properties(before, found | {"http.nonProxyHosts": "localhost|127.*|[::1]"})


def environment(
    before: Mapping[str, str], places: Places, rules: Rules, stores: Stores, own: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Give the environment of a command; `own` are variables of the providers, of which keys may be set."""
    found = {name: value for name, value in before.items() if name not in OTHER_PROXIES}
    for each in own:
        found |= {name: value for name, value in each.items() if name.endswith("_URL") or name not in before}
    found |= proxy_variables(places.proxy_url, rules, before)
    found |= stores.variables(before)
    found["JAVA_TOOL_OPTIONS"] = java_options(places.proxy_url, found)
    found["PYTHONPATH"] = _first(str(PYTHON), before.get("PYTHONPATH", ""), os.pathsep)
    found["NODE_OPTIONS"] = _required(before.get("NODE_OPTIONS", ""))
    told = {
        "hosts": sorted(rules.emulated),
        "domains": sorted(rules.domains),
        "live": sorted(rules.live),
        "tls": places.tls_port,
        "plain": places.plain_port,
        "certificate": str(stores.certificate),
        "report": str(places.report),
    }
    return {**found, "MOCKSERVER_URL": places.url, TOLD: json.dumps(told)}


def write_php(stores: Stores, rules: Rules) -> None:
    """Let PHP load what its streams need; those that know no proxy trust us alone."""
    told = f'auto_prepend_file = "{PHP}"\n'
    if not (rules.passed or rules.live):
        told += f'openssl.cafile = "{stores.certificate}"\n'
    (stores.php / "preload.ini").write_text(told, "utf-8")


def _first(own: str, others: str, between: str) -> str:
    """Put a part before others, once."""
    return between.join([own, *(each for each in others.split(between) if each and each != own)])


def _required(others: str) -> str:
    """Let Node load our preload before what others want of it."""
    own = f"--require {_quoted(NODE)}"
    return own if not others else others if own in others else f"{own} {others}"


def _quoted(path: Path) -> str:
    """Quote a path as NODE_OPTIONS wants it."""
    text = str(path)
    return (
        '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"')) if re.search(r'[\s"\\]', text) else text
    )


def _leads_past(name: str, rules: Rules) -> bool:
    """Whether a word of NO_PROXY means a provider's host, as the most generous client reads it."""
    bare = name.lower().lstrip("*.")
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    return (
        not bare
        or any(host == bare or host.endswith(f".{bare}") for host in rules.emulated)
        or (rules.is_of_provider(bare))
    )
