"""Reads a pack, a folder or a zip archive, into memory: bounded, and never outside of it.

Nothing is extracted from an archive. Its files are read one by one under names that are checked
first, and only then written where they belong.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.zip_errors import BAD_ZIP
from buttress.packs.manifest import FILE_NAME, PATH, SIGNATURE, Manifest, parse

MAX_FILES: Final = 2_000
MAX_FILE: Final = 16 << 20
MAX_TOTAL: Final = 64 << 20
_EXPECTED: Final = "a folder or a .zip with pack.yaml in it"
_BESIDE: Final = ("readme", "license", "licence", "notice", "changelog")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A pack's manifest and the bytes of its files by path, those of ``pack.yaml`` included."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write all files below an empty folder.

        Raises:
            OSError: not writable.
        """
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def read(path: Path) -> Bundle:
    """Read a pack and check its manifest and the digests of its files.

    Raises:
        InputError: not readable, too large, an unsafe archive, a bad manifest, a file that is
            missing, altered or not named in the manifest.
    """
    files = read_files(path)
    manifest = parse(located_yaml.parse(_manifest_text(files, path), f"{path}/{FILE_NAME}"))
    for item in manifest.contents:
        where = f"pack {manifest.name}"
        if item.path not in files:
            raise InputError("is missing", file=where, field=item.path, expected="the file")
        if hashlib.sha256(files[item.path]).hexdigest() != item.sha256:
            raise InputError(
                "is not the file that pack.yaml names", file=where, field=item.path,
                expected=f"SHA-256 {item.sha256[:16]}…",
            )  # fmt: skip
    named = {item.path for item in manifest.contents} | {FILE_NAME, SIGNATURE}
    for name in files:
        if name not in named and not name.lower().startswith(_BESIDE):
            raise InputError(
                "is not named in pack.yaml", file=f"pack {manifest.name}", field=name,
                expected="only its contents, a README, LICENCE, NOTICE or CHANGELOG",
            )  # fmt: skip
    return Bundle(manifest, files)


def read_files(path: Path) -> dict[str, bytes]:
    """The bytes of all files of a pack by path, whatever they are.

    Raises:
        InputError: not readable, too large, or an unsafe archive.
    """
    if path.is_dir():
        found = _folder(path)
    elif path.is_file():
        found = _zip(path)
    else:
        raise InputError("no such pack", file=str(path), expected=_EXPECTED)
    return _unwrapped(found)


def _manifest_text(files: Mapping[str, bytes], path: Path) -> str:
    if FILE_NAME not in files:
        raise InputError(f"no {FILE_NAME}", file=str(path), expected=_EXPECTED)
    try:
        return files[FILE_NAME].decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", file=f"{path}/{FILE_NAME}", expected="UTF-8"
        ) from None


def _folder(root: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    for name in _names(root):
        if len(found) == MAX_FILES:
            raise _too_much(root, f"over {MAX_FILES:,} files")
        try:
            handle = os.open(root / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with open(handle, "rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            raise InputError(error.strerror or str(error), file=str(root / name)) from None
        total = _count(root, name, data, total)
        found[name] = data
    return found


def _names(root: Path) -> Iterator[str]:
    """Paths of the regular files below a folder; anything else is an error."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for one in [*folders, *sorted(files)]:
            if one.startswith("."):
                continue  # of version control and the like: not part of a pack
            full = os.path.join(folder, one)
            name = os.path.relpath(full, root).replace(os.sep, "/")
            mode = os.lstat(full).st_mode
            if stat.S_ISDIR(mode):
                continue
            if not stat.S_ISREG(mode) or not PATH.fullmatch(name):
                raise InputError(
                    "a link, a special file, or a name that is not allowed", file=str(root),
                    field=name, expected="regular files with plain names",
                )  # fmt: skip
            yield name


def _zip(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    try:
        if path.stat().st_size > MAX_TOTAL:
            raise _too_much(path, f"over {MAX_TOTAL >> 20} MiB")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES:
                raise _too_much(path, f"over {MAX_FILES:,} files")
            taken: set[str] = set()
            for member in members:
                name = member.filename
                _check_member(path, member, taken)
                if member.is_dir():
                    continue
                with archive.open(member) as file:
                    data = file.read(MAX_FILE + 1)
                total = _count(path, name, data, total)
                found[name] = data
    except InputError:
        raise
    except BAD_ZIP as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"not a zip archive: {why}", file=str(path), expected=_EXPECTED) from None
    return found


def _check_member(path: Path, member: zipfile.ZipInfo, taken: set[str]) -> None:
    name = member.filename.removesuffix("/")
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    problem = ""
    if not PATH.fullmatch(name):
        problem = "a name that is not allowed"
    elif kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
        problem = "a link or a special file"
    elif name.lower() in taken:
        problem = "a name that is there twice"
    elif member.flag_bits & 1:
        problem = "encrypted"
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        problem = "a compression that is not allowed"
    if problem:
        shown = name.encode("unicode_escape").decode()[:80]
        raise InputError(
            problem, file=str(path), field=shown, expected="regular files with plain names"
        )
    taken.add(name.lower())


def _unwrapped(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files without the one folder that they all lie in, as archives of a folder have it."""
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or FILE_NAME in files:
        return files
    (top,) = tops
    return {name.removeprefix(f"{top}/"): data for name, data in files.items()}


def _count(path: Path, name: str, data: bytes, total: int) -> int:
    if len(data) > MAX_FILE:
        raise _too_much(path, f"{name} over {MAX_FILE >> 20} MiB")
    if total + len(data) > MAX_TOTAL:
        raise _too_much(path, f"over {MAX_TOTAL >> 20} MiB")
    return total + len(data)


def _too_much(path: Path, what: str) -> InputError:
    return InputError(
        f"too large: {what}", file=str(path),
        expected=f"{MAX_FILES:,} files, {MAX_FILE >> 20} MiB each and {MAX_TOTAL >> 20} in all",
    )  # fmt: skip
