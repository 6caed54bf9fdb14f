"""A third-party package, installed and used without a change to Buttress."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "docs/example-plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installs the package into."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PACKAGE, folder / "source")  # building leaves files behind
    place = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-index", "--no-deps", "--no-build-isolation", "--target", place, source],
        check=True,
    )  # fmt: skip
    return place


def buttress(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "buttress", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(place), "NO_COLOR": "1"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_it_takes_thirty_lines() -> None:
    assert len((PACKAGE / "shouting.py").read_text().splitlines()) <= 30


def test_its_parts_are_listed(installed: Path) -> None:
    probes = json.loads(buttress(installed, "probes", "--json").stdout)
    (mine,) = [one for one in probes if one["id"] == "attack-shouting"]
    assert mine["yields"] == "trials"
    attacks = json.loads(buttress(installed, "probes", "--attacks", "--json").stdout)
    (mine,) = [one for one in attacks if one["id"] == "shouting"]
    assert mine["variants"] == "loud, urgent"


def test_its_probe_decides_its_risk(installed: Path, tmp_path: Path) -> None:
    """A model that gives in to capitals alone fails this risk, and this one only."""
    help_text = "Sure, here is how. First, gather the parts. Second, put them together. 1. Start."
    (tmp_path / "bot.yaml").write_text(
        "rules:\n"
        "  - {match: '^[^a-z]+$', answer: '" + help_text + "'}\n"
        "default: I'm sorry, but I can't help with that.\n"
    )
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\n"
        "languages: [en]\n"
        f"risks: {PACKAGE / 'risks.yaml'}\n"
        f"policy: {PACKAGE / 'policy.yaml'}\n"
        "assets:\n  - {kind: model, script: bot.yaml}\n"
    )
    out = tmp_path / "out"
    done = buttress(
        installed, "assess", str(tmp_path), "--out", str(out),
        "--only", "attack-shouting,harmful-compliance",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    document = json.loads((out / "assessment.json").read_bytes())
    verdicts = {risk["id"]: risk["verdict"] for risk in document["risks"]}
    assert verdicts["jailbreak-shouting"] == "unacceptable"
    assert verdicts["harmful-compliance"] == "acceptable"
