"""The audit of differential privacy: exact values, coverage, input that is not usable."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from scipy.stats import binom

from buttress.documents.schemas import as_object
from buttress.probes.privacy.audit_scores import CanaryScores, audit
from buttress.statistics.privacy_audit import (
    epsilon_bound,
    largest_bound,
    pair_guesses,
    single_guesses,
    tail_bound,
)
from tests.data.making import run


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def responses(
    generator: np.random.Generator, count: int, epsilon: float, paired: bool
) -> list[CanaryScores]:
    """Scores that tell each coin by randomised response: exactly ε, and no more."""
    coins = generator.random(count) < 0.5
    told = np.where(generator.random(count) < 1 / (1 + math.exp(-epsilon)), coins, ~coins)
    sure = generator.exponential(size=count)  # how far apart says nothing about right or wrong
    scores = np.where(told, sure, -sure)
    rows = []
    for number, (coin, score) in enumerate(zip(coins.tolist(), scores.tolist(), strict=True)):
        if paired:
            # The coin chose the first or the second; the score is for the first.
            rows.append(CanaryScores(str(number), *((score, 0.0) if coin else (0.0, score))))
        else:
            rows.append(CanaryScores(str(number), *((score, None) if coin else (None, score))))
    return rows


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("epsilon", "alpha"), [(0.0, 0.1), (1.0, 0.1), (2.5, 0.05)])
def test_the_bound_holds_and_is_not_idle(paired: bool, epsilon: float, alpha: float) -> None:
    generator = np.random.default_rng([2023, int(epsilon * 10), paired])
    bounds = [
        audit(responses(generator, 200, epsilon, paired), delta=0.0, alpha=alpha).bound.epsilon_low
        for _ in range(120)
    ]
    wrong = sum(bound > epsilon for bound in bounds)
    assert binom.sf(wrong - 1, len(bounds), alpha) > 1e-3  # no more than alpha, up to chance
    if epsilon >= 1:
        assert np.mean(bounds) > 0.6 * epsilon


def test_scores_without_signal_show_nothing() -> None:
    """Independent normal scores; a bound that picks its best threshold gives 3 and more here."""
    generator = np.random.default_rng(270)
    bounds = []
    for _ in range(60):
        rows = [
            CanaryScores(str(number), *generator.normal(size=2).tolist()) for number in range(300)
        ]
        bounds.append(audit(rows, delta=1e-5, alpha=0.05).bound.epsilon_low)
    assert sum(bound > 0 for bound in bounds) <= 8
    assert max(bounds) < 0.6


def test_delta_is_paid_for() -> None:
    """Who tells every coin with probability δ is (0, δ)-private; with small m the bound sees it."""
    plain = epsilon_bound(100, 100, 90, 0.0, 0.05)
    assert plain > epsilon_bound(100, 100, 90, 1e-3, 0.05) > epsilon_bound(100, 100, 90, 0.01, 0.05)
    # i = 1: the whole mass at v - 1 counts, 2 m δ times.
    wanted = binom.sf(9, 10, 0.5) + 2 * 10 * 1e-3 * max(
        (binom.sf(9 - i, 10, 0.5) - binom.sf(9, 10, 0.5)) / i for i in range(1, 11)
    )
    assert tail_bound(10, 10, 10, 0.0, 1e-3) == pytest.approx(wanted)


def test_the_most_that_canaries_can_show() -> None:
    """All right: q^r = alpha, so ε = log(q / (1 - q)); the grid costs a quarter of alpha."""
    q = (0.05 / 4) ** (1 / 1000)
    assert largest_bound(1000, 1000, delta=0.0, alpha=0.05) == pytest.approx(
        math.log(q / (1 - q)), rel=1e-6
    )
    half = largest_bound(1000, 1000, delta=0.0, alpha=0.05, two_steps=True)
    assert half == pytest.approx(math.log(q / (1 - q)) / 2, rel=1e-6)


def test_guesses_are_in_order_of_confidence() -> None:
    assert pair_guesses([("a", 1.0, 0.0), ("b", 0.0, 3.0), ("c", 5.0, 5.0)]) == [
        False, True, False
    ]  # fmt: skip
    singles = [("a", 9.0, True), ("b", 1.0, False), ("c", 5.0, False), ("d", 4.0, True)]
    assert single_guesses(singles) == [True, True, False, False]


def test_ties_are_not_broken_by_the_order_of_lines() -> None:
    rows = [(str(number), 1.0, 0.0) for number in range(40)]
    rows += [(str(number), 0.0, 1.0) for number in range(40, 80)]
    assert pair_guesses(rows) == pair_guesses(rows[::-1])
    assert not all(pair_guesses(rows)[:40])


def test_the_command(tmp_path: Path) -> None:
    strong = [{"id": number, "in": number + 1.0, "out": 0} for number in range(500)]
    path = written(tmp_path / "scores.jsonl", strong)
    code, said, _ = run(
        "privacy", "audit", str(path), "--delta", "1e-5", "--claimed", "1", "--json"
    )
    assert code == 1
    document = orjson.loads(said)
    as_object("privacy-audit", document)
    assert document["outcome"] == "refuted"
    assert document["correct"] == document["guesses"]
    assert document["epsilon_low"] == document["largest"] > 4
    code, said, _ = run("privacy", "audit", str(path), "--delta", "1e-5", "--claimed", "9")
    assert code == 3
    assert "Undecided" in said
    one = written(
        tmp_path / "one.jsonl",
        [
            {"id": n, "in": n % 7, "out": None} if n % 2 else {"id": n, "out": n % 7}
            for n in range(99)
        ],
    )
    code, said, _ = run("privacy", "audit", str(one), "--delta", "0", "--claimed", "1")
    assert code == 0
    assert "does not prove it" in said
    code, _, wrong = run("privacy", "audit", str(one), "--delta", "0", "--adjacency", "replace")
    assert code == 2
    assert "--adjacency" in wrong


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text('{"id": "中文甲", "in": 1, "out": 2}\n', "gbk")
    code, _, wrong = run("privacy", "audit", str(path), "--delta", "1e-5")
    assert code == 2
    assert f"{path}:1: byte 8 is not UTF-8; the file may be GB 18030" in wrong
    assert wrong.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "no canary"),
        ("{", ":1: not valid JSON"),
        ("[1]", ":1: no JSON object"),
        ('{"in": 1, "out": 2}', ":1: id"),
        ('{"id": 1, "in": "x", "out": 2}', ":1: in"),
        ('{"id": 1, "in": true, "out": 2}', ":1: in"),
        ('{"id": 1, "in": 1e999, "out": 2}', ":1: "),
        ('{"id": 1, "in": NaN, "out": 2}', ":1: not valid JSON"),
        ('{"id": 1, "in": null}', ":1: in: no score"),
        ('{"id": 1, "in": 1, "out": 2}\n{"id": "1", "in": 1, "out": 2}', ":2: id: '1' stands"),
        ('{"id": 1, "in": 1, "out": 2}\n{"id": 2, "in": 1}', ":2: pairs and single"),
        ("\n".join(f'{{"id": {n}, "in": {n}}}' for n in range(40)), "40 of 40 canaries"),
    ],
)
def test_what_is_not_usable_is_said_in_one_line(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(text)
    code, _, wrong = run("privacy", "audit", str(path), "--delta", "1e-5")
    assert code == 2
    assert wanted in wrong
    assert wrong.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--delta", "1"], ["--delta", "-1"], ["--delta", "nan"],
        ["--delta", "0", "--claimed", "-1"], ["--delta", "0", "--claimed", "inf"],
        ["--delta", "0", "--confidence", "1"],
    ],
)  # fmt: skip
def test_numbers_that_are_not_usable(tmp_path: Path, arguments: list[str]) -> None:
    path = written(tmp_path / "scores.jsonl", [{"id": 1, "in": 1, "out": 2}])
    code, _, wrong = run("privacy", "audit", str(path), *arguments)
    assert code == 2
    assert "--" in wrong
