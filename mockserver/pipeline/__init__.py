"""The rooms a request walks through, one way; a step never imports another step."""
