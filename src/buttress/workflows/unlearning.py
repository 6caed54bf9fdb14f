"""What unlearning did: forget, retain and holdout sets before and after, and after relearning.

A model that no longer writes something may still hold it. Training the result for a few steps on a
part of what was to be forgotten shows how much of the *rest* comes back (Lynch et al. 2024, "Eight
methods to evaluate robust unlearning in LLMs"). Holdout records are like those to be forgotten and
were never trained on: a model that has forgotten treats both alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import numpy as np
from scipy.stats import t as student

from buttress.probes.privacy.blind import blind_result
from buttress.probes.privacy.extraction import compare
from buttress.probes.privacy.membership_result import LEAST
from buttress.statistics.roc import auc_interval
from buttress.training.adapter import add_adapter
from buttress.training.answer_logits import all_log_probabilities
from buttress.training.examples import ExampleSet, TrainingExample
from buttress.training.loop import train
from buttress.training.objective import terms_of
from buttress.training.settings import TuneSettings
from buttress.white_box.answers import continuations
from buttress.white_box.loading import load

RELEARN_STEPS: Final = 20
_EXTRACTED: Final = 50  # examples whose continuation is written
_SUFFIX: Final = 50  # tokens of it
_ALPHA: Final = 0.05
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UnlearningSets:
    """Examples of each set; ``rest`` and ``again`` part ``forget`` by record."""

    forget: Sequence[TrainingExample]
    holdout: Sequence[TrainingExample]
    retain: Sequence[TrainingExample]
    again: Sequence[TrainingExample]

    @property
    def rest(self) -> list[TrainingExample]:
        """What is to be forgotten and is not trained on again."""
        known = {one.record for one in self.again}
        return [one for one in self.forget if one.record not in known]

    @classmethod
    def of(
        cls,
        forget: ExampleSet,
        holdout: ExampleSet,
        retain: ExampleSet | None,
        *,
        relearn: int,
        seed: int,
    ) -> UnlearningSets:
        """With ``relearn`` records of ``forget``, drawn by ``seed``, to be trained on again."""
        records = sorted({one.record for one in forget.examples})
        # Half of them stay at least: what comes back is measured on the rest.
        count = min(relearn, len(records) // 2)
        chosen = set(Random(f"relearn {seed}").sample(records, count))
        again = [one for one in forget.examples if one.record in chosen]
        return cls(forget.examples, holdout.examples, retain.examples if retain else (), again)


def unlearning_part(
    before: Path,
    after: Path,
    sets: UnlearningSets,
    settings: TuneSettings,
    *,
    seed: int,
    device: str,
    say: Say,
) -> dict[str, Any]:
    """The part ``unlearning`` of the document of `buttress tune`.

    Args:
        before: the base model's folder.
        after: the folder of the adapter.
        sets: what is measured.
        settings: of the run; relearning takes its adapter, learning rate and batch.
        seed: of relearning.
        device: where models run.
        say: is told what goes on.
    """
    found: dict[str, _State] = {}
    for name, folder in (("before", before), ("after", after)):
        say(f"unlearning: measuring {name}")
        model, tokenizer = load(folder, device=device)
        found[name] = _measured(model, tokenizer, sets)
    if sets.again:
        say(f"unlearning: relearning on {len(sets.again)} examples")
        model = _relearned(model, sets, settings, seed)
        found["relearned"] = _measured(model, tokenizer, sets)
    texts = [str(tokenizer.decode(list(one.ids))) for one in (*sets.forget, *sets.holdout)]
    forget = len(sets.forget)
    blind = None
    if min(forget, len(sets.holdout)) >= LEAST:
        seen = blind_result(texts[:forget], texts[forget:], seed).auc
        blind = {"auc": seen.value, "auc_low": seen.low, "auc_high": seen.high}
    return {
        "relearned_records": len({one.record for one in sets.again}),
        "relearn_steps": RELEARN_STEPS if sets.again else 0,
        "blind": blind,
        "states": [{"state": name, **_state_row(one)} for name, one in found.items()],
        "changes": {
            f"{first} to {second}": {
                part: _change(found[first].means[part], found[second].means[part])
                for part in found[first].means
            }
            for first, second in (("before", "after"), ("after", "relearned"))
            if second in found
        },
    }


@dataclass(frozen=True, slots=True)
class _State:
    """Mean log-probability of a token of each example, by set; how ``forget`` is continued."""

    means: Mapping[str, Sequence[float]]
    continued: int
    verbatim: int
    near: int


def _measured(model: Any, tokenizer: Any, sets: UnlearningSets) -> _State:
    means: dict[str, Sequence[float]] = {}
    for name in ("forget", "rest", "holdout", "retain"):
        examples: Sequence[TrainingExample] = getattr(sets, name)
        if examples and (name != "rest" or sets.again):
            sums = all_log_probabilities(model, examples).tolist()
            means[name] = [total / one.learned for total, one in zip(sums, examples, strict=True)]
    halves = [_halves(one, tokenizer.eos_token_id) for one in sets.rest[:_EXTRACTED]]
    written = continuations(model, tokenizer, [one[0] for one in halves], _SUFFIX)
    found = [
        compare(wanted, said[: len(wanted)], 0.0)
        for (_, wanted), said in zip(halves, written, strict=True)
    ]
    return _State(
        means, len(found), sum(one.verbatim for one in found), sum(one.near for one in found)
    )


def _halves(one: TrainingExample, end: int | None) -> tuple[list[int], list[int]]:
    """A prompt and its answer, or the halves of a text; without the token that ends it."""
    ids = list(one.ids)
    if ids[-1] == end and one.learned > 1:
        ids.pop()
    start = one.start if one.start > 1 else max(1, len(ids) // 2)
    return ids[:start], ids[start : start + _SUFFIX]


def _relearned(model: Any, sets: UnlearningSets, settings: TuneSettings, seed: int) -> Any:
    fields = {
        "method": "sft", "steps": RELEARN_STEPS, "retain_loss": None, "validate_every": None,
        "harm_limit": None, "kl_budget": None,
    }  # fmt: skip
    again = msgspec.structs.replace(settings, **fields)
    adapted = add_adapter(model, again.lora, seed)
    data = ExampleSet(examples=list(sets.again), records=len(sets.again))
    train(adapted, terms_of(adapted, again, data, None, seed), again, seed=seed)
    return adapted


def _state_row(state: _State) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in ("forget", "rest", "holdout", "retain"):
        values = state.means.get(name)
        row[name] = None if values is None else _mean(values)
    row["rest_continued"] = state.continued
    row["rest_verbatim"] = state.verbatim
    row["rest_near"] = state.near
    for name in ("forget", "rest"):
        values = state.means.get(name)
        area = None if values is None else auc_interval(values, state.means["holdout"])
        row[f"{name}_auc"] = (
            None
            if area is None
            else {"auc": area.value, "auc_low": area.low, "auc_high": area.high}
        )
    return row


def _mean(values: Sequence[float]) -> dict[str, Any]:
    middle, reach = _interval(values)
    return {
        "examples": len(values),
        "log_probability": middle,
        "low": middle - reach,
        "high": middle + reach,
        "perplexity": math.exp(min(-middle, 700.0)),
    }


def _change(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """Paired by example: log-probability of a token after less that before."""
    middle, reach = _interval([two - one for one, two in zip(first, second, strict=True)])
    return {"mean": middle, "low": middle - reach, "high": middle + reach}


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval by Student's t; 0 for a single value."""
    if len(values) < 2:
        return values[0], 0.0
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return float(np.mean(values)), float(student.ppf(1 - _ALPHA / 2, len(values) - 1)) * spread
