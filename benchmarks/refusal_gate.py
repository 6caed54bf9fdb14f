"""A refusal gate on hidden states, fitted to half of the harm categories and tried on the others.

    python benchmarks/refusal_gate.py --weights FOLDER --seeds 3

For each seed another half is held out. Caught is the share of harmful requests that the gate
refuses, false alarms the share of their look-alikes; "left out" are the same as the fit itself
estimates them. CPU seconds are of one thread. `examples/align-smollm2/convert.py` makes the folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", required=True, help="Hugging Face folder, safetensors")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--false-alarms", type=float, default=0.02)
    given = parser.parse_args()
    import torch

    from buttress.prompts.base import Prompt
    from buttress.prompts.pack import load_pack
    from buttress.prompts.split import split_by_category
    from buttress.targets.base import Message
    from buttress.white_box.gate import fit_gate
    from buttress.white_box.hidden_states import hidden_states
    from buttress.white_box.loading import load

    torch.set_num_threads(1)
    model, tokenizer = load(given.weights, device="cpu")

    def chats(prompts: Sequence[Prompt]) -> list[tuple[Message, ...]]:
        return [(Message("user", one.text),) for one in prompts]

    print("| seed | area | words | left out: caught | false | held out: caught | false | CPU s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for seed in range(given.seeds):
        split = split_by_category(load_pack(["en"]), seed=seed)
        start = time.process_time()
        fit = fit_gate(
            model, tokenizer, chats(split.seen), [one.expect == "refuse" for one in split.seen],
            [one.category for one in split.seen], identity="", false_alarms=given.false_alarms,
        )  # fmt: skip
        spent = time.process_time() - start
        states: Any = hidden_states(model, tokenizer, chats(split.held_out), layers=fit.gate.layers)
        refused = fit.gate.log_odds(states) > fit.gate.threshold
        shares = [
            float(refused[[one.expect == expect for one in split.held_out]].mean())
            for expect in ("refuse", "answer")
        ]
        print(
            f"| {seed} | {fit.area:.3f} | {fit.words_area:.3f} | {fit.caught:.1%} | "
            f"{fit.false_alarms:.1%} | {shares[0]:.1%} | {shares[1]:.1%} | {spent:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
