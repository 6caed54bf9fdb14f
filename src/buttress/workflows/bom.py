"""A bill of materials of a system, a folder or a model, with what its licences say."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from buttress.documents.reading import load as load_assessment
from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Severity
from buttress.provenance.bom.document import DescribedSystem, document
from buttress.provenance.inventory.component import Inventory
from buttress.provenance.inventory.gather import complete, gather
from buttress.provenance.inventory.hashes import sha256
from buttress.provenance.inventory.system import commercial, of_system
from buttress.provenance.licences.judging import Conflict, IntendedUse
from buttress.provenance.licences.probe import conflicts
from buttress.system.manifest import FILE_NAME
from buttress.workflows.manifest import load


@dataclass(frozen=True, slots=True)
class BillOfMaterials:
    """A bill in CycloneDX 1.6, and what it was made of.

    ``commercial`` is whether the use is, None where nobody said.
    """

    document: dict[str, Any]
    inventory: Inventory
    conflicts: Sequence[Conflict]
    commercial: bool | None

    def encode(self) -> bytes:
        """The document as indented JSON in UTF-8."""
        return f"{json.dumps(self.document, indent=2, ensure_ascii=False)}\n".encode()

    def has_conflict(self, least: Severity) -> bool:
        """Whether a licence conflict is as grave as ``least``."""
        limit = SEVERITIES.index(least)
        return any(SEVERITIES.index(conflict.severity) >= limit for conflict in self.conflicts)


def bill_of_materials(
    path: Path,
    *,
    assessment: Path | None = None,
    commercial_use: bool | None = None,
    distributed: bool | None = None,
    installed: bool = False,
    hashes: bool = True,
) -> BillOfMaterials:
    """List models, data, code and packages with their licences, and judge these.

    Args:
        path: a manifest, the folder that holds one, any other folder, or a model file.
        assessment: ``assessment.json``, whose rates and verdicts go into the model cards.
        commercial_use: whether the use is commercial; None takes it from the manifest's purpose.
        distributed: whether the software is given to others; None where that is not known.
        installed: take versions and licences of Python packages from this environment.
        hashes: read all files for their SHA-256.

    Raises:
        InputError: nothing there, or nothing that belongs into a bill of materials.
    """
    described, inventory, said = _inventory(path)
    assessed = None if assessment is None else load_assessment(assessment)
    complete(inventory, installed=installed)
    use = said if commercial_use is None else commercial_use
    found = list(conflicts(inventory, IntendedUse(use, distributed)))
    files = [file for component in inventory.components for file in component.files]
    bill = document(
        described,
        inventory,
        hashes=sha256(files if hashes else ()),
        conflicts=found,
        assessment=assessed,
        timestamp=_timestamp(),
    )
    return BillOfMaterials(bill, inventory, found, use)


def _inventory(path: Path) -> tuple[DescribedSystem, Inventory, bool | None]:
    """What the whole is, its parts, and whether its purpose says that the use is commercial."""
    if not path.exists():
        raise InputError(
            "no such file or folder", file=str(path), expected="a manifest, a folder, or a model"
        )
    if path.suffix in (".yaml", ".yml") or (path / FILE_NAME).is_file():
        system = load(path)
        profile: dict[str, Any] = {
            "users": system.profile.users,
            "uses": [{"name": use.name} for use in system.profile.uses],
        }
        described = DescribedSystem(system.name, system.purpose, system.owner, profile)
        return described, of_system(system), commercial(system.purpose)
    inventory = gather(path)
    if not inventory.components:
        raise InputError(
            "nothing that belongs into a bill of materials", file=str(path),
            expected="models, data with a card, or a project with its dependencies",
        )  # fmt: skip
    return DescribedSystem(path.resolve().name), inventory, None


def _timestamp() -> str:
    """Now, or the time that reproducible builds give (SOURCE_DATE_EPOCH)."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        seconds = time.time() if given is None else int(given)
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        raise InputError(
            f"'{given}' is no time", field="SOURCE_DATE_EPOCH", expected="seconds since 1970"
        ) from None
