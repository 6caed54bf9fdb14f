"""The user's folder of installed packs: one folder for each, whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress import __version__
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.packs import bundle, signature, verify
from buttress.packs.manifest import FILE_NAME, SIGNATURE, Manifest
from buttress.packs.signature import PackSigner
from buttress.packs.where import ID, MAX_ID, home, ids

_RECORD: Final = ".verified.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed pack, its folder, and who signed it."""

    manifest: Manifest
    folder: Path
    signer: PackSigner | None = None


def load(name: str) -> Installed:
    """An installed pack, checked.

    Digests are checked every time; rules, their examples and the signature once for each version
    of Buttress, and after any change.

    Raises:
        InputError: not installed, altered since, or not valid for this version; not signed where
            the environment says that packs must be.
        MissingExtraError: the signature has to be checked, and the library is not installed.
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
        signer = _signer(folder, read)
        if signer is None and signature.required():
            raise InputError("is not signed", expected=f"a signature, as {signature.REQUIRE} says")
    except InputError as error:
        raise InputError(
            f"pack '{name}' does not load: {error}",
            expected="to install it again, or `buttress pack remove " + name + "`",
        ) from None
    return Installed(read.manifest, folder, signer)


def install(
    path: Path, *, replace: bool, trust: Path | None = None, require: bool = False
) -> tuple[Installed, Installed | None]:
    """Verify a pack and put it among the installed; with the one that it replaced.

    Args:
        path: a folder or a zip archive.
        replace: whether to replace the same or a newer version, or one of another signer.
        trust: a public key in PEM that the pack must be signed by. It is kept in the trust store.
        require: whether it must be signed.

    Raises:
        InputError: not valid; that version or a newer one is there; not signed as it must be; not
            writable.
        MissingExtraError: it is signed, and the library is not installed.
    """
    read = bundle.read(path)
    manifest = read.manifest
    target = home() / manifest.id
    before = _before(manifest, replace=replace)
    try:
        home().mkdir(parents=True, exist_ok=True)
        with _temporary() as folder:
            read.write(folder)
            keys = signature.trusted() if trust is None else [trust]
            signer = signature.check(folder, manifest.name, keys)
            _admit(manifest, signer, before, wanted=require or trust is not None, replace=replace)
            verify.contents(manifest, folder)
            if trust is not None:
                signature.keep(trust)
            _record(folder, read, signer)
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
    return Installed(manifest, target, signer), before


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


def _admit(
    manifest: Manifest,
    signer: PackSigner | None,
    before: Installed | None,
    *,
    wanted: bool,
    replace: bool,
) -> None:
    """Raise InputError where a pack is not signed as it must be."""
    where = f"pack {manifest.name}"
    if signer is None and (wanted or signature.required()):
        raise InputError(
            "is not signed", file=where, field=SIGNATURE, expected="a pack made by `pack sign`"
        )
    if before is None or before.signer is None or replace:
        return
    if signer is None or signer.key != before.signer.key:
        whose = "nobody" if signer is None else signer.name
        raise InputError(
            f"is signed by {whose}, and {before.manifest.name} by {before.signer.name}",
            file=where, field=SIGNATURE, expected="the same signer, or --replace",
        )  # fmt: skip


def _signer(folder: Path, read: bundle.Bundle) -> PackSigner | None:
    """Who signed an installed pack; verified whole unless the record says that it was."""
    record = _recorded(folder)
    signer = _named(record)
    if {**_state(read), "signer": record.get("signer")} == record and (
        signer is None or signature.still_trusted(signer)
    ):
        return signer
    name = read.manifest.name
    found = signature.check(folder, name, signature.trusted())
    if signer is not None and found is None:
        raise InputError(
            f"{signer.name} had signed it when it was installed; that signature is gone",
            file=f"pack {name}", field=SIGNATURE,
        )  # fmt: skip
    verify.contents(read.manifest, folder)
    _record(folder, read, found)
    return found


def _named(record: dict[str, Any]) -> PackSigner | None:
    given = record.get("signer")
    try:
        return PackSigner(str(given["name"]), str(given["key"])) if given else None
    except (KeyError, TypeError):
        return None


def _state(read: bundle.Bundle) -> dict[str, Any]:
    digests = {
        what: hashlib.sha256(read.files.get(name, b"")).hexdigest()
        for what, name in (("manifest", FILE_NAME), ("signature", SIGNATURE))
    }
    return {"buttress": __version__, **digests}


def _recorded(folder: Path) -> dict[str, Any]:
    try:
        found = orjson.loads((folder / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _record(folder: Path, read: bundle.Bundle, signer: PackSigner | None) -> None:
    named = {"name": signer.name, "key": signer.key} if signer else None
    with contextlib.suppress(InputError):  # a shared folder may be read-only: verified again then
        write_whole(folder / _RECORD, orjson.dumps({**_state(read), "signer": named}))
