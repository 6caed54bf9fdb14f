"""The use cases as functions with keyword arguments and typed results: the public face."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

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

_Typed = TypeVar("_Typed")
# Threads that build msgspec's description of the same types at once crash the process.
_CONVERTING: Final = threading.Lock()


def load_manifest(path: Path | str = ".") -> System:
    """Read and check a manifest.

    Args:
        path: ``buttress.yaml``, or the folder that holds it.

    Raises:
        InputError: not there, or not usable; names file, line and field.
    """
    return manifest.load(_path(path, "path"))


def assess(
    system: System | Path | str,
    *,
    out: Path | str = "buttress-out",
    budget: int | None = None,
    budget_tokens: int | None = None,
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
        budget_tokens: tokens read and written at most, by all models; None for the manifest's.
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
    _outside_a_loop("assess")
    _whole(budget, "budget", 1)
    _whole(budget_tokens, "budget_tokens", 1)
    _whole(seed, "seed", 0)
    _several(only, "only")
    options = assessing.Options(
        out=_path(out, "out"),
        budget=budget,
        budget_tokens=budget_tokens,
        policy=policy,
        only=only,
        resume=resume,
        seed=seed,
    )
    document = assessing.assess(_system(system), options, progress or io.StringIO())
    return _typed(document, Assessment)


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
    _outside_a_loop("measure")
    _whole(trials, "trials", 1)
    _whole(seed, "seed", 0)
    if not isinstance(limit, int | float) or not 0 < limit < 1:
        raise InputError(f"{limit!r} is not usable", field="limit", expected="between 0 and 1")
    request = measuring.MeasureRequest(
        probe=probe,
        out=_path(out, "out"),
        trials=trials,
        asset=asset,
        conditions=tuple(conditions),
        limit=limit,
        seed=seed,
        resume=resume,
    )
    document = measuring.measure(_system(system), request, progress or io.StringIO())
    return _typed(document, Measurement)


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
    _several(only, "only")
    _several(also, "also")
    _several(exclude, "exclude")
    _whole(jobs, "jobs", 1)
    document = scan_paths(
        [_path(path, "paths") for path in paths],
        only=only,
        also=also,
        options=options or {},
        exclude=exclude,
        gitignore=gitignore,
        jobs=jobs,
    )
    return _typed(document, ScanDocument)


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
    compared = compare(_path(before, "before"), _path(after, "after"), alpha=alpha, paired=paired)
    return _typed(compared.document(), ComparisonDocument)


def _system(given: System | Path | str) -> System:
    return given if isinstance(given, System) else load_manifest(given)


def _path(given: object, field: str) -> Path:
    if isinstance(given, str | Path):
        return Path(given)
    raise InputError(f"{given!r} is no path", field=field, expected="a str or a Path")


def _whole(given: object, field: str, least: int) -> None:
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise InputError(
            f"{given!r} is not usable", field=field, expected=f"a whole number, {least} or more"
        )


def _several(given: object, field: str) -> None:
    """A text is a sequence, too, of letters that nobody meant."""
    if isinstance(given, str):
        raise InputError(f"{given!r} is one text", field=field, expected="a list of texts")


def _outside_a_loop(function: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise InputError(
        f"{function}() runs an event loop of its own, and one is running here",
        expected=f"await asyncio.to_thread(buttress.{function}, …)",
    )


def _typed(document: Any, kind: type[_Typed]) -> _Typed:
    with _CONVERTING:
        return msgspec.convert(document, kind)
