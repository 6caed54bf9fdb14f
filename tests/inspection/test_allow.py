"""One comment allows a finding, or several, in every probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.evidence.findings import Finding, Inspection
from buttress.extension import load
from buttress.protocols.inspection import InspectionContext
from tests.probes.source.samples import sample

STRIPE = sample("sk_live_{base62:24}", 0)
CASES = {
    "unsafe-code": ("a.py", "import pickle\npickle.load(f)  # {}\n", "pickle-load"),
    "secrets": ("a.py", f"key = '{STRIPE}'  # {{}}\n", "stripe-key"),
    "infrastructure": ("Dockerfile", "# {}\nFROM python:latest\nUSER 1000\n", "image-mutable-tag"),
}


@pytest.mark.parametrize("probe", CASES)
@pytest.mark.parametrize(
    ("comment", "allowed"),
    [
        ("buttress: allow {} it is only a test", True),
        ("buttress: allow other-rule,{} it is only a test", True),
        ("buttress: allow {}, other-rule: it is only a test", True),
        ("buttress: allow other-rule it is only a test", False),
        ("buttress: allow {}", False),
    ],
)
def test_a_comment(tmp_path: Path, probe: str, comment: str, allowed: bool) -> None:
    name, text, rule = CASES[probe]
    (tmp_path / name).write_text(text.replace("{}", comment.replace("{}", rule)))
    *found, seen = load("probes", probe).inspect(InspectionContext.at("a", tmp_path))
    assert isinstance(seen, Inspection)
    rules = {one.rule for one in found if isinstance(one, Finding)}
    assert (rule in rules) is not allowed
    assert any("allowed by a comment" in one or "ignored by" in one for one in seen.skipped) is (
        allowed
    )
