"""Packages that files of dependencies name, and what is known of those installed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from buttress.provenance.dependencies.dependency import Dependency, FormatError
from buttress.provenance.dependencies.formats import MAX_BYTES, parser
from buttress.provenance.inventory.card import read
from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.licences.expression import Declared

_LISTS: Final = {".txt", ".in", ".toml", ".lock", ".yml", ".yaml", ".cfg", ".json"}
_MAX_LICENCE: Final = 100  # characters: longer is a whole text, which some put there


def names_packages(path: Path) -> bool:
    """Whether a file is one that lists a project's packages: requirements, a lock, a manifest."""
    if path.suffix.lower() not in _LISTS and path.name not in ("Pipfile", "yarn.lock"):
        return False
    return parser(path.parent.name, path.name) is not None


def named(files: Iterable[Path], root: Path, inventory: Inventory) -> Iterator[Component]:
    """Packages that the files name, each once, with the version that some file fixes."""
    found: dict[tuple[str, str], tuple[Dependency, str]] = {}
    for path in files:
        parse = parser(path.parent.name, path.name)
        if parse is None:
            continue
        where = path.relative_to(root).as_posix() if path != root else path.name
        data = read(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            inventory.skipped.append(f"{where}: larger than {MAX_BYTES >> 20} MiB")
            continue
        try:
            parsed = parse(data.decode("utf-8-sig", "replace"))
        except FormatError as error:
            inventory.skipped.append(f"{where}: {error}")
            continue
        for one in parsed.dependencies:
            key = one.ecosystem, one.key
            before = found.get(key)
            if before is None or (one.version and not before[0].version):
                found[key] = one, where
    for (_, name), (one, where) in sorted(found.items()):
        yield Component(
            "package", name, where, version=one.version, ecosystem=one.ecosystem,
            description=one.specifier if not one.version else "",
        )  # fmt: skip


def installed(name: str) -> tuple[str, tuple[Declared, ...], tuple[str, ...]] | None:
    """Version, licences and requirements of a Python package that is installed beside Buttress."""
    try:
        found = distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
    metadata = found.metadata
    expression = "".join((metadata.get_all("License-Expression") or [])[:1])
    written = "".join((metadata.get_all("License") or [])[:1])
    classified = [
        one.rpartition("::")[2].strip()
        for one in metadata.get_all("Classifier") or ()
        if one.startswith("License ::")
    ]
    names = [one for one in classified if one != "OSI Approved"]
    where = f"metadata of {name}"
    licences: tuple[Declared, ...] = ()
    if expression:
        licences = (Declared(expression, where),)
    elif written and len(written) <= _MAX_LICENCE and "\n" not in written:
        licences = (Declared(written, where),)
    elif len(names) == 1:
        licences = (Declared(names[0], where),)
    return found.version, licences, tuple(found.requires or ())
