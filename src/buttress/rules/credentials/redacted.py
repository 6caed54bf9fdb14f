"""What a proof may show of a credential."""

from __future__ import annotations

from typing import Final

from buttress.files.visible import printable

_SHOWN: Final = 4  # characters of a secret that a proof shows, and at most a quarter of it


def redacted(secret: str) -> str:
    """The first characters of a secret, at most a quarter of it, and its length."""
    text = secret.strip()
    return f"{printable(text[: min(_SHOWN, len(text) // 4)])}… ({len(text)} characters)"
