"""Attributions beside captum in one run: how far values differ, and CPU time on one thread.

    python -m pip install --no-deps captum
    python benchmarks/attributions.py [--size N] [--layers N] [--words N] [--answer N]

On a random Llama in float32, so that nothing is downloaded. First captum's classes for language
models, as its users call them: one attribution for each token of the answer. Then its plain methods
on our own score of the whole answer, all steps in a batch. Integrated gradients of captum get the
fewest steps of a series with which they come within 1e-4 of the values of its largest. The refusal
direction is compared with a plain computation by the published recipe.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers as untyped
from tokenizers import Tokenizer, models, pre_tokenizers

from buttress.white_box.explanation.attribution import (
    gradient_x_input,
    integrated_gradients,
    occlusion,
)
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.refusal_direction import difference_in_means

transformers: Any = untyped
STEPS = (50, 100, 200, 500, 1000)
CLOSE = 1e-4
WORDS = [f"w{at}" for at in range(200)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--words", type=int, default=16)
    parser.add_argument("--answer", type=int, default=8)
    given = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = made(given.size, given.layers)
    prompt = " ".join(WORDS[at * 7 % len(WORDS)] for at in range(given.words))
    answer = " ".join(WORDS[at * 11 % len(WORDS)] for at in range(given.answer))
    scored = ScoredAnswer(model, tokenizer, prompt, answer)
    timed(lambda: gradient_x_input(scored))  # what is done once a process
    print("| method | ours, CPU s | captum, CPU s | ratio | largest difference, nats |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, ours, theirs in (*for_answers(scored, prompt, answer), *methods(scored)):
        mine, spent = timed(ours)
        other, peer, note = theirs()
        off = max(abs(a - b) for a, b in zip(mine, other, strict=True))
        print(f"| {name}{note} | {spent:.2f} | {peer:.2f} | {peer / spent:.1f} | {off:.1e} |")
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


Theirs = Callable[[], tuple[list[float], float, str]]


def for_answers(
    scored: ScoredAnswer, prompt: str, answer: str
) -> list[tuple[str, Callable[[], Any], Theirs]]:
    """As ``methods``, with captum's classes for language models."""
    from captum.attr import (
        FeatureAblation,
        LayerIntegratedGradients,
        LLMAttribution,
        LLMGradientAttribution,
        TextTokenInput,
    )

    model, tokenizer = scored.model, scored.tokenizer
    shown = TextTokenInput(prompt, tokenizer, baselines=tokenizer.pad_token_id)
    pad = torch.full((1, len(scored.question)), tokenizer.pad_token_id)
    layer = LayerIntegratedGradients(model, model.get_input_embeddings())
    gradients = LLMGradientAttribution(layer, tokenizer)
    ablation = LLMAttribution(FeatureAblation(model), tokenizer)

    def path(steps: int) -> list[float]:
        found = gradients.attribute(shown, target=answer, baselines=pad, n_steps=steps)
        return found.seq_attr.tolist()

    def integrated() -> tuple[list[float], float, str]:
        reference = integrated_gradients(scored).values
        for steps in STEPS:
            found, spent = timed(lambda steps=steps: path(steps))
            if max(abs(a - b) for a, b in zip(found, reference, strict=True)) <= CLOSE:
                break
        return found, spent, f" of each answer token (captum: {steps} steps)"

    def ablated() -> tuple[list[float], float, str]:
        # The faster of its two ways; the other, with a cache, gives other values.
        found, spent = timed(
            lambda: ablation.attribute(
                shown, target=answer, use_cached_outputs=False, forward_in_tokens=False
            )
        )
        return found.seq_attr.tolist(), spent, " by captum's class for language models"

    return [
        ("integrated gradients", lambda: integrated_gradients(scored).values, integrated),
        ("occlusion", lambda: occlusion(scored).values, ablated),
    ]


def methods(scored: ScoredAnswer) -> list[tuple[str, Callable[[], Any], Theirs]]:
    """Name, our computation and captum's: values of the prompt's tokens, seconds and a note."""
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

    def gradients() -> tuple[list[float], float, str]:
        values, spent = timed(lambda: moved.attribute((whole - start).requires_grad_()))
        return picked(values), spent, ""

    def path() -> tuple[list[float], float, str]:
        def values(steps: int) -> list[float]:
            return picked(integrated.attribute(whole, start, n_steps=steps, internal_batch_size=64))

        reference = values(STEPS[-1])
        for steps in STEPS:
            found, spent = timed(lambda steps=steps: values(steps))
            if max(abs(a - b) for a, b in zip(found, reference, strict=True)) <= CLOSE:
                return reference, spent, f" (captum: {steps} steps)"
        raise AssertionError("the largest number of steps is the reference itself")

    def ablated() -> tuple[list[float], float, str]:
        values, spent = timed(
            lambda: ablation.attribute(whole, start, feature_mask=masks.contiguous())
        )
        # captum gives every number of a feature the whole effect
        return values[0, :, 0][scored.places].tolist(), spent, ""

    return [
        ("gradient x input", lambda: gradient_x_input(scored).values, gradients),
        ("integrated gradients", lambda: integrated_gradients(scored).values, path),
        ("occlusion", lambda: occlusion(scored).values, ablated),
    ]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and its CPU seconds."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


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
