"""The rules: each finds its own bad examples and stays silent on the good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.deployment.checks import CHECKS
from buttress.probes.deployment.probe import PROBE, RULES
from buttress.protocols.inspection import InspectionContext
from buttress.rules.rule import Example, Rule

ALL = list(RULES.own.values())
BAD = [(rule, one) for rule in ALL for one in rule.bad]
GOOD = [(rule, one) for rule in ALL for one in rule.good]


def found(folder: Path, example: Example) -> list[Finding]:
    path = folder / example.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.text, encoding="utf-8")
    return [
        one
        for one in PROBE.inspect(InspectionContext.at("app", folder))
        if isinstance(one, Finding)
    ]


@pytest.mark.parametrize(("rule", "example"), BAD, ids=lambda one: getattr(one, "id", None))
def test_bad_examples_are_found(tmp_path: Path, rule: Rule, example: Example) -> None:
    findings = [one for one in found(tmp_path, example) if one.rule == rule.id]
    assert findings, [one.rule for one in found(tmp_path, example)]
    for one in findings:
        assert "{it}" not in one.message
        assert one.location.startswith(f"{example.file}:")
        assert 1 <= int(one.location.rpartition(":")[2]) <= example.text.count("\n") + 1


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=lambda one: getattr(one, "id", None))
def test_good_examples_are_not(tmp_path: Path, rule: Rule, example: Example) -> None:
    assert rule.id not in [one.rule for one in found(tmp_path, example)]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_each_rule_is_complete(rule: Rule) -> None:
    assert rule.bad
    assert rule.good
    assert rule.about
    assert bool(rule.check) + bool(rule.pattern) + rule.missing == 1
    assert rule.severity in SEVERITIES
    assert rule.references[0].startswith("CWE-")
    assert rule.message.endswith(".")
    assert rule.remedy.endswith(".")


def test_checks_are_all_used_and_rules_are_many() -> None:
    assert {rule.check for rule in ALL if rule.check} == set(CHECKS)
    assert len(ALL) >= 60


HARMLESS = {
    "an image gets a public key": ("Dockerfile", "FROM a:1\nCOPY node-repo.gpg.key /tmp/\n"),
    "the name of a choice": (
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n"
        "  LLM_KEY: OPENAI_GPT4_1\n",
    ),
    "comments of PowerShell": (
        "run.ps1", "<#\n.SYNOPSIS\n  irm https://a.net/run.ps1 | iex\n#>\nWrite-Output 1\n",
    ),
    "figures of the kernel, only read": (
        "docker-compose.yml",
        "services:\n  a:\n    image: a:1\n    volumes:\n      - /sys:/sys:ro\n"
        "      - {type: bind, source: /proc, target: /p, read_only: true}\n",
    ),
    "of a node": (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n"
        "    image: a:1\n    volumeMounts: [{name: s, mountPath: /sys, readOnly: true}]\n"
        "  volumes:\n  - name: s\n    hostPath: {path: /sys}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), HARMLESS.values(), ids=HARMLESS)
def test_what_gives_nothing_away_is_not_grave(tmp_path: Path, name: str, text: str) -> None:
    grave = ("high", "critical")
    assert [one.rule for one in found(tmp_path, Example(name, text)) if one.severity in grave] == []
    # The same with what makes it grave.
    worse = (
        text.replace("node-repo.gpg.key", "tls.key").replace("OPENAI_GPT4_1", "kD93jfLs02kdQ1")
        .replace("<#", "").replace("#>", "").replace(":ro", "").replace("read_only: true", "")
        .replace("readOnly: true", "")
    )  # fmt: skip
    assert [one for one in found(tmp_path, Example(name, worse)) if one.severity in grave]


SHOWN = {
    "a function that prints": 'say_it() {\n  printf \'%s\' "$1"\n}\nsay_it "{}"\n',
    "a variable that is shown": 'CMD="{}"\necho "Run $CMD"\n',
    "a cmdlet that writes": 'Write-Line "{}"\n',
    "a text of several lines": "Write-Host @'\nUsage:\n  {}\n'@\n",
}
RUN = {
    "a function that runs it": 'run_it() {\n  bash -c "$1"\n}\nrun_it "{}"\n',
    "a variable that is run": 'CMD="{}"\neval "$CMD"\n',
    "a shell": 'bash -c "{}"\n',
    "another machine": "wsl -d a -- bash -lc '{}'\n",
}


@pytest.mark.parametrize(
    ("text", "grave"),
    [*((one, False) for one in SHOWN.values()), *((one, True) for one in RUN.values())],
    ids=[*SHOWN, *RUN],
)
def test_a_command_that_is_shown_is_not_run(tmp_path: Path, text: str, grave: bool) -> None:
    name = "a.ps1" if "Write-" in text else "a.sh"
    command = "irm https://a.net/i.ps1 | iex" if name == "a.ps1" else "curl https://a.net/i | sh"
    rules = [one.rule for one in found(tmp_path, Example(name, text.replace("{}", command)))]
    assert ("shell-pipe-to-shell" in rules) is grave


def test_a_downloaded_file_that_is_only_read_is_not_run(tmp_path: Path) -> None:
    fetch = "curl -fs https://a.net/h > /tmp/h.json\n"
    read = f"{fetch}python3 -c \"import json; json.load(open('/tmp/h.json'))\"\n"
    assert found(tmp_path, Example("a.sh", read)) == []
    run = f"{fetch}(/tmp/h.json)\n"
    assert [one.rule for one in found(tmp_path, Example("a.sh", run))] == ["shell-download-run"]
