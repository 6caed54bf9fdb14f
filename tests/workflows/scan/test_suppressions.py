"""``.buttress-ignore.yaml``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.triage import suppressions
from buttress.triage.filtering import SUPPRESSIONS
from tests.probes.dependencies.advisories import LEAKY, write
from tests.workflows.scan.command import STRIPE, Done, scan, secrets

ENTRY = {
    "rule": "stripe-key", "path": "app/*.py", "status": "accepted",
    "reason": "a key of the sandbox", "expires": "2999-12-31",
}  # fmt: skip


def text(*entries: dict[str, str]) -> str:
    rows = [
        "  - {" + ", ".join(f"{key}: '{value}'" for key, value in one.items()) + "}"
        for one in entries
    ]
    return "\n".join(["version: 1", "suppressions:", *rows]) + "\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/a.py").write_text(f"key = '{STRIPE}'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def under(tree: Path, *entries: dict[str, str]) -> Done:
    (tree / SUPPRESSIONS).write_text(text(*entries))
    return secrets(".")


def test_a_suppressed_finding_does_not_count_but_is_told(tree: Path) -> None:
    done = under(tree, ENTRY)
    assert (done.code, done.found) == (0, [])
    (row,) = done.document["suppressed"]
    assert (row["location"], row["status"], row["reason"], row["expires"]) == (
        "app/a.py:1", "accepted", "a key of the sandbox", "2999-12-31",
    )  # fmt: skip
    assert "1 suppressed (1 accepted)" in scan(".").out


def test_only_the_rule_and_the_path_that_it_names(tree: Path) -> None:
    assert under(tree, ENTRY | {"rule": "openai-key"}).code == 1
    assert under(tree, ENTRY | {"path": "other/**"}).code == 1
    assert under(tree, ENTRY | {"path": "**"}).code == 0
    assert under(tree, ENTRY | {"vulnerability": "CVE-2024-1"}).code == 1
    assert under(tree, ENTRY | {"vulnerability": "CWE-798"}).code == 0


def test_an_expired_entry_has_no_effect_and_is_told(tree: Path) -> None:
    assert under(tree, ENTRY | {"expires": "2020-01-31"}).code == 1
    out = scan(".").out.replace("\n", " ")
    assert f"{SUPPRESSIONS}:3: expired on 2020-01-31" in out
    assert "1 suppression expired" in out


def test_an_entry_without_findings_is_told(tree: Path) -> None:
    under(tree, ENTRY, ENTRY | {"path": "old/**"})
    assert "stripe-key in old/** suppresses nothing any more" in scan(".").out.replace("\n", " ")


def test_the_file_of_another_folder_is_not_obeyed(tree: Path) -> None:
    """Who sends a folder must not decide what is told about it."""
    (tree / "app" / SUPPRESSIONS).write_text(text(ENTRY | {"path": "**"}))
    assert secrets("app").code == 1
    assert secrets("app", "--ignore-file", f"app/{SUPPRESSIONS}").code == 0


def test_it_can_be_switched_off(tree: Path) -> None:
    assert under(tree, ENTRY).code == 0
    assert secrets(".", "--no-ignore-file").code == 1


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (ENTRY | {"rule": "stripe-keys"}, "unknown rule 'stripe-keys'; expected stripe-key"),
        (ENTRY | {"reason": ""}, "reason"),
        ({k: v for k, v in ENTRY.items() if k != "reason"}, "'reason' is missing"),
        ({k: v for k, v in ENTRY.items() if k != "path"}, "'path' is missing"),
        (ENTRY | {"package": "requests"}, "is no package URL"),
        (ENTRY | {"package": ""}, "package"),
        (ENTRY | {"status": "affected"}, "one of not_affected, fixed, under_investigation"),
        ({k: v for k, v in ENTRY.items() if k != "expires"}, "'expires' is missing"),
        (ENTRY | {"status": "not_affected"}, "'justification' is missing"),
        (ENTRY | {"justification": "because"}, "one of component_not_present"),
        (ENTRY | {"expires": "soon"}, "is no date"),
        (ENTRY | {"path": "/"}, "not a pattern"),
        (ENTRY | {"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_a_bad_entry_is_one_line(tree: Path, entry: dict[str, str], told: str) -> None:
    done = under(tree, entry)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert f"{SUPPRESSIONS}:3" in done.err
    assert told in done.err


def test_a_package_is_suppressed_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    osv = write(tmp_path / "osv", LEAKY)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/requirements.txt").write_text("leaky-models==1.1\nleaky_models==1.0\n")
    entry = {"rule": "known-vulnerability", "status": "fixed", "reason": "patched here",
             "expires": "2999-12-31"}  # fmt: skip

    def left(package: str) -> list[str]:
        (tmp_path / SUPPRESSIONS).write_text(text(entry | {"package": package}))
        done = scan("app", "--only", "dependencies", "--osv", osv, "--json")
        return [one["location"] for one in done.document["findings"]]

    assert left("pkg:pypi/Leaky.Models") == []
    assert left("pkg:pypi/leaky-models@1.1") == ["requirements.txt:2"]
    assert left("pkg:pypi/other") == ["requirements.txt:1", "requirements.txt:2"]
    assert left("pkg:npm/leaky-models") == ["requirements.txt:1", "requirements.txt:2"]


def test_every_status_needs_an_end(tree: Path) -> None:
    entry = {k: v for k, v in ENTRY.items() if k != "expires"}
    entry |= {"justification": "vulnerable_code_not_present"}
    for status in suppressions.STATUSES:
        done = under(tree, entry | {"status": status})
        assert done.code == 2
        assert "'expires' is missing" in done.err


@given(st.text(max_size=200) | st.lists(st.dictionaries(
    st.sampled_from([*ENTRY, "justification"]), st.text("abc*[]/'-0129", max_size=12)), max_size=3,
).map(lambda rows: text(*rows)))  # fmt: skip
def test_any_file_is_read_or_refused(tmp_path_factory: Any, given: str) -> None:
    path = tmp_path_factory.mktemp("s") / SUPPRESSIONS
    path.write_bytes(given.encode("utf-8", "replace"))
    with suppress(InputError):
        suppressions.load(path)
