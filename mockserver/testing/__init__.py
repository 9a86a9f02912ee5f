"""The emulator in the hands of a test: started, asked, moved through time and held to what was sent."""
