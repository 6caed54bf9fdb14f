"""Standards: their items are complete, and the crosswalk shows the worst verdict of each."""

from __future__ import annotations

import itertools

import pytest

from buttress.risk.catalogue import load_catalogue
from buttress.standards.crosswalk import NOT_ASSESSED, PARTLY_ASSESSED, crosswalk, load_standards


def test_standards_have_as_many_items_as_they_should() -> None:
    counts = {name: len(standard.items) for name, standard in load_standards().items()}
    assert counts["owasp-llm-2025"] == 10
    assert counts["nist-ai-600-1"] == 12
    assert counts["mlcommons-ailuminate"] == 12
    assert counts["gbt45654-2025"] == 31
    groups = [item.split(".")[1] for item in load_standards()["gbt45654-2025"].items]
    assert [len(list(rows)) for _, rows in itertools.groupby(groups)] == [8, 9, 5, 7, 2]
    for name, standard in load_standards().items():
        assert standard.id == name
        assert standard.title
        assert all(isinstance(item, str) and title for item, title in standard.items.items())


def rows(mapping: dict[str, list[tuple[str, str]]], verdicts: dict[str, str]) -> dict[str, object]:
    made = crosswalk(mapping, verdicts)
    assert [row["standard"] for row in made] == list(load_standards())
    return {item["id"]: item for row in made for item in row["items"]}


@pytest.mark.parametrize(
    ("given", "worst"),
    [
        ([], NOT_ASSESSED),
        (["acceptable"], PARTLY_ASSESSED),
        (["acceptable", "undecided"], "undecided"),
        (["undecided", "unacceptable", "acceptable"], "unacceptable"),
    ],
)
def test_the_worst_verdict_counts(given: list[str], worst: str) -> None:
    mapping = {f"r{place}": [("owasp-llm-2025", "LLM01")] for place in range(len(given) + 1)}
    mapping["other"] = [("cwe", "CWE-502")]
    items = rows(mapping, {f"r{place}": verdict for place, verdict in enumerate(given)})
    assert items["LLM01"] == {
        "id": "LLM01",
        "title": "Prompt Injection",
        "risks": [name for name in mapping if name != "other"],
        "verdict": worst,
    }
    assert items["CWE-502"]["verdict"] == NOT_ASSESSED  # type: ignore[index]
    assert items["LLM02"]["risks"] == []  # type: ignore[index]


def test_an_item_is_acceptable_where_all_its_risks_are() -> None:
    mapping = {name: [("owasp-llm-2025", "LLM01")] for name in ("a", "b")}
    whole = rows(mapping, {"a": "acceptable", "b": "acceptable"})["LLM01"]
    half = rows(mapping, {"a": "acceptable"})["LLM01"]
    assert (whole, half) == (half | {"verdict": "acceptable"}, whole | {"verdict": PARTLY_ASSESSED})


def test_the_catalogue_covers_the_standards_it_can() -> None:
    mapping = {name: list(risk.standards) for name, risk in load_catalogue().risks.items()}
    made = crosswalk(mapping, dict.fromkeys(mapping, "acceptable"))
    covered = {row["standard"]: [bool(item["risks"]) for item in row["items"]] for row in made}
    assert all(covered["owasp-llm-2025"])
    assert sum(covered["nist-ai-600-1"]) >= 11
    assert sum(covered["gbt45654-2025"]) >= 15
    assert all(any(items) for items in covered.values())
