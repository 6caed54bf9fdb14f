"""What git knows about a folder: files that changed, their lines, and what is ignored.

Plumbing commands only, without a shell. A repository's own configuration can name programs; those
that these commands would start (file system monitor, external diff, text conversion) are disabled.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError

_SECONDS: Final = 120
# Set by git in hooks, for the repository of the hook; the folder that is scanned decides here.
_FOREIGN: Final = {
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
}  # fmt: skip
_HUNK: Final = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_DIFF: Final = ("--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree; ``top`` is its absolute path."""

    top: str

    @classmethod
    def around(cls, path: Path) -> Repository:
        """The repository that holds ``path``.

        Raises:
            InputError: none does, or git is not there.
        """
        folder = path if path.is_dir() else path.parent
        out = _git(str(folder), "rev-parse", "--show-toplevel")
        return cls(os.fsdecode(out.removesuffix(b"\n").removesuffix(b"\r")))

    def commit(self, revision: str) -> str:
        """The full id of a revision; ``REV...`` stands for its merge base with HEAD.

        Raises:
            InputError: no such commit.
        """
        name = revision.removesuffix("...")
        try:
            if name.startswith("-") or not name:
                raise InputError("not a revision")
            found = self._text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if name != revision:
                found = self._text("merge-base", found, "HEAD")
        except InputError:
            raise InputError(
                f"no commit '{revision}' in {self.top}",
                field="--diff",
                expected="a revision such as HEAD, or BRANCH... for where BRANCH was left",
            ) from None
        return found

    def changed(self, commit: str) -> Changes:
        """Files of the work tree that differ from the commit, and those that git doesn't track."""
        differing = self._names(
            "diff-index", "--name-only", "-z", "--diff-filter=d", *_DIFF, commit
        )
        untracked = self._names("ls-files", "--others", "--exclude-standard", "-z")
        files, links = [], 0
        for name in dict.fromkeys([*differing, *untracked]):
            path = os.path.join(self.top, name)
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                continue  # gone since
            if stat.S_ISLNK(mode):
                links += 1
            elif stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and name.endswith("/")):
                files.append(path)  # a folder is a repository of its own that is not tracked
        return Changes(self, commit, frozenset(files), frozenset(untracked), links)

    def ignored(self) -> list[str]:
        """Absolute paths of files and whole folders that the rules of git ignore."""
        found = self._names(
            "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"
        )
        return [os.path.join(self.top, name) for name in found]

    def _names(self, *arguments: str) -> list[str]:
        return [os.fsdecode(one) for one in _git(self.top, *arguments).split(b"\0") if one]

    def _text(self, *arguments: str) -> str:
        return _git(self.top, *arguments).decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a commit: absolute paths, those untracked relative to the top."""

    repository: Repository
    commit: str
    files: frozenset[str]
    untracked: frozenset[str]
    links: int  # symbolic links that changed; they are not followed

    def lines(self, path: str) -> Sequence[range] | None:
        """The lines of a file that are new since the commit; None for all of them."""
        name = os.path.relpath(path, self.repository.top).replace(os.sep, "/")
        if name in self.untracked or any(
            one.endswith("/") and name.startswith(one) for one in self.untracked
        ):
            return None
        return new_lines(
            _git(
                self.repository.top, "diff-index", "--patch", "--unified=0", "--no-color", *_DIFF,
                self.commit, "--", f":(top,literal){name}",
            )
        )  # fmt: skip


def new_lines(patch: bytes) -> list[range]:
    """The ranges of new lines of a patch of one file without context.

    Hunks are counted through, since a line of the file can look like the head of a hunk.
    """
    found, skip = [], 0
    for line in patch.split(b"\n"):
        if skip:
            skip -= not line.startswith(b"\\")
        elif hunk := _HUNK.match(line):
            old, start, new = (1 if one is None else int(one) for one in hunk.groups())
            skip = old + new
            if new:
                found.append(range(start, start + new))
    return found


def _git(folder: str, *arguments: str) -> bytes:
    """The output of a git command in a folder.

    Raises:
        InputError: git is missing, takes too long, or fails.
    """
    command = ["git", "-C", folder, "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
               *arguments]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=_SECONDS, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise InputError("git is not installed", expected="git on the PATH") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"git {arguments[0]} took over {_SECONDS} s", file=folder) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(
            f"git {arguments[0]}: {said[0] if said else f'exit code {done.returncode}'}",
            file=folder,
            expected="a folder in a git work tree",
        )
    return done.stdout
