"""Runs git on somebody else's objects, and on nothing else of their repository.

Git reads commands to run from a repository's configuration (pagers, monitors, filters, helpers of
transports), its attributes and its hooks. So it runs in an empty repository of our own, whose
object database borrows from the other's (gitrepository-layout(5), ``objects/info/alternates``).
References are passed to it as ids. Transports are all forbidden, so that no object that is missing
is fetched, which a partial clone would do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from buttress.probes.source.git.layout import References, RepositoryLayout

MAX_SECONDS: Final = 900.0  # of one command; a pipe among the objects would keep git waiting
_SETTINGS: Final = (
    "core.commitGraph=false",  # a cache, which could hide commits
    "core.multiPackIndex=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "protocol.allow=never",
)


class GitError(Exception):
    """Git is missing or could not do it; the message says why, on one line."""


class Isolated:
    """A repository of our own that borrows the objects of ``layout``."""

    def __init__(self, folder: Path, layout: RepositoryLayout, references: References) -> None:
        found = shutil.which("git")
        if found is None or not os.path.isabs(found):
            raise GitError("git is not installed")
        if "\n" in str(layout.objects):
            raise GitError("there is a line break in its path")
        self._git = found
        self._folder = folder
        for name in ("objects/info", "refs", "home"):
            (folder / name).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        version = "repositoryformatversion = 1" if references.sha256 else (
            "repositoryformatversion = 0"
        )  # fmt: skip
        text = f"[core]\n\t{version}\n\tbare = true\n"
        if references.sha256:
            text += "[extensions]\n\tobjectFormat = sha256\n"
        (folder / "config").write_text(text)
        (folder / "objects/info/alternates").write_bytes(os.fsencode(layout.objects.resolve()))
        if references.shallow:
            (folder / "shallow").write_text("".join(f"{one}\n" for one in references.shallow))

    @contextmanager
    def run(self, arguments: Sequence[str], given: Sequence[str]) -> Iterator[IO[bytes]]:
        """The output of a command, to be read as it comes; ``given`` are lines on its input.

        Raises:
            GitError: it failed, or took longer than ``MAX_SECONDS``.
        """
        command = [self._git, "--no-pager"]
        for setting in _SETTINGS:
            command += ["-c", setting]
        with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as errors:
            lines.write("".join(f"{one}\n" for one in given).encode())
            lines.seek(0)
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=lines,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self._folder,
                env=self._environment(),
            )
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(MAX_SECONDS, stop)
            timer.start()
            assert process.stdout is not None
            finished = False
            try:
                yield process.stdout
                finished = True
            finally:
                timer.cancel()
                if not finished:
                    process.kill()
                process.stdout.close()
                code = process.wait()
            if late.is_set():
                raise GitError(f"git {arguments[0]} took more than {MAX_SECONDS:g} seconds")
            if code != 0:
                errors.seek(0)
                told = errors.read(400).decode("utf-8", "replace").split("\n")[0]
                raise GitError(f"git {arguments[0]} failed: {' '.join(told.split())}")

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return kept | {
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_DIR": str(self._folder),
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": str(self._folder / "home"),
            "LC_ALL": "C",
        }


@contextmanager
def isolated(layout: RepositoryLayout, references: References) -> Iterator[Isolated]:
    """An ``Isolated`` in a folder that is removed afterwards.

    Raises:
        GitError: git is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="buttress-git-") as folder:
        yield Isolated(Path(folder), layout, references)
