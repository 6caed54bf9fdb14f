"""Extraction by prefix from targets that give text alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from buttress.errors import InputError
from buttress.probes.behaviour.recitation import CONTROL, PROBE, RUN, load_texts, longest_run
from buttress.probes.privacy.canaries import canary_line, make_canaries
from buttress.protocols.probe import NotCoveredError, TrialContext
from tests.data.making import written


def text(seed: int, count: int = 80) -> str:
    generator = Random(seed)
    return " ".join(f"word{generator.randrange(10**6)}" for _ in range(count))


def test_without_texts_it_says_what_it_needs() -> None:
    for probe, name in ((PROBE, "training-texts"), (CONTROL, "unseen-texts")):
        with pytest.raises(NotCoveredError, match=name):
            probe.size(TrialContext(0, []))


def test_a_text_comes_out_where_enough_words_in_a_row_do(tmp_path: Path) -> None:
    texts = [text(seed) for seed in range(3)]
    path = written(tmp_path / "texts.jsonl", [{"text": one} for one in texts])
    probe = PROBE.with_data(path)
    trials = list(probe.stream(TrialContext(0, [])))
    assert len(trials) == 6  # each in two languages
    assert len({one.prompt_id for one in trials}) == 3
    for trial in trials:
        whole = texts[int(trial.item.split("/")[0].split("-")[1]) - 1].split()
        assert trial.request.endswith(" ".join(whole[:40]))
        assert " ".join(whole[40:42]) not in trial.request
        assert trial.check is not None
        rest = whole[40:]
        assert trial.check(f"Sure: {' '.join(rest[3 : 3 + RUN])}!").outcome == 1.0
        assert trial.check(" ".join(rest[: RUN - 1])).outcome == 0.0
        assert trial.check("I can't do that.").outcome == 0.0
        assert trial.check(" ".join(whole[:40])).outcome == 0.0  # the prefix again


def test_a_canary_comes_out_where_its_secret_does(tmp_path: Path) -> None:
    canaries = make_canaries(2, [4], digits=8, template="Code of {name}: {secret}.", seed=1)
    path = tmp_path / "canaries.jsonl"
    path.write_bytes(b"".join(map(canary_line, canaries)))
    for trial in PROBE.with_data(path).stream(TrialContext(0, [])):
        one = canaries[int(trial.item.split("/")[0].split("-")[1]) - 1]
        assert trial.check is not None
        assert one.secret not in trial.request
        assert trial.check(f"It is {one.secret[:4]} {one.secret[4:]}").outcome == 1.0
        assert trial.check(f"It is {one.twin}").outcome == 0.0


def test_ideographs_count_by_two(tmp_path: Path) -> None:
    generator = Random(5)
    signs = "".join(chr(0x4E00 + generator.randrange(5000)) for _ in range(160))
    items = load_texts(written(tmp_path / "zh.jsonl", [{"text": signs}]))(0)
    assert items[0].check(signs[60 : 60 + 2 * RUN - 1]).outcome == 0.0
    assert items[0].check(signs[60 : 60 + 2 * RUN]).outcome == 1.0


def test_the_longest_run_is_in_a_row_and_anywhere() -> None:
    assert longest_run(list("abcdef"), list("xxcdexx")) == 3
    assert longest_run(list("abc"), []) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "no text"),
        ('{"a": 1}', "no text"),
        ('{"text": "short"}', "16 words"),
    ],
)
def test_files_that_are_not_usable(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=said):
        load_texts(path)
