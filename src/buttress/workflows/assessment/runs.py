"""Begins a run of an assessment, or finds the one that ``--resume`` goes on with."""

from __future__ import annotations

from dataclasses import dataclass

from buttress.errors import InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.chain import verify
from buttress.evidence.records import Provenance
from buttress.system.digest import digest
from buttress.system.model import System
from buttress.workflows.runs import begin_run, last_run

_LIBRARIES = ("aiohttp", "numpy", "scipy", "xllamacpp", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: all its records carry ``id``."""

    id: str
    seed: int
    started: float
    resumed: bool
    digests: dict[str, str]
    versions: dict[str, str]


def begin(
    store: RecordStore, system: System, *, seed: int | None, policy: str, resume: bool
) -> Run:
    """Record the provenance of a new run, or take up the last one.

    Raises:
        InputError: the run to resume assessed another system, or was made with another seed; or
            its evidence was changed since.
    """
    if resume:
        _check_whole(store)
    digests = {
        asset.id: ",".join(digest(path) for path in asset.paths)
        for asset in system.assets
        if asset.paths
    }
    earlier = None
    if resume:
        earlier = last_run(store, lambda last: _check_same(last, system, digests, seed, policy))
    record = earlier or begin_run(
        store,
        system=system.name,
        seed=seed or 0,
        policy=policy,
        digests=digests,
        details={"manifest": system.run_digest},
        libraries=_LIBRARIES,
    )
    return Run(
        record.run,
        record.seed,
        record.started,
        earlier is not None,
        digests,
        dict(record.versions),
    )


def _check_whole(store: RecordStore) -> None:
    checked = verify(store)
    if checked.problems:
        first, more = checked.problems[0], len(checked.problems) - 1
        others = f", and {more} more" if more else ""
        raise InputError(
            f"the evidence was changed: record {first.sequence}: {first.what}{others}",
            field="--resume",
            expected="evidence that `buttress evidence verify` finds whole",
        )


def _check_same(
    last: Provenance, system: System, digests: dict[str, str], seed: int | None, policy: str
) -> None:
    problem = None
    if last.details.get("manifest") != system.run_digest:
        problem = "the manifest has changed since the run that is to be resumed"
    elif last.digests != digests:
        changed = sorted(
            name
            for name in digests.keys() | last.digests.keys()
            if digests.get(name) != last.digests.get(name)
        )
        problem = f"asset '{changed[0]}' has changed since the run that is to be resumed"
    elif seed is not None and seed != last.seed:
        problem = f"the run that is to be resumed has seed {last.seed}"
    elif policy != last.policy:
        problem = f"the run that is to be resumed has policy {last.policy}"
    if problem:
        raise InputError(problem, field="--resume", expected="no --resume, or another --out")
