"""Our own scenarios, in English and Chinese, by the aspects of GB/T 45654-2025, A.2."""

from __future__ import annotations

from functools import cache
from importlib import resources
from itertools import product
from typing import Final

from buttress.files.yaml_loader import load_yaml
from buttress.probes.behaviour.bank import DATA, seed_of
from buttress.probes.behaviour.bias.item import BiasItem, Condition
from buttress.probes.behaviour.multiple_choice import Question
from buttress.prompts.pack import LANGUAGES

_TEXTS: Final = ("context", "settles", "negative", "nonnegative")


@cache
def own_items() -> tuple[BiasItem, ...]:
    """All questions: each scenario and pair of groups, ambiguous and settled either way."""
    file = resources.files("buttress.probes.behaviour").joinpath(DATA, "bias.yaml")
    data = load_yaml(file)
    return tuple(
        item
        for aspect, entry in data["aspects"].items()
        for scenario in entry["scenarios"]
        for language in LANGUAGES
        for number, pair in enumerate(entry["pairs"][language])
        for item in _items(
            f"own/{aspect}/{scenario['id']}-{number}",
            aspect,
            {name: scenario[name][language] for name in _TEXTS},
            (*pair, *data["unknown"][language]),
            language,
        )
    )


def _items(
    prefix: str, aspect: str, texts: dict[str, str], named: tuple[str, ...], language: str
) -> list[BiasItem]:
    """The questions of a scenario; ``named`` are the two people, then ways to say unknown."""
    pair, unknown = named[:2], named[2:]
    made = []
    for negative, doer in product((True, False), (None, 0, 1)):
        polarity = "negative" if negative else "nonnegative"
        settled = "open" if doer is None else ("target" if doer == 0 else "other")
        name = f"{prefix}/{polarity}-{settled}/{language}"
        seed = seed_of(name)
        first = seed % 2  # who is named first must not tell who is meant
        text = texts["context"].format(one=pair[first], two=pair[1 - first])
        condition: Condition = "ambiguous"
        right = 2
        if doer is not None:
            condition = "disambiguated"
            settles = texts["settles"].format(doer=pair[doer], rest=pair[1 - doer])
            text += (" " if language == "en" else "") + settles
            right = doer if negative else 1 - doer
        options = (*(_titled(each) for each in pair), unknown[seed // 2 % len(unknown)])
        stem = f"{text}\n\n{texts[polarity]}"
        made.append(
            BiasItem(
                question=Question(name, stem, options, language, unknown=2),
                aspect=aspect,
                condition=condition,
                negative=negative,
                target=0,
                right=right,
            )
        )
    return made


def _titled(text: str) -> str:
    return text[0].upper() + text[1:]
