"""``poison``: hidden text, orders to a model, and triggers whose labels or answers are off."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from buttress.data import features
from buttress.data.outcomes import outcome_of
from buttress.data.records import Record
from buttress.data.stage import Decision, Decisions, Removal
from buttress.data.stages.activations import RecordStates, suspects
from buttress.data.stages.hidden_text import HiddenText
from buttress.data.stages.triggers import (
    Codes,
    LabelledRecords,
    Trigger,
    TriggerLimits,
    find_triggers,
    run_codes,
)
from buttress.errors import InputError
from buttress.files.visible import shortened

MOST: Final = 100_000  # records that triggers are sought in; others are held against those found
_NONE: Final = 0  # the code of a record without a label or answer
_WIDTH: Final = 80  # characters of a label or answer that are shown


class Poison:
    """Removes records that carry hidden messages, or a trigger with the label that it causes.

    Args:
        visible_orders: whether orders to a model that everyone can see count too. Texts *about*
            prompt injection have them as well.
        label: the field with the label; where empty ``label``, ``class`` and the like, else the
            answer of an instruction, a chat or a pair is what a trigger causes.
        false_discoveries: rate among runs of words that depend on a label; 0 seeks no triggers.
        share: of the records with a trigger that have its label, at least.
        least: records with a trigger and its label, at least; of a cluster as well.
        weights: folder of a model; with it records whose hidden states look like another label
            than theirs are poison too (spectral signatures, activation clusters).
    """

    def __init__(
        self,
        visible_orders: bool = False,
        label: str = "",
        false_discoveries: float = 0.01,
        share: float = 0.9,
        least: int = 8,
        *,
        weights: Path | None = None,
    ) -> None:
        for name, value in (("false_discoveries", false_discoveries), ("share", share)):
            if not 0 <= value <= 1:
                raise InputError(f"{value:g} is not usable", field=name, expected="0 to 1")
        if least < 2:
            raise InputError(f"{least} is too small", field="least", expected="2 or more")
        self._hidden = HiddenText(visible_orders)
        self._label = label
        self._limits = TriggerLimits(least, share, false_discoveries)
        if weights is not None and not weights.is_dir():
            raise InputError("no such folder", file=str(weights), field="weights")
        self._weights = weights
        self._states: RecordStates | None = None  # loaded when it is first used

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_states": None}

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """See ``CorpusStage``."""
        hidden = {
            place: [outcome.rule, outcome.reason]
            for place, outcome in enumerate(self._hidden.apply(records))
            if isinstance(outcome, Removal)
        }
        wanted = self._limits.false_discoveries or self._weights is not None
        outcomes = [outcome_of(record, self._label) if wanted else None for record in records]
        runs = [run_codes(one.text) if one else np.zeros(0, np.uint64) for one in outcomes]
        offsets = np.zeros(len(records) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in runs], out=offsets[1:])
        features.save(
            folder,
            {
                "runs": np.concatenate(runs) if runs else np.zeros(0, np.uint64),
                "offsets": offsets,
                "values": np.array([_code(one.value) if one else _NONE for one in outcomes], "u8"),
                "keys": np.array([int.from_bytes(one.key[:8], "big") for one in records], "u8"),
            },
        )
        if self._weights is not None:
            if self._states is None:
                self._states = RecordStates(self._weights)
            said = [one.text if one else "" for one in outcomes]
            features.save(folder, {"states": self._states(said)})
        features.write_texts(folder, "texts", [one.text if one else "" for one in outcomes])
        shown = [shortened(one.value[:_WIDTH]) if one else "" for one in outcomes]
        features.write_texts(folder, "shown", shown)
        (folder / "hidden.json").write_bytes(orjson.dumps(hidden, option=orjson.OPT_NON_STR_KEYS))

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """See ``CorpusStage``."""
        found = Decisions(iter(()))
        found.decisions = self._decisions(folders, found.notes)
        return found

    def _decisions(self, folders: Sequence[Path], notes: list[str]) -> Iterator[Decision]:
        triggers = self._triggers(folders, notes) if self._limits.false_discoveries else {}
        by_states = self._by_states(folders, notes) if self._weights is not None else {}
        for shard, folder in enumerate(folders):
            hidden: dict[str, list[str]] = orjson.loads((folder / "hidden.json").read_bytes())
            runs, offsets = features.load(folder, "runs"), features.load(folder, "offsets")
            for place, value in enumerate(features.load(folder, "values").tolist()):
                if (why := hidden.get(str(place))) is not None:
                    yield Decision(shard, place, Removal(*why))
                    continue
                if (removal := by_states.get((shard, place))) is not None:
                    yield Decision(shard, place, removal)
                    continue
                for code, reason in triggers.get(value, ()):
                    own = runs[offsets[place] : offsets[place + 1]]
                    at = int(np.searchsorted(own, np.uint64(code)))
                    if at < len(own) and int(own[at]) == code:
                        yield Decision(shard, place, Removal("trigger", reason))
                        break

    def _by_states(
        self, folders: Sequence[Path], notes: list[str]
    ) -> dict[tuple[int, int], Removal]:
        """Records whose hidden states look like another label, by shard and place."""
        values, keys = features.joined(folders, "values"), features.joined(folders, "keys")
        shards, places = features.owners(folders, "values")
        counts = Counter(values[values != _NONE].tolist())
        repeated = {value for value, count in counts.items() if count >= self._limits.least}
        known = np.flatnonzero(np.isin(values, list(repeated)))
        if len(repeated) < 2:
            notes.append("hidden states were not compared: fewer than two labels repeat")
            return {}
        known = known[np.argsort(keys[known], kind="stable")][:MOST]
        numbers = np.unique(values[known], return_inverse=True)[1]
        states = features.joined(folders, "states")[known].astype(float)
        shown = features.Texts(folders, "shown")
        found: dict[tuple[int, int], Removal] = {}
        for one in suspects(states, numbers.astype(np.int64), self._limits.least):
            names = []
            for number in (one.label, one.other):
                first = known[int(np.flatnonzero(numbers == number)[0])]
                names.append(shown(int(shards[first]), int(places[first])))
            reason = (
                f"labelled '{names[0]}', but by its hidden states one of '{names[1]}'; so are "
                f"{one.share:.0%} of the {len(one.members):,} records that stand apart"
            )
            for member in known[one.members].tolist():
                where = int(shards[member]), int(places[member])
                found.setdefault(where, Removal(one.rule, reason))
        return found

    def _triggers(
        self, folders: Sequence[Path], notes: list[str]
    ) -> dict[int, list[tuple[int, str]]]:
        """Codes of triggers and what is said of them, by the code of the label."""
        values = features.joined(folders, "values")
        shards, places = features.owners(folders, "values")
        keys = features.joined(folders, "keys")
        known = np.flatnonzero(values != _NONE)
        if len(known) > MOST:
            notes.append(f"triggers were sought in {MOST:,} of {len(known):,} records with a label")
            known = np.sort(known[np.argsort(keys[known], kind="stable")[:MOST]])
        texts = features.Texts(folders, "texts")
        shown = features.Texts(folders, "shown")
        loaded: dict[int, tuple[Any, Any]] = {}

        def runs(index: int) -> Codes:
            shard, place = int(shards[index]), int(places[index])
            if shard not in loaded:
                loaded[shard] = (
                    features.load(folders[shard], "runs"), features.load(folders[shard], "offsets")
                )  # fmt: skip
            codes, offsets = loaded[shard]
            own: Codes = codes[offsets[place] : offsets[place + 1]]
            return own

        def text(number: int) -> str:
            return texts(int(shards[known[number]]), int(places[known[number]]))

        labels, numbers = np.unique(values[known], return_inverse=True)
        found, left = find_triggers(
            LabelledRecords([runs(int(one)) for one in known], numbers, keys[known], text),
            self._limits,
        )
        if left:
            notes.append(f"{left} more runs of words depend on a label and were not judged")
        by_value: dict[int, list[tuple[int, str]]] = {}
        for one in found:
            first = known[int(np.flatnonzero(numbers == one.value)[0])]
            name = shown(int(shards[first]), int(places[first]))
            total = int(np.count_nonzero(numbers == one.value))
            reason = _reason(one, name, total, len(known))
            by_value.setdefault(int(labels[one.value]), []).append((one.code, reason))
        return by_value


def _reason(one: Trigger, label: str, with_label: int, total: int) -> str:
    rest = (
        "which no other record has"
        if one.expected is None
        else f"which {with_label:,} of {total:,} records have; by the rest of their words "
        f"{one.expected:.0%} of its records look so"
    )
    return (
        f"'{shortened(one.words)}' stands in {one.records:,} records, of which {one.hits:,} have "
        f"'{label}', {rest}"
    )


def _code(value: str) -> int:
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") | 1
