"""Who may ask `/__admin`: this machine, or whoever knows the token; never a web page.

What came over no network (a test that holds the engine) may ask everything. A page betrays itself by the
headers that browsers add and no script can leave out; one whose own name was turned to this machine's address
(DNS rebinding), by the name in `Host`.
"""

import hmac
import socket
from collections.abc import Collection

from mockserver.hosts import OwnPlaces, is_far, is_here, is_loopback, read_address, read_authority
from mockserver.links import origins
from mockserver.messages import Request
from mockserver.problems import EmulatorProblem
from mockserver.settings import Settings
from mockserver.spec.model import Provider

BY_PAGES = frozenset({"cross-site", "same-site"})  # of Sec-Fetch-Site: another origin's page asks
BY_PROXIES = ("x-forwarded-for", "x-real-ip")
TOKEN = "start it with --admin-token TOKEN, and send Authorization: Bearer TOKEN"  # noqa: S105 - the way out


class Admission:
    """Says whom the pages of `/__admin` answer."""

    def __init__(self, settings: Settings, providers: Collection[Provider], own: OwnPlaces) -> None:
        if settings.admin_token is not None and not settings.admin_token.isprintable():
            raise ValueError("admin_token: it takes printable characters, or no header can hold it")
        if settings.admin_token is not None and not settings.admin_token.strip():
            raise ValueError("admin_token: it is empty, so that anybody would know it")
        self._has_admin, self._token, self._own = settings.has_admin, settings.admin_token, own
        # Hosts that lead here where somebody led them here on purpose, such as `mockserver_intercept`.
        apis = [host for each in providers for host in each.hosts]
        self._known = {host.lower() for host in (*apis, *origins(providers), socket.gethostname())}

    def refusal(self, request: Request) -> EmulatorProblem | None:
        """Say why a request is not answered; None: it is."""
        if not self._has_admin:
            return _refusal("this server was started with --no-admin; start it without, to ask it here")
        if request.peer is None:
            return None
        if self._is_of_page(request):
            return _refusal(
                "a web page asks, and pages are not answered here, whatever they know; "
                "ask from a test, a program or the command line"
            )
        if self._token is not None:
            return None if self._has_token(request, self._token) else _unknown_token()
        return self._refusal_of_stranger(request, *request.peer)

    def _is_of_page(self, request: Request) -> bool:
        """Whether a page of another origin asks; a page of ours, at the name it was called by, is none."""
        headers = request.headers
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") in BY_PAGES:
            return True
        host = headers.get("host", "").lower()
        return origin is not None and origin.lower() not in {f"http://{host}", f"https://{host}"}

    def _has_token(self, request: Request, token: str) -> bool:
        """Whether a request brings the token; how long that takes says nothing of where two differ."""
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        is_equal = hmac.compare_digest(sent.strip().encode("latin-1", "replace"), token.strip().encode())
        return is_equal and kind.lower() == "bearer"

    def _refusal_of_stranger(self, request: Request, peer: str, own: str) -> EmulatorProblem | None:
        headers = request.headers
        via = [each.strip() for name in BY_PROXIES for each in headers.get(name, "").split(",")]
        far = [each for each in (*via, headers.get("forwarded")) if each and not is_loopback(each)]
        if is_far(peer, own) or far:
            who = _told((*far, peer)[0])
            return _refusal(f"only this machine is answered, and {who} is another; for others {TOKEN}")
        if not self._is_own_name(headers.get("host", ""), own):
            return _refusal(
                f"{_told(headers['host'])} is no name of this server: a web page may have turned a name of "
                f"its own here; call it localhost or 127.0.0.1, or {TOKEN}"
            )
        return None

    def _is_own_name(self, host: str, own: str) -> bool:
        """Whether a Host header names this server in a way that no stranger can choose."""
        if not host:
            return True  # of HTTP/1.0; browsers always send one
        place = read_authority(host)
        if place is None:
            return False
        name = place.host
        if (address := read_address(name)) is not None:
            return is_here(name) or address in {read_address(each) for each in (own, *self._own.hosts)}
        # A name of one part is in nobody's domain: the machine's own files or network know it.
        return "." not in name or is_here(name) or name in self._known or name in self._own.hosts


def _told(text: str) -> str:
    """Give the beginning of what a caller wrote, as it may be told back."""
    return ascii(text[:80])


def _refusal(detail: str) -> EmulatorProblem:
    return EmulatorProblem(403, "Not for you", detail)


def _unknown_token() -> EmulatorProblem:
    detail = "this server was started with --admin-token; send that token as Authorization: Bearer TOKEN"
    return EmulatorProblem(401, "Unknown token", detail, headers={"WWW-Authenticate": "Bearer"})
