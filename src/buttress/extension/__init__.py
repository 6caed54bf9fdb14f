"""Extension points: what third-party packages can add by an entry point, and how it is loaded."""

from buttress.extension.entry_points import GROUPS, load, names, naming_plugin

__all__ = ["GROUPS", "load", "names", "naming_plugin"]
