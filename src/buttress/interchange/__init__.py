"""Runs made with other tools, read as recorded answers."""
