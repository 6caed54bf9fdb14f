"""Attacks on top of attacks: the result of one is the request of the next.

Wei et al. 2023, "Jailbroken", section 4: combinations (such as prefix injection, refusal
suppression and Base64 together) do better than their parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

from buttress import extension
from buttress.protocols.attack import Attack, AttackDescription
from buttress.targets.base import Message

JOIN = "+"


@dataclass(frozen=True, slots=True)
class ComposedAttack(AttackDescription):
    """``outer`` applied to what ``inner`` makes of a request; see ``compose``."""

    outer: Attack
    inner: Attack
    pairs: Mapping[str, tuple[str, str]]
    languages: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def id(self) -> str:
        """Both ids, the outer one first."""
        return f"{self.outer.id}{JOIN}{self.inner.id}"

    @property
    def version(self) -> str:
        """Both versions."""
        return f"{self.outer.version}{JOIN}{self.inner.version}"

    @property
    def title(self) -> str:
        """Both titles."""
        return f"{self.outer.title} {JOIN} {self.inner.title}"

    @property
    def variants(self) -> Sequence[str]:
        """The pairs' names."""
        return tuple(self.pairs)

    @property
    def calls(self) -> int:
        """Each question of one is asked in every way of the other."""
        return self.outer.calls * self.inner.calls

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The inner attack's earlier turns, then what the outer attack makes of its last one."""
        above, below = self.pairs[variant]
        *earlier, last = self.inner.apply(request, below, language=language, seed=seed)
        return (*earlier, *self.outer.apply(last.content, above, language=language, seed=seed))


def compose(
    outer: Attack, inner: Attack, pairs: Iterable[tuple[str, str]] | None = None
) -> ComposedAttack:
    """An attack with id ``outer+inner``: first ``inner`` transforms the request, then ``outer``.

    Composition is associative, so ``compose(a, compose(b, c))`` and ``compose(compose(a, b), c)``
    send the same messages. References are joined, calls multiplied; the languages are those that
    both cover.

    Args:
        outer: applied last.
        inner: applied first.
        pairs: variants to combine, (outer, inner); all pairs where left out.

    Raises:
        ValueError: no language in common, no pair, a pair given twice, or a pair that names a
            variant that its family lacks.
    """
    languages = tuple(one for one in outer.languages if one in inner.languages)
    if not languages:
        raise ValueError(f"{outer.id} and {inner.id} have no language in common")
    wanted = list(product(outer.variants, inner.variants) if pairs is None else pairs)
    for above, below in wanted:
        if above not in outer.variants:
            raise ValueError(f"{outer.id} has no variant {above!r}")
        if below not in inner.variants:
            raise ValueError(f"{inner.id} has no variant {below!r}")
    named = {f"{above}{JOIN}{below}": (above, below) for above, below in wanted}
    if not named or len(named) < len(wanted):
        raise ValueError("each pair of variants once, and at least one")
    references = tuple(dict.fromkeys((*outer.references, *inner.references)))
    return ComposedAttack(outer, inner, named, languages, references)


def registered(name: str) -> Attack:
    """The registered attack of that name; ``a+b+c`` composes registered ones, ``a`` outermost.

    Raises:
        InputError: no such attack; the message lists the valid ones.
    """
    families: list[Attack] = [extension.load("attacks", one) for one in name.split(JOIN)]
    return reduce(compose, families)
