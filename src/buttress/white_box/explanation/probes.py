"""Linear probes: what a model's layers tell about a text, beside controls that tell nothing.

A probe is scored on whole groups of texts (harm categories, kinds of data) that it was not fitted to
(Alain & Bengio 2016). Beside it stand a control task, the same with random labels (Hewitt & Liang
2019), and a bag of words: a probe that does not beat the words shows nothing about the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from buttress.errors import InputError
from buttress.statistics.logistic_regression import fit_logistic, log_odds_left_out
from buttress.statistics.roc import auc

Array = npt.NDArray[np.float64]
PENALTY: Final = 0.1
LEVEL: Final = 0.05
LEAST: Final = 8  # texts of each label
_CHANCE: Final = 0.5  # area of scores that tell nothing
_RESAMPLES: Final = 400
_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W_]+")


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts with and without something; those of one ``groups`` are left out together.

    Texts of one ``clusters`` resemble each other, such as a request and its look-alike.
    """

    concept: str
    texts: tuple[str, ...]
    labels: tuple[bool, ...]
    groups: tuple[str, ...]
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LayerProbe:
    """A probe on one layer: areas under the ROC curve on left-out groups.

    ``control`` is that of random labels. ``prompt`` are the log odds of the explained prompt by a
    probe that was fitted to all texts.
    """

    layer: int
    area: float
    control: float
    prompt: float


@dataclass(frozen=True, slots=True)
class ConceptProbe:
    """Probes of one concept on all layers, and the words alone.

    ``gain`` is the best layer's area less that of the words, or less chance (0.5) where the words do
    worse, and ``gain_low`` its lower bound, allowing for the choice among the layers (Bonferroni,
    bootstrap over clusters). ``shows`` says
    that it is above 0. ``control_fit`` is the share of random labels that a probe of the best layer
    reproduces on the texts that it was fitted to: how much it can learn by heart.
    """

    concept: str
    texts: int
    groups: int
    layers: tuple[LayerProbe, ...]
    words: float
    best: int
    gain: float
    gain_low: float
    control_fit: float

    @property
    def shows(self) -> bool:
        """Whether the layers tell more than the words, and more than chance."""
        return self.gain_low > 0


def probe_concept(texts: LabelledTexts, states: Array, prompt: Array, seed: int) -> ConceptProbe:
    """Probe each layer.

    Args:
        texts: at least ``LEAST`` with either label, of three groups or more.
        states: shape (texts, layers, size).
        prompt: states of the explained prompt, shape (layers, size).
        seed: of random labels and resamples.

    Raises:
        InputError: too few texts or groups.
    """
    labels = np.asarray(texts.labels, dtype=float)
    counts = Counter(texts.labels)
    if min(counts[True], counts[False]) < LEAST or len(set(texts.groups)) < 3:
        raise InputError(
            f"{counts[True]} texts with it and {counts[False]} without, in "
            f"{len(set(texts.groups))} groups",
            field=texts.concept, expected=f"{LEAST} of each, in 3 groups",
        )  # fmt: skip
    rng = np.random.default_rng(seed)
    random = rng.permutation(labels)
    words = _left_out(_word_counts(texts.texts), labels, texts.groups)
    layers, scores, scaled = [], [], []
    for layer in range(states.shape[1]):
        features, point = _scaled(states[:, layer], prompt[layer])
        scaled.append(features)
        scores.append(_left_out(features, labels, texts.groups))
        control = _left_out(features, random, texts.groups)
        asked = fit_logistic(features, labels, PENALTY).log_odds(point[None])[0]
        layers.append(
            LayerProbe(layer, _auc(scores[-1], labels), _auc(control, random), float(asked))
        )
    best = max(range(len(layers)), key=lambda at: layers[at].area)
    word_auc = _auc(words, labels)
    yardstick = words if word_auc > _CHANCE else np.zeros_like(words)  # scores that are all alike
    gain = layers[best].area - max(word_auc, _CHANCE)
    error = _gain_error(scores[best], yardstick, labels, texts.clusters, rng)
    by_heart = fit_logistic(scaled[best], random, PENALTY).log_odds(scaled[best])
    return ConceptProbe(
        concept=texts.concept,
        texts=len(labels),
        groups=len(set(texts.groups)),
        layers=tuple(layers),
        words=word_auc,
        best=best,
        gain=gain,
        gain_low=gain - float(norm.isf(LEVEL / len(layers))) * error,
        control_fit=float(((by_heart > 0) == (random > 0)).mean()),
    )


def _left_out(features: Array, labels: Array, groups: Sequence[str]) -> Array:
    together = max(1, len(set(groups)) // 8)  # at most some eight fits
    return log_odds_left_out(features, labels, groups, PENALTY, left_out=together)


def _scaled(states: Array, prompt: Array) -> tuple[Array, Array]:
    """Each number with mean 0 and deviation 1, over the root of their count."""
    mean, deviation = states.mean(0), states.std(0)
    spread = np.where(deviation > 1e-9, deviation, np.inf) * np.sqrt(states.shape[1])
    return (states - mean) / spread, (prompt - mean) / spread


def _word_counts(texts: Sequence[str]) -> Array:
    """Logarithms of counts of words that two texts have or more, of length 1 on the whole."""
    found = [Counter(_WORD.findall(text.lower())) for text in texts]
    often = Counter(word for one in found for word in one)
    columns = {word: at for at, word in enumerate(sorted(w for w, n in often.items() if n > 1))}
    counts = np.zeros((len(texts), max(1, len(columns))))
    for row, one in enumerate(found):
        for word, number in one.items():
            if word in columns:
                counts[row, columns[word]] = np.log1p(number)
    lengths: Array = np.linalg.norm(counts, axis=1, keepdims=True)
    scaled: Array = counts / np.maximum(lengths, 1e-9)
    return scaled


def _auc(scores: Array, labels: Array) -> float:
    return auc(scores[labels > 0.5], scores[labels < 0.5])


def _gain_error(
    one: Array, other: Array, labels: Array, clusters: Sequence[str], rng: np.random.Generator
) -> float:
    """Standard error of the difference of two areas, by a bootstrap over clusters."""
    members: dict[str, list[int]] = {}
    for at, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(at)
    rows = [np.array(each) for each in members.values()]
    gains = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([rows[at] for at in rng.integers(len(rows), size=len(rows))])
        if 0 < labels[drawn].sum() < len(drawn):
            gains.append(_auc(one[drawn], labels[drawn]) - _auc(other[drawn], labels[drawn]))
    return float(np.std(gains, ddof=1))
