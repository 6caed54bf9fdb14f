"""``buttress scan`` in this process, which is quicker than one of its own."""

from __future__ import annotations

import io
import json
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buttress.cli.main import main
from tests.probes.source.samples import sample

STRIPE = sample("sk_live_{base62:24}", 0)
OTHER = sample("sk_live_{base62:24}", 1)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        assert self.code in (0, 1, 3), self  # else there is none, and ``err`` says why
        return json.loads(self.out)

    @property
    def found(self) -> list[tuple[str, str]]:
        return [(one["rule"], one["location"]) for one in self.document["findings"]]


def scan(*arguments: str | Path) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["scan", *map(str, arguments)])
    return Done(code, out.getvalue(), err.getvalue())


def secrets(*arguments: str | Path) -> Done:
    """With the one probe that these tests need, as JSON."""
    return scan(*arguments, "--only", "secrets", "--json")


def git(folder: Path, *arguments: str) -> str:
    """git with an identity of its own, and without the user's settings."""
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=Test", "-c", "user.email=test@example.org",
         "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """With one commit: a secret in old.py, and a harmless app/clean.py."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    (folder / "app").mkdir()
    (folder / "old.py").write_text(f"a = 1\nkey = '{STRIPE}'\nb = 2\n")
    (folder / "app/clean.py").write_text("print('hello')\n")
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")
    return git(folder, "rev-parse", "HEAD")
