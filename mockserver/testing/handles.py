"""What a client of one provider has to be told: where the mock is, and with which key it is called."""

from typing import NamedTuple

from mockserver.spec.model import Provider


class ProviderHandle(NamedTuple):
    """One provider of a running mock, as a client sees it.

    >>> ProviderHandle("pikzels", "http://localhost/pikzels", "pkz_test", {"X-Api-Key": "pkz_test"}).env()
    {'PIKZELS_BASE_URL': 'http://localhost/pikzels', 'PIKZELS_API_KEY': 'pkz_test'}
    """

    name: str
    url: str  # the base URL to give a client in place of the provider's own
    key: str  # of a healthy account
    headers: dict[str, str]  # that carry the key

    def env(self) -> dict[str, str]:
        """Give environment variables for a program: `PIKZELS_BASE_URL` and `PIKZELS_API_KEY`."""
        prefix = self.name.upper().replace("-", "_")
        return {f"{prefix}_BASE_URL": self.url, f"{prefix}_API_KEY": self.key}


def handle_of(provider: Provider, base_url: str) -> ProviderHandle:
    """Make the handle of a provider of the server at `base_url`."""
    key = provider.sample_key
    requirements = [each.schemes for each in provider.operations.values() if each.schemes]
    written = [f"{scheme.shown}{key}".partition(": ") for scheme in (requirements or [()])[0]]
    headers = {name: value for name, colon, value in written if colon}
    return ProviderHandle(provider.name, f"{base_url}/{provider.name}", key, headers)
