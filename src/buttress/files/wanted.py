"""The files of an asset that a probe wants, chosen by name before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from buttress.files.source_files import MAX_FILES, SourceFile, SourceReading, text_file
from buttress.files.tree import Tree


def wanted_files(
    tree: Tree,
    reading: SourceReading,
    wanted: Callable[[Path], int],
    told: Callable[[Path], bool] = lambda _: True,
) -> Iterator[tuple[Path, SourceFile]]:
    """Text files of a tree, in its order, each with its path.

    ``wanted`` gives the most bytes that a file of that path may have: 0 for what is not wanted.
    Larger ones are left out and noted, and those of which ``told`` is true count as findings.
    """
    for file in tree.files:
        path = Path(file.path)
        limit = wanted(path)
        if not limit:
            continue
        if reading.files >= MAX_FILES:
            why = f"more than {MAX_FILES:,} files; this and the rest"
            reading.record_unread(file.location, why)
            break
        try:
            size = path.stat().st_size
        except OSError as error:
            reading.record_skip(file.location, error.strerror or "not readable")
            continue
        if size > limit:
            tell = reading.not_searched if told(path) else reading.record_unread
            tell(file.location, f"larger than {limit >> 10:,} KiB")
            continue
        if told(path) and tree.content(path).binary:
            reading.beyond.append((file.location, "it holds zero bytes and counts as binary"))
        for text in text_file(tree, path, file.location, reading):
            yield path, text
    for note in tree.notes():
        what, _, why = note.partition(": ")
        reading.record_skip(what, why or "not read")
