"""Packs for tests."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import yaml

SECRETS = """\
rules:
  - id: acme-token
    title: Token of Acme
    keywords: [acmetok_]
    pattern: '\\b(acmetok_[0-9A-Za-z]{32})\\b'
    severity: critical
    remedy: Revoke it.
    references: [CWE-798]
    positive: ['t = "acmetok_{base62:32}"']
    negative: ['acmetok_{base62:12}']
"""
KEY = "acmetok_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"


def manifest(files: Mapping[str, tuple[str, str]], **fields: object) -> str:
    """``pack.yaml`` for files, each path with its kind and text."""
    data: dict[str, object] = {
        "format": "buttress-pack/1", "id": "acme", "version": "1.0.0", "title": "Acme's rules",
        "licence": "Apache-2.0", "authors": ["Acme"],
        "contents": [
            {"kind": kind, "path": path, "sha256": hashlib.sha256(text.encode()).hexdigest()}
            for path, (kind, text) in files.items()
        ],
    }  # fmt: skip
    return yaml.safe_dump(data | fields, sort_keys=False)


def make(
    folder: Path, files: Mapping[str, tuple[str, str]] | None = None, **fields: object
) -> Path:
    """A pack in a folder; with one secret rule if nothing else is said."""
    files = {"rules/secrets.yaml": ("secret-rules", SECRETS)} if files is None else files
    for path, (_, text) in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(manifest(files, **fields), encoding="utf-8")
    return folder


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    """The folder as an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path
