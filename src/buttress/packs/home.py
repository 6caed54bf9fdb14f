"""The user's folder of installed packs: one folder for each, whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from buttress import __version__
from buttress.errors import InputError
from buttress.packs import bundle, verify
from buttress.packs.manifest import FILE_NAME, ID, MAX_ID, Manifest

_RECORD = ".verified.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed pack and its folder."""

    manifest: Manifest
    folder: Path


def home() -> Path:
    """The folder of packs: ``$BUTTRESS_HOME/packs``, else the user's data folder."""
    if own := os.environ.get("BUTTRESS_HOME"):
        return Path(own).expanduser() / "packs"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "buttress" / "packs"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "buttress" / "packs"


def ids() -> list[str]:
    """Ids of the packs that are installed, whether they load or not."""
    try:
        found = list(home().iterdir())
    except OSError:
        return []
    return sorted(one.name for one in found if ID.fullmatch(one.name) and one.is_dir())


def load(name: str) -> Installed:
    """An installed pack, checked.

    Digests are checked every time, rules and their examples once for each version of Buttress.

    Raises:
        InputError: not installed, altered since, or not valid for this version.
    """
    folder = home() / name
    if len(name) > MAX_ID or not ID.fullmatch(name) or not folder.is_dir():
        raise InputError(
            f"no pack '{name[:80]}' is installed",
            expected="one of " + ", ".join(ids()) if ids() else "`buttress pack install`",
        )
    try:
        read = bundle.read(folder)
        if read.manifest.id != name:
            raise InputError(f"its id is '{read.manifest.id}'", file=str(folder), expected=name)
        if not _verified(folder, read):
            verify.contents(read.manifest, folder)
            _record(folder, read)
    except InputError as error:
        raise InputError(
            f"pack '{name}' does not load: {error}",
            expected="to install it again, or `buttress pack remove " + name + "`",
        ) from None
    return Installed(read.manifest, folder)


def install(path: Path, *, replace: bool) -> tuple[Installed, Installed | None]:
    """Verify a pack and put it among the installed; with the one that it replaced.

    Args:
        path: a folder or a zip archive.
        replace: whether to replace the same or a newer version.

    Raises:
        InputError: not valid; that version or a newer one is there; not writable.
    """
    read = bundle.read(path)
    manifest = read.manifest
    target = home() / manifest.id
    before = _before(manifest, replace=replace)
    try:
        home().mkdir(parents=True, exist_ok=True)
        with _temporary() as folder:
            read.write(folder)
            verify.contents(manifest, folder)
            _record(folder, read)
            with _temporary() as old:
                if target.exists():
                    os.replace(target, old / "old")
                try:
                    os.replace(folder, target)
                except OSError:
                    if (old / "old").exists():
                        os.replace(old / "old", target)
                    raise
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(target), expected="a folder to write in"
        ) from None
    return Installed(manifest, target), before


def remove(name: str) -> None:
    """Remove an installed pack.

    Raises:
        InputError: not installed, or not removable.
    """
    if name not in ids():
        raise InputError(
            f"no pack '{name[:80]}' is installed",
            expected="one of " + ", ".join(ids()) if ids() else "an installed pack; there is none",
        )
    try:
        with _temporary() as old:
            os.replace(home() / name, old / "old")
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(home() / name)) from None


def _before(manifest: Manifest, *, replace: bool) -> Installed | None:
    if manifest.id not in ids():
        return None
    try:
        before = load(manifest.id)
    except InputError:
        return None  # what does not load may be replaced by anything
    if not replace and before.manifest.version >= manifest.version:
        raise InputError(
            f"version {before.manifest.version} is installed", file=f"pack {manifest.name}",
            expected="a newer version, or --replace",
        )  # fmt: skip
    return before


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    """A folder beside the packs, on the same file system; it may be moved away."""
    folder = Path(tempfile.mkdtemp(dir=home(), prefix=".new-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _state(read: bundle.Bundle) -> dict[str, str]:
    digest = hashlib.sha256(read.files[FILE_NAME]).hexdigest()
    return {"buttress": __version__, "manifest": digest}


def _verified(folder: Path, read: bundle.Bundle) -> bool:
    try:
        return bool(orjson.loads((folder / _RECORD).read_bytes()) == _state(read))
    except (OSError, ValueError):
        return False


def _record(folder: Path, read: bundle.Bundle) -> None:
    with contextlib.suppress(OSError):  # a shared folder may be read-only: verified again then
        (folder / _RECORD).write_bytes(orjson.dumps(_state(read)))
