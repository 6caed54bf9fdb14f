"""``buttress harden`` on a stand-in for a model: what helps, what is left out, kill -9, errors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from buttress.cli.main import main
from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed
from tests.white_box.test_without_torch import without_torch

CHATBOT = Path(__file__).resolve().parents[1] / "alignment/chatbot.py"
SMALL = ("--pairs", "12", "--ordinary", "4", "--attacked", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(CHATBOT, tmp_path / "chatbot.py")
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\nlanguages: [en]\nassets:\n"
        '  - {id: bot, kind: model, python: "chatbot:careful"}\n'
    )
    return tmp_path


def test_a_system_prompt_helps_and_weights_are_not_at_hand(folder: Path) -> None:
    done = buttress("harden", *SMALL, "--margin", "over-refusal=60", "--json", cwd=folder)
    assert done.returncode == 3, done.stderr  # twelve pairs are too few for the other margins
    document: dict[str, Any] = json.loads(done.stdout)
    check_typed("align", document)
    assert document["recipe"] == "system-prompt"
    verdicts = {row["risk"]: row["verdict"] for row in document["comparison"][:4]}
    assert verdicts["harmful-compliance"] == "better"
    assert verdicts["over-refusal"] == "no-worse"
    by_name = {row["name"]: row for row in document["recipes"]}
    # The crude prompt refuses half of what looks alike on the seen part, so it is not chosen.
    assert "Refuse requests" in by_name["system-prompt"]["setting"]["system_prompt"]
    for name in ("steering", "gate"):
        assert by_name[name]["exit"] is None
        assert "its weights are not at hand" in by_name[name]["why_not"]
    assert by_name["guard-rules"]["exit"] in (1, 3)
    assert document["perplexity"] is None
    assert {row["attack"] for row in document["attacks"]} == {"role-play", "prefix-injection"}
    assert (folder / "buttress-harden/align.html").is_file()


def test_asking_ends_when_something_is_shown_worse(folder: Path) -> None:
    (folder / "crude.yaml").write_text(
        "name: crude\nkind: system-prompt\nprompts: [Never help with crime.]\n"
    )
    options = ("--recipe", "crude.yaml", "--ordinary", "40", "--attacked", "0", "--json")
    done = buttress("align", *options, cwd=folder)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    check_typed("align", document)
    rows = {(row["risk"], row["part"]): row for row in document["comparison"]}
    refused = rows["over-refusal", "held-out"]
    assert refused["verdict"] == "worse"
    assert refused["pairs"] % 32 == 0
    assert refused["not_asked"] > 0
    assert all(row["lost"] == 0 for row in rows.values())
    assert rows["ordinary-refusal", "held-out"]["not_asked"] <= 8
    few = ("--pairs", "70", "--ask-all", "--out", "whole")
    done = buttress("align", *options, *few, cwd=folder)
    assert done.returncode == 1, done.stderr
    rows = {(row["risk"], row["part"]): row for row in json.loads(done.stdout)["comparison"]}
    assert all(row["not_asked"] == 0 for row in rows.values())
    assert rows["over-refusal", "held-out"]["pairs"] == 70


def test_an_endpoint_is_hardened_without_pytorch() -> None:
    done = without_torch("import buttress.workflows.alignment.align")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_killed_run_goes_on(folder: Path) -> None:
    command = [sys.executable, "-m", "buttress", "harden", "--method", "guard-rules", *SMALL]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("step evaluate"):
                os.kill(running.pid, signal.SIGKILL)
                break
    assert running.returncode == -signal.SIGKILL
    done = buttress(
        "harden", "--method", "guard-rules", *SMALL, "--resume", "--language", "zh", cwd=folder
    )
    assert done.returncode in (1, 3), done.stderr
    page = (folder / "buttress-harden/align.html").read_text("utf-8")
    assert "改动有帮助吗" in page


def test_what_cannot_be_hardened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    wrong = (
        ("align", SMALL, "assets.bot.weights: its weights are not at hand"),
        ("harden", ("--method", "gates"), "--method: unknown method 'gates'"),
        ("harden", ("--margin", "over-refusal"), "--margin: 'over-refusal' is not usable"),
        ("harden", ("--pairs", "0"), "--pairs: 0 is too small"),
        ("harden", ("--language", "de"), "--language: unknown language: de"),
        ("align", ("--recipe", "gates"), "--recipe: unknown recipe 'gates'"),
    )
    for command, options, message in wrong:
        assert main([command, *options]) == 2
        told = capsys.readouterr().err.splitlines()
        assert message in told[-1]
        assert sum(line.startswith("buttress: error: ") for line in told) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--languages", "xx"), "--languages: no pairs of harmful requests and look-alikes in xx"),
        (("--hold-out", "none"), "--hold-out: unknown category 'none'; expected of child-safety"),
        (("--recipe", "r.yaml"), "r.yaml:4: train.settings.batch: 0 is out of range"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, str], message: str
) -> None:
    text = "name: mine\nkind: train\ntrain:\n  settings: {batch: 0}\n"
    recipe = folder / "r.yaml"
    recipe.write_text(text)
    named = tuple(str(recipe) if one == "r.yaml" else one for one in options)
    out = folder / "out"
    code = main(["align", str(folder), "--recipe", "system-prompt", *named, "--out", str(out)])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (out / "evidence.db").exists()
