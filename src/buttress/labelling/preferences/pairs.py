"""Pairs of answers to one prompt, from a file of pairs or from an evidence store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.codec import decode
from buttress.evidence.records import Preference
from buttress.files.utf8 import not_utf8
from buttress.labelling.preferences.messages import Said, UnreadableError, said, shown

CHOICES: Final = ("first", "second", "tie", "skipped")
SIDES: Final = ("first", "second")
LINE_LIMIT: Final = 16 << 20  # bytes of one line
_PARTS: Final = ("prompt", "first", "second")
_EXPECTED: Final = 'an object with "prompt", "first" and "second"'


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to a prompt: three texts, or the messages of each.

    ``expected`` is the right choice of a planted pair, else empty.
    """

    item: str
    prompt: Said
    first: Said
    second: Said
    expected: str = ""

    @property
    def key(self) -> str:
        """Digest of prompt and answers, in hex."""
        return _digest(self.prompt, self.first, self.second).hex()


def preferences(store: RecordStore) -> list[Preference]:
    """All preferences in a store; of a labeller's choices on a pair and criterion the last."""
    kept: dict[tuple[str, str, str], Preference] = {}
    for row in store.rows():
        if row.kind == "preference":
            record = decode(row.kind, row.payload)
            assert isinstance(record, Preference)
            kept[record.key, record.labeller, record.criterion] = record
    return list(kept.values())


def read_pairs(path: Path) -> tuple[list[Pair], list[Preference]]:
    """Pairs of a file of JSON Lines, and the labels that it holds.

    A line is an object with ``prompt``, ``first`` and ``second``, each a text or messages, and
    maybe ``id``, ``expected`` and ``labels``, a list of objects with ``choice``, ``labeller`` and
    maybe ``criterion``.

    Raises:
        InputError: not readable or a line is something else; names file, line and field.
    """
    pairs: list[Pair] = []
    labels: list[Preference] = []
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LINE_LIMIT + 1):
                number += 1
                if len(line) > LINE_LIMIT:
                    raise InputError(
                        "the line is too long", file=str(path), line=number,
                        expected=f"at most {LINE_LIMIT} bytes",
                    )  # fmt: skip
                if line.strip():
                    pair, given = _pair(line, path, number)
                    pairs.append(pair)
                    labels += given
    except OSError as error:
        why = (error.strerror or "can't be read").lower()
        raise InputError(why, file=str(path), expected="a file of pairs") from None
    return pairs, labels


def write_pairs(pairs: Iterable[tuple[Pair, Iterable[Preference]]], to: Path) -> int:
    """Write pairs with their labels in the form that ``read_pairs`` takes; their number.

    Raises:
        InputError: the file can't be written.
    """
    count = 0
    try:
        with to.open("wb") as file:
            for pair, labels in pairs:
                line: dict[str, Any] = {
                    "id": pair.item, "prompt": pair.prompt,
                    "first": pair.first, "second": pair.second,
                }  # fmt: skip
                if pair.expected:
                    line["expected"] = pair.expected
                given = [_label_fields(one) for one in labels]
                if given:
                    line["labels"] = given
                file.write(orjson.dumps(line) + b"\n")
                count += 1
    except OSError as error:
        raise InputError(error.strerror or "can't be written", file=str(to)) from None
    return count


def _label_fields(label: Preference) -> dict[str, str]:
    fields = {"choice": label.choice, "labeller": label.labeller}
    return fields | {"criterion": label.criterion} if label.criterion else fields


def stored_pairs(store: RecordStore, *, run: str | None = None) -> list[Pair]:
    """Pairs of different answers to the same prompt among the trials of a store.

    Answers of several runs, targets and samples are paired; of one run where it is named.

    Raises:
        InputError: no prompt has two different answers.
    """
    answers: dict[tuple[str, str], dict[str, None]] = {}
    for trial in store.trials(run=run):
        if trial.answer.strip():
            answers.setdefault((trial.item, trial.prompt), {})[trial.answer] = None
    pairs = [
        _ordered(f"{item}:{number}", prompt, *both)
        for (item, prompt), found in answers.items()
        for number, both in enumerate(combinations(found, 2), 1)
    ]
    if not pairs:
        raise InputError(
            "no prompt with two different answers", file=store.name,
            expected="several runs, targets or samples of the same prompts",
        )  # fmt: skip
    return pairs


def pair_of(record: Preference) -> Pair:
    """The pair that was labelled."""
    kept = record.conversation
    prompt, first, second = (
        said(kept[name]) if name in kept else getattr(record, name) for name in _PARTS
    )
    return Pair(record.item, prompt, first, second, record.expected)


def label_of(pair: Pair, choice: str, labeller: str, **more: Any) -> Preference:
    """A choice between the answers of a pair; ``more`` are other fields of the record."""
    parts = {name: getattr(pair, name) for name in _PARTS}
    return Preference(
        pair.key, pair.item, shown(pair.prompt), shown(pair.first), shown(pair.second), choice,
        labeller, expected=pair.expected, **more,
        conversation={name: list(part) for name, part in parts.items() if isinstance(part, tuple)},
    )  # fmt: skip


def shuffled(item: str, prompt: Said, better: Said, other: Said) -> tuple[Pair, str]:
    """A pair whose order says nothing about which is better, and the better one's place in it."""
    pair = _ordered(item, prompt, better, other)
    return pair, "first" if pair.first == better else "second"


def _ordered(item: str, prompt: Said, one: Said, other: Said) -> Pair:
    """By digest, so that the same two answers always stand in the same order."""
    swap = _digest(prompt, one) > _digest(prompt, other)
    return Pair(item, prompt, other, one) if swap else Pair(item, prompt, one, other)


def _digest(*parts: Said) -> bytes:
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).digest()


def _pair(line: bytes, path: Path, number: int) -> tuple[Pair, Iterator[Preference]]:
    def wrong(field: str | None, problem: str, expected: str) -> InputError:
        return InputError(problem, file=str(path), line=number, field=field, expected=expected)

    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise wrong(None, not_utf8(line) or f"not JSON ({error.msg})", _EXPECTED) from None
    if not isinstance(value, dict):
        raise wrong(None, "not an object", _EXPECTED)
    parts: list[Said] = []
    for name in _PARTS:
        try:
            parts.append(said(value.get(name)))
        except UnreadableError as error:
            raise wrong(name + error.path, error.problem, error.expected) from None
    item, expected = value.get("id", f"line:{number}"), value.get("expected", "")
    if not isinstance(item, str):
        raise wrong("id", "not text", "text")
    if expected not in ("", *CHOICES[:3]):
        raise wrong("expected", f"'{expected}'"[:80], "first, second or tie")
    given = value.get("labels", [])
    if not isinstance(given, list):
        raise wrong("labels", "not a list", "a list of objects")
    prompt, first, second = parts
    pair = Pair(item, prompt, first, second, expected)
    for place, label in enumerate(given):
        if not isinstance(label, Mapping) or label.get("choice") not in CHOICES:
            raise wrong(f"labels[{place}].choice", "not a choice", "one of " + ", ".join(CHOICES))
        if not isinstance(label.get("labeller"), str):
            raise wrong(f"labels[{place}].labeller", "not text", "text")
        if not isinstance(label.get("criterion", ""), str):
            raise wrong(f"labels[{place}].criterion", "not text", "text")
    return pair, (
        label_of(pair, each["choice"], each["labeller"], criterion=each.get("criterion", ""))
        for each in given
    )
