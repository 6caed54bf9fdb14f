"""Keys in two halves: the id is harmless without the secret that belongs to it."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from buttress.rules.credentials.candidate import CredentialCandidate, Span, Verdict
from buttress.rules.credentials.literals import classes, entropy, is_filler
from buttress.rules.patterns import compiled_bytes

_REACH: Final = 400  # bytes before and after the id


@cache
def _compiled(pattern: str) -> Any:
    return compiled_bytes(pattern)


def pair(candidate: CredentialCandidate) -> Verdict | None:
    """An access key id; as grave as its rule says only if the secret key lies near.

    The rule's settings give the secret's pattern as ``partner`` and, as ``alone``, the severity of
    an id by itself.
    """
    if is_filler(candidate.secret):
        return None
    settings = candidate.rule.settings
    low = max(0, candidate.start - _REACH)
    near = candidate.data[low : candidate.end + _REACH]
    spans: list[Span] = []
    for match in _compiled(settings["partner"]).finditer(near):
        start, end = low + match.start(1), low + match.end(1)
        apart = end <= candidate.start or start >= candidate.end
        if apart and _is_secret(candidate.data[start:end]):
            spans.append((start, end))
    if not spans:
        return Verdict("the id alone, without its secret", settings["alone"])
    nearest = min(spans, key=lambda span: abs(span[0] - candidate.start))
    return Verdict("its secret lies beside it", more=(nearest,))


def _is_secret(text: bytes) -> bool:
    return classes(text) >= 3 and entropy(text) >= 3.5 and not is_filler(text)
