"""What a model says of each token of a text: computed from weights, or brought as JSON Lines.

One JSON object a line. Log-probabilities are in nats, one for each scored token of the text; the
first token has none unless something stands before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from buttress.errors import InputError
from buttress.files.lines import read_lines

LogProbability = Annotated[float, Meta(le=1e-3)]
_EXPECTED: Final = '{"id": …, "text": …, "member": true or false, "log_probabilities": [NATS, …]}'


class TokenScores(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text, whether the model was trained on it, and its tokens' log-probabilities.

    ``means`` and ``deviations`` are, at each token, those of the log-probability of a token drawn
    from the model's own prediction. ``prefixed_log_probabilities``: of the same tokens after other
    texts that the model was not trained on. ``neighbours``: the mean log-probability of each of
    several texts that differ a little.
    """

    id: str
    text: str
    member: bool
    log_probabilities: list[LogProbability]
    means: list[float] | UnsetType = UNSET
    deviations: list[Annotated[float, Meta(ge=0)]] | UnsetType = UNSET
    reference_log_probabilities: list[LogProbability] | UnsetType = UNSET
    prefixed_log_probabilities: list[LogProbability] | UnsetType = UNSET
    neighbours: list[LogProbability] | UnsetType = UNSET


def read_token_scores(path: Path) -> Iterator[TokenScores]:
    """The lines of a file.

    Raises:
        InputError: not readable; a line is not such an object; lists of tokens differ in length;
            an id repeats.
    """
    decoder = msgspec.json.Decoder(TokenScores)
    seen: dict[str, int] = {}
    for number, line in read_lines(path):
        try:
            one = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(
                f"not token scores: {error}", file=str(path), line=number, expected=_EXPECTED
            ) from None
        problem = _problem(one)
        if problem:
            raise InputError(problem, file=str(path), line=number, expected=_EXPECTED)
        if one.id in seen:
            raise InputError(
                f"'{one.id}' stands in line {seen[one.id]} already", file=str(path), line=number,
                field="id", expected="an id of its own on each line",
            )  # fmt: skip
        seen[one.id] = number
        yield one


def _problem(one: TokenScores) -> str:
    """What is wrong with it; empty where nothing is."""
    count = len(one.log_probabilities)
    for name in ("means", "deviations", "prefixed_log_probabilities"):
        values = getattr(one, name)
        if values is not UNSET and len(values) != count:
            return f"{name} has {len(values)} numbers, log_probabilities {count}"
    if (one.means is UNSET) != (one.deviations is UNSET):
        return "means and deviations come together"
    for name in one.__struct_fields__:
        values = getattr(one, name)
        if isinstance(values, list) and not all(map(math.isfinite, values)):
            return f"{name} holds a number that is not finite"
    return ""
