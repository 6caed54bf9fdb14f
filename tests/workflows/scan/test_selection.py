"""Which files are read: ``--exclude``, ``--within``, and patterns."""

from __future__ import annotations

import pickle
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.files.globs import Globs, compiled
from tests.workflows.scan.command import STRIPE, scan, secrets


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.bin", "a.bin", True),
        ("*.bin", "deep/down/a.bin", True),
        ("*.bin", "a.bin/inside.py", True),
        ("*.bin", "a.bins", False),
        ("data", "data/x/y", True),
        ("data", "my/data/x", True),
        ("data/", "data", False),
        ("data/", "data/", True),
        ("data/", "my/data/x", True),
        ("/data", "my/data/x", False),
        ("/data", "data/x", True),
        ("./data", "data/x", True),
        ("a/b", "a/b/c", True),
        ("a/b", "x/a/b", False),
        ("a/*", "a/b", True),
        ("a/*.py", "a/b/c.py", False),
        ("a/**/c.py", "a/c.py", True),
        ("a/**/c.py", "a/b/b/c.py", True),
        ("**/x", "x", True),
        ("**", "any/thing", True),
        ("f?o", "foo", True),
        ("f?o", "f/o", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("[!ab].py", "c.py", True),
        ("[ab", "[ab", True),
        ("a+(b)", "a+(b)", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert Globs([pattern]).match(path) is matches


@given(st.text(alphabet="ab.*?-", min_size=1, max_size=8), st.text(alphabet="ab.-", max_size=8))
def test_without_folders_it_is_fnmatch(pattern: str, name: str) -> None:
    if pattern.removeprefix("./").strip("/"):
        assert Globs([f"/{pattern}"]).match(name) is fnmatchcase(name, pattern)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_pattern_matches_or_is_refused(pattern: str, path: str) -> None:
    try:
        found = Globs([pattern])
    except InputError:
        return
    assert pickle.loads(pickle.dumps(found)).match(path) is found.match(path)


def test_a_pattern_that_would_take_others_for_ever() -> None:
    assert compiled("a*" * 400 + "b").fullmatch("a" * 5_000) is None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("app/a.py", "data/b.py", "tests/data/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"key = '{STRIPE}'\n")
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["data"], ["app/a.py:1"]),
        (["/data"], ["app/a.py:1", "tests/data/c.py:1"]),
        (["*.py"], []),
        (["app", "tests/"], ["data/b.py:1"]),
        (["nothing"], ["app/a.py:1", "data/b.py:1", "tests/data/c.py:1"]),
    ],
)
def test_exclude(tree: Path, patterns: list[str], left: list[str]) -> None:
    done = secrets(tree, *(f"--exclude={one}" for one in patterns))
    assert [where for _, where in done.found] == left
    assert done.code == (1 if left else 3)  # where nothing was read, nothing is proved


def test_what_is_excluded_is_not_read(tree: Path) -> None:
    (covered,) = secrets(tree, "--exclude", "data").document["coverage"]["covered"]
    assert covered["files"] == 1


def test_a_file_that_is_excluded_is_not_scanned(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert secrets("app/a.py", "--exclude", "app/*").found == []


def test_within_keeps_the_place_of_files(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key pair of a test is told apart from one of the program by the folder that it is in."""
    monkeypatch.chdir(tree)
    (tree / "tests/x.env").write_text("PASSWORD=w3Rt-k9Lq_82hZ\n")
    whole = secrets(".", "--fail-on", "never").document["findings"]
    one = [row for row in whole if row["location"] == "tests/x.env:1"]
    assert len(one) == 1
    done = secrets("--within", ".", "tests/x.env", "--fail-on", "never")
    assert [row["severity"] for row in done.document["findings"]] == ["low"]
    assert [row["location"] for row in done.document["findings"]] == ["tests/x.env:1"]
    assert [row["severity"] for row in one] == ["low"]


def test_within_takes_paths_in_it_only(tree: Path) -> None:
    done = secrets("--within", tree / "app", tree / "data/b.py")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "lies outside" in done.err


def test_several_processes_find_the_same(tree: Path) -> None:
    one = scan(tree / "app", tree / "data", "--json").document["findings"]
    two = scan(tree / "app", tree / "data", "--json", "--jobs", "2").document["findings"]
    assert one == two
    assert len(one) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--exclude", ""), "pattern"),
        (("--set", "=x"), "names no option"),
        (("--set", "nonsense=1"), "no probe"),
        (("--set", "a=1", "--set", "a=2"), "twice"),
        (("--within", "no/such"), "no/such"),
    ],
)
def test_bad_input(tree: Path, arguments: tuple[str, ...], told: str) -> None:
    done = secrets(tree, *arguments)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert told in done.err
