"""A container per service: one recipe, and what runs in it."""
