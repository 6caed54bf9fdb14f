"""``buttress privacy`` on a file of token scores, without any weights."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from buttress.documents.schemas import as_object
from tests.data.making import run
from tests.probes.privacy.test_audit import written
from tests.probes.privacy.test_formulas import texts_of


def lines(
    generator: Random, count: int, *, lift: float = 0.0, words: tuple[str, str] = ("", "")
) -> list[dict[str, Any]]:
    """Scores of members and others; members' tokens are likelier by ``lift`` nats."""
    rows: list[dict[str, Any]] = []
    for member, extra in zip((True, False), words, strict=True):
        for text in texts_of(generator, count, extra):
            level = generator.gauss(-4, 0.4) + lift * member
            logs = [min(0.0, level + generator.gauss(0, 1)) for _ in range(30)]
            rows.append(
                {
                    "id": f"{member}{len(rows)}", "text": text, "member": member,
                    "log_probabilities": logs, "means": [-4.0] * 30, "deviations": [1.0] * 30,
                }
            )  # fmt: skip
    return rows


def said(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code, text, wrong = run("privacy", str(path), "--json", *options)
    assert code in (0, 1, 3), wrong
    document = orjson.loads(text)
    as_object("privacy", document)
    return code, document


def test_a_leak_is_found_and_only_a_leak(tmp_path: Path) -> None:
    path = written(tmp_path / "leak.jsonl", lines(Random(1), 60, lift=0.6))
    code, document = said(path)
    part = document["membership"]
    assert code == 1
    assert part["usable"]
    assert part["leak"]
    best = part["attacks"][0]
    assert best["auc_low"] > 0.6
    assert set(part["skipped"]) == {"reference", "recall", "neighbourhood"}
    assert [one["fpr"] for one in best["tpr"]] == [0.001, 0.01]
    assert best["tpr"][0]["value"] is None  # 60 texts can't show one false alarm in a thousand
    path = written(tmp_path / "none.jsonl", lines(Random(2), 60))
    code, document = said(path)
    assert code == 0
    assert document["outcome"] == "no leak shown"
    code, text, _ = run("privacy", str(path))
    assert code == 0
    assert "blind (texts alone)" in text


def test_a_split_that_texts_alone_tell_apart_is_not_usable(tmp_path: Path) -> None:
    rows = lines(Random(3), 40, lift=0.3, words=(" from 2019", " from 2026"))
    code, document = said(written(tmp_path / "s.jsonl", rows))
    assert code == 3
    part = document["membership"]
    assert not part["usable"]
    assert not part["leak"]
    assert part["blind"]["auc"] > 0.9
    assert part["attacks"]  # shown, but no leak
    assert "texts alone" in part["reason"]


def test_too_few_texts_say_nothing(tmp_path: Path) -> None:
    rows = lines(Random(4), 9, lift=3)
    rows.append(rows[0] | {"id": "empty", "log_probabilities": [], "means": [], "deviations": []})
    code, document = said(written(tmp_path / "s.jsonl", rows))
    assert code == 3
    assert document["membership"]["left_out"] == {"no scored token": 1}
    assert "fewer than 10" in document["membership"]["reason"]


def test_nothing_measured_is_a_sentence_and_no_table(tmp_path: Path) -> None:
    path = written(tmp_path / "few.jsonl", lines(Random(6), 3, lift=2))
    code, text, _ = run("privacy", str(path))
    assert code == 3
    assert "fewer than 10 members or non-members" in text
    assert "AUC" not in text


def test_an_empty_text_hides_what_the_texts_tell(tmp_path: Path) -> None:
    rows = [row | {"text": " "} for row in lines(Random(5), 20, lift=3)]
    code, document = said(written(tmp_path / "s.jsonl", rows))
    assert code == 3
    assert document["membership"]["blind"] is None


GOOD: dict[str, Any] = {
    "id": "a", "text": "t", "member": True, "log_probabilities": [-1, -2]
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"member": "yes"}, "member"),
        ({"log_probabilities": [0.5]}, "log_probabilities"),
        ({"log_probabilities": None}, "log_probabilities"),
        ({"means": [-1.0, -1.0]}, "means and deviations come together"),
        ({"means": [-1.0], "deviations": [1.0]}, "means has 1 numbers"),
        ({"means": [-1.0] * 2, "deviations": [1.0, -1.0]}, "deviations"),
        ({"prefixed_log_probabilities": [-1.0]}, "prefixed_log_probabilities has 1"),
        ({"id": 1}, "id"),
    ],
)
def test_lines_that_are_not_usable(tmp_path: Path, row: dict[str, Any], wanted: str) -> None:
    path = written(tmp_path / "s.jsonl", [GOOD | {"id": "b"}, GOOD | row])
    code, _, wrong = run("privacy", str(path))
    assert code == 2
    assert f"{path}:2" in wrong
    assert wanted in wrong
    assert wrong.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--method", "exposure"), "--method"),
        (("--members", "x.jsonl"), "--members"),
        (("--texts", "0"), "--texts"),
        (("--delta", "0.1"), "--delta"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_options_that_are_not_usable(
    tmp_path: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    path = written(tmp_path / "s.jsonl", [GOOD])
    code, _, wrong = run("privacy", str(path), *arguments)
    assert code == 2
    assert wanted in wrong


def test_an_id_that_repeats(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl", [GOOD, GOOD])
    code, _, wrong = run("privacy", str(path))
    assert code == 2
    assert "stands in line 1" in wrong
