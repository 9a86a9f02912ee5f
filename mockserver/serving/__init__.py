"""All that knows sockets: read a request, lead it through the engine on the right thread, write the answer."""
