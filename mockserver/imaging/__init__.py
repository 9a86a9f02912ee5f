"""Pictures: read the ones that come in, measure them, and draw the ones that go out.

Nothing in here knows of requests, providers' rules or state: bytes and plain values in, the same out.
"""
