"""From names like ``pack:acme/strict`` to files of installed packs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.errors import InputError
from buttress.packs import home
from buttress.packs.manifest import Manifest
from buttress.packs.where import ids

if TYPE_CHECKING:
    from buttress.probes.source.code.rulebook import Rule as CodeRule
    from buttress.probes.source.credentials.rules import Rule as SecretRule
    from buttress.rules.rulebook import Rule as SubjectRule

PREFIX: Final = "pack:"


def items(kind: str) -> list[tuple[Manifest, Path]]:
    """The files of that kind in all installed packs, each with its pack, in order of ids.

    Raises:
        InputError: a pack does not load.
    """
    return [
        (pack.manifest, pack.folder / item.path)
        for pack in map(home.load, ids())
        for item in pack.manifest.contents
        if item.kind == kind
    ]


def files(kind: str) -> list[Path]:
    """The files of that kind in all installed packs, in order of ids.

    Raises:
        InputError: a pack does not load.
    """
    return [path for _, path in items(kind)]


def secret_rules() -> list[SecretRule]:
    """The rules for credentials of all installed packs.

    Raises:
        InputError: a pack does not load.
    """
    found = files("secret-rules")
    if not found:
        return []
    from buttress.probes.source.credentials.pack_rules import load

    return [rule for path in found for rule in load(path)]


def code_rules() -> list[CodeRule]:
    """The rules about code of all installed packs.

    Raises:
        InputError: a pack does not load.
    """
    found = files("code-rules")
    if not found:
        return []
    from buttress.probes.source.code.rulebook import load_rules

    return [rule for path in found for rule in load_rules(path, verify=False)]


def subject_rules(kind: str) -> dict[str, SubjectRule]:
    """The ``infrastructure-rules`` or ``agent-rules`` of all installed packs, by id.

    Raises:
        InputError: a pack does not load, or two packs have a rule of the same id.
    """
    found: dict[str, SubjectRule] = {}
    for manifest, path in items(kind) if ids() else ():
        from buttress.probes.deployment.pack_rules import load

        for rule in load(path):
            if rule.id in found:
                raise InputError(
                    f"rule '{rule.id}' is in another pack too", file=f"pack {manifest.name}",
                    expected="one of the packs removed",
                )  # fmt: skip
            found[rule.id] = rule
    return found


def resolve(name: str, kinds: tuple[str, ...] = ()) -> Path:
    """The file that ``pack:ID/NAME`` names: by its path in the pack, or that without its suffix.

    Args:
        name: with ``pack:`` in front.
        kinds: the kinds that will do; all where empty.

    Raises:
        InputError: not of that form; no such pack or file; several files of that name.
    """
    pack, mark, inside = name.removeprefix(PREFIX).partition("/")
    if not name.startswith(PREFIX) or not mark or not inside:
        raise InputError(f"'{name[:80]}' names nothing", expected="pack:ID/NAME")
    found = home.load(pack)
    able = [item for item in found.manifest.contents if not kinds or item.kind in kinds]
    spellings: tuple[Callable[[str], str], ...] = (str, _without_suffix, _last)
    for spelt in spellings:
        hits = [item for item in able if spelt(item.path) == inside]
        if len(hits) == 1:
            return found.folder / hits[0].path
        if hits:
            break
    names = ", ".join(f"pack:{pack}/{item.path}" for item in able)
    problem = f"pack '{pack}' has no '{inside[:80]}'"
    if kinds:
        problem += " that is " + " or ".join(kinds)
    raise InputError(problem, expected=f"one of {names}" if names else "another pack")


def _without_suffix(path: str) -> str:
    head, mark, last = path.rpartition("/")
    return head + mark + last.rpartition(".")[0]


def _last(path: str) -> str:
    return _without_suffix(path).rpartition("/")[2]
