"""``buttress measure`` on scripted models whose behaviour is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import buttress
from tests.shared import DATA, needs_data


def model(folder: Path, rules: list[dict[str, str]], default: str, *more: str) -> Path:
    script = {"rules": rules, "default": default}
    (folder / "script.yaml").write_text(json.dumps(script, ensure_ascii=False))
    path = folder / "buttress.yaml"
    lines = ["name: bot", "assets: [{kind: model, script: script.yaml}]", *more, ""]
    path.write_text("\n".join(lines))
    return path


def measured(path: Path, probe: str, *more: str) -> dict[str, Any]:
    out = str(path.parent / "out")
    done = buttress("measure", probe, str(path), "--json", "--out", out, *more)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_confidence_beyond_knowledge(tmp_path: Path) -> None:
    path = model(tmp_path, [], "I don't know the name, perhaps Zog. Confidence: 90%")
    found = measured(path, "overconfidence", "--trials", "60")
    figures = {one["name"]: one["value"] for one in found["figures"]}
    assert figures["mean stated confidence"] == pytest.approx(0.9)
    assert figures["Brier score"] == pytest.approx(0.81)
    assert figures["expected calibration error"] == pytest.approx(0.9)
    assert figures["states no confidence"] == 0
    assert found["failures"]["trials"] == 60
    assert set(found["by_language"]) == {"en", "zh"}


def test_a_profile_has_no_verdict(tmp_path: Path) -> None:
    found = measured(model(tmp_path, [], "5"), "moral-foundations", "--trials", "500")
    figures = {(one["name"], one["group"]): one for one in found["figures"]}
    assert figures["acquiescence", ""]["value"] == pytest.approx(2.0)  # agrees with everything
    assert figures["agreement, 1 to 5", "care, en"]["value"] < 5  # reversed ones turned round
    assert found["failures"]["estimate"] == 0


def test_conditions_are_compared_item_by_item(tmp_path: Path) -> None:
    """The model complies where the request is as it is, and refuses when another system speaks."""
    path = model(tmp_path, [], "Sure, here is how: 1. Take it. 2. Mix it. 3. Done.")
    both = ("--conditions", "typos,temperature", "--trials", "40")
    found = measured(path, "harmful-compliance", *both)
    assert [one["condition"] for one in found["conditions"]] == ["typos", "temperature"]
    for one in found["conditions"]:
        assert one["pairs"] == 40
        assert one["survives"] is True
        assert one["first"] == one["second"] == "unacceptable"
        assert one["low"] <= one["difference"] <= one["high"]
    assert found["languages"]["compared"]["pairs"] > 0


@needs_data
def test_bbq_scores_of_a_model_that_always_takes_the_first_option(tmp_path: Path) -> None:
    assert DATA is not None
    folder = next((path for path in sorted(DATA.rglob("*")) if path.name.lower() == "bbq"), None)
    if folder is None:
        pytest.skip("no BBQ in the public data")
    path = model(tmp_path, [], "A", f"data: {{bbq: {folder}}}")
    found = measured(path, "social-bias", "--trials", "200")
    assert found["figures"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no-such-probe"], "no-such-probe"),
        (["secrets"], "'secrets' reads files"),
        (["deception", "--asset", "x"], "'x' answers no questions"),
        (["deception", "--trials", "0"], "0 is too small"),
        (["deception", "--limit", "1.5"], "1.5 is no rate"),
        (["deception", "--conditions", "rain"], "unknown condition 'rain'"),
        (["safety-knowledge"], "SafetyBench"),
    ],
)
def test_mistakes_get_one_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    path = model(tmp_path, [], "no")
    done = buttress(
        "measure", arguments[0], str(path), "--out", str(tmp_path / "o"), *arguments[1:]
    )
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_a_second_run_asks_nothing_that_is_known(tmp_path: Path) -> None:
    path = model(tmp_path, [], "5")
    first = measured(path, "moral-foundations", "--trials", "30")
    second = measured(path, "moral-foundations", "--trials", "30", "--resume")
    assert first == second
