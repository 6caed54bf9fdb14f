"""Cleaning training data: one run of the pipeline, its document, its card."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from buttress import __version__
from buttress.data import output
from buttress.data.inputs import Inputs, find
from buttress.data.output import Counts
from buttress.data.pipeline import WORK, Corpus, has_read, identity, process
from buttress.data.plan import PipelinePlan
from buttress.data.runners import RunnerName, open_runner
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.files.run_folder import begin_run, holds_this_run
from buttress.files.visible import printable_name
from buttress.report.data_card import data_card
from buttress.report.data_page import render

DOCUMENT: Final = "data.json"
RUN: Final = "data-run.json"
CARD: Final = "data-card.md"
PAGE: Final = "report.html"
CHINESE_PAGE: Final = "report.zh.html"
HARM_LIMIT: Final = 0.05  # GB/T 45654-2025: above it a source is not to be used
_HARM: Final = "harm"


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What to clean, by which plan, and where the outputs go."""

    inputs: tuple[Path, ...]
    plan: PipelinePlan
    out: Path
    workers: int = 1
    runner: RunnerName = "local"
    resume: bool = False
    seed: int = 0
    dry_run: bool = False


def clean(request: DataRequest, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Run the pipeline and write its outputs; the document of the run.

    Raises:
        InputError: a mistake in the request, or the folder holds another run.
    """
    out = request.out
    for folder in request.inputs:
        if (
            folder.is_dir()
            and not request.dry_run
            and out.resolve().is_relative_to(folder.resolve())
        ):
            raise InputError(
                f"lies in the input {folder}", file=str(out), field="--out",
                expected="a folder elsewhere: what is written would be read by the next run",
            )  # fmt: skip
    found = find(request.inputs)
    files = found.files
    if request.dry_run:
        with (
            tempfile.TemporaryDirectory(prefix="buttress-data-") as name,
            open_runner(request.runner, request.workers) as runner,
        ):
            corpus = process(files, request.plan, Path(name), runner=runner, progress=progress)
            return _document(request, found, corpus, output.write(corpus, request.plan, None))
    given = identity(files, request.plan)
    if holds_this_run(out, RUN, given, resume=request.resume):
        if (out / DOCUMENT).exists() and not (out / WORK).exists():
            progress("the run is complete already")
            return load(out)
    else:
        if (out / DOCUMENT).exists():
            raise InputError("holds a run", file=str(out), field="--out", expected="a new folder")
        shutil.rmtree(out / WORK, ignore_errors=True)
        begin_run(out, RUN, given)
    try:
        with open_runner(request.runner, request.workers) as runner:
            corpus = process(files, request.plan, out, runner=runner, progress=progress)
    except InputError:
        if not has_read(out):  # a mistake that was told at once leaves no run behind
            (out / RUN).unlink()
        raise
    progress("writing")
    counts = output.write(corpus, request.plan, out)
    if request.plan.source_field and counts.sources.keys() <= {
        printable_name(str(file)) for file in files
    }:
        progress(f"no record has a source in '{request.plan.source_field}': files are the sources")
    document = _document(request, found, corpus, counts)
    write_outputs(out, document)
    done = out / f"{WORK}-done"  # a folder that is deleted in part is no unfinished run
    shutil.rmtree(done, ignore_errors=True)
    (out / WORK).replace(done)
    shutil.rmtree(done)
    return document


def write_outputs(out: Path, document: Mapping[str, Any]) -> None:
    """Write the card, the page and, last, the document."""
    write_whole(out / CARD, data_card(document).encode(), "--out")
    write_whole(out / PAGE, render(document).encode(), "--out")
    write_whole(out / CHINESE_PAGE, render(document, "zh").encode(), "--out")
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    write_whole(out / DOCUMENT, data, "--out")


def load(folder: Path) -> dict[str, Any]:
    """The document of a run.

    Raises:
        InputError: there is none, or it is not valid.
    """
    from buttress.documents.schemas import as_object

    path = folder / DOCUMENT
    expected = "the folder of a finished `buttress data run`"
    if not path.is_file():
        raise InputError(f"no {DOCUMENT} in it", file=str(folder), expected=expected)
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(str(error), file=str(path), expected=expected) from None
    if not isinstance(document, dict):
        raise InputError("no JSON object", file=str(path), expected=expected)
    as_object("data", document)
    return document


def _document(
    request: DataRequest, found: Inputs, corpus: Corpus, counts: Counts
) -> dict[str, Any]:
    stages = []
    for number, spec in enumerate(request.plan.stages):
        stages.append(
            spec.to_json()
            | {
                "seen": counts.seen[number],
                "removed": counts.removals[number],
                "changed": counts.changes[number],
                "rules": dict(sorted(counts.rules.get(number, {}).items())),
                "types": dict(sorted(counts.kinds.get(number, {}).items())),
                "notes": [note for stage, note in corpus.notes if stage == number],
                "examples": counts.examples.get(number, []),
            }
        )
    return {
        "schema": "buttress-data/1",
        "version": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "dry_run": request.dry_run,
        "inputs": [printable_name(str(path)) for path in request.inputs],
        "field": request.plan.field,
        "source_field": request.plan.source_field,
        "seed": request.seed,
        "records": {
            "in": corpus.records + corpus.unreadable,
            "kept": counts.kept,
            "removed": counts.removed,
            "changed": counts.changed,
            "unreadable": corpus.unreadable,
        },
        "unread_fields": corpus.unread_fields,
        "unread_files": dict(sorted(Counter(map(_suffix, found.passed_over)).items())),
        "digest": counts.digest,
        "stages": stages,
        "sources": _sources(request.plan, counts),
        "alarms": _alarms(request.plan, counts),
        "restored": 0,
    }


def _suffix(file: Path) -> str:
    if file.is_dir():
        return "links to folders"
    return printable_name(file.suffix.lower() or file.name)


def _sources(plan: PipelinePlan, counts: Counts) -> list[dict[str, Any]]:
    harm = [number for number, spec in enumerate(plan.stages) if spec.name == _HARM]
    rows = []
    for name, source in sorted(counts.sources.items()):
        removed: dict[str, int] = {}
        for number, count in sorted(source.removals.items()):
            stage = plan.stages[number].name
            removed[stage] = removed.get(stage, 0) + count
        seen = sum(source.seen[number] for number in harm[:1])
        share = sum(source.removals[number] for number in harm) / seen if seen else None
        rows.append(
            {
                "source": name,
                "records": source.read,
                "kept": source.kept,
                "removed": removed,
                "harmful": share,
            }
        )
    return rows


def _alarms(plan: PipelinePlan, counts: Counts) -> list[dict[str, Any]]:
    alarms = []
    for name, source in sorted(counts.sources.items()):
        for number, spec in enumerate(plan.stages):
            if not source.seen[number]:
                continue
            share = source.removals[number] / source.seen[number]
            limits = {"max-removed-share": spec.limit}
            if spec.name == _HARM:
                limits["source-refused"] = HARM_LIMIT
            alarms += [
                {"rule": rule, "stage": spec.name, "source": name, "share": share, "limit": limit}
                for rule, limit in limits.items()
                if share > limit
            ]
    return alarms


def exit_code(document: Mapping[str, Any]) -> int:
    """0, or 1 where a rule was broken."""
    return 1 if document["alarms"] else 0


def stage_rows() -> Sequence[dict[str, Any]]:
    """Each stage with what it does and the JSON Schema of its options."""
    from buttress.data.plan import option_schema
    from buttress.extension import entry_points

    rows = []
    for name in entry_points.names("data_stages"):
        factory = entry_points.load("data_stages", name)
        lines = (factory.__doc__ or "").strip().splitlines()
        rows.append(
            {"name": name, "about": lines[0] if lines else "", "options": option_schema(name)}
        )
    return rows
