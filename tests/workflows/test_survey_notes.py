"""What a survey says of advisories that it had, and of products that none could be found for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, survey
from buttress.probes.infrastructure.probe import PROBE
from buttress.protocols.live import LiveContext
from buttress.workflows.survey import Surveyor, SurveyResult
from buttress.workflows.survey_settings import SurveySettings
from tests.cli.test_survey import web
from tests.live.servers import Web, serving

GRAFANA = {"/api/health": '{"commit":"x","database":"ok","version":"9.0.0"}'}
DIFY = {"/": "<title>Dify</title>"}


def surveyed(pages: dict[str, Any], osv: Path | None = None) -> SurveyResult:
    with web(pages) as (_, port):
        settings = SurveySettings([f"127.0.0.1:{port}"], layers=["infrastructure"], osv=osv)
        return Surveyor(settings).run()


def rules(result: SurveyResult) -> list[str]:
    return [one.finding.rule for one in result.filtered.counting]


@pytest.fixture
def advisories(tmp_path: Path) -> Path:
    for ecosystem, package, fixed in (
        ("Go", "github.com/grafana/grafana", "9.0.1"),
        ("Go", "github.com/ollama/ollama", "0.1.34"),
        ("PyPI", "vllm", "0.7.0"),
    ):
        events = [{"introduced": "0"}, {"fixed": fixed}]
        affected = {
            "package": {"ecosystem": ecosystem, "name": package},
            "ranges": [{"type": "SEMVER" if ecosystem == "Go" else "ECOSYSTEM", "events": events}],
        }
        name = f"TEST-{package.rpartition('/')[2]}"
        content = {"id": name, "modified": "2026-01-02T03:04:05Z", "affected": [affected]}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_without_advisories_it_is_told_that_none_were_compared() -> None:
    result = surveyed(GRAFANA)
    assert any("no advisories were given" in one for one in result.notes)
    assert result.document()["notes"] == result.notes
    assert surveyed({}).notes == []  # no product, nothing to compare


def test_the_query_of_a_target_is_told_to_be_unused() -> None:
    made = Surveyor(SurveySettings(["http://127.0.0.1:9/v1?key=x#top", "http://127.0.0.1:9/v2"]))
    assert made.notes == [
        "http://127.0.0.1:9/v1: the query of the URL is not used; requests go below its path"
    ]


def test_advisories_about_modules_of_go_are_compared(advisories: Path) -> None:
    result = surveyed(GRAFANA, advisories)
    assert rules(result) == ["vulnerable-version"]
    assert result.notes == []
    fixed = {"/api/health": GRAFANA["/api/health"].replace("9.0.0", "9.0.1")}
    result = surveyed(fixed, advisories)
    assert rules(result) == []
    assert result.hosts[0].observations[0].not_affected == 1
    old = {"/": "Ollama is running", "/api/version": '{"version":"0.1.20"}'}
    assert rules(surveyed(old, advisories)) == ["vulnerable-version"]


def test_a_product_without_a_package_is_told(advisories: Path) -> None:
    (note,) = surveyed(DIFY, advisories).notes
    assert "Dify" in note


def test_a_host_that_answers_any_path_with_the_same_data_is_no_product() -> None:
    class Anything(Web):
        def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
            page = '{"status":"ok","version":"1.0.0","data":[],"models":[],"ok":true}'
            return (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(page)}\r\n\r\n{page}"
            ).encode()

    async def run() -> list[HostResult]:
        async with serving(Anything({})) as port:
            host = Endpoint("127.0.0.1", port)
            return await survey([host], [PROBE], LiveContext(), Limits(timeout_s=2))

    (result,) = asyncio.run(run())
    assert result.observations == []
    assert result.findings == []
    (fact,) = result.facts
    assert "any path" in fact.name
    assert "/api/public/health" in fact.values
