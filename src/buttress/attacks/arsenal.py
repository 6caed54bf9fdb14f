"""A set of attacks as one: each request meets each family once, in a variant drawn for it.

So a rate over the arsenal is the chance that a request succeeds under an attack whose family is
drawn evenly, however many variants a family has.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress import extension
from buttress.attacks import template_library
from buttress.attacks.composition import JOIN, registered
from buttress.errors import InputError
from buttress.protocols.attack import Attack, AttackDescription
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.attacks.search.base import SearchAttack


@cache
def registered_families() -> Mapping[str, Attack]:
    """The registered single-turn families by id."""
    return {name: one for name, one in _registered().items() if not _searches(one)}


@cache
def registered_searches() -> Mapping[str, SearchAttack]:
    """The registered attacks that search, by id."""
    return {name: one for name, one in _registered().items() if _searches(one)}


@cache
def _registered() -> Mapping[str, Any]:
    return {name: extension.load("attacks", name) for name in extension.names("attacks")}


def _searches(attack: Any) -> bool:
    return not hasattr(attack, "apply")


def named_families(names: Sequence[str]) -> Mapping[str, Attack]:
    """The single-turn ones among ``names``, by id.

    A name is that of a registered attack, a composition ``a+b`` of single-turn ones, or a file of
    templates; or of an attack that searches, see ``named_searches``.

    Raises:
        InputError: no such attack or file, given twice, or a composition that can't be.
    """
    found: dict[str, Attack] = {}
    for name in names:
        if name.split(JOIN)[0] in registered_searches():
            continue
        family = _family(name)
        if family.id in found:
            raise InputError(f"'{family.id}' is given twice", field="attacks", expected="once")
        found[family.id] = family
    return found


def named_searches(names: Sequence[str]) -> Mapping[str, SearchAttack]:
    """The attacks that search among ``names``, by id.

    ``pair`` searches plainly, ``pair+obfuscation:base64`` in the disguise of a family's variant.

    Raises:
        InputError: no such disguise.
    """
    found: dict[str, SearchAttack] = {}
    for name in names:
        search, _, disguise = name.partition(JOIN)
        if search in registered_searches():
            plain = registered_searches()[search]
            found[name] = _disguised(plain, disguise) if disguise else plain
    return found


def _disguised(search: SearchAttack, disguise: str) -> SearchAttack:
    from buttress.attacks.search.composed import disguised

    name, _, variant = disguise.partition(":")
    family = _family(name)
    if variant not in family.variants:
        raise InputError(
            f"{search.id}{JOIN}{disguise}: no variant '{variant}'",
            field="attacks",
            expected=", ".join(f"{search.id}{JOIN}{name}:{one}" for one in family.variants),
        )
    try:
        return disguised(search, family, variant)
    except ValueError as error:
        raise InputError(str(error), field="attacks", expected="another disguise") from None


def _family(name: str) -> Attack:
    if Path(name).is_file():
        return template_library.load(Path(name))
    for one in name.split(JOIN):
        if one not in registered_families():
            known = ", ".join(_registered())
            raise InputError(
                f"'{one}' is no single-turn attack and no file",
                field="attacks",
                expected=f"a file of templates, or one of {known}",
            )
    try:
        return registered(name)
    except ValueError as error:
        raise InputError(f"{name}: {error}", field="attacks", expected="others") from None


def usable(family: Attack, language: str, *, images: bool) -> bool:
    """Whether requests in that language can be attacked; ``images``: the target takes pictures."""
    return language in family.languages and (images or not getattr(family, "images", False))


def digest_of(attacks: Mapping[str, Attack] | Mapping[str, SearchAttack]) -> str:
    """A version for a set of attacks, from their ids and versions."""
    content = "\n".join(f"{name}={one.version}" for name, one in attacks.items())
    return f"1+{hashlib.sha256(content.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class Arsenal(AttackDescription):
    """Its variants are the ids of the families: ``chosen``, or all registered ones."""

    id: str = "arsenal"
    title: str = "All families"
    references: tuple[str, ...] = ("AML.T0054", "AML.T0051", "LLM01")
    chosen: Mapping[str, Attack] | None = None

    @property
    def families(self) -> Mapping[str, Attack]:
        """The families by id."""
        return registered_families() if self.chosen is None else self.chosen

    @property
    def version(self) -> str:
        """A digest of the families and their versions."""
        return digest_of(self.families)

    @property
    def variants(self) -> Sequence[str]:
        """Ids of the families."""
        return tuple(self.families)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that any family is written for."""
        return tuple(
            dict.fromkeys(code for one in self.families.values() for code in one.languages)
        )

    def covers(self, variant: str, language: str, *, images: bool) -> bool:
        """Whether the family is written for that language, and asks what the target can take."""
        return usable(self.families[variant], language, images=images)

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The request in a variant of the family, drawn by seed and request.

        Raises:
            KeyError: no such family.
        """
        family = self.families[variant]
        rng = random.Random(f"{seed}:{variant}:{request}")
        chosen = rng.choice(tuple(family.variants))
        return family.apply(request, chosen, language=language, seed=seed)
