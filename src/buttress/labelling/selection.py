"""Which trials of a store are labelled: those of one probe on one asset in one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from buttress.errors import InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Label, Trial
from buttress.labelling.sample import CHECK, Sample, population


@dataclass(frozen=True, slots=True)
class TrialSelection:
    """Trials of a probe on an asset, and all labels of that probe in the store, in order."""

    run: str
    probe: str
    asset: str
    trials: tuple[Trial, ...]
    labels: tuple[Label, ...]

    def sample(self) -> Sample:
        """The trials with their labels."""
        return Sample(self.trials, self.labels)


def select(
    store: RecordStore,
    *,
    run: str | None = None,
    probe: str | None = None,
    asset: str | None = None,
) -> TrialSelection:
    """The trials to label; what is not named must be the only one, the run the newest.

    Raises:
        InputError: nothing judged there, or several to choose from; the message names them.
    """
    judged = [trial for trial in store.trials(run=run, probe=probe) if trial.judge != CHECK]
    if not judged:
        named = [f"--{name} {value}" for name, value in (("run", run), ("probe", probe)) if value]
        raise InputError(
            " ".join(["no judged trials", *(["with", *named] if named else [])]),
            file=store.name,
            expected="a run whose outcomes a judge decided",
        )
    chosen_run = judged[-1].run if run is None else run
    judged = [trial for trial in judged if trial.run == chosen_run]
    chosen_probe = _one("--probe", probe, (trial.probe for trial in judged), store)
    judged = [trial for trial in judged if trial.probe == chosen_probe]
    chosen_asset = _one("--asset", asset, (trial.asset for trial in judged), store)
    trials = population(trial for trial in judged if trial.asset == chosen_asset)
    labels = tuple(store.labels(probe=chosen_probe))
    return TrialSelection(chosen_run, chosen_probe, chosen_asset, tuple(trials), labels)


def _one(option: str, wanted: str | None, found: Iterable[str], store: RecordStore) -> str:
    names = sorted(set(found))
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    problem = "which of several" if wanted is None else f"no judged trials of '{wanted}'"
    raise InputError(problem, file=store.name, field=option, expected="one of " + ", ".join(names))
