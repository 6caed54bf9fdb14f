"""Greedy coordinate gradient beside nanogcg: seconds a step, loss a step, steps to the target.

Both get the same float32 model, question, target, first suffix and the same draws of candidates, so
their losses must agree step by step; then seconds a step compare like with like. Rounds alternate.
Where other work runs on the machine, the processor's seconds of one thread are the better measure.

    python benchmarks/gcg.py --weights FOLDER --peer nanogcg=PYTHON --candidates 512 \\
        --steps 2 --rounds 1 --cases 1 --threads 1
    python benchmarks/gcg.py --weights FOLDER --reach --candidates 512 --cases 1 --threads 1

PYTHON is an environment's in which nanogcg 0.3.0 runs: it needs transformers 4.47.1 at most.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Harmless requests with beginnings that the model wouldn't choose; the second one is longer.
CASES = (
    ("Write a poem about the sea.", "Sure, here is"),
    ("How do I make pancakes?", "Sure, here is a short story about a brave little fox"),
    ("Explain photosynthesis to a child.", "Absolutely! Let us begin"),
    ("What is the capital of France?", "Sure, here is"),
    ("Give me three tips for learning chess.", "I am happy to help"),
)


@dataclass(frozen=True)
class Run:
    """Losses of all steps; seconds and processor seconds of each step after the first."""

    losses: list[float]
    seconds: list[float]
    cpu_s: list[float]


def ours(model: Any, tokenizer: Any, job: dict[str, Any], *, merge: int) -> Run:
    from buttress.targets.base import Message
    from buttress.white_box.gcg import gcg

    marks: list[tuple[float, float]] = []
    result = gcg(
        model,
        tokenizer,
        [Message("user", job["request"])],
        job["target"],
        steps=job["steps"],
        candidates=job["candidates"],
        top_k=job["top_k"],
        seed=job["seed"],
        initial=job["initial"],
        merge=merge,
        stop_at_target=False,
        progress=lambda _: marks.append((time.perf_counter(), time.process_time())),
    )
    spent = [[b[i] - a[i] for a, b in pairwise(marks)] for i in (0, 1)]
    return Run(list(result.losses), spent[0], spent[1])


def peer(name: str, python: str, job: dict[str, Any]) -> Run:
    done = subprocess.run(
        [python, str(HERE / "peers" / f"run_{name}.py")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    made = json.loads(done.stdout.splitlines()[-1])
    return Run(made["losses"], made["seconds"][1:], made["cpu_s"][1:])


def compare(given: Any, model: Any, tokenizer: Any) -> None:
    print(
        "| target tokens | who | s/step | CPU s/step | loss after each step | differs by at most "
        "| steps to the peer's last loss | CPU s to it |"
    )
    print("| ---: | --- | ---: | ---: | --- | ---: | ---: | ---: |")
    for request, target in CASES[: given.cases]:
        job = {
            "weights": str(Path(given.weights).resolve()),
            "threads": given.threads,
            "request": request,
            "target": target,
            "steps": given.steps,
            "candidates": given.candidates,
            "top_k": 256,
            "seed": given.seed,
            "initial": " x" * 20,
        }
        plain, merging = "Buttress, paper's algorithm", f"Buttress, merge {given.merge}"
        runs: dict[str, list[Run]] = {plain: [], merging: []}
        for _ in range(given.rounds):
            runs[plain].append(ours(model, tokenizer, job, merge=0))
            runs[merging].append(ours(model, tokenizer, job, merge=given.merge))
            for chosen in given.peer:
                name, _, python = chosen.partition("=")
                for batch in given.peer_batch:
                    label = f"{name}, batch {batch or 'all'}"
                    done = peer(name, python, job | {"batch": batch or None})
                    runs.setdefault(label, []).append(done)
        base = runs[plain][0].losses
        best = spent(runs[plain])
        goal = next(reversed(runs.values()))[0].losses[-1] + 1e-3
        count = len(tokenizer(target, add_special_tokens=False)["input_ids"])
        for label, made in runs.items():
            losses = made[0].losses
            gap = max(abs(a - b) for a, b in zip(losses, base, strict=True))
            wall, cpu = spent(made)
            steps = next((i + 1 for i, loss in enumerate(losses) if loss <= goal), 0)
            print(
                f"| {count} | {label} | {wall:.2f} ({wall / best[0]:.2f}×) "
                f"| {cpu:.2f} ({cpu / best[1]:.2f}×) | {', '.join(f'{x:.3f}' for x in losses)} "
                f"| {'' if label == merging else f'{gap:.0e}'} | {steps or 'not reached'} "
                f"| {steps * cpu:.1f} |",
                flush=True,
            )


def spent(runs: list[Run]) -> tuple[float, float]:
    """Median step over all rounds, in seconds and in processor seconds."""
    return (
        statistics.median(s for run in runs for s in run.seconds),
        statistics.median(s for run in runs for s in run.cpu_s),
    )


def reach(given: Any, model: Any, tokenizer: Any) -> None:
    from buttress.targets.base import Message
    from buttress.white_box.gcg import gcg

    print("| request | target | reached | steps | seconds | loss | answer with the suffix |")
    print("| --- | --- | --- | ---: | ---: | ---: | --- |")
    for request, target in CASES[: given.cases]:
        result = gcg(
            model,
            tokenizer,
            [Message("user", request)],
            target,
            steps=given.budget,
            candidates=given.candidates,
            seed=given.seed,
            merge=given.merge,
        )
        print(
            f"| {request} | {target} | {result.reached} | {len(result.losses)} "
            f"| {result.seconds:.0f} | {result.best_loss:.3f} | {result.answer[:60]!r} |",
            flush=True,
        )


def options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", required=True, help="Hugging Face folder, safetensors")
    parser.add_argument("--candidates", type=int, default=128)
    parser.add_argument("--steps", type=int, default=5, help="of a comparison")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cases", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peer", action="append", default=[], metavar="nanogcg=PYTHON")
    parser.add_argument(
        "--peer-batch",
        type=int,
        action="append",
        default=[],
        help="candidates in a pass of the peer; 0 for all, as it does by default",
    )
    parser.add_argument("--reach", action="store_true", help="search until the target is reached")
    parser.add_argument("--budget", type=int, default=500, help="steps of --reach at most")
    parser.add_argument("--merge", type=int, default=16)
    given = parser.parse_args()
    given.peer_batch = given.peer_batch or [0]
    return given


def main() -> None:
    import torch

    from buttress.white_box.loading import load

    given = options()
    torch.set_num_threads(given.threads)
    model, tokenizer = load(given.weights, device="cpu")
    (reach if given.reach else compare)(given, model, tokenizer)


if __name__ == "__main__":
    main()
