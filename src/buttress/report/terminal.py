"""The summary of an assessment in a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from buttress.files.visible import one_line
from buttress.report import run_words, words
from buttress.report.deciding import Advice, advice
from buttress.report.numbers import count, duration, money, percent, plural, span

Document = Mapping[str, Any]
STYLES: Final = {
    "unacceptable": "bold red",
    "undecided": "bold yellow",
    "acceptable": "cyan",
    words.UNMEASURED: "dim",
}
MARKS: Final = {"unacceptable": "✕", "undecided": "◆", "acceptable": "✓", words.UNMEASURED: "○"}
_PERIODS: Final = {"year": "yr"}
_WIDE: Final = 104
_FINDINGS: Final = 5
_LEFT_OUT: Final = 4
_FILES: Final = ("report.html", "assessment.json", "findings.sarif", "evidence.db")


def summary(document: Document, console: Console, out: Path) -> None:
    """Print verdict, risks, gravest findings, gaps, what it took, and the files in ``out``."""
    parts: list[RenderableType] = [_verdict(document), Text()]
    if document["risks"]:
        parts += [_risks(document, console.width), Text()]
    if document["findings"]:
        parts += [_findings(document), Text()]
    parts += [_notes(document)]
    console.print(Padding(Group(*parts), (1, 0, 0, 0)))
    for label, text in (*_written(out), *_last_step(document, out)):
        # In one piece however narrow the terminal is, so that it can be copied.
        console.print(Text(f"{label:<13}{text}"), soft_wrap=True)


def verdict_text(verdict: str) -> Text:
    """A verdict with its mark and colour."""
    return Text(f"{MARKS[verdict]} {verdict}", STYLES[verdict], no_wrap=True)


def _verdict(document: Document) -> Text:
    overall = words.overall(document)
    text = Text(one_line(document["system"]["name"]), "bold")
    text.append(f"  policy: {one_line(document['policy']['title'])}\n", "dim not bold")
    text.append(f"{MARKS[overall.verdict]} {overall.headline}. ", STYLES[overall.verdict])
    text.append(overall.sentence, "not bold")
    return text


def _risks(document: Document, width: int) -> Table:
    unit, period = one_line(document["loss"]["unit"]), one_line(document["loss"]["period"])
    gap = 2 if width >= _WIDE else 1
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Risk", overflow="fold")
    about = {words.estimand(risk) for risk in document["risks"]} - {""}
    table.add_column("\n".join(["Failure rate", *sorted(about)]), no_wrap=True)
    for name in ("Limit", "Trials", f"Loss/{_PERIODS.get(period, period)}"):
        table.add_column(name, justify="right", no_wrap=True)
    for risk in document["risks"]:
        label = Text(one_line(risk["id"]))
        if width >= _WIDE:
            label.append(f"  {one_line(risk['title'])}", "dim")
        inspected = risk["kind"] == "inspection"
        table.add_row(
            verdict_text(risk["verdict"]),
            label,
            _found(risk) if inspected else _rate(risk),
            _limit(risk),
            "–" if inspected else count(words.trials_of(risk)),
            money(risk["loss"]["mean"], unit),
        )
    return table


def _rate(risk: Document) -> Text:
    rate: Mapping[str, float] = risk["rate"]
    estimate = "–" if words.nothing_known(risk) else percent(rate["estimate"])
    text = Text(f"{estimate:>5} ")
    return text.append(f"[{span(rate['low'], rate['high'])}]", "dim")


def _found(risk: Document) -> Text:
    return Text(plural(risk["findings"], "finding") if risk["findings"] else "no finding")


def _limit(risk: Document) -> str:
    if risk["limit"] is not None:
        return percent(risk["limit"])
    return f"<{risk['severity_tolerated']}" if risk["severity_tolerated"] else "–"


def _findings(document: Document) -> RenderableType:
    findings = document["findings"]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings[:_FINDINGS]:
        grave = finding["severity"] in ("critical", "high")
        what = Text(one_line(finding["message"]))
        what.append(f"  {one_line(finding['asset'])} › {one_line(finding['location'])}", "dim")
        table.add_row(Text(finding["severity"], "red" if grave else "yellow"), what)
    title = Text("Gravest findings", "bold")
    if len(findings) > _FINDINGS:
        title.append(f"  {_FINDINGS} of {count(len(findings))}", "dim not bold")
    return Group(title, table)


def _notes(document: Document) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    coverage = document["coverage"]
    gaps = [f"{entry['what']}: {entry['why']}" for entry in coverage["not_covered"]]
    if len(gaps) > _LEFT_OUT:
        gaps = [*gaps[: _LEFT_OUT - 1], f"{len(gaps) - _LEFT_OUT + 1} more, see the report"]
    rest = len(coverage["unassessed_risks"])
    if rest:
        gaps.append(f"{plural(rest, 'risk')} of the catalogue: nothing was measured")
    if gaps:
        table.add_row("Not covered", _lines(gaps))
    risks: Sequence[Document] = document["risks"]
    unmeasured: dict[str, list[str]] = {}
    for risk in risks:
        if says := words.uncorrected(risk):
            unmeasured.setdefault(says, []).append(risk["id"])
    if unmeasured:
        lines = [f"{', '.join(names)}: {says}" for says, names in unmeasured.items()]
        table.add_row("Unmeasured", _lines(lines))
    if todo := advice((risk["id"], risk["would_decide"]) for risk in risks):
        table.add_row("To decide", _lines([_for_risks(each) for each in todo]))
    alike = [
        f"{risk['id']}: {words.design(risk)}"
        for risk in risks
        if risk.get("design") and risk["design"]["effect"] > 1.0
    ]
    if alike:
        table.add_row("Design effect", _lines(alike))
    for label, named in run_words.how_answers_ended(document):
        told = ", ".join(f"{name} {number}" for name, number in named)
        table.add_row("Answers", Text(one_line(f"{label}: {told}")))
    totals, budget = document["totals"], document["run"]["budget"]
    others = [
        f"{count(totals[kind])} to {whom}"
        for kind, whom in (("attacker_calls", "the attacker"), ("judge_calls", "the judge"))
        if totals.get(kind)
    ]
    asked, most = count(totals["calls"]), budget["calls"]
    if others:
        asked = ", ".join([f"{asked} questions", *others])
        asked += "" if most is None else f", of {count(most)} in all"
    else:
        asked += " questions" if most is None else f" of {count(most)} questions"
    table.add_row(
        "Stopped",
        Text(one_line(
            f"{document['run']['stop_reason'] or 'at the end'}; {asked}, "
            f"{plural(totals['trials'], 'trial')}, {duration(totals['seconds'])}"
        )),
    )  # fmt: skip
    return table


def _written(out: Path) -> Iterator[tuple[str, str]]:
    report, others = out / _FILES[0], [name for name in _FILES[1:] if (out / name).exists()]
    if report.exists():
        yield "Report", str(report)
    if others:
        yield "Beside it" if report.exists() else "Written", ", ".join(others)


def _last_step(document: Document, out: Path) -> Iterator[tuple[str, str]]:
    """What people can do for the worst risk that labels would bring nearer to a verdict."""
    risk = next((one for one in document["risks"] if one.get("forecast")), None)
    if risk is None:
        return
    known = risk["forecast"]
    yield "Last step", one_line(f"{risk['id']}: {words.forecast(known)}:")
    command = [
        *("buttress", "judge", "label", str(out), "--probe", risk["probe"]),
        *("--asset", known["asset"], "--budget", str(known["labels"])),
    ]
    yield "", one_line(shlex.join(command))
    yield "", "then the same assess command with --resume"


def _for_risks(said: Advice) -> str:
    return f"{', '.join(said.risks)}: {'else ' if said.otherwise else ''}{said.what}"


def _lines(texts: Sequence[str]) -> Text:
    return Text("\n".join(one_line(text) for text in texts))
