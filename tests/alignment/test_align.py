"""The loop on a tiny model with a gate: cut off at every step, taken up, the same in the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from buttress.errors import InputError
from buttress.evidence.records import Label
from buttress.evidence.store import EvidenceStore
from buttress.prompts.pack import load_categories
from buttress.workflows import manifest
from buttress.workflows.alignment.align import align
from buttress.workflows.alignment.align_request import AlignRequest
from buttress.workflows.alignment.recipe import load_recipes
from tests.documents.test_typed_documents import check_typed
from tests.white_box.tiny import model, tokenizer

SEEN = ("cybercrime", "fraud-scams", "self-harm", "weapons")
HELD_OUT = [name for name in load_categories() if name not in SEEN]
STEPS = ("split", "baseline", "train: gate", "evaluate: gate", "compare: gate", "explain")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("align")
    model().save_pretrained(path / "weights")
    tokenizer().save_pretrained(path / "weights")
    (path / "buttress.yaml").write_text(
        "name: tiny\nlanguages: [en]\nassets:\n"
        "  - {id: model, kind: model, weights: weights, max_tokens: 6}\n"
    )
    return path


def run(folder: Path, out: str, say: Callable[[str], None], **options: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "recipes": load_recipes(["gate"]), "out": folder / out, "pairs": 6, "ordinary": 4,
        "attacked": 2, "device": "cpu", "held_out": HELD_OUT,
    }  # fmt: skip
    made: dict[str, Any] = align(manifest.load(folder), AlignRequest(**(settings | options)), say)
    return made


def silent(text: str) -> None:
    del text


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    return run(folder, "whole", silent)


def test_the_document_says_what_was_measured(folder: Path, whole: dict[str, Any]) -> None:
    check_typed("align", whole)
    assert whole == json.loads((folder / "whole/align.json").read_bytes())
    assert "Did the change help?" in (folder / "whole/align.html").read_text("utf-8")
    cells = {(row["risk"], row["part"]): row["pairs"] for row in whole["comparison"]}
    assert cells == {
        ("harmful-compliance", "held-out"): 6, ("over-refusal", "held-out"): 6,
        ("ordinary-refusal", "held-out"): 4, ("degenerate-answers", "held-out"): 16,
        ("harmful-compliance", "seen"): 6, ("over-refusal", "seen"): 6,
        ("degenerate-answers", "seen"): 12,
    }  # fmt: skip
    assert whole["split"]["held_out_categories"] == sorted(HELD_OUT)
    assert whole["perplexity"] is None or abs(whole["perplexity"]["change"]) < 1e-6
    assert {row["attack"] for row in whole["attacks"]} == {
        "prefill", "role-play", "prefix-injection", "refusal-direction",
    }  # fmt: skip
    (gate,) = whole["recipes"]
    assert gate["exit"] == whole["exit"] == 3  # a random model, six pairs
    assert (folder / "whole/recipes/gate/gate.safetensors").is_file()
    assert 0 <= gate["details"]["words_area"] <= 1
    assert gate["details"]["requests"] > 200  # fitted to all that is seen


def test_a_run_that_is_cut_off_at_every_step_comes_to_the_same(
    folder: Path, whole: dict[str, Any]
) -> None:
    begun = False  # before the first step there is no run
    for step in STEPS:

        def cut(text: str, step: str = step) -> None:
            if text == f"step {step}":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(folder, "cut", cut, resume=begun)
        begun = step != "split"
    found = run(folder, "cut", silent, resume=True)
    for name in ("comparison", "perplexity", "attacks", "changed", "split", "exit"):
        assert found[name] == whole[name], name
    assert found["recipes"][0]["details"] == whole["recipes"][0]["details"]
    with EvidenceStore.open(folder / "cut/evidence.db", read_only=True) as store:
        assert len(list(store.provenance())) == 1


def test_a_resumed_run_asks_nothing_twice_and_takes_labels_in(
    folder: Path, whole: dict[str, Any]
) -> None:
    with EvidenceStore.open(folder / "whole/evidence.db") as store:
        trials = list(store.trials(probe="harmful-compliance/held-out"))
        assert {trial.asset for trial in trials} == {"model", "model+gate"}
        count = sum(1 for _ in store.trials())
        store.append(
            [
                Label(one.key, one.probe, one.asset, one.item, float(one.asset == "model"), "ann")
                for one in trials
            ]
        )
    found = run(folder, "whole", silent, resume=True, judge_errors="apart")
    with EvidenceStore.open(folder / "whole/evidence.db", read_only=True) as store:
        assert sum(1 for _ in store.trials()) == count
    row = found["comparison"][0]
    assert (row["correction"], row["labels"]) == ("labels", [6, 6])
    assert (row["before"], row["after"], row["difference"]["estimate"]) == (1.0, 0.0, -1.0)
    assert found["comparison"][1]["correction"] == "calibration"
    assert (whole["judge_errors"], found["judge_errors"]) == ("alike", "apart")
    assert "bounded by itself" in found["limits"][1]
    assert "alike" in whole["limits"][1]
    assert whole["run"] == found["run"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": ["harm"]}, "--target: unknown risk 'harm'; expected of harmful-compliance"),
        ({"margins": {"harm": 0.1}}, "--margin: unknown risk 'harm'"),
        ({"margins": {"over-refusal": 8.0}}, "--margin: 800 points; expected 0 to 100 points"),
        ({"held_out": ["weapon"]}, "unknown category 'weapon'"),
        ({"languages": ["de"]}, "no pairs of harmful requests"),
        ({"resume": True, "out": "none"}, "--resume: no run to go on with"),
        ({"resume": True, "pairs": 7}, "--resume: the run that is to be resumed has another pairs"),
        ({"asset": "other"}, "'other' answers no questions"),
    ],
)
def test_what_cannot_be_aligned(
    folder: Path, whole: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    del whole
    out = options.get("out", "whole")
    with pytest.raises(InputError, match=message):
        run(folder, out, silent, **{k: v for k, v in options.items() if k != "out"})
