"""The probe ``unsafe-code``: rules about Python code of people who work with models."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from buttress.evidence.records import SEVERITIES, Finding, Inspection, Severity
from buttress.probes.rules.rulebook import without_secrets
from buttress.probes.rules.walk import wanted_files
from buttress.probes.source import files
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.ignore import ignored
from buttress.probes.source.code.matcher import Hit, Matcher, Result
from buttress.probes.source.code.modules import MAX_BYTES, decoded, parsed
from buttress.probes.source.code.notebook_code import notebook
from buttress.probes.source.code.rulebook import own_rules
from buttress.probes.source.files import Reading, SourceFile, printable

MAX_FINDINGS: Final = 200  # in one file
_LESS_IN_TESTS: Final = 2  # steps of severity
_PYTHON: Final = (".py", ".pyw", ".pyi")
_SHEBANG: Final = re.compile(rb"#![^\n]*python")


@cache
def _matcher() -> Matcher:
    from buttress.packs.resolve import code_rules

    return Matcher((*own_rules(), *code_rules()))


@dataclass(frozen=True, slots=True)
class _UnsafeCode:
    id: str = "unsafe-code"
    version: str = "1"
    title: str = "Unsafe code around models"
    kinds: tuple[str, ...] = ("source", "service", "client", "model", "data")

    def inspect(self, asset: str, path: Path) -> Iterator[Finding | Inspection]:
        """Findings in all Python files and notebooks below ``path``; as ``InspectionProbe``."""
        began = time.monotonic()
        reading = Reading()
        suppressed: Counter[str] = Counter()
        for _, file in wanted_files(path, reading, _limit):
            yield from self._file(asset, file, reading, suppressed)
        counts = (
            f"{number} findings of {rule} ignored by comments"
            for rule, number in suppressed.items()
        )
        yield Inspection(
            probe=self.id,
            probe_version=self.version,
            asset=asset,
            files=reading.files,
            bytes=reading.bytes,
            skipped=(*reading.skipped, *counts),
            seconds=time.monotonic() - began,
        )

    def _file(
        self, asset: str, file: SourceFile, reading: Reading, suppressed: Counter[str]
    ) -> Iterator[Finding]:
        examined = _examine(file, reading)
        if examined is None:
            return
        number = 0
        for hit in examined.result.hits:
            if file.is_test and not hit.rule.tests:
                continue
            reason = ignored(examined.lines, hit.rule.id, hit.line, hit.end_line)
            if reason:
                suppressed[hit.rule.id] += 1
                note = f"{hit.rule.id} ignored by a comment: {printable(reason)}"
                reading.leave_out(f"{file.location}:{examined.line(hit.line)}", note)
                continue
            if number == MAX_FINDINGS:
                reading.leave_out(file.location, f"more than {MAX_FINDINGS} findings; the rest")
                return
            number += 1
            yield self._finding(asset, file, hit, examined, unexplained=reason is not None)

    def _finding(
        self, asset: str, file: SourceFile, hit: Hit, examined: _Examined, *, unexplained: bool
    ) -> Finding:
        source = flows().title(hit.taint.label) if hit.taint else ""
        message = hit.rule.message.replace("{it}", printable(hit.it)).replace("{source}", source)
        notes = [
            examined.note(hit.line),
            "its ignore comment gives no reason" if unexplained else "",
        ]
        added = ", ".join(filter(None, notes))
        line = examined.lines[hit.line - 1] if hit.line <= len(examined.lines) else ""
        proof = without_secrets(line.strip().encode("utf-8", "replace"))
        if hit.taint and hit.taint.line != hit.line:
            proof = f"{proof}  ← line {examined.line(hit.taint.line)}: {hit.taint.path.lstrip('?')}"
        return Finding(
            rule=hit.rule.id,
            severity=_lessened(hit.rule.severity) if file.is_test else hit.rule.severity,
            asset=asset,
            location=f"{file.location}:{examined.line(hit.line)}",
            message=f"{message.rstrip('.')} ({added})." if added else message,
            remedy=hit.rule.remedy,
            references=hit.rule.references,
            proof=printable(proof),
            probe=self.id,
            probe_version=self.version,
        )


@dataclass(frozen=True, slots=True)
class _Examined:
    """What the rules found in a file, and where its lines are."""

    result: Result
    lines: Sequence[str]
    line: Callable[[int], int]
    note: Callable[[int], str]


def _limit(path: Path) -> int:
    """Bytes up to which a file is read: 0 for what is not Python by its name or first line."""
    name = path.name.lower()
    if name.endswith(".ipynb"):
        return files.MAX_BYTES
    if name.endswith(_PYTHON):
        return MAX_BYTES
    if "." in name:
        return 0
    try:
        with path.open("rb") as file:
            return MAX_BYTES if _SHEBANG.match(file.read(100)) else 0
    except OSError:
        return 0


def _examine(file: SourceFile, reading: Reading) -> _Examined | None:
    matcher = _matcher()
    active = matcher.applicable(file.data)
    if not active:
        return None
    if file.name.lower().endswith(".ipynb"):
        book = notebook(file.data)
        if book is None:
            reading.leave_out(file.location, "not a notebook in Python that can be parsed")
            return None
        module, places = book.module, book.places
        examined = _Examined(
            matcher.examine(module, active),
            module.text.split("\n"),
            lambda line: places[line - 1].line if 0 < line <= len(places) else 1,
            lambda line: f"in cell {places[line - 1].cell}" if 0 < line <= len(places) else "",
        )
    else:
        text = decoded(file.data)
        module = parsed(text)
        examined = _Examined(
            matcher.examine(module, active), text.split("\n"), lambda line: line, lambda _: ""
        )
    for note in (*examined.result.broken, *examined.result.cut):
        reading.leave_out(file.location, note)
    return examined


def _lessened(severity: Severity) -> Severity:
    return SEVERITIES[max(SEVERITIES.index(severity) - _LESS_IN_TESTS, 0)]


PROBE: Final = _UnsafeCode()
