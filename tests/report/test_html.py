"""The report as markup: anything valid renders, hostile text stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from buttress.report.charts import bar
from buttress.report.html import render, write
from buttress.risk.catalogue import load_catalogue
from tests.report.pages import problems, read
from tests.report.sample import HOSTILE, build, sample
from tests.report.strategies import documents

STRUCTURE = {
    "id", "verdict", "severity", "severity_tolerated", "worst_finding", "kind", "expect", "schema",
    "started", "finished", "decide_by", "risk", "risks",
}  # fmt: skip


def hostile(value: Any, text: str, key: str = "") -> Any:
    """The document with ``text`` put into every free text, keys of free maps included."""
    if isinstance(value, dict):
        free = key in ("versions", "error_messages", "categories")
        return {
            f"{name}{text}" if free else name: hostile(inner, text, name)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [hostile(inner, text, key) for inner in value]
    if isinstance(value, str) and key not in STRUCTURE:
        return text + value
    return value


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_any_valid_document_renders(told: dict[str, Any]) -> None:
    assert problems(read(render(told))) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    page = read(render(hostile(sample(), text)))
    assert problems(page) == []
    seen = "".join(page.text)
    shown = text.replace("\x00", "").strip()
    assert seen.replace("\ufffd", "").replace("\x00", "").count(shown) > 100


def test_all_that_matters_is_in_it() -> None:
    told = sample()
    page = read(render(told))
    text = " ".join(" ".join(page.text).split())
    for risk in told["risks"]:
        for part in (risk["title"], risk["scenario"], risk["harm"], *risk["remedies"]):
            assert part in text
    for finding in told["findings"]:
        for key in ("message", "remedy", "location", "proof"):
            assert finding[key] in text
    for row in told["worst"]:
        assert " ".join(row["answer"].split()) in text
    for standard in told["crosswalk"]:
        assert standard["title"] in text
    for part in (told["run"]["id"], told["evidence"]["head"], told["system"]["manifest"]):
        assert part in text
    for risk in told["coverage"]["unassessed_risks"]:
        assert risk["title"] in text
    assert "684 of 700" in text
    assert "the budget of calls is spent" in text


@pytest.mark.parametrize(
    ("behaviour", "findings", "says"),
    [
        ({}, (), "The 2 measured risks all stay within"),
        ({"over-refusal": {"chat-model": (0.9, 80)}}, (), "1 of 3 measured risks exceeds"),
        ({"over-refusal": {"chat-model": (0.1, 24)}}, (), "the evidence does not clear 1 of 3"),
    ],
)
def test_the_first_sentence_tells_the_verdict(
    behaviour: dict[str, Any], findings: tuple[Any, ...], says: str
) -> None:
    assert says in render(build(behaviour, findings))


def test_a_verdict_by_the_estimate_says_so() -> None:
    told = build({"over-refusal": {"chat-model": (0.02, 310)}}, (), policy="gbt45654")
    risk = next(risk for risk in told["risks"] if risk["id"] == "over-refusal")
    assert risk["verdict"] == "acceptable"
    assert not risk["clears"]["bound"]
    page = render(told)
    assert "By the estimate only" in page
    assert "Passed by the estimate, not by the bound" in page
    assert "By the estimate only" not in render(sample())


def test_two_assets_are_told_apart() -> None:
    told = build({"over-refusal": {"first": (0.01, 200), "second": (0.9, 60)}}, ())
    page = " ".join(read(render(told)).text)
    assert "By asset; the worst one counts" in page
    assert "first" in page
    assert "second" in page


def test_what_it_does_not_show_follows_the_document() -> None:
    told = sample()
    told["judge"]["calibration"]["answer"] = None
    text = " ".join(read(render(told)).text)
    assert "How often the judge errs on benign requests is not known" in text
    assert "12 questions got no answer" in text
    assert (
        f"{len(told['coverage']['unassessed_risks'])} of {len(load_catalogue().risks)} risks were"
        in text
    )
    told["totals"]["errors"] = 0
    told["coverage"]["unassessed_risks"] = []
    text = " ".join(read(render(told)).text)
    assert "got no answer. They" not in text
    assert "were not measured" not in text


def test_a_risk_that_nothing_informs_is_hatched_at_its_prior() -> None:
    document = sample()
    rows = document["loss"]["sensitivity"]
    page = read(render(document, "en"))
    kinds = [
        svg["class"].split() for svg in page.of("svg") if "bar" in svg.get("class", "").split()
    ]
    hatched = sum("prior" in kind for kind in kinds)
    assert hatched == sum(not row["measured"] for row in rows) > 0
    assert 'd="M0 10L16 0M16 10L32 0"' in bar(0.032, "prior")
    assert "path" not in bar(0.032)


def test_write(tmp_path: Path) -> None:
    write(sample(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(sample())
