"""Signatures of packs: one over ``pack.yaml``, which holds the digests of all other files.

It is that of a model which is a single file, as ``buttress sign`` makes it (OpenSSF Model Signing
specification, version 1.0); keys are elliptic (NIST P-256, P-384, P-521, ECDSA).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from buttress import extension
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.packs import bundle, verify, where
from buttress.packs.manifest import FILE_NAME, SIGNATURE, Manifest

REQUIRE: Final = "BUTTRESS_REQUIRE_SIGNED_PACKS"
_MAX_KEY: Final = 64 << 10
_MAX_KEYS: Final = 200
_ENDS: Final = (".pem", ".pub")


@dataclass(frozen=True, slots=True)
class PackSigner:
    """Whose key it is: the name of the key's file, and the SHA-256 of its bytes in hex."""

    name: str
    key: str


class PackSignatures(Protocol):
    """What makes and checks signatures: the entry point ``buttress.pack_signatures``."""

    def sign(self, file: Path, signature: Path, key: Path, password: str | None) -> None:
        """Sign a file with a private key in PEM.

        Raises:
            InputError: the key can't be used.
            MissingExtraError: the library is not installed.
        """
        ...

    def problem(self, file: Path, signature: Path, key: Path) -> tuple[str, bool]:
        """Why a signature is not by that public key, empty where it is.

        The second says whether file or signature are at fault, and not the key.
        """
        ...


def _library() -> PackSignatures:
    found: PackSignatures = extension.load("pack_signatures", "model-signing")
    return found


def required() -> bool:
    """Whether the environment says that no pack may be used without a signature."""
    return os.environ.get(REQUIRE, "").lower() not in ("", "0", "false", "no")


def sign(folder: Path, key: Path, password: str | None = None) -> Manifest:
    """Sign a pack that is valid, into ``pack.yaml.sig``.

    Args:
        folder: the pack.
        key: a private key in PEM.
        password: of the key, where it has one.

    Raises:
        InputError: the pack is not valid, or the key can't be used.
        MissingExtraError: the library is not installed.
    """
    if not folder.is_dir():
        raise InputError("not a folder", file=str(folder), expected=f"a folder with {FILE_NAME}")
    manifest = bundle.read(folder).manifest
    verify.contents(manifest, folder)
    _library().sign(folder / FILE_NAME, folder / SIGNATURE, key, password)
    return manifest


def trusted() -> list[Path]:
    """The keys of the trust store, by name."""
    try:
        found = [one for one in where.keys().iterdir() if one.suffix in _ENDS and one.is_file()]
    except OSError:
        return []
    return sorted(found)[:_MAX_KEYS]


def still_trusted(signer: PackSigner) -> bool:
    """Whether the signer's key lies in the trust store."""
    return any(_digest(path) == signer.key for path in trusted())


def check(folder: Path, name: str, keys: Sequence[Path]) -> PackSigner | None:
    """Who signed the pack in a folder; None where nobody did.

    Args:
        folder: of the pack.
        name: of the pack, for messages.
        keys: those that are trusted.

    Raises:
        InputError: the signature is not by one of the keys, or not of this ``pack.yaml``.
        MissingExtraError: the library is not installed.
    """
    if not (folder / SIGNATURE).is_file():
        return None
    library = _library()
    reasons: list[str] = []
    for key in keys:
        problem, of_pack = library.problem(folder / FILE_NAME, folder / SIGNATURE, key)
        if not problem:
            return PackSigner(key.stem, _digest(key))
        if of_pack:
            raise InputError(
                problem, file=f"pack {name}", field=SIGNATURE, expected="its signature"
            )
        reasons.append(problem)
    problem = "is by no key that is trusted" + (f" ({reasons[0]})" if len(keys) == 1 else "")
    raise InputError(
        problem, file=f"pack {name}", field=SIGNATURE,
        expected=f"--trust PUBLIC-KEY, or a key in {where.keys()}",
    )  # fmt: skip


def keep(key: Path) -> Path:
    """Put a public key into the trust store, if it is not there; where it lies.

    Raises:
        InputError: another key has that name there; not readable or writable.
    """
    digest = _digest(key)
    for there in trusted():
        if _digest(there) == digest:
            return there
    target = where.keys() / f"{key.stem}.pem"
    if target.exists():
        raise InputError(
            "another key of that name is trusted", file=str(target), field="--trust",
            expected="a file with another name",
        )  # fmt: skip
    try:
        where.keys().mkdir(parents=True, exist_ok=True)
        write_whole(target, _bytes(key), "--trust")
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(target)) from None
    return target


def _digest(key: Path) -> str:
    return hashlib.sha256(_bytes(key)).hexdigest()


def _bytes(key: Path) -> bytes:
    try:
        with key.open("rb") as file:
            data = file.read(_MAX_KEY + 1)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(key), field="--trust",
            expected="a public key in PEM",
        ) from None  # fmt: skip
    if len(data) > _MAX_KEY:
        raise InputError("too large", file=str(key), field="--trust", expected="a public key")
    return data
