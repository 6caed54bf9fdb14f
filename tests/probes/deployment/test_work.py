"""How the work grows with the size of a workflow."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from buttress.evidence.findings import Finding
from buttress.probes.deployment.probe import PROBE
from buttress.protocols.inspection import InspectionContext

_TITLE = "${{ github.event.issue.title }}"


def workflow(jobs: int, first: str) -> str:
    """Jobs each of which passes on outputs of the two before it, from the first one on."""
    text = "on: issues\njobs:\n  j0:\n    runs-on: x\n    outputs:\n"
    text += f"      o: '{first}'\n      p: '{first}'\n"
    text += "    steps: [{run: ls}]\n"
    for one in range(1, jobs):
        before, third = f"j{one - 1}", f"j{max(0, one - 2)}"
        text += (
            f"  j{one}:\n    runs-on: x\n    needs: [{before}, {third}]\n    outputs:\n"
            f"      o: ${{{{ needs.{before}.outputs.o }}}}${{{{ needs.{third}.outputs.p }}}}\n"
            f"      p: ${{{{ needs.{third}.outputs.p }}}}${{{{ needs.{before}.outputs.o }}}}\n"
            f"    steps: [{{run: 'echo ${{{{ needs.{before}.outputs.o }}}}'}}]\n"
        )
    return text


def inspected(folder: Path, text: str) -> tuple[list[Finding], int]:
    """What is found, and how many calls of functions it took."""
    path = folder / ".github/workflows/a.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    calls = 0

    def count(frame: FrameType, event: str, given: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = PROBE.inspect(InspectionContext.at("asset", folder))
        findings = [one for one in found if isinstance(one, Finding)]
    finally:
        sys.setprofile(before)
    return findings, calls


def test_outputs_that_many_jobs_pass_on_are_asked_for_once(tmp_path: Path) -> None:
    inspected(tmp_path, workflow(2, "none"))  # what is made at first use
    (_, few), (_, many) = (inspected(tmp_path, workflow(jobs, "none")) for jobs in (20, 80))
    assert many < 8 * few


def test_what_a_stranger_wrote_is_followed_through_jobs(tmp_path: Path) -> None:
    found, _ = inspected(tmp_path, workflow(6, _TITLE))
    assert sum(one.rule == "gha-indirect-injection" for one in found) == 5
