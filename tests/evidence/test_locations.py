"""Places of findings: in parts, printed once, and never parsed back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import orjson
import pytest

from buttress.errors import InputError
from buttress.evidence.codec import decode, encode
from buttress.evidence.findings import Finding
from buttress.evidence.locations import Location, location_of
from tests.cli.command import buttress

CODE = "import pickle, requests\nx = pickle.loads(requests.get('https://a.b/c').content)\n"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Location("a.py"), "a.py"),
        (Location("a.py", line=3, column=7), "a.py:3"),
        (Location("a.zip", "!b.pkl", offset=12), "a.zip!b.pkl@12"),
        (Location("weird:12"), "weird:12"),
        (Location("weird:12", line=1), "weird:12:1"),
        (Location("https://a.b/c", line=None), "https://a.b/c"),
    ],
)
def test_printing_and_storing(where: Location, text: str) -> None:
    assert str(where) == text
    made = Finding("r", "low", "a", str(where), "m", "", place=where)
    kept = decode("finding", encode(made)[1])
    assert isinstance(kept, Finding)
    assert kept == made
    assert kept.where == where
    assert location_of({"location": text, "place": where.plain()}) == where


def test_old_records_are_read() -> None:
    old = {"rule": "r", "severity": "low", "asset": "a", "message": "m", "remedy": ""}
    for text, where in (
        ("a.py:3", Location("a.py", line=3)),
        ("a.pkl@7", Location("a.pkl", offset=7)),
        ("a.py:0", Location("a.py:0")),
    ):
        kept = decode("finding", orjson.dumps({**old, "location": text}))
        assert isinstance(kept, Finding)
        assert (kept.place, kept.where) == (None, where)
        assert location_of({"location": text}) == where


def test_a_place_that_is_none_is_refused() -> None:
    old = {"rule": "r", "severity": "low", "asset": "a", "message": "m", "remedy": "",
           "location": "x", "place": {"path": "x", "line": "3"}}  # fmt: skip
    with pytest.raises(InputError, match="not a finding record"):
        decode("finding", orjson.dumps(old))


def test_odd_names_are_themselves_in_sarif_and_can_be_suppressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``weird:12`` is a file, not line 12 of ``weird``; other bytes are percent-encoded."""
    monkeypatch.chdir(tmp_path)
    names = [b"weird:12", b"caf\xe9 @7.py", "中.py".encode(), b"a%41.py"]
    for name in names:
        text = CODE if name.endswith(b".py") else "#!/usr/bin/env python\n" + CODE
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(text)
    done = buttress("scan", ".", "--only", "unsafe-code", "--format", "sarif")
    results = json.loads(done.stdout)["runs"][0]["results"]
    found = {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: one["locations"][0][
            "physicalLocation"
        ]["region"]
        for one in results
        if one["ruleId"] == "unsafe-deserialization" or "pickle" in one["message"]["text"]
    }
    assert set(found) == {"weird%3A12", "caf%E9%20%407.py", "%E4%B8%AD.py", "a%2541.py"}
    assert found["weird%3A12"]["startLine"] == 3
    rules = {one["ruleId"] for one in results}
    (tmp_path / ".buttress-ignore.yaml").write_text(
        "version: 1\nsuppressions:\n"
        + "".join(
            f"- {{rule: {rule}, path: 'weird:12', status: accepted, reason: a test, "
            "expires: 2999-01-01}\n"
            for rule in rules
        )
    )
    done = buttress("scan", ".", "--only", "unsafe-code", "--format", "sarif")
    left = json.dumps(json.loads(done.stdout)["runs"][0]["results"])
    assert "weird%3A12" not in left
    assert "caf%E9%20%407.py" in left
