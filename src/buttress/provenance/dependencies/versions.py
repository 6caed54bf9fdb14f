"""Versions of the ecosystems as keys that sort as the ecosystem sorts them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Literal

from packaging.version import InvalidVersion, Version

Ecosystem = Literal["PyPI", "npm", "Go", "crates.io"]
_SEMVER: Final = re.compile(
    r"^[v=\s]*(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$"
)
_LENGTH: Final = 200


@lru_cache(maxsize=65536)
def key(version: str, ecosystem: Ecosystem) -> Any:
    """A sort key of a version; None where it is none in the ecosystem.

    PyPI by PEP 440; the others by Semantic Versioning 2.0.0, section 11.
    """
    if len(version) > _LENGTH:
        return None
    return _pep440(version) if ecosystem == "PyPI" else _semver(version)


def public(version: str, ecosystem: Ecosystem) -> str:
    """A version without the label of who built it (PEP 440, "local version identifiers").

    ``2.1.0+cu118`` is 2.1.0 built for another device, with the same flaws.
    """
    return version.partition("+")[0] if ecosystem == "PyPI" else version


def _pep440(version: str) -> Version | None:
    try:
        return Version(version)
    except (InvalidVersion, ValueError):
        return None


def _semver(version: str) -> tuple[Any, ...] | None:
    match = _SEMVER.match(version)
    if not match:
        return None
    numbers = tuple(int(one or 0) for one in match.groups()[:3])
    if match[4] is None:
        return (*numbers, 1, ())
    # Numeric identifiers come before others; fewer identifiers before more.
    parts = tuple(
        (0, int(one[:18]), "") if one.isdigit() else (1, 0, one) for one in match[4].split(".")
    )
    return (*numbers, 0, parts)
