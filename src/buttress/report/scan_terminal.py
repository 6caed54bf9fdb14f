"""Findings for people, in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.files.visible import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from buttress.evidence.findings import Finding, Inspection, Severity
    from buttress.triage.filtering import FilteredFindings

_NOTES: Final = 5  # of each inspection, about what was not read
_STYLE: Final[dict[Severity, str]] = {
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "blue", "info": "dim",
}  # fmt: skip


def show(filtered: FilteredFindings, inspections: Sequence[Inspection]) -> None:
    """Print findings by severity, then what was not read, and the counts at the end."""
    findings = [one.finding for one in filtered.counting]
    for severity, group in groupby(findings, lambda one: one.severity):
        _show_group(severity, list(group))
    for one in inspections:
        for note in one.skipped[:_NOTES]:
            _line(f"not read by {one.probe}: {one.asset}: {note}", "dim")
        if len(one.skipped) > _NOTES:
            _line(f"not read by {one.probe}: {len(one.skipped) - _NOTES} more, see --json", "dim")
    for told in filtered.notes:
        _line(told, "yellow")
    print(visible(summary(filtered)))
    for probe in dict.fromkeys(one.probe for one in inspections):
        own = [one for one in inspections if one.probe == probe]
        files, size = sum(one.files for one in own), sum(one.bytes for one in own)
        print(visible(f"{probe}: {files:,} files, {size / 1e6:,.1f} MB read"))


def summary(filtered: FilteredFindings) -> str:
    """In one line how many findings count, by severity, and how many do not, and why."""
    severities = Counter(one.finding.severity for one in filtered.counting)
    found = ", ".join(f"{severities[name]} {name}" for name in _STYLE if severities[name])
    return f"{found or 'No findings'}.{_apart(filtered)}"


def _apart(filtered: FilteredFindings) -> str:
    counts = Counter(entry.status for _, entry in filtered.suppressed)
    statuses = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    parts = [
        f"{len(filtered.suppressed)} suppressed ({statuses})" if statuses else "",
        f"{len(filtered.cleared)} cleared by VEX" if filtered.cleared else "",
        f"{len(filtered.known)} in the baseline" if filtered.known else "",
        f"{filtered.outside} outside what was asked for" if filtered.outside else "",
    ]
    told = ", ".join(part for part in parts if part)
    expired = f" {filtered.expired} suppressions expired." if filtered.expired else ""
    return (f" Not counted: {told}." if told else "") + expired


@cache
def _console() -> Console:
    """Made, and its library imported, only where there is something to style."""
    from rich.console import Console

    return Console(highlight=False)


def _line(text: str, style: str) -> None:
    _console().print(_text(text, style))


def _show_group(severity: Severity, findings: Sequence[Finding]) -> None:
    """The location on a line of its own, whole whatever its length, so that it can be copied."""
    from rich.padding import Padding

    console = _console()
    _line(f"{severity} ({len(findings)})", _STYLE[severity])
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
    from rich.text import Text

    return Text(visible(text), style=style)


def _join(asset: str, location: str) -> str:
    """The location from where the command was called."""
    path = Path(asset)
    return (path if path.is_dir() else path.parent).joinpath(location).as_posix()
