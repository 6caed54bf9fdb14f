"""The use cases as functions with keyword arguments and typed results: the public face."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from buttress.documents.assessment import Assessment
from buttress.documents.comparison import ComparisonDocument
from buttress.documents.measurement import Measurement
from buttress.documents.scan_types import ScanDocument
from buttress.errors import InputError
from buttress.report.comparison import ALPHA
from buttress.system.model import System
from buttress.workflows import manifest
from buttress.workflows.assessment import assess as assessing
from buttress.workflows.assessment import measure as measuring
from buttress.workflows.diff import diff as compare
from buttress.workflows.scan import scan_paths


def load_manifest(path: Path | str = ".") -> System:
    """Read and check a manifest.

    Args:
        path: ``buttress.yaml``, or the folder that holds it.

    Raises:
        InputError: not there, or not usable; names file, line and field.
    """
    return manifest.load(Path(path))


def assess(
    system: System | Path | str,
    *,
    out: Path | str = "buttress-out",
    budget: int | None = None,
    policy: str | None = None,
    only: Sequence[str] | None = None,
    resume: bool = False,
    seed: int | None = None,
    progress: TextIO | None = None,
) -> Assessment:
    """Assess a system; the evidence and the reports are in the folder ``out`` afterwards.

    Args:
        system: what ``load_manifest`` returned, or the path of a manifest or of its folder.
        out: folder for evidence and reports.
        budget: questions to targets at most; None for the manifest's.
        policy: name or file of a policy; None for the manifest's.
        only: ids of probes to run; None for all.
        resume: go on with the last run in ``out``.
        seed: of the order of trials, 0 or more.
        progress: where progress is written; None for nowhere.

    Raises:
        InputError: something that was given is not usable; nothing that was gathered is lost.
        MissingExtraError: a target or judge needs a package that is not installed.
        ButtressError: a target doesn't answer at all.
    """
    if budget is not None and budget < 1:
        raise InputError(f"{budget} is too small", field="budget", expected="1 or more")
    if seed is not None and seed < 0:
        raise InputError(f"{seed} is negative", field="seed", expected="0 or more")
    options = assessing.Options(
        out=Path(out), budget=budget, policy=policy, only=only, resume=resume, seed=seed
    )
    document = assessing.assess(_system(system), options, progress or io.StringIO())
    return msgspec.convert(document, Assessment)


def measure(
    system: System | Path | str,
    probe: str,
    *,
    out: Path | str = "buttress-out",
    trials: int = 200,
    asset: str | None = None,
    conditions: Sequence[str] = (),
    limit: float = 0.1,
    seed: int | None = None,
    resume: bool = False,
    progress: TextIO | None = None,
) -> Measurement:
    """Measure one behaviour of one model, without a verdict.

    Args:
        system: as for ``assess``.
        probe: id of a probe that asks a model.
        out: folder for the evidence.
        trials: number of trials, 1 or more.
        asset: id of the model, where there are several.
        conditions: changed conditions under which the items are asked again.
        limit: failure rate, between 0 and 1, at which verdicts are compared between conditions.
        seed: of the order of trials, 0 or more.
        resume: go on with the last run in ``out``.
        progress: where progress is written; None for nowhere.

    Raises:
        InputError: something that was given is not usable.
        MissingExtraError: a target or judge needs a package that is not installed.
        ButtressError: the target doesn't answer at all.
    """
    request = measuring.MeasureRequest(
        probe=probe,
        out=Path(out),
        trials=trials,
        asset=asset,
        conditions=tuple(conditions),
        limit=limit,
        seed=seed,
        resume=resume,
    )
    document = measuring.measure(_system(system), request, progress or io.StringIO())
    return msgspec.convert(document, Measurement)


def scan(
    *paths: Path | str,
    only: Sequence[str] | None = None,
    also: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    jobs: int = 1,
) -> ScanDocument:
    """Inspect files and folders; all findings, with no baseline and no suppressions.

    Args:
        paths: files and folders, one or more.
        only: ids of probes to run; None for all that run without being asked for.
        also: ids of probes that run on request only.
        options: options of probes, by name.
        exclude: patterns of paths to leave out, as in .gitignore.
        gitignore: leave out what git ignores.
        jobs: processes, 1 or more.

    Raises:
        InputError: something that was given is not usable.
    """
    document = scan_paths(
        [Path(path) for path in paths],
        only=only,
        also=also,
        options=options or {},
        exclude=exclude,
        gitignore=gitignore,
        jobs=jobs,
    )
    return msgspec.convert(document, ScanDocument)


def diff(
    before: Path | str, after: Path | str, *, alpha: float = ALPHA, paired: bool = False
) -> ComparisonDocument:
    """Compare two assessments, with their uncertainty.

    Args:
        before: folder of the earlier one, or its ``assessment.json``.
        after: the same of the later one.
        alpha: probability at most of a false alarm by the tests on rates.
        paired: pair the items asked on both sides, from the evidence beside the documents.

    Raises:
        InputError: a document or its evidence is not there or not usable.
    """
    compared = compare(Path(before), Path(after), alpha=alpha, paired=paired)
    return msgspec.convert(compared.document(), ComparisonDocument)


def _system(given: System | Path | str) -> System:
    return given if isinstance(given, System) else load_manifest(given)
