"""`/__admin`: what a test asks and tells the emulator itself, never in an API's voice; a module a subject."""
