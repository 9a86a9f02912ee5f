"""What operations do, and the checks before: each is a function that a table finds by its name."""
