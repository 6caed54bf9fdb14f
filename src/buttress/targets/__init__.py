"""Targets: running models that answer."""
