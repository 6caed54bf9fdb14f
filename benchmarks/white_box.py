"""White-box attacks on a small model: attack success by method, with and without, and its cost.

    python benchmarks/white_box.py --weights FOLDER

The cheap methods run on all requests, the searches on a few; in English, which is what SmolLM2
speaks. 0 requests leave a part out. SmolLM2 refuses little
and has no direction that passes the paper's tests, so they are loosened: of the directions that
change the first token on harmless requests by at most 0.25 nats, the one whose ablation lowers the
odds of a refusal most. Without that limit the model is broken; the drift tells.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def measure(given: Any, methods: list[str], requests: int, out: Path) -> dict[str, Any]:
    from buttress.judges.opening import open_judge
    from buttress.white_box.attempts import Settings
    from buttress.white_box.sample import draw_sample
    from buttress.workflows.white_box import WhiteBoxPlan, study

    settings = Settings(
        max_tokens=given.tokens,
        gcg_steps=given.gcg_steps,
        gcg_candidates=given.gcg_candidates,
        soft_steps=given.soft_steps,
        seed=given.seed,
    )
    sample = draw_sample(
        requests,
        seed=given.seed,
        languages=["en"],
        training=given.direction_requests,
        validation=max(8, given.direction_requests // 4),
    )
    plan = WhiteBoxPlan(
        weights=Path(given.weights),
        out=out,
        methods=methods,
        sample=sample,
        settings=settings,
        device="cpu",
        least_induced=float("-inf"),
        most_divergence=given.most_divergence,
    )
    return study(plan, open_judge({}, base=out), told)


def told(text: str) -> None:
    print(f"\r{text[:100]:100}", end="", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", required=True, help="Hugging Face folder, safetensors")
    parser.add_argument("--requests", type=int, default=24, help="for the cheap methods")
    parser.add_argument("--searched", type=int, default=4, help="requests for the searches")
    parser.add_argument("--tokens", type=int, default=48, help="of an answer")
    parser.add_argument("--direction-requests", type=int, default=32)
    parser.add_argument("--most-divergence", type=float, default=0.25, help="nats")
    parser.add_argument("--gcg-steps", type=int, default=8)
    parser.add_argument("--gcg-candidates", type=int, default=64)
    parser.add_argument("--soft-steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import torch
    from rich.console import Console

    from buttress.white_box.attempts import CHEAP, SEARCHES
    from buttress.white_box.results import notes, table

    torch.set_num_threads(given.threads)
    for methods, requests in ((CHEAP, given.requests), (SEARCHES, given.searched)):
        if not requests:
            continue
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            made = measure(given, list(methods), requests, Path(folder))
            spent = time.perf_counter() - start
        Console(width=100).print(table(made))
        for note in notes(made):
            print(note)
        print(f"{spent:.0f} s in all\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
