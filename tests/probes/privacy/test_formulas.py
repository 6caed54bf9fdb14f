"""Formulas of attacks, exposure and continuation against plain computations and simulations."""

from __future__ import annotations

import math
import zlib
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from scipy.stats import binom, norm

from buttress.probes.privacy.blind import blind_result, blind_scores
from buttress.probes.privacy.exposure import chance_bits, combined_p_value, exposure
from buttress.probes.privacy.extraction import chance, compare, split
from buttress.probes.privacy.membership import ATTACKS
from buttress.probes.privacy.neighbours import neighbours, word_pool
from buttress.probes.privacy.token_scores import TokenScores
from buttress.statistics.roc import auc, auc_interval, tpr_at


def test_attacks_are_as_by_hand() -> None:
    one = TokenScores(
        id="a", text="abc abc", member=True, log_probabilities=[-1.0, -4.0, -2.0, -5.0, -3.0] * 2,
        means=[-2.0] * 10, deviations=[0.5] * 9 + [0.0],
        reference_log_probabilities=[-4.0, -2.0],
        prefixed_log_probabilities=[-6.0] * 10, neighbours=[-3.5, -4.5],
    )  # fmt: skip
    found = {name: attack(one) for name, attack in ATTACKS.items()}
    packed = len(zlib.compress(b"abc abc"))
    # Standardised: (-5 + 2) / 0.5 = -6, and at the certain token (-3 + 2) / 1e-8.
    assert found == pytest.approx(
        {
            "loss": -3.0, "zlib": -3.0 / packed, "min-k": -5.0, "min-k++": (-1e8 - 6.0) / 2,
            "reference": 0.0, "recall": 2.0, "neighbourhood": 1.0,
        }
    )  # fmt: skip


def test_a_short_text_has_a_least_likely_token() -> None:
    one = TokenScores(id="a", text="x", member=True, log_probabilities=[-1.0, -2.0, -0.5])
    assert ATTACKS["min-k"](one) == -2.0
    assert ATTACKS["min-k++"](one) is None


def test_the_area_is_the_share_of_pairs() -> None:
    generator = Random(1)
    for _ in range(20):
        first = [generator.randrange(6) for _ in range(generator.randint(1, 12))]
        second = [generator.randrange(6) for _ in range(generator.randint(1, 12))]
        pairs = [(a > b) + (a == b) / 2 for a in first for b in second]
        assert auc(first, second) == pytest.approx(sum(pairs) / len(pairs))


@pytest.mark.parametrize(("sizes", "shift"), [((30, 30), 0.0), ((40, 80), 1.0), ((25, 25), 3.0)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_intervals_of_the_area_cover(sizes: tuple[int, int], shift: float, alpha: float) -> None:
    generator = np.random.default_rng([sizes[1], int(shift), int(alpha * 100)])
    true = float(norm.cdf(shift / math.sqrt(2)))
    missed = 0
    for _ in range(400):
        seen = auc_interval(
            generator.normal(shift, 1, sizes[0]), generator.normal(0, 1, sizes[1]), alpha
        )
        missed += not seen.low <= true <= seen.high
    assert binom.sf(missed - 1, 400, alpha) > 1e-3


def test_perfect_separation_is_not_certain() -> None:
    seen = auc_interval([5.0, 6.0, 7.0] * 4, [1.0, 2.0, 3.0] * 4)
    assert seen.value == 1.0 == seen.high
    assert 0.7 < seen.low < 0.95
    seen = auc_interval([1.0] * 9, [2.0] * 9)
    assert seen.value == 0.0 == seen.low
    assert seen.high < 0.5


@pytest.mark.parametrize(("rate", "count"), [(0.01, 1500), (0.1, 100)])
def test_intervals_of_hits_cover(rate: float, count: int) -> None:
    generator = np.random.default_rng(int(rate * 1000))
    true = float(norm.sf(norm.isf(rate) - 2))
    missed = 0
    for _ in range(300):
        seen = tpr_at(generator.normal(2, 1, 200), generator.normal(0, 1, count), rate)
        missed += not seen.low <= true <= seen.high
    assert binom.sf(missed - 1, 300, 0.05) > 1e-3
    assert 0 < seen.low < true < seen.high < 1


def test_hits_at_few_false_alarms_need_texts() -> None:
    members = [float(number) for number in range(100)]
    seen = tpr_at(members, [0.5] * 50, 0.01)
    assert seen.value is None
    assert seen.low == 0
    assert tpr_at(members, [float(number) for number in range(100)], 0.1).value == 0.1


def texts_of(generator: Random, count: int, extra: str = "") -> list[str]:
    words = [f"w{number}" for number in range(300)]
    weights = [1 / (number + 1) for number in range(300)]
    return [" ".join(generator.choices(words, weights, k=40)) + extra for _ in range(count)]


def test_the_blind_classifier_hears_a_difference_and_nothing_else() -> None:
    generator = Random(3)
    flagged = 0
    for draw in range(12):
        seen = blind_result(texts_of(generator, 30), texts_of(generator, 30), draw)
        flagged += seen.distinguishes
    assert binom.sf(flagged - 1, 12, 0.05) > 1e-3
    old, new = texts_of(generator, 40, " in 2019"), texts_of(generator, 40, " in 2026")
    seen = blind_result(old, new)
    assert seen.distinguishes
    assert seen.auc.value > 0.95
    chinese = blind_result(
        [f"今天天气很好去公园散步{number}" for number in range(20)],
        [f"数据库连接失败请重试{number}" for number in range(20)],
    )
    assert chinese.distinguishes


def test_equal_texts_share_a_fold() -> None:
    """Otherwise a text that stands in both groups would tell its own label."""
    texts = [f"text number {number} of many" for number in range(25)]
    scores = blind_scores([*texts, *texts], [True] * 25 + [False] * 25)
    assert auc(scores[:25], scores[25:]) == pytest.approx(0.5, abs=0.02)


def test_exposure_by_rank() -> None:
    seen = exposure(-5.0, [-6.0] * 999, 8)
    assert seen.saturated
    assert seen.bits == pytest.approx(math.log2(1000))
    assert seen.high == pytest.approx(8 * math.log2(10))
    assert seen.low < seen.bits
    seen = exposure(-5.0, [-4.0] * 499 + [-6.0] * 500, 8)
    assert seen.bits == pytest.approx(1.0)
    assert seen.low < 1 < seen.high
    assert not seen.saturated
    assert exposure(-5.0, [-4.0] * 999, 8).bits == 0


def test_exposure_without_training_is_chance() -> None:
    generator = np.random.default_rng(4)
    ranks = [
        exposure(float(one[0]), one[1:].tolist(), 8) for one in generator.normal(size=(800, 201))
    ]
    bits = [one.bits for one in ranks]
    spread = float(np.std(bits)) / math.sqrt(len(bits))
    assert abs(float(np.mean(bits)) - chance_bits(200)) < 4 * spread
    small = sum(combined_p_value([one.p_value for one in ranks[at : at + 4]]) <= 0.1
                for at in range(0, 800, 4))  # fmt: skip
    assert binom.sf(small - 1, 200, 0.1) > 1e-3


def test_the_interval_of_exposure_covers() -> None:
    """The secret is more likely than a share p of all others: its exposure is -log2 p."""
    generator = np.random.default_rng(5)
    for p in (0.5, 0.01):
        place = float(norm.isf(p))
        missed = 0
        for _ in range(300):
            seen = exposure(place, generator.normal(size=200).tolist(), 8)
            missed += not seen.low <= -math.log2(p) <= seen.high
        assert binom.sf(missed - 1, 300, 0.05) > 1e-3


def test_extrapolation_goes_beyond_the_references() -> None:
    generator = np.random.default_rng(6)
    seen = exposure(6.0, generator.normal(size=1000).tolist(), 12)
    true = -math.log2(norm.sf(6.0))  # 29.9 bits
    assert seen.bits == pytest.approx(math.log2(1001))
    assert seen.extrapolated == pytest.approx(true, rel=0.35)


def edits_in_python(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for number, one in enumerate(first, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(second, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (one != other)),
            )
    return row[-1]


def test_continuations_are_compared_as_by_hand() -> None:
    generator = Random(7)
    for _ in range(60):
        first = "".join(generator.choices("abc", k=generator.randint(1, 15)))
        second = "".join(generator.choices("abc", k=generator.randint(0, 15)))
        cut = second[: len(first)]
        seen = compare(list(map(ord, first)), list(map(ord, second)), -1.0)
        longest = max(
            (end - start for start in range(len(first)) for end in range(start, len(first) + 1)
             if first[start:end] in cut),
        )  # fmt: skip
        assert seen.verbatim == (cut == first)
        assert seen.similarity == pytest.approx(1 - edits_in_python(first, cut) / len(first))
        assert seen.longest_run == longest


def test_the_chance_of_a_hit() -> None:
    assert chance(math.log(0.25), 1) == pytest.approx(0.25)
    assert chance(math.log(0.25), 3) == pytest.approx(1 - 0.75**3)
    assert chance(-200.0, 1000) == pytest.approx(1000 * math.exp(-200), rel=1e-6)
    assert chance(0.0, 5) == 1.0
    rates = [chance(-3.0, draws) for draws in (1, 10, 100)]
    assert all(one < other for one, other in pairwise(rates))


def test_texts_are_split_into_prefix_and_suffix() -> None:
    assert split(range(15), 50, 50) is None
    assert split(range(20), 50, 50) == (list(range(10)), list(range(10, 20)))
    assert split(range(200), 50, 50) == (list(range(50)), list(range(50, 100)))


def test_neighbours_differ_by_a_tenth_of_the_words() -> None:
    text = " ".join(f"w{number}" for number in range(40)) + ", 你好。"
    pool = word_pool(["other words stand here"])
    for one in neighbours(text, pool, 5, 0):
        first, second = word_pool([text]), word_pool([one])
        changed = [a for a, b in zip(first, second, strict=True) if a != b]
        assert len(changed) == 4
    assert neighbours(text, pool, 5, 0) == neighbours(text, pool, 5, 0)
    assert neighbours("...", pool, 5, 0) == []
