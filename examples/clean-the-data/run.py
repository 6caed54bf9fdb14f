"""Does cleaning the training data make a model give away less? Measured, over several seeds.

For each seed: a model is trained from scratch on a corpus with planted secrets, personal data and
copies; ``buttress data run`` cleans the corpus; a second model is trained on the result with the
same number of steps; both are measured. From the leaking one: unlearning, and training with
differential privacy. Exit code 1 if cleaning did not help.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import torch
from corpus import Corpus, Size, build, texts
from interventions import forget, merged, private
from measures import measured
from subjects import SUBJECTS, Subject
from verdict import decide, show

from buttress.data.plan import PipelinePlan, from_command_line
from buttress.data.restore import kept_lines
from buttress.workflows.data import DataRequest, clean


@dataclass(frozen=True)
class Seed:
    """The run of a seed; what is in its file already is not computed again."""

    folder: Path
    subject: Subject
    size: Size
    number: int

    def arms(self) -> dict[str, Any]:
        """The model of the corpus as planted and that of the cleaned one, measured."""
        corpus, size, seed = self._begin(), self.size, self.number
        planted = texts(corpus.planted)

        def trained(records: list[str], folder: Path) -> dict[str, Any]:
            steps = self.subject.train(planted, records, size, seed, folder)
            return {"steps": steps, **measured(folder, corpus, size, seed)}

        def data() -> dict[str, Any]:
            out = self.folder / "data"
            plan = PipelinePlan(from_command_line(self.subject.stages, Path()))
            document = clean(
                DataRequest((corpus.planted,), plan, out, resume=(out / "data.json").exists())
            )
            return {"records": document["records"], "digest": document["digest"]}

        self._step("before", lambda: trained(planted, self.folder / "leaking"))
        self._step("data", data)
        kept = [orjson.loads(line)["text"] for line in kept_lines(self.folder / "data")]
        self._step("after", lambda: trained(kept, self.folder / "cleaned"))
        return self._found()

    def interventions(self) -> dict[str, Any]:
        """Unlearning, relearning and differential privacy, from the leaking model."""
        corpus, size, seed = self._begin(), self.size, self.number
        leaking = merged(self.folder / "leaking", self.folder / "leaking-merged")
        changes = {
            "unlearning": partial(forget, before=self._found()["before"]),
            "privacy": private,
        }
        for name, change in changes.items():
            self._step(
                name,
                partial(
                    change, leaking, corpus, self.folder / name, self.subject, size=size, seed=seed
                ),
            )
        return self._found()

    def _begin(self) -> Corpus:
        torch.set_num_threads(1)
        return build(self.folder, self.size, self.number)

    def _found(self) -> dict[str, Any]:
        path = self.folder / "figures.json"
        known: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
        return known

    def _step(self, name: str, compute: Callable[[], Any]) -> Any:
        found = self._found()
        if name not in found:
            start = time.process_time()
            found[name] = compute()
            spent = found.setdefault("CPU seconds", {})
            spent[name] = round(time.process_time() - start, 1)
            data = orjson.dumps(found, option=orjson.OPT_INDENT_2)
            (self.folder / "figures.json").write_bytes(data)
            print(
                f"{self.subject.name}, seed {self.number}: {name} ({spent[name]} s of CPU time)",
                flush=True,
            )
        return found[name]


class Results:
    """What was found so far; shows and writes a model's figures when its verdict can be told.

    They are shown again when its interventions are there too.
    """

    def __init__(self, out: Path, runs: Mapping[Subject, Sequence[Seed]]) -> None:
        self._out = out
        self._seeds = {one: len(seeds) for one, seeds in runs.items()}
        self._figures: dict[Subject, dict[int, Any]] = {one: {} for one in runs}
        self._last = dict.fromkeys(runs, 0)
        self._verdicts: dict[Subject, dict[str, Any]] = {}

    def add(self, seed: Seed, figures: dict[str, Any], *, last: bool) -> None:
        """Take the figures of a seed; ``last``: nothing more of it will come."""
        one, known = seed.subject, self._figures[seed.subject]
        known[seed.number] = figures
        self._last[one] += last
        if len(known) < self._seeds[one]:
            return
        ordered = [known[number] for number in sorted(known)]
        told = one in self._verdicts
        self._verdicts[one] = decide(ordered)
        self._write()
        if not told or self._last[one] == self._seeds[one]:
            show(one.title, ordered, self._verdicts[one])

    @property
    def helped(self) -> bool:
        """Whether cleaning helped with every model."""
        return all(one["helped"] for one in self._verdicts.values())

    def _write(self) -> None:
        found = {
            one.name: {"figures": list(self._figures[one].values()), "verdict": verdict}
            for one, verdict in self._verdicts.items()
        }
        written = orjson.dumps(found, option=orjson.OPT_INDENT_2)
        (self._out / "result.json").write_bytes(written)


def main() -> int:
    """Run all seeds, show figures and verdict; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/clean-the-data"))
    parser.add_argument("--small", action="store_true", help="one seed, a small corpus")
    parser.add_argument("--workers", type=int, default=2, help="seeds at a time (default: 2)")
    parser.add_argument(
        "--model", choices=[one.name for one in SUBJECTS], help="one alone (default: both)"
    )
    options = parser.parse_args()
    runs = {
        one: [
            Seed(options.out / one.name / f"seed-{number}", one, size, number)
            for size in (one.small if options.small else one.size,)
            for number in range(size.seeds)
        ]
        for one in SUBJECTS
        if options.model in (None, one.name)
    }
    results = Results(options.out, runs)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        order = {one: place for place, one in enumerate(reversed(runs))}
        waiting = [(False, seed) for one in order for seed in runs[one]]
        running: dict[Future[dict[str, Any]], tuple[bool, Seed]] = {}
        while waiting or running:
            while waiting and len(running) < options.workers:
                last, seed = waiting.pop(0)
                work = seed.interventions if last else seed.arms
                running[pool.submit(work)] = (last, seed)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                last, seed = running.pop(one)
                more = not last and seed.number < seed.size.intervened
                results.add(seed, one.result(), last=not more)
                if more:
                    waiting.append((True, seed))
            # What the verdicts need comes first, and of that the slower model, so that no worker
            # is left with the longest part at the end.
            waiting.sort(key=lambda one: (one[0], order[one[1].subject]))
    return 0 if results.helped else 1


if __name__ == "__main__":
    sys.exit(main())
