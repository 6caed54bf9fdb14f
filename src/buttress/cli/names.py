"""Names given as an option: ``--only a,b --only c``."""

from __future__ import annotations

from collections.abc import Sequence


def split(given: Sequence[str]) -> list[str]:
    """The names in ``given``, each of which may hold several with commas between; each once."""
    names = (name.strip() for text in given for name in text.split(","))
    return list(dict.fromkeys(name for name in names if name))
