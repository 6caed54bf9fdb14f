"""Attacks that search: they ask, look at the answer, and ask better. One file a family."""
