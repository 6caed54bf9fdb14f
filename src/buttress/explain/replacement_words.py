"""Words to put in place of others: those of like requests of the other kind."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from typing import Final

from buttress.prompts.pack import load_pack

WORDS: Final = 6
_NEIGHBOURS: Final = 8  # requests whose words are taken
_COMMON: Final = 0.05  # words in a larger share of all requests say nothing about a topic
_WORD: Final = {
    "en": re.compile(r"[a-z]{3,}"),
    "zh": re.compile(r"(?=([\u3400-\u9fff]{2}))"),
}


def replacement_words(prompt: str, language: str, *, harmful: bool) -> tuple[str, ...]:
    """Words of the requests of our pack that resemble the prompt and are of one kind.

    Requests resemble it by the rare words that they share with it. Their other words count by that
    likeness and by how much oftener they stand in requests of this kind; the best come first.

    Args:
        prompt: what a word is to be replaced in; none of its own words is returned.
        language: ``en`` or ``zh``; nothing is returned for others.
        harmful: words of harmful requests, or else of harmless ones that look alike.
    """
    if language not in _WORD:
        return ()
    requests, rarity = _requests(language)
    own = set(_WORD[language].findall(prompt.lower()))
    alike = sorted(
        (
            (sum(rarity[word] for word in own & words) / math.sqrt(1 + len(words)), at)
            for at, (kind, words) in enumerate(requests)
            if kind == harmful
        ),
        reverse=True,
    )[:_NEIGHBOURS]
    near: dict[str, float] = {}
    for likeness, at in alike:
        for word in requests[at][1] - own:
            if rarity[word] >= -math.log(_COMMON):
                near[word] = near.get(word, 0.0) + likeness + 1e-9
    kinds = {kind: Counter(w for k, words in requests if k == kind for w in words)
             for kind in (True, False)}  # fmt: skip
    scores = {
        word: value * (kinds[harmful][word] + 0.5) / (kinds[not harmful][word] + 0.5)
        for word, value in near.items()
        if kinds[harmful][word] > kinds[not harmful][word]
    }
    return tuple(sorted(scores, key=lambda word: (-scores[word], word))[:WORDS])


@cache
def _requests(language: str) -> tuple[list[tuple[bool, set[str]]], dict[str, float]]:
    """Kind and words of each request of the pack, and minus the log share of requests by word."""
    requests = [
        (one.expect == "refuse", set(_WORD[language].findall(one.text.lower())))
        for one in load_pack([language])
    ]
    counts = Counter(word for _, words in requests for word in words)
    return requests, {word: math.log(len(requests) / n) for word, n in counts.items()}
