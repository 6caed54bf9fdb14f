"""Who starts a workflow: its own events, those of its callers, and of what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.deployment.test_files import inspect, write

CALLED = (
    "on: workflow_call\njobs:\n  a:\n    runs-on: x\n    steps:\n"
    "      - run: echo ${{ github.event.workflow_run.head_branch || github.head_ref }}\n"
)
CALLER = "on: {}\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n"
WAITING = (
    "on:\n  workflow_run:\n    workflows: [Check]\n    types: [completed]\njobs:\n  a:\n"
    "    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n"
    "        with: {ref: '${{ github.event.workflow_run.head_sha }}'}\n      - run: make\n"
    "        env: {TOKEN: '${{ secrets.TOKEN }}'}\n"
)
CHECK = "name: Check\non: {}\njobs: {{}}\n"


def severities(folder: Path, files: dict[str, str], rule: str) -> list[str]:
    for name, text in files.items():
        write(folder / ".github" / "workflows" / name, text)
    return [one.severity for one in inspect(folder)[0] if one.rule.startswith(rule)]


@pytest.mark.parametrize(
    ("callers", "severity"),
    [
        ({}, "high"),
        ({"a.yml": CALLER.format("push")}, "medium"),
        ({"a.yml": CALLER.format("[push, workflow_dispatch]")}, "medium"),
        ({"a.yml": CALLER.format("push"), "b.yml": CALLER.format("pull_request_target")}, "high"),
        ({"a.yml": CALLER.format("[schedule, issue_comment]")}, "high"),
    ],
)
def test_a_workflow_that_only_members_call(
    tmp_path: Path, callers: dict[str, str], severity: str
) -> None:
    files = {"called.yml": CALLED, **callers}
    assert set(severities(tmp_path, files, "gha-script-injection")) == {severity}


def test_a_chain_of_calls_ends_where_it_began(tmp_path: Path) -> None:
    """Workflows that call one another are looked at only so deep."""
    files = {
        "called.yml": CALLED,
        "a.yml": CALLER.format("workflow_call"),
        "b.yml": CALLER.format("workflow_call").replace("called.yml", "a.yml"),
    }
    assert set(severities(tmp_path, files, "gha-script-injection")) == {"high"}
    write(
        tmp_path / ".github" / "workflows" / "c.yml",
        CALLER.format("push").replace("called.yml", "b.yml"),
    )
    assert set(severities(tmp_path, {}, "gha-script-injection")) == {"medium"}
    write(
        tmp_path / ".github" / "workflows" / "a.yml",
        CALLER.format("workflow_call").replace("called.yml", "a.yml")
        + CALLED[CALLED.find("  a") :],
    )
    assert severities(tmp_path, {}, "gha-script-injection")


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (None, ["critical"]),
        (CHECK.format("[push, schedule]"), []),
        (CHECK.format("pull_request"), ["critical"]),
        (CHECK.format("push").replace("Check", "Other"), ["critical"]),
    ],
)
def test_what_a_run_waits_for(tmp_path: Path, before: str | None, told: list[str]) -> None:
    files = {"a.yml": WAITING} | ({"check.yml": before} if before else {})
    assert severities(tmp_path, files, "gha-head-checkout") == told


READS = (
    "on:\n  workflow_run:\n    workflows: [Check]\n    types: [completed]\njobs:\n  a:\n"
    "    runs-on: x\n    steps:\n      - uses: actions/download-artifact@v4\n"
    "        with: {name: number, run-id: '${{ github.event.workflow_run.id }}'}\n"
    '      - id: pr\n        run: echo "number=$(cat number/number)" >> $GITHUB_OUTPUT\n'
    "      - run: export NUMBER=${{ steps.pr.outputs.number }}\n"
)


@pytest.mark.parametrize(
    ("before", "severity"),
    [("pull_request_review", "high"), ("pull_request", "high"), ("push", "medium"), ("", "medium")],
)
def test_what_a_file_of_an_artifact_holds(tmp_path: Path, before: str, severity: str) -> None:
    files = {"a.yml": READS} | ({"check.yml": CHECK.format(before)} if before else {})
    assert severities(tmp_path, files, "gha-indirect-injection") == [severity]


def test_a_file_of_the_run_itself_is_no_artifact(tmp_path: Path) -> None:
    text = READS.replace("actions/download-artifact@v4", "actions/checkout@v4")
    assert severities(tmp_path, {"a.yml": text}, "gha-indirect-injection") == []
