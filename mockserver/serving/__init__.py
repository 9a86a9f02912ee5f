"""All that knows sockets: read a request, lead it through the engine, write the answer."""

THREAD = "mockserver"  # the name of the one in which a test's server runs
