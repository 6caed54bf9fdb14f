"""``--baseline`` and ``--write-baseline``."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Severity
from buttress.evidence.places import LocatedFinding
from buttress.triage import baseline
from tests.workflows.scan.command import OTHER, STRIPE, scan, secrets


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.py").write_text(f"key = '{STRIPE}'\n")
    return tmp_path


def test_an_old_repository_starts_clean(tree: Path) -> None:
    file = tree / "known.json"
    assert secrets(tree, "--write-baseline", file).code == 0
    done = secrets(tree, "--baseline", file)
    assert (done.code, done.found) == (0, [])
    assert [row["location"] for row in done.document["baseline"]] == ["app/a.py:1"]


def test_lines_may_move_and_new_findings_count(tree: Path) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    (tree / "app/a.py").write_text(f"\n\n\nkey = '{STRIPE}'\nother = '{OTHER}'\n")
    done = secrets(tree, "--baseline", file)
    assert (done.code, len(done.document["baseline"])) == (1, 1)
    assert [where for _, where in done.found] == ["app/a.py:5"]


def test_a_copy_in_another_file_counts(tree: Path) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    (tree / "app/b.py").write_text(f"key = '{STRIPE}'\n")
    assert secrets(tree, "--baseline", file).found == [("stripe-key", "app/b.py:1")]


def test_paths_count_from_the_file_whatever_is_scanned(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    monkeypatch.chdir(tree / "app")
    for path in (".", "a.py", "..", tree):
        assert secrets(path, "--baseline", file).code == 0


def test_it_holds_no_part_of_a_secret(tree: Path) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    text = file.read_text()
    assert not any(STRIPE[at : at + 4] in text for at in range(len(STRIPE) - 3))
    assert set(json.loads(text)["findings"][0]) == {"fingerprint", "rule", "path", "severity"}


def test_stale_entries_are_told_if_all_was_scanned(tree: Path) -> None:
    file = tree / "known.json"
    scan(tree, "--write-baseline", file)
    (tree / "app/a.py").write_text("key = ''\n")
    assert "1 of stripe-key in app/a.py not found any more" in scan(tree, "--baseline", file).out
    assert "not found" not in scan(tree, "--baseline", file, "--only", "secrets").out
    (tree / "other").mkdir()
    assert "not found" not in scan(tree / "other", "--baseline", file).out


def test_what_has_become_graver_counts(tree: Path) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    data = json.loads(file.read_text())
    data["findings"][0]["severity"] = "medium"
    file.write_text(json.dumps(data))
    assert secrets(tree, "--baseline", file).code == 1


def test_updating_keeps_what_is_still_there(tree: Path) -> None:
    file = tree / "known.json"
    secrets(tree, "--write-baseline", file)
    before = file.read_bytes()
    secrets(tree, "--baseline", file, "--write-baseline", file)
    assert file.read_bytes() == before


def finding(
    path: str, line: int, message: str = "A key.", severity: Severity = "high"
) -> LocatedFinding:
    made = Finding("rule", severity, "a", f"{path}:{line}", message, "", proof="abcd…")
    return LocatedFinding(made, f"/top/{path}", "", line)


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=12), st.integers(1, 500))
def test_fingerprints_differ_and_stay_when_lines_move(paths: list[str], by: int) -> None:
    found = [finding(path, line) for line, path in enumerate(paths, 1)]
    moved = [finding(path, line + by) for line, path in enumerate(paths, 1)]
    marks = baseline.fingerprints(found, "/top")
    assert len(set(marks)) == len(marks)
    assert marks == baseline.fingerprints(moved, "/top")


def test_of_equal_findings_the_one_more_is_new() -> None:
    two = baseline.fingerprints([finding("a", 3), finding("a", 9)], "/top")
    three = baseline.fingerprints([finding("a", 3), finding("a", 5), finding("a", 9)], "/top")
    assert len(set(three) - set(two)) == 1


def test_positions_in_messages_do_not_matter() -> None:
    marks = [
        baseline.fingerprints([finding("a", 1, f"Cell {n} at byte {n}, @{n}.")], "/top")
        for n in (1, 22)
    ]
    assert marks[0] == marks[1]
    assert marks[0] != baseline.fingerprints([finding("a", 1, "Cell 1 at byte 1 of 2.")], "/top")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["schema", "findings", "fingerprint", "rule", "path", "severity", "x"]),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.one_of(st.binary(max_size=80), JSON.map(lambda one: json.dumps(one).encode()),
                 JSON.map(lambda one: json.dumps(
                     {"schema": baseline.SCHEMA, "findings": one}).encode())))  # fmt: skip
def test_any_file_is_read_or_refused(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("b") / "known.json"
    path.write_bytes(data)
    with suppress(InputError):
        baseline.read(path)


@pytest.mark.parametrize("name", ["no/such.json", "."])
def test_a_baseline_that_is_not_there(tree: Path, name: str) -> None:
    for option in ("--baseline", "--write-baseline"):
        done = secrets(tree, option, tree / name)
        assert (done.code, done.err.count("\n")) == (2, 1)
