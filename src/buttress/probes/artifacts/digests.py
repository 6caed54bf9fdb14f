"""Digest manifests: the SHA-256 of every file of a folder, and what has changed since.

The manifest has the lines of ``sha256sum``, so that other tools can verify it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.files.folder import files
from buttress.files.sha256 import file_sha256
from buttress.files.visible import shortened
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.processes import usable_processors

_LINE: Final = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.S)
_MAX_MANIFEST: Final = 64 << 20
_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN: Final = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def digests(folder: Path, *, ignore: Iterable[Path] = ()) -> dict[str, str]:
    """Digest of every file below ``folder`` by its path there; files are read in parallel.

    Links are not followed, see ``folder.files``.

    Raises:
        InputError: a file or folder can't be read.
    """
    skipped: list[str] = []
    out = {path.resolve() for path in ignore}
    paths = [path for path in files(folder, skipped) if path.resolve() not in out]
    with ThreadPoolExecutor(min(usable_processors(), 16)) as pool:
        try:
            sums = list(pool.map(file_sha256, paths))
        except OSError as error:
            raise InputError(error.strerror or str(error), file=str(error.filename)) from None
    return {_relative(path, folder): one for path, one in zip(paths, sums, strict=True)}


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path != folder else path.name


def write(folder: Path, manifest: Path) -> int:
    """Write the manifest of a folder; gives the number of files. The manifest leaves itself out.

    Raises:
        InputError: a file can't be read, or the manifest can't be written.
    """
    found = digests(folder, ignore=[manifest])
    text = "".join(_line(name, one) for name, one in sorted(found.items()))
    write_whole(manifest, text.encode("utf-8", "surrogateescape"))
    return len(found)


def _line(name: str, one: str) -> str:
    escaped = "".join(_ESCAPES.get(sign, sign) for sign in name)
    mark = "" if escaped == name else "\\"
    return f"{mark}{one}  {escaped}\n"


def read(manifest: Path) -> dict[str, str]:
    """Digests by path.

    Raises:
        InputError: it can't be read, or a line is no digest and path; names the line.
    """
    try:
        with manifest.open("rb") as file:
            raw = file.read(_MAX_MANIFEST + 1)
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(manifest)) from None
    if len(raw) > _MAX_MANIFEST:
        raise InputError("the manifest is larger than 64 MB", file=str(manifest))
    found: dict[str, str] = {}
    text = raw.decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                "no digest and path", file=str(manifest), line=number,
                expected="64 hexadecimal digits, two spaces, a path",
            )  # fmt: skip
        name = match[3]
        if match[1]:
            name = re.sub(r"\\[\\nr]", lambda one: _PLAIN[one[0]], name)
        if found.setdefault(name, match[2]) != match[2]:
            raise InputError("the path has two digests", file=str(manifest), line=number)
    return found


def verify(folder: Path, manifest: Path) -> Iterator[tuple[str, ArtifactIssue]]:
    """Path and issue for each file that was changed, is missing or was added.

    Raises:
        InputError: as ``read`` and ``digests``.
    """
    yield from compare(read(manifest), digests(folder, ignore=[manifest]))


def compare(
    expected: Mapping[str, str], found: Mapping[str, str]
) -> Iterator[tuple[str, ArtifactIssue]]:
    """Path and issue for each difference, by path."""
    for name in sorted(expected.keys() | found.keys()):
        shown = shortened(name)
        if name not in found:
            yield (
                name,
                ArtifactIssue(
                    "digest-missing", "", f"The file {shown} of the manifest is missing."
                ),
            )
        elif name not in expected:
            yield (
                name,
                ArtifactIssue("digest-added", "", f"The file {shown} is not in the manifest."),
            )
        elif expected[name] != found[name]:
            message = f"The file {shown} is not the one whose digest the manifest has."
            proof = f"expected {expected[name][:16]}…, found {found[name][:16]}…"
            yield name, ArtifactIssue("digest-changed", "", message, proof=proof)
