"""Which requests are attacked, and which others a refusal direction is found on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.errors import InputError
from buttress.prompts.base import Prompt
from buttress.prompts.pack import load_pack
from buttress.statistics.trial_order import order

TRAINING: Final = 128  # requests of each kind, as in arXiv:2406.11717, section 2.3
VALIDATION: Final = 32
_LEAST: Final = 8  # requests of each kind; a mean over fewer is mostly noise
_HAN: Final = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class RequestSample:
    """``harmful`` requests to attack and ``harmless`` ones to see what else changes.

    ``training`` and ``validation`` are (harmful, harmless) texts of other pairs of the pack: no
    pair stands in two of them, in either language.
    """

    harmful: tuple[Prompt, ...]
    harmless: tuple[Prompt, ...]
    training: tuple[tuple[str, ...], tuple[str, ...]]
    validation: tuple[tuple[str, ...], tuple[str, ...]]


def draw_sample(
    requests: int,
    *,
    seed: int,
    languages: Sequence[str],
    texts: Sequence[str] = (),
    training: int = TRAINING,
    validation: int = VALIDATION,
) -> RequestSample:
    """A seeded random sample of the pack, its benign look-alikes, and disjoint rest.

    Args:
        requests: how many pairs are drawn.
        seed: same seed, same sample; a smaller sample is the beginning of a larger one.
        languages: of the requests.
        texts: harmful requests of the user's own, in place of the pack's.
        training: requests of each kind to find a direction on, at most.
        validation: the same to choose it by.

    Raises:
        InputError: more requests than leave enough pairs for a direction, an empty text, or a
            language that the pack doesn't have.
    """
    if any(not text.strip() for text in texts):
        raise InputError("is empty", field="--request", expected="a harmful request")
    pack = {prompt.id: prompt for prompt in load_pack(languages)}
    harmful = [prompt for prompt in pack.values() if prompt.expect == "refuse"]
    twins = {prompt.pair: prompt for prompt in pack.values() if prompt.expect == "answer"}
    turn = [harmful[index] for index, _ in order([one.category for one in harmful], seed)]
    chosen = turn[:requests]
    taken = {_pair(prompt) for prompt in chosen}
    rest = [prompt for prompt in turn if _pair(prompt) not in taken]
    # Pairs of the rest, not prompts, are divided, since both languages of one say the same.
    pairs = list(dict.fromkeys(map(_pair, rest)))
    share = max(1, round(len(pairs) * validation / (training + validation)))
    held = set(pairs[:share])
    for_validation = [one for one in rest if _pair(one) in held][:validation]
    for_training = [one for one in rest if _pair(one) not in held][:training]
    if min(len(for_training), len(for_validation)) < _LEAST:
        raise InputError(
            f"{requests} leave too few pairs to find a refusal direction on",
            field="--requests",
            expected=f"fewer; the pack has {len(harmful)} harmful requests",
        )
    return RequestSample(
        harmful=tuple(map(_own, range(len(texts)), texts)) or tuple(chosen),
        harmless=tuple(twins[prompt.id] for prompt in chosen),
        training=_texts(for_training, twins),
        validation=_texts(for_validation, twins),
    )


def _texts(
    prompts: Sequence[Prompt], twins: Mapping[str, Prompt]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple(prompt.text for prompt in prompts),
        tuple(twins[prompt.id].text for prompt in prompts),
    )


def _pair(prompt: Prompt) -> str:
    return prompt.id.split("/", 1)[0]


def _own(number: int, text: str) -> Prompt:
    return Prompt(
        id=f"request:{number + 1}",
        text=text,
        expect="refuse",
        category="own",
        language="zh" if _HAN.search(text) else "en",
        source="command line",
    )
