"""Attribute inference: given all but one attribute of a record, does the model name it?

Fredrikson et al. 2014; Yeom et al. 2018, section 4. The model ranks candidate values by the
log-probability of the record with each in place. What could be guessed without the model's
training on the record is no leak: the commonest value, a classifier that sees the texts alone, a
reference model, records that were not trained on.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from buttress.errors import InputError
from buttress.files.lines import read_lines
from buttress.statistics.correction import clopper_pearson

LEAST: Final = 10  # records below which nothing is said
_FOLDS: Final = 5
_ERROR: Final = 0.025
_EXPECTED: Final = '{"prefix": …, "value": …, "attribute": …, "candidates": […]}'
_WORD: Final = re.compile(r"[\u3400-\u9fff]|\w+")


class AttributeRecord(Struct, frozen=True, kw_only=True):
    """A record with a hidden attribute: ``prefix`` + ``value`` + ``suffix``.

    ``candidates`` are the values that it may have; without them those of all records with the same
    ``attribute``. ``member``: whether the model was trained on it.
    """

    prefix: Annotated[str, Meta(min_length=1)]
    value: Annotated[str, Meta(min_length=1)]
    suffix: str = ""
    attribute: str = ""
    candidates: list[str] = []
    member: bool = True


def read_attributes(path: Path) -> list[AttributeRecord]:
    """The records of a file, each with its candidates.

    Raises:
        InputError: not readable, a line is no record, its value is no candidate, or there is none.
    """
    decoder = msgspec.json.Decoder(AttributeRecord)
    found: list[tuple[int, AttributeRecord]] = []
    for number, line in read_lines(path):
        try:
            one = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(str(error), file=str(path), line=number, expected=_EXPECTED) from None
        if one.candidates and one.value not in one.candidates:
            raise InputError(
                "does not hold the value", file=str(path), line=number, field="candidates",
                expected="the value among them",
            )  # fmt: skip
        found.append((number, one))
    if not found:
        raise InputError("no record", file=str(path), expected=_EXPECTED)
    values: dict[str, set[str]] = defaultdict(set)
    for _, one in found:
        values[one.attribute].add(one.value)
    made = []
    for number, one in found:
        candidates = sorted(set(one.candidates) or values[one.attribute])
        if len(candidates) < 2:
            raise InputError(
                "has one candidate", file=str(path), line=number, field="candidates",
                expected="two or more, or records with other values of the attribute",
            )  # fmt: skip
        made.append(msgspec.structs.replace(one, candidates=candidates))
    return made


def attribute_result(
    records: Sequence[AttributeRecord],
    named: Sequence[str],
    by_reference: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The part ``attributes`` of the document.

    Args:
        records: with candidates.
        named: the value that the model ranks first, for each record.
        by_reference: the same of a reference model.
    """
    members = [place for place, one in enumerate(records) if one.member]
    others = [place for place, one in enumerate(records) if not one.member]
    blind = blind_values(records)

    def share(values: Sequence[str], places: Sequence[int]) -> dict[str, Any] | None:
        if not places:
            return None
        right = sum(values[place] == records[place].value for place in places)
        low, high = clopper_pearson(right, len(places), _ERROR)
        return {
            "records": len(places), "right": right, "accuracy": right / len(places),
            "low": low, "high": high,
        }  # fmt: skip

    mine = share(named, members)
    result: dict[str, Any] = {
        "records": len(members),
        "accuracy": mine["accuracy"] if mine else 0.0,
        "low": mine["low"] if mine else 0.0,
        "high": mine["high"] if mine else 1.0,
        "chance": math.fsum(1 / len(records[one].candidates) for one in members)
        / max(1, len(members)),
        "commonest": share(_commonest(records), members),
        "blind": share(blind, members),
        "non_members": share(named, others),
        "reference": share(by_reference, members) if by_reference is not None else None,
        "leak": False,
        "reason": "",
    }
    if len(members) < LEAST:
        result["leak"], result["reason"] = None, f"fewer than {LEAST} members"
        return result
    without = [result[name]["high"] for name in ("commonest", "blind")]
    bases = [result[name]["high"] for name in ("non_members", "reference") if result[name]]
    above = result["low"] > max([*without, *bases])
    if above and not bases:
        result["leak"] = None
        result["reason"] = "no record that was not trained on, and no reference model, to compare"
    else:
        result["leak"] = above
    return result


def _commonest(records: Sequence[AttributeRecord]) -> list[str]:
    """For each record the value that most records with its attribute have, itself counted."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in records:
        counts[one.attribute][one.value] += 1
    return [max(one.candidates, key=counts[one.attribute].__getitem__) for one in records]


def blind_values(records: Sequence[AttributeRecord]) -> list[str]:
    """The value that a classifier of the other words names, fitted to the other folds.

    Naive Bayes on words, multinomial with one pseudo-count, 5 folds.
    """
    found = [""] * len(records)
    words = [_WORD.findall(f"{one.prefix} {one.suffix}".lower()) for one in records]
    vocabulary = len({word for row in words for word in row})
    for fold in range(_FOLDS):
        inside = [place for place in range(len(records)) if place % _FOLDS == fold]
        models = _fitted(records, words, set(inside))
        for place in inside:
            model = models.get(records[place].attribute, {})
            found[place] = max(
                sorted(records[place].candidates),
                key=lambda value: _log_odds(model.get(value), words[place], vocabulary),
            )
    return found


_Counts = tuple[int, Counter[str]]  # records with a value, and their words


def _fitted(
    records: Sequence[AttributeRecord], words: Sequence[Sequence[str]], left_out: set[int]
) -> Mapping[str, Mapping[str, _Counts]]:
    models: dict[str, dict[str, _Counts]] = defaultdict(dict)
    for place, one in enumerate(records):
        if place not in left_out:
            count, seen = models[one.attribute].setdefault(one.value, (0, Counter()))
            seen.update(words[place])
            models[one.attribute][one.value] = (count + 1, seen)
    return models


def _log_odds(known: _Counts | None, words: Sequence[str], vocabulary: int) -> float:
    count, seen = known or (0, Counter())
    total = seen.total() + vocabulary
    return math.log(count + 0.5) + sum(math.log((seen[word] + 1) / total) for word in words)
