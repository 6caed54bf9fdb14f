"""What the labeller types: single keys at a terminal, otherwise lines."""

from __future__ import annotations

import os
import sys
from typing import IO, Protocol

try:
    import termios
    import tty
except ImportError:  # no such terminal on this platform: lines do as well
    termios = tty = None  # type: ignore[assignment]


class Keys(Protocol):
    """Where keys come from."""

    def key(self) -> str:
        """The next key, in lower case; a space for the space bar or an empty line, "" at the end.

        A line may go on after its key; ``text`` gives the rest.
        """
        ...

    def text(self) -> str:
        """A line of free text."""
        ...


class LineKeys:
    """From lines: the first character is the key, the rest of a note's line its text."""

    def __init__(self, source: IO[str]) -> None:
        self._source = source
        self._rest = ""

    def key(self) -> str:
        """See ``Keys``."""
        line = self._source.readline()
        if not line:
            return ""
        line = line.strip()
        self._rest = line[1:].strip()
        return line[:1].lower() or " "

    def text(self) -> str:
        """What followed the key, or else the next line."""
        return self._rest or self._source.readline().strip()


class TerminalKeys:
    """From a terminal, without waiting for a line to end. It is as it was between keys."""

    def __init__(self, source: IO[str]) -> None:
        self._source = source
        self._file = source.fileno()

    def key(self) -> str:
        """See ``Keys``; Enter counts as space, the end-of-file key as the end."""
        before = termios.tcgetattr(self._file)
        try:
            tty.setcbreak(self._file, termios.TCSADRAIN)  # keys typed ahead are kept
            read = os.read(self._file, 1)
            while read and read[0] & 0xC0 == 0xC0 and len(read) < _length(read[0]):
                read += os.read(self._file, 1)
        finally:
            termios.tcsetattr(self._file, termios.TCSADRAIN, before)
        if read in (b"", b"\x04"):
            return ""
        if read in (b"\n", b"\r"):
            return " "
        return read.decode(errors="replace").lower()

    def text(self) -> str:
        """A line, edited as the terminal does."""
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(self._file, 4096)
            if not read:
                break
            line += read
        return line.decode(errors="replace").strip()


def open_keys(source: IO[str] | None = None) -> Keys:
    """Keys from standard input, as it is."""
    found = sys.stdin if source is None else source
    return TerminalKeys(found) if termios is not None and found.isatty() else LineKeys(found)


def _length(first: int) -> int:
    """Bytes of a UTF-8 character by its first one."""
    return 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2
