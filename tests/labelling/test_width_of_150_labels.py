"""What 150 labels of the system's own answers are worth, beside the delta method's interval.

The delta method (Rogan & Gladen 1978, with the variances of sensitivity, specificity and judged
rate added) holds for one look at a number of labels that was fixed beforehand, and for large
numbers. Ours holds whenever one looks, so it may be somewhat wider, not a multiple.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from buttress.evidence.records import Label
from buttress.labelling.estimate import rate_of
from buttress.labelling.sample import Sample, population
from buttress.statistics.correction import clopper_pearson
from tests.labelling.stores import REFUSAL, trials

LOW, HIGH = 0.01, 0.05  # errors of the two bounds
TRIALS, LABELS, STORES = 600, 150, 40
RATE, SENSITIVITY, FALSE = 0.1, 0.9, 0.05


def delta_width(judged: np.ndarray, truth: np.ndarray, labelled: np.ndarray) -> float:
    """Of the delta method's interval, half a label added to each cell of the table."""
    said, true = judged[labelled], truth[labelled]
    positives, negatives = true.sum() + 1, (~true).sum() + 1
    hit = ((said & true).sum() + 0.5) / positives
    false = ((said & ~true).sum() + 0.5) / negatives
    share = judged.mean()
    rate = (share - false) / (hit - false)
    variance = (
        share * (1 - share) / TRIALS
        + rate**2 * hit * (1 - hit) / positives
        + (1 - rate) ** 2 * false * (1 - false) / negatives
    ) / (hit - false) ** 2
    return float(-(ndtri(LOW) + ndtri(HIGH)) * math.sqrt(variance))


@pytest.mark.parametrize("sure", [False, True], ids=["calibrated scores", "overconfident scores"])
def test_the_interval_is_nearly_as_narrow_and_holds_the_rate(*, sure: bool) -> None:
    rng = np.random.default_rng(5)
    (template,) = trials([REFUSAL])
    right = RATE * SENSITIVITY / (RATE * SENSITIVITY + (1 - RATE) * FALSE)
    wrong = RATE * (1 - SENSITIVITY) / (RATE * (1 - SENSITIVITY) + (1 - RATE) * (1 - FALSE))
    scores = (0.98, 0.02) if sure else (right, wrong)
    widths, deltas, too_high, too_low = [], [], 0, 0
    for store in range(STORES):
        truth = rng.random(TRIALS) < RATE
        judged = np.where(truth, rng.random(TRIALS) < SENSITIVITY, rng.random(TRIALS) < FALSE)
        made = [
            replace(template, key=key, item=key, score=scores[0] if failed else scores[1])
            for key, failed in zip(
                (f"key-{index:04}" for index in range(TRIALS)), judged, strict=True
            )
        ]
        sample = Sample(population(made))
        places = {trial.key: place for place, trial in enumerate(sample.trials)}
        for _ in range(LABELS):
            draw = sample.next(store)
            assert draw is not None
            one = draw.trial
            outcome = float(truth[places[one.key]])
            sample.add(Label(one.key, one.probe, one.asset, one.item, outcome, "ann", draw.chance))
        known = rate_of(sample, LOW, HIGH).system
        widths.append(known.width)
        deltas.append(delta_width(judged, truth, rng.permutation(TRIALS)[:LABELS]))
        too_high += known.low > RATE
        too_low += known.high < RATE
    assert float(np.mean(widths)) < 1.35 * float(np.mean(deltas))
    # At the nominal errors more than so many have a probability below 1 % (binomial).
    assert too_high <= binom.ppf(0.99, STORES, LOW)
    assert too_low <= binom.ppf(0.99, STORES, HIGH)


def test_labels_of_a_random_sample_alone_are_narrower_than_the_delta_method() -> None:
    """Fixed beforehand and counted without the judge: exact at any rate, ``test_correction``."""
    low, _ = clopper_pearson(round(RATE * LABELS), LABELS, LOW)
    _, high = clopper_pearson(round(RATE * LABELS), LABELS, HIGH)
    assert high - low == pytest.approx(0.099, abs=0.0005)
    # As often as this interval is wrong, over all numbers of failures, at rates around it.
    numbers = np.arange(LABELS + 1)
    bounds = np.array(
        [
            (clopper_pearson(k, LABELS, LOW)[0], clopper_pearson(k, LABELS, HIGH)[1])
            for k in numbers.tolist()
        ]
    )
    for rate in (0.01, 0.05, 0.1, 0.13, 0.3):
        chance = binom.pmf(numbers, LABELS, rate)
        assert chance[bounds[:, 0] > rate].sum() <= LOW
        assert chance[bounds[:, 1] < rate].sum() <= HIGH
