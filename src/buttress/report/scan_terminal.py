"""Findings for people, in the terminal: by default a line for each cause, else all of them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.errors import DEBUG_HINT
from buttress.files.visible import visible
from buttress.report import numbers

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from buttress.evidence.findings import Finding, Inspection, Severity
    from buttress.triage.filtering import FilteredFindings

_CAUSES: Final = 3  # of one rule that are told one by one
_WORD: Final = 16  # characters of a word that are left out where a line is cut
_REASONS: Final = 3  # for which most was not read
_ALLOWED: Final = " by a comment: "  # one finding
_BY_COMMENT: Final = re.compile(r"(?:allowed|ignored) by (?:a )?comments?\b")
_PLACE: Final = re.compile(r",? \(|,? (?:at )?line \d|,? \(line ")
_STYLE: Final[dict[Severity, str]] = {
    # Of the sixteen colours of a terminal those that stand out on light and on dark grounds.
    "critical": "bold red", "high": "red", "medium": "magenta", "low": "bright_blue",
    "info": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings of one rule with one cause; ``others``: how many causes it stands for."""

    first: Finding
    count: int
    others: int = 0


def show(
    filtered: FilteredFindings, inspections: Sequence[Inspection], *, verbose: bool = False
) -> None:
    """Print findings by severity, then the counts, and what was read and what was not."""
    findings = [one.finding for one in filtered.counting]
    for severity, group in groupby(findings, lambda one: one.severity):
        show_group = _show_all if verbose else _show_causes
        show_group(severity, list(group))
    for told in filtered.notes:
        _line(told, "magenta")
    if verbose:
        for one in inspections:
            _line(f"read by {one.probe}: {numbers.plural(one.files, 'file')} in {one.asset}", "")
            for note in one.skipped:
                _line(f"not read by {one.probe}: {one.asset}: {note}", "")
    print(visible(summary(filtered)))
    width = _console().width if sys.stdout.isatty() else 0
    for line in coverage(inspections, width):
        print(visible(line))
    if not verbose and (findings or any(one.skipped for one in inspections)):
        print("--verbose shows proofs, remedies and all that was not read.")


def summary(filtered: FilteredFindings) -> str:
    """In one line how many findings count, by severity, and how many do not, and why."""
    severities = Counter(one.finding.severity for one in filtered.counting)
    found = ", ".join(f"{severities[name]} {name}" for name in _STYLE if severities[name])
    return f"{found or 'No findings'}.{_apart(filtered)}"


def coverage(inspections: Sequence[Inspection], width: int = 0) -> Iterator[str]:
    """Two lines: what was read, and what was not and for which reasons most.

    A probe that failed has a line of its own between them.

    Of the reasons those are told that fit into ``width`` columns, where it is given.
    """
    probes = dict.fromkeys(one.probe for one in inspections)
    files = {one.asset: 0 for one in inspections}
    size = dict(files)
    for one in inspections:
        files[one.asset] = max(files[one.asset], one.files)
        size[one.asset] = max(size[one.asset], one.bytes)
    yield (
        f"Read: {numbers.plural(sum(files.values()), 'file')}, {numbers.size(sum(size.values()))}, "
        f"by {numbers.plural(len(probes), 'probe')}."
    )
    for one in inspections:
        for note in one.skipped:
            if DEBUG_HINT in note:
                yield f"Not inspected by {one.probe}: {note}"
    notes = {
        (one.asset, note) for one in inspections for note in one.skipped if DEBUG_HINT not in note
    }
    if not notes:
        return
    allowed = sum(_ALLOWED in note for _, note in notes)
    if allowed:
        yield f"Allowed by comments: {numbers.plural(allowed, 'finding')}; see --untrusted."
    reasons = Counter(_reason(note) for _, note in sorted(notes) if not _BY_COMMENT.search(note))
    if not reasons:
        return
    shown = min(_REASONS, len(reasons))
    while len(line := _not_read(reasons, shown)) > width > 0 and shown > 1:
        shown -= 1
    yield line


def _not_read(reasons: Counter[str], shown: int) -> str:
    told = "; ".join(
        f"{reason} ({count:,})" if count > 1 else reason
        for reason, count in reasons.most_common(shown)
    )
    more = len(reasons) - shown
    rest = f"; {more} more reasons" if more > 1 else "; one more reason" if more == 1 else ""
    return f"Not read: {told}{rest}."


def causes(findings: Sequence[Finding]) -> Iterator[Cause]:
    """One for each rule and cause, most findings first; of many causes the rest as one."""
    from buttress.triage.duplicates import cause

    by_rule: dict[str, dict[str, list[Finding]]] = {}
    for one in findings:
        by_rule.setdefault(one.rule, {}).setdefault(cause(one), []).append(one)
    for groups in sorted(by_rule.values(), key=lambda one: -sum(map(len, one.values()))):
        ordered = sorted(groups.values(), key=len, reverse=True)
        shown = ordered if len(ordered) <= _CAUSES + 1 else ordered[:_CAUSES]
        yield from (Cause(group[0], len(group)) for group in shown)
        if rest := ordered[len(shown) :]:
            yield Cause(rest[0][0], sum(map(len, rest)), len(rest))


def _reason(note: str) -> str:
    """Why something was not read, without the file that it is said of."""
    why = note.partition(": ")[2] or note
    return _PLACE.split(why, maxsplit=1)[0]


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
    expired = (
        f" {numbers.plural(filtered.expired, 'suppression')} expired." if filtered.expired else ""
    )
    return (f" Not counted: {told}." if told else "") + expired


@cache
def _console() -> Console:
    """Made, and its library imported, only where there is something to style."""
    from rich.console import Console

    return Console(highlight=False)


def _line(text: str, style: str) -> None:
    _console().print(_text(text, style))


def _show_causes(severity: Severity, findings: Sequence[Finding]) -> None:
    """A line each: how often, where first, and what; cut to the width of a terminal."""
    console = _console()
    _line(f"{severity} ({len(findings)})", _STYLE[severity])
    for one in causes(findings):
        first = one.first
        line = _text("").append_text(_text(f"{one.count:>4}× ", _STYLE[severity]))
        place = _join(first.asset, first.location)
        if console.is_terminal:
            place = _ending(place, console.width * 2 // 5)
        line.append_text(_text(place, "bold"))
        what = f"{one.others} more causes" if one.others > 1 else first.message
        line.append_text(_text(f"  [{first.rule}] {what}"))
        if console.is_terminal:
            _fit(line, console.width)
        console.print(line, soft_wrap=True)
    console.print()


def _fit(line: Text, width: int) -> None:
    """Cut a line that is longer, between two words where one is near."""
    if line.cell_len <= width:
        return
    from rich.cells import cell_len

    line.truncate(width - 1)
    if (space := line.plain.rfind(" ", -_WORD)) > line.plain.find("] ") + 1:
        line.truncate(cell_len(line.plain[: space + 1]))
    line.append("…")


def _ending(place: str, width: int) -> str:
    """The end of a long place, which tells files apart; the rule and the message need room too."""
    if len(place) <= width:
        return place
    parts = place.split("/")
    while len(parts) > 1 and len("/".join(parts)) + 2 > width:
        parts = parts[1:]
    end = "/".join(parts)
    return place if end == place else f"…/{end}"


def _show_all(severity: Severity, findings: Sequence[Finding]) -> None:
    """The location on a line of its own, whole whatever its length, so that it can be copied."""
    from rich.padding import Padding

    console = _console()
    _line(f"{severity} ({len(findings)})", _STYLE[severity])
    told = set()
    for one in findings:
        console.print(_text(f"  {_join(one.asset, one.location)}", "bold"), soft_wrap=True)
        what = _text(f"{one.message}  [{one.rule}]")
        if one.proof:
            what.append(f"  {_text(one.proof)}")
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
