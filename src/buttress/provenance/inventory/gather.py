"""Finds the parts of a system in folders, and how they hang together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from buttress.files import bounded_toml
from buttress.files.tree import Tree
from buttress.provenance.inventory import packages
from buttress.provenance.inventory.card import card, declared, licence_files, read, text, texts
from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.inventory.models import json_file, models
from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.facts import of_model
from buttress.provenance.licences.judging import LicensedPart, Link, Relation

_DATA: Final = {".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".json", ".txt", ".zst", ".gz"}
_DATA_CARD: Final = {"dataset_info", "task_categories", "size_categories", "annotations_creators"}
_DATA_FILES: Final = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json"}
_CODE: Final = {"pyproject.toml", "setup.cfg", "setup.py", "package.json"}
_MAX_TOML: Final = 1 << 20
_MAX_INSTALLED: Final = 5_000


def gather(
    path: Path, *, kind: str = "", asset: str = "", name: str = "", tree: Tree | None = None
) -> Inventory:
    """All parts below a path.

    Args:
        kind: of the asset, as in a manifest; empty where nobody says what it is. A path of kind
            ``data`` is data, whatever it looks like; one of kind ``source`` is code.
        asset: id of the asset that the parts belong to.
        name: what the top is called, where its files don't say.
        tree: the files of ``path``, where they were listed before.
    """
    inventory = Inventory()
    tree = tree or Tree(path)
    found = [Path(file.path) for file in tree.files]
    inventory.skipped += tree.notes()
    inventory.files = len(found)
    root = path if path.is_dir() else path.parent
    by_folder: dict[Path, list[Path]] = {}
    for one in found:
        by_folder.setdefault(one.parent, []).append(one)
    if kind == "data":
        inventory.add(_data(path, found, "", name or path.resolve().name))
    else:
        data: list[Path] = []
        for folder, inside in by_folder.items():
            if any(folder.is_relative_to(one) for one in data):
                continue
            where = "" if folder == root else folder.relative_to(root).as_posix()
            if folder != root and _is_data(folder, inside):
                data.append(folder)
                below = [one for one in found if one.is_relative_to(folder)]
                inventory.add(_data(folder, below, where, folder.name))
            else:
                for model in models(folder, inside, where):
                    licences = model.licences or _inherited(folder, root)
                    inventory.add(replace(model, licences=licences))
        names = {one.name for one in by_folder.get(root, ())}
        named = names & _CODE or any(map(packages.names_packages, by_folder.get(root, ())))
        if path.is_dir() and (kind == "source" or named):
            code = inventory.add(_code(path, name))
            for package in packages.named(found, root, inventory):
                inventory.uses.append((code, inventory.add(package)))
    inventory.components = [replace(one, asset=asset) for one in inventory.components]
    return inventory


def _inherited(folder: Path, root: Path) -> tuple[Declared, ...]:
    """The licence files of the nearest folder above that has any, and is looked at."""
    while folder != root and folder.is_relative_to(root):
        folder = folder.parent
        if found := tuple(one for one, _ in licence_files(folder)):
            return found
    return ()


def _is_data(folder: Path, inside: Sequence[Path]) -> bool:
    if _DATA_FILES & {one.name for one in inside}:
        return True
    return bool(_DATA_CARD & card(folder).keys())


def _data(path: Path, found: Sequence[Path], where: str, name: str) -> Component:
    folder = path if path.is_dir() else path.parent
    front = card(folder)
    at = f"{where}/" if where else ""
    return Component(
        role="data",
        name=text(front.get("pretty_name")) or name,
        location=where or ".",
        licences=(
            *declared(front, f"{at}README.md"),
            *(Declared(one.text, f"{at}{one.source}") for one, _ in licence_files(folder)),
        ),
        files=tuple(one for one in found if one.suffix.lower() in _DATA),
        datasets=texts(front.get("source_datasets")),
        card=front,
    )


def _code(path: Path, name: str) -> Component:
    project, package = _project(path / "pyproject.toml"), json_file(path / "package.json")
    licences = []
    if project:
        given = project.get("license")
        if isinstance(given, dict):
            given = given.get("text")
        if written := text(given):
            licences.append(Declared(written, "pyproject.toml"))
    written = text(package.get("license"))
    if written and written.upper() != "UNLICENSED":  # npm's word for none
        licences.append(Declared(written, "package.json"))
    licences += [one for one, _ in licence_files(path)]
    return Component(
        role="code",
        name=text(project.get("name")) or text(package.get("name")) or name or path.resolve().name,
        location=".",
        version=text(project.get("version")) or text(package.get("version")),
        licences=tuple(licences),
        description=text(project.get("description")),
    )


def _project(path: Path) -> dict[str, Any]:
    try:
        found = bounded_toml.loads(read(path, _MAX_TOML).decode("utf-8", "replace"))
    except ValueError:
        return {}
    project = found.get("project")
    return project if isinstance(project, dict) else {}


def complete(inventory: Inventory, *, installed: bool = False) -> None:
    """Add parts that are only named, packages as they are installed, and all relations."""
    known: dict[str, int] = {}
    for index, one in enumerate(inventory.components):
        if one.role in ("model", "adapter", "data"):
            known.setdefault(_short(one.name), index)
            known.setdefault(_short(Path(one.location).name), index)
    for index in range(len(inventory.components)):
        one = inventory.components[index]
        for role, names in (("model", one.bases), ("data", one.datasets)):
            for name in names:
                target = known.get(_short(name))
                if target is None or target == index:
                    target = inventory.add(_named(role, name, one))
                    known[_short(name)] = target
                inventory.uses.append((index, target))
    if installed:
        _install(inventory)


def _short(name: str) -> str:
    """The last part of a name, as it is called on disk as well as with its owner."""
    return name.rstrip("/").rpartition("/")[2].lower()


def _named(role: str, name: str, by: Component) -> Component:
    maker = of_model(name) if role == "model" else None
    licences = (Declared(maker.id, "its maker's licence for models of this name"),) if maker else ()
    return Component(
        "model" if role == "model" else "data", name, licences=licences, asset=by.asset,
        external=True,
    )  # fmt: skip


def _install(inventory: Inventory) -> None:
    """Versions and licences from metadata, and what these packages need in turn."""
    index_of: dict[str, int] = {
        canonicalize_name(one.name): index
        for index, one in enumerate(inventory.components)
        if one.role == "package" and one.ecosystem == "PyPI"
    }
    queue = list(index_of)
    missing = 0
    while queue and len(index_of) < _MAX_INSTALLED:
        name = queue.pop()
        index = index_of[name]
        found = packages.installed(name)
        if found is None:
            missing += 1
            continue
        version, licences, requires = found
        one = inventory.components[index]
        if one.version and one.version != version:
            inventory.skipped.append(f"{name}: {version} is installed, {one.version} is asked for")
        inventory.components[index] = replace(
            one, version=one.version or version, licences=licences, description=""
        )
        for needed in _needed(requires):
            if needed not in index_of:
                index_of[needed] = inventory.add(
                    Component("package", needed, one.location, ecosystem="PyPI", asset=one.asset)
                )
                queue.append(needed)
            inventory.uses.append((index, index_of[needed]))
    if missing:
        inventory.skipped.append(f"{missing} packages are not installed here, so nothing is known")


def _needed(requires: Sequence[str]) -> Iterator[str]:
    for written in requires:
        try:
            one = Requirement(written)
        except InvalidRequirement:
            continue
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield canonicalize_name(one.name)


def subjects(inventory: Inventory) -> tuple[list[LicensedPart], list[Link]]:
    """The parts as rules on licences see them."""
    found = [
        LicensedPart(one.role, one.name, one.licences, one.location, one.external)
        for one in inventory.components
    ]
    links = []
    for left, right in inventory.uses:
        relation: Relation | None = _RELATIONS.get(found[right].role)
        if relation is not None and (relation == "package") == (
            found[left].role in ("code", "package")
        ):
            links.append(Link(found[left], relation, found[right]))
    return found, links


_RELATIONS: Final[dict[str, Relation]] = {
    "model": "base", "adapter": "base", "data": "data", "package": "package",
}  # fmt: skip
