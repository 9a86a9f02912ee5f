"""What an API is: read once at start-up from `specs/`, never changed after."""
