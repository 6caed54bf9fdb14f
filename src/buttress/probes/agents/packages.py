"""Packages of skills and MCP servers: ZIP archives with texts and settings that a model gets."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.files.visible import shortened
from buttress.files.zip_errors import BAD_ZIP

ENDINGS: Final = (".skill", ".mcpb", ".dxt")
_MAX_MEMBERS: Final = 20_000
_MAX_TEXT: Final = 32 << 20  # bytes that all texts of one package may have
_SKILL_DEPTH: Final = 3  # folders above a text in which its SKILL.md may lie


def package_files(
    tree: Tree, reading: SourceReading, limit: Callable[[Path], int]
) -> Iterator[tuple[Path, SourceFile]]:
    """Texts in the packages of a tree, each with the path that says what it is.

    A text in the folder of a skill has the path of that skill's ``SKILL.md``, for it is read as
    that is. What can't be read, or is larger than ``limit`` of its path, is noted as not searched.
    """
    for file in tree.files:
        path = Path(file.path)
        if not path.name.lower().endswith(ENDINGS):
            continue
        try:
            if not _begins_as_zip(path):  # other programs use these endings, too
                continue
            with zipfile.ZipFile(path) as archive:
                reading.files += 1
                outer = SourceFile(file.location, b"")
                yield from _members(archive, outer, reading, limit)
        except BAD_ZIP as error:
            reading.not_searched(file.location, f"the package is not read: {shortened(str(error))}")


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _members(
    archive: zipfile.ZipFile,
    outer: SourceFile,
    reading: SourceReading,
    limit: Callable[[Path], int],
) -> Iterator[tuple[Path, SourceFile]]:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    if len(entries) > _MAX_MEMBERS:
        why = f"the package has more than {_MAX_MEMBERS:,} files; the rest"
        reading.not_searched(outer.location, why)
    skills = {
        PurePosixPath(one.filename).parent: PurePosixPath(one.filename)
        for one in entries
        if PurePosixPath(one.filename).name.lower() == "skill.md"
    }
    left = _MAX_TEXT
    for entry in entries[:_MAX_MEMBERS]:
        path = _as_read(PurePosixPath(entry.filename), skills)
        most = limit(path)
        if not most:
            continue
        shown = f"{outer.location}!{shortened(entry.filename)}"
        try:
            with archive.open(entry) as text:
                data = text.read(min(most, left) + 1)
        except BAD_ZIP as error:
            reading.not_searched(shown, f"a file in it is not read: {shortened(str(error))}")
            continue
        if len(data) > min(most, left):
            reading.not_searched(shown, f"larger than {min(most, left) >> 10:,} KiB")
            continue
        left -= len(data)
        reading.files += 1
        reading.bytes += len(data)
        yield path, SourceFile(outer.location, data, member=f"!{shortened(entry.filename)}")


def _as_read(name: PurePosixPath, skills: dict[PurePosixPath, PurePosixPath]) -> Path:
    if name.suffix.lower() in (".md", ".mdx"):
        for folder in list(name.parents)[:_SKILL_DEPTH]:
            if folder in skills:
                return Path("/", skills[folder])
    return Path("/", name)
