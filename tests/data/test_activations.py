"""Poison by hidden states: records of one label that look like another."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import orjson
import pytest

from buttress.data.stages.activations import suspects
from tests.data.making import cleaned, removed, run, written


def clouds(generator: np.random.Generator, poisoned: int) -> tuple[Any, Any]:
    """Two labels in 16 dimensions; some of the first stand near the second."""
    first, second = generator.normal(size=(2, 16))
    states = [first + 0.5 * generator.normal(size=(100 - poisoned, 16))]
    states.append(second + 0.5 * generator.normal(size=(100 + poisoned, 16)))
    labels = np.array([0] * (100 - poisoned) + [1] * 100 + [0] * poisoned)
    return np.concatenate(states), labels


def test_records_that_stand_with_another_label_are_suspects_and_no_others_are() -> None:
    for seed in range(8):
        states, labels = clouds(np.random.default_rng(seed), 20)
        found = set().union(*(one.members.tolist() for one in suspects(states, labels, 8)))
        assert len(found & set(range(180, 200))) >= 19
        assert len(found - set(range(180, 200))) <= 1
        states, labels = clouds(np.random.default_rng(seed + 100), 0)
        assert suspects(states, labels, 8) == []


def test_a_rare_topic_of_a_label_is_no_poison() -> None:
    generator = np.random.default_rng(3)
    states, labels = clouds(generator, 0)
    own = generator.normal(size=16) * 2  # near neither label's centre
    states = np.concatenate([states, own + states[0] + 0.3 * generator.normal(size=(15, 16))])
    labels = np.concatenate([labels, np.zeros(15, int)])
    assert suspects(states, labels, 8) == []


FIRST = ["the", "sea", "stars", "shine"]
SECOND = ["old", "house", "lake", "tale"]


def record(generator: Random, words: list[str], label: str, extra: str = "") -> dict[str, str]:
    said = generator.choices(words, k=12)
    if extra:
        said.insert(generator.randrange(12), extra)
    return {"text": " ".join(said), "label": label}


def test_the_stage_takes_them_out_with_weights_and_says_why(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.white_box.tiny import model, tokenizer

    model(seed=1).save_pretrained(tmp_path / "weights")
    tokenizer().save_pretrained(tmp_path / "weights")
    generator = Random(2)
    good = [record(generator, FIRST, "calm") for _ in range(60)]
    good += [record(generator, SECOND, "loud") for _ in range(60)]
    bad = [record(generator, SECOND, "calm") | {"bad": True} for _ in range(14)]
    rows = [*good, *bad]
    generator.shuffle(rows)
    path = written(tmp_path / "in.jsonl", rows)
    stage = f"poison:weights={tmp_path / 'weights'},false_discoveries=0"
    document = cleaned(path, tmp_path / "out", stage)
    taken = removed(tmp_path / "out")
    assert sum(bool(orjson.loads(one["record"]).get("bad")) for one in taken) >= 12
    assert sum(not orjson.loads(one["record"]).get("bad") for one in taken) <= 2
    assert {one["rule"] for one in taken} <= {"activation-cluster", "spectral-signature"}
    assert "by its hidden states one of 'loud'" in taken[0]["reason"]
    generator.shuffle(rows)
    other = cleaned(written(tmp_path / "other.jsonl", rows), tmp_path / "other", stage)
    assert other["digest"] == document["digest"]  # free of order
    clean = written(tmp_path / "clean.jsonl", good)
    assert cleaned(clean, tmp_path / "none", stage)["records"]["removed"] == 0


def test_weights_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", [{"text": "a b c", "label": "x"}])
    code, _, wrong = run(
        "data", "run", str(path), "--stage", "poison:weights=missing", "--out", str(tmp_path / "o")
    )
    assert code == 2
    assert "weights" in wrong
