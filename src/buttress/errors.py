"""Errors that a user can cause, and how they are told."""

from __future__ import annotations


class ButtressError(Exception):
    """Base of all errors that end a command with one line on stderr and exit code 2."""


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
            f"{capability} needs an optional dependency: pip install 'buttress[{extra}]'"
        )
