"""Errors that a user can cause, and how they are told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final


def debugging() -> bool:
    """Whether ``BUTTRESS_DEBUG`` is 1: mistakes of a part are raised instead of being noted."""
    return os.environ.get("BUTTRESS_DEBUG") == "1"


def describe_exception(error: BaseException) -> str:
    """Type and first line of the message, for one line of output."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


FOREIGN_FAILURES: Final = (Exception, SystemExit, GeneratorExit)
"""What code of a third party may raise where only its own part is to fail, and not the run."""


DEBUG_HINT: Final = "set BUTTRESS_DEBUG=1 to see where"


class ButtressError(Exception):
    """Base of all errors that end a command with one line on stderr and exit code 2."""

    def __reduce__(self) -> tuple[Any, ...]:
        """A worker process hands it over whole, whatever it was made from."""
        return _error_again, (type(self), self.args, self.__dict__)


def _error_again(
    kind: type[ButtressError], arguments: tuple[Any, ...], fields: Mapping[str, Any]
) -> ButtressError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(fields)
    return error


class InputError(ButtressError):
    """Something the user gave is not usable.

    The message always has the form ``WHERE: what is wrong; expected …`` on one line, where WHERE
    names the file, the line if known, and the field.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        expected: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.field = field
        self.expected = expected
        where = ""
        if file is not None:
            where = file if line is None else f"{file}:{line}"
        if field is not None:
            where = f"{where}: {field}" if where else field
        text = f"{where}: {problem}" if where else problem
        if expected:
            text = f"{text}; expected {expected}"
        super().__init__(" ".join(text.split()))


class MissingExtraError(ButtressError):
    """A capability needs an optional dependency that is not installed."""

    def __init__(self, capability: str, extra: str) -> None:
        super().__init__(
            f"{capability} needs an optional dependency: "
            f"pip install '.[{extra}]' in the clone of Buttress"
        )


class PluginError(ButtressError):
    """A part that an entry point names failed: it can't be imported, or it raised an error."""

    def __init__(self, part: str, error: BaseException) -> None:
        self.part = part
        super().__init__(f"{part} failed ({describe_exception(error)}); {DEBUG_HINT}")


class TerminatedError(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): as an interrupt by the user, but told apart."""
