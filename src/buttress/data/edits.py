"""Edits of a text, and how they are undone, also below later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch that a stage replaces.

    ``slot`` is the number of the record's text, ``start`` and ``end`` delimit the stretch in
    characters of the text as the stage saw it, ``kind`` says what stood there.
    """

    slot: int
    start: int
    end: int
    replacement: str
    kind: str


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """An edit with the text that it replaced."""

    slot: int
    start: int
    end: int
    replacement: str
    kind: str
    original: str


class OverlapError(ValueError):
    """A later stage changed what an earlier one wrote: the two can only be undone together."""


def disjoint(edits: Sequence[Edit]) -> list[Edit]:
    """The edits by place, without those that overlap an earlier one (of two, the longer stays)."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.slot, one.start, -one.end)):
        if kept and kept[-1].slot == edit.slot and edit.start < kept[-1].end:
            continue
        kept.append(edit)
    return kept


def apply_edits(texts: Sequence[str], edits: Sequence[Edit]) -> tuple[list[str], list[AppliedEdit]]:
    """The texts after disjoint ``edits``, and what these replaced."""
    pieces: list[list[str]] = [[] for _ in texts]
    places = [0] * len(texts)
    applied = []
    for edit in disjoint(edits):
        text = texts[edit.slot]
        pieces[edit.slot] += [text[places[edit.slot] : edit.start], edit.replacement]
        places[edit.slot] = edit.end
        original = text[edit.start : edit.end]
        applied.append(
            AppliedEdit(edit.slot, edit.start, edit.end, edit.replacement, edit.kind, original)
        )
    for slot, text in enumerate(texts):
        pieces[slot].append(text[places[slot] :])
    return ["".join(piece) for piece in pieces], applied


def undo(texts: Sequence[str], applied: Sequence[AppliedEdit]) -> list[str]:
    """The texts before ``applied`` was done to them."""
    changed = list(texts)
    for edit in sorted(applied, key=lambda one: (one.slot, one.start)):
        text = changed[edit.slot]  # what stands before the edit is as it was, so places hold
        stop = edit.start + len(edit.replacement)
        changed[edit.slot] = text[: edit.start] + edit.original + text[stop:]
    return changed


def without(
    texts: Sequence[str], steps: Sequence[Sequence[AppliedEdit]], undone: int
) -> tuple[list[str], list[list[AppliedEdit]]]:
    """The texts as if step ``undone`` had never been, and the other steps' edits as they then are.

    Args:
        texts: after all steps.
        steps: the edits of each step, in order, placed in the text that the step saw.
        undone: number of the step.

    Raises:
        OverlapError: a later step changed what the step wrote.
    """
    before = list(texts)
    for step in reversed(steps[undone:]):
        before = undo(before, step)
    # A place p of the text after the step is p + shift in the text before it.
    shifts = _shifts(steps[undone])
    rest: list[list[AppliedEdit]] = [list(step) for step in steps[:undone]]
    for step in steps[undone + 1 :]:
        moved = []
        for edit in sorted(step, key=lambda one: (one.slot, one.start)):
            shift = _shift(shifts.get(edit.slot, []), edit.start, edit.end)
            moved.append(
                AppliedEdit(
                    edit.slot, edit.start + shift, edit.end + shift, edit.replacement, edit.kind,
                    edit.original,
                )
            )  # fmt: skip
        shifts = _moved(shifts, step)
        rest.append(moved)
    for step in rest[undone:]:
        before, _ = apply_edits(
            before,
            [Edit(one.slot, one.start, one.end, one.replacement, one.kind) for one in step],
        )
    return before, rest


# By slot: (start, end, shift of what follows) of each stretch that the undone step wrote.
_Written = list[tuple[int, int, int]]


def _shifts(step: Sequence[AppliedEdit]) -> dict[int, _Written]:
    found: dict[int, _Written] = {}
    offset: dict[int, int] = {}
    for edit in sorted(step, key=lambda one: (one.slot, one.start)):
        start = edit.start + offset.get(edit.slot, 0)
        grown = len(edit.replacement) - (edit.end - edit.start)
        offset[edit.slot] = offset.get(edit.slot, 0) + grown
        found.setdefault(edit.slot, []).append(
            (start, start + len(edit.replacement), -offset[edit.slot])
        )
    return found


def _shift(written: _Written, start: int, end: int) -> int:
    shift = 0
    for first, last, after in written:
        if start < last and first < end:
            raise OverlapError("a later stage changed what this stage wrote")
        if last <= start:
            shift = after
    return shift


def _moved(shifts: dict[int, _Written], step: Sequence[AppliedEdit]) -> dict[int, _Written]:
    """Where the stretches stand after a later step."""
    result: dict[int, _Written] = {}
    for slot, written in shifts.items():
        edits = sorted((one for one in step if one.slot == slot), key=lambda one: one.start)
        for first, last, after in written:
            grown = sum(
                len(one.replacement) - (one.end - one.start) for one in edits if one.end <= first
            )
            result.setdefault(slot, []).append((first + grown, last + grown, after))
    return result
