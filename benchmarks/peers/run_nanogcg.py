"""nanogcg on the job that stands on stdin; see ``gcg.py``.

nanogcg 0.3.0 draws its candidates through ``sample_ids_from_grad``. Here the draws are Buttress's,
so that both try the same candidates in the same order and their losses can be compared step by
step; everything else is nanogcg's own.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any


def main() -> None:
    job = json.load(sys.stdin)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
    import nanogcg.gcg
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    from buttress.white_box.candidates import allowed_tokens, draw, seeded

    torch.set_num_threads(job["threads"])
    folder = Path(job["weights"])
    written = json.loads((folder / "config.json").read_text())
    config = AutoConfig.from_pretrained(folder)
    # transformers 5 nests this setting, 4.47 doesn't find it there and takes another value.
    config.rope_theta = written.get("rope_parameters", written)["rope_theta"]
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, torch_dtype=torch.float32)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        **{name: settings[name] for name in settings if name.endswith("_token")},
    )
    tokenizer.chat_template = (folder / "chat_template.jinja").read_text()
    # nanogcg strips the BOS token's text everywhere, and SmolLM2's opens every turn.
    tokenizer.bos_token = None
    allowed = allowed_tokens(
        tokenizer, model.get_input_embeddings().weight.shape[0], ascii_only=True
    )
    marks: list[tuple[float, float]] = []

    def same_draws(ids: Any, grad: Any, count: int, top_k: int, *_: Any, **__: Any) -> Any:
        generator = seeded(job["seed"], len(marks) - 1)
        return draw(ids, grad, allowed, count=count, top_k=top_k, generator=generator)

    def marking(self: Any, ids: Any) -> Any:
        marks.append((time.perf_counter(), time.process_time()))
        return gradient(self, ids)

    gradient = nanogcg.gcg.GCG.compute_token_gradient
    nanogcg.gcg.GCG.compute_token_gradient = marking
    nanogcg.gcg.sample_ids_from_grad = same_draws
    result = nanogcg.run(
        model,
        tokenizer,
        [{"role": "user", "content": job["request"]}],
        job["target"],
        nanogcg.GCGConfig(
            num_steps=job["steps"],
            optim_str_init=job["initial"],
            search_width=job["candidates"],
            batch_size=job["batch"],
            topk=job["top_k"],
            seed=job["seed"],
            verbosity="ERROR",
        ),
    )
    marks.append((time.perf_counter(), time.process_time()))
    spent = [[b[i] - a[i] for a, b in pairwise(marks)] for i in (0, 1)]
    print(json.dumps({"losses": result.losses, "seconds": spent[0], "cpu_s": spent[1]}))


if __name__ == "__main__":
    main()
