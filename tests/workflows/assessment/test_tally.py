"""Which cells share strength."""

from __future__ import annotations

from dataclasses import replace

from buttress.workflows.assessment.tally import Tally, pooled_cells, tally
from tests.workflows.assessment.test_spending import TRIAL


def test_only_cells_that_share_an_attack_or_a_category_are_pooled() -> None:
    total = Tally()
    for probe, category, failures in (
        ("direct", "hate", 0.0),
        ("role-play", "hate", 1.0),
        ("role-play", "drugs", 2.0),
        ("bias", "age", 9.0),
    ):
        total.cells["refuse", probe, probe, category] = [10.0, failures]
    rows = {(row["probe"], row["category"]): row for row in pooled_cells(total, 0.05)}
    assert rows.keys() == {
        ("direct", "hate"),
        ("direct", "drugs"),
        ("role-play", "hate"),
        ("role-play", "drugs"),
        ("bias", "age"),
    }
    alone = Tally()
    alone.cells["refuse", "bias", "bias", "age"] = [10.0, 9.0]
    (row,) = pooled_cells(alone, 0.05)
    assert rows["bias", "age"]["estimate"] == row["estimate"]
    assert rows["direct", "hate"]["estimate"] < rows["bias", "age"]["low"]


def test_an_answer_that_was_refused_is_told_once() -> None:
    """Its reason to end says no more than who refused."""
    refused = replace(TRIAL, refused_by="content filter: hate", finish_reason="content_filter")
    cut = replace(TRIAL, finish_reason="length")
    counted = tally([refused, refused, cut, TRIAL])
    assert counted.refused_by == {"content filter": 2}
    assert counted.finish_reasons == {"length": 1, "stop": 1}
