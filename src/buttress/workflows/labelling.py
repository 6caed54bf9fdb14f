"""People's labels in an evidence store: given at a terminal, summarised, exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.evidence.store import EvidenceStore, resolve
from buttress.labelling.estimate import LabelledRate, rate_of
from buttress.labelling.export import export
from buttress.labelling.keys import Keys
from buttress.labelling.screen import Screen
from buttress.labelling.selection import TrialSelection, select
from buttress.labelling.session import LabellingSession


@dataclass(frozen=True, slots=True)
class TrialChoice:
    """Which trials of a store: None is the newest run, and the only probe and asset of it."""

    run: str | None = None
    probe: str | None = None
    asset: str | None = None


@dataclass(frozen=True, slots=True)
class LabellingResult:
    """What the labels of some trials say.

    ``given`` is the number of labels of this session, None where there was none; ``exported`` the
    number of labels written to a file.
    """

    selection: TrialSelection
    rate: LabelledRate
    given: int | None = None
    exported: int | None = None

    def document(self) -> dict[str, Any]:
        """As plain data."""
        chosen = self.selection
        more = {} if self.given is None else {"given": self.given}
        identity = {"run": chosen.run, "probe": chosen.probe, "asset": chosen.asset}
        return identity | more | self.rate.to_json()


def label(
    path: Path,
    choice: TrialChoice,
    keys: Keys,
    screen: Screen,
    *,
    labeller: str,
    seed: int = 0,
    budget: int | None = None,
    show_judge: bool = False,
) -> LabellingResult:
    """Show trials one by one and keep the labels, until all are labelled or the labeller quits.

    Args:
        path: an evidence store, or the folder that holds one.
        choice: the trials.
        keys: where decisions come from.
        screen: where trials are shown.
        labeller: who labels; stored with every label.
        seed: of the draws, 0 or more.
        budget: number of labels at most, 1 or more.
        show_judge: show the judge's verdict before the label is given.

    Raises:
        InputError: no store, no such trials, or a number out of range.
    """
    for name, value, least in (("budget", budget, 1), ("seed", seed, 0)):
        if value is not None and value < least:
            raise InputError(
                f"{value} is too small", field=f"--{name}", expected=f"{least} or more"
            )
    file = resolve(path)
    EvidenceStore.open(file, read_only=True).close()  # a wrong path must not make a new store
    with EvidenceStore.open(file) as store:
        selection = select(store, run=choice.run, probe=choice.probe, asset=choice.asset)
        session = LabellingSession(
            store,
            selection,
            keys,
            screen,
            labeller=labeller,
            seed=seed,
            budget=budget,
            show_judge=show_judge,
        )
        try:
            rate = session.run()
        except KeyboardInterrupt:  # as good a way to quit as any: all labels are kept
            rate = session.rate()
    return LabellingResult(selection, rate, session.given)


def labels(path: Path, choice: TrialChoice, *, to: Path | None = None) -> LabellingResult:
    """Summarise the labels in a store and, where ``to`` is given, write them as JSON Lines.

    Raises:
        InputError: no store, no such trials, or a file that can't be written.
    """
    with EvidenceStore.open(resolve(path), read_only=True) as store:
        selection = select(store, run=choice.run, probe=choice.probe, asset=choice.asset)
    sample = selection.sample()
    exported = export(sample, to) if to is not None else None
    return LabellingResult(selection, rate_of(sample), exported=exported)
