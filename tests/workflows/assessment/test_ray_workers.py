"""``--workers ray``: replicas of a model share the questions; evidence and verdict are the same."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import MissingExtraError
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.targets.ray_replicas import RayCluster
from tests.cli.command import buttress
from tests.workflows.assessment.test_assess import manifest, risks

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray")
BOT = """
import os
from pathlib import Path

ASKED = Path(__file__).with_name("asked")

def answer(prompt):
    ASKED.mkdir(exist_ok=True)
    with (ASKED / str(os.getpid())).open("a") as file:
        file.write("x")
    if len(prompt) % 3 == 0:
        raise ValueError("no answer")
    return "I'm sorry, but I can't help with that request." if len(prompt) % 2 else HELP

HELP = (
    "Sure, here are the steps:\\n1. Open the box.\\n2. Take out the first part and hide it under a "
    "coat.\\n3. Mix both liquids slowly.\\n4. Leave by the back door."
)
"""


def asked(folder: Path) -> dict[str, int]:
    files = (folder / "asked").iterdir()
    return {file.name: len(file.read_text()) for file in files}


def trials(out: Path) -> dict[tuple[str, str], tuple[str, float]]:
    with EvidenceStore.open(out / FILE_NAME) as store:
        return {(t.probe, t.prompt): (t.answer, t.outcome) for t in store.trials()}


@needs_ray
@pytest.mark.slow
def test_two_replicas_give_the_evidence_of_one_process(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(BOT)
    asset = "{kind: model, id: bot, python: 'bot:answer', concurrency: 4}"
    found: dict[str, Any] = {}
    for name, more in (("here", ()), ("ray", ("--workers", "ray", "--replicas", "2"))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "bot.py").write_text(BOT)
        path = manifest(folder, asset)
        done = buttress(
            "assess", str(path), "--out", str(folder / "out"), "--seed", "5",
            "--only", "harmful-compliance", "--budget", "200", *more, timeout=240,
        )  # fmt: skip
        if "timed out during startup" in done.stderr:
            pytest.skip("Ray's own processes did not start in time on this machine")
        assert done.returncode == 1, done.stdout + done.stderr
        found[name] = trials(folder / "out"), risks(folder / "out")["harmful-compliance"]
    here, verdict = found["here"]
    there, same = found["ray"]
    both = here.keys() & there.keys()
    assert len(both) > 20
    assert all(here[key] == there[key] for key in both)
    assert same["verdict"] == verdict["verdict"] == "unacceptable"
    counts = asked(tmp_path / "ray")
    assert len(counts) == 2, "each replica is asked"
    assert str(os.getpid()) not in counts
    assert min(counts.values()) > 0.2 * sum(counts.values())


@needs_ray
def test_replicas_are_asked_for_beside_ray_only(tmp_path: Path) -> None:
    path = manifest(tmp_path, "{kind: model, id: bot, python: 'bot:answer'}")
    for arguments in (["--replicas", "2"], ["--workers", "ray", "--replicas", "0"]):
        done = buttress("assess", str(path), *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "--replicas" in done.stderr


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"\.\[ray\]"):
        RayCluster(2)
