"""A mistake of an inspector in one file: it must not end a scan, nor pass for *nothing found*."""

from __future__ import annotations

from buttress.errors import debugging


def failure(error: Exception, where: str = "") -> str:
    """What to say of an error that no parser should have raised; ``where`` it was.

    Raises:
        Exception: the error itself, where ``BUTTRESS_DEBUG`` is 1, as in tests and under a fuzzer.
    """
    if debugging():
        raise error
    kind = type(error).__name__ + (f" in {where}" if where else "")
    return f"the inspector itself failed on it ({kind}): take it as not inspected, and report it"
