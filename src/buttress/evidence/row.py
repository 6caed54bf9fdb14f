"""A record as a store keeps it, and its hash in the chain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

GENESIS: Final = bytes(32)


def link(previous: bytes, kind: str, payload: bytes) -> bytes:
    """Hash of a record after the one whose hash is ``previous`` (32 bytes).

    Raises:
        ValueError: a kind of more than 255 bytes.
    """
    name = kind.encode("utf-8", "surrogateescape")
    return hashlib.sha256(previous + bytes([len(name)]) + name + payload).digest()


@dataclass(frozen=True, slots=True)
class Row:
    """A stored record as it lies there."""

    sequence: int
    hash: bytes
    kind: str
    payload: bytes
    key: str | None
    run: str
    probe: str

    def follows(self, previous: bytes) -> bool:
        """Whether its hash is that of this record after the one whose hash is ``previous``."""
        try:
            return self.hash == link(previous, self.kind, self.payload)
        except ValueError:
            return False
