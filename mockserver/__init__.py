"""A local emulator of third-party HTTP APIs: exact about what it refuses, repeatable in what it answers."""

from mockserver.assembly import create_engine
from mockserver.engine import Engine
from mockserver.messages import Request, Response
from mockserver.serving.app import create_app
from mockserver.serving.server import Server
from mockserver.settings import Settings

__all__ = ["Engine", "Request", "Response", "Server", "Settings", "create_app", "create_engine"]
