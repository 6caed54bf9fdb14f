"""``buttress ask`` shows what came back, safely, and one line where nothing did."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import buttress

SCRIPT = """
rules:
  - match: bread
    answer: "Mix flour\\e[31m and water."
default: I'm sorry, but I can't help with that.
"""


def manifest(folder: Path) -> str:
    (folder / "script.yaml").write_text(SCRIPT)
    assets = "[{kind: model, id: bot, script: script.yaml}]"
    (folder / "buttress.yaml").write_text(f"name: t\nassets: {assets}\n")
    return str(folder)


def test_it_shows_the_answer_without_control_characters(tmp_path: Path) -> None:
    done = buttress("ask", manifest(tmp_path), "--prompt", "How do I bake bread?")
    assert done.returncode == 0, done.stderr
    assert "Mix flour" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.rstrip().endswith("1 attempt")
    for arguments in (["How do I bake bread?"], [str(tmp_path), "How do I bake bread?"]):
        assert "Mix flour" in buttress("ask", *arguments, cwd=tmp_path).stdout
    said = buttress("ask", str(tmp_path), "--json").stdout
    assert json.loads(said)["answer"]["text"] == "I'm sorry, but I can't help with that."


def test_what_cannot_be_asked_is_one_line(tmp_path: Path) -> None:
    done = buttress("ask", manifest(tmp_path), "--asset", "other")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--asset: 'other' answers no questions; expected one of bot" in done.stderr
    (tmp_path / "buttress.yaml").write_text("name: t\nassets: [{kind: data, path: .}]\n")
    assert "0 assets answer" in buttress("ask", str(tmp_path)).stderr


def test_options_may_stand_between(tmp_path: Path) -> None:
    folder, question = manifest(tmp_path), "How do I bake bread?"
    for arguments in ([folder, "--json", question], [folder, "--asset", "bot", question, "--json"]):
        done = buttress("ask", *arguments)
        assert done.returncode == 0, done.stderr
        assert "Mix flour" in json.loads(done.stdout)["answer"]["text"]
    done = buttress("ask", folder, "--json", question, "one too many")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "unknown argument one too many" in done.stderr
