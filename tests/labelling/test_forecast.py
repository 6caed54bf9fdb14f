"""What a forecast of the interval says, beside what labels then bring."""

from __future__ import annotations

import numpy as np
import pytest

from buttress.evidence.records import Label, Trial
from buttress.labelling.estimate import rate_of
from buttress.labelling.forecast import Forecast, forecast
from buttress.labelling.sample import Sample, population
from tests.labelling.stores import REFUSAL, trials

LOW, HIGH = 0.01, 0.05


def scored(number: int, seed: int) -> list[Trial]:
    """Trials whose scores are probabilities of failure, most of them small."""
    chance = np.random.default_rng(seed)
    made = []
    for index, score in enumerate(chance.beta(0.3, 2.0, number)):
        key = f"key-{index:04}"
        made += trials([REFUSAL], key=key, item=key, score=float(score))
    return population(made)


def give(sample: Sample, labels: int, seed: int) -> None:
    """Draw trials as a labelling session does, each labelled as its score says."""
    chance = np.random.default_rng(seed)
    for _ in range(labels):
        draw = sample.next(seed)
        assert draw is not None
        one = draw.trial
        failed = float(chance.random() < one.score)
        sample.add(Label(one.key, one.probe, one.asset, one.item, failed, "ann", draw.chance))


@pytest.mark.parametrize("known", [0, 40])
def test_the_interval_comes_out_about_as_forecast_where_scores_are_right(known: int) -> None:
    made = scored(300, seed=1)
    sample = Sample(made)
    give(sample, known, seed=2)
    now = 1.0 if not known else rate_of(sample, LOW, HIGH).system.width
    told = forecast(sample, LOW, HIGH, width=now)
    assert isinstance(told, Forecast)
    assert told.width <= 0.9 * now
    assert told.minutes == told.labels * 8 / 60
    widths = []
    for seed in range(10, 22):
        real = Sample(made)
        give(real, known, seed=2)
        give(real, told.labels, seed)
        widths.append(rate_of(real, LOW, HIGH).system.width)
    assert told.width == pytest.approx(float(np.median(widths)), rel=0.2)


def test_more_labels_are_asked_for_where_few_are_no_gain() -> None:
    sample = Sample(scored(300, seed=3))
    few = forecast(sample, LOW, HIGH, width=1.0)
    assert few is not None
    assert few.labels == 30
    more = forecast(sample, LOW, HIGH, width=few.width)
    assert more is not None
    assert more.labels > few.labels
    assert more.width < 0.9 * few.width


def test_nothing_is_promised_that_labels_cannot_bring() -> None:
    assert forecast(Sample(scored(300, seed=4)), LOW, HIGH, width=0.01) is None
    assert forecast(Sample(scored(29, seed=4)), LOW, HIGH, width=1.0) is None
    assert forecast(Sample([]), LOW, HIGH, width=1.0) is None
