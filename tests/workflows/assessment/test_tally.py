"""Which cells share strength."""

from __future__ import annotations

from buttress.workflows.assessment.tally import Tally, pooled_cells


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
