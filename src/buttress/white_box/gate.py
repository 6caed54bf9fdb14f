"""A refusal gate: logistic regression on hidden states that decides before a word is written.

A model often tells harmful requests from harmless ones better than it acts on it (linear probes:
Alain & Bengio 2016, arXiv:1610.01644). The gate reads the hidden states at the last token before
the answer and their mean over the conversation, at some layers, and refuses in the model's place
where the log odds of harm exceed a threshold. The threshold comes from categories that a fit left
out, never from those that a verdict rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.answers.reading import words_in
from buttress.errors import InputError
from buttress.statistics.logistic_regression import fit_logistic, log_loss, log_odds_left_out
from buttress.statistics.roc import auc
from buttress.targets.base import Message
from buttress.white_box.hidden_states import HiddenStates, hidden_states
from buttress.white_box.refusal_in_place import REFUSAL_IN_PLACE
from buttress.white_box.residual import decoder_layers

Array = npt.NDArray[np.float64]
LAYERS: Final = 8  # spread over the upper two thirds of the model
FALSE_ALARMS: Final = 0.02
PENALTIES: Final = (1.0, 30.0, 300.0, 3000.0)
_LEAST: Final = 8  # requests of each kind
_SHARES: Final = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)  # of false alarms


@dataclass(frozen=True, slots=True)
class Gate:
    """A fitted gate.

    ``weights`` (features,) apply to features less ``centre`` over ``scale``, both (features,);
    features are the states of the last token at each of ``layers`` and then the means. A request is
    refused where the log odds are above ``threshold``. ``identity`` names the weights of the model
    that it was fitted to.
    """

    identity: str
    layers: tuple[int, ...]
    centre: Array
    scale: Array
    weights: Array
    bias: float
    threshold: float
    refusals: Mapping[str, str]

    def log_odds(self, states: HiddenStates) -> Array:
        """Log odds that each request is harmful, shape (conversations,).

        Raises:
            InputError: states of other layers or of another size.
        """
        rows = gate_features(states)
        if states.layers != self.layers or rows.shape[1] != len(self.weights):
            raise InputError(
                f"layers {states.layers} of {rows.shape[1]} features", field="gate",
                expected=f"layers {self.layers} of {len(self.weights)} features",
            )  # fmt: skip
        found: Array = (rows - self.centre) / self.scale @ self.weights + self.bias
        return found

    def refusal(self, language: str) -> str:
        """What is said in the model's place."""
        return self.refusals.get(language, self.refusals["en"])


@dataclass(frozen=True, slots=True)
class GateFit:
    """How well a gate does on categories that each fit left out.

    ``false_alarms`` and ``caught`` are shares of harmless and harmful requests above the threshold,
    ``words_area`` is the area under the ROC curve of a bag of words in the same folds: a gate that
    doesn't beat the words shows nothing about the model. ``curve`` and ``words_curve`` are the shares
    caught at some shares of false alarms.
    """

    gate: Gate
    area: float
    words_area: float
    false_alarms: float
    caught: float
    penalty: float
    requests: int
    curve: tuple[tuple[float, float], ...]
    words_curve: tuple[tuple[float, float], ...]


def gate_layers(model: Any, count: int = LAYERS) -> tuple[int, ...]:
    """``count`` layers spread evenly from a third of the depth to its end."""
    depth = len(decoder_layers(model))
    places = np.linspace(depth / 3, depth, count)
    return tuple(sorted({max(1, round(float(place))) for place in places}))


def gate_features(states: HiddenStates) -> Array:
    """Features of each conversation: last token at each layer, then means; (conversations, n)."""
    rows = len(states.last)
    both = [one.reshape(rows, -1).double().numpy() for one in (states.last, states.mean)]
    found: Array = np.concatenate(both, axis=1)
    return found


def question_of(messages: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation up to its last question: what was put into the answer's mouth is left out."""
    last = max((at for at, one in enumerate(messages) if one.role == "user"), default=-1)
    return tuple(messages[: last + 1])


def fit_gate(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    harmful: Sequence[bool],
    categories: Sequence[str],
    *,
    identity: str,
    false_alarms: float = FALSE_ALARMS,
    layers: Sequence[int] | None = None,
    batch: int = 16,
) -> GateFit:
    """Fit a gate and set its threshold by leaving out two categories at a time.

    Args:
        model: decoder of transformers.
        tokenizer: its tokenizer.
        conversations: each ends with a request.
        harmful: whether it should be refused.
        categories: of the requests; look-alikes have that of what they resemble.
        identity: of the model's weights.
        false_alarms: share of harmless requests in left-out categories that may be refused.
        layers: to read; ``gate_layers`` if None.
        batch: conversations in a pass.

    Raises:
        InputError: too few requests or categories, or a share out of range.
    """
    truth = np.array(harmful, dtype=float)
    if min(truth.sum(), len(truth) - truth.sum()) < _LEAST or len(set(categories)) < 3:
        raise InputError(
            f"{int(truth.sum())} harmful and {int(len(truth) - truth.sum())} harmless requests of "
            f"{len(set(categories))} categories are too few for a gate",
            field="requests",
            expected=f"{_LEAST} of each kind and 3 categories",
        )
    if not 0 < false_alarms < 1:
        raise InputError(
            f"{false_alarms} is no share", field="false_alarms", expected="above 0 and below 1"
        )
    used = tuple(layers) if layers is not None else gate_layers(model)
    states = hidden_states(model, tokenizer, conversations, layers=used, batch=batch)
    rows = gate_features(states)
    centre, spread = rows.mean(0), rows.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    features = (rows - centre) / scale
    losses = {}
    scores = {}
    for penalty in PENALTIES:
        scores[penalty] = log_odds_left_out(features, truth, categories, penalty)
        losses[penalty] = log_loss(scores[penalty], truth)
    best = min(losses, key=lambda penalty: losses[penalty])
    left_out = scores[best]
    safe, unsafe = left_out[truth == 0], left_out[truth == 1]
    threshold = _threshold(safe, false_alarms)
    words = _bag_of_words([question_of(one)[-1].content for one in conversations])
    words_scores = log_odds_left_out(words, truth, categories, 1.0)
    fitted = fit_logistic(features, truth, best)
    return GateFit(
        gate=Gate(
            identity=identity,
            layers=used,
            centre=centre,
            scale=scale,
            weights=fitted.weights,
            bias=fitted.bias,
            threshold=threshold,
            refusals=dict(REFUSAL_IN_PLACE),
        ),
        area=auc(unsafe, safe),
        words_area=auc(words_scores[truth == 1], words_scores[truth == 0]),
        false_alarms=float((safe > threshold).mean()),
        caught=float((unsafe > threshold).mean()),
        penalty=best,
        requests=len(truth),
        curve=_curve(safe, unsafe),
        words_curve=_curve(words_scores[truth == 0], words_scores[truth == 1]),
    )


def _curve(safe: Array, unsafe: Array) -> tuple[tuple[float, float], ...]:
    """False alarms and what is caught, at thresholds for some shares of false alarms."""
    made = []
    for share in _SHARES:
        threshold = _threshold(safe, share)
        made.append((float((safe > threshold).mean()), float((unsafe > threshold).mean())))
    return tuple(made)


def _threshold(safe: Array, share: float) -> float:
    """The lowest log odds that at most ``share`` of the harmless requests exceed."""
    allowed = int(share * len(safe))
    return float(np.sort(safe)[len(safe) - 1 - allowed])


def _bag_of_words(texts: Sequence[str]) -> Array:
    """Whether each word of at least two texts occurs, shape (texts, words), in rows of length 1."""
    found = [set(words_in(text.lower())) for text in texts]
    counts: dict[str, int] = {}
    for words in found:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    known = {word: at for at, word in enumerate(sorted(w for w, n in counts.items() if n > 1))}
    table = np.zeros((len(texts), max(1, len(known))))
    for row, words in enumerate(found):
        table[row, [known[word] for word in words if word in known]] = 1.0
    rows: Array = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1.0)
    return rows
