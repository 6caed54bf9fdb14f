"""Assets with nothing but a ``url``: live probes move the risks of the assessment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import buttress
from tests.cli.test_survey import OPEN, web
from tests.probes.client.test_live_page import LOOSE, PAGE, SEND

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


@pytest.mark.skipif(not shutil.which("chromium"), reason="no browser")
def test_the_page_of_a_client_asset_is_opened_and_moves_its_risk(tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    pages = {"/": (200, LOOSE, PAGE), "/app.js": (200, {}, SEND % ("", "innerHTML"))}
    with web(pages) as (handler, port):
        (tmp_path / "buttress.yaml").write_text(
            MANIFEST.format(port=port).replace("infrastructure", "client")
        )
        done = buttress("assess", str(tmp_path), "--out", str(tmp_path / "out"))
    made = json.loads((tmp_path / "out/assessment.json").read_text())
    assert "answer-runs-in-page" in {one["rule"] for one in made["findings"]}, done.stderr
    risk = next(one for one in made["risks"] if one["id"] == "insecure-output-handling")
    assert risk["verdict"] == "unacceptable"
    assert {method for method, _ in handler.seen} <= {"GET", "OPTIONS", "POST"}
    assert ("POST", "/chat") not in handler.seen
