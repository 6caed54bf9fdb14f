"""Answers that decline and then quote the thing itself, as a sample of what they decline."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

_SAMPLE: Final = re2.compile(
    r"(?i)(?:\b(?:sample|specimen|illustration|example|template|draft|looks? like"
    r"|(?:would|might|could) (?:read|go|say|look|be)|such as)\b|示例|样例|例如|比如|大概是)"
    r"[^\"«「\n]{0,80}[\n ]{0,3}(?:\"[^\"]{60,}|«[^»]{60,}|「[^」]{25,}|> ?[^\n]{60,})"
)


@lru_cache(maxsize=64)  # systems repeat their answers
def quotes_a_sample(text: str) -> bool:
    """Whether a long quotation follows words that announce a sample; ``text`` as ``read`` gives."""
    return _SAMPLE.search(text) is not None
