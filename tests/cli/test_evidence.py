"""``buttress evidence show``."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.cli.evidence import KINDS as OFFERED
from buttress.cli.main import main
from buttress.evidence.records import KINDS, Plan
from buttress.evidence.store import EvidenceStore


def test_every_kind_of_record_can_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(OFFERED) == set(KINDS)
    path = tmp_path / "evidence.db"
    with EvidenceStore.open(path) as store:
        store.append([Plan("r-1", 1.0, 0, "default", "prompts-like-these", 5)])
    assert main(["evidence", "show", str(path), "--kind", "plan"]) == 0
    assert "plan of run r-1" in capsys.readouterr().out
    assert main(["evidence", "show", str(path), "--kind", "trial"]) == 0
    assert capsys.readouterr().out == ""
