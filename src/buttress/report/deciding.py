"""What would decide the undecided risks, each piece of advice once for all risks that share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_ELSE: Final = "; else "
_DETAIL: Final = ": "


@dataclass(frozen=True, slots=True)
class Advice:
    """What would decide ``risks``; ``otherwise`` where something else is advised first."""

    risks: tuple[str, ...]
    what: str
    otherwise: bool = False


def advice(would_decide: Iterable[tuple[str, str]]) -> list[Advice]:
    """Each piece of advice once.

    Advice that differs between risks in its detail alone, which stands behind a colon, is given
    without the detail: the report has it beside each risk. A second advice that several risks share
    stands by itself.

    Args:
        would_decide: a risk's name and what would decide it, empty where nothing is needed.
    """
    said = [(risk, what) for risk, what in would_decide if what]
    tails = Counter(what.partition(_ELSE)[2] for _, what in said)
    first: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for risk, what in said:
        head, _, tail = what.partition(_ELSE)
        shared = tail != "" and tails[tail] > 1
        first.append((risk, head if shared else what))
        if shared:
            others.append((risk, tail))
    return [
        *(Advice(risks, what) for risks, what in _grouped(first)),
        *(Advice(risks, what, otherwise=True) for risks, what in _grouped(others)),
    ]


def _grouped(said: list[tuple[str, str]]) -> list[tuple[tuple[str, ...], str]]:
    alike: dict[str, list[tuple[str, str]]] = {}
    for risk, what in said:
        alike.setdefault(what.partition(_DETAIL)[0], []).append((risk, what))
    return [
        (tuple(risk for risk, _ in group), head if len({w for _, w in group}) > 1 else group[0][1])
        for head, group in alike.items()
    ]
