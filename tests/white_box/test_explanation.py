"""Attributions against independent sums, faithfulness where it is known, the lens, the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.evidence.store import EvidenceStore
from buttress.report.explanation_page import render
from buttress.white_box.direction_file import save_direction
from buttress.white_box.explanation.attribution import (
    METHODS,
    gradient_x_input,
    integrated_gradients,
    occlusion,
    rollout,
)
from buttress.white_box.explanation.direction import direction_effect
from buttress.white_box.explanation.faithfulness import FaithfulnessTest
from buttress.white_box.explanation.lens import logit_lens, translated_lens
from buttress.white_box.explanation.probes import LabelledTexts, probe_concept
from buttress.white_box.explanation.scored_answer import ScoredAnswer, greedy_answer
from buttress.white_box.explanation.tuned_lens import fit_tuned_lens
from buttress.white_box.refusal_direction import Direction
from buttress.workflows.explained_concepts import labelled_texts, refusals
from tests.documents.test_typed_documents import check_typed
from tests.white_box.tiny import WORDS, model, tokenizer

PROMPT = "tell a tale of the sea and the stars"
KINDS = ["llama", "qwen3", "gemma2", "gpt2"]


def scored(kind: str = "llama", prompt: str = PROMPT, answer: str = "sure here") -> ScoredAnswer:
    made = model(kind).eval().double().requires_grad_(False)
    return ScoredAnswer(made, tokenizer(), prompt, answer)


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_that_of_the_whole_text(kind: str) -> None:
    one = scored(kind)
    assert "".join(one.tokens[at] for at in one.places) == PROMPT
    ids = torch.tensor([[*one.question, *one.answer]])
    logits = one.model(ids).logits[0].log_softmax(1)
    start = len(one.question) - 1
    total = sum(float(logits[start + at, token]) for at, token in enumerate(one.answer))
    assert one.scores_without([[]])[0] == pytest.approx(total, abs=1e-5)


def test_gradients_are_those_of_small_steps() -> None:
    one = scored()
    found = gradient_x_input(one).values
    for at, place in ((0, one.places[0]), (-1, one.places[-1])):
        away = one.embedded[place] - one.baseline
        rows = one.embedded.expand(2, -1, -1).clone()
        rows[0, place] += 1e-3 * away
        rows[1, place] -= 1e-3 * away
        up, down = one.score(rows).tolist()
        # Norms inside the model work in float32, so the step can't be smaller without loss.
        assert found[at] == pytest.approx((up - down) / 2e-3, abs=0.005)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2"])
def test_integrated_gradients_sum_to_the_change_and_agree_with_a_plain_sum(kind: str) -> None:
    one = scored(kind)
    found = integrated_gradients(one)
    whole, empty = one.scores_without([[], one.places])
    assert found.complete
    assert sum(found.values) - (whole - empty) == pytest.approx(found.completeness_error, abs=1e-6)
    start = one.without([one.places])[0]
    total = torch.zeros_like(start)
    # Equal steps in t with share = t^6, so that most of them lie near the baseline.
    for batch in torch.linspace(0, 1, 601)[:-1].add(1 / 1200).split(60):
        rows = (start + (batch**6)[:, None, None] * (one.embedded - start)).requires_grad_()
        (gradient,) = torch.autograd.grad(one.score(rows).sum(), rows)
        total += (gradient * (6 * batch**5 / 600)[:, None, None]).sum(0)
    plain = ((one.embedded - start) * total).sum(1)[one.places].tolist()
    size = max(map(abs, plain))
    assert found.values == pytest.approx(plain, abs=0.05 * size)


def test_few_steps_that_miss_completeness_say_so() -> None:
    # The pad token's embedding is zero here, and norms make a step of the way from there.
    found = integrated_gradients(scored(), most_steps=45)
    assert found.steps == 45
    assert not found.complete
    assert (integrated_gradients(scored()).steps or 0) > 45


def test_occlusion_is_the_fall_of_the_score() -> None:
    one = scored()
    found = occlusion(one).values
    for at, place in enumerate(one.places):
        whole, without = one.scores_without([[], [place]])
        assert found[at] == pytest.approx(whole - without)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_rollout_is_the_product_of_attentions_and_leaves_the_model_as_it_was(kind: str) -> None:
    one = scored(kind)
    before = one.model.config._attn_implementation
    found = rollout(one).values
    assert one.model.config._attn_implementation == before
    assert all(value >= 0 for value in found)
    one.model.set_attn_implementation("eager")
    ids = torch.tensor([[*one.question, *one.answer[:-1]]])
    flow = np.eye(ids.shape[1])
    for layer in one.model(ids, output_attentions=True).attentions:
        flow = (layer[0].mean(0).detach().numpy() + np.eye(len(flow))) / 2 @ flow
    rows = flow[len(one.question) - 1 :].mean(0)
    assert found == pytest.approx([rows[place] for place in one.places], abs=1e-5)


def test_a_model_without_attention_is_told() -> None:
    one = scored("mamba")
    with pytest.raises(InputError, match="the model gives no attention"):
        rollout(one)


class Linear:
    """A stand-in whose score is a known sum over the tokens that are there."""

    def __init__(self, weights: list[float]) -> None:
        self.places = list(range(len(weights)))
        self._weights = weights

    def scores_without(self, removed: Any) -> list[float]:
        return [sum(self._weights) - sum(self._weights[at] for at in one) for one in removed]


def test_the_true_order_is_faithful_its_reverse_is_not() -> None:
    weights = [float(at) for at in range(20)]
    test = FaithfulnessTest(Linear(weights))  # type: ignore[arg-type]
    true, reverse = test.test(weights), test.test([-one for one in weights])
    assert true is not None
    assert reverse is not None
    assert true.faithful
    assert true.chance_deletion == true.chance_insertion == 1 / 40
    assert true.deletion < true.random_deletion
    assert not reverse.faithful
    assert reverse.chance_deletion == 1
    assert FaithfulnessTest(Linear([1.0])).test([1.0]) is None  # type: ignore[arg-type]


def test_random_values_pass_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(1)
    passed = 0
    for run in range(400):
        test = FaithfulnessTest(Linear(rng.normal(size=16).tolist()), run)  # type: ignore[arg-type]
        found = test.test(rng.normal(size=16).tolist())
        assert found is not None
        passed += found.faithful
    assert passed <= 32  # each test at 0.05; the chance of more is 0.003 were one alone decisive


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_layer_of_the_lens_is_the_model(kind: str) -> None:
    one = scored(kind)
    found = logit_lens(one)
    own = one.model(torch.tensor([one.question])).logits[0, -1].softmax(0)
    assert [layer.layer for layer in found] == [0, 1, 2]
    assert found[-1].probability == pytest.approx(float(own[one.answer[0]]), abs=1e-5)
    assert found[-1].rank == int((own > own[one.answer[0]]).sum()) + 1
    assert found[-1].top[0][1] == pytest.approx(float(own.max()), abs=1e-5)


def test_a_tuned_lens_is_nearer_to_the_model_on_texts_that_it_has_not_met() -> None:
    one = scored()
    words = WORDS.split()
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(words, 9)) for _ in range(96)]
    layers = fit_tuned_lens(one.model.float(), one.tokenizer, texts, seed=0)
    assert [layer.layer for layer in layers] == [0, 1]
    assert all(layer.divergence < 0.7 * layer.logit_divergence for layer in layers)
    guesses = translated_lens(scored(), [layer.translated for layer in layers])
    assert [guess.layer for guess in guesses] == [0, 1]
    unmoved = translated_lens(scored(), [lambda states: states] * 2)
    assert unmoved == logit_lens(scored())[:2]
    with pytest.raises(InputError, match="15 texts; expected 16 or more"):
        fit_tuned_lens(one.model, one.tokenizer, texts[:15], seed=0)


def test_a_direction_along_which_the_answer_lies() -> None:
    one = scored()
    vector = torch.randn(32, generator=torch.Generator().manual_seed(1)).double()
    found = direction_effect(one, vector, 1)
    assert found.score == pytest.approx(one.scores_without([[]])[0])
    assert found.ablated != found.score != found.added
    assert len(found.along) == 3
    first = one.embedded[-1]
    assert found.along[0] == pytest.approx(
        float(first @ vector / vector.norm() / first.norm()), abs=1e-6
    )


def test_prompts_that_cannot_be_explained_are_told() -> None:
    long = "tell a tale " * 700
    for kind, most in (("llama", 255), ("gpt2", 255), ("mamba", 2048)):
        with pytest.raises(
            InputError, match=rf"--prompt: 42\d\d tokens .*; expected at most {most}"
        ):
            scored(kind, prompt=long)
        with pytest.raises(
            InputError, match=rf"--prompt: 42\d\d tokens .*; expected at most {most}"
        ):
            greedy_answer(model(kind), tokenizer(), long, 4)
    with pytest.raises(InputError, match=r"--answer: \d+ tokens; expected at most \d+ behind"):
        scored("gpt2", answer="tell a tale " * 60)
    assert greedy_answer(model("gpt2"), tokenizer(), "tell a tale " * 40, 100)
    assert scored(prompt=" tell  a tale ").places


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    model().save_pretrained(folder, safe_serialization=True)
    tokenizer().save_pretrained(folder)
    return folder


def test_the_command_writes_a_document_and_a_page(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = torch.randn(32)
    found = Direction(size / size.norm(), size, 1, -1, 0.0, 0.0, 0.0, 0.0)
    save_direction(tmp_path / "d.safetensors", found, {"with": 1})
    out = tmp_path / "out"
    code = main([
        "explain", str(weights), "--prompt", f"{PROMPT} <b>&", "--out", str(out), "--json",
        "--direction", str(tmp_path / "d.safetensors"), "--device", "cpu", "--threads", "1",
        "--tuned-lens",
    ])  # fmt: skip
    document = json.loads(capsys.readouterr().out)
    check_typed("explanation", document)
    assert [one["layer"] for one in document["tuned_lens"]] == [0, 1]
    assert "Tuned lens" in (out / "explanation.html").read_text("utf-8")
    assert document == json.loads((out / "explanation.json").read_bytes())
    assert [one["method"] for one in document["attributions"]] == list(METHODS)
    assert document["own_answer"]
    assert all(len(one["values"]) == len(document["tokens"]) for one in document["attributions"])
    assert code == (0 if any(one["trusted"] for one in document["attributions"]) else 3)
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert "<script" not in page
    spans = re.findall(r'<span class="(?:for|against)\d+" title="([^"]*)">', page)
    assert len(spans) == len(METHODS) * len(document["tokens"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "shap"), "--method: unknown method 'shap'; expected of gradient-x-input"),
        (("--prompt", " "), "--prompt: is empty"),
        (("--direction", "none.safetensors"), "--direction: no such file"),
        (("--max-tokens", "0"), "--max-tokens: 0 is too small"),
        (("--method", "contrast"), "--method: contrast asks the model"),
    ],
)
def test_wrong_input_is_told(
    weights: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["explain", str(weights), "--prompt", PROMPT, "--method", "occlusion"]
    assert main([*given, "--device", "cpu", *options]) == 2
    assert message in capsys.readouterr().err


def test_weights_are_asked_for_a_contrast(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([
        "explain", str(weights), "--prompt", "pick a lock", "--method", "contrast",
        "--budget", "16", "--out", str(tmp_path / "out"), "--max-tokens", "8",
    ])  # fmt: skip
    error = capsys.readouterr().err
    # It says nonsense, on which the judge may abstain; but it was asked.
    assert code in (0, 3) or "the judge abstains on the answer" in error
    with EvidenceStore.open(tmp_path / "out/evidence.db", read_only=True) as store:
        turns = [turn for turn in store.turns() if turn.role == "target"]
    assert turns[0].prompt == "pick a lock"
    assert 0 < len(tokenizer()(turns[0].answer)["input_ids"]) <= 2 * 8
    assert len(turns) <= 16


def sample(change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    one = {
        "method": "occlusion", "values": [0.5, -0.25], "completeness_error": None, "steps": None,
        "faithfulness": None, "trusted": False, "why_not": "too few tokens to test it",
    }  # fmt: skip
    document: dict[str, Any] = {
        "schema": "buttress/explanation/1", "version": "0", "weights": "w", "identity": "i",
        "prompt": "a b", "answer": "c", "own_answer": False, "seed": 0, "tokens": ["a", " b"],
        "log_probability": -1.0, "baseline_log_probability": -3.0, "attributions": [one],
        "lens": [], "tuned_lens": [], "direction": None, "probes": [], "patching": None,
        "left_out": {"rollout": "the model gives no attention"},
    }  # fmt: skip
    if change is not None:
        change(document)
    return document


def test_the_page_says_what_is_not_to_be_trusted_and_what_was_left_out() -> None:
    page = render(sample())
    assert "not to be trusted: too few tokens to test it" in page
    assert "No attribution passes its tests here." in page
    assert "rollout could not be run: the model gives no attention." in page
    trusted = sample(lambda one: one["attributions"][0].update(trusted=True, why_not=""))
    assert "Occlusion passes its tests: most of all “a”." in render(trusted)


def test_the_models_own_answer_is_its_greedy_one() -> None:
    made = model().eval()
    answer = greedy_answer(made, tokenizer(), PROMPT, 3)
    one = ScoredAnswer(made, tokenizer(), PROMPT, "x")
    ids = list(one.question)
    for _ in range(3):
        ids.append(int(made(torch.tensor([ids])).logits[0, -1].argmax()))
    assert answer == tokenizer().decode(ids[len(one.question) :], skip_special_tokens=True)
    assert replace(occlusion(one), method="x").method == "x"


def test_probes_and_patching_are_in_the_document_and_on_the_page(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main([
        "explain", str(weights), "--prompt", f"here is a tale: {PROMPT}", "--plain", PROMPT,
        "--probe", "personal-data", "--method", "occlusion", "--out", str(out), "--json",
        "--device", "cpu", "--threads", "1", "--language", "zh",
    ])  # fmt: skip
    assert code in (0, 3)
    document = json.loads(capsys.readouterr().out)
    check_typed("explanation", document)
    (probed,) = document["probes"]
    assert probed["concept"] == "personal-data"
    assert len(probed["layers"]) == 4
    assert probed["layers"][0]["area"] == 0.5  # the last token is the template's, the same for all
    patching = document["patching"]
    assert patching["plain_prompt"] == PROMPT
    assert len(patching["undone"]) == len(patching["induced"]) == 3
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3  # the lens, the probe, the patching
    assert "线性探针" in page


def test_a_model_that_does_not_refuse_has_no_probe_of_refusals() -> None:
    harm = labelled_texts("harm", 0)
    assert sum(harm.labels) == len(harm.texts) / 2 == 128
    few = LabelledTexts("harm", *(one[:6] for one in (
        harm.texts, harm.labels, harm.groups, harm.clusters,
    )))  # fmt: skip
    found, kept = refusals(model(), tokenizer(), few)
    assert not any(found.labels)  # a random model writes no refusal
    assert found.texts == tuple(few.texts[at] for at in kept)
    with pytest.raises(InputError, match="0 texts with it"):
        probe_concept(found, np.zeros((len(kept), 4, 32)), np.zeros((4, 32)), 0)


def test_the_lenses_are_drawn_by_layer() -> None:
    read = [
        {"layer": at, "probability": share, "rank": 1, "top": [["a", share]]}
        for at, share in enumerate([0.0, 0.25, 1.0])
    ]
    tuned = [{**one, "divergence": 0.1, "logit_divergence": 0.2} for one in read[:2]]
    assert "<polyline" not in render(sample())
    page = render(sample(lambda one: one.update(lens=read)))
    assert page.count("<polyline") == 1
    (points,) = re.findall(r'<polyline class="first" points="([^"]*)"', page)
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert heights == [200.0, 150.0, 0.0]
    both = render(sample(lambda one: one.update(lens=read, tuned_lens=tuned)))
    (second,) = re.findall(r'<polyline class="second" points="([^"]*)"', both)
    assert len(second.split()) == 2  # it does not read the last layer


def test_sentences_of_probes_and_patching_follow_the_figures() -> None:
    layers = [{"layer": at, "area": 0.6, "control": 0.5, "prompt": 1.5} for at in range(4)]
    probe = {
        "concept": "harm", "layers": layers, "words": 0.9, "best": 1, "gain": -0.3,
        "gain_low": -0.4, "control_fit": 0.8, "shows": False, "texts": 9, "groups": 3,
    }  # fmt: skip
    patching = {
        "plain_prompt": "a", "tokens": 5, "attacked": -1.0, "plain": -9.0,
        "undone": [-1.0, -6.0, -8.0, -2.0], "induced": [-9.0, -9.0, -2.0, -9.0],
    }  # fmt: skip
    page = render(sample(lambda one: one.update(probes=[probe], patching=patching)))
    assert "Harmful request: the probe does not beat words and chance, so it shows nothing." in page
    assert "does not beat words and chance: shows nothing" in page
    assert "log odds of +1.5" not in page
    assert "undo half of the attack&#39;s effect or more in layers 1-2." in page
    assert "bring about half of it or more in layer 2." in page
    better = {**probe, "shows": True, "gain": 0.2, "gain_low": 0.1}
    page = render(sample(lambda one: one.update(probes=[better], patching=None)))
    assert "Harmful request: the layers tell more than the words do." in page
    assert "log odds of +1.5" in page
