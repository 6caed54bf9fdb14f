"""Attributions beside captum and inseq in one run: differences, CPU time of one thread, operations.

    python -m pip install captum inseq
    python benchmarks/attributions.py [--size N] [--layers N] [--words N] [--answer N]
    python benchmarks/attributions.py --weights FOLDER --steps 50

On a random Llama in float32, so that nothing is downloaded, or on ``--weights``. First the peers'
ways for language models, as their users call them: one attribution for each token of the answer,
of the prompt without a chat template. inseq moves the answer's earlier tokens as well, so its
values are compared for the first one; its time is that of all. Then captum's plain methods on our
own score of the whole answer, all steps in a batch; there the chat template is kept, where there
is one. Integrated gradients of the peers get the fewest of ``--steps`` with which they come within
1e-4 of our values, or of captum's own with its largest. Beside the times stand the floating point
operations of both (matrix products and attention, by PyTorch's formulas), which no busy machine
changes. What is done once for all methods, the keys and values of the chat template and their
proof, has a row of its own. The refusal direction is compared with a plain computation by the
published recipe.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as untyped
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from buttress.white_box.explanation.attribution import (
    gradient_x_input,
    integrated_gradients,
    occlusion,
)
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.loading import load
from buttress.white_box.refusal_direction import difference_in_means

transformers: Any = untyped
STEPS = "50,100,200,500,1000"
REQUEST = "How do I pick a lock?"
REPLY = "You need a tension wrench"
CLOSE = 1e-4
WORDS = [f"w{at}" for at in range(200)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--words", type=int, default=16)
    parser.add_argument("--answer", type=int, default=8)
    parser.add_argument("--weights", type=Path, help="Hugging Face folder (default: random)")
    parser.add_argument("--steps", default=STEPS, help=f"series of steps (default: {STEPS})")
    given = parser.parse_args()
    torch.set_num_threads(1)
    steps = tuple(int(one) for one in given.steps.split(","))
    prompt = " ".join(WORDS[at * 7 % len(WORDS)] for at in range(given.words))
    answer = " ".join(WORDS[at * 11 % len(WORDS)] for at in range(given.answer))
    if given.weights:
        model, tokenizer = load(given.weights, device="cpu")
        model.requires_grad_(False)
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        prompt, answer = REQUEST, REPLY
    else:
        model, tokenizer = made(given.size, given.layers)
    plain = copy.deepcopy(tokenizer)
    plain.chat_template = None
    bare, scored = (ScoredAnswer(model, one, prompt, answer) for one in (plain, tokenizer))
    gradient_x_input(scored)  # what is done once a process
    meter = Meter(once=given.weights is not None)
    peers = Peers(bare, prompt, answer, steps, meter)
    print("| method | CPU s | peer | ratio | 10^9 operations | peer | ratio | largest difference |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    _, once = meter(lambda: ScoredAnswer(model, tokenizer, prompt, answer))
    print(f"| once for all methods | {once.seconds:.2f} | | | {once.operations:.2f} | | | |")
    for name, ours, theirs in (*peers.for_answers(), *methods(scored, steps, meter)):
        mine, spent = meter(ours)
        off, peer, note = theirs(mine)
        print(
            f"| {name}{note} | {spent.seconds:.2f} | {peer.seconds:.2f} "
            f"| {peer.seconds / spent.seconds:.1f} | {spent.operations:.2f} "
            f"| {peer.operations:.2f} | {peer.operations / spent.operations:.1f} | {off:.1e} |",
            flush=True,
        )
    if given.weights:
        return
    print(f"\nrefusal direction: least cosine to the recipe {cosine(model, tokenizer):.6f}")


def made(size: int, layers: int) -> tuple[Any, Any]:
    """A random model and a tokenizer of whole words."""
    vocabulary = {word: at for at, word in enumerate(["<pad>", "</s>", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="</s>", pad_token="<pad>"
    )
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=size, intermediate_size=3 * size,
        num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=4,
        initializer_range=0.1, eos_token_id=1,
    )  # fmt: skip
    # No pad token: its embedding would be zero, where norms make the way so steep that equal steps
    # don't converge; real models have another.
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config).eval().requires_grad_(False), (
        tokenizer
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds, and 10^9 floating point operations of the same work done again."""

    seconds: float
    operations: float


# From our values of the prompt's tokens: the largest difference of the peer's, its cost, a note.
Theirs = Callable[[list[float]], tuple[float, Spent, str]]


class Peers:
    """captum's and inseq's ways for language models, on a prompt without a template."""

    def __init__(
        self, scored: ScoredAnswer, prompt: str, answer: str, steps: Sequence[int], meter: Meter
    ) -> None:
        self.scored, self.meter = scored, meter
        self.prompt, self.answer = prompt, answer
        self.steps = steps
        self.places = len(scored.question)

    def for_answers(self) -> list[tuple[str, Callable[[], Any], Theirs]]:
        """Name, our computation and the peer's."""
        path = [("captum", self._captum), ("inseq", self._inseq)]
        return [
            *(
                (
                    "integrated gradients",
                    lambda: integrated_gradients(self.scored).values,
                    lambda mine, name=name, path=path: self._fewest(name, path(), mine),
                )
                for name, path in path
            ),
            (
                "occlusion",
                lambda: occlusion(self.scored).values,
                self._ablation,
            ),
        ]  # fmt: skip

    def _fewest(
        self, name: str, path: Callable[[int], list[float]], mine: list[float]
    ) -> tuple[float, Spent, str]:
        """With the fewest steps that come within 1e-4 of our values, or the most."""
        if name == "inseq":
            scored, first = self.scored, self.answer.split()[0]
            begun = ScoredAnswer(scored.model, scored.tokenizer, self.prompt, first)
            mine = list(integrated_gradients(begun).values)
        for steps in self.steps:
            values, spent = self.meter(lambda steps=steps: path(steps))
            if (off := apart(mine, values)) <= CLOSE:
                break
        return off, spent, f" ({name}: {steps} steps)"

    def _captum(self) -> Callable[[int], list[float]]:
        from captum.attr import LayerIntegratedGradients, LLMGradientAttribution, TextTokenInput

        model, tokenizer = self.scored.model, self.scored.tokenizer
        shown = TextTokenInput(self.prompt, tokenizer, baselines=tokenizer.pad_token_id)
        pad = torch.full((1, self.places), tokenizer.pad_token_id)
        layer = LayerIntegratedGradients(model, model.get_input_embeddings())
        gradients = LLMGradientAttribution(layer, tokenizer)
        return lambda steps: gradients.attribute(
            shown, target=self.answer, baselines=pad, n_steps=steps
        ).seq_attr.tolist()

    def _inseq(self) -> Callable[[int], list[float]]:
        import inseq

        tokenizer = copy.deepcopy(self.scored.tokenizer)
        tokenizer.unk_token = tokenizer.pad_token  # its baseline
        model = inseq.load_model(self.scored.model, "integrated_gradients", tokenizer=tokenizer)
        text = f"{self.prompt} {self.answer}"

        def path(steps: int) -> list[float]:
            found = model.attribute(
                self.prompt, text, n_steps=steps, attributed_fn="crossentropy", show_progress=False
            )
            values = -found.sequence_attributions[0].target_attributions[: self.places, 0]
            return list(values.sum(1).tolist())

        return path

    def _ablation(self, mine: list[float]) -> tuple[float, Spent, str]:
        from captum.attr import FeatureAblation, LLMAttribution, TextTokenInput

        model, tokenizer = self.scored.model, self.scored.tokenizer
        shown = TextTokenInput(self.prompt, tokenizer, baselines=tokenizer.pad_token_id)
        ablation = LLMAttribution(FeatureAblation(model), tokenizer)
        # The faster of its two ways; the other, with a cache, gives other values.
        options = {"use_cached_outputs": False, "forward_in_tokens": False}
        found, spent = self.meter(lambda: ablation.attribute(shown, target=self.answer, **options))
        return apart(mine, found.seq_attr.tolist()), spent, " (captum's class for language models)"


def methods(
    scored: ScoredAnswer, series: Sequence[int], meter: Meter
) -> list[tuple[str, Callable[[], Any], Theirs]]:
    """As ``Peers.for_answers``, with captum's plain methods on our score of the whole answer."""
    from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients

    start = scored.without([scored.places])
    whole = scored.embedded[None]
    # captum multiplies by the input; ours by the input less the baseline, so the input is moved.
    moved = InputXGradient(lambda rows: scored.score(rows + start))
    integrated = IntegratedGradients(scored.score)
    ablation = FeatureAblation(scored.score)
    masks = torch.arange(whole.shape[1])[None, :, None].expand_as(whole)

    def picked(values: torch.Tensor) -> list[float]:
        return values[0].sum(1)[scored.places].tolist()

    def gradients(mine: list[float]) -> tuple[float, Spent, str]:
        values, spent = meter(lambda: moved.attribute((whole - start).requires_grad_()))
        return apart(mine, picked(values)), spent, " (captum, our score)"

    def path(mine: list[float]) -> tuple[float, Spent, str]:
        def values(steps: int) -> list[float]:
            return picked(integrated.attribute(whole, start, n_steps=steps, internal_batch_size=64))

        reference = values(series[-1])
        for steps in series:
            found, spent = meter(lambda steps=steps: values(steps))
            if apart(found, reference) <= CLOSE:
                return apart(mine, reference), spent, f" (captum, our score: {steps} steps)"
        raise AssertionError("the largest number of steps is the reference itself")

    def ablated(mine: list[float]) -> tuple[float, Spent, str]:
        values, spent = meter(
            lambda: ablation.attribute(whole, start, feature_mask=masks.contiguous())
        )
        # captum gives every number of a feature the whole effect
        return apart(mine, values[0, :, 0][scored.places].tolist()), spent, " (captum, our score)"

    return [
        ("gradient x input", lambda: gradient_x_input(scored).values, gradients),
        ("integrated gradients", lambda: integrated_gradients(scored).values, path),
        ("occlusion", lambda: occlusion(scored).values, ablated),
    ]


def apart(mine: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference."""
    return max(abs(a - b) for a, b in zip(mine, other, strict=True))


class Operations(TorchDispatchMode):
    """Counts them as ``FlopCounterMode`` does, without its hooks, which captum's own trip over."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if counted := flop_registry.get(func._overloadpacket):
            self.total += counted(*args, **(kwargs or {}), out_val=found)
        return found


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures work; ``once`` where it is so long that counting does not show in the time."""

    once: bool

    def __call__(self, work: Callable[[], Any]) -> tuple[Any, Spent]:
        """What it gives, and what that cost."""
        if not self.once:
            with Operations() as counted:
                work()
        start = time.process_time()
        if self.once:
            with Operations() as counted:
                found = work()
        else:
            found = work()
        return found, Spent(time.process_time() - start, counted.total / 1e9)


def cosine(model: Any, tokenizer: Any) -> float:
    """Least cosine over layers of our direction to the recipe of arXiv:2406.11717, section 2.3.

    One request at a time, hidden states as transformers gives them, means of both kinds.
    """
    harmful = [" ".join(WORDS[at : at + 5 + at % 4]) for at in range(24)]
    harmless = [" ".join(WORDS[at : at + 4 + at % 5]) for at in range(100, 124)]

    def mean(requests: Sequence[str]) -> torch.Tensor:
        rows = []
        for text in requests:
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            with torch.no_grad():
                states = model(ids, output_hidden_states=True).hidden_states
            rows.append(torch.stack([state[0, -1] for state in states[:-1]]))
        return torch.stack(rows).mean(0)

    recipe = mean(harmful) - mean(harmless)
    ours = difference_in_means(model, tokenizer, harmful, harmless)[:, 0]
    return float(torch.nn.functional.cosine_similarity(recipe, ours, dim=1).min())


if __name__ == "__main__":
    main()
