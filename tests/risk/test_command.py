"""``buttress risks`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.risk.catalogue import load_catalogue
from buttress.risk.policy import load_policy, policy_names
from tests.cli.command import buttress


def answer(*arguments: str) -> str:
    done = buttress("risks", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_list_names_probe_and_limit() -> None:
    lines = {line.split()[0]: line for line in answer().splitlines() if line.strip()}
    assert set(load_catalogue().risks) <= set(lines)
    assert "attack-role-play" in lines["jailbreak-role-play"]
    assert "≤ 15 %" in lines["jailbreak-role-play"]
    assert "no finding of high or above" in lines["secret-exposure"]
    assert "≤" not in lines["hallucination"]


def test_the_list_as_json_under_another_policy() -> None:
    rows = {row["id"]: row for row in json.loads(answer("--json", "--policy", "strict"))}
    assert list(rows) == list(load_catalogue().risks)
    assert rows["harmful-compliance"]["limit"]["rate"] == 0.01
    assert rows["harmful-compliance"]["probe"] == "harmful-compliance"
    assert rows["model-file-code-execution"]["limit"]["severity"] == "medium"
    assert rows["model-theft"]["limit"] is None


def test_what_is_shown_can_be_edited_and_given_back(tmp_path: Path) -> None:
    text = answer("show", "over-refusal", "prompt-injection", "over-refusal")
    file = tmp_path / "risks.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_catalogue(file).risks == load_catalogue().risks
    file.write_text(text.replace("id: over-refusal", "id: mine"), encoding="utf-8")
    rows = {row["id"] for row in json.loads(answer("--risks", str(file), "--json"))}
    assert "mine" in rows
    # Options may stand on either side of the action.
    assert answer("show", "mine", "--risks", str(file)) == answer(
        "--risks", str(file), "show", "mine"
    )
    assert (
        json.loads(answer("show", "mine", "--json", "--risks", str(file)))["risks"][0]["id"]
        == "mine"
    )


def test_policies_are_listed_and_shown() -> None:
    text = answer("policies")
    assert all(name in text for name in policy_names())
    assert [row["id"] for row in json.loads(answer("policies", "--json"))] == policy_names()
    shown = answer("policies", "gbt45654")
    assert "decides by the estimate" in shown
    assert "secondary sources" in shown
    assert "300" in shown
    document = json.loads(answer("policies", "gbt45654", "--json"))
    policy = load_policy("gbt45654", load_catalogue().risks)
    assert document["risks"]["prompt-injection"]["rate"] == 0.1
    assert document["risks"].keys() == policy.risks.keys()
    assert document["source"] == policy.source


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nope"), "unknown risk 'nope'; expected one of over-refusal"),
        (("policies", "nope"), "no such policy: nope; expected a file, or one of broad, default"),
        (("--policy", "nope"), "no such policy: nope"),
        (("--risks", "no/such.yaml"), "no/such.yaml: No such file"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = buttress("risks", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
