"""The bill of materials of a system: CycloneDX 1.6 in JSON (ECMA-424)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from buttress import __version__
from buttress.files.visible import visible
from buttress.provenance.bom.model_card import model_card
from buttress.provenance.bom.package_url import package_url
from buttress.provenance.inventory.card import text, texts
from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.judging import NO_ADVICE, Conflict

MAX_FILES: Final = 5_000  # of one part that are listed one by one
_SPACE: Final = uuid.UUID("6f1d0f3a-3b0f-5c55-9f0a-0f6d1f4a7c11")  # ours, for serial numbers
_TYPES: Final = {
    "model": "machine-learning-model", "adapter": "machine-learning-model", "data": "data",
    "code": "application", "package": "library",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DescribedSystem:
    """What is said of the system as a whole."""

    name: str
    purpose: str = ""
    owner: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


def document(
    system: DescribedSystem,
    inventory: Inventory,
    *,
    hashes: Mapping[Path, str],
    conflicts: Sequence[Conflict] = (),
    assessment: Mapping[str, Any] | None = None,
    timestamp: str,
) -> dict[str, Any]:
    """The document. Its serial number follows from its content, the time left out.

    Args:
        system: what it is the bill of.
        inventory: the parts, complete.
        hashes: SHA-256 of files, in hex; of those that lack, none is written.
        conflicts: of licences; written as annotations.
        assessment: an assessment's document, for the model cards.
        timestamp: ISO 8601.
    """
    references = _references(inventory.components)
    assessed = {
        row["asset"] for risk in (assessment or {}).get("risks", ()) for row in risk["assets"]
        if risk["kind"] == "trials"
    }  # fmt: skip
    uses: dict[int, list[int]] = {}
    for left, right in inventory.uses:
        uses.setdefault(left, []).append(right)
    parts = []
    for index, one in enumerate(inventory.components):
        part = _component(one, references[index], system, hashes)
        if one.role in ("model", "adapter"):
            others = [(other, inventory.components[other]) for other in uses.get(index, ())]
            datasets = [references[other] for other, that in others if that.role == "data"]
            part["modelCard"] = model_card(
                one, datasets, assessment, system.profile, alone=len(assessed) == 1
            )
            bases = [that for _, that in others if that.role in ("model", "adapter")]
            if bases:
                part["pedigree"] = _pedigree(one, bases)
        parts.append(part)
    root = {
        "type": "application", "bom-ref": "system", "name": system.name,
        "description": system.purpose or None,
        "manufacturer": {"name": system.owner} if system.owner else None,
    }  # fmt: skip
    body: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": "buttress", "version": __version__}]
            },
            "component": {key: value for key, value in root.items() if value is not None},
        },
        "components": parts,
        "dependencies": _dependencies(references, uses),
    }
    if inventory.skipped:
        body["metadata"]["properties"] = [
            {"name": "buttress:not-read", "value": note} for note in inventory.skipped
        ]
    body = _visible(body)
    content = json.dumps([body, [one.message for one in conflicts]], sort_keys=True)
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SPACE, content)}"
    body["metadata"]["timestamp"] = timestamp
    if conflicts:
        body["annotations"] = _visible(_annotations(conflicts, inventory, references, timestamp))
    return body


def _visible(value: Any) -> Any:
    """A value whose texts hold nothing that can't be written or steers a terminal."""
    if isinstance(value, dict):
        return {_visible(key): _visible(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_visible(one) for one in value]
    return visible(value, keep="\n\t") if isinstance(value, str) else value


def _references(components: Sequence[Component]) -> list[str]:
    """A name for each part, unique in the document."""
    taken: dict[str, int] = {}
    found = []
    for one in components:
        name = ":".join(text for text in (one.role, one.asset, one.name) if text)
        if one.version:
            name += f"@{one.version}"
        name = _visible(name)
        taken[name] = taken.get(name, 0) + 1
        found.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    return found


def _component(
    one: Component, reference: str, system: DescribedSystem, hashes: Mapping[Path, str]
) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": _TYPES[one.role], "bom-ref": reference, "name": one.name,
    }  # fmt: skip
    described = one.description or text(one.card.get("summary"))
    for key, value in (
        ("version", one.version),
        ("description", described),
        ("purl", package_url(one)),
        ("licenses", _licences(one.licences)),
        ("supplier", _supplier(one)),
    ):
        if value:
            part[key] = value
    if one.role == "data":
        part["data"] = [_data(one, system)]
    _files(part, one, hashes)
    properties: list[tuple[str, str]] = [("buttress:role", one.role)]
    if one.location:
        properties.append(("buttress:location", one.location))
    if one.asset:
        properties.append(("buttress:asset", one.asset))
    if one.external:
        properties.append(("buttress:external", "named only, not inspected"))
    if one.licences:
        sources = dict.fromkeys(licence.source for licence in one.licences)
        properties.append(("buttress:licence-source", ", ".join(sources)))
    if len(one.files) > MAX_FILES:
        properties.append(("buttress:files-not-listed", str(len(one.files) - MAX_FILES)))
    part["properties"] = [{"name": name, "value": value} for name, value in properties]
    return part


def _supplier(one: Component) -> dict[str, str]:
    """Whose account on a model hub a model that is only named lies under."""
    owner, mark, _ = one.name.partition("/")
    named = one.external and mark and one.role in ("model", "adapter") and package_url(one)
    return {"name": owner} if named else {}


def _licences(declared: Sequence[Declared]) -> list[dict[str, Any]]:
    shown = {one.shown: one for one in declared}
    if len(shown) == 1:
        ((name, one),) = shown.items()
        if one.known and (" " in name):
            return [{"expression": name, "acknowledgement": "declared"}]
    return [{"license": _licence(name, one)} for name, one in shown.items()]


def _licence(name: str, one: Declared) -> dict[str, Any]:
    known = one.choices[0][0] if len(one.choices) == 1 and len(one.choices[0]) == 1 else None
    said = {"acknowledgement": "declared"}
    if known is not None and known.spdx:
        return {"id": known.id} | said
    return {"name": name} | said


def _data(one: Component, system: DescribedSystem) -> dict[str, Any]:
    """What is said of data: origin, language, tasks, who answers for it."""
    facts = [
        {"name": f"buttress:card:{key}", "value": ", ".join(texts(one.card[key]))}
        for key in ("language", "task_categories", "size_categories", "annotations_creators",
                    "source_datasets")
        if texts(one.card.get(key))
    ]  # fmt: skip
    found: dict[str, Any] = {"type": "dataset", "name": one.name}
    if facts:
        found["contents"] = {"properties": facts}
    owner = one.name.partition("/")[0] if one.external and "/" in one.name else system.owner
    if owner:
        found["governance"] = {"owners": [{"organization": {"name": owner}}]}
    return found


def _files(part: dict[str, Any], one: Component, hashes: Mapping[Path, str]) -> None:
    """Digests: of the part itself where it is one file, else of each of its files."""

    def digest(path: Path) -> list[dict[str, str]]:
        found = hashes.get(path)
        return [{"alg": "SHA-256", "content": found}] if found else []

    if len(one.files) == 1:
        if found := digest(one.files[0]):
            part["hashes"] = found
        return
    inside = []
    for number, path in enumerate(one.files[:MAX_FILES]):
        entry: dict[str, Any] = {
            "type": "file",
            "bom-ref": f"{part['bom-ref']}:file:{number}",
            "name": path.name,
        }
        if found := digest(path):
            entry["hashes"] = found
        inside.append(entry)
    if inside:
        part["components"] = inside


def _pedigree(one: Component, bases: Sequence[Component]) -> dict[str, Any]:
    ancestors = []
    for base in bases:
        entry: dict[str, Any] = {"type": _TYPES[base.role], "name": base.name}
        if url := package_url(base):
            entry["purl"] = url
        if found := _licences(base.licences):
            entry["licenses"] = found
        ancestors.append(entry)
    return {"ancestors": ancestors, "notes": f"relation to its base: {one.relation or 'not said'}"}


def _dependencies(
    references: Sequence[str], uses: Mapping[int, Sequence[int]]
) -> list[dict[str, Any]]:
    used = {right for rights in uses.values() for right in rights}
    first = [references[index] for index in range(len(references)) if index not in used]
    found: list[dict[str, Any]] = [{"ref": "system", "dependsOn": first}]
    for index, name in enumerate(references):
        entry: dict[str, Any] = {"ref": name}
        if index in uses:
            entry["dependsOn"] = sorted({references[other] for other in uses[index]})
        found.append(entry)
    return found


def _annotations(
    conflicts: Sequence[Conflict],
    inventory: Inventory,
    references: Sequence[str],
    timestamp: str,
) -> list[dict[str, Any]]:
    by_place = {
        (one.role, one.name, one.location): references[index]
        for index, one in enumerate(inventory.components)
    }
    return [
        {
            "bom-ref": f"licence-conflict:{number}",
            "subjects": [
                by_place[conflict.subject.role, conflict.subject.name, conflict.subject.location]
            ],
            "annotator": {
                "component": {"type": "application", "name": "buttress", "version": __version__}
            },
            "timestamp": timestamp,
            "text": f"[{conflict.rule.id}, {conflict.severity}] {conflict.message} "
            f"{conflict.rule.remedy} {NO_ADVICE}",
        }
        for number, conflict in enumerate(conflicts)
    ]
