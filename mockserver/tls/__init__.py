"""A certificate authority of this user's own: its files, certificates by it, and who shall trust it."""
