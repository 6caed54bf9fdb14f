"""``buttress privacy`` on a tiny model that the test trains on planted records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import orjson
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from buttress.documents.schemas import as_object  # noqa: E402
from buttress.probes.privacy.canaries import canary_line, make_canaries  # noqa: E402
from buttress.white_box.loading import load  # noqa: E402
from buttress.white_box.token_statistics import token_statistics, tokens_of  # noqa: E402
from tests.data.making import run, written  # noqa: E402
from tests.white_box.tiny import model, tokenizer  # noqa: E402

WORDS = [
    "the",
    "sea",
    "and",
    "stars",
    "over",
    "old",
    "house",
    "by",
    "a",
    "lake",
    "tale",
    "of",
    "here",
    "is",
    "sure",
    "it",
    "was",
    "that",
    "we",
    "found",
]


def texts(seed: int, count: int) -> list[dict[str, Any]]:
    generator = Random(seed)
    return [{"text": " ".join(generator.choices(WORDS, k=24))} for _ in range(count)]


def trained(data: list[str], steps: int = 120) -> Any:
    """A tiny model that has seen the texts many times."""
    made, words = model(seed=1), tokenizer()
    rows = [tokens_of(words, text) for text in data]
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        labels[place, : len(row)] = torch.tensor(row)
    made.train()
    optimizer = torch.optim.AdamW(made.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(rows), (16,), generator=generator)
        mask = (labels[chosen] != -100).long()
        loss = made(input_ids=ids[chosen], attention_mask=mask, labels=labels[chosen]).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return made.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that know their members and canaries by heart, the files, and weights that don't."""
    root = tmp_path_factory.mktemp("privacy")
    members = texts(1, 12)
    written(root / "members.jsonl", members)
    written(root / "others.jsonl", texts(2, 12))
    canaries = make_canaries(3, [0, 20], digits=4, template="The code of {name}: {secret}.", seed=1)
    (root / "canaries.jsonl").write_bytes(b"".join(map(canary_line, canaries)))
    data = [row["text"] for row in members] * 2
    data += [one.text for one in canaries for _ in range(one.repeats // 5)]
    for name, made in (("weights", trained(data)), ("base", model(seed=1))):
        made.save_pretrained(root / name)
        tokenizer().save_pretrained(root / name)
    return root


def test_statistics_of_tokens_are_as_one_text_at_a_time() -> None:
    made, words = model(), tokenizer()
    rows = [tokens_of(words, row["text"])[: 5 + 7 * place] for place, row in enumerate(texts(3, 6))]
    rows.append([1])  # nothing to score
    found = dict(token_statistics(made, rows, budget=64))
    for index, row in enumerate(rows):
        if len(row) < 2:
            assert found[index].log_probabilities == []
            continue
        logs = made(torch.tensor([row])).logits[0, :-1].double().log_softmax(1)
        wanted = logs.gather(1, torch.tensor(row[1:])[:, None])[:, 0]
        mean = (logs.exp() * logs).sum(1)
        spread = ((logs.exp() * logs.square()).sum(1) - mean.square()).sqrt()
        assert found[index].log_probabilities == pytest.approx(wanted.tolist(), abs=1e-4)
        assert found[index].means == pytest.approx(mean.tolist(), abs=1e-4)
        assert found[index].deviations == pytest.approx(spread.tolist(), abs=1e-4)
    given = dict(token_statistics(made, rows[3:5], given=[4, 1]))
    assert given[0].log_probabilities == pytest.approx(found[3].log_probabilities[3:], abs=1e-4)


def test_what_rows_begin_with_is_computed_once_and_changes_nothing() -> None:
    made, words = model(), tokenizer()
    before = tokens_of(words, texts(1, 9)[0]["text"])
    rows = [[*before, *tokens_of(words, row["text"])[: 3 + place]] for place, row in
            enumerate(texts(6, 12))]  # fmt: skip
    passed: list[int] = []
    watched = made.register_forward_pre_hook(
        lambda _module, _args, options: passed.append(
            options.get("input_ids", torch.zeros(0, 0)).numel()
        ),
        with_kwargs=True,
    )
    found = dict(token_statistics(made, rows, given=[len(before) + 1] * len(rows)))
    watched.remove()
    for index, row in enumerate(rows):
        ((_, alone),) = token_statistics(made, [row], given=[len(before) + 1])
        assert found[index].log_probabilities == pytest.approx(alone.log_probabilities, abs=1e-4)
        assert found[index].deviations == pytest.approx(alone.deviations, abs=1e-4)
    assert passed[-1] < len(rows) * len(before)  # the last pass is without the beginning


def test_what_was_learned_by_heart_is_found(folder: Path, tmp_path: Path) -> None:
    code, said, wrong = run(
        "privacy", str(folder / "weights"), "--members", str(folder / "members.jsonl"),
        "--non-members", str(folder / "others.jsonl"), "--canaries", str(folder / "canaries.jsonl"),
        "--reference", str(folder / "base"), "--references", "100", "--neighbours", "2",
        "--out", str(tmp_path / "out"), "--json",
    )  # fmt: skip
    assert code == 1, wrong
    document = orjson.loads(said)
    as_object("privacy", document)
    assert document == orjson.loads((tmp_path / "out/privacy.json").read_bytes())
    membership = document["membership"]
    assert membership["attacks"][0]["auc"] == 1.0
    never, often = document["exposure"]["groups"]
    assert (never["repeats"], often["repeats"]) == (0, 20)
    assert often["mean_bits"] > never["mean_bits"] + 2
    assert often["p_value"] < 0.01 < never["p_value"]
    assert document["exposure"]["leak"]
    extraction = document["extraction"]
    assert extraction["leak"]
    assert extraction["members"]["verbatim"] >= 10
    assert extraction["non_members"]["near"] == 0 == extraction["reference"]["near"]
    chances = extraction["members"]["chance"]
    assert chances["1"] <= chances["10"] <= chances["1000"]
    assert chances["1000"] > 0.9


def test_an_untrained_model_gives_nothing_away(folder: Path) -> None:
    code, said, _ = run(
        "privacy", str(folder / "base"), "--members", str(folder / "members.jsonl"),
        "--non-members", str(folder / "others.jsonl"), "--canaries", str(folder / "canaries.jsonl"),
        "--references", "60", "--neighbours", "0", "--json",
    )  # fmt: skip
    document = orjson.loads(said)
    assert code == 0, document["membership"]
    assert document["outcome"] == "no leak shown"
    assert "neighbourhood" in document["membership"]["skipped"]


def test_extraction_without_a_base_rate_decides_nothing(folder: Path) -> None:
    code, said, _ = run(
        "privacy", str(folder / "weights"), "--members", str(folder / "members.jsonl"), "--json"
    )
    assert code == 3
    assert orjson.loads(said)["extraction"]["leak"] is None


def test_a_manifest_names_the_weights(folder: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "buttress.yaml"
    manifest.write_text(
        f"name: it\nassets:\n  - {{id: m, kind: model, path: {folder / 'base'}}}\n", "utf-8"
    )
    code, said, wrong = run(
        "privacy", str(manifest), "--members", str(folder / "members.jsonl"), "--json"
    )
    assert code == 0, wrong
    assert orjson.loads(said)["subject"] == str(folder / "base")


def test_a_killed_run_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    members = written(tmp_path / "m.jsonl", texts(4, 40))
    others = written(tmp_path / "o.jsonl", texts(5, 40))
    arguments = [
        "privacy", str(folder / "base"), "--members", str(members), "--non-members", str(others),
        "--method", "membership", "--neighbours", "1", "--json",
    ]  # fmt: skip
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "buttress", *arguments, "--out", str(out)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    scores = out / "token-scores.jsonl"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if scores.exists() and scores.stat().st_size:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.005)
    process.wait()
    before = scores.read_bytes()
    scores.write_bytes(before[: len(before) - 40])  # as if the last line had been cut off
    code, said, wrong = run(*arguments, "--out", str(out))
    assert code == 2
    assert "--resume" in wrong
    code, said, wrong = run(*arguments, "--out", str(out), "--resume")
    assert code in (0, 3), wrong
    code, whole, _ = run(*arguments, "--out", str(tmp_path / "whole"))
    first, second = (orjson.loads(text)["membership"] for text in (said, whole))
    for one, other in zip(first["attacks"], second["attacks"], strict=True):
        assert one["attack"] == other["attack"]
        assert one["auc"] == pytest.approx(other["auc"], abs=1e-3)
    assert len(scores.read_bytes().splitlines()) == 77  # three stand before the others
    code, _, wrong = run(*arguments, "--out", str(out), "--resume", "--seed", "5")
    assert code == 2
    assert "another run" in wrong


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("{root}/missing", "--members", "{root}/members.jsonl"), "missing"),
        (("{root}", "--members", "{root}/members.jsonl"), "no weights in it"),
        (("{root}/base",), "--members"),
        (
            ("{root}/base", "--method", "membership", "--members", "{root}/members.jsonl"),
            "--method",
        ),
        (("{root}/base", "--method", "magic", "--members", "{root}/members.jsonl"), "magic"),
        (("{root}/base", "--members", "{root}/none.jsonl"), "none.jsonl"),
        (("{root}/base", "--canaries", "{root}/members.jsonl"), "members.jsonl:1"),
        (("{root}/base", "--members", "{root}/members.jsonl", "--resume"), "--out"),
    ],
)
def test_what_is_not_usable(folder: Path, arguments: tuple[str, ...], wanted: str) -> None:
    code, _, wrong = run("privacy", *(one.replace("{root}", str(folder)) for one in arguments))
    assert code == 2
    assert wanted in wrong
    assert len([line for line in wrong.splitlines() if line.startswith("buttress: error")]) == 1


def test_texts_of_both_files_are_of_no_group(folder: Path, tmp_path: Path) -> None:
    both = (folder / "members.jsonl").read_bytes().splitlines()[:4]
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(b"\n".join([*both, (folder / "others.jsonl").read_bytes()]))
    code, said, wrong = run(
        "privacy", str(folder / "base"), "--members", str(folder / "members.jsonl"),
        "--non-members", str(mixed), "--method", "membership", "--neighbours", "0", "--json",
    )  # fmt: skip
    assert code in (0, 1, 3), wrong
    assert orjson.loads(said)["membership"]["left_out"] == {"in both files": 8}


def test_areas_are_those_of_the_published_formulas_one_text_at_a_time(folder: Path) -> None:
    """Float32 throughout, no batch, no padding; each formula as its paper and mimir have it."""
    code, said, wrong = run(
        "privacy", str(folder / "base"), "--members", str(folder / "members.jsonl"),
        "--non-members", str(folder / "others.jsonl"), "--reference", str(folder / "weights"),
        "--method", "membership", "--neighbours", "0", "--json",
    )  # fmt: skip
    assert code in (0, 1, 3), wrong
    reported = {one["attack"]: one["auc"] for one in orjson.loads(said)["membership"]["attacks"]}
    words = tokenizer()
    models = [load(folder / name, device="cpu")[0] for name in ("base", "weights")]

    def losses(text: str) -> dict[str, float]:
        ids = torch.tensor([tokens_of(words, text)])
        with torch.no_grad():
            logs, theirs = (one(ids).logits[0, :-1].log_softmax(1) for one in models)
        seen, reference = (
            one.gather(1, ids[0, 1:, None])[:, 0].numpy().astype(float) for one in (logs, theirs)
        )
        mean = (logs.exp() * logs).sum(1)
        spread = ((logs.exp() * logs.square()).sum(1) - mean.square()).sqrt()
        standard = (seen - mean.numpy()) / spread.numpy()
        least = int(0.2 * len(seen))
        loss = -seen.mean()
        return {
            "loss": loss,
            "zlib": loss / len(zlib.compress(text.encode())),
            "min-k": -np.sort(seen)[:least].mean(),
            "min-k++": -np.sort(standard)[:least].mean(),
            "reference": loss + reference.mean(),
        }

    members, others = (
        [losses(orjson.loads(line)["text"]) for line in (folder / name).read_bytes().splitlines()]
        for name in ("members.jsonl", "others.jsonl")
    )
    for name in members[0]:
        won = [(a[name] < b[name]) + (a[name] == b[name]) / 2 for a in members for b in others]
        assert reported[name] == pytest.approx(sum(won) / len(won), abs=1e-3), name
    assert len({round(reported[name], 3) for name in members[0]}) > 2  # they differ
