"""Entry point of the command line: builds the parser, runs the command, tells errors in one line.

Command modules import what is heavy only when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import codecs
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Final

from buttress import __version__
from buttress.cli.parsing import CommandParser
from buttress.errors import (
    DEBUG_HINT,
    ButtressError,
    InputError,
    TerminatedError,
    debugging,
    describe_exception,
)

COMMANDS: Final = (
    "init",
    "assess",
    "ask",
    "measure",
    "whitebox",
    "align",
    "harden",
    "explain",
    "scan",
    "data",
    "privacy",
    "tune",
    "survey",
    "watch",
    "pack",
    "sign",
    "bom",
    "digest",
    "report",
    "card",
    "diff",
    "risks",
    "probes",
    "convert",
    "judge",
    "preferences",
    "oversee",
    "values",
    "evidence",
    "new",
)
EXIT_CODES: Final = (
    "exit codes: 0 all acceptable (or nothing found), 1 something unacceptable, "
    "2 bad input, 3 undecided within the budget, 70 internal error, 130, 141 or 143 ended by a "
    "signal or a closed pipe"
)
_WINDOWS: Final = "buttress: error: Buttress runs on Linux and macOS; on Windows use it inside WSL"
TERMINATED: Final = 143  # 128 + SIGTERM, as a shell tells it
NO_READER: Final = 141  # 128 + SIGPIPE
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}  # of the file or disk
_ESCAPED: Final = "buttress-escaped"
INTERNAL_ERROR: Final = 70  # EX_SOFTWARE of sysexits.h


def parser(named: str = "") -> argparse.ArgumentParser:
    """The parser with all commands, or with that one alone, which is quicker to make."""
    top = CommandParser(
        prog="buttress",
        description="Is this language-model system safe enough to launch? "
        "Gathers evidence, computes risk, gives a verdict.",
        epilog=EXIT_CODES,
    )
    top.add_argument("--version", action="version", version=f"buttress {__version__}")
    commands = top.add_subparsers(prog=top.prog, title="commands", metavar="COMMAND", required=True)
    for name in (named,) if named in COMMANDS else COMMANDS:
        import_module(f"buttress.cli.{name}").register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if sys.platform == "win32":
        print(_WINDOWS, file=sys.stderr)
        return 2
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        print(parser().format_help(), end="")
        return 2
    _open_streams()
    options, running = argparse.Namespace(), False
    try:
        options = parser(given[0] if given else "").parse_args(given)
        run: Callable[[argparse.Namespace], int] = options.run
        running = True
        _require_surroundings()
        with terminable():
            code = run(options)
        sys.stdout.flush()
        return code
    except ButtressError as error:
        print(f"buttress: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        resumable = hasattr(options, "resume") and getattr(options, "out", None) is not None
        kept = "; what was written so far is kept; go on with --resume" if resumable else ""
        print(f"buttress: interrupted{kept}", file=sys.stderr)
        return TERMINATED if isinstance(error, TerminatedError) else 130
    except BrokenPipeError:
        return _reader_gone()
    except BaseException as error:
        if isinstance(error.__context__, BrokenPipeError) and isinstance(error, SystemExit):
            return _reader_gone()  # Rich leaves the program at a broken pipe
        if isinstance(error, SystemExit) and not running:
            raise  # of the parser: help, or a wrong option
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            print(
                f"buttress: error: output can't be written: {error.strerror}; "
                "expected room for all of it",
                file=sys.stderr,
            )
            _drop_output()
            return 2
        # No code of a plugin may end a command with an exit code that reads as a verdict.
        if debugging():
            sys.excepthook(type(error), error, error.__traceback__)
        print(
            f"buttress: internal error: {describe_exception(error)}; "
            f"{DEBUG_HINT}, and please report it",
            file=sys.stderr,
        )
        return INTERNAL_ERROR


def _open_streams() -> None:
    """Standard error that can be written to, and characters that a terminal lacks escaped."""
    if sys.stderr is None:  # as after `2>&-`
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error(_ESCAPED, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """As in a JSON string, so that JSON stays what it was."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{one}" for one in pairs), error.end


def _require_surroundings() -> None:
    """What each command takes for granted.

    Raises:
        InputError: standard output is closed, or the current folder was deleted.
    """
    if sys.stdout is None:
        raise InputError(
            "standard output is closed", expected="an open one; `>/dev/null` if nobody reads it"
        )
    try:
        os.getcwd()
    except OSError:
        raise InputError(
            "the current folder does not exist any more", expected="to be called in one that does"
        ) from None


def _reader_gone() -> int:
    """The reader of our output (head, less) went away: neither an error of ours nor a verdict."""
    _drop_output()
    return NO_READER


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: what was begun is cleaned up."""

    def terminate(number: int, frame: object) -> None:
        del number, frame
        raise TerminatedError

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # only the main thread may set handlers
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
