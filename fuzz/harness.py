"""What a fuzzed parser must hold to, and the registry of all of them.

A target is a function from bytes to anything with a stable ``repr``. Whatever the bytes are, it
returns, or raises one of the errors that its parser documents (``InputError`` for all that reads
what a user names). Anything else is a bug, and so is an answer that differs the second time.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.protocols.inspection import InspectionContext

os.environ["BUTTRESS_DEBUG"] = "1"  # mistakes of an inspector are not to become notes

GROUPS: Final = (
    "artifacts",
    "sources",
    "dependency_files",
    "infrastructure",
    "agents",
    "clients",
    "records",
    "supply",
)
MAX_SECONDS: Final = 30  # for one input: what takes longer counts as hanging
Run = Callable[[bytes], object]
_folder: Path | None = None


class InvariantError(AssertionError):
    """A parser returned something that it must not return, or never returned."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser under test. ``allowed``: errors that it documents beside ``InputError``."""

    name: str
    run: Run
    allowed: tuple[type[Exception], ...] = ()


@cache
def targets() -> dict[str, Target]:
    """All targets by name. Loads every parser."""
    found: dict[str, Target] = {}
    for group in GROUPS:
        for one in import_module(f"fuzz.{group}").TARGETS:
            if one.name in found:
                raise ValueError(f"two targets are called {one.name}")
            found[one.name] = one
    return found


def once(target: Target, data: bytes) -> str:
    """What the target makes of the bytes, as text that can be compared.

    Raises:
        InvariantError: the error's message has several lines.
        Exception: whatever the parser lets through; that is a bug of it.
    """
    documented: tuple[type[Exception], ...] = (InputError, *target.allowed)
    try:
        return repr(target.run(data))
    except documented as error:
        text = str(error)
        if isinstance(error, InputError) and ("\n" in text or not text):
            raise InvariantError(f"an error message of no or several lines: {text!r}") from error
        return f"{type(error).__name__}: {text}"


def twice(target: Target, data: bytes) -> str:
    """As ``once``, and the answer is the same when asked again.

    Raises:
        InvariantError: it is not.
    """
    first = once(target, data)
    second = once(target, data)
    if first != second:
        raise InvariantError(f"two answers: {first[:500]} and {second[:500]}")
    return first


@contextmanager
def hang_watch(seconds: int = MAX_SECONDS) -> Iterator[None]:
    """Within, an input that is not done with in time is an ``InvariantError``; main thread only."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise InvariantError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def workspace() -> Iterator[Path]:
    """Within, ``placed`` has a folder of its own, which is gone afterwards."""
    global _folder  # noqa: PLW0603
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        _folder = Path(name)
        try:
            yield _folder
        finally:
            _folder = None


def private() -> Path:
    """This process's folder in the workspace: the same for every input."""
    if _folder is None:
        raise RuntimeError("to be used within workspace()")
    path = _folder / str(os.getpid())
    path.mkdir(exist_ok=True)
    return path


def placed(name: str, data: bytes) -> Path:
    """A file of that name with those bytes; it replaces the one of the input before."""
    path = private() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # file systems write out at once what replaces something
    path.write_bytes(data)
    return path


def inspected(probe: Any, name: str, data: bytes) -> list[object]:
    """What a probe says of a file of that name.

    Raises:
        InvariantError: no inspection at the end, a line that the file does not have, or text that
            would do harm to a terminal.
    """
    *findings, last = probe.inspect(InspectionContext.at("fuzzed", placed(name, data)))
    if not isinstance(last, Inspection):
        raise InvariantError("no inspection at the end")
    lines = data.count(b"\n") + 1
    for one in findings:
        check_finding(one)
        number = one.location.rpartition(":")[2]
        if not one.where.member and number.isdecimal() and not 1 <= int(number) <= lines:
            raise InvariantError(f"line {number} of {lines}")
    for note in last.skipped:
        if not note.isprintable():
            raise InvariantError(f"a note that can't be printed: {note!r}")
    return [*findings, replace(last, seconds=0.0)]


def check_finding(one: object) -> None:
    """A finding is one, and its texts can be printed.

    Raises:
        InvariantError: not so.
    """
    if not isinstance(one, Finding):
        raise InvariantError(f"not a finding: {one!r}")
    for text in (one.message, one.proof, one.location):
        if not text.isprintable():
            raise InvariantError(f"a text that can't be printed: {text!r}")
