"""The proof ``examples/clean-the-data``: its corpus, and when its verdict says that it helped.

The training itself takes minutes; ``make clean-data`` runs it.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

pytest.importorskip("torch")

from buttress.white_box.loading import load
from tests.data.making import cleaned, kept

FOLDER = Path(__file__).resolve().parents[2] / "examples/clean-the-data"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("corpus", "verdict", "small_model", "smollm2", "subjects", "interventions"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def part(name: str) -> Any:
    """A module of the example."""
    return import_module(name)


def sizes() -> list[Any]:
    """Of each model, the small one."""
    return [one.small for one in part("subjects").SUBJECTS]


def figures(bits: tuple[float, float], perplexity: tuple[float, float]) -> dict[str, Any]:
    names = part("verdict").FIGURES

    found = []
    for place in range(2):
        one: dict[str, Any] = dict.fromkeys(names, 0.5)
        one["bits of repeated canaries"] = bits[place]
        one["perplexity"] = perplexity[place]
        found.append(one)
    return {"before": found[0], "after": found[1]}


def test_cleaning_helped_where_exposure_surely_fell_at_no_cost() -> None:
    decide = part("verdict").decide

    fell = [(9.0, 2.0), (8.5, 1.5), (9.5, 2.5)]
    assert decide([figures(one, (100, 99)) for one in fell])["helped"]
    assert not decide([figures(one, (100, 110)) for one in fell])["helped"]
    unsure = [(9.0, 2.0), (2.0, 4.0), (3.0, 2.5)]
    result = decide([figures(one, (100, 99)) for one in unsure])
    assert not result["helped"]
    assert not result["exposure fell"]
    assert result["perplexity no worse"]
    assert not decide([figures((2.0, 2.0), (100, 99))] * 3)["helped"]


def test_intervals_are_student_s() -> None:
    interval = part("verdict").interval

    middle, low, high = interval([1.0, 2.0, 3.0])
    assert middle == 2.0
    assert high - middle == pytest.approx(4.302653 / 3**0.5, abs=1e-5)
    assert middle - low == pytest.approx(high - middle)
    assert interval([1.0])[1:] == (float("-inf"), float("inf"))


@pytest.mark.parametrize("which", [0, 1])
def test_the_corpus_holds_what_is_planted_as_often_as_said(tmp_path: Path, which: int) -> None:
    build, texts, size = part("corpus").build, part("corpus").texts, sizes()[which]

    corpus = build(tmp_path / "a", size, 1)
    counts = Counter(texts(corpus.planted))
    canaries = [orjson.loads(line) for line in corpus.canaries.read_bytes().splitlines()]
    assert Counter(one["repeats"] for one in canaries) == dict.fromkeys(size.repeats, size.canaries)
    for one in canaries:
        assert counts[one["prefix"] + one["secret"] + one["suffix"]] == one["repeats"]
    people = texts(corpus.people)
    assert all(counts[text] == size.people_repeats for text in people)
    held_out = set(texts(corpus.held_out))
    assert len(held_out) == size.held_out
    assert not held_out & set(counts)
    again = build(tmp_path / "b", size, 1)
    assert again.planted.read_bytes() == corpus.planted.read_bytes()
    assert build(tmp_path / "c", size, 2).planted.read_bytes() != corpus.planted.read_bytes()


@pytest.mark.parametrize("which", [0, 1])
def test_cleaning_leaves_each_canary_once_and_hides_people(tmp_path: Path, which: int) -> None:
    build, subject = part("corpus").build, part("subjects").SUBJECTS[which]
    size = subject.size if which else subject.small

    corpus = build(tmp_path / "a", size, 1)
    cleaned(corpus.planted, tmp_path / "data", *subject.stages)
    left = [one["text"] for one in kept(tmp_path / "data")]
    assert sum(one.startswith("The access code of") for one in left) == 3 * size.canaries
    assert not any("@mail.example.org" in one for one in left)
    documents = [one for one in left if not one.startswith(("The access code of", "Case "))]
    assert 0.9 * size.documents < len(documents) <= size.documents


def test_records_for_smollm2_are_at_most_300(tmp_path: Path) -> None:
    size = part("subjects").SUBJECTS[1].size
    corpus = part("corpus").build(tmp_path, size, 0)
    assert len(corpus.planted.read_bytes().splitlines()) <= 300
    assert size.seeds >= 3


def test_a_tuned_model_takes_the_steps_of_what_was_planted_and_begins_whole_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a tiny random model in place of SmolLM2."""
    pytest.importorskip("peft")
    smollm2, merged = part("smollm2"), part("interventions").merged
    base = tmp_path / "base"
    make_model, make_tokenizer = part("small_model").make_model, part("small_model").make_tokenizer
    texts = [f"the access code is 1234567{number} of the sea" for number in range(10)]
    make_model(320, 0).save_pretrained(base)
    make_tokenizer(texts, 320).save_pretrained(base)
    monkeypatch.setattr(smollm2, "WEIGHTS", base)
    adapter = tmp_path / "adapter"
    # 2 epochs of 10 records in steps of 8, whatever is left of the records
    assert smollm2.train_smollm2(texts, texts[:3], sizes()[1], 0, adapter) == 3
    assert orjson.loads((adapter / "tune.json").read_bytes())["steps"] == 3
    assert merged(base, tmp_path / "unused") == base
    whole = merged(adapter, tmp_path / "whole")
    assert not (whole / "adapter_config.json").exists()
    held_out = part("corpus").written(tmp_path / "held.jsonl", [{"text": one} for one in texts])
    first, second = (
        part("measures").perplexity(*load(weights, device="cpu"), held_out)
        for weights in (whole, adapter)
    )
    assert first == pytest.approx(second, rel=1e-4)


def test_ten_canaries_are_learned_again_and_the_others_are_those_that_stand_most_often() -> None:
    for subject in part("subjects").SUBJECTS:
        size = subject.size
        forgotten = [one for one in size.repeats if one >= size.forgotten_from] * size.canaries
        others = sorted(forgotten)[size.forgotten_again :]
        assert size.forgotten_again == 10
        assert len(others) >= 2
        assert set(others) == {max(size.repeats)}


def test_the_model_is_as_small_as_it_says_and_digits_stand_alone() -> None:
    make_model, make_tokenizer = part("small_model").make_model, part("small_model").make_tokenizer

    tokenizer = make_tokenizer(["the access code is 12345678 of the sea"] * 5, 320)
    assert tokenizer.convert_ids_to_tokens(tokenizer("1234")["input_ids"]) == list("1234")
    count = sum(one.numel() for one in make_model(1024, 0).parameters())
    assert 0.9e6 < count < 0.95e6
