"""Passes through a model that compute only what changed.

Before the suffix nothing ever changes, so its keys and values are computed once. A candidate equals
the present suffix up to the token that it replaces, so the keys and values of the gradient's pass
serve for that part as well. Logits are computed only where the target is predicted. None of this
changes the loss, beyond rounding.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from buttress.white_box.batching import batches, pass_overhead
from buttress.white_box.layout import PromptLayout
from buttress.white_box.prefix_cache import Pairs, cache_of, prefix_pairs

_LOGITS: Final = 2**27  # values that the logits of one batch may hold


class Passes:
    """Losses and gradients of suffixes under one layout.

    ``reuses`` tells whether keys and values are kept: asked for, and proven on the first suffix,
    because not every architecture works with them. ``tokens`` counts the positions computed.
    """

    def __init__(
        self, model: Any, layout: PromptLayout, *, reuse: bool = True, batch: int | None = None
    ) -> None:
        self._model = model
        self._layout = layout
        self._device: torch.device = model.get_input_embeddings().weight.device
        self._target = torch.tensor(layout.target, device=self._device)
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._table = _table(model.get_input_embeddings())
        size = len(layout.target) * self.vocabulary
        self._most = max(1, min(batch or 512, _LOGITS // size))
        self._overhead = pass_overhead(self._device)
        self._prefix: Pairs | None = None
        self._present: tuple[tuple[int, ...], Pairs] | None = None
        self.tokens = 0
        self._prefix = self._proven() if reuse else None

    @property
    def reuses(self) -> bool:
        """Whether keys and values are kept."""
        return self._prefix is not None

    @property
    def vocabulary(self) -> int:
        """Rows of the embedding table."""
        return int(self._table.shape[0])

    def embed(self, ids: Sequence[int] | Tensor) -> Tensor:
        """What the first layer gets for ``ids``, one more dimension."""
        with torch.no_grad():
            wanted = torch.as_tensor(ids, dtype=torch.long, device=self._device)
            embedded: Tensor = self._model.get_input_embeddings()(wanted)
        return embedded

    def gradient(self, suffix: Sequence[int]) -> tuple[Tensor, float]:
        """Gradient of the loss by the one-hot suffix, shape (n, vocabulary), and the loss.

        The embedding is linear in the one-hot rows, so the gradient by the embedded suffix times
        the table is the same and needs no one-hot matrix.
        """
        embedded, loss, pairs = self.embedded_gradient(self.embed(suffix))
        if pairs is not None:
            self._present = (tuple(suffix), pairs)
        return embedded.to(self._table.dtype) @ self._table.T, loss

    def embedded_gradient(self, suffix: Tensor) -> tuple[Tensor, float, Pairs | None]:
        """Gradient by embedded suffix tokens, shape (n, size), and the loss.

        Also keys and values up to the target, where they are kept.
        """
        inputs = suffix.detach().clone().requires_grad_()
        with torch.enable_grad():
            logits, pairs = self._run(self._rest(inputs[None], 0), self._prefix)
            loss = self._nll(logits).mean()
            (gradient,) = torch.autograd.grad(loss, inputs)
        return gradient, float(loss.detach()), pairs

    @torch.no_grad()
    def losses(self, suffix: Sequence[int], made: Tensor) -> tuple[Tensor, Tensor]:
        """Mean negative log-likelihood of the target under each candidate, in nats per token.

        Args:
            suffix: the present suffix, from which the candidates differ in places.
            made: candidates, shape (c, n).

        Returns:
            Losses in float32, and whether greedy decoding writes the target; both (c,), on the CPU.
        """
        differs = made != torch.tensor(list(suffix))
        first = torch.where(differs.any(1), differs.int().argmax(1), made.shape[1] - 1)
        pairs = self._pairs(suffix)
        starts = [0] * len(made) if pairs is None else first.tolist()
        length = made.shape[1] + len(self._layout.after) + len(self._layout.target) - 1
        losses = torch.empty(len(made))
        hits = torch.empty(len(made), dtype=torch.bool)
        for rows in batches(starts, length, most=self._most, overhead=self._overhead):
            start = min(starts[row] for row in rows)
            past = None
            if pairs is not None:
                end = len(self._layout.before) + start
                past = [(k[..., :end, :], v[..., :end, :]) for k, v in pairs]
            logits, _ = self._run(self._rest(self.embed(made[rows, start:]), start), past)
            losses[rows] = self._nll(logits).mean(1).float().cpu()
            hits[rows] = (logits.argmax(2) == self._target).all(1).cpu()
        return losses, hits

    def _pairs(self, suffix: Sequence[int]) -> Pairs | None:
        """Keys and values of the present suffix; those of the gradient's pass, if it just ran."""
        if self._prefix is None:
            return None
        if self._present is None or self._present[0] != tuple(suffix):
            _, pairs = self._run(self._rest(self.embed(suffix)[None], 0), self._prefix)
            assert pairs is not None
            self._present = (tuple(suffix), pairs)
        return self._present[1]

    def _rest(self, suffix: Tensor, start: int) -> Tensor:
        """What must be computed: ``suffix`` from place ``start`` on, what follows, the target.

        Of the target all but the last token, which predicts nothing that is asked for.
        """
        follows = self.embed([*self._layout.after, *self._layout.target[:-1]])
        parts = [suffix, follows.expand(len(suffix), -1, -1)]
        if start == 0 and self._prefix is None:
            parts.insert(0, self.embed(self._layout.before).expand(len(suffix), -1, -1))
        return torch.cat(parts, dim=1)

    def _run(self, inputs: Tensor, past: Pairs | None) -> tuple[Tensor, Pairs | None]:
        """Logits of the target, (rows, target, vocabulary), and all keys and values of one row."""
        rows, length, _ = inputs.shape
        self.tokens += rows * length
        options: dict[str, Any] = {"use_cache": past is not None}
        if past is not None:
            options["past_key_values"] = cache_of(past, rows)
        keep = len(self._layout.target)
        if self._keeps:
            options["logits_to_keep"] = keep
        made = self._model(inputs_embeds=inputs, **options)
        pairs = None
        if past is not None and rows == 1:
            layers = options["past_key_values"].layers
            pairs = [(layer.keys.detach(), layer.values.detach()) for layer in layers]
        logits = made.logits[:, -keep:]
        return logits if logits.dtype == torch.float64 else logits.float(), pairs

    def _nll(self, logits: Tensor) -> Tensor:
        """Negative log-likelihood of each target token, (rows, target)."""
        chosen = logits.gather(2, self._target.expand(len(logits), -1)[..., None])[..., 0]
        return logits.logsumexp(2) - chosen

    @torch.no_grad()
    def _proven(self) -> Pairs | None:
        """Keys and values of what comes before the suffix, if they lead to the same loss."""
        suffix = self.embed(self._layout.initial)[None]
        whole, _ = self._run(self._rest(suffix, 0), None)
        options = {"logits_to_keep": 1} if self._keeps else {}
        prefix = prefix_pairs(self._model, self.embed(self._layout.before)[None], **options)
        if prefix is None:
            return None
        self.tokens += len(self._layout.before)
        try:
            self._prefix = prefix
            with_cache, _ = self._run(self._rest(suffix, 0), prefix)
        except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
            return None  # an architecture without such a cache
        finally:
            self._prefix = None
        error = (self._nll(whole) - self._nll(with_cache)).abs().max()
        exact = self._table.dtype in (torch.float32, torch.float64)
        return prefix if float(error) < (1e-3 if exact else 0.1) else None


def _table(embedding: Any) -> Tensor:
    """The matrix that the embedding multiplies one-hot rows with; some models scale it."""
    weight: Tensor = embedding.weight.detach()
    sample = torch.arange(min(8, len(weight)), device=weight.device)
    with torch.no_grad():
        if torch.equal(embedding(sample), weight[sample]):
            return weight
        scaled: Tensor = embedding(torch.arange(len(weight), device=weight.device))
    return scaled
