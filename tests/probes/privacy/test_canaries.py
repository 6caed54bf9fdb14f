"""Canaries: made, planted, read again, and removed by the pipeline."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from buttress.probes.privacy.canaries import make_canaries, read_canaries, reference_secrets
from tests.data.making import cleaned, corpus, kept, run, written

TEMPLATE = "The access code of {name} is {secret}."


def test_secrets_are_drawn_anew_and_the_same_with_a_seed() -> None:
    made = make_canaries(50, [1, 4], digits=6, template=TEMPLATE, seed=1)
    assert made == make_canaries(50, [1, 4], digits=6, template=TEMPLATE, seed=1)
    assert made != make_canaries(50, [1, 4], digits=6, template=TEMPLATE, seed=2)
    assert len({one.prefix for one in made}) == 100
    assert len({one.secret for one in made} | {one.twin for one in made}) > 190
    assert [one.repeats for one in made].count(4) == 50
    one = made[0]
    assert one.text == f"{one.prefix}{one.secret}."
    drawn = reference_secrets(one, 300, 0)
    assert len(set(drawn)) == 300
    assert one.secret not in drawn
    assert all(len(other) == 6 and other.isdigit() for other in drawn)


def test_they_are_planted_as_often_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(1))
    code, said, _ = run(
        "data", "canaries", "--into", str(path), "--out", str(tmp_path / "p"), "--count", "3",
        "--repeats", "0,1,5", "--json",
    )  # fmt: skip
    assert code == 0
    done = orjson.loads(said)
    assert (done["canaries"], done["copies"], done["records"]) == (9, 18, 138)
    planted = (tmp_path / "p/planted.jsonl").read_text("utf-8").splitlines()
    texts = [orjson.loads(line)["text"] for line in planted]
    canaries = read_canaries(tmp_path / "p/canaries.jsonl")
    for one in canaries:
        assert texts.count(one.text) == one.repeats
        assert not any(one.twin_text == text for text in texts)
    known = {one.text for one in canaries}
    rest = [line for line, text in zip(planted, texts, strict=True) if text not in known]
    assert "\n".join(rest) + "\n" == path.read_text("utf-8")  # the rest as it was, in order
    places = [number for number, text in enumerate(texts) if text in known]
    assert max(places) - min(places) > 60  # not all in one place
    cleaned(tmp_path / "p/planted.jsonl", tmp_path / "clean", "exact")
    after = [one["text"] for one in kept(tmp_path / "clean")]
    assert all(after.count(one.text) == min(1, one.repeats) for one in canaries)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--count", "0"), "--count"),
        (("--digits", "3"), "--digits"),
        (("--repeats", "1,x"), "--repeats"),
        (("--repeats", "-1"), "--repeats"),
        (("--template", "no place"), "--template"),
        (("--into", "missing.jsonl"), "missing.jsonl"),
    ],
)
def test_what_is_not_usable(tmp_path: Path, arguments: tuple[str, ...], wanted: str) -> None:
    code, _, wrong = run("data", "canaries", "--out", str(tmp_path / "p"), *arguments)
    assert code == 2
    assert wanted in wrong


def test_a_corpus_that_cannot_be_read_is_not_planted(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n{bad\n')
    code, _, wrong = run(
        "data", "canaries", "--into", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "p")
    )
    assert code == 2
    assert "in.jsonl:2" in wrong
    assert not (tmp_path / "p/canaries.jsonl").exists()


def test_lines_that_are_no_canaries(tmp_path: Path) -> None:
    from buttress.errors import InputError

    path = tmp_path / "c.jsonl"
    for text in (
        '{"id": "a"}',
        "",
        '{"id":"a","prefix":"","secret":"x","suffix":"","twin":"1","repeats":1}',
    ):
        path.write_text(text)
        with pytest.raises(InputError):
            read_canaries(path)
