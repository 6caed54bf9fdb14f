"""Makes a pack of AI-Infra-Guard's rules: the files as they are, and what its NOTICE asks for."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Final

import orjson

from buttress.packs.manifest import FILE_NAME
from buttress.packs.version import Version
from buttress.probes.infrastructure.aig.files import MAX_BYTES, RuleFolder, RuleProblem, read_rules
from buttress.probes.infrastructure.aig.pack_contents import KIND
from buttress.probes.infrastructure.aig.sources import (
    ADVISORIES,
    FINGERPRINTS,
    FolderSource,
    source_in,
)

PACK_ID: Final = "ai-infra-guard"
ATTRIBUTION: Final = (
    "Based on Tencent Zhuque Lab AI-Infra-Guard (https://github.com/Tencent/AI-Infra-Guard)"
)
_ARCHIVE: Final = "rules.zip"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same rules make the same bytes
_DISTRIBUTION: Final = re.compile(r"aig_infra_scan-(.+)\.dist-info")


def write_pack(folder: Path, target: Path) -> RuleFolder:
    """Write a pack of the rules in ``folder`` into the empty folder ``target``.

    The version is that of the installed package; of a checkout it is 0.0.0 with a digest.

    Returns:
        The rules; its ``problems`` name the files that can't be used.

    Raises:
        InputError: there are no rules in the folder.
        OSError: not writable.
    """
    source = source_in(folder, "FOLDER")
    rules = read_rules([source], option="FOLDER")
    with zipfile.ZipFile(target / _ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (FINGERPRINTS, *ADVISORIES):
            for name in source.names(part):
                try:
                    data = source.read(name, MAX_BYTES + 1)
                except OSError as error:
                    data, why = b"", error.strerror or str(error)
                else:
                    why = "more than 4 MiB" if len(data) > MAX_BYTES else ""
                if not why:
                    archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
                elif not any(one.file == name for one in rules.problems):
                    rules.problems.append(RuleProblem(name, why))
    digest = hashlib.sha256((target / _ARCHIVE).read_bytes()).hexdigest()
    manifest = {
        "format": "buttress-pack/1",
        "id": PACK_ID,
        "version": _version(source, digest),
        "title": "Fingerprints and advisories of AI-Infra-Guard, unchanged",
        "licence": "Apache-2.0",
        "authors": ["Tencent Zhuque Lab"],
        "contents": [{"kind": KIND, "path": _ARCHIVE, "sha256": digest}],
    }
    (target / FILE_NAME).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    for path in _notices(source):
        (target / path.name).write_bytes(path.read_bytes()[:MAX_BYTES])
    (target / "README.md").write_text(
        f"# Rules of AI-Infra-Guard\n\n{ATTRIBUTION}.\n\n`{_ARCHIVE}` holds its files unchanged. "
        "They are under the Apache License 2.0.\n",
        encoding="utf-8",
    )
    return rules


def _version(source: FolderSource, digest: str) -> str:
    for path in _distributions(source):
        match = _DISTRIBUTION.fullmatch(path.name)
        if match is not None:
            try:
                return Version(match[1]).text
            except ValueError:
                continue
    return f"0.0.0+{digest[:12]}"


def _distributions(source: FolderSource) -> list[Path]:
    """The metadata of the installed package that the rules belong to, if they do."""
    package = source.base.resolve().parent
    if package.name != "aig_infra_scan":
        return []
    return sorted(package.parent.glob("aig_infra_scan-*.dist-info"))


def _notices(source: FolderSource) -> list[Path]:
    """Licence and notice that come with the rules."""
    base = source.base.resolve()
    places = [base, base.parent, *(one / "licenses" for one in _distributions(source))]
    found = {
        path.name: path
        for place in places
        for name in ("LICENSE", "NOTICE")
        for path in (place / name, place / f"{name}.txt", place / f"{name}.md")
        if path.is_file() and not path.is_symlink()
    }
    return list(found.values())
