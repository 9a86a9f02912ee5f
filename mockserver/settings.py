"""How an emulator behaves that no table says: what a command line, a test or a fixture chooses once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Style = Literal["poster", "plain"]


class Timeouts(NamedTuple):
    """How long a connection may be slow before a server closes it."""

    head_s: float = 10  # from a head's first byte, or the connection's, to its last
    body_s: float = 30  # between two bytes of a body


PATIENT = Timeouts()


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of whoever starts an emulator.

    >>> Settings(seed=7, pictures="plain").is_strict
    False
    """

    seed: int = 0  # another one gives other ids, scores and pictures
    is_realistic: bool = False  # jobs take about as long as documented, not two seconds
    is_strict: bool = False  # refuse keys that no fixture lists
    public_url: str | None = None  # the address in links; None: as the caller sees it
    public_urls: Mapping[str, str] = field(default_factory=dict, hash=False)  # by provider; they win
    # How to read what the documents leave open: "strictest", "most-lenient", or what `mockserver assumptions`
    # lists, {"pikzels.multi_line_prompts": "accepted"}; of several texts the last one wins.
    assume: str | Mapping[str, str] | Sequence[str] = ()
    enforced: frozenset[str] = frozenset()  # of "credits" and "limits": what is real for every account
    pictures: Style = "poster"  # plain: exact in size and format, and drawn in a few milliseconds
    webhook_hosts: frozenset[str] = frozenset()  # where webhooks may go besides this machine
    has_admin: bool = True  # whether there is /__admin at all
    # What it asks for; None: that one calls from this machine.
    admin_token: str | None = field(default=None, repr=False)
    raises_bugs: bool = False  # a bug of ours is raised, not dressed up as the provider's error
    checks_answers: bool = False  # hold every answer against the specification

    def public_url_of(self, provider: str) -> str | None:
        """Give the address in a provider's links; None: as the caller sees it."""
        return self.public_urls.get(provider, self.public_url)

    @property
    def all_public_urls(self) -> tuple[str, ...]:
        """Every address at which this server is said to be reached."""
        return (*filter(None, (self.public_url,)), *self.public_urls.values())
