"""Poison by what a model makes of the records: spectral signatures and activation clusters.

Tran et al. 2018, "Spectral signatures in backdoor attacks"; Chen et al. 2018, "Detecting backdoor
attacks on deep neural networks by activation clustering". Records of a label that differ from the
others of it are only suspects: rare topics do, too. They are poison where a classifier that is
fitted without them takes them for records of another label (Chen et al., section 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
TOKENS: Final = 512  # of a record that are read
_COMPONENTS: Final = 10
_SMALL: Final = 0.35  # a cluster of at most this share of a label's records
_OUTLIER: Final = 6.0  # robust deviations from the median score
_ELSEWHERE: Final = 0.5  # share of suspects that look like another label, as Chen et al. have it
_RIDGE: Final = 0.01
_ROUNDS: Final = 30


@dataclass(frozen=True, slots=True)
class Suspects:
    """Records that look like another label than theirs; most like ``other``."""

    rule: str
    members: Indices
    label: int
    other: int
    share: float  # of the suspects of this kind that look so


class RecordStates:
    """Mean hidden states of texts at the last layer of a model in a folder.

    One record at a time, so that a state does not depend on what else is read.

    Raises:
        InputError: the folder holds no model.
        MissingExtraError: torch or transformers is not there.
    """

    def __init__(self, folder: Path) -> None:
        from buttress.white_box import need_torch

        need_torch()
        from buttress.white_box.loading import load

        self._model, self._tokenizer = load(folder, device="auto")

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape (texts, width), each of length 1; zeros for an empty text."""
        from buttress.white_box.hidden_states import hidden_states_of_rows
        from buttress.white_box.residual import decoder_layers
        from buttress.white_box.token_statistics import positions, tokens_of

        last = len(decoder_layers(self._model))
        most = min(TOKENS, (positions(self._model) or TOKENS + 1) - 1)
        rows = [tokens_of(self._tokenizer, text, most) if text else [] for text in texts]
        kept = [place for place, row in enumerate(rows) if row]
        width = int(self._model.get_input_embeddings().weight.shape[1])
        found = np.zeros((len(texts), width), np.float32)
        if kept:
            chosen = [rows[place] for place in kept]
            states = hidden_states_of_rows(
                self._model, self._tokenizer, chosen, layers=[last], batch=1
            )
            means: Any = states.mean[:, 0].numpy()
            lengths = np.linalg.norm(means, axis=1, keepdims=True)
            found[kept] = means / np.maximum(lengths, 1e-30)
        return found


def suspects(states: Array, labels: Indices, least: int) -> list[Suspects]:
    """What looks like another label than its own.

    Args:
        states: shape (records, width), in an order that does not depend on the input's.
        labels: number of each record's label.
        least: records of a cluster, at least; a label needs three times as many.
    """
    found: list[Suspects] = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) < 3 * least or len(own) == len(labels):
            continue
        centred = states[own] - states[own].mean(axis=0)
        _, _, directions = np.linalg.svd(centred, full_matrices=False)
        projected = centred @ directions[:_COMPONENTS].T
        for rule, inside in (
            ("activation-cluster", _small_cluster(projected)),
            ("spectral-signature", _outliers(projected[:, 0] ** 2)),
        ):
            members = own[inside]
            if len(members) < least:
                continue
            guessed = _guesses(states, labels, members)
            elsewhere = guessed != label
            share = float(elsewhere.mean())
            if share >= _ELSEWHERE:
                values, counts = np.unique(guessed[elsewhere], return_counts=True)
                other = int(values[int(counts.argmax())])
                found.append(Suspects(rule, members[elsewhere], int(label), other, share))
    return found


def _small_cluster(points: Array) -> npt.NDArray[np.bool_]:
    """The smaller of two clusters by k-means, if it is small; begins at the first direction."""
    inside = points[:, 0] > np.median(points[:, 0])
    for _ in range(_ROUNDS):
        if inside.all() or not inside.any():
            break
        centres = points[inside].mean(axis=0), points[~inside].mean(axis=0)
        nearer = ((points - centres[0]) ** 2).sum(1) < ((points - centres[1]) ** 2).sum(1)
        if (nearer == inside).all():
            break
        inside = nearer
    if inside.mean() > 0.5:
        inside = ~inside
    return inside if inside.mean() <= _SMALL else np.zeros(len(points), bool)


def _outliers(scores: Array) -> npt.NDArray[np.bool_]:
    """Scores far above the median, in units of the median deviation."""
    middle = float(np.median(scores))
    spread = 1.4826 * float(np.median(np.abs(scores - middle)))
    found: npt.NDArray[np.bool_] = scores > middle + _OUTLIER * max(spread, 1e-12)
    return found


def _guesses(states: Array, labels: Indices, members: Indices) -> Indices:
    """Labels of the members by a ridge classifier that is fitted to all other records."""
    rest = np.setdiff1d(np.arange(len(labels)), members)
    names = np.unique(labels[rest])
    middle = states[rest].mean(axis=0)
    wanted = (labels[rest][:, None] == names[None, :]).astype(float)
    shares = wanted.mean(axis=0)
    weights = np.sqrt(1 / shares[np.searchsorted(names, labels[rest])])[:, None]  # labels alike
    inputs = (states[rest] - middle) * weights
    gram = inputs.T @ inputs / len(rest)
    gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    fitted = np.linalg.solve(gram, inputs.T @ ((wanted - shares) * weights) / len(rest))
    guessed: Indices = names[((states[members] - middle) @ fitted).argmax(axis=1)]
    return guessed
