"""``--diff``: with a real git in a repository of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.inspection.repository import Repository, new_lines
from tests.workflows.scan.command import OTHER, STRIPE, commit, git, repository, secrets


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo")


def test_nothing_changed(repo: Path) -> None:
    done = secrets(repo, "--diff", "HEAD")
    assert (done.code, done.found) == (0, [])
    assert secrets(repo).code == 1


def test_changed_untracked_staged_and_deleted(repo: Path) -> None:
    (repo / "app/clean.py").write_text(f"print('hello')\nkey = '{OTHER}'\n")
    (repo / "app/new.py").write_text(f"key = '{OTHER}'\n")
    (repo / "staged.py").write_text(f"key = '{OTHER}'\n")
    git(repo, "add", "staged.py")
    (repo / "old.py").unlink()
    done = secrets(repo, "--diff", "HEAD")
    assert [where for _, where in done.found] == ["app/clean.py:2", "app/new.py:1", "staged.py:1"]
    assert done.code == 1


def test_since_an_older_commit_and_since_a_branch_was_left(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "--quiet", "-b", "feature")
    (repo / "mine.py").write_text(f"key = '{OTHER}'\n")
    commit(repo)
    git(repo, "checkout", "--quiet", "main")
    (repo / "old.py").write_text("a = 1\n")
    commit(repo)
    git(repo, "checkout", "--quiet", "feature")
    mine = [("stripe-key", "mine.py:1")]
    assert secrets(repo, "--diff", first).found == mine
    assert secrets(repo, "--diff", "main...").found == mine
    # Compared with the tip of main, old.py differs as well.
    assert secrets(repo, "--diff", "main").found == [*mine, ("stripe-key", "old.py:2")]


def test_of_a_subfolder_and_of_a_file_only_what_is_in_it(repo: Path) -> None:
    (repo / "app/new.py").write_text(f"key = '{OTHER}'\n")
    (repo / "top.py").write_text(f"key = '{OTHER}'\n")
    assert secrets(repo / "app", "--diff", "HEAD").found == [("stripe-key", "new.py:1")]
    assert secrets(repo / "top.py", "--diff", "HEAD").found == [("stripe-key", "top.py:1")]
    assert secrets(repo / "old.py", "--diff", "HEAD").found == []


def test_from_within_the_repository(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "app/new.py").write_text(f"key = '{OTHER}'\n")
    monkeypatch.chdir(repo / "app")
    assert secrets(".", "--diff", "HEAD").found == [("stripe-key", "new.py:1")]
    # As in a hook, where git names its own repository and index.
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert secrets("..", "--diff", "HEAD").found == [("stripe-key", "app/new.py:1")]


def test_through_a_link_to_the_folder(repo: Path, tmp_path: Path) -> None:
    (repo / "app/new.py").write_text(f"key = '{OTHER}'\n")
    (tmp_path / "link").symlink_to(repo)
    assert secrets(tmp_path / "link", "--diff", "HEAD").found == [("stripe-key", "app/new.py:1")]


def test_changed_lines_only(repo: Path) -> None:
    # Before the known secret, so that its line moves.
    (repo / "old.py").write_text(f"a = 1\nnew = '{OTHER}'\nkey = '{STRIPE}'\nb = 2\n")
    (repo / "new.py").write_text(f"key = '{OTHER}'\n")
    whole = [("stripe-key", "new.py:1"), ("stripe-key", "old.py:2"), ("stripe-key", "old.py:3")]
    assert secrets(repo, "--diff", "HEAD").found == whole
    assert secrets(repo, "--diff", "HEAD", "--diff-lines").found == whole[:2]


@pytest.mark.parametrize(
    "name", ["a b.py", "ключ.py", "tab\there.py", "new\nline.py", "!bang.py", "-dash.py", "[x].py"]
)
def test_names_that_git_quotes(repo: Path, name: str) -> None:
    (repo / name).write_text("a = 1\n")
    commit(repo)
    (repo / name).write_text(f"a = 1\nkey = '{OTHER}'\n")
    for more in ((), ("--diff-lines",)):
        assert [rule for rule, _ in secrets(repo, "--diff", "HEAD", *more).found] == ["stripe-key"]


def test_a_changed_link_is_not_followed(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(f"key = '{OTHER}'\n")
    (repo / "link.py").symlink_to(tmp_path / "outside.py")
    assert secrets(repo, "--diff", "HEAD").found == []


def test_a_repository_in_it_that_is_not_tracked(repo: Path) -> None:
    repository(repo / "nested")
    assert secrets(repo, "--diff", "HEAD").found == [("stripe-key", "nested/old.py:2")]


def test_a_monitor_of_the_repository_is_not_started(repo: Path, tmp_path: Path) -> None:
    trace = tmp_path / "started"
    script = tmp_path / "monitor"
    script.write_text(f"#!/bin/sh\ntouch {trace}\n")
    script.chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external"):
        git(repo, "config", setting, str(script))
    (repo / "old.py").write_text(f"new = '{OTHER}'\n")
    assert secrets(repo, "--diff", "HEAD", "--diff-lines").found == [("stripe-key", "old.py:1")]
    assert not trace.exists()


def test_gitignore_is_followed_only_if_asked(repo: Path) -> None:
    (repo / ".gitignore").write_text("/hidden/\n*.env\n")
    (repo / "hidden").mkdir()
    (repo / "hidden/a.py").write_text(f"key = '{OTHER}'\n")
    (repo / "my.env").write_text(f"KEY={OTHER}\n")
    places = ["hidden/a.py:1", "my.env:1", "old.py:2"]
    assert sorted(where for _, where in secrets(repo).found) == places
    assert [where for _, where in secrets(repo, "--gitignore").found] == ["old.py:2"]


@pytest.mark.parametrize("revision", ["nonsense", "-x", "--output=x", "HEAD~9", "", "..."])
def test_a_bad_revision(repo: Path, revision: str) -> None:
    done = secrets(repo, f"--diff={revision}")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "no commit" in done.err


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    done = secrets(tmp_path, "--diff", "HEAD")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert secrets(tmp_path, "--diff-lines").code == 2


def test_new_lines_are_those_of_the_patch(repo: Path) -> None:
    (repo / "a.txt").write_text("".join(f"{n}\n" for n in range(20)))
    commit(repo)
    # A line that looks like the head of a hunk must not be taken for one.
    lines = [f"{n}" for n in range(20)]
    lines[4:4] = ["@@ -1,1 +1,9 @@", "++ x"]
    lines[15] = "changed"
    del lines[1]
    (repo / "a.txt").write_text("\n".join(lines))
    found = Repository.around(repo)
    changes = found.changed(found.commit("HEAD"))
    ranges = changes.lines(str(repo / "a.txt"))
    assert ranges is not None
    new = {one for each in ranges for one in each}
    assert new == {4, 5, 15, len(lines)}  # the last line lost its end


@given(st.binary(max_size=300))
def test_any_patch_is_read(data: bytes) -> None:
    for one in new_lines(data):
        assert len(one) > 0
