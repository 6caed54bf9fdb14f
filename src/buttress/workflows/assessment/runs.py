"""Begins a run of an assessment, or finds the one that ``--resume`` goes on with."""

from __future__ import annotations

import platform
import secrets
import sys
import time
from collections import deque
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from buttress import __version__
from buttress.errors import InputError
from buttress.evidence.records import Provenance
from buttress.evidence.store import EvidenceStore
from buttress.system.digest import digest
from buttress.system.model import System

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
    store: EvidenceStore, system: System, *, seed: int | None, policy: str, resume: bool
) -> Run:
    """Record the provenance of a new run, or take up the last one.

    Raises:
        InputError: the run to resume assessed another system, or was made with another seed.
    """
    digests = {
        asset.id: ",".join(digest(path) for path in asset.paths)
        for asset in system.assets
        if asset.paths
    }
    earlier = deque(store.provenance() if resume else (), maxlen=1)
    if earlier:
        last = earlier[0]
        _check_same(last, system, digests, seed, policy)
        return Run(last.run, last.seed, last.started, True, digests, dict(last.versions))
    run = Run(
        id=secrets.token_hex(6),
        seed=seed or 0,
        started=time.time(),
        resumed=False,
        digests=digests,
        versions=_versions(),
    )
    store.append(
        [
            Provenance(
                run=run.id,
                system=system.name,
                started=run.started,
                seed=run.seed,
                policy=policy,
                digests=digests,
                versions=run.versions,
                details={"manifest": system.digest, "command": " ".join(sys.argv[1:])},
            )
        ]
    )
    return run


def _check_same(
    last: Provenance, system: System, digests: dict[str, str], seed: int | None, policy: str
) -> None:
    problem = None
    if last.details.get("manifest") != system.digest:
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


def _versions() -> dict[str, str]:
    found = {"buttress": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
