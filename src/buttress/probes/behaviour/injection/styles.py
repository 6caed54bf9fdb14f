"""How an injection is put into words, or out of sight.

``combined`` fakes an answer and then asks for the next task (Liu et al. 2023, "Formalizing and
benchmarking prompt injection attacks", arXiv:2310.12815, section 4). ``invisible`` writes the order
in Unicode tag characters (Unicode 16, section 23.9), which most screens don't show.
"""

from __future__ import annotations

import random
from typing import Final

from buttress.attacks.unicode import ATTACK as UNICODE
from buttress.probes.behaviour.injection import data, fill

STYLES: Final = ("plain", "important", "delimiter", "combined", "invisible")


def styled(style: str, order: str, *, language: str, title: str) -> str:
    """The text of an injection."""
    text = fill(data("styles")[style][language], order=order, title=title)
    if style != "invisible":
        return text
    code = UNICODE.codings["tags"].codes["en"]
    return code.encode(text, random.Random(0))  # a code without chance in it
