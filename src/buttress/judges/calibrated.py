"""Calibrations in the form in which judges store them: a confusion table for each system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from buttress.protocols.judge import Calibration, CertainFailures, Expect, SystemTable
from buttress.statistics.correction import CalibrationCounts, Table


@dataclass(frozen=True, slots=True)
class Calibrations:
    """A judge's calibration by task; a task without labels has none."""

    tasks: Mapping[Expect, Calibration] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibrations:
        """From the stored form: by task, ``systems`` as name: [tp, fn, tn, fp].

        ``slices``, if there, has the same by language and kind of answer. ``certain``, if there,
        has ``systems`` of the same form and the ``score`` they are for.
        """
        tasks: dict[Expect, Calibration] = {}
        for expect in ("refuse", "answer"):
            if expect in data:
                tasks[expect] = _calibration(data[expect])
        return cls(tasks)

    def of(self, expect: Expect) -> Calibration | None:
        """The calibration of a task, or None."""
        return self.tasks.get(expect)


def as_counts(known: Calibration) -> CalibrationCounts:
    """A judge's calibration as the statistics take it."""
    return CalibrationCounts(
        known.true_positive,
        known.false_negative,
        known.true_negative,
        known.false_positive,
        _tables(known.systems),
    )


def certain_counts(known: CertainFailures) -> CalibrationCounts:
    """Counts of a judge's certain failures as the statistics take them."""
    tables = _tables(known.systems)
    tp, fn, tn, fp = (sum(column) for column in zip(*tables, strict=True))
    return CalibrationCounts(tp, fn, tn, fp, tables)


def _tables(systems: tuple[SystemTable, ...]) -> tuple[Table, ...]:
    return tuple(
        (one.true_positive, one.false_negative, one.true_negative, one.false_positive)
        for one in systems
    )


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    systems = _systems(stored["systems"])
    certain = stored.get("certain")
    return Calibration(
        sum(one.true_positive for one in systems),
        sum(one.false_negative for one in systems),
        sum(one.true_negative for one in systems),
        sum(one.false_positive for one in systems),
        stored["source"],
        systems,
        stored.get("labeller", ""),
        stored.get("labeller_error"),
        tuple(stored.get("languages", ())),
        CertainFailures(certain["score"], _systems(certain["systems"])) if certain else None,
        slices=_systems(stored.get("slices", {})),
    )


def _systems(stored: Mapping[str, Any]) -> tuple[SystemTable, ...]:
    return tuple(SystemTable(name, *table) for name, table in stored.items())
