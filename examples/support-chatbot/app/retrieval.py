"""Finds the paragraphs of the shop's help texts that fit a question (BM25)."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

K1, B = 1.2, 0.75
WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Passage:
    source: str
    text: str


class Index:
    """Paragraphs of all Markdown files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.passages = [
            Passage(file.stem, text.strip())
            for file in sorted(folder.glob("*.md"))
            for text in file.read_text(encoding="utf-8").split("\n\n")
            if text.strip()
        ]
        self.counts = [Counter(WORD.findall(one.text.lower())) for one in self.passages]
        self.lengths = [sum(count.values()) for count in self.counts]
        self.documents = Counter(word for count in self.counts for word in count)

    def search(self, question: str, limit: int = 3) -> list[Passage]:
        """The best passages, best first; those without any word in common are left out."""
        words = set(WORD.findall(question.lower()))
        scored = [(self._score(words, place), place) for place in range(len(self.passages))]
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        return [self.passages[place] for score, place in scored[:limit] if score > 0]

    def _score(self, words: set[str], place: int) -> float:
        total, average = len(self.passages), sum(self.lengths) / max(1, len(self.lengths))
        score = 0.0
        for word in words:
            count = self.counts[place][word]
            if count:
                seen = self.documents[word]
                rarity = math.log(1 + (total - seen + 0.5) / (seen + 0.5))
                length = 1 - B + B * self.lengths[place] / average
                score += rarity * count * (K1 + 1) / (count + K1 * length)
        return score


def rerank(passages: list[Passage], checkpoint: Path) -> list[Passage]:
    """Order passages by the team's reranker, where PyTorch is installed."""
    import torch

    weights = torch.load(checkpoint, weights_only=False)
    lengths = torch.tensor([[float(len(one.text))] for one in passages])
    scores = (lengths * weights["score.weight"].mean() + weights["score.bias"].mean()).flatten()
    return [passages[place] for place in scores.argsort(descending=True).tolist()]
