"""Benchmarks: each says what it compares, alternates between the sides and shows the spread."""
