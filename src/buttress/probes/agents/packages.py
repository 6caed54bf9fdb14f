"""Packages of skills and MCP servers: ZIP archives with texts and settings that a model gets."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.files.visible import shortened
from buttress.files.zip_errors import BAD_ZIP
from buttress.probes.agents import bytecode

ENDINGS: Final = (".skill", ".mcpb", ".dxt")
# Documents of offices: what a skill has the model read out of them.
_DOCUMENTS: Final = (".docx", ".pptx", ".xlsx", ".docm", ".pptm", ".xlsm", ".odt", ".odp", ".ods")
_PDF: Final = ".pdf"
_NO_TEXT: Final = "the text of a PDF, which a skill may have the model read, is not searched"
_DOCUMENT_TEXT: Final = re.compile(
    r"^(?:word/(?:document|header\d*|footer\d*|comments|footnotes|endnotes)\.xml|"
    r"ppt/(?:slides|notesSlides)/[^/]+\.xml|xl/(?:sharedStrings\.xml|comments\d*\.xml)|content\.xml)$"
)
_PARAGRAPH: Final = re.compile(r"</(?:w:p|a:p|si|text:p|text:h|comment)>|<(?:w:br|a:br)\b[^<>]*>")
_TAG: Final = re.compile(r"<[^<>]*>")
_MAX_MEMBERS: Final = 20_000
_MAX_TEXT: Final = 32 << 20  # bytes that all texts of one package may have
_SKILL_DEPTH: Final = 3  # folders above a text in which its SKILL.md may lie


def package_files(
    tree: Tree,
    reading: SourceReading,
    limit: Callable[[Path], int],
    of_skill: Callable[[Path], bool],
) -> Iterator[tuple[Path, SourceFile]]:
    """Texts in the packages of a tree, each with the path that says what it is.

    A text in the folder of a skill has the path of that skill's ``SKILL.md``, for it is read as
    that is; so have the texts of documents of offices for which ``of_skill`` is true. What can't be
    read, or is larger than ``limit`` of its path, is noted as not searched; so is a PDF of a skill.
    """
    for file in tree.files:
        path = Path(file.path)
        name = path.name.lower()
        if name.endswith(_PDF) and of_skill(path):
            reading.record_unread(file.location, _NO_TEXT)
        is_document = name.endswith(_DOCUMENTS) and of_skill(path)
        if not is_document and not name.endswith(ENDINGS):
            continue
        try:
            if not _begins_as_zip(path):  # other programs use these endings, too
                continue
            with zipfile.ZipFile(path) as archive:
                reading.files += 1
                outer = SourceFile(file.location, b"")
                read = _document if is_document else _members
                yield from read(archive, outer, reading, limit)
        except BAD_ZIP as error:
            reading.not_searched(file.location, f"the package is not read: {shortened(str(error))}")


def _document(
    archive: zipfile.ZipFile,
    outer: SourceFile,
    reading: SourceReading,
    limit: Callable[[Path], int],
) -> Iterator[tuple[Path, SourceFile]]:
    """The words of a document, a paragraph a line."""
    path = Path("/", "SKILL.md")
    left = _MAX_TEXT
    for entry in archive.infolist()[:_MAX_MEMBERS]:
        if not _DOCUMENT_TEXT.match(entry.filename):
            continue
        member = f"!{shortened(entry.filename)}"
        data = _bytes(archive, entry, outer.location + member, reading, min(left, limit(path)))
        left -= len(data)
        text = _TAG.sub("", _PARAGRAPH.sub("\n", data.decode("utf-8", "replace")))
        yield path, SourceFile(outer.location, html.unescape(text).encode(), member=member)


def _bytes(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    shown: str,
    reading: SourceReading,
    most: int,
) -> bytes:
    """A member; empty, and noted as not searched, where it is damaged or larger than ``most``."""
    try:
        with archive.open(entry) as text:
            data = text.read(most + 1)
    except BAD_ZIP as error:
        reading.not_searched(shown, f"a file in it is not read: {shortened(str(error))}")
        return b""
    if len(data) > most:
        reading.not_searched(shown, f"larger than {most >> 10:,} KiB")
        return b""
    reading.files += 1
    reading.bytes += len(data)
    return data


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
        name = PurePosixPath(entry.filename)
        if name.suffix.lower() == _PDF and skills.keys() & set(list(name.parents)[:_SKILL_DEPTH]):
            reading.record_unread(f"{outer.location}!{shortened(entry.filename)}", _NO_TEXT)
        path = _as_read(name, skills)
        most = _MAX_TEXT if path.suffix == bytecode.ENDING else limit(path)
        if not most:
            continue
        member = f"!{shortened(entry.filename)}"
        data = _bytes(archive, entry, outer.location + member, reading, min(most, left))
        left -= len(data)
        if data:
            yield path, SourceFile(outer.location, data, member=member)


def _as_read(name: PurePosixPath, skills: dict[PurePosixPath, PurePosixPath]) -> Path:
    if name.suffix.lower() in (".md", ".mdx"):
        for folder in list(name.parents)[:_SKILL_DEPTH]:
            if folder in skills:
                return Path("/", skills[folder])
    return Path("/", name)
