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
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
        for name, change in (("unlearning", forget), ("privacy", private)):
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


def main() -> int:
    """Run all seeds, show figures and verdict; the exit code.

    The verdict comes first, from the two models of each seed; then the interventions.
    """
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
    results: dict[str, Any] = {}
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for part in (Seed.arms, Seed.interventions):
            begun = {
                one: [
                    pool.submit(part, seed)
                    for seed in seeds
                    if part is Seed.arms or seed.number < seed.size.intervened
                ]
                for one, seeds in runs.items()
            }
            for one, waited in begun.items():
                figures = results.get(one.name, {}).get("figures", [])
                later = [seed.result() for seed in waited]
                figures = later + figures[len(later) :]
                results[one.name] = {"figures": figures, "verdict": decide(figures)}
                written = orjson.dumps(results, option=orjson.OPT_INDENT_2)
                (options.out / "result.json").write_bytes(written)
                show(one.title, figures, results[one.name]["verdict"])
    return 0 if all(one["verdict"]["helped"] for one in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
