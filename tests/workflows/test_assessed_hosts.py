"""Assets with nothing but a ``url``: live probes move the risks of the assessment."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import buttress
from tests.cli.test_survey import OPEN, web

MANIFEST = """
name: gateway
assets:
  - {{id: gateway, kind: infrastructure, url: "http://127.0.0.1:{port}"}}
"""


def assess(folder: Path, port: int) -> tuple[int, dict[str, dict[str, object]]]:
    folder.mkdir()
    (folder / "buttress.yaml").write_text(MANIFEST.format(port=port))
    done = buttress("assess", str(folder), "--out", str(folder / "out"))
    assert "nothing could be assessed" not in done.stderr
    made = json.loads((folder / "out/assessment.json").read_text())
    return done.returncode, {one["id"]: one for one in made["risks"]}


def test_findings_at_a_host_decide_and_move_its_risks(tmp_path: Path) -> None:
    with web(OPEN) as (_, port):
        code, opened = assess(tmp_path / "open", port)
    with web({"/": "welcome"}) as (_, port):
        clean, closed = assess(tmp_path / "closed", port)
    assert (code, clean) == (1, 3)  # no model was asked how it answers
    assert set(opened) == {"endpoint-exposure", "transport-interception", "api-abuse"}
    assert opened["endpoint-exposure"]["verdict"] == "unacceptable"
    assert closed["endpoint-exposure"]["verdict"] == "acceptable"
    found, clear = (one["endpoint-exposure"]["rate"] for one in (opened, closed))
    assert found["estimate"] > 2 * clear["estimate"]  # type: ignore[index]


def test_a_host_that_is_not_reached_proves_nothing(tmp_path: Path) -> None:
    with web({}) as (_, port):
        pass
    (tmp_path / "buttress.yaml").write_text(MANIFEST.format(port=port))
    done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert "not reached" in done.stderr
