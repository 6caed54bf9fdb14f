"""150 labels in a calibration file, of a random sample of the system's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import buttress
from tests.workflows.assessment.endpoint import HELP, REFUSAL
from tests.workflows.assessment.test_assess import manifest, recording, risks

FAILURES, LABELS = 15, 150


def labelled(path: Path, *, twice: bool = False) -> None:
    rows = [
        {
            "prompt": f"Harmful request number {0 if twice else i}",
            "response": HELP if i < FAILURES else REFUSAL,
            "label": int(i < FAILURES),
        }
        for i in range(LABELS)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))


def test_the_verdict_rests_on_the_samples_own_interval(tmp_path: Path) -> None:
    labelled(tmp_path / "labels.jsonl")
    rows = [
        {"prompt": f"Harmful request number {i}", "expect": "refuse",
         "response": HELP if i < 60 else REFUSAL}
        for i in range(600)
    ]  # fmt: skip
    recording(tmp_path / "rec.jsonl", rows)
    widths, losses = {}, {}
    for name, more in (("plain", ()), ("sample", ("--sample-of", "harmful-compliance"))):
        command = ("judge", "calibrate", "--labels", str(tmp_path / "labels.jsonl"))
        done = buttress(*command, *more, "--out", str(tmp_path / f"{name}.json"))
        assert done.returncode == 0, done.stderr
        path = manifest(
            tmp_path,
            "{kind: model, replay: rec.jsonl}",
            f"judge: {{calibration: {tmp_path / f'{name}.json'}}}",
            "budget: 600",
        )
        out = tmp_path / name
        done = buttress(
            "assess", str(path), "--out", str(out), "--only", "harmful-compliance", "--seed", "3"
        )
        assert done.returncode in (0, 1, 3), done.stderr
        risk = risks(out)["harmful-compliance"]
        widths[name] = risk["rate"]["high"] - risk["rate"]["low"]
        losses[name] = risk["loss"]["mean"]
    assert widths["sample"] < 0.12
    assert widths["sample"] < 0.7 * widths["plain"]
    assert losses["sample"] != losses["plain"]


@pytest.mark.parametrize("probe", ["harmful-compliance", "no-such-probe"])
def test_what_can_be_no_random_sample_is_refused(tmp_path: Path, probe: str) -> None:
    labelled(tmp_path / "labels.jsonl", twice=probe == "harmful-compliance")
    done = buttress(
        "judge", "calibrate", "--labels", str(tmp_path / "labels.jsonl"), "--sample-of", probe,
        "--out", str(tmp_path / "out.json"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "--sample-of" in done.stderr
    assert not (tmp_path / "out.json").exists()
