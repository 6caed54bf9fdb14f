"""What probes with rules for some kinds of files have in common: walk, judge, say what was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from buttress.evidence.findings import Finding, Inspection
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.files.wanted import wanted_files
from buttress.rules.credentials.scanner import SecretRules
from buttress.rules.reporting import Issue, Reporter
from buttress.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a probe judges files by.

    Attributes:
        rules: by id.
        issues: what is wrong in a file.
        secrets: what proofs must not show; our own rules where None.
    """

    rules: Mapping[str, Rule]
    issues: Callable[[Path, SourceFile, SourceReading], Iterable[Issue]]
    secrets: SecretRules | None = None


def inspect_files(
    probe: tuple[str, str],
    asset: str,
    tree: Tree,
    *,
    prepare: Callable[[], FileRules],
    limit: Callable[[Path], int],
    told: Callable[[Path], bool] = lambda _: True,
    inside: Callable[[Tree, SourceReading], Iterable[tuple[Path, SourceFile]]] = lambda *_: (),
) -> Iterator[Finding | Inspection]:
    """Findings in all wanted files, then what was read.

    Args:
        probe: its id and version.
        asset: id of the asset.
        tree: its files.
        prepare: loads the rules; called where there is a file of the kind, for it takes long.
        limit: most bytes of a file of that path, 0 for what is not wanted.
        told: whether it is a finding where a file of that path is larger than its limit.
        inside: files that lie in packages of the tree.
    """
    began = time.monotonic()
    reading = SourceReading()
    files = chain(wanted_files(tree, reading, limit, told), inside(tree, reading))
    first = next(files, None)
    if first is not None or reading.beyond:
        by = prepare()
        reporter = Reporter(*probe, asset, by.rules, by.secrets)
        for place, file in chain([first] if first else [], files):
            with reading.surviving(file.location):
                yield from reporter.findings(file, by.issues(place, file, reading), reading)
        yield from reporter.not_searched(reading)
    yield inspection_of(probe, asset, reading, began)


def inspection_of(
    probe: tuple[str, str],
    asset: str,
    reading: SourceReading,
    began: float,
    more_skipped: Iterable[str] = (),
) -> Inspection:
    """What was read and left out.

    Args:
        probe: its id and version.
        asset: id of the asset.
        reading: what the walk counted.
        began: when it began, by ``time.monotonic``, in seconds.
        more_skipped: what was left out beside that.
    """
    return Inspection(
        *probe,
        asset,
        reading.files,
        reading.bytes,
        (*reading.skipped, *more_skipped),
        time.monotonic() - began,
        unread=reading.unread,
    )
