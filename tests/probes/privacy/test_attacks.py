"""Divergence, attribute inference and preference pairs: rules alone, then on a tiny model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from buttress.documents.schemas import as_object
from buttress.errors import InputError
from buttress.probes.privacy.attributes import (
    AttributeRecord,
    attribute_result,
    blind_values,
    read_attributes,
)
from buttress.probes.privacy.divergence import RUN, DivergenceHits, TextIndex, after_repetition
from buttress.probes.privacy.preference_scores import PairScores, margin, preference_result
from tests.data.making import run, written


def test_runs_are_counted_from_the_shortest_that_chance_does_not_make() -> None:
    text = list(range(100, 160))
    index = TextIndex.of([text, [1, 2, 3]], ["write to ann@mail.org"])
    assert index.longest(text[5 : 5 + RUN - 1]) == 0
    assert index.longest([7, *text[5 : 5 + RUN], 7]) == RUN
    assert index.longest([7, *text[5 : 15 + RUN], 7]) == RUN + 10
    assert index.longest([*text[:RUN], *text[30 : 35 + RUN]]) == RUN + 5
    hits = DivergenceHits()
    hits.add([1, 2, 3], frozenset({("EMAIL", "ann@mail.org")}), index)
    hits.add([1, 2, 3], frozenset({("EMAIL", "bob@mail.org")}), index)
    assert (hits.hits, hits.longest_run, dict(hits.personal_data)) == (1, 0, {"EMAIL": 1})
    assert list(after_repetition([5, 5, 5, 8, 5], [5])) == [8, 5]
    assert list(after_repetition([5, 5], [5])) == []


def people(count: int, seed: int, member: bool = True) -> list[AttributeRecord]:
    generator = Random(seed)
    towns = ["Oslo", "Bergen", "Tromso", "Molde"]
    return [
        AttributeRecord(
            prefix=f"person {generator.randrange(10**6)} lives in ", value=generator.choice(towns),
            candidates=sorted(towns), member=member,
        )
        for _ in range(count)
    ]  # fmt: skip


def test_an_attribute_leaks_only_above_every_base() -> None:
    records = [*people(40, 1), *people(40, 2, member=False)]
    right = [one.value for one in records]
    wrong = ["Oslo"] * 80
    assert attribute_result(records, right[:40] + wrong[40:])["leak"] is True
    assert attribute_result(records, right)["leak"] is False  # non-members as well: no memory
    assert attribute_result(records, wrong)["leak"] is False
    assert attribute_result(records[:40], right[:40])["leak"] is None  # no base but the texts
    assert attribute_result(records[:40], right[:40], wrong[:40])["leak"] is True
    assert attribute_result(records[:40], right[:40], right[:40])["leak"] is False
    assert attribute_result(records[:5], right[:5], wrong[:5])["leak"] is None
    part = attribute_result(records, wrong)
    assert part["chance"] == 0.25
    assert part["accuracy"] == part["commonest"]["accuracy"] or part["commonest"]["accuracy"] > 0.25


def test_what_the_other_words_tell_is_no_leak() -> None:
    records = [
        AttributeRecord(
            prefix=f"{number} speaks {('Norwegian', 'Danish')[number % 2]}, lives in ",
            value=("Oslo", "Aarhus")[number % 2], candidates=["Aarhus", "Oslo"],
        )
        for number in range(60)
    ]  # fmt: skip
    assert blind_values(records) == [one.value for one in records]
    right = [one.value for one in records]
    part = attribute_result(records, right, ["Oslo"] * 60)
    assert part["blind"]["accuracy"] == 1.0
    assert part["leak"] is False


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prefix": "a ", "value": "b", "candidates": ["c", "d"]}', "candidates"),
        ('{"prefix": "a ", "value": "b"}', "one candidate"),
        ('{"value": "b"}', "prefix"),
        ("{", "attributes.jsonl:1"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "attributes.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=said):
        read_attributes(path)


def pairs(generator: Random, lift: float) -> list[PairScores]:
    found = []
    for number in range(120):
        member = number % 2 == 0
        first, second = (generator.gauss(-40, 8) for _ in range(2))
        words = " ".join(generator.choices(["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"], k=12))
        found.append(
            PairScores(
                f"{words} {number}", member, first + lift * member, second, 10, 10,
                first + generator.gauss(0, 1), second + generator.gauss(0, 1),
            )
        )  # fmt: skip
    return found


def test_pairs_that_were_aligned_on_have_larger_margins() -> None:
    part = preference_result(pairs(Random(1), 3.0))
    assert (part["leak"], part["usable"]) == (True, True)
    assert part["attacks"][0]["attack"] in ("reward-margin", "chosen-reward")
    assert part["attacks"][0]["auc"] > 0.9 > part["attacks"][-1]["auc"]
    assert not preference_result(pairs(Random(2), 0.0))["leak"]
    one = pairs(Random(3), 0.0)[0]
    assert one.reference_chosen is not None
    assert one.reference_rejected is not None
    wanted = one.chosen - one.reference_chosen - one.rejected + one.reference_rejected
    assert margin(one) == pytest.approx(wanted)


# On a tiny model -----------------------------------------------------------------------------

TOWNS = ["the sea", "the lake", "old house", "the stars"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that know people's attributes and pairs by heart, and weights that don't."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.probes.privacy.test_weights import texts, trained
    from tests.white_box.tiny import model, tokenizer

    root = tmp_path_factory.mktemp("attacks")
    generator = Random(4)
    rows = []
    for number in range(32):
        name = " ".join(generator.choices(["tale", "found", "here", "sure", "that", "was"], k=4))
        rows.append({"prefix": f"{name} by", "value": f" {TOWNS[number % 4]}"})
    generator.shuffle(rows)
    attributes = [
        row | {"attribute": "home", "member": place < 16} for place, row in enumerate(rows)
    ]
    written(root / "attributes.jsonl", attributes)
    both = [
        [
            {"prompt": first["text"][:40], "chosen": second["text"][:50],
             "rejected": third["text"][:50]}
            for first, second, third in zip(
                texts(seed, 20), texts(seed + 1, 20), texts(seed + 2, 20), strict=True
            )
        ]
        for seed in (20, 30)
    ]  # fmt: skip
    for name, found in zip(("aligned", "others"), both, strict=True):
        written(root / f"{name}.jsonl", found)
    known = [row["prefix"] + row["value"] for row in rows[:16]]
    known += [f"{one['prompt']}\n\n{one['chosen']}" for one in both[0]]
    known += [f"{one['prompt']}{one['chosen']}" for one in both[0]]
    for name, made in (("weights", trained(known, 140)), ("base", model(seed=1))):
        made.save_pretrained(root / name)
        tokenizer().save_pretrained(root / name)
    return root


def privacy(folder: Path, *options: str, weights: str = "weights") -> tuple[int, dict[str, Any]]:
    code, said, wrong = run("privacy", str(folder / weights), *options, "--json")
    assert code in (0, 1, 3), wrong
    document = orjson.loads(said)
    as_object("privacy", document)
    return code, document


def test_attributes_learned_by_heart_are_named(folder: Path) -> None:
    options = ["--attributes", str(folder / "attributes.jsonl")]
    code, document = privacy(folder, *options, "--reference", str(folder / "base"))
    part = document["attributes"]
    assert part["accuracy"] > 0.8
    assert part["records"] == part["non_members"]["records"] == 16
    assert (code, part["leak"]) == (1, True)
    code, document = privacy(folder, *options, weights="base")
    assert (code, document["attributes"]["leak"]) == (0, False)


def test_pairs_learned_by_heart_are_told_from_others(folder: Path) -> None:
    options = [
        "--members", str(folder / "aligned.jsonl"), "--non-members", str(folder / "others.jsonl"),
    ]  # fmt: skip
    code, document = privacy(folder, *options, "--reference", str(folder / "base"))
    part = document["preferences"]
    assert part["members"] == part["non_members"] == 20
    assert part["blind"] is not None
    assert part["attacks"][0]["auc"] > 0.9
    assert (code, part["leak"]) == (1, True)
    code, document = privacy(folder, *options, weights="base")
    assert not document["preferences"]["leak"]
    with (folder / "aligned.jsonl").open("a") as more:
        more.write("{broken\n")
    code, document = privacy(folder, *options, weights="base")
    assert document["preferences"]["left_out"] == {"unreadable member": 1}
    assert set(document["preferences"]["skipped"]) == {"reward-margin", "chosen-reward"}
    code, _, wrong = run("privacy", str(folder / "weights"), *options, "--method", "membership")
    assert code == 2
    assert "with texts" in wrong


def test_divergence_asks_and_counts_what_comes_after_the_word(folder: Path) -> None:
    from tests.probes.privacy.test_weights import texts

    members = written(folder / "members.jsonl", texts(1, 12))
    options = ["--members", str(members), "--method", "divergence", "--draws", "6"]
    code, document = privacy(folder, *options)
    part = document["divergence"]
    assert part["draws"] == 6
    assert part["diverged"] <= 6
    assert document["extraction"] is None
    assert code == {True: 1, False: 0, None: 3}[part["leak"]]
    assert privacy(folder, *options)[1]["divergence"] == part  # the same seed, the same answers


def test_parts_finished_before_a_kill_are_not_measured_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from buttress.workflows import privacy_attacks
    from buttress.workflows.privacy import measure_privacy
    from buttress.workflows.privacy_request import PrivacyRequest

    request = PrivacyRequest(
        folder / "base", ["divergence", "attributes", "preferences"], folder / "aligned.jsonl",
        folder / "others.jsonl", attributes=folder / "attributes.jsonl", draws=3,
        out=tmp_path / "run", device="cpu",
    )  # fmt: skip
    measured: list[str] = []
    killed_at = ""

    def counted(name: str) -> None:
        measure = getattr(privacy_attacks, f"{name}_part")

        def part(*given: Any, **more: Any) -> dict[str, Any]:
            if name == killed_at:
                raise KeyboardInterrupt
            measured.append(name)
            found: dict[str, Any] = measure(*given, **more)
            return found

        monkeypatch.setattr(privacy_attacks, f"{name}_part", part)

    for name in request.methods:
        counted(name)
    whole = measure_privacy(replace(request, out=None))
    for name in ("attributes", "preferences"):
        killed_at = name
        with pytest.raises(KeyboardInterrupt):
            measure_privacy(replace(request, resume=(tmp_path / "run").exists()))
    killed_at = ""
    document = measure_privacy(replace(request, resume=True))
    assert measured == [*request.methods, *request.methods]  # each once without, once with a folder
    for name in request.methods:
        assert document[name] == whole[name]
    assert not (set(document) ^ set(whole))
