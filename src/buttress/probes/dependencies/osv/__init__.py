"""Advisories in the OSV format: what they say of a version, and a database of them on disk."""
