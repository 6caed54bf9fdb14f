"""Signatures over the manifests of packs, made and checked as those of models are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.provenance import signing, verification


class _Signatures:
    def sign(self, file: Path, signature: Path, key: Path, password: str | None) -> None:
        signing.sign(file, signature, signing.PrivateKey(key, password))

    def problem(self, file: Path, signature: Path, key: Path) -> tuple[str, bool]:
        result = verification.verify(file, signature, verification.PublicKey(key))
        if result.status == "valid":
            return "", False
        if result.altered:
            return f"{file.name} is not as it was signed", True
        return result.reason, result.status in ("changed", "unreadable")


SIGNATURES: Final = _Signatures()
