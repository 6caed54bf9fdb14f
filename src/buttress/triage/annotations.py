"""Findings as workflow commands of GitHub Actions, which it shows on the lines of a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from buttress.evidence.places import LocatedFinding
from buttress.files.paths import absolute
from buttress.files.visible import visible

_LEVEL: Final = {"critical": "error", "high": "error", "medium": "warning"}
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = _DATA | {":": "%3A", ",": "%2C"}


def commands(found: Sequence[LocatedFinding], summary: str) -> Iterator[str]:
    """A line for each finding, and one for the summary.

    Paths count from the current folder, which is the checkout's. There must be no other output:
    GitHub would obey a line of it that a file's name or content has made look like a command.
    """
    here = absolute(".")
    for one in found:
        finding = one.finding
        path = one.below(here).removesuffix(one.inside) if one.inside else one.below(here)
        parts = [f"file={_escaped(path, _PROPERTY)}"]
        if one.line is not None:
            parts.append(f"line={one.line}")
        parts.append(f"title={_escaped(f'{finding.severity}: {finding.rule}', _PROPERTY)}")
        text = " ".join(filter(None, (one.inside, finding.message, finding.remedy)))
        level = _LEVEL.get(finding.severity, "notice")
        yield f"::{level} {','.join(parts)}::{_escaped(text, _DATA)}"
    yield f"::notice title=buttress scan::{_escaped(summary, _DATA)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, visible(char)) for char in text)
