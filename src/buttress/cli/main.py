"""Entry point of the command line: builds the parser, runs the command, tells errors in one line.

Command modules import what is heavy only when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
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
    options, running = argparse.Namespace(), False
    try:
        options = parser(given[0] if given else "").parse_args(given)
        run: Callable[[argparse.Namespace], int] = options.run
        running = True
        with terminable():
            return run(options)
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
        # No code of a plugin may end a command with an exit code that reads as a verdict.
        if debugging():
            sys.excepthook(type(error), error, error.__traceback__)
        print(
            f"buttress: internal error: {describe_exception(error)}; "
            f"{DEBUG_HINT}, and please report it",
            file=sys.stderr,
        )
        return INTERNAL_ERROR


def _reader_gone() -> int:
    """The reader of our output (head, less) went away: neither an error of ours nor a verdict."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NO_READER


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
