"""The history of git repositories: what is found, where it came from, and that nothing is run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress import extension
from buttress.evidence.findings import Finding, Inspection
from buttress.probes.source.git.layout import find, references
from buttress.probes.source.history import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from tests.probes.source.samples import key, sample

STRIPE = sample("sk_live_{base62:24}", 0)
OTHER = sample("sk_live_{base62:24}", 1)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str, day: int = 1) -> str:
    when = f"2024-03-{day:02}T12:00:00Z"
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_DATE": when,
        **dict.fromkeys(names, "somebody"),
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | bytes | None], *, day: int = 1) -> str:
    """Write or remove files, commit, and return the commit's id."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change", day=day)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def inspect(path: Path) -> tuple[list[Finding], Inspection]:
    *findings, inspection = PROBE.inspect(InspectionContext.at("app", path))
    return findings, inspection  # type: ignore[return-value]


def test_it_is_registered_and_an_inspection_probe() -> None:
    assert extension.load("probes", "secrets-history") is PROBE
    assert isinstance(PROBE, InspectionProbe)


@needs_git
def test_a_secret_that_was_removed(repository: Path) -> None:
    commit(repository, {"a.py": "print()\n"}, day=1)
    first = commit(repository, {"a.py": f"print()\nkey = '{STRIPE}'\n"}, day=2)
    commit(repository, {"a.py": f"x\ny\nz\nkey = '{STRIPE}'\n"}, day=3)
    commit(repository, {"a.py": "key = os.environ['KEY']\n"}, day=4)
    (finding,), inspection = inspect(repository)
    assert (finding.rule, finding.severity, finding.location) == (
        "stripe-key",
        "critical",
        "a.py:2",
    )
    assert f"commit {first[:12]} of 2024-03-02, and is no longer at HEAD" in finding.message
    assert "revoked" in finding.remedy
    assert STRIPE not in str(finding)
    assert inspection.files == 4
    assert inspection.skipped == ()


@needs_git
def test_a_secret_that_is_still_there_in_another_version(repository: Path) -> None:
    first = commit(repository, {"old.py": STRIPE})
    commit(repository, {"old.py": None, "new.py": f"# moved\n{STRIPE}\n"}, day=2)
    (finding,) = inspect(repository)[0]
    assert finding.location == "old.py:1"
    assert first[:12] in finding.message
    assert "still at HEAD" in finding.message


@needs_git
def test_each_version_is_read_once(repository: Path) -> None:
    commit(repository, {"a.py": STRIPE, "copy/b.py": STRIPE})
    commit(repository, {"a.py": "1"}, day=2)
    commit(repository, {"a.py": STRIPE}, day=3)
    findings, inspection = inspect(repository)
    assert (len(findings), inspection.files) == (1, 2)


@needs_git
def test_all_references_and_merges_and_stashes(repository: Path) -> None:
    commit(repository, {"a.py": "1\n"})
    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, {"side.py": STRIPE}, day=2)
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"b.py": "2\n"}, day=3)
    git(repository, "merge", "--quiet", "--no-commit", "--no-ff", "side", day=4)
    commit(repository, {"a.py": f"{OTHER}\n"}, day=4)  # came with the merge itself
    git(repository, "tag", "-a", "v1", "-m", "v1")
    git(repository, "branch", "-D", "side")
    third = sample("sk_live_{base62:24}", 2)
    (repository / "a.py").write_text(third)
    git(repository, "stash")
    git(repository, "pack-refs", "--all")
    git(repository, "gc", "--quiet")
    found = {one.location: one.message for one in inspect(repository)[0]}
    assert set(found) == {"a.py:1", "side.py:1"}
    assert len(inspect(repository)[0]) == 3


@needs_git
def test_bare_repositories_working_trees_and_parts(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"app/a.py": STRIPE, "web/b.py": OTHER, "app.py": "x"})
    git(repository, "clone", "--quiet", "--bare", str(repository), str(tmp_path / "bare.git"))
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    expected = ["app/a.py:1", "web/b.py:1"]
    for path in (repository, tmp_path / "bare.git", tmp_path / "tree"):
        assert [one.location for one in inspect(path)[0]] == expected
    assert [one.location for one in inspect(repository / "app")[0]] == ["a.py:1"]
    assert [one.location for one in inspect(repository / "app/a.py")[0]] == ["a.py:1"]
    assert inspect(repository / "app.py")[0] == []
    below = {one.location for one in inspect(tmp_path)[0]}
    assert below == {f"{folder}/{one}" for folder in ("repository", "tree") for one in expected} | {
        f"bare.git/{one}" for one in expected
    }


@needs_git
def test_sha256_repositories_and_shallow_clones(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    git(folder, "init", "--quiet", "--object-format=sha256")
    first = commit(folder, {"a.py": STRIPE})
    (finding,) = inspect(folder)[0]
    assert (len(first), first[:12] in finding.message) == (64, True)
    commit(repository, {"a.py": STRIPE})
    commit(repository, {"a.py": OTHER}, day=2)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))
    findings, inspection = inspect(shallow)
    assert len(findings) == 1
    assert any("shallow" in note for note in inspection.skipped)


@needs_git
def test_names_notebooks_encodings_allowances_and_what_is_left_out(repository: Path) -> None:
    source = ["x = 1\n", f"k = '{STRIPE}'"]
    cells = json.dumps({"cells": [{"cell_type": "code", "source": source}]})
    allowed = sample("sk_live_{base62:24}", 6)
    commit(
        repository,
        {
            "中 a\tb.py": OTHER,
            "n.ipynb": cells,
            "utf16.txt": ("\ufeff" + sample("sk_live_{base62:24}", 3)).encode("utf-16-le"),
            "binary.bin": b"\0" + sample("sk_live_{base62:24}", 4).encode(),
            "node_modules/x.js": sample("sk_live_{base62:24}", 5),
            "ok.py": f"k = 1 # buttress: allow secret of a test\nk = '{allowed}'",
            "large.txt": sample("sk_live_{base62:24}", 7) + "\n" * (8 << 20),
            "tests/key.pem": key("private-key"),
        },
    )
    findings, inspection = inspect(repository)
    assert {(one.location.rpartition(":")[0], one.severity) for one in findings} == {
        ("中 a\\tb.py", "critical"), ("n.ipynb", "critical"), ("utf16.txt", "critical"),
        ("tests/key.pem", "low"),
    }  # fmt: skip
    told = "\n".join(inspection.skipped)
    for note in ("1 versions of binary files", "1 versions of foreign code",
                 "1 secrets allowed by a comment", "1 versions larger than 8 MiB"):  # fmt: skip
        assert note in told


HOSTILE = """
[core]
    fsmonitor = touch MARK; true
    pager = touch MARK; cat
    editor = touch MARK
    sshCommand = touch MARK
    askPass = touch MARK
    hooksPath = hooks
    gitProxy = touch MARK
    alternateRefsCommand = touch MARK
[alias]
    log = "!touch MARK"
    cat-file = "!touch MARK"
    ls-tree = "!touch MARK"
[diff]
    external = touch MARK
[diff "x"]
    textconv = touch MARK; cat
    command = touch MARK
[filter "x"]
    clean = touch MARK; cat
    smudge = touch MARK; cat
    process = touch MARK
[log]
    showSignature = true
[gpg]
    program = PROGRAM
[credential]
    helper = "!touch MARK"
[include]
    path = more.config
[uploadpack]
    packObjectsHook = touch MARK
[remote "origin"]
    url = ext::sh -c touch% MARK
    promisor = true
    partialclonefilter = blob:none
    uploadpack = touch MARK
    vcs = ext
[protocol]
    allow = always
[protocol "ext"]
    allow = always
[extensions]
    partialClone = origin
"""


@needs_git
def test_nothing_that_a_repository_says_is_run(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"a.py": STRIPE, ".gitattributes": "* diff=x filter=x\n"})
    gone = git(repository, "rev-parse", "HEAD:a.py")
    commit(repository, {"a.py": OTHER}, day=2)
    mark = tmp_path / "MARK"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    inside = repository / ".git"
    text = HOSTILE.replace("MARK", str(mark)).replace("PROGRAM", str(program))
    (inside / "config").write_text(text)
    (inside / "more.config").write_text(f"[core]\n\tfsmonitor = touch {mark}\n")
    for name in ("pre-commit", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, inside / "hooks" / name)
    (inside / "info/attributes").write_text("* diff=x filter=x\n")
    (inside / f"objects/{gone[:2]}/{gone[2:]}").unlink()  # a partial clone would fetch it
    (repository / "git").symlink_to(program)
    here = Path.cwd()
    try:
        os.chdir(repository)
        findings, inspection = inspect(Path())
    finally:
        os.chdir(here)
    assert not mark.exists()
    assert [one.location for one in findings] == ["a.py:1"]
    assert any("1 versions that are not in the object database" in n for n in inspection.skipped)
    # The marks work: git itself, asked in the repository, runs some of them.
    for command in (["status"], ["log", "-p"], ["cat-file", "-p", gone]):
        mark.unlink(missing_ok=True)
        version = ["-c", "core.repositoryFormatVersion=1"]
        subprocess.run(
            ["git", *version, *command], cwd=repository, capture_output=True, check=False
        )
        assert mark.exists(), command


@needs_git
def test_damaged_repositories_are_said(repository: Path) -> None:
    first = commit(repository, {"a.py": STRIPE})
    (repository / f".git/objects/{first[:2]}/{first[2:]}").unlink()
    findings, inspection = inspect(repository)
    assert (findings, inspection.files) == ([], 0)
    (repository / ".git/refs/heads/main").write_text("not an id\n")
    assert inspect(repository)[0] == []
    (repository / ".git/reftable").mkdir()
    assert "reftable" in inspect(repository)[1].skipped[0]


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(STRIPE)
    outside = inspect(tmp_path)[1].skipped
    assert outside == (".: no git repository, so no history",)
    for name in ("objects", "refs"):
        (tmp_path / ".git" / name).mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    findings, inspection = inspect(tmp_path)
    assert findings == []
    assert inspection.skipped == (".: the history was not read: git is not installed",)


NAMES = ("HEAD", "packed-refs", "shallow", "commondir", "refs/heads/main", "worktrees/a/HEAD")


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from(
                [
                    b"ref: refs/heads/main\n",
                    b"ref: HEAD",
                    b"a" * 40 + b"\n",
                    b"..\n",
                    b"# pack-refs\n" + b"b" * 40 + b" refs/heads/x\n^" + b"c" * 40,
                ]
            ),
        ),
    )
)
@settings(deadline=None, max_examples=150)
def test_any_files_of_references(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("layout")
    for name in ("objects", "refs/heads", "worktrees/a"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    layout = find(folder)
    if layout is not None:
        found = references(layout)
        for one in (*found.tips, *found.shallow, *filter(None, [found.head])):
            assert len(one) in (40, 64)
            assert set(one) <= set("0123456789abcdef")
    shutil.rmtree(folder)
