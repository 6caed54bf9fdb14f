"""Runs of all workflows: one begins, or the last one is taken up where it was cut off."""

from __future__ import annotations

import platform
import secrets
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from buttress import __version__
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Provenance


def begin_run(
    store: RecordStore,
    *,
    system: str,
    seed: int,
    policy: str,
    digests: Mapping[str, str],
    details: Mapping[str, Any],
    libraries: Sequence[str],
) -> Provenance:
    """Record the provenance of a new run; its records carry the ``run`` that is returned with it.

    Args:
        store: where the evidence goes.
        system: name of what is examined.
        seed: of all random choices.
        policy: id of the policy, or name of the workflow where there is none.
        digests: asset id -> digest of what it is.
        details: what else decides the results; a resumed run must agree with it.
        libraries: packages whose versions matter.
    """
    record = Provenance(
        run=secrets.token_hex(6),
        system=system,
        started=time.time(),
        seed=seed,
        policy=policy,
        digests=dict(digests),
        versions=_versions(libraries),
        details={**details, "command": " ".join(sys.argv[1:])},
    )
    store.append([record])
    return record


def last_run(store: RecordStore, check: Callable[[Provenance], None]) -> Provenance | None:
    """The newest run in the store, once ``check`` lets it pass; None where there is none.

    Raises:
        InputError: from ``check``: the run can't be resumed as it was asked for.
    """
    earlier = deque(store.provenance(), maxlen=1)
    if not earlier:
        return None
    check(earlier[0])
    return earlier[0]


def _versions(libraries: Sequence[str]) -> dict[str, str]:
    found = {"buttress": __version__, "python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
