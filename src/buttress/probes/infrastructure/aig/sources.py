"""Where AI-Infra-Guard's rules lie: a folder of files, or a zip archive of one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from buttress.errors import InputError
from buttress.files.zip_errors import BAD_ZIP

FINGERPRINTS: Final = "fingerprints"
ADVISORIES: Final = ("vuln_en", "vuln")  # the English texts, the Chinese ones
EXPECTED: Final = "a folder with 'fingerprints' and 'vuln_en' or 'vuln' in it"
_MAX_ARCHIVE: Final = 64 << 20
_MAX_MEMBERS: Final = 50_000


class RuleSource(Protocol):
    """The YAML files of a set of rules; their names begin with one of its three folders."""

    @property
    def title(self) -> str:
        """Where the rules are from, for messages."""
        ...

    def names(self, folder: str) -> Sequence[str]:
        """The ``.yaml`` files below a folder, sorted; empty where there is no such folder."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """At most ``limit`` bytes of a file.

        Raises:
            OSError: not readable.
        """
        ...


class FolderSource:
    """Rules in the folder ``base``."""

    def __init__(self, base: Path) -> None:
        self.base = base

    @property
    def title(self) -> str:
        """See ``RuleSource``."""
        return str(self.base)

    def names(self, folder: str) -> Sequence[str]:
        """See ``RuleSource``."""
        found = (self.base / folder).rglob("*.yaml")
        return sorted(one.relative_to(self.base).as_posix() for one in found if one.is_file())

    def read(self, name: str, limit: int) -> bytes:
        """See ``RuleSource``."""
        with (self.base / name).open("rb") as file:
            return file.read(limit)


class ArchiveSource:
    """Rules in a zip archive, which is read into memory and never extracted."""

    def __init__(self, path: Path, title: str = "") -> None:
        """Open the archive ``path``; ``title`` is its name in messages.

        Raises:
            InputError: it can't be read, is no archive, or is too large.
        """
        self.path = path
        self._title = title or str(path)
        try:
            if path.stat().st_size > _MAX_ARCHIVE:
                raise ValueError(f"over {_MAX_ARCHIVE >> 20} MiB")
            self._archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
            if len(self._archive.infolist()) > _MAX_MEMBERS:
                raise ValueError(f"over {_MAX_MEMBERS:,} files")
        except BAD_ZIP as error:
            why = " ".join(str(error).split())[:120] or type(error).__name__
            raise InputError(
                f"not an archive of rules: {why}", file=str(path), expected=EXPECTED
            ) from None

    @property
    def title(self) -> str:
        """See ``RuleSource``."""
        return self._title

    @cached_property
    def _names(self) -> list[str]:
        return sorted({one for one in self._archive.namelist() if one.endswith(".yaml")})

    def names(self, folder: str) -> Sequence[str]:
        """See ``RuleSource``."""
        return [one for one in self._names if one.startswith(f"{folder}/")]

    def read(self, name: str, limit: int) -> bytes:
        """See ``RuleSource``."""
        try:
            with self._archive.open(name) as file:
                return file.read(limit)
        except BAD_ZIP as error:
            raise OSError(0, " ".join(str(error).split())[:120] or "not readable") from None


def source_in(folder: Path, option: str = "--rules") -> FolderSource:
    """The rules in the folder of the package, its ``data``, or a checkout.

    Args:
        folder: what the user named.
        option: the option that named it.

    Raises:
        InputError: there are no rules in it.
    """
    for place in (folder, folder / "data", folder / "aig_infra_scan" / "data"):
        if (place / FINGERPRINTS).is_dir():
            return FolderSource(place)
    raise InputError(
        "no rules of AI-Infra-Guard", file=str(folder), field=option, expected=EXPECTED
    )
