"""A scan without a manifest, as a function."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from buttress.documents.scan import document
from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES
from buttress.evidence.places import Placed
from buttress.files.paths import absolute
from buttress.files.tree import Tree
from buttress.inspection.one_path import KEPT
from buttress.inspection.scope import Wish, roots
from buttress.inspection.tasks import Task, chosen, inspect_all
from buttress.packs.installed import installed
from buttress.triage.sift import Sieve


def scan_paths(
    paths: Sequence[Path],
    *,
    only: Sequence[str] | None = None,
    also: Sequence[str] = (),
    options: Mapping[str, str],
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    jobs: int = 1,
) -> dict[str, Any]:
    """The document of a scan of ``paths``; see ``api.scan`` for the arguments.

    Raises:
        InputError: no path, or one that is not there; an unknown probe; a wrong option.
    """
    if not paths:
        raise InputError("no path", field="paths", expected="a file or folder")
    identifier, began = os.urandom(6).hex(), time.time()
    scope = roots(list(paths), Wish(None, tuple(exclude), gitignore, None))
    probes = chosen(only and [*only, *also], options, also)
    knowledge = installed()
    trees = [Tree(root.path, root.selection, keep=KEPT) for root in scope]
    tasks = [
        Task(probe, options, tree, knowledge, identifier) for tree in trees for probe in probes
    ]
    seen = inspect_all(tasks, jobs, _selected)
    seen.found.sort(
        key=lambda one: (
            -SEVERITIES.index(one.finding.severity),
            one.finding.asset,
            one.finding.location,
        )
    )
    filters = Sieve(roots=[absolute(path) for path in paths])
    sifted = filters.sift(seen.found, seen.outside, datetime.now(UTC).date())
    return document(identifier, began, [one.path for one in scope], sifted, seen.inspections)


def _selected(one: Placed, task: Task) -> bool:
    return task.tree.selection.reads(one.path)
