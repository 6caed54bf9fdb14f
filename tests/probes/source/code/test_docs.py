"""docs/inspection-code.md tells the rules and limits as they are."""

from __future__ import annotations

import re
from pathlib import Path

from buttress.files.python_modules import MAX_BYTES, MAX_WORDS
from buttress.probes.source.code.evaluate import MAX_DEPTH
from buttress.probes.source.code.linking import MAX_FUNCTIONS
from buttress.probes.source.code.pack_rules import CODE_RULES
from buttress.probes.source.code.rulebook import CODE
from buttress.probes.source.code.summaries import MAX_CALLS, MAX_SINKS
from buttress.probes.source.code.values import MAX_STEPS

TEXT = (Path(__file__).resolve().parents[4] / "docs/inspection-code.md").read_text("utf-8")


def test_the_tables_of_rules() -> None:
    told = [line for line in TEXT.splitlines() if re.match(r"\| `[a-z0-9]+(-[a-z0-9]+)+` \|", line)]
    assert sorted(told) == sorted(
        f"| `{rule.id}` | {rule.title} | {rule.severity} | {', '.join(rule.references)} |"
        for rule in CODE.own.values()
    )
    assert f"## The {len(CODE.own)} rules" in TEXT


def test_the_example_of_a_rule_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(rules:.*?)```", TEXT, re.S)
    (tmp_path / "a.yaml").write_text(example, encoding="utf-8")
    assert CODE_RULES.check(tmp_path / "a.yaml", "acme 1.0.0", {}) == ["acme-load"]


def test_limits() -> None:
    assert f"{MAX_WORDS:,}" in TEXT.replace("\n", " ")
    assert f"{MAX_BYTES >> 20} MiB" in TEXT
    assert f"more than {MAX_DEPTH} deep" in TEXT
    plain = TEXT.replace("\n", " ")
    assert f"at most {MAX_STEPS} calls" in plain
    assert f"{MAX_SINKS} places, a module {MAX_CALLS:,} calls" in plain
    assert f"a project {MAX_FUNCTIONS:,} functions" in plain
