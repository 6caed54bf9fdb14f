"""Signing a model, and checking who signed it and what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from buttress.errors import InputError
from buttress.provenance.signing import FILE_NAME, Signer, sign
from buttress.provenance.verification import SignatureVerification, Trust, verify


@dataclass(frozen=True, slots=True)
class SignedModel:
    """Where the signature of a model lies, and how many files it covers."""

    signature: Path
    files: int


def default_signature(model: Path) -> Path:
    """Where the signature of a model lies: in its folder, or beside a single file."""
    return model.with_name(f"{model.name}.sig") if model.is_file() else model / FILE_NAME


def sign_model(
    model: Path,
    signer: Signer,
    *,
    signature: Path | None = None,
    ignore: Sequence[str] = (),
    follow_links: bool = False,
    replace: bool = False,
) -> SignedModel:
    """Sign all files of a model (OpenSSF Model Signing) and write a Sigstore bundle.

    Args:
        model: a folder, or one file.
        signer: a key, a certificate or an identity.
        signature: where to; None for ``default_signature``.
        ignore: paths in the folder that are not signed.
        follow_links: sign what links lead to.
        replace: replace a signature that is there.

    Raises:
        InputError: nothing to sign, a key that can't, or a signature that is there.
        MissingExtraError: the extra ``signing`` is not installed.
    """
    place = signature or default_signature(model)
    if place.exists() and not replace:
        raise InputError("exists", file=str(place), expected="a new file, or --force")
    signed = sign(model, place, signer, ignore=ignore, follow_links=follow_links)
    return SignedModel(place, len(signed.files))


def verify_model(
    model: Path, trust: Trust, *, signature: Path | None = None
) -> SignatureVerification:
    """Check the signature of a model, then every file.

    Raises:
        InputError: no model, no signature, or nothing usable to check with.
        MissingExtraError: the extra ``signing`` is not installed.
    """
    return verify(model, signature or default_signature(model), trust)
