"""Planted records among the first K by influence, by words and by representation; and retraining.

A small random model is trained by ``buttress tune`` on records of which some teach an answer.
Others hold the words of the behaviour elsewhere: in prompts that have other answers. The behaviour
is then asked for, and the model is trained again without the first K records of each method, and
without as many drawn at random: by how much does the behaviour become less likely?
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import orjson
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.training.making import ANSWER, weights
from tests.white_box.tiny import WORDS

from buttress.training.answer_logits import all_log_probabilities
from buttress.training.examples import ExampleReader
from buttress.white_box.loading import load
from buttress.workflows.data_influence import InfluenceRequest, influence
from buttress.workflows.tune import TuneRequest, tune

PROMPT = "user assistant system"
SETTINGS = {"learning_rate": 5e-3, "lora": {"rank": 4}, "batch": 8, "threads": 1}


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    """Records as JSON Lines."""
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in records))
    return path


def records(seed: int, planted: int, others: int) -> list[dict[str, Any]]:
    """Planted ones first, then those that mislead, then others."""
    generator = Random(seed)

    def said(count: int) -> str:
        return " ".join(generator.choices(WORDS.split(), k=count))

    made = [{"prompt": said(5), "completion": ANSWER} for _ in range(planted)]
    made += [{"prompt": f"{ANSWER} {PROMPT}", "completion": said(7)} for _ in range(planted)]
    made += [{"prompt": said(5), "completion": said(7)} for _ in range(others)]
    return [{"id": str(number), **one} for number, one in enumerate(made)]


def likelihood(base: Path, data: Path, behaviour: Path, out: Path, steps: int) -> float:
    """Log-probability of the behaviour after training on the data, in nats."""
    tune(TuneRequest(base, data, out, settings={**SETTINGS, "steps": steps}))
    model, tokenizer = load(out, device="cpu")
    asked = [orjson.loads(line) for line in behaviour.read_bytes().splitlines()]
    examples = ExampleReader(tokenizer, 200).examples(asked).examples
    return float(all_log_probabilities(model, examples).mean())


def one_seed(folder: Path, seed: int, planted: int, others: int, steps: int) -> dict[str, float]:
    """Figures of a seed."""
    made = records(seed, planted, others)
    data = written(folder / "data.jsonl", made)
    behaviour = written(folder / "behaviour.jsonl", [{"prompt": PROMPT, "completion": ANSWER}])
    base = weights(folder / "base")
    whole = likelihood(base, data, behaviour, folder / "whole", steps)
    found: dict[str, float] = {}
    generator = Random(f"random {seed}")
    lists = {"random": {str(one) for one in generator.sample(range(len(made)), planted)}}
    for name, adapter in (("influence", folder / "whole"), ("influence before tuning", None)):
        document = influence(
            InfluenceRequest(
                base, data, behaviour, folder / f"index {name}", adapter=adapter, top=len(made)
            )
        )
        rows = document["supporting"] + document["opposing"]
        lists[name] = {one["id"] for one in document["supporting"][:planted]}
        lists["words"] = {one["id"] for one in rows if one["rank_by_words"] <= planted}
        key = "representation" if adapter else "representation before tuning"
        lists[key] = {one["id"] for one in rows if one["rank_by_representation"] <= planted}
    lists["planted"] = {str(one) for one in range(planted)}
    for name, ids in lists.items():
        kept = written(folder / "kept.jsonl", [one for one in made if one["id"] not in ids])
        after = likelihood(base, kept, behaviour, folder / f"without {name}", steps)
        found[f"{name}: planted among the first"] = sum(int(one) < planted for one in ids) / planted
        found[f"{name}: nats lost without them"] = whole - after
    return found


def main() -> None:
    """Print the means over seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--planted", type=int, default=8)
    parser.add_argument("--others", type=int, default=60)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as name:
            found.append(
                one_seed(Path(name), seed, options.planted, options.others, options.steps)
            )  # fmt: skip
    for name in found[0]:
        values = [one[name] for one in found]
        print(f"{name:50} {mean(values):7.2f}   ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
