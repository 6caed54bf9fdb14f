"""Assets with nothing but a ``url``: live probes move the risks of the assessment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.store import EvidenceStore
from buttress.live.sent import NO_ANSWER_KNOWN, Sent
from buttress.protocols.live import LiveRequest
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.assessment.hosts import ask_hosts
from buttress.workflows.manifest import load
from buttress.workflows.survey_requests import RequestLog
from buttress.workflows.survey_settings import system_endpoints
from tests.cli.command import buttress
from tests.cli.test_survey import OPEN, web
from tests.probes.client.test_live_page import LOOSE, PAGE, SEND

MANIFEST = """
name: gateway
assets:
  - {{id: gateway, kind: infrastructure, url: "http://127.0.0.1:{port}"}}
"""


def assess(folder: Path, port: int) -> tuple[int, dict[str, dict[str, object]], dict[str, Any]]:
    folder.mkdir()
    (folder / "buttress.yaml").write_text(MANIFEST.format(port=port))
    done = buttress("assess", str(folder), "--out", str(folder / "out"))
    assert "nothing could be assessed" not in done.stderr
    made = json.loads((folder / "out/assessment.json").read_text())
    return done.returncode, {one["id"]: one for one in made["risks"]}, made


def test_findings_at_a_host_decide_and_move_its_risks(tmp_path: Path) -> None:
    with web(OPEN) as (_, port):
        code, opened, document = assess(tmp_path / "open", port)
    with web({"/": "welcome"}) as (_, port):
        clean, closed, _ = assess(tmp_path / "closed", port)
    assert (code, clean) == (1, 3)  # no model was asked how it answers
    assert set(opened) == {"endpoint-exposure", "transport-interception", "api-abuse"}
    assert opened["endpoint-exposure"]["verdict"] == "unacceptable"
    assert closed["endpoint-exposure"]["verdict"] == "acceptable"
    found, clear = (one["endpoint-exposure"]["rate"] for one in (opened, closed))
    assert found["estimate"] > 2 * clear["estimate"]  # type: ignore[index]
    assert "open-model-management" in {one["rule"] for one in document["findings"]}
    assert ("infrastructure-live", "gateway") in {
        (one["probe"], one["asset"]) for one in document["coverage"]["covered"]
    }
    assert not list((tmp_path / "open/out").glob("requests-*"))  # all are in the evidence


def test_what_an_assessment_sent_before_it_was_cut_off_is_in_the_evidence(tmp_path: Path) -> None:
    with web(OPEN) as (_, port):
        (tmp_path / "buttress.yaml").write_text(MANIFEST.format(port=port))
        system = load(tmp_path / "buttress.yaml")
        (endpoint,) = system_endpoints(system)
        url = f"http://127.0.0.1:{port}/sent-before-the-kill"
        log = RequestLog.begin(
            tmp_path / "requests-r1-infrastructure-link-service.jsonl", [endpoint]
        )
        log.add(endpoint, Sent(LiveRequest("GET", "/x"), url, 1.0, 0.0, 0, 0))
        log.close()
        with EvidenceStore.open(tmp_path / "evidence.db") as store:
            ask_hosts(system, "r1", store, Coverage(), lambda _: None, out=tmp_path)
            rows = [row for one in store.inspections(run="r1") for row in one.extra["sent"]]
    told = {(row["status"], row["note"]) for row in rows if row["url"] == url}
    assert told == {(0, NO_ANSWER_KNOWN)}
    assert any(row["status"] == 200 for row in rows)
    assert not list(tmp_path.glob("requests-*"))


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
