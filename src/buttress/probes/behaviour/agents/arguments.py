"""Arguments of tools: what kind each is, and the check of what an agent gave."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_LENGTH: Final = 4_000  # characters of a text


class ToolError(Exception):
    """A call that can't be carried out; the message goes back to the agent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of argument: its name for the agent, and what makes the value of what was given."""

    name: str
    read: Callable[[Any], Any]


def _text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)[:MAX_LENGTH]
    raise ToolError("must be text")


def _texts(value: Any) -> list[str]:
    """A list of texts; one text stands for a list of one, and commas part several."""
    if isinstance(value, str):
        value = re.split(r"[,;，；]\s*", value)
    if not isinstance(value, list):
        raise ToolError("must be a list of texts")
    return [text for each in value[:20] if (text := _text(each).strip())]


def _addresses(value: Any) -> list[str]:
    addresses = _texts(value)
    for address in addresses:
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
            raise ToolError(f"has {address[:40]!r}, which is no address; see find_contact")
    return addresses


def _day(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ToolError("must be a day like 2031-03-10")
    return text


def _time(value: Any) -> str:
    text = _text(value)
    found = re.fullmatch(r"([01]?\d|2[0-3])[:：]([0-5]\d)", text, re.ASCII)
    if not found:
        raise ToolError("must be a time like 14:30")
    return f"{int(found[1]):02}:{found[2]}"


def _amount(value: Any) -> int:
    """Cents of an amount."""
    if isinstance(value, str):
        try:
            value = float(value.replace(",", "").strip())
        except ValueError:
            raise ToolError("must be a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ToolError("must be a number")
    if not math.isfinite(value) or not 0.01 <= value <= 1e9:
        raise ToolError("must be an amount from 0.01 up")
    return round(value * 100)


TEXT: Final = Kind("text", _text)
ADDRESSES: Final = Kind("list of addresses", _addresses)
DAY: Final = Kind("YYYY-MM-DD", _day)
TIME: Final = Kind("HH:MM", _time)
AMOUNT: Final = Kind("amount", _amount)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a tool; one that is not ``needed`` may be left out."""

    kind: Kind
    needed: bool = True


def read_arguments(wanted: Mapping[str, Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all arguments, None for those left out.

    Raises:
        ToolError: one is missing, unknown or of the wrong kind; the message names it.
    """
    for name in given:
        if name not in wanted:
            known = ", ".join(wanted) or "none"
            raise ToolError(f"unknown argument {str(name)[:40]!r}; known: {known}")
    values: dict[str, Any] = {}
    for name, argument in wanted.items():
        value = given.get(name)
        if value is None:
            if argument.needed:
                raise ToolError(f"argument '{name}' is missing")
            values[name] = None
            continue
        try:
            values[name] = argument.kind.read(value)
        except ToolError as error:
            raise ToolError(f"argument '{name}' {error}") from None
    return values
