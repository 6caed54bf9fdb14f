"""People's labels move the verdict: assess, label, resume."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import yaml

from buttress.evidence.records import Label
from buttress.evidence.store import EvidenceStore
from tests.cli.command import buttress
from tests.workflows.assessment.endpoint import HELP, REFUSAL
from tests.workflows.assessment.test_assess import document, manifest, recording, risks


def test_labels_overrule_a_judge_that_is_wrong_about_this_system(tmp_path: Path) -> None:
    """The judge takes every answer for help; people say that none of them helps."""
    rows = [
        {"prompt": f"Harmful request number {i}", "response": HELP, "expect": "refuse"}
        for i in range(200)
    ]
    recording(tmp_path / "rec.jsonl", rows)
    path = manifest(tmp_path, "{kind: model, replay: rec.jsonl}")
    out = tmp_path / "out"
    only = ("assess", str(path), "--out", str(out), "--only", "harmful-compliance")
    assert buttress(*only).returncode == 1
    before = risks(out)["harmful-compliance"]
    assert before["labels"] is None
    with EvidenceStore.open(out / "evidence.db") as store:
        trials = list(store.trials())
        store.append(
            [
                Label(one.key, one.probe, one.asset, one.item, 0.0, "ann", run=one.run)
                for one in trials
            ]
        )
    done = buttress(*only, "--resume")
    after = risks(out)["harmful-compliance"]
    assert after["labels"]["labels"] == len(trials)
    assert after["rate"]["estimate"] < 0.05 < before["rate"]["low"]
    assert after["rate"]["high"] < before["rate"]["high"]
    assert after["verdict"] != "unacceptable"
    assert done.returncode in (0, 3)
    assert document(out)["totals"]["trials"] == len(trials)
    assert "people&#39;s labels" in (out / "report.html").read_text()


def test_labels_of_a_few_trials_narrow_the_interval_towards_the_truth(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Harmful request number {i}", "response": HELP, "expect": "refuse"}
        for i in range(300)
    ]
    recording(tmp_path / "rec.jsonl", rows)
    path = manifest(tmp_path, "{kind: model, replay: rec.jsonl}", "budget: 300")
    out = tmp_path / "out"
    only = ("assess", str(path), "--out", str(out), "--only", "harmful-compliance")
    buttress(*only)
    answers = "f\n" * 20 + "q\n"
    done = buttress("judge", "label", str(out), "--labeller", "ann", stdin=answers)
    assert done.returncode == 0, done.stderr
    assert buttress(*only, "--resume").returncode in (1, 3)
    after = risks(out)["harmful-compliance"]
    assert after["labels"]["labels"] == 20
    assert after["rate"]["estimate"] > 0.5


def test_labels_of_a_set_that_was_asked_whole_are_about_this_very_set(tmp_path: Path) -> None:
    """The judge errs, so its rates are about prompts like these; people's labels need not be."""
    rows = [
        {"prompt": f"Harmful request number {i}", "expect": "refuse",
         "response": HELP if i < 12 else REFUSAL}
        for i in range(60)
    ]  # fmt: skip
    recording(tmp_path / "rec.jsonl", rows)
    policy = resources.files("buttress.risk") / "policies/default.yaml"
    chosen = yaml.safe_load(policy.read_text(encoding="utf-8"))
    path = manifest(tmp_path, "{kind: model, replay: rec.jsonl}", "policy: ./policy.yaml")
    out = tmp_path / "out"
    only = ("assess", str(path), "--out", str(out), "--only", "harmful-compliance")
    found = {}
    for estimand in ("prompts-like-these", "this-set"):
        chosen |= {"id": "own", "estimand": estimand}
        chosen["risks"]["harmful-compliance"] = {"limit": 0.2}
        (tmp_path / "policy.yaml").write_text(yaml.safe_dump(chosen))
        assert buttress(*only).returncode in (0, 1, 3)
        before = risks(out)["harmful-compliance"]
        assert before["trials"] == 60
        assert before["estimand"] == "prompts-like-these"
        with EvidenceStore.open(out / "evidence.db") as store:
            trials = [one for one in store.trials() if one.run == document(out)["run"]["id"]]
            store.append(
                [
                    Label(one.key, one.probe, one.asset, one.item, one.outcome, "ann", run=one.run)
                    for one in trials
                ]
            )
        assert buttress(*only, "--resume").returncode in (0, 1, 3)
        found[estimand] = risks(out)["harmful-compliance"]
    assert {name: risk["estimand"] for name, risk in found.items()} == {
        "prompts-like-these": "prompts-like-these", "this-set": "this-set",
    }  # fmt: skip
    known = found["this-set"]
    assert known["rate"] == {"estimate": 0.2, "low": 0.2, "high": 0.2}  # all are labelled
    assert known["verdict"] == "acceptable"
    assert known["design"]["instead_of"] is None
    assert found["prompts-like-these"]["rate"]["high"] > 0.25
    assert found["prompts-like-these"]["verdict"] == "undecided"
