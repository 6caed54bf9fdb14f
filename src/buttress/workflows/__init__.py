"""Use cases: what a front calls."""
