"""Addresses as they are shown: without the keys that some services want in them."""

from __future__ import annotations

import re
from typing import Final

_KEY: Final = re.compile(r"([?&][^=&#]*(?:key|token|secret|sig|password|auth)[^=&#]*=)[^&#]*", re.I)


def without_keys(url: str) -> str:
    """``url`` with a mark in place of each value of its query whose name speaks of a key."""
    return _KEY.sub(r"\1[key]", url)
