"""The share of a gap: its interval covers as stated, also where one stops by looking at it."""

from __future__ import annotations

import numpy as np
import pytest

from buttress.statistics.gap import gap_recovered
from buttress.statistics.paired import compare_pairs


def drawn(
    rng: np.random.Generator, count: int, overseer: float, worker: float, recovered: float
) -> tuple[np.ndarray, ...]:
    """Outcomes of which the protocol recovers a share of the gap; those of an item correlate."""
    hard = rng.random(count)
    o, w = hard < overseer, hard < worker
    p = np.where(rng.random(count) < recovered, w, o)
    return o.astype(float), w.astype(float), p.astype(float)


@pytest.mark.slow
def test_the_interval_covers_the_truth_while_looking_after_every_group() -> None:
    rng = np.random.default_rng(1)
    missed_share = missed_gain = decided = 0
    for _ in range(150):
        o, w, p = drawn(rng, 160, 0.55, 0.9, 0.5)
        for stop in range(16, 161, 16):
            gain = compare_pairs(o[:stop], p[:stop])
            if gain.low > 0 or stop == 160:
                decided += gain.low > 0
                break
        share = gap_recovered(o[:stop], w[:stop], p[:stop])
        assert share is not None
        missed_share += not share[1] <= 0.5 <= share[2]
        missed_gain += not gain.low <= 0.175 <= gain.high
    assert decided > 100  # stopped early in most, which is what biases naive intervals
    assert missed_share <= 15  # at 5 % the chance of more is 0.005
    assert missed_gain <= 15


def test_known_shares() -> None:
    o, w = np.zeros(200), np.ones(200)
    full = gap_recovered(o, w, w)
    assert full is not None
    assert full[0] == 1
    assert 0.9 < full[1] <= 1 <= full[2] < 1.1
    none = gap_recovered(o, w, o)
    assert none is not None
    assert none[0] == 0
    assert none[1] <= 0 <= none[2] < 0.1
    half = gap_recovered(o, w, np.arange(200) % 2)
    assert half is not None
    assert 0.3 < half[1] < half[0] == 0.5 < half[2] < 0.7


def test_without_a_gap_there_is_no_share() -> None:
    same = np.array([1.0, 0.0, 1.0])
    assert gap_recovered(same, same, same) is None
    assert gap_recovered([], [], []) is None
    unsure = gap_recovered([0, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1])
    assert unsure is not None
    assert unsure[1] == pytest.approx(-2)
    assert unsure[2] == pytest.approx(3)
