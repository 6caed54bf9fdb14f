"""Checks a model's signature, and tells which files differ from what was signed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from buttress.errors import InputError
from buttress.files.visible import shortened
from buttress.provenance.library import links, modules, quiet, readable, reason
from buttress.provenance.signed_manifest import BundleError, SignedManifest, read
from buttress.provenance.sigstore_trust import client_trust

MAX_BYTES: Final = 16 << 20  # of a file with a signature
_GIT: Final = (".git", ".gitattributes", ".github", ".gitignore")  # what the library leaves out

Status = Literal["valid", "changed", "untrusted", "unreadable"]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Trust in whoever holds the private key to this one, in PEM."""

    file: Path
    proof: str = field(default="key", init=False)

    def configure(self, config: Any) -> None:
        """Choose this way of verifying."""
        config.use_elliptic_key_verifier(public_key=self.file)

    def check(self) -> None:
        """Raise InputError where a file is missing."""
        readable(self.file, "--key", "a public key in PEM")


@dataclass(frozen=True, slots=True)
class Authorities:
    """Trust in whom these certificates, in PEM, vouch for."""

    chain: tuple[Path, ...]
    proof: str = field(default="certificates", init=False)

    def configure(self, config: Any) -> None:
        """Choose this way of verifying."""
        config.use_certificate_verifier(certificate_chain=list(self.chain))

    def check(self) -> None:
        """Raise InputError where a file is missing."""
        for path in self.chain:
            readable(path, "--chain", "certificates in PEM")


@dataclass(frozen=True, slots=True)
class Identity:
    """Trust in one identity, for which the OpenID Connect ``issuer`` vouches.

    ``trust`` is a Sigstore trusted root or client trust configuration; without it, the library
    fetches the public one over the network.
    """

    identity: str
    issuer: str
    trust: Path | None = None
    proof: str = field(default="sigstore", init=False)

    def configure(self, config: Any) -> None:
        """Choose this way of verifying."""
        with tempfile.TemporaryDirectory() as folder:
            trust = None
            if self.trust is not None:
                trust = Path(folder, "trust.json")
                trust.write_text(client_trust(self.trust), encoding="utf-8")
            config.use_sigstore_verifier(
                identity=self.identity, oidc_issuer=self.issuer, trust_config=trust
            )

    def check(self) -> None:
        """Raise InputError where a file is missing or holds something else."""
        if self.trust is not None:
            client_trust(self.trust)


Trust = PublicKey | Authorities | Identity


@dataclass(frozen=True, slots=True)
class SignatureVerification:
    """What a check came to.

    ``changed`` means that the signature is authentic, but ``added``, ``removed`` or ``altered``
    files are not as they were signed. ``untrusted``: it is not from whom it should be. ``files``
    were signed; ``uncovered`` are paths that the signature leaves out, and that are there.
    """

    status: Status
    reason: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    files: int = 0
    uncovered: tuple[str, ...] = ()


def verify(model: Path, signature: Path, trust: Trust) -> SignatureVerification:
    """Check the signature first, then the files; every file is read.

    Raises:
        InputError: the model, the signature's file or the trusted material can't be read.
        MissingExtraError: the library is not installed.
    """
    hashing, _, verifying = modules()
    if not model.exists():
        raise InputError("no such file or folder", file=str(model), expected="a model")
    trust.check()
    config = verifying.Config()
    try:
        with quiet():
            trust.configure(config)
    except Exception as error:  # as in signing: the library lets through what its parsers raise
        raise InputError(f"nothing to verify with: {reason(error)}") from None
    data = _data(signature)
    try:
        manifest = read(data)
    except BundleError as error:
        return SignatureVerification("unreadable", str(error))
    if manifest.proof != trust.proof:
        why = f"it was made with {_WAYS[manifest.proof]}, and is to be checked with another way"
        return SignatureVerification("untrusted", why, files=len(manifest.files))
    hasher = _hasher(hashing, manifest, model, signature)
    config.set_hashing_config(hasher)
    try:
        # Of a copy, so that what is verified is what was read above.
        with tempfile.TemporaryDirectory() as folder, quiet():
            copy = Path(folder, "copy.sig")
            copy.write_bytes(data)
            config.verify(model, copy)
    except Exception as error:
        return _failure(error, hasher, manifest, model)
    return SignatureVerification(
        "valid",
        files=len(manifest.files),
        uncovered=tuple(
            shortened(path)
            for path in _left_out(manifest)
            if (model / path).exists() and (model / path).resolve() != signature.resolve()
        ),
    )


_WAYS: Final = {
    "key": "a key",
    "certificates": "a key with a certificate",
    "sigstore": "Sigstore's keyless signing",
}


def _data(signature: Path) -> bytes:
    readable(signature, "--signature", "a signature, such as model.sig")
    with signature.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(
            f"larger than {MAX_BYTES >> 20} MiB", file=str(signature), expected="a signature"
        )
    return data


def _left_out(manifest: SignedManifest) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_GIT, *manifest.ignored)))


def _hasher(hashing: Any, manifest: SignedManifest, model: Path, signature: Path) -> Any:
    """What hashes as the signer did. The signature's own file may lie in the model."""
    ignored = list(manifest.ignored)
    if signature.resolve().is_relative_to(model.resolve()) and signature.resolve() != model:
        ignored.append(signature.resolve().relative_to(model.resolve()).as_posix())
    config = hashing.Config()
    if manifest.shard:
        config.use_shard_serialization(
            hashing_algorithm=manifest.algorithm, shard_size=manifest.shard
        )
    else:
        config.use_file_serialization(hashing_algorithm=manifest.algorithm)
    return config.set_ignored_paths(paths=ignored).set_allow_symlinks(manifest.links)


def _failure(
    error: Exception, hasher: Any, manifest: SignedManifest, model: Path
) -> SignatureVerification:
    """Why the library refused: the signature, or the files, which are then read once more."""
    files = len(manifest.files)
    if str(error).startswith("Cannot use"):  # the signature is right, but a file is none
        found = tuple(shortened(link.as_posix()) for link in links(model, _left_out(manifest)))
        why = "a link was added" if found else reason(error)
        return SignatureVerification("changed", why, added=found, files=files)
    if not str(error).startswith("Signature mismatch"):
        return SignatureVerification("untrusted", reason(error), files=files)
    with quiet():
        now = {
            one.identifier: one.digest.digest_hex
            for one in hasher.hash(model).resource_descriptors()
        }
    there = {manifest.file(name) for name in now}
    differing = {
        manifest.file(name)
        for name in now.keys() | manifest.digests.keys()
        if now.get(name) != manifest.digests.get(name)
    }

    def told(names: set[str] | frozenset[str]) -> tuple[str, ...]:
        # A model that is a single file is called "." in its signature.
        return tuple(shortened(model.name if name == "." else name) for name in sorted(names))

    return SignatureVerification(
        "changed",
        "files differ from what was signed",
        added=told(there - manifest.files),
        removed=told(manifest.files - there),
        altered=told(differing & there & manifest.files),
        files=files,
    )
