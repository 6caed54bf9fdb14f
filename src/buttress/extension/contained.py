"""Errors of a third party's code, told under the name of its part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from buttress.errors import FOREIGN_FAILURES, ButtressError, PluginError, debugging


@contextmanager
def naming(part: str) -> Iterator[None]:
    """Run code of ``part``; errors that a user caused pass.

    Raises:
        PluginError: it raised something else; that itself where ``BUTTRESS_DEBUG`` is 1.
    """
    try:
        yield
    except ButtressError:
        raise
    except FOREIGN_FAILURES as error:
        if debugging():
            raise
        raise PluginError(part, error) from error
