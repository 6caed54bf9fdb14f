"""What a signature says that a model consists of: read from its file, before anything is proved.

The file is a Sigstore bundle in JSON (bundle specification 0.3) with a DSSE envelope, whose payload
is an in-toto statement (version 1) with the predicate of the OpenSSF Model Signing specification
(version 1.0), or with that of its forerunner, one digest for each subject.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.bounded_json import JsonError, parse

_BUNDLE: Final = "application/vnd.dev.sigstore.bundle"
_PAYLOAD: Final = "application/vnd.in-toto+json"
_PREDICATE: Final = "https://model_signing/signature/v1.0"
_FORERUNNER: Final = "https://model_signing/Digests/v0.1"
_SHARD: Final = re.compile(r"^(.+):\d+:\d+$", re.DOTALL)
_ALGORITHMS: Final = {"sha256": "sha256", "blake2b": "blake2", "blake3": "blake3"}  # how asked for
_SHARD_BYTES: Final = 1 << 20  # smaller shards would only cost time


class BundleError(ValueError):
    """It is no signature of a model; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """Digests by the name of a file, or of a shard of one, and how they were made.

    ``shard`` is the length of a shard in bytes, 0 where whole files were hashed. ``ignored`` are
    paths, relative to the model, that the signature says nothing about. ``proof`` is what the
    bundle brings for its verification: ``key``, ``certificates`` or ``sigstore``.
    """

    model: str
    digests: dict[str, str]
    algorithm: str
    shard: int
    links: bool
    ignored: tuple[str, ...]
    proof: str

    @property
    def files(self) -> frozenset[str]:
        """Names of the files that are signed."""
        return frozenset(map(self.file, self.digests))

    def file(self, name: str) -> str:
        """The file that a name in ``digests`` belongs to."""
        shard = _SHARD.match(name) if self.shard else None
        return shard[1] if shard else name


def read(data: bytes) -> SignedManifest:
    """Read a bundle without verifying anything.

    Raises:
        BundleError: it is none, or one of another kind.
    """
    bundle = _object(_json(data, "the file"), "the file")
    if not str(bundle.get("mediaType", "")).startswith(_BUNDLE):
        raise BundleError("it is no Sigstore bundle")
    envelope = _object(bundle.get("dsseEnvelope"), "dsseEnvelope")
    if envelope.get("payloadType") != _PAYLOAD:
        raise BundleError("its envelope holds no in-toto statement")
    try:
        payload = base64.b64decode(str(envelope.get("payload", "")), validate=True)
    except (binascii.Error, ValueError):
        raise BundleError("its payload is not in base64") from None
    statement = _object(_json(payload, "its payload"), "its payload")
    material = _object(bundle.get("verificationMaterial"), "verificationMaterial")
    kind = statement.get("predicateType")
    if kind == _FORERUNNER:
        return _forerunner(statement, _proof(material))
    if kind != _PREDICATE:
        raise BundleError(f"it says something else of its subject: {str(kind)[:80]!r}")
    return _manifest(statement, _proof(material))


def _proof(material: dict[str, Any]) -> str:
    if "publicKey" in material:
        return "key"
    if "x509CertificateChain" in material:
        return "certificates"
    return "sigstore"


def _manifest(statement: dict[str, Any], proof: str) -> SignedManifest:
    predicate = _object(statement.get("predicate"), "predicate")
    how = _object(predicate.get("serialization"), "serialization")
    method, ignored = how.get("method"), how.get("ignore_paths", [])
    if method not in ("files", "shards"):
        raise BundleError(f"it hashes by an unknown method, {str(method)[:40]!r}")
    shard = how.get("shard_size", 0) if method == "shards" else 0
    # Numbers come as 1e9 with a fraction from writers that know only floating point.
    if not isinstance(shard, int | float) or shard != shard // 1:  # nor infinite, nor no number
        raise BundleError("its shards have no length")
    if method == "shards" and not _SHARD_BYTES <= shard < 1 << 50:
        raise BundleError(f"its shards have {shard:g} bytes")
    algorithm = _ALGORITHMS.get(str(how.get("hash_type")))
    if algorithm is None:
        raise BundleError(f"it hashes with {str(how.get('hash_type'))[:40]!r}, which is unknown")
    digests: dict[str, str] = {}
    for one in _list(predicate.get("resources"), "resources"):
        resource = _object(one, "a resource")
        name, digest = resource.get("name"), resource.get("digest")
        if not isinstance(name, str) or not isinstance(digest, str):
            raise BundleError("a resource has no name or no digest")
        if name in digests:
            raise BundleError(f"it names {name[:80]!r} twice")
        digests[name] = digest.lower()
    if not all(isinstance(one, str) for one in _list(ignored, "ignore_paths")):
        raise BundleError("its ignored paths are no texts")
    return SignedManifest(
        model=_subject(statement),
        digests=digests,
        algorithm=algorithm,
        shard=int(shard),
        links=how.get("allow_symlinks") is True,
        ignored=tuple(sorted(ignored)),
        proof=proof,
    )


def _forerunner(statement: dict[str, Any], proof: str) -> SignedManifest:
    digests: dict[str, str] = {}
    for one in _list(statement.get("subject"), "subject"):
        subject = _object(one, "a subject")
        digest = _object(subject.get("digest"), "digest").get("sha256")
        name = subject.get("name")
        if not isinstance(name, str) or not isinstance(digest, str):
            raise BundleError("a subject has no name or no digest")
        if name in digests:
            raise BundleError(f"it names {name[:80]!r} twice")
        digests[name] = digest.lower()
    return SignedManifest("", digests, "sha256", 0, False, (), proof)


def _subject(statement: dict[str, Any]) -> str:
    subjects = _list(statement.get("subject"), "subject")
    return str(_object(subjects[0], "a subject").get("name", "")) if subjects else ""


def _json(data: bytes, what: str) -> Any:
    try:
        value, twice = parse(data)
    except JsonError as error:
        raise BundleError(f"{what} can't be read: {error}") from None
    if twice:  # readers differ in which of the two they take
        raise BundleError(f"{what} has the key {min(twice)[:80]!r} twice")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BundleError(f"{what} is no JSON object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise BundleError(f"{what} is no list")
    return value
