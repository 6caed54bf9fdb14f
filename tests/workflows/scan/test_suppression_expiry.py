"""A suppression holds to the end of its last day, and not a day longer or shorter."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from buttress.evidence.findings import Finding
from buttress.evidence.places import located
from buttress.triage import suppressions
from buttress.triage.filtering import FindingFilter

LAST_DAY = date(2027, 3, 31)


@pytest.mark.parametrize(("days", "suppressed"), [(-1, 1), (0, 1), (1, 0)])
def test_its_last_day_counts(days: int, suppressed: int, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    file = tmp_path / "ignore.yaml"
    file.write_text(
        "version: 1\nsuppressions:\n  - {rule: a-rule, path: '*.py', status: accepted, "
        f"reason: a test, expires: {LAST_DAY}}}\n"
    )
    (entry,) = suppressions.load(file)
    finding = Finding("a-rule", "high", "a", "a.py:1", "It is.", "Mend it.")
    finding_filter = FindingFilter(suppressions=[entry], roots=[str(tmp_path)])
    filtered = finding_filter.apply(
        [located(finding, tmp_path)], 0, LAST_DAY + timedelta(days=days)
    )
    assert len(filtered.suppressed) == suppressed
    assert len(filtered.counting) == 1 - suppressed
    assert filtered.expired == 1 - suppressed
