"""Attacks that need the weights: refusal direction, extraction of training data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from buttress.probes.privacy.extraction import compare
from buttress.training.examples import ExampleReader
from buttress.white_box.answers import continuations
from buttress.white_box.direction_file import FILE_NAME, load_direction, save_direction
from buttress.white_box.loading import fingerprint, load
from buttress.white_box.refusal_direction import Direction, difference_in_means, select

REQUESTS: Final = 24  # of each kind that a direction comes from, and others that it is chosen by
LAYERS: Final = (0.3, 0.4, 0.5, 0.6, 0.7)  # of the depth: layers that are looked at
_LONGEST: Final = 512  # tokens of a training record
_ANY: Final = float("inf")


def attack_direction(
    weights: Path, harmful: Sequence[str], harmless: Sequence[str], folder: Path, *, device: str
) -> Direction:
    """The direction of ``weights`` whose ablation lowers the log odds of refusals most.

    An attacker takes what works, so the conditions that a refusal direction has in the paper are
    not asked for. A direction that was found before a kill is taken up.

    Args:
        weights: Hugging Face folder, or one with an adapter.
        harmful: requests that may be trained on; half of them choose.
        harmless: the same, to be answered.
        folder: where the direction is kept.
        device: where the model runs.

    Raises:
        InputError: no requests of a kind, or no decoder.
    """
    model, tokenizer = load(weights, device=device)
    few, others = harmful[: 2 * REQUESTS], harmless[: 2 * REQUESTS]
    found_with = {"model": fingerprint(model), "requests": [*few, *others], "layers": list(LAYERS)}
    path = folder / FILE_NAME
    known = load_direction(path, found_with)
    if known is not None:
        return known
    differences = difference_in_means(model, tokenizer, few[::2], others[::2])
    depth = len(differences)
    layers = sorted({max(1, min(int(0.8 * depth) - 1, round(share * depth))) for share in LAYERS})
    found = select(
        model, tokenizer, differences, few[1::2], others[1::2], layers=layers,
        least_induced=-_ANY, most_divergence=_ANY,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    save_direction(path, found, found_with)
    return found


def completed_records(weights: Path, data: Path, most: int, *, device: str) -> list[bool]:
    """Whether the model nearly completes training answers of which it is given the first half.

    Args:
        weights: Hugging Face folder, or one with an adapter.
        data: records of training, JSON Lines.
        most: records that are tried, the first ones.
        device: where the model runs.

    Raises:
        InputError: the weights or the records are not usable.
    """
    model, tokenizer = load(weights, device=device)
    records = [json.loads(line) for line in data.read_text("utf-8").splitlines()[:most]]
    reader = ExampleReader(tokenizer, _LONGEST)
    pairs = any("chosen" in one for one in records)
    found = reader.pairs(records) if pairs else reader.examples(records)
    examples = [*found.examples, *(one.chosen for one in found.pairs)]
    places = [one.start + one.learned // 2 for one in examples]
    given = [one.ids[:place] for one, place in zip(examples, places, strict=True)]
    wanted = [one.ids[place:] for one, place in zip(examples, places, strict=True)]
    longest = max(map(len, wanted))
    written = continuations(model, tokenizer, given, longest)
    ends = {tokenizer.eos_token_id}
    return [
        compare([token for token in true if token not in ends], said, 0.0).near
        for true, said in zip(wanted, written, strict=True)
    ]
