"""Rule files: what is accepted, and the one line that tells what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from buttress.errors import InputError
from buttress.probes.source.code.matcher import RuleMatcher
from buttress.probes.source.code.pack_rules import CODE_RULES
from buttress.probes.source.code.rulebook import CODE
from buttress.rules.rule_files import read

RULE: dict[str, Any] = {
    "id": "acme-load",
    "title": "Loads",
    "severity": "high",
    "message": "{it} loads.",
    "remedy": "Do not.",
    "references": ["CWE-502"],
    "languages": ["python"],
    "match": [{"call": ["acme.load"], "where": {"safe@1": [{"is": False}, "missing"]}}],
    "bad": ["import acme\nacme.load(1)\n"],
    "good": ["import acme\nacme.load(1, safe=True)\n"],
}


def write(tmp_path: Path, *rules: dict[str, Any]) -> Path:
    path = tmp_path / "pack.yaml"
    path.write_text(yaml.safe_dump({"rules": list(rules)}), encoding="utf-8")
    return path


def test_a_pack_of_ones_own(tmp_path: Path) -> None:
    (rule,) = read(write(tmp_path, RULE), CODE.format).rules
    matcher = RuleMatcher((rule,))
    for code, lines in (
        ("from acme import load as l\nl(1, False)", [2]),
        ("import acme\nacme.load(1, True)\nacme.load(*a)\nacme.load(**a)", []),
        ("import acme as a, functools\nf = functools.partial(a.load, 1)", [2]),
    ):
        assert [hit.line for hit in matcher.examine_text(code).hits] == lines


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"bad": ["import acme\nacme.load(1, safe=True)\n"]},
            "rule 'acme-load' misses its bad example 1: import acme",
        ),
        ({"good": ["import acme\nacme.load(1)\n"]}, "finds its good example 1"),
        ({"good": ["import ("]}, "does not parse"),
        ({"bad": []}, "bad"),
        ({"severity": "grave"}, "one of info, low, medium, high, critical"),
        ({"languages": ["cobol"]}, "cobol"),
        ({"id": "Not An Id"}, "id"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"match": [{"call": ["acme load"]}]}, "'acme load' is not a glob"),
        ({"match": [{"call": ["a.b"], "assign": ["c"]}]}, "2 kinds"),
        ({"match": [{"where": {"a": "given"}}]}, "0 kinds"),
        ({"match": [{"text": "("}]}, "no pattern"),
        ({"match": [{"text": "a"}]}, "'words' is missing"),
        ({"match": [{"call": ["a.b"], "where": {"x": {"matches": "("}}}]}, "RE2 syntax"),
        (
            {"match": [{"call": ["a.b"], "where": {"x": {"taint": ["moon"]}}}]},
            "'moon' is no source",
        ),
        ({"match": [{"call": ["a.b"], "where": {"x": {"like": 1}}}]}, "where"),
        ({"match": [{"call": ["a.b"], "where": {"x@y@2": "given"}}]}, "where"),
    ],
)
def test_a_rule_that_is_wrong(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    path = write(tmp_path, {**RULE, **change})
    with pytest.raises(InputError) as error:
        CODE_RULES.check(path, "acme 1.0.0", {})
    text = str(error.value)
    assert told in text
    assert text.startswith(f"{path}:")
    assert "\n" not in text


def test_an_id_that_is_given_twice_and_files_without_rules(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="given twice"):
        CODE_RULES.check(write(tmp_path, RULE, RULE), "acme 1.0.0", {})
    with pytest.raises(InputError, match="a list of rules"):
        CODE_RULES.check(write(tmp_path), "acme 1.0.0", {})
    (tmp_path / "pack.yaml").write_text("rules: [1]", encoding="utf-8")
    with pytest.raises(InputError, match="rules"):
        CODE_RULES.check(tmp_path / "pack.yaml", "acme 1.0.0", {})
