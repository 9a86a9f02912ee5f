"""All that knows sockets: read a request, lead it through the engine, write the answer."""
