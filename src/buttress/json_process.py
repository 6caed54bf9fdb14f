"""A module of ours run by an interpreter of its own, which answers each line of JSON by a line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress


class ProcessEndedError(Exception):
    """The process could not be started, or ended before it answered."""


class JsonProcess:
    """One process, from its start to ``stop``; it ends by itself where this one is killed.

    What it prints to standard error is dropped.

    Raises:
        ProcessEndedError: it could not be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """``command`` is what follows the interpreter, such as ``("-m", "package.module")``."""
        if not sys.executable:
            raise ProcessEndedError("Python does not know its own interpreter")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, ValueError) as error:
            raise ProcessEndedError(str(error)) from None

    def tell(self, line: bytes) -> None:
        """Write one line of JSON, given without its end.

        Raises:
            ProcessEndedError: the process reads no more.
        """
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise ProcessEndedError(str(error)) from None

    def ask(self, line: bytes) -> bytes:
        """As ``tell``, and wait for the line that answers.

        Raises:
            ProcessEndedError: the process ended before the end of its answer.
        """
        self.tell(line)
        try:
            assert self._process.stdout is not None
            answer = self._process.stdout.readline()
        except (OSError, ValueError) as error:
            raise ProcessEndedError(str(error)) from None
        if not answer.endswith(b"\n"):
            raise ProcessEndedError("it ended before it answered")
        return answer

    def stop(self) -> None:
        """End the process, also while another thread waits for its answer."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
