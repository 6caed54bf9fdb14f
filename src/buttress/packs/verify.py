"""Checks the contents of a pack with the very loaders that will use them."""

from __future__ import annotations

from pathlib import Path

from buttress import extension
from buttress.errors import InputError
from buttress.packs.contents import ChecksOwnRules, contents_of, kinds
from buttress.packs.manifest import Manifest


def contents(manifest: Manifest, folder: Path) -> None:
    """Load every file, and try the examples of every rule.

    Args:
        manifest: of the pack.
        folder: where its files lie.

    Raises:
        InputError: naming the pack, the file, and the rule and its example where there is one.
    """
    seen: dict[str, str] = {}
    beside: dict[str, list[Path]] = {}
    for item in manifest.contents:
        beside.setdefault(item.kind, []).append(folder / item.path)
    for item in manifest.contents:
        try:
            kind = contents_of(item.kind)
            with extension.naming_plugin("pack_contents", item.kind):
                rules = kind.check(folder / item.path, manifest.name, beside)
        except InputError as error:
            raise _of_pack(manifest, folder, error) from None
        for rule in rules:
            if not rule.startswith(f"{manifest.id}-") or rule in seen:
                raise InputError(
                    f"rule '{rule}'" + (f" is also in {seen[rule]}" if rule in seen else ""),
                    file=f"pack {manifest.name}: {item.path}",
                    expected=f"ids of its own that begin with {manifest.id}-",
                )
            seen[rule] = item.path


def own_rules() -> int:
    """How many rules come with Buttress, all of which pass their examples.

    Raises:
        InputError: one does not.
    """
    found = map(contents_of, kinds())
    return sum(kind.check_own() for kind in found if isinstance(kind, ChecksOwnRules))


def _of_pack(manifest: Manifest, folder: Path, error: InputError) -> InputError:
    """The error with the file's name in the pack instead of where it happens to lie."""
    file = error.file or ""
    inside = file.removeprefix(folder.as_posix()).removeprefix(str(folder)).lstrip("/\\")
    named = f"pack {manifest.name}: {inside}" if inside else f"pack {manifest.name}"
    return InputError(
        error.problem, file=named, line=error.line, field=error.field, expected=error.expected
    )
