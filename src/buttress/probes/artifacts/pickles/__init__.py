"""Pickle streams, followed by a symbolic machine and never loaded."""
