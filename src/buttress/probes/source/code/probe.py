"""The probe ``unsafe-code``: rules about Python code of people who work with models."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding, Inspection, Severity
from buttress.evidence.locations import Location
from buttress.files import source_files as files
from buttress.files.python_modules import beyond_limits, readable
from buttress.files.source_files import SourceReading
from buttress.files.tree import Tree
from buttress.files.visible import printable
from buttress.files.wanted import wanted_files
from buttress.packs.knowledge import Knowledge
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.hits import Hit, distinct
from buttress.probes.source.code.linking import AnalysisResult, ProjectAnalysis
from buttress.probes.source.code.matcher import RuleMatcher
from buttress.probes.source.code.rulebook import CODE, CodeRule
from buttress.probes.source.code.shown import ShownFile
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.allow import allowance_of_statement
from buttress.rules.inspecting import inspection_of

NOT_SEARCHED: Final = "code-not-searched"  # its rule, for files over the limits
MAX_FINDINGS: Final = 200  # in one file
_LESS_IN_TESTS: Final = 2  # steps of severity
# Labels of sources that functions give back among other things.
_IN_PARTS: Final = ("secret", "random")
_SHOWS: Final = {
    "demo", "demos", "benchmark", "benchmarks", "playground", "playgrounds", "hack", "perf",
    "experiment", "experiments", "experimental", "leaderboard", "leaderboards",
}  # fmt: skip
_KEPT: Final = {"archive", "archived", "attic", "deprecated", "legacy", "obsolete"}
_COPIES: Final = {"vendor", "vendored", "_vendor", "third_party", "thirdparty", "3rdparty"}
_LONG_WAY: Final = 3  # steps between functions from which on a finding is medium at most
_LONG_WAY_OF_HIGH: Final = 2  # of rules that are less than critical
_FORM: Final = re.compile(r"(?:gradio|streamlit)\.")
_OF_A_FORM: Final = "it comes from a form; whether others than its user reach it is not seen"
_BY_NAME: Final = "what is called the answer of a model"  # where the way from it is not followed
_PYTHON: Final = (".py", ".pyw", ".pyi")
_SHEBANG: Final = re.compile(rb"#![^\n]*(?:python|\buv\s+run\b|\bpipx\s+run\b|pypy)")


def _rules(knowledge: Knowledge) -> tuple[CodeRule, ...]:
    """Ours, and those of packs."""
    return tuple(CODE.with_packs(knowledge.of_kind(CODE.name)).values())


def _matcher(knowledge: Knowledge) -> RuleMatcher:
    return RuleMatcher(knowledge.derive(_rules))


@dataclass(frozen=True, slots=True)
class _UnsafeCode:
    id: str = "unsafe-code"
    version: str = "2"
    title: str = "Unsafe code around models"
    kinds: tuple[str, ...] = ("source", "service", "client", "model", "data")

    def rule_ids(self, knowledge: Knowledge) -> list[str]:
        """Ids of its rules, those of packs too."""
        return [NOT_SEARCHED, *(rule.id for rule in knowledge.derive(_rules))]

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all Python files and notebooks; as ``InspectionProbe``."""
        began = time.monotonic()
        asset, tree = context.asset, context.tree
        reading = SourceReading()
        suppressed: Counter[str] = Counter()
        prepare = context.knowledge.when_needed(_matcher)
        wanted = wanted_files(tree, reading, partial(_limit, tree))
        first = next(wanted, None)
        if first is None:  # to load the rules takes long
            yield from (self._not_searched(asset, *one) for one in reading.beyond)
            yield inspection_of((self.id, self.version), asset, reading, began)
            return
        matcher = prepare()
        linking = ProjectAnalysis(matcher, tree)
        order = []
        for one, file in chain([first], wanted):
            over = "" if one.suffix.lower() == ".ipynb" else beyond_limits(file.data)
            if not over:
                linking.add(one, file)
                order.append(file.location)
            elif matcher.survey(readable(file.data)).alone:  # else no rule can match
                reading.not_searched(file.location, over)
        for one, location in _neighbours(tree):
            linking.add_neighbour(one, location)
        linked = linking.follow()
        for note in linked.cut:
            reading.record_unread(".", note)
        hits = _reported(linked, linking)
        for location in order:
            for note in linked.notes.get(location, ()):
                reading.record_unread(location, note)
            for why in linked.broken.get(location, ()):
                if location.lower().endswith(".ipynb"):
                    reading.record_unread(location, why)
                else:  # one line of newer syntax must not hide what else stands there
                    reading.not_searched(location, why)
            if location in hits:
                shown = ShownFile(linking, location, context.knowledge.derive(secret_rules))
                yield from self._file(asset, shown, hits[location], reading, suppressed)
        yield from (self._not_searched(asset, *one) for one in reading.beyond)
        counts = (
            f"{number} findings of {rule} ignored by comments"
            for rule, number in suppressed.items()
        )
        yield inspection_of((self.id, self.version), asset, reading, began, counts)

    def _file(
        self,
        asset: str,
        shown: ShownFile,
        hits: list[Hit],
        reading: SourceReading,
        suppressed: Counter[str],
    ) -> Iterator[Finding]:
        number = 0
        for hit in distinct(hits):
            if shown.is_test(hit) and not hit.rule.tests:
                continue
            allowed = allowance_of_statement(
                shown.lines, hit.line, hit.end_line, (hit.rule.id, self.id)
            )
            if allowed is not None and allowed.valid:
                suppressed[hit.rule.id] += 1
                note = f"{hit.rule.id} ignored by a comment: {printable(allowed.reason)}"
                reading.record_skip(f"{shown.location}:{shown.line(hit.line)}", note)
                continue
            if number == MAX_FINDINGS:
                why = f"more than {MAX_FINDINGS} findings; the rest"
                reading.record_unread(shown.location, why)
                return
            number += 1
            yield self._finding(asset, hit, shown, unexplained=allowed is not None)

    def _not_searched(self, asset: str, location: str, why: str) -> Finding:
        where = Location(location, line=1)
        return Finding(
            rule=NOT_SEARCHED,
            severity="medium",
            asset=asset,
            location=str(where),
            place=where,
            message=f"The file is not followed: {why}, and words occur in it that rules look for.",
            remedy="Read it yourself, or move its data to a file of its own; such a size may be "
            "meant to hide something.",
            references=("CWE-1284",),
            probe=self.id,
            probe_version=self.version,
        )

    def _finding(self, asset: str, hit: Hit, shown: ShownFile, *, unexplained: bool) -> Finding:
        source = flows().title(hit.taint.label) if hit.taint else _BY_NAME
        message = hit.rule.message.replace("{it}", printable(hit.it)).replace("{source}", source)
        lessened = _lessened(hit, shown)
        notes = [
            *lessened,
            shown.note(hit.line),
            "its ignore comment gives no reason" if unexplained else "",
        ]
        added = ", ".join(filter(None, notes))
        where = Location(shown.location, line=shown.line(hit.line), uri=shown.uri)
        message = f"{message.rstrip('.')} ({added})." if added else message
        return Finding(
            rule=hit.rule.id,
            severity=_severity(hit, in_tests=shown.is_test(hit), lessened=bool(lessened)),
            asset=asset,
            location=str(where),
            place=where,
            message=f"{message}{shown.way(hit)}",
            remedy=hit.rule.remedy,
            references=hit.rule.references,
            proof=printable(shown.proof(hit)),
            probe=self.id,
            probe_version=self.version,
        )


def _reported(linked: AnalysisResult, linking: ProjectAnalysis) -> dict[str, list[Hit]]:
    """Hits by the file in which they are told.

    That is where the harm is done. Where that file is not inspected, because it has not changed, it
    is the last call on the way that is.
    """
    found: dict[str, list[Hit]] = {}
    for location, hits in linked.hits.items():
        if linking.wanted(location):
            found.setdefault(location, []).extend(hits)
            continue
        for hit in hits:
            for step in reversed(hit.taint.steps if hit.taint else ()):
                if linking.wanted(step.file):
                    moved = replace(hit, line=step.line, end_line=step.line, moved=True)
                    found.setdefault(step.file, []).append(moved)
                    break
    return found


def _neighbours(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Python files that are not selected, but may be imported by some that are."""
    if tree.selection.only is None or not tree.is_folder:
        return
    for file in tree.unrestricted().files:
        if file.path.lower().endswith(_PYTHON):
            yield Path(file.path), file.location


def _limit(tree: Tree, path: Path) -> int:
    """Bytes up to which a file is read: 0 for what is not Python by its name or first line."""
    name = path.name.lower()
    if name.endswith((".ipynb", *_PYTHON)):
        return files.MAX_BYTES
    if "." in name:
        return 0
    content = tree.content(path)
    return files.MAX_BYTES if not content.binary and _SHEBANG.match(content.data[:100]) else 0


def _lessened(hit: Hit, shown: ShownFile) -> list[str]:
    """Why it is medium at most, in words.

    Something tests the value or a call on its way is not followed; whoever runs the program asks
    for it by a setting, or only an administrator gives it; what would make it matter is nowhere in
    the project; a secret went through functions, so that it may be another part of what they give;
    the way is long and some steps of it are a guess; only an example uses it so.
    """
    found = [hit.switch]
    if hit.taint is not None:
        parts = hit.taint.label in _IN_PARTS and hit.taint.steps
        found += [hit.taint.check, "which part of it is meant is not followed" if parts else ""]
        by_model = hit.taint.label in ("llm", "tool") and not shown.is_opened_to_others(hit)
        found.append(hit.rule.by_model if by_model else "")
        form = hit.rule.severity == "high" and _FORM.match(hit.taint.path)
        if form and not shown.is_opened_to_others(hit):
            found.append(_OF_A_FORM)
        long = _LONG_WAY if hit.rule.severity == "critical" else _LONG_WAY_OF_HIGH
        steps = hit.taint.steps
        if len(steps) >= long and any(one.guessed for one in steps):
            found.append(f"through {len(steps)} calls, of which some are a guess")
    if hit.rule.severity == "critical" and shown.by_example(hit):
        found.append("an example uses it so")
    *folders, name = shown.location.lower().split("/")
    if name.endswith(".ipynb"):
        found.append("it is in a notebook, which its user runs by hand")
    if hit.rule.severity == "high":
        folders.append(name.partition(".")[0])
    if any(_SHOWS.intersection(re.split("[-_]", one)) for one in folders):
        found.append("it lies among demonstrations, experiments and measurements")
    if _KEPT.intersection(folders):
        found.append("it lies among what is only kept")
    if _COPIES.intersection(folders):
        found.append("it is a copy of somebody else's package")
    if hit.rule.seen and not shown.program_has(hit.rule.seen):
        found.append(hit.rule.unseen)
    return [one for one in found if one]


def _severity(hit: Hit, *, in_tests: bool, lessened: bool) -> Severity:
    """That of the rule; less in tests, and medium at most where the flow is only supposed.

    See ``_lessened``.
    """
    place = SEVERITIES.index(hit.rule.severity)
    if lessened:
        place = min(place, SEVERITIES.index("medium"))
    return SEVERITIES[max(place - (_LESS_IN_TESTS if in_tests else 0), 0)]


PROBE: Final = _UnsafeCode()
