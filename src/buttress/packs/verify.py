"""Checks the contents of a pack with the very loaders that will use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.packs.manifest import Item, Manifest


def contents(manifest: Manifest, folder: Path) -> None:
    """Load every file, and try the examples of every rule.

    Args:
        manifest: of the pack.
        folder: where its files lie.

    Raises:
        InputError: naming the pack, the file, and the rule and its example where there is one.
    """
    seen: dict[str, str] = {}
    for item in manifest.contents:
        try:
            rules = _CHECKS[item.kind](manifest, item, folder)
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


def _of_pack(manifest: Manifest, folder: Path, error: InputError) -> InputError:
    """The error with the file's name in the pack instead of where it happens to lie."""
    file = error.file or ""
    inside = file.removeprefix(folder.as_posix()).removeprefix(str(folder)).lstrip("/\\")
    named = f"pack {manifest.name}: {inside}" if inside else f"pack {manifest.name}"
    return InputError(
        error.problem, file=named, line=error.line, field=error.field, expected=error.expected
    )


def _secret_rules(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.probes.source.credentials.pack_rules import load, try_examples

    rules = load(folder / item.path)
    try_examples(rules, folder / item.path)
    return [rule.id for rule in rules]


def _code_rules(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.probes.source.code.rulebook import load_rules

    return [rule.id for rule in load_rules(folder / item.path, verify=True)]


def _subject_rules(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.probes.deployment.pack_rules import field_of, load, try_examples

    rules, field = load(folder / item.path), field_of(item.kind)
    if taken := [rule.id for rule in rules if rule.id in field.own()]:
        raise InputError(
            f"rule '{taken[0]}' is one of Buttress's own", file=str(folder / item.path),
            expected="another id",
        )  # fmt: skip
    try_examples(rules, field, folder / item.path)
    return [rule.id for rule in rules]


def _pickle_names(manifest: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.probes.artifacts.pack.pickle_names import try_examples

    try_examples(folder / item.path, item.kind, manifest.name)
    return []


def _known_good(manifest: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.probes.artifacts.pack.known_good import load

    load(folder / item.path, manifest.name)
    return []


def _fingerprints(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.packs.fingerprints import load

    load(folder / item.path)
    return []


def _prompts(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.prompts.public.rows import read_rows

    if not any(True for _ in read_rows(folder / item.path)):
        raise InputError("no prompts", file=str(folder / item.path), expected="at least one row")
    return []


def _templates(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.attacks.template_library import load

    load(folder / item.path)
    return []


def _risks(_: Manifest, item: Item, folder: Path) -> list[str]:
    from buttress.risk.catalogue import load_catalogue

    load_catalogue(folder / item.path)
    return []


def _policy(manifest: Manifest, item: Item, folder: Path) -> list[str]:
    """A policy may name the risks of its own pack."""
    from buttress.risk.catalogue import load_catalogue
    from buttress.risk.policy import load_policy

    known = set(load_catalogue().risks)
    for other in manifest.contents:
        if other.kind == "risks":
            known |= set(load_catalogue(folder / other.path).risks)
    load_policy(str(folder / item.path), known)
    return []


_CHECKS: Final[Mapping[str, Callable[[Manifest, Item, Path], list[str]]]] = {
    "secret-rules": _secret_rules,
    "code-rules": _code_rules,
    "infrastructure-rules": _subject_rules,
    "agent-rules": _subject_rules,
    "pickle-allowlist": _pickle_names,
    "pickle-danger": _pickle_names,
    "fingerprints": _fingerprints,
    "known-good": _known_good,
    "prompts": _prompts,
    "attack-templates": _templates,
    "risks": _risks,
    "policy": _policy,
}
