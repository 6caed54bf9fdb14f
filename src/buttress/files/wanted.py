"""The files of an asset that a probe wants, chosen by name before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from buttress.files.folder import files
from buttress.files.source_files import MAX_FILES, Reading, SourceFile, text_files
from buttress.files.visible import printable


def wanted_files(
    root: Path,
    reading: Reading,
    wanted: Callable[[Path], int],
    told: Callable[[Path], bool] = lambda _: True,
) -> Iterator[tuple[Path, SourceFile]]:
    """Text files below ``root``, or ``root`` itself, in order, each with its path.

    ``wanted`` gives the most bytes that a file of that path may have: 0 for what is not wanted.
    Larger ones are left out and noted, and those of which ``told`` is true count as findings.
    """
    skipped: list[str] = []
    for path in files(root, skipped):
        limit = wanted(path)
        if not limit:
            continue
        location = printable(path.relative_to(root).as_posix() if path != root else path.name)
        if reading.files >= MAX_FILES:
            reading.leave_out(location, f"more than {MAX_FILES:,} files; this and the rest")
            break
        try:
            size = path.stat().st_size
        except OSError as error:
            reading.leave_out(location, error.strerror or "not readable")
            continue
        if size > limit:
            tell = reading.not_searched if told(path) else reading.leave_out
            tell(location, f"larger than {limit >> 10:,} KiB")
            continue
        for file in text_files(path, reading):
            yield path, replace(file, location=location)
    for note in skipped:
        what, _, why = note.partition(": ")
        reading.leave_out(what, why or "not read")
