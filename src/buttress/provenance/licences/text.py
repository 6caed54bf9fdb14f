"""Recognises a licence by its text."""

from __future__ import annotations

import re
from typing import Final

from buttress.provenance.licences.facts import licences

MAX_BYTES: Final = 256 << 10
_SPACE: Final = re.compile(r"[\s#*/;\-=]+")
_HEAD: Final = 2_000  # characters within which a licence names itself
_TAG: Final = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n]{1,200})")


def recognise(data: bytes) -> str | None:
    """Id of the licence whose text this is, or what its SPDX tag says; None where unknown.

    Of several that fit, the one with the most and longest phrases counts: the text of one licence
    often holds the phrases of another that asks for less. Phrases are those of ``licences.yaml``.
    """
    text = data[:MAX_BYTES].decode("utf-8", "replace")
    if tag := _TAG.search(text, 0, _HEAD):
        return tag[1].strip(" \t*/-#>") or None
    plain = _SPACE.sub(" ", text.lower())
    best: tuple[int, str] | None = None
    for one in licences().values():
        for phrases in one.text:
            found = [plain.find(_SPACE.sub(" ", phrase)) for phrase in phrases]
            if min(found) < 0:
                continue
            weight = sum(map(len, phrases)) - (max(found) > _HEAD) * 1_000
            if best is None or weight > best[0]:
                best = weight, one.id
    return best[1] if best else None
