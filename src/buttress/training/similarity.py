"""Baselines of influence that know no training: shared words, and what a model makes of a text."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from buttress.training.answer_logits import parts, plain
from buttress.training.examples import TrainingExample
from buttress.white_box.answers import padded

_WORD: Final = re.compile(r"[\u3400-\u9fff]|\w+")  # Han characters are words of their own
_SATURATION: Final = 1.5
_LENGTH: Final = 0.75


def bm25(queries: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
    """Okapi BM25 (Robertson & Zaragoza 2009) of each text for each query: (queries, texts)."""
    counts = [Counter(_WORD.findall(text.casefold())) for text in texts]
    lengths = np.array([one.total() for one in counts], float)
    mean = float(lengths.mean()) if len(lengths) else 1.0
    postings: dict[str, list[tuple[int, int]]] = {}
    for place, one in enumerate(counts):
        for word, times in one.items():
            postings.setdefault(word, []).append((place, times))
    scores = np.zeros((len(queries), len(texts)))
    for row, query in enumerate(queries):
        for word in set(_WORD.findall(query.casefold())):
            found = postings.get(word, [])
            rarity = math.log1p((len(texts) - len(found) + 0.5) / (len(found) + 0.5))
            for place, times in found:
                norm = _SATURATION * (1 - _LENGTH + _LENGTH * lengths[place] / max(mean, 1e-9))
                scores[row, place] += rarity * times * (_SATURATION + 1) / (times + norm)
    return scores


@torch.no_grad()
def representations(model: Any, examples: Sequence[TrainingExample]) -> NDArray[np.float32]:
    """Mean last hidden state over the tokens of each example, of length 1: (examples, width)."""
    inner = plain(model)
    found: dict[int, NDArray[np.float32]] = {}
    for part in parts(model, examples, range(len(examples))):
        ids, mask = padded([examples[index].ids for index in part], 0)
        device = inner.get_input_embeddings().weight.device
        made = inner(
            input_ids=ids.to(device), attention_mask=mask.to(device), output_hidden_states=True
        ).hidden_states[-1]
        kept = mask.to(made)[:, :, None]
        means = (made * kept).sum(1) / kept.sum(1)
        for place, index in enumerate(part):
            found[index] = means[place].float().cpu().numpy()
    rows = np.stack([found[index] for index in range(len(examples))])
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30), np.float32
    )
