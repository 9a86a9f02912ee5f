"""A local emulator of third-party HTTP APIs: exact about what it refuses, repeatable in what it answers."""

from mockserver.engine import Engine, Settings
from mockserver.messages import Request, Response
from mockserver.server import Server, create_app, create_engine

__all__ = ["Engine", "Request", "Response", "Server", "Settings", "create_app", "create_engine"]
