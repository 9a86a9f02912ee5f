"""A command run unchanged against the mock: its environment, its process, and what is told of it."""
