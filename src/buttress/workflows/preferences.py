"""Human feedback on pairs: label, import, measure agreement, export."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from buttress.documents.preferences import (
    AlphaEstimate,
    EstimatedShare,
    GamingSign,
    LabellerQuality,
    PreferencesDocument,
)
from buttress.errors import InputError
from buttress.evidence.records import Preference
from buttress.evidence.store import FILE_NAME, EvidenceStore, resolve
from buttress.files.atomic import write_whole
from buttress.interchange.preferences import read_preferences
from buttress.labelling.keys import Keys
from buttress.labelling.preferences.agreement import Estimate, Labeller, agreement
from buttress.labelling.preferences.pairs import (
    Pair,
    pair_of,
    preferences,
    read_pairs,
    stored_pairs,
    write_pairs,
)
from buttress.labelling.preferences.rubric import read_rubric
from buttress.labelling.preferences.session import PairSession
from buttress.labelling.screen import Screen

TARGETS: Final = ("pairs", "trl")
_MAGIC: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """``store`` is where labels of a file of pairs go; None for ``FILE.db`` beside it."""

    path: Path
    labeller: str
    store: Path | None = None
    budget: int | None = None
    seed: int = 0
    question: str = ""
    rubric: Path | None = None
    language: str = "en"
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a session did. ``left`` pairs are not labelled by this labeller."""

    store: Path
    given: int
    left: int


def label(request: LabelRequest, keys: Keys, screen: Screen) -> Labelling:
    """Label pairs of a file, or of the answers in an evidence store, until the labeller quits.

    Raises:
        InputError: not usable, or a store in use.
    """
    if request.rubric is not None and request.question:
        raise InputError("asked by the rubric", field="--question", expected="none with --rubric")
    rubric = read_rubric(request.rubric) if request.rubric is not None else ()
    pairs, place = _to_label(request)
    with EvidenceStore.open(place) as store:
        session = PairSession(
            store, pairs, preferences(store), keys, screen,
            labeller=request.labeller, seed=request.seed, budget=request.budget,
            question=request.question, rubric=rubric, language=request.language,
        )  # fmt: skip
        with suppress(KeyboardInterrupt):  # as good a way to quit as any: all labels are kept
            session.run()
        return Labelling(place, session.given, session.left)


@dataclass(frozen=True, slots=True)
class Imported:
    """Pairs and labels written, and pairs left out because both answers are the same text."""

    pairs: int
    labels: int
    left_out: int


def import_pairs(path: Path, form: str, to: Path, criterion: str = "") -> Imported:
    """Convert another tool's preferences to a file of pairs.

    Raises:
        InputError: not of that format, or without a pair; names file, line and field. Nothing is
            written then.
    """
    if to.exists() and path.exists() and to.samefile(path):
        raise InputError("the file that is read", file=str(to), field="--out", expected="another")
    read = list(read_preferences(path, form, criterion))
    kept = [each for each in read if each[0].first != each[0].second]
    if not kept:
        problem = "every pair has the same answer twice" if read else "no pairs"
        raise InputError(problem, file=str(path), expected=f"at least one pair in form '{form}'")
    labels = sum(len(labels) for _, labels in kept)
    if criterion and not labels:
        raise InputError(
            f"no response to '{criterion}'", file=str(path), field="--criterion",
            expected="the name of a question that was answered",
        )  # fmt: skip
    return Imported(write_pairs(kept, to), labels, len(read) - len(kept))


def agreement_of(
    paths: Sequence[Path], seed: int = 0, criterion: str | None = None
) -> dict[str, Any]:
    """How far the labellers in these stores and files agree; ``buttress/preferences/1``.

    Raises:
        InputError: not usable, no label in any, or several criteria and none named.
    """
    labels = _labels(paths, criterion)
    found = agreement(labels, seed=seed)
    document = PreferencesDocument(
        schema="buttress/preferences/1",
        files=[path.name for path in paths],
        criterion=labels[0].criterion,
        pairs=found.pairs,
        labels=found.labels,
        alpha=AlphaEstimate(
            estimate=_known(found.alpha.estimate),
            low=_known(found.alpha.low),
            high=_known(found.alpha.high),
            units=found.alpha.units,
        ),
        disputed=found.disputed,
        labellers=[_quality(one) for one in found.labellers],
        no_accuracy=found.reason,
    )
    built: dict[str, Any] = msgspec.to_builtins(document)
    return built


@dataclass(frozen=True, slots=True)
class Exported:
    """Pairs written, and pairs left out because nothing was decided."""

    written: int
    left_out: int


def export(
    paths: Sequence[Path], to: Path, form: str = "trl", criterion: str | None = None
) -> Exported:
    """Write labelled pairs: all labels as ``pairs``, or the majority's choice as ``trl`` takes it.

    Raises:
        InputError: not usable, not writable, an unknown format, or several criteria and none
            named.
    """
    if form not in TARGETS:
        raise InputError(f"unknown format '{form}'", field="--to", expected=" or ".join(TARGETS))
    by_pair: dict[str, list[Preference]] = {}
    for one in _labels(paths, criterion):
        by_pair.setdefault(one.key, []).append(one)
    if form == "pairs":
        return Exported(write_pairs(((pair_of(each[0]), each) for each in by_pair.values()), to), 0)
    lines = []
    for labels in by_pair.values():
        count = Counter(one.choice for one in labels)
        first, second = count["first"], count["second"]
        if labels[0].expected or first == second or count["tie"] >= max(first, second):
            continue
        pair = pair_of(labels[0])
        answers = (pair.first, pair.second)
        chosen, rejected = answers if first > second else answers[::-1]
        decided = first + second + count["tie"]
        lines.append(
            orjson.dumps(
                {"prompt": pair.prompt, "chosen": chosen, "rejected": rejected,
                 "agreement": max(first, second) / decided, "labels": decided}
            ) + b"\n"
        )  # fmt: skip
    write_whole(to, b"".join(lines), "--out")
    return Exported(len(lines), len(by_pair) - len(lines))


def _to_label(request: LabelRequest) -> tuple[list[Pair], Path]:
    if _is_store(request.path):
        place = resolve(request.path)
        if request.store is not None:
            raise InputError("for a file of pairs", field="--store", expected="none for a store")
        with EvidenceStore.open(place, read_only=True) as store:
            return stored_pairs(store, run=request.run), place
    if request.run is not None:
        raise InputError("for an evidence store", field="--run", expected="none for a file")
    pairs, _ = read_pairs(request.path)
    if not pairs:
        raise InputError("no pairs", file=str(request.path), expected="at least one line")
    place = request.store or request.path.with_suffix(".db")
    return pairs, place / FILE_NAME if place.is_dir() else place


def _labels(paths: Sequence[Path], criterion: str | None) -> list[Preference]:
    """The last choice of each labeller for each pair by that criterion, over all files.

    Several that differ and tell no time are a tie.
    """
    kept: dict[tuple[str, str, str], Preference] = {}
    for path in paths:
        if _is_store(path):
            with EvidenceStore.open(resolve(path), read_only=True) as store:
                labels = preferences(store)
        else:
            _, labels = read_pairs(path)
        for one in labels:
            before = kept.get((one.key, one.labeller, one.criterion))
            if before is None or one.time > before.time:
                kept[one.key, one.labeller, one.criterion] = one
            elif one.time == before.time and one.choice != before.choice:
                # Published sets tell no times: both choices stand, and neither was the last.
                kept[one.key, one.labeller, one.criterion] = replace(one, choice="tie")
    if not kept:
        raise InputError(
            "no labels", file=str(paths[0]), expected="labels of `buttress preferences label`"
        )
    named = sorted({one.criterion for one in kept.values()})
    if criterion is None and len(named) == 1:
        return list(kept.values())
    if criterion not in named:
        several = criterion is None
        problem = "labels by several criteria" if several else f"no label by '{criterion}'"
        known = ", ".join(one or "'' (no criterion)" for one in named)
        raise InputError(problem, field="--criterion", expected=f"one of {known}")
    return [one for one in kept.values() if one.criterion == criterion]


def _is_store(path: Path) -> bool:
    if path.is_dir():
        return True
    with _readable(path), path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = (error.strerror or "can't be read").lower()
        raise InputError(why, file=str(path), expected="pairs or an evidence store") from None


def _quality(one: Labeller) -> LabellerQuality:
    return LabellerQuality(
        name=one.name,
        labels=one.labels,
        skipped=one.skipped,
        accuracy=_share(one.accuracy),
        gold=_share(one.gold),
        signs=[
            GamingSign(
                kind=sign.kind, share=sign.share, labels=sign.labels, explanation=sign.explanation
            )
            for sign in one.signs
        ],
    )


def _share(estimate: Estimate | None) -> EstimatedShare | None:
    if estimate is None:
        return None
    value, low, high = (min(1.0, max(0.0, float(each))) for each in estimate)
    return EstimatedShare(estimate=value, low=low, high=high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
