"""What every rule says, whatever it is about."""

from __future__ import annotations

from dataclasses import dataclass

from buttress.evidence.findings import Severity


@dataclass(frozen=True, slots=True)
class Example:
    """A text that a rule finds, or does not, in a file of that name; "" where any will do."""

    file: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of defect. Placeholders in the message, such as ``{it}``, are its probe's."""

    id: str
    severity: Severity
    remedy: str
    references: tuple[str, ...]
    title: str = ""
    message: str = ""
    secret: bool = False  # what was found must not be shown
    bad: tuple[Example, ...] = ()  # found by the rule
    good: tuple[Example, ...] = ()  # not found by it
