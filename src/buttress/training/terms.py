"""Terms of an objective: each draws its own examples at a step and gives their summed loss.

``dpo``: Rafailov et al. 2023. ``ipo``: Azar et al. 2023, on mean log-probabilities of a token.
``kto``: Ethayarajh et al. 2024. ``grad-diff``: Liu et al. 2022 (gradient ascent on what is to be
forgotten, descent on what stays). ``npo``: Zhang et al. 2024.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import torch
from torch import Tensor
from torch.nn.functional import kl_div, logsigmoid

from buttress.training.answer_logits import (
    all_log_probabilities,
    answer_logits,
    log_probabilities,
    parts,
)
from buttress.training.examples import ExamplePair, TrainingExample
from buttress.training.packed_pairs import packed_log_probabilities, packed_parts, packs


class Term(Protocol):
    """A part of the loss. The loss of a step is ``scale`` times the sum over its examples, over
    their ``weight``.
    """

    name: str
    scale: float

    @property
    def size(self) -> int:
        """How many examples there are to draw from."""
        ...

    def weight(self, chosen: Sequence[int]) -> float:
        """What the summed loss of these examples is divided by."""
        ...

    def parts(self, model: Any, chosen: Sequence[int]) -> Iterator[list[int]]:
        """The examples in parts that fit into memory."""
        ...

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed loss of these examples, a scalar in nats."""
        ...


class _ExampleTerm:
    def __init__(self, name: str, examples: Sequence[TrainingExample], scale: float = 1.0) -> None:
        self.name = name
        self.scale = scale
        self.examples: Final = examples

    @property
    def size(self) -> int:
        return len(self.examples)

    def weight(self, chosen: Sequence[int]) -> float:
        """Learned tokens."""
        return float(sum(self.examples[index].learned for index in chosen))

    def parts(self, model: Any, chosen: Sequence[int]) -> Iterator[list[int]]:
        return parts(model, self.examples, chosen)


class Likelihood(_ExampleTerm):
    """Negative log-likelihood a token; with a negative scale, ascent on what is to be forgotten."""

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed over tokens."""
        return -log_probabilities(model, [self.examples[index] for index in chosen]).sum()


class Divergence(_ExampleTerm):
    """Kullback-Leibler divergence a token, base to adapted model, on the examples' answers."""

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed over tokens."""
        picked = [self.examples[index] for index in chosen]
        with torch.no_grad(), model.disable_adapter():
            base = [one.log_softmax(1) for one in answer_logits(model, picked)]
        found = [
            kl_div(one.log_softmax(1), other, reduction="sum", log_target=True)
            for one, other in zip(answer_logits(model, picked), base, strict=True)
        ]
        return torch.stack(found).sum()


class Forgetting(_ExampleTerm):
    """Negative preference optimisation: each example is a rejected answer without a chosen one."""

    def __init__(
        self,
        name: str,
        examples: Sequence[TrainingExample],
        model: Any,
        beta: float,
        needed: Sequence[int] | None = None,
    ) -> None:
        super().__init__(name, examples)
        self._beta = beta
        self._reference = reference_log_probabilities(model, examples, needed)

    def weight(self, chosen: Sequence[int]) -> float:
        """Examples."""
        return float(len(chosen))

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed over examples."""
        now = log_probabilities(model, [self.examples[index] for index in chosen])
        ratio = now - self._reference[list(chosen)].to(now)
        return -(2 / self._beta) * logsigmoid(-self._beta * ratio).sum()


class PreferenceTerm:
    """A pair's chosen answer over its rejected one: ``kind`` is "dpo" or "ipo".

    ``length_penalty`` (of "dpo"): what a token of an answer costs in units of reward, so that
    length alone is not learned (Park et al. 2024, arXiv:2403.19159).
    """

    def __init__(
        self,
        kind: str,
        pairs: Sequence[ExamplePair],
        model: Any,
        beta: float,
        needed: Sequence[int] | None = None,
        *,
        length_penalty: float = 0.0,
    ) -> None:
        self.name = kind
        self.scale = 1.0
        self._pairs = pairs
        self._beta = beta
        self._kind = kind
        self._length_penalty = length_penalty
        self._longer = [one.chosen.learned - one.rejected.learned for one in pairs]
        self._longest = [
            max(one.chosen, one.rejected, key=lambda example: len(example.ids)) for one in pairs
        ]
        drawn = range(len(pairs)) if needed is None else needed
        model.eval()
        with model.disable_adapter():
            self._packed = packs(model, [pairs[one] for one in drawn])
        self._reference = self._reference_log_probabilities(model, drawn)

    @property
    def size(self) -> int:
        """Pairs."""
        return len(self._pairs)

    def weight(self, chosen: Sequence[int]) -> float:
        """Pairs."""
        return float(len(chosen))

    def parts(self, model: Any, chosen: Sequence[int]) -> Iterator[list[int]]:
        """Both answers of a pair are in one part."""
        if self._packed:
            yield from packed_parts(model, self._pairs, chosen)
            return
        for part in parts(model, self._longest, chosen):
            half = (len(part) + 1) // 2  # two rows a pair
            yield from (piece for piece in (part[:half], part[half:]) if piece)

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed over pairs."""
        index = list(chosen)
        now = self._log_probabilities(model, index)
        ratios = now - self._reference[:, index].to(now)
        if self._kind == "ipo":
            pairs = [self._pairs[one] for one in index]
            tokens = [
                [one.chosen.learned for one in pairs],
                [one.rejected.learned for one in pairs],
            ]
            ratios = ratios / torch.tensor(tokens).to(ratios)
        margin = ratios[0] - ratios[1]
        if self._kind == "ipo":
            return (margin - 1 / (2 * self._beta)).square().sum()
        longer = torch.tensor([float(self._longer[one]) for one in index]).to(margin)
        odds = self._beta * margin + self._length_penalty * longer
        return -logsigmoid(odds).sum()

    def _log_probabilities(self, model: Any, index: Sequence[int]) -> Tensor:
        """Of chosen and rejected answers, shape (2, pairs)."""
        pairs = [self._pairs[one] for one in index]
        if self._packed:
            return packed_log_probabilities(model, pairs)
        rows = [*(one.chosen for one in pairs), *(one.rejected for one in pairs)]
        return log_probabilities(model, rows).view(2, len(pairs))

    @torch.no_grad()
    def _reference_log_probabilities(self, model: Any, drawn: Sequence[int]) -> Tensor:
        """By the model without its adapter, float64 on the CPU; NaN for what is never drawn."""
        found = torch.full((2, len(self._pairs)), torch.nan, dtype=torch.float64)
        with model.disable_adapter():
            for part in self.parts(model, drawn):
                found[:, part] = self._log_probabilities(model, part).double().cpu()
        return found


class Desirability(_ExampleTerm):
    """Kahneman-Tversky optimisation, on answers that are desired or not.

    The reference point is the mean log-ratio of prompts with the answers of others, at least 0.
    """

    def __init__(
        self,
        name: str,
        examples: Sequence[TrainingExample],
        model: Any,
        beta: float,
        needed: Sequence[int] | None = None,
    ) -> None:
        super().__init__(name, examples)
        self._beta = beta
        self._reference = reference_log_probabilities(model, examples, needed)
        wanted = sum(one.desirable for one in examples)
        # The rarer kind weighs more, so that both weigh alike in all.
        most = max(wanted, len(examples) - wanted)
        self._weights = [
            most / max(1, wanted if one.desirable else len(examples) - wanted) for one in examples
        ]
        self._mismatched = [
            _with_answer_of(one, examples[(place + 1) % len(examples)])
            for place, one in enumerate(examples)
        ]
        self._mismatched_reference = reference_log_probabilities(model, self._mismatched, needed)

    def weight(self, chosen: Sequence[int]) -> float:
        """Examples."""
        return float(len(chosen))

    def loss(self, model: Any, chosen: Sequence[int]) -> Tensor:
        """Summed over examples."""
        index = list(chosen)
        with torch.no_grad():
            other = log_probabilities(model, [self._mismatched[one] for one in index])
            point = (other - self._mismatched_reference[index].to(other)).mean().clamp(min=0)
        now = log_probabilities(model, [self.examples[one] for one in index])
        ratio = now - self._reference[index].to(now)
        sign = torch.tensor([1.0 if self.examples[one].desirable else -1.0 for one in index])
        weights = torch.tensor([self._weights[one] for one in index]).to(ratio)
        value = torch.sigmoid(self._beta * sign.to(ratio) * (ratio - point))
        return (weights * (1 - value)).sum()


def _with_answer_of(one: TrainingExample, other: TrainingExample) -> TrainingExample:
    ids = (*one.ids[: one.start], *other.ids[other.start :])
    return TrainingExample(ids, one.start, one.record, one.desirable)


def reference_log_probabilities(
    model: Any, examples: Sequence[TrainingExample], needed: Sequence[int] | None = None
) -> Tensor:
    """Sums of log-probabilities by the model without its adapter, float64 on the CPU.

    ``needed``: indices of the examples that are drawn at all; the others are NaN.
    """
    model.eval()
    indices = range(len(examples)) if needed is None else needed
    found = torch.full((len(examples),), torch.nan, dtype=torch.float64)
    with model.disable_adapter():
        found[list(indices)] = all_log_probabilities(model, [examples[one] for one in indices])
    return found
