"""A classifier that sees the texts alone, never the model: what it can do is no leak.

Members and others often differ by date, source or style. Then any attack that hears the difference
looks like membership inference (Das et al. 2024, "Blind baselines beat membership inference
attacks"; Meeus et al. 2024, arXiv:2408.05968).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from buttress.statistics.roc import Estimate, auc, auc_interval

Array = npt.NDArray[np.float64]
_WIDTH: Final = 1 << 18  # features, hashed
_FOLDS: Final = 5
_PENALTY: Final = 0.02  # on squared weights, relative to the mean log-loss
_PERMUTATIONS: Final = 39
_CLEAR: Final = 0.55  # lower bound above which no permutations are needed
_WORD: Final = re.compile(r"[\u3400-\u9fff]|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class BlindResult:
    """``distinguishes``: the texts alone tell the groups apart, at an error of at most 5 %.

    The interval of the area takes out-of-fold scores for independent ones, which they nearly are.
    """

    auc: Estimate
    distinguishes: bool


def blind_result(members: Sequence[str], others: Sequence[str], seed: int = 0) -> BlindResult:
    """Area under the curve of a classifier that sees the texts alone.

    Where the interval is barely above 1/2, labels are permuted 39 times (an exact test), because
    scores of folds that share training texts vary more than independent ones.
    """
    texts = [*members, *others]
    labels = np.arange(len(texts)) < len(members)

    def groups(given: npt.NDArray[np.bool_], draw: int) -> tuple[Array, Array]:
        scores = np.array(blind_scores(texts, given.tolist(), draw))
        return scores[given], scores[~given]

    seen = auc_interval(*groups(labels, seed))
    assert seen.value is not None
    if seen.low <= 0.5 or seen.low > _CLEAR:
        return BlindResult(seen, seen.low > 0.5)
    generator = np.random.default_rng([seed, 39])
    higher = sum(
        auc(*groups(generator.permutation(labels), seed + draw)) >= seen.value
        for draw in range(1, _PERMUTATIONS + 1)
    )
    return BlindResult(seen, (1 + higher) / (1 + _PERMUTATIONS) <= 0.05)


def blind_scores(texts: Sequence[str], members: Sequence[bool], seed: int = 0) -> list[float]:
    """Log odds of "member" for each text, by a model fitted to the other folds.

    Logistic regression on words and pairs of words, 5 folds with as many of each group as can be.
    Equal texts share a fold. Scores are centred on each fold's mean, for a fold's training share
    must not tell its labels.
    """
    features = _features(texts)
    labels = np.asarray(members, dtype=float)
    folds = _folds(texts, labels, seed)
    scores = np.zeros(len(texts))
    for fold in range(_FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(inside) or len(set(labels[outside].tolist())) < 2:
            continue
        weights = _fit(features[outside], labels[outside])
        fitted = features[inside] @ weights
        scores[inside] = fitted - fitted.mean()
    return scores.tolist()


@dataclass(frozen=True, slots=True)
class TextModel:
    """A classifier of texts: the weight of each hashed feature, shape (features,)."""

    weights: Array

    def scores(self, texts: Sequence[str]) -> Array:
        """Log odds of "member" for each text; both groups weigh the same, so 0 is even."""
        features = _scaled(_matrix(texts))
        found: Array = features @ self.weights
        return found


def fit_texts(texts: Sequence[str], members: Sequence[bool]) -> TextModel:
    """The same model fitted to all of the texts."""
    matrix = _matrix(texts)
    columns = _shared(matrix)
    weights = np.zeros(_WIDTH)
    weights[columns] = _fit(_scaled(matrix[:, columns]), np.asarray(members, dtype=float))
    return TextModel(weights)


def _folds(texts: Sequence[str], labels: Array, seed: int) -> npt.NDArray[np.int64]:
    generator = np.random.default_rng(seed)
    folds = np.zeros(len(texts), dtype=np.int64)
    known: dict[str, int] = {}
    for label in (0.0, 1.0):
        for place, index in enumerate(generator.permutation(np.flatnonzero(labels == label))):
            folds[index] = known.setdefault(texts[index], place % _FOLDS)
    return folds


def _features(texts: Sequence[str]) -> Any:
    matrix = _matrix(texts)
    return _scaled(matrix[:, _shared(matrix)])


def _matrix(texts: Sequence[str]) -> Any:
    """Which features each text has, shape (texts, features)."""
    rows, columns = [], []
    for row, text in enumerate(texts):
        found = set(_names(text))
        columns += [zlib.crc32(name.encode("utf-8", "surrogatepass")) % _WIDTH for name in found]
        rows += [row] * len(found)
    shape = (len(texts), _WIDTH)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _shared(matrix: Any) -> npt.NDArray[np.int64]:
    """Features of two texts or more: what stands in one text tells nothing."""
    counts = np.asarray((matrix > 0).sum(axis=0)).ravel()
    return np.flatnonzero(counts > 1)


def _scaled(matrix: Any) -> Any:
    """Each row of length 1."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(lengths, 1e-12)) @ matrix


def _names(text: str) -> Iterator[str]:
    words = _WORD.findall(text.lower())
    yield from words
    yield from (f"{first} {second}" for first, second in pairwise(words))
    yield f" length {len(words).bit_length()}"


def _fit(features: Any, labels: Array) -> Array:
    signs = 2 * labels - 1
    weight = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels).mean()) / len(labels)
    transposed = features.T.tocsr()

    def objective(weights: Array) -> tuple[float, Array]:
        margins = signs * (features @ weights)
        value = float(weight @ np.logaddexp(0, -margins)) + _PENALTY / 2 * float(weights @ weights)
        slope = -weight * signs / (1 + np.exp(np.clip(margins, -500, 500)))
        return value, transposed @ slope + _PENALTY * weights

    start = np.zeros(features.shape[1])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 100})
    result: Array = found.x
    return result
