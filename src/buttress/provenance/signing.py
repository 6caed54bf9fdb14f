"""Signs a model: a signature over the digests of all its files, in a file beside them.

The format is that of the OpenSSF Model Signing specification, version 1.0; the cryptography is that
of the library ``model-signing``. Keys are elliptic (NIST P-256, P-384 or P-521, with ECDSA).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.provenance.library import links, modules, quiet, readable, reason
from buttress.provenance.signed_manifest import SignedManifest, read

FILE_NAME: Final = "model.sig"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key in PEM, with its ``password`` where it has one."""

    file: Path
    password: str | None = None

    def configure(self, config: Any) -> None:
        """Choose this way of signing."""
        readable(self.file, "--key", "a private key in PEM")
        # The library types it as text, but what it calls wants bytes.
        password = None if self.password is None else self.password.encode()
        config.use_elliptic_key_signer(private_key=self.file, password=password)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key in PEM with a certificate for it, and those of the authorities above in ``chain``."""

    file: Path
    certificate: Path
    chain: tuple[Path, ...] = ()

    def configure(self, config: Any) -> None:
        """Choose this way of signing."""
        readable(self.file, "--key", "a private key in PEM")
        readable(self.certificate, "--certificate", "a certificate in PEM")
        for path in self.chain:
            readable(path, "--chain", "certificates in PEM")
        config.use_certificate_signer(
            private_key=self.file,
            signing_certificate=self.certificate,
            # The library can't read an empty chain; the certificate itself adds nothing to one.
            certificate_chain=list(self.chain or (self.certificate,)),
        )


@dataclass(frozen=True, slots=True)
class Keyless:
    """Sigstore: a certificate for a few minutes, for an identity. Needs the network."""

    identity_token: str | None = None
    trust: Path | None = None
    ambient: bool = False

    def configure(self, config: Any) -> None:
        """Choose this way of signing."""
        config.use_sigstore_signer(
            identity_token=self.identity_token,
            use_ambient_credentials=self.ambient,
            trust_config=self.trust,
        )


Signer = PrivateKey | Certificate | Keyless


def sign(
    model: Path,
    signature: Path,
    signer: Signer,
    *,
    ignore: Sequence[str] = (),
    follow_links: bool = False,
) -> SignedManifest:
    """Sign all files of a model and write the signature, all of it or nothing.

    Args:
        model: a folder, or a single file.
        signature: where to; a file inside the folder is not signed itself.
        signer: with what.
        ignore: paths in the folder that are left out; those of git always are.
        follow_links: whether a link counts as what it leads to.

    Raises:
        InputError: the model, a key or a path can't be used.
        MissingExtraError: the library is not installed.
    """
    hashing, signing, _ = modules()
    _check(model, signature, signer)
    left_out = tuple(_inside(model, path) for path in ignore)
    if signature.resolve().is_relative_to(model.resolve()) and model.is_dir():
        left_out += (signature.resolve().relative_to(model.resolve()).as_posix(),)
    if not follow_links and (link := next(links(model, (".git", *left_out)), None)):
        raise InputError(
            "is a link, which would not be signed",
            file=str(model / link),
            expected="files, or --follow-links",
        )
    hasher = hashing.Config().set_ignored_paths(paths=left_out)
    hasher.set_allow_symlinks(follow_links)
    config = signing.Config().set_hashing_config(hasher)
    try:
        with quiet():
            signer.configure(config)
    except InputError:
        raise
    except Exception as error:  # the library lets through what each parser below it raises
        problem = f"no key that can sign: {reason(error)}"
        where = None if isinstance(signer, Keyless) else str(signer.file)
        expected = "an elliptic key (P-256, P-384, P-521) in PEM, with its password and certificate"
        raise InputError(problem, file=where, expected=expected) from None
    try:
        with tempfile.TemporaryDirectory() as folder, quiet():
            config.sign(model, Path(folder, FILE_NAME))
            data = Path(folder, FILE_NAME).read_bytes()
    except Exception as error:
        raise InputError(f"not signed: {reason(error)}", file=str(model)) from None
    manifest = read(data)
    write_whole(signature, data, "--output")
    return manifest


def _check(model: Path, signature: Path, signer: Signer) -> None:
    if not model.exists():
        raise InputError("no such file or folder", file=str(model), expected="a model")
    if model.is_dir() and not any(model.iterdir()):
        raise InputError("the folder is empty", file=str(model), expected="a model")
    if signature.resolve() == model.resolve():
        raise InputError("is the model itself", file=str(signature), field="--output")
    key = None if isinstance(signer, Keyless) else signer.file
    if key is not None and model.is_dir() and key.resolve().is_relative_to(model.resolve()):
        raise InputError(
            "the private key lies inside the model, and would be shipped with it",
            file=str(key),
            expected="a key elsewhere",
        )


def _inside(model: Path, path: str) -> str:
    """A path relative to the model."""
    whole = Path(os.path.normpath(model / path))
    if not whole.is_relative_to(os.path.normpath(model)) or whole == Path(os.path.normpath(model)):
        raise InputError(
            f"'{path}' does not lie inside the model", field="--ignore", expected="a path in it"
        )
    return whole.relative_to(os.path.normpath(model)).as_posix()
