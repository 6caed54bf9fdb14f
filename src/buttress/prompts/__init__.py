"""Prompts: our own pack, and loaders of public sets by name."""
