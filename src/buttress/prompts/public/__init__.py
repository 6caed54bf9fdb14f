"""Public prompt sets by name, and a user's own: read from a file, a folder or the hub."""

from buttress.prompts.public.load import load_public
from buttress.prompts.public.sets import KnownSet, known_sets

__all__ = ["KnownSet", "known_sets", "load_public"]
