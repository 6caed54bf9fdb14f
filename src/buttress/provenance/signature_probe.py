"""The probe ``model-signature``: whether weights are signed, and whether the signature holds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from buttress.errors import ButtressError, InputError
from buttress.evidence.findings import Finding, Inspection, Severity
from buttress.evidence.locations import Location
from buttress.files.visible import shortened
from buttress.packs.knowledge import Knowledge
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.signed_manifest import BundleError, SignedManifest, read
from buttress.provenance.verification import MAX_BYTES, Identity, PublicKey, Trust, verify

_WEIGHTS: Final = {
    ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".tflite",
    ".msgpack", ".pdparams", ".mlmodel", ".nemo", ".joblib", ".pkl",
}  # fmt: skip
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """``trust`` is whom a signature must come from; without it only names of files are compared."""

    trust: Trust | None = None
    id: str = "model-signature"
    version: str = "1"
    title: str = "Signatures of model folders"
    kinds: tuple[str, ...] = ("model",)
    on_request: bool = True  # most models that are scanned are not signed

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        return {
            "public_key": "the public key, in PEM, that models are signed with",
            "identity": "who signs models, for Sigstore; with issuer and trust",
            "issuer": "who vouches for the identity",
            "trust": "file with a Sigstore trusted root or client trust configuration",
        }

    def rule_ids(self, _knowledge: Knowledge) -> list[str]:
        """Ids of all rules that its findings can have."""
        return ["model-changed", "model-unsigned", "signature-invalid", "signature-unreadable"]

    def with_options(self, **values: str) -> ModelSignature:
        """The probe with these set.

        Raises:
            InputError: a file is missing, or the options don't go together.
        """
        trust: Trust
        if "public_key" in values:
            if len(values) > 1:
                raise InputError("goes without the others", field="public_key", expected="one way")
            trust = PublicKey(Path(values["public_key"]))
        else:
            # A scan never asks the network, so that the trusted root has to be given.
            for name in ("identity", "issuer", "trust"):
                if not values.get(name):
                    raise InputError("is missing", field=name, expected=self.options[name])
            trust = Identity(values["identity"], values["issuer"], Path(values["trust"]))
        trust.check()
        return replace(self, trust=trust)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings on the signatures in the tree; as ``InspectionProbe``."""
        began = time.monotonic()
        asset, path = context.asset, context.tree.root
        found = [Path(file.path) for file in context.tree.files]
        skipped = context.tree.notes()
        if path.is_file():
            beside = path.with_name(f"{path.name}.sig")
            signatures = [beside] if beside.is_file() else []
        else:
            signatures = [one for one in found if one.suffix == ".sig"]
        size = 0
        covered: set[Path] = set()
        for signature in signatures:
            inside = signature.relative_to(path).as_posix() if path.is_dir() else signature.name
            where = shortened(inside)
            model = _model(signature)
            size += signature.stat().st_size
            outcome = _read(signature)
            if isinstance(outcome, str):
                yield self._finding(
                    asset, where, "signature-unreadable", "medium",
                    f"The signature can't be read: {outcome}.",
                )  # fmt: skip
                continue
            covered |= {model / name if name != "." else model for name in outcome.files}
            if self.trust is None:
                skipped.append(f"{where}: no key to check it with was given, only names were")
                yield from self._by_name(asset, where, model, outcome)
            else:
                yield from self._verified(asset, where, model, signature, skipped)
                size += sum(one.stat().st_size for one in covered if one.is_file())
        unsigned = [one for one in found if one.suffix in _WEIGHTS and one not in covered]
        if unsigned:
            yield self._unsigned(asset, path, unsigned)
        yield Inspection(
            probe=self.id,
            probe_version=self.version,
            asset=asset,
            files=len(found),
            bytes=size,
            skipped=tuple(skipped),
            seconds=time.monotonic() - began,
        )

    def _verified(
        self, asset: str, where: str, model: Path, signature: Path, skipped: list[str]
    ) -> Iterator[Finding]:
        assert self.trust is not None
        try:
            result = verify(model, signature, self.trust)
        except ButtressError as error:
            skipped.append(f"{where}: not checked: {error}")
            return
        if result.status == "valid":
            skipped.extend(f"{path}: the signature leaves it out" for path in result.uncovered)
            return
        if result.status == "changed":
            named = [*result.altered, *result.added, *result.removed]
            message = f"The model is not as it was signed: {_some(named) or result.reason}."
            yield self._finding(asset, where, "model-changed", "critical", message)
            return
        message = f"The signature is not from whom it should be: {result.reason}."
        yield self._finding(asset, where, "signature-invalid", "critical", message)

    def _by_name(
        self, asset: str, where: str, model: Path, manifest: SignedManifest
    ) -> Iterator[Finding]:
        """What can be told without reading the files: those that are gone."""
        gone = [
            name for name in sorted(manifest.files) if not (model / name).is_file() and name != "."
        ]
        if gone:
            message = f"Files that were signed are gone: {_some(gone)}."
            yield self._finding(asset, where, "model-changed", "medium", message)

    def _unsigned(self, asset: str, path: Path, unsigned: Sequence[Path]) -> Finding:
        names = [one.relative_to(path).as_posix() if one != path else one.name for one in unsigned]
        message = f"No signature covers these weights: {_some(names)}."
        return self._finding(asset, shortened(names[0]), "model-unsigned", "low", message)

    def _finding(
        self, asset: str, where: str, rule: str, severity: Severity, message: str
    ) -> Finding:
        return Finding(
            rule=rule,
            severity=severity,
            asset=asset,
            location=where,
            place=Location(where),
            message=message,
            remedy=_REMEDIES.get(rule, _REPLACE),
            references=_REFERENCES[rule],
            probe=self.id,
            probe_version=self.version,
        )


_SIGN: Final = "Sign the model where it is made, and check the signature before it is loaded."
_REPLACE: Final = "Don't load it. Fetch it from its source again, or find out who changed it."
_REMEDIES: Final = {"model-unsigned": _SIGN, "signature-unreadable": _SIGN}
_REFERENCES: Final = {
    "model-unsigned": ("CWE-353", "LLM03", "AML.T0010"),
    "model-changed": ("CWE-354", "LLM03", "LLM04", "AML.T0010"),
    "signature-invalid": ("CWE-347", "LLM03", "AML.T0010"),
    "signature-unreadable": ("CWE-347", "LLM03"),
}


def _model(signature: Path) -> Path:
    """What a signature belongs to: the file of its name without the ending, else its folder."""
    named = signature.with_suffix("")
    return named if named.is_file() else signature.parent


def _read(signature: Path) -> SignedManifest | str:
    """The manifest, or why there is none."""
    try:
        with signature.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return error.strerror or str(error)
    if len(data) > MAX_BYTES:
        return f"it is larger than {MAX_BYTES >> 20} MiB"
    try:
        return read(data)
    except BundleError as error:
        return str(error)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(shortened(name) for name in names[:_SHOWN]) + more


PROBE: Final = ModelSignature()
