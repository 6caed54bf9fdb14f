"""Addresses as they are shown: without the passwords and keys that some services want in them."""

from __future__ import annotations

import re
from typing import Final

_KEY: Final = re.compile(
    r"([?&][^=&#]*(?:key|token|secret|sig|password|auth)[^=&#]*=)[^&#\s\"']*", re.I
)

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#@\s\"']*@")


def without_keys(url: str) -> str:
    """``url`` without user and password, and a mark for each value whose name speaks of a key."""
    return _KEY.sub(r"\1[key]", _CREDENTIALS.sub("", url))
