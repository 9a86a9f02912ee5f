"""How much of the documented APIs a run has met, and what it would have cost; all of it from exchanges."""
