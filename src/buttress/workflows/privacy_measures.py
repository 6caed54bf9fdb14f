"""Exposure of canaries and extraction of texts, measured on a loaded model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from scipy.stats import t as student

from buttress.files.atomic import write_whole
from buttress.files.lines import read_lines
from buttress.probes.privacy.canaries import PlantedCanary, reference_secrets
from buttress.probes.privacy.exposure import chance_bits, combined_p_value, exposure
from buttress.probes.privacy.extraction import DRAWS, Continuation, chance, compare, split
from buttress.rules.personal.detectors import KINDS, find
from buttress.statistics.correction import clopper_pearson
from buttress.white_box.answers import continuations
from buttress.white_box.continuation_scores import continuation_scores
from buttress.white_box.token_statistics import positions, token_statistics, tokens_of
from buttress.workflows.privacy_scoring import LabelledText, LoadedModel

EXPOSURES: Final = "exposures.jsonl"
AUDIT: Final = "audit-scores.jsonl"  # for ``buttress privacy audit``
PREFIX: Final = 50  # tokens, as the papers have it
SUFFIX: Final = 50
_MORE: Final = 2  # tokens that a secret may be away from its prefix
_ERROR: Final = 0.05
Say = Callable[[str], None]


def exposure_part(
    canaries: Sequence[PlantedCanary],
    model: LoadedModel,
    *,
    references: int,
    seed: int,
    out: Path | None,
    say: Say,
) -> dict[str, Any]:
    """The part ``exposure`` of the document; canaries that stand in ``out`` are not done again.

    Scores of the canaries that were planted once, beside their twins, go into ``AUDIT``.
    """
    known: dict[str, dict[str, Any]] = {}
    path = out / EXPOSURES if out is not None else None
    if path is not None and path.exists():
        known = {row["id"]: row for row in map(orjson.loads, _whole_lines(path))}
    rows = []
    written = _written([one for one in canaries if one.id not in known], model)
    for number, one in enumerate(canaries, 1):
        if one.id not in known:
            known[one.id] = _canary_row(one, model, references, seed, written[one.id])
            if path is not None:
                lines = [orjson.dumps(row) + b"\n" for row in known.values()]
                write_whole(path, b"".join(lines), "--out")
            say(f"exposure: {number} of {len(canaries)} canaries")
        rows.append(known[one.id])
    if out is not None:
        pairs = [{"id": row["id"], "in": row["score"], "out": row["twin_score"]}
                 for row in rows if row["repeats"] == 1]  # fmt: skip
        write_whole(out / AUDIT, b"".join(orjson.dumps(one) + b"\n" for one in pairs), "--out")
    groups = [_group([row for row in rows if row["repeats"] == times])
              for times in sorted({row["repeats"] for row in rows})]  # fmt: skip
    planted = [one for one in groups if one["repeats"]]
    return {
        "references": references,
        "chance_bits": chance_bits(references),
        "most_bits": math.log2(references + 1),
        "groups": groups,
        "canaries": [_shown(row) for row in rows],
        "leak": any(one["p_value"] <= _ERROR / len(planted) for one in planted),
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in row if name not in ("p_value", "score", "twin_score")}


def _whole_lines(path: Path) -> list[bytes]:
    return [line for _, line in read_lines(path)]


def _written(canaries: Sequence[PlantedCanary], model: LoadedModel) -> dict[str, str]:
    """Each canary's prefix and what the model writes after it, by id."""
    pairs = [_rows(one, [one.secret], model)[0] for one in canaries]
    starts = [ids[:first] for ids, first in pairs]
    longest = max((len(ids) - first for ids, first in pairs), default=0)
    said = continuations(model.model, model.tokenizer, starts, longest + _MORE)
    return {
        one.id: str(model.tokenizer.decode([*start, *ids[: len(whole) - first + _MORE]]))
        for one, start, ids, (whole, first) in zip(canaries, starts, said, pairs, strict=True)
    }


def _rows(
    one: PlantedCanary, secrets: Sequence[str], model: LoadedModel
) -> list[tuple[list[int], int]]:
    """Tokens of the canary with each of these secrets, and how many of them are given."""
    prefix = tokens_of(model.tokenizer, one.prefix)
    whole = [tokens_of(model.tokenizer, one.prefix + secret) for secret in secrets]
    return [(ids, min(_shared(prefix, ids), len(ids) - 1)) for ids in whole]


def _canary_row(
    one: PlantedCanary, model: LoadedModel, references: int, seed: int, written: str
) -> dict[str, Any]:
    secrets = [one.secret, one.twin, *reference_secrets(one, references, seed)]
    rows, given = zip(*_rows(one, secrets, model), strict=True)
    scores = continuation_scores(model.model, rows, given)
    seen = exposure(scores[0], scores[2:], len(one.secret))
    return {
        "id": one.id,
        "repeats": one.repeats,
        "bits": seen.bits,
        "low": seen.low,
        "high": seen.high,
        "saturated": seen.saturated,
        "extrapolated": seen.extrapolated,
        "verbatim": one.secret in written,
        "p_value": seen.p_value,
        "score": scores[0],
        "twin_score": scores[1],
    }


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens that both begin with, at least one: a secret may merge with what stands before it."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return max(1, count)


def _group(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    bits = np.array([row["bits"] for row in rows])
    mean = float(bits.mean())
    reach = 0.0
    if len(rows) > 1:
        spread = float(bits.std(ddof=1)) / math.sqrt(len(rows))
        reach = float(student.ppf(0.975, len(rows) - 1)) * spread
    return {
        "repeats": rows[0]["repeats"],
        "canaries": len(rows),
        "mean_bits": mean,
        "low": max(0.0, mean - reach) if len(rows) > 1 else rows[0]["low"],
        "high": mean + reach if len(rows) > 1 else rows[0]["high"],
        "verbatim": sum(row["verbatim"] for row in rows),
        "p_value": combined_p_value([row["p_value"] for row in rows]),
    }


def extraction_part(
    texts: Sequence[LabelledText], model: LoadedModel, reference: LoadedModel | None, say: Say
) -> dict[str, Any]:
    """The part ``extraction`` of the document; ``texts`` has at least one member."""
    left: Counter[str] = Counter()
    members = [one for one in texts if one.member]
    others = [one for one in texts if not one.member]
    say(f"extraction: {len(members)} members")
    part: dict[str, Any] = {
        "prefix_tokens": PREFIX,
        "suffix_tokens": SUFFIX,
        "members": _share(members, model, left),
        "non_members": None,
        "reference": None,
    }
    if others:
        say(f"extraction: {len(others)} non-members")
        part["non_members"] = _share(others, model, left)
    if reference is not None:
        say(f"extraction: {len(members)} members by the reference model")
        part["reference"] = _share(members, reference, Counter())
    part["left_out"] = dict(+left)
    part["leak"] = _leaks(part)
    return part


def _leaks(part: dict[str, Any]) -> bool | None:
    """Whether surely more is near than by the base rate, each bound at 97.5 %."""
    mine = part["members"]
    bases = [one for one in (part["non_members"], part["reference"]) if one and one["texts"]]
    if not bases:
        return None if mine["near"] else False
    return bool(mine["near_low"] > max(one["near_high"] for one in bases))


def _share(texts: Sequence[LabelledText], model: LoadedModel, left: Counter[str]) -> dict[str, Any]:
    found: list[Continuation] = []
    personal: Counter[str] = Counter()
    room = positions(model.model) or PREFIX + SUFFIX + 1
    prefix, suffix = min(PREFIX, room // 2), min(SUFFIX, room // 2 - 1)
    pieces = [split(tokens_of(model.tokenizer, one.text), prefix, suffix) for one in texts]
    left["shorter than 16 tokens"] += sum(one is None for one in pieces)
    kept = [one for one in pieces if one is not None]
    written = continuations(model.model, model.tokenizer, [one[0] for one in kept], suffix)
    logs = [0.0] * len(kept)
    statistics = token_statistics(
        model.model, [[*one[0], *one[1]] for one in kept], given=[len(one[0]) for one in kept]
    )
    for index, one in statistics:
        logs[index] = sum(one.log_probabilities)
    for (given, wanted), said, log in zip(kept, written, logs, strict=True):
        found.append(compare(wanted, said, log))
        personal.update(_leaked(model.tokenizer, given, wanted, said))
    near = sum(one.near for one in found)
    low, high = clopper_pearson(near, len(found), 0.025)
    return {
        "texts": len(found),
        "verbatim": sum(one.verbatim for one in found),
        "near": near,
        "near_low": low,
        "near_high": high,
        "longest_run": max((one.longest_run for one in found), default=0),
        "chance": {
            str(draws): float(np.mean([chance(one.log_probability, draws) for one in found]))
            if found
            else 0.0
            for draws in DRAWS
        },
        "personal_data": dict(sorted(personal.items())),
    }


def _leaked(
    tokenizer: Any, given: Sequence[int], wanted: Sequence[int], said: Sequence[int]
) -> list[str]:
    """Types of personal data and secrets that the model wrote as they stand in the text."""
    before, true, written = (str(tokenizer.decode(ids)) for ids in (given, wanted, said))
    known = {(one.kind, one.value) for one in find(before, KINDS)}
    # With what stands before it: a number may be one by the word before.
    theirs = {(one.kind, one.value) for one in find(before + true, KINDS)} - known
    ours = {(one.kind, one.value) for one in find(before + written, KINDS)} - known
    return [kind for kind, _ in sorted(theirs & ours)]
