"""Findings for people, in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from buttress.evidence.records import Finding, Inspection, Severity
from buttress.scanning.sift import Sifted

_NOTES: Final = 5  # of each inspection, about what was not read
_STYLE: Final[dict[Severity, str]] = {
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "blue", "info": "dim",
}  # fmt: skip


def show(sifted: Sifted, inspections: Sequence[Inspection]) -> None:
    """Print findings by severity, then what was not read, and the counts at the end."""
    console = Console(highlight=False)
    findings = [one.finding for one in sifted.counting]
    groups = [(name, list(group)) for name, group in groupby(findings, lambda one: one.severity)]
    for severity, group in groups:
        _show_group(console, severity, group)
    for one in inspections:
        for note in one.skipped[:_NOTES]:
            console.print(_text(f"not read by {one.probe}: {one.asset}: {note}", "dim"))
        if len(one.skipped) > _NOTES:
            more = len(one.skipped) - _NOTES
            console.print(_text(f"not read by {one.probe}: {more} more, see --json", "dim"))
    for told in sifted.notes:
        console.print(_text(told, "yellow"))
    console.print(_text(summary(sifted)))
    for probe in dict.fromkeys(one.probe for one in inspections):
        own = [one for one in inspections if one.probe == probe]
        files, size = sum(one.files for one in own), sum(one.bytes for one in own)
        console.print(_text(f"{probe}: {files:,} files, {size / 1e6:,.1f} MB read"))


def summary(sifted: Sifted) -> str:
    """In one line how many findings count, by severity, and how many do not, and why."""
    severities = Counter(one.finding.severity for one in sifted.counting)
    found = ", ".join(f"{severities[name]} {name}" for name in _STYLE if severities[name])
    return f"{found or 'No findings'}.{_apart(sifted)}"


def _apart(sifted: Sifted) -> str:
    counts = Counter(entry.status for _, entry in sifted.suppressed)
    statuses = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    parts = [
        f"{len(sifted.suppressed)} suppressed ({statuses})" if statuses else "",
        f"{len(sifted.cleared)} cleared by VEX" if sifted.cleared else "",
        f"{len(sifted.known)} in the baseline" if sifted.known else "",
        f"{sifted.outside} outside what was asked for" if sifted.outside else "",
    ]
    told = ", ".join(part for part in parts if part)
    expired = f" {sifted.expired} suppressions expired." if sifted.expired else ""
    return (f" Not counted: {told}." if told else "") + expired


def _show_group(console: Console, severity: Severity, findings: Sequence[Finding]) -> None:
    """The location on a line of its own, whole whatever its length, so that it can be copied."""
    console.print(_text(f"{severity} ({len(findings)})", _STYLE[severity]))
    told = set()
    for one in findings:
        console.print(_text(f"  {_join(one.asset, one.location)}", "bold"), soft_wrap=True)
        what = _text(f"{one.message}  [{one.rule}]")
        if one.proof:
            what.append(f"  {_text(one.proof)}", "dim")
        if one.remedy not in told:
            told.add(one.remedy)
            what.append(f"\n{_text(one.remedy)}", "italic")
        console.print(Padding(what, (0, 0, 0, 6)))
    console.print()


def _text(text: str, style: str = "") -> Text:
    """For the terminal: names of files can hold what steers it."""
    return Text(
        "".join(
            one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
        ),
        style=style,
    )


def _join(asset: str, location: str) -> str:
    """The location from where the command was called."""
    path = Path(asset)
    return (path if path.is_dir() else path.parent).joinpath(location).as_posix()
