"""Files examined by all cores, reported in the order in which they were given.

Workers are processes of their own, started with ``python -P`` so that nothing in the folder under
examination can be imported, and spoken to in JSON. They start only once the work has gone on for a
second: most folders are done before that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from buttress.files.tree import Tree
from buttress.probes.artifacts.one_file import AnyPath, FileReport, examine_file
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists
from buttress.processes import usable_processors

_ALONE: Final = 1.0  # seconds of work before workers start
_MAX_WORKERS: Final = 32  # each may take 200 MB


def reports(
    paths: Iterator[AnyPath],
    *,
    tree: Tree | None = None,
    names: NameLists = OWN_LISTS,
    workers: int | None = None,
    alone: float = _ALONE,
) -> Iterator[tuple[AnyPath, FileReport]]:
    """Each path with its report, in order.

    Args:
        paths: of files.
        tree: what may have read them before, and learns of what is read here.
        names: what is known of names that files make their loader import.
        workers: processes, by default one for each core.
        alone: seconds of work before they start.
    """
    count = min(workers or usable_processors(), _MAX_WORKERS)
    started = time.perf_counter()
    for path in paths:
        yield path, examine_file(path, tree, names)
        if count > 1 and time.perf_counter() - started >= alone:
            break
    else:
        return
    # Here, as it imports much that the examination of a few files has no use for.
    from buttress.probes.artifacts.worker_pool import shared

    for path, report in shared(paths, count, names):
        if tree is not None and report.binary:
            tree.note_binary(path)
        yield path, report
