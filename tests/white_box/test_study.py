from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.direction_file import load_direction, save_direction
from buttress.white_box.effect import effect
from buttress.white_box.likelihood import drift, prefix_log_probabilities
from buttress.white_box.measures import Measures
from buttress.white_box.refusal_direction import Direction
from buttress.white_box.residual import ablated
from buttress.white_box.sample import draw_sample
from tests.white_box.tiny import model, plain_nll, tokenizer

CHATS = [(Message("user", text),) for text in ("the sea", "a", "stars that shine over the house")]


def ids(text: str) -> list[int]:
    return list(tokenizer()(text, add_special_tokens=False)["input_ids"])


def question(chat: tuple[Message, ...]) -> list[int]:
    dicts = [{"role": m.role, "content": m.content} for m in chat]
    return ids(tokenizer().apply_chat_template(dicts, tokenize=False, add_generation_prompt=True))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_prefix_log_probability_is_the_plain_one(kind: str) -> None:
    given_model = model(kind)
    prefixes = ["sure here", "a tale of the sea", "sure"]
    wanted = [
        -float(plain_nll(given_model, question(chat), ids(prefix)).mean())
        for chat, prefix in zip(CHATS, prefixes, strict=True)
    ]
    for batch in (1, 3):
        made = prefix_log_probabilities(given_model, tokenizer(), CHATS, prefixes, batch=batch)
        assert made == pytest.approx(wanted, abs=1e-4)


def test_a_bias_counts_for_the_first_tokens_only() -> None:
    given_model = model()
    prefix = "sure here is"
    bias = torch.zeros(len(tokenizer()))
    bias[ids("sure")[0]] = 5.0
    (made,) = prefix_log_probabilities(
        given_model, tokenizer(), CHATS[:1], [prefix], bias=bias, first=1
    )
    row = torch.tensor([question(CHATS[0]) + ids(prefix)])
    with torch.no_grad():
        logits = given_model(input_ids=row).logits[0, -len(ids(prefix)) - 1 : -1].double()
    logits[0] += bias
    wanted = logits.log_softmax(1).gather(1, torch.tensor(ids(prefix))[:, None]).mean()
    assert made == pytest.approx(float(wanted), abs=1e-4)


def test_drift_is_that_of_single_passes() -> None:
    given_model = model()
    direction = torch.randn(32, generator=torch.Generator().manual_seed(5))
    answers = ["sure here is a tale", "", "the lake"]
    divergences, first, spent = [], [], [0.0, 0.0]
    for chat, answer in zip(CHATS, answers, strict=True):
        if not answer:
            continue
        row = torch.tensor([question(chat) + ids(answer)])
        count = len(ids(answer))
        with torch.no_grad():
            before = given_model(input_ids=row).logits[0, -count - 1 : -1].double().log_softmax(1)
            with ablated(given_model, direction):
                after = given_model(input_ids=row).logits[0, -count - 1 : -1].double()
            after = after.log_softmax(1)
        apart = (before.exp() * (before - after)).sum(1)
        divergences += apart.tolist()
        first.append(float(apart[0]))
        wanted = torch.tensor(ids(answer))[:, None]
        spent[0] -= float(before.gather(1, wanted).sum())
        spent[1] -= float(after.gather(1, wanted).sum())
    for batch in (1, 4):
        made = drift(
            given_model, tokenizer(), CHATS, answers, ablated(given_model, direction), batch=batch
        )
        assert (made.answers, made.tokens) == (2, len(divergences))
        assert made.per_token == pytest.approx(sum(divergences) / len(divergences), abs=1e-4)
        assert made.first_token == pytest.approx(sum(first) / 2, abs=1e-4)
        count = len(divergences)
        assert made.perplexity_before == pytest.approx(2.718281828 ** (spent[0] / count), rel=1e-3)
        assert made.perplexity_after == pytest.approx(2.718281828 ** (spent[1] / count), rel=1e-3)
    assert made.per_token > 0.01
    with pytest.raises(InputError, match="empty"):
        drift(given_model, tokenizer(), CHATS[:1], [" "], ablated(given_model, direction))


@settings(deadline=None, max_examples=60)
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])),
        min_size=1,
        max_size=60,
    )
)
def test_effect_lies_in_its_intervals(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    made = effect(one, other)
    assert made.gained == sum(a < b for a, b in pairs)
    assert made.lost == sum(a > b for a, b in pairs)
    assert made.difference == pytest.approx(made.after - made.before)
    for value, (low, high), least in (
        (made.before, made.before_interval, 0),
        (made.after, made.after_interval, 0),
        (made.difference, made.difference_interval, -1),
    ):
        assert least <= low <= value <= high <= 1
    mirrored = effect(other, one)
    assert mirrored.difference_interval == pytest.approx(
        tuple(-bound for bound in reversed(made.difference_interval)), abs=1e-6
    )


def test_no_effect_without_outcomes() -> None:
    with pytest.raises(ValueError, match="0 outcomes"):
        effect([], [])
    with pytest.raises(ValueError, match="2 outcomes"):
        effect([0.0, 1.0], [1.0])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), requests=st.integers(1, 200))
def test_no_pair_stands_in_two_parts(seed: int, requests: int) -> None:
    made = draw_sample(requests, seed=seed, languages=["en", "zh"])
    assert len(made.harmful) == len(made.harmless) == requests
    for harmful, harmless in zip(made.harmful, made.harmless, strict=True):
        assert harmless.pair == harmful.id
        assert (harmful.expect, harmless.expect) == ("refuse", "answer")
    parts = [
        {one.text for one in (*made.harmful, *made.harmless)},
        {text for texts in made.training for text in texts},
        {text for texts in made.validation for text in texts},
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    longer = draw_sample(requests + 5, seed=seed, languages=["en", "zh"])
    assert longer.harmful[:requests] == made.harmful


def test_own_requests_and_languages() -> None:
    made = draw_sample(4, seed=1, languages=["zh"], texts=["How?", "怎么做？"])
    assert [(one.text, one.language) for one in made.harmful] == [
        ("How?", "en"),
        ("怎么做？", "zh"),
    ]
    assert {one.language for one in made.harmless} == {"zh"}
    assert len(made.training[0]) == len(made.training[1]) == 128
    with pytest.raises(InputError, match="--requests"):
        draw_sample(428, seed=1, languages=["en"])
    with pytest.raises(InputError, match="--request"):
        draw_sample(4, seed=1, languages=["en"], texts=[" "])
    with pytest.raises(InputError, match="xx"):
        draw_sample(4, seed=1, languages=["xx"])


def test_measures_survive_a_kill_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "measures.jsonl"
    kept = Measures(path)
    kept.add({"a": {"log_probability": -1.5}})
    whole = len(path.read_bytes())
    kept.add({"b": {"seconds": 2.0}, "a": {"log_probability": -1.0}})
    content = path.read_bytes()
    for cut in range(whole, len(content)):
        path.write_bytes(content[:cut])
        read = Measures(path)
        assert read.of("a") == {"log_probability": -1.5}
        read.add({"c": {"steps": 1}})
        again = Measures(path)
        assert again.of("c") == {"steps": 1}
        assert again.of("b") in ({}, {"seconds": 2.0})
    path.write_bytes(content)
    assert Measures(path).of("a") == {"log_probability": -1.0}


@settings(deadline=None, max_examples=150)
@given(content=st.binary(max_size=60) | st.builds(
    lambda value: json.dumps(value).encode() + b"\n",
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "measures", "x"]), inner),
    ),
))  # fmt: skip
def test_what_is_no_measure(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    path.write_bytes(content)
    try:
        read = Measures(path)
    except InputError:
        return
    read.add({"k": {"v": 1}})
    assert Measures(path).of("k") == {"v": 1}


def direction() -> Direction:
    vector = torch.arange(1.0, 33.0)
    scores: dict[str, Any] = {"baseline": 1.5, "bypass": -2.0, "induce": 0.25, "divergence": 0.01}
    return Direction(vector / vector.norm(), vector, layer=3, position=-1, **scores)


def test_a_direction_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    assert load_direction(path, {"a": 1}) is None
    save_direction(path, direction(), {"a": 1})
    read = load_direction(path, {"a": 1})
    assert read is not None
    assert torch.allclose(read.vector, direction().vector)
    assert (read.layer, read.position, read.bypass, read.induce) == (3, -1, -2.0, 0.25)
    assert load_direction(path, {"a": 2}) is None
    content = path.read_bytes()
    for cut in (0, 5, 20, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(InputError, match="not a refusal direction"):
            load_direction(path, {"a": 1})


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=80))
def test_what_is_no_direction(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="fuzz"):
        load_direction(path, {})
