"""All that changes between two requests; every stored value is frozen and writes itself as JSON."""
