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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import torch
from corpus import FULL, SMALL, Size, build, texts
from interventions import forget, private
from measures import measured
from small_model import make_tokenizer, steps_for, train
from verdict import decide, show

from buttress.data.plan import PipelinePlan, from_command_line
from buttress.data.restore import kept_lines
from buttress.workflows.data import DataRequest, clean

STAGES = ("exact", "near", "pii", "secrets")


def one_seed(folder: Path, size: Size, seed: int) -> dict[str, Any]:
    """All figures of a seed; what is in its file already is not computed again."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "figures.json"
    found: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    corpus = build(folder, size, seed)
    planted = texts(corpus.planted)
    tokenizer = make_tokenizer(planted)

    def step(name: str, compute: Any) -> Any:
        if name not in found:
            start = time.process_time()
            found[name] = compute()
            found.setdefault("CPU seconds", {})[name] = round(time.process_time() - start, 1)
            path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
            print(f"seed {seed}: {name} ({found['CPU seconds'][name]} s of CPU time)", flush=True)
        return found[name]

    leaking, cleaned = folder / "leaking", folder / "cleaned"
    steps = step("steps", lambda: steps_for(planted, tokenizer, size.epochs))

    def before() -> dict[str, Any]:
        if not (leaking / "tokenizer.json").exists():  # written last
            train(planted, tokenizer, steps, seed, leaking)
        return measured(leaking, corpus, size, seed)

    def data() -> dict[str, Any]:
        out = folder / "data"
        plan = PipelinePlan(from_command_line(STAGES, Path()))
        document = clean(
            DataRequest((corpus.planted,), plan, out, resume=(out / "data.json").exists())
        )
        return {"records": document["records"], "digest": document["digest"]}

    def after() -> dict[str, Any]:
        if (cleaned / "tokenizer.json").exists():
            return measured(cleaned, corpus, size, seed)
        kept = [orjson.loads(line)["text"] for line in kept_lines(folder / "data")]
        train(kept, tokenizer, steps, seed, cleaned)
        return measured(cleaned, corpus, size, seed)

    step("before", before)
    step("data", data)
    step("after", after)
    step("unlearning", lambda: forget(leaking, corpus, folder / "unlearning", size, seed))
    step("privacy", lambda: private(leaking, corpus, folder / "private", size, seed))
    return found


def main() -> int:
    """Run all seeds, show figures and verdict; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/clean-the-data"))
    parser.add_argument("--small", action="store_true", help="one seed, a small corpus")
    parser.add_argument("--workers", type=int, default=2, help="seeds at a time (default: 2)")
    options = parser.parse_args()
    size = SMALL if options.small else FULL
    folders = [options.out / f"seed-{seed}" for seed in range(size.seeds)]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(one_seed, folder, size, seed) for seed, folder in enumerate(folders)
        ]  # fmt: skip
        figures = [run.result() for run in runs]
    result = decide(figures)
    (options.out / "result.json").write_bytes(
        orjson.dumps({"figures": figures, "verdict": result}, option=orjson.OPT_INDENT_2)
    )
    show(figures, result)
    return 0 if result["helped"] else 1


if __name__ == "__main__":
    sys.exit(main())
