"""Extension points: what third-party packages can add by an entry point.

A package registers, for example, ``[project.entry-points."buttress.probes"]`` with
``my-probe = "my_package:MyProbe"``; the built-in parts register in the same way, so there is one
mechanism. Entry points are read lazily: naming them costs no import of the part itself.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from buttress.errors import InputError

GROUPS: Final = {
    "probes": "buttress.probes",
    "attacks": "buttress.attacks",
    "judges": "buttress.judges",
    "targets": "buttress.targets",
    "reports": "buttress.reports",
}


@cache
def names(kind: str) -> dict[str, EntryPoint]:
    """Names registered for ``kind`` (a key of ``GROUPS``), sorted, each with its entry point."""
    found = entry_points(group=GROUPS[kind])
    return {point.name: point for point in sorted(found, key=lambda point: point.name)}


def load(kind: str, name: str) -> Any:
    """The object registered as ``name``.

    Raises:
        InputError: no such name; the message lists the valid ones.
    """
    points = names(kind)
    if name not in points:
        raise InputError(f"unknown {kind[:-1]} '{name}'", expected="one of " + ", ".join(points))
    return points[name].load()
