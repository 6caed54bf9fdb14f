"""The parser behind every command: errors in one line, suggestions for typos, examples."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from buttress.cli.examples import EXAMPLES


def similar(name: str, known: Sequence[str]) -> str:
    """``; did you mean X?`` with the name most like ``name``, or nothing."""
    import difflib  # for mistakes only

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. By itself argparse imports ``shutil`` for it, for each argument."""
    try:
        width = int(os.environ.get("COLUMNS", "")) or _terminal_width()
    except ValueError:
        width = _terminal_width()
    return argparse.HelpFormatter(prog, width=width - 2)


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class CommandParser(argparse.ArgumentParser):
    """Parses the command line; its help ends with the examples of ``cli/examples.py``."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        if self.formatter_class is not argparse.HelpFormatter:  # the reference has its own width
            return super()._get_formatter()
        return _formatter(self.prog)

    def format_help(self) -> str:
        """The help text."""
        given = EXAMPLES.get(self.prog.removeprefix("buttress").strip(), ())
        if not given:
            return super().format_help()
        lines = "\n".join(f"  {line}" for line in given)
        return f"{super().format_help()}\nexamples:\n{lines}\n"

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and one line.

        Raises:
            SystemExit: always.
        """
        line = f"{message}; see `{self.prog} --help`"
        self.exit(2, f"buttress: error: {line}\n")

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """The options given.

        Raises:
            SystemExit: with code 2 for an unknown option, naming one that is like it.
        """
        given = sys.argv[1:] if args is None else list(args)
        options, unknown = self.parse_known_args(given, namespace)
        if unknown and (sorted_ := self._positionals_last(given)) != given:
            # argparse takes several positional arguments only side by side.
            options, unknown = self.parse_known_args(sorted_, namespace)
        if unknown:
            inner = self._named_by(given)
            known = [text for action in inner._actions for text in action.option_strings]
            name = unknown[0].partition("=")[0]
            inner.error(f"unknown argument {name}{similar(name, known)}")
        return options

    def _positionals_last(self, arguments: Sequence[str]) -> list[str]:
        """The arguments with the options of the innermost command before its positional ones.

        As they are, where an option takes a number of values that isn't fixed.
        """
        inner = self._named_by(arguments)
        own = len(inner.prog.split()) - len(self.prog.split())
        options: list[str] = []
        positional: list[str] = []
        left = iter(arguments[own:])
        for argument in left:
            action = inner._option_string_actions.get(argument.partition("=")[0])
            if action is None:
                positional.append(argument)
                continue
            options.append(argument)
            if action.nargs is None and "=" not in argument:
                options += [value for value in (next(left, None),) if value is not None]
            elif action.nargs not in (None, 0):
                return list(arguments)
        return [*arguments[:own], *options, *positional]

    def _named_by(self, arguments: Sequence[str]) -> CommandParser:
        """The parser of the command in ``arguments``, the innermost one."""
        inner = self
        for argument in arguments:
            for action in inner._actions:
                if isinstance(action, argparse._SubParsersAction) and argument in action.choices:
                    inner = action.choices[argument]
        return inner

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        hint = similar(str(value), known) or f"; expected one of {', '.join(known)}"
        raise argparse.ArgumentError(action, f"unknown: {value!s}{hint}")


def each(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all parsers of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from each(inner)
