from __future__ import annotations

import copy
import string
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch

from buttress.errors import InputError
from buttress.white_box.refusal_direction import Direction, difference_in_means, select
from buttress.white_box.residual import ablated, added, decoder_layers
from buttress.white_box.soft_prompt import soft_prompt
from tests.white_box.tiny import INITIAL, QUESTION, model, plain_nll, tokenizer

IDS = torch.arange(3, 23)[None]
HARMFUL = ["the sea and the stars", "a tale of the house", "shine over the lake", "old stars"]
BENIGN = ["sure", "here is a tale that is", "by the lake a house", "the old old sea"]


def hidden(given_model: Any, ids: torch.Tensor = IDS) -> list[torch.Tensor]:
    """What enters and leaves each layer, caught by hooks of the test's own."""
    caught: list[torch.Tensor] = []

    def first(made: Any) -> torch.Tensor:
        return made if isinstance(made, torch.Tensor) else made[0]

    handles = []
    for layer in decoder_layers(given_model):
        handles.append(layer.register_forward_hook(lambda _, a, out: caught.append(first(out))))
    with torch.no_grad():
        given_model(input_ids=ids)
    for handle in handles:
        handle.remove()
    return caught


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma2", "gpt2"])
def test_nothing_is_left_along_the_direction(kind: str) -> None:
    given_model = model(kind).double()
    direction = torch.randn(32, generator=torch.Generator().manual_seed(1)).double() * 7
    unit = direction / direction.norm()
    before = hidden(given_model)
    with ablated(given_model, direction):
        inside = hidden(given_model)
    assert max(float((state @ unit).abs().max()) for state in before) > 0.1
    assert max(float((state @ unit).abs().max()) for state in inside) < 1e-12
    after = hidden(given_model)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_ablation_is_orthogonalising_what_writes() -> None:
    given_model = model().double()
    direction = torch.randn(32, generator=torch.Generator().manual_seed(2)).double()
    unit = direction / direction.norm()
    edited = copy.deepcopy(given_model)
    with torch.no_grad():
        table = edited.model.embed_tokens.weight
        table -= (table @ unit)[:, None] * unit
        for layer in edited.model.layers:
            for matrix in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                matrix.sub_(unit[:, None] * (unit @ matrix))
        wanted = edited(input_ids=IDS).logits
        with ablated(given_model, direction):
            made = given_model(input_ids=IDS).logits
        plain = given_model(input_ids=IDS).logits
    assert torch.allclose(made, wanted, atol=1e-10)
    assert not torch.allclose(plain, wanted, atol=1e-2)


def test_the_model_is_restored_after_an_error() -> None:
    given_model = model()
    before = given_model(input_ids=IDS).logits
    with pytest.raises(RuntimeError, match="inside"), ablated(given_model, torch.ones(32)):
        raise RuntimeError("inside")
    with pytest.raises(RuntimeError, match="inside"), added(given_model, torch.ones(32), 1):
        raise RuntimeError("inside")
    assert torch.equal(given_model(input_ids=IDS).logits, before)
    for module in given_model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_addition_enters_the_layer() -> None:
    given_model = model().double()
    vector = torch.randn(32, generator=torch.Generator().manual_seed(3)).double()
    before = hidden(given_model)
    with added(given_model, vector, 1):
        inside = hidden(given_model)
    assert torch.equal(inside[0], before[0])
    layer = decoder_layers(given_model)[1]
    caught: list[torch.Tensor] = []
    with torch.no_grad(), added(given_model, vector, 1):
        handle = layer.input_layernorm.register_forward_pre_hook(
            lambda _, given: caught.append(given[0])
        )
        given_model(input_ids=IDS)
        handle.remove()
    assert torch.allclose(caught[0], before[0] + vector)


@pytest.mark.parametrize("vector", [torch.zeros(32), torch.ones(31), torch.full((32,), torch.nan)])
def test_unusable_directions(vector: torch.Tensor) -> None:
    with pytest.raises(InputError, match="direction"), ablated(model(), vector):
        pass
    with pytest.raises(InputError, match="layer"), added(model(), torch.ones(32), 3):
        pass


def question(text: str) -> list[int]:
    return list(
        tokenizer()(
            tokenizer().apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            ),
            add_special_tokens=False,
        )["input_ids"]
    )


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_difference_in_means_is_that_of_single_requests(kind: str) -> None:
    given_model = model(kind)
    made = difference_in_means(given_model, tokenizer(), HARMFUL, BENIGN, positions=2, batch=3)
    assert made.shape == (3, 2, 32)

    def mean(requests: list[str]) -> torch.Tensor:
        rows = [hidden(given_model, torch.tensor([question(text)])) for text in requests]
        # What leaves one layer enters the next.
        return torch.stack([torch.stack([s[0, -2:] for s in row[:2]]) for row in rows]).mean(0)

    assert torch.allclose(made[1:], mean(HARMFUL) - mean(BENIGN), atol=1e-4)


def first_token(given_model: Any, text: str) -> torch.Tensor:
    with torch.no_grad():
        logits = given_model(input_ids=torch.tensor([question(text)])).logits[0, -1]
    return logits.double().log_softmax(0)


def test_selected_direction_is_the_best_by_independent_scores() -> None:
    given_model = model()
    words = ["sure", "here", "tale", *string.ascii_letters]
    tokens = sorted({tokenizer()(f"{p}{w}")["input_ids"][0] for w in words for p in ("", " ")})
    tokens.remove(tokenizer()(" ")["input_ids"][0])  # " Z" begins with a space of its own
    differences = difference_in_means(given_model, tokenizer(), HARMFUL, BENIGN, positions=2)
    options: dict[str, Any] = {"refusals": words, "most_divergence": 1e9, "least_induced": -2.0}

    def odds(text: str) -> float:
        share = float(first_token(given_model, text)[tokens].exp().sum())
        return float(torch.tensor(share / (1 - share)).log())

    scores = {}
    for layer in (0, 1):
        for position in (0, 1):
            vector = differences[layer, position]
            if not vector.norm() > 0:
                continue
            with ablated(given_model, vector):
                bypass = sum(map(odds, HARMFUL)) / 4
            with added(given_model, vector, layer):
                induce = sum(map(odds, BENIGN)) / 4
            scores[layer, position - 2] = (bypass, induce)
    passing = {key: one for key, one in scores.items() if one[1] > -2}
    assert len(passing) > 1
    chosen = select(given_model, tokenizer(), differences, HARMFUL, BENIGN, **options)
    assert isinstance(chosen, Direction)
    best = min(passing, key=lambda key: passing[key][0])
    assert (chosen.layer, chosen.position) == best
    assert (chosen.bypass, chosen.induce) == pytest.approx(passing[best], abs=1e-3)
    assert chosen.baseline == pytest.approx(sum(map(odds, HARMFUL)) / 4, abs=1e-3)
    assert float(chosen.vector.norm()) == pytest.approx(1.0, abs=1e-5)
    divergences = []
    for text in BENIGN:
        plain = first_token(given_model, text)
        with ablated(given_model, chosen.vector):
            changed = first_token(given_model, text)
        divergences.append(float((plain.exp() * (plain - changed)).sum()))
    assert chosen.divergence == pytest.approx(sum(divergences) / 4, abs=1e-3)


def test_no_direction_passes() -> None:
    differences = difference_in_means(model(), tokenizer(), HARMFUL, BENIGN)
    with pytest.raises(InputError, match="none of 1 directions"):
        select(
            model(), tokenizer(), differences, HARMFUL, BENIGN, layers=[1, 2], most_divergence=-1.0
        )
    with pytest.raises(InputError, match="no requests"):
        difference_in_means(model(), tokenizer(), HARMFUL, [])


def test_a_soft_prompt_lowers_the_loss_that_it_tells() -> None:
    given_model = model()
    before = {name: value.clone() for name, value in given_model.state_dict().items()}
    target = "sure here is"
    options: dict[str, Any] = {"initial": INITIAL, "step_size": 0.02, "answer_tokens": 4}
    result = soft_prompt(given_model, tokenizer(), QUESTION, target, steps=60, **options)
    ids = tokenizer()(target, add_special_tokens=False)["input_ids"]
    dicts = [{"role": m.role, "content": m.content} for m in QUESTION]
    text = tokenizer().apply_chat_template(dicts, tokenize=False, add_generation_prompt=True)
    head, tail = text.rsplit("</s>", 1)
    parts = [
        tokenizer()(part, add_special_tokens=False)["input_ids"] for part in (head, "</s>" + tail)
    ]
    first = parts[0] + tokenizer()(INITIAL, add_special_tokens=False)["input_ids"] + parts[1]
    assert result.losses[0] == pytest.approx(
        float(plain_nll(given_model, first, ids).mean()), abs=1e-4
    )
    embed = given_model.get_input_embeddings()
    with torch.no_grad():
        around = [embed(torch.tensor(part)) for part in (*parts, ids)]
        inputs = torch.cat([around[0], result.embeddings, around[1], around[2]])[None]
        logits = given_model(inputs_embeds=inputs).logits[0, -len(ids) - 1 : -1]
    loss = float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids)))
    assert result.best_loss == pytest.approx(loss, abs=1e-4)
    assert result.best_loss == min(result.losses)
    assert result.best_loss < result.losses[0] / 2
    if bool((logits.argmax(1) == torch.tensor(ids)).all()):
        assert result.reached
        assert result.answer.startswith(target)
    assert all(torch.equal(v, before[n]) for n, v in given_model.state_dict().items())
    again = soft_prompt(given_model, tokenizer(), QUESTION, target, steps=60, **options)
    assert again.losses == result.losses
    early = soft_prompt(
        given_model,
        tokenizer(),
        QUESTION,
        target,
        steps=60,
        loss_threshold=result.losses[9],
        **options,
    )
    assert len(early.losses) <= 10


def test_a_soft_prompt_reaches_its_target() -> None:
    options: dict[str, Any] = {"step_size": 0.02, "initial": INITIAL, "answer_tokens": 6}
    start = soft_prompt(model(), tokenizer(), QUESTION, "sure here is", steps=0, **options)
    result = soft_prompt(model(), tokenizer(), QUESTION, "sure here is", steps=300, **options)
    assert (start.reached, result.reached) == (False, True)
    assert result.answer.startswith("sure here is")
    assert not start.answer.startswith("sure here is")


def test_soft_prompt_numbers() -> None:
    with pytest.raises(InputError, match="step_size"):
        soft_prompt(model(), tokenizer(), QUESTION, "sure", step_size=0.0, initial=INITIAL)
