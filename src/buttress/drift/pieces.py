"""Texts and addresses of a script, whichever way its builder cut and joined its strings.

One builder puts ``"a " + "b"``, a constant or a template into one string, another leaves the parts.
So a text counts as known where known ones make it up, and as still there where it is a part of a
new one, or new ones make it up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

KINDS: Final = ("text", "endpoint")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_MOST: Final = 3_000  # pieces of one kind on a side that are looked at


def reconciled(facts: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The facts, with known pieces in place of those that are the same, cut or joined otherwise.

    Args:
        facts: by name.
        known: names of the facts of the reference and of the last view.
    """
    made = dict(facts)
    for kind in KINDS:
        prefix = f"{kind} "
        now = {name.removeprefix(prefix) for name in facts if name.startswith(prefix)}
        before = {name.removeprefix(prefix) for name in known if name.startswith(prefix)}
        new, gone = sorted(now - before)[:_MOST], sorted(before - now)[:_MOST]
        if not before or not (new or gone):
            continue
        theirs, ours = sorted(before, key=_length)[:_MOST], sorted(now, key=_length)[:_MOST]
        for piece in new:
            if any(piece in one for one in gone) or _made_up(piece, theirs, kind):
                del made[prefix + piece]
        for piece in gone:
            if any(piece in one for one in now) or _made_up(piece, ours, kind):
                made[prefix + piece] = ""
    return made


def _length(piece: str) -> int:
    return -len(piece)


def _made_up(whole: str, pieces: Sequence[str], kind: str) -> bool:
    """Whether pieces, longest first, make up a text but for a word or numbers, an address whole."""
    left = whole
    found = False
    for piece in pieces:
        if piece != whole and len(piece) > 3 and piece in left:
            left = left.replace(piece, "\0")
            found = True
    if not found:
        return False
    if kind == "endpoint":
        return not left.replace("\0", "").strip("/0123456789*")
    return len(_WORD.findall(left)) <= 1
