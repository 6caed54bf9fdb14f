"""Parts of plugins that fail during an assessment: they are named in the coverage and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from buttress.errors import DEBUG_HINT, ButtressError, debugging, describe_exception
from buttress.protocols.probe import NotCoveredError

_Item = TypeVar("_Item")


def why_left_out(error: BaseException) -> str:
    """The reason for the coverage, in one line.

    Raises:
        Exception: ``error`` itself, where ``BUTTRESS_DEBUG`` is 1.
    """
    if debugging():
        raise error
    return f"it failed ({describe_exception(error)}); {DEBUG_HINT}"


def until_failure(items: Iterator[_Item], record_skip: Callable[[str], None]) -> Iterator[_Item]:
    """``items`` up to the first that raises an error, of which ``record_skip`` is told.

    Errors that a user caused and ``NotCoveredError`` pass.
    """
    try:
        yield from items
    except (ButtressError, NotCoveredError):
        raise
    except (Exception, SystemExit) as error:  # GeneratorExit is our own caller's
        record_skip(why_left_out(error))
