"""A local emulator of third-party HTTP APIs: exact about what it refuses, repeatable in what it answers."""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "ContractWarning",
    "Engine",
    "Exchange",
    "MockServer",
    "NeedsProcessError",
    "NeedsSocketError",
    "ProviderHandle",
    "RealProviderCallBlocked",
    "Request",
    "Response",
    "Server",
    "Settings",
    "SharedServer",
    "Start",
    "Verdict",
    "create_app",
    "create_engine",
]

if TYPE_CHECKING:
    from mockserver.assembly import create_engine
    from mockserver.call import Exchange
    from mockserver.engine import Engine
    from mockserver.messages import Request, Response
    from mockserver.serving.app import create_app
    from mockserver.serving.server import Server
    from mockserver.settings import Settings
    from mockserver.testing.guard import RealProviderCallBlocked
    from mockserver.testing.handles import ProviderHandle
    from mockserver.testing.mock import MockServer
    from mockserver.testing.remote import NeedsProcessError
    from mockserver.testing.shared_server import SharedServer
    from mockserver.testing.start import Start
    from mockserver.testing.transports import NeedsSocketError
    from mockserver.verdict.findings import Verdict
    from mockserver.verdict.strictness import ContractWarning
else:
    # Imported when asked for: pytest imports this package in every run, whether or not a test needs the mock.
    HOMES = {
        "ContractWarning": "verdict.strictness",
        "Engine": "engine",
        "Exchange": "call",
        "MockServer": "testing.mock",
        "NeedsProcessError": "testing.remote",
        "NeedsSocketError": "testing.transports",
        "ProviderHandle": "testing.handles",
        "RealProviderCallBlocked": "testing.guard",
        "Request": "messages",
        "Response": "messages",
        "Server": "serving.server",
        "Settings": "settings",
        "SharedServer": "testing.shared_server",
        "Start": "testing.start",
        "Verdict": "verdict.findings",
        "create_app": "serving.app",
        "create_engine": "assembly",
    }

    def __getattr__(name: str) -> object:
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return __all__
