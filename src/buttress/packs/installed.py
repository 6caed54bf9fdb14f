"""The knowledge that installed packs give to a run."""

from __future__ import annotations

from buttress.packs.knowledge import OWN, Knowledge, PackFile
from buttress.packs.where import ids


def installed() -> Knowledge:
    """The contents of all installed packs, checked, by kind and in the order of ids.

    Raises:
        InputError: a pack does not load.
    """
    names = ids()
    if not names:
        return OWN
    from buttress.packs import home

    files: dict[str, tuple[PackFile, ...]] = {}
    for pack in map(home.load, names):
        for item in pack.manifest.contents:
            found = PackFile(pack.manifest.name, pack.folder / item.path)
            files[item.kind] = (*files.get(item.kind, ()), found)
    return Knowledge(files)
