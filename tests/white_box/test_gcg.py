from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.white_box.checkpoint import restore
from buttress.white_box.gcg import GcgResult, GcgStep, gcg
from tests.white_box.tiny import INITIAL, QUESTION, model, plain_nll, tokenizer

FAR = "sure here is a tale of the sea"  # out of reach in a few steps


def search(steps: int = 6, target: str = FAR, **options: Any) -> GcgResult:
    settings = {"candidates": 24, "top_k": 40, "initial": INITIAL, "answer_tokens": 8} | options
    return gcg(model(), tokenizer(), QUESTION, target, steps=steps, **settings)


def same(one: GcgResult, other: GcgResult) -> bool:
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)


def through_text(given_model: Any, suffix: str, tokens: int) -> tuple[list[int], list[int]]:
    """Question and greedy answer when the suffix is sent as text, all by transformers itself."""
    messages = [{"role": m.role, "content": m.content} for m in QUESTION]
    messages[-1]["content"] += suffix
    text = tokenizer().apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
    made = given_model.generate(torch.tensor([ids]), max_new_tokens=tokens, do_sample=False)
    return ids, made[0, len(ids) :].tolist()


@pytest.mark.parametrize("options", [{}, {"pool": 3}, {"pool": 1, "merge": 0}])
def test_best_loss_is_the_plain_loss_of_the_suffix(options: dict[str, Any]) -> None:
    seen: list[GcgStep] = []
    result = search(progress=seen.append, **options)
    target = tokenizer()(FAR, add_special_tokens=False)["input_ids"]
    given_model = model()
    ids, answer = through_text(given_model, result.suffix, 8)
    wanted = float(plain_nll(given_model, ids, target).mean())
    assert result.best_loss == pytest.approx(wanted, abs=2e-4)
    assert result.answer == tokenizer().decode(answer, skip_special_tokens=True).strip()
    assert result.reached == result.answer.startswith(FAR)
    start, _ = through_text(given_model, INITIAL, 1)
    initial = float(plain_nll(given_model, start, target).mean())
    assert result.best_loss == pytest.approx(min(initial, *result.losses), abs=2e-4)
    assert result.best_loss < initial - 0.1
    best = [step.best_loss for step in seen]
    assert best == sorted(best, reverse=True)
    assert [step.step for step in seen] == [1, 2, 3, 4, 5, 6]
    assert [step.loss for step in seen] == list(result.losses)
    assert (result.stopped, result.reused) == ("steps", True)


def test_a_pool_never_goes_on_from_a_worse_suffix() -> None:
    seen: list[GcgStep] = []
    search(steps=10, pool=2, candidates=4, merge=0, progress=seen.append)
    given_model = model()
    target = tokenizer()(FAR, add_special_tokens=False)["input_ids"]
    losses = [
        float(plain_nll(given_model, through_text(given_model, s.suffix, 1)[0], target).mean())
        for s in seen
    ]
    assert all(b <= a + 1e-4 for a, b in pairwise(losses))
    assert losses[-1] < losses[0]


def test_it_stops_when_the_answer_begins_with_the_target() -> None:
    given_model = model()
    # What the model says after some other suffix is a target that can be reached.
    _, written = through_text(given_model, " of the", 2)
    target = tokenizer().decode(written[:1])
    result = search(steps=60, target=target, candidates=64)
    assert result.reached
    assert result.stopped == "target"
    assert len(result.losses) < 60
    _, answer = through_text(given_model, result.suffix, 8)
    assert answer[:1] == written[:1]
    on = search(steps=len(result.losses) + 2, target=target, candidates=64, stop_at_target=False)
    assert len(on.losses) == len(result.losses) + 2
    assert on.losses[: len(result.losses)] == result.losses


def test_it_stops_at_a_loss() -> None:
    free = search()
    limit = free.losses[2]
    stopped = search(loss_threshold=limit)
    assert stopped.stopped == "loss"
    first = next(i for i, loss in enumerate(free.losses) if loss <= limit)
    assert stopped.losses == free.losses[: first + 1]


def test_seeds() -> None:
    assert same(search(), search())
    assert search(seed=1).losses != search(seed=2).losses


def test_reuse_changes_cost_only() -> None:
    kept, bare = search(), search(reuse=False)
    assert kept.suffix == bare.suffix
    assert kept.losses == pytest.approx(bare.losses, abs=2e-4)
    assert kept.forward_tokens < 0.7 * bare.forward_tokens
    assert (kept.reused, bare.reused) == (True, False)


def test_the_model_is_left_as_it_was() -> None:
    given_model = model()
    given_model.train()
    before = {name: value.clone() for name, value in given_model.state_dict().items()}
    gcg(given_model, tokenizer(), QUESTION, FAR, steps=1, candidates=8, initial=INITIAL)
    assert given_model.training
    for name, value in given_model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in given_model.parameters())


@pytest.mark.parametrize("options", [{}, {"pool": 3}, {"merge": 0}])
def test_a_killed_search_goes_on_to_the_same_result(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    class KilledError(Exception):
        pass

    def kill(step: GcgStep) -> None:
        if step.step == 3:
            raise KilledError

    path = tmp_path / "search.json"
    with pytest.raises(KilledError):
        search(checkpoint=path, progress=kill, **options)
    assert json.loads(path.read_text())["state"]["step"] == 3
    seen: list[GcgStep] = []
    resumed = search(checkpoint=path, progress=seen.append, **options)
    assert [step.step for step in seen] == [4, 5, 6]
    whole = search(**options)
    assert same(replace(resumed, forward_tokens=0), replace(whole, forward_tokens=0))
    assert resumed.seconds > seen[0].seconds > 0
    # A finished search is not repeated, a longer one goes on.
    assert same(
        replace(search(checkpoint=path, **options), forward_tokens=0),
        replace(whole, forward_tokens=0),
    )
    longer = search(steps=8, checkpoint=path, **options)
    assert longer.losses == search(steps=8, **options).losses


def test_a_reached_target_is_kept_in_the_checkpoint(tmp_path: Path) -> None:
    _, written = through_text(model(), " of the", 2)
    options = {"steps": 60, "candidates": 64, "target": tokenizer().decode(written[:1])}
    path = tmp_path / "search.json"
    first = search(checkpoint=path, **options)
    again = search(checkpoint=path, progress=lambda _: pytest.fail("searched on"), **options)
    assert first.reached
    assert (again.suffix, again.losses, again.stopped) == (first.suffix, first.losses, "target")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"seed": 9}, "seed"),
        ({"target": "sure"}, "target"),
        ({"candidates": 25}, "candidates"),
        ({"initial": " x x x"}, "question"),
        ({"pool": 2}, "pool"),
    ],
)
def test_a_checkpoint_of_another_search(
    tmp_path: Path, changed: dict[str, Any], field: str
) -> None:
    path = tmp_path / "search.json"
    search(steps=1, checkpoint=path)
    held = path.read_bytes()
    with pytest.raises(InputError, match=field):
        search(**({"steps": 2, "checkpoint": path} | changed))
    with pytest.raises(InputError, match="model"):
        gcg(
            model(seed=1), tokenizer(), QUESTION, FAR,
            candidates=24, top_k=40, initial=INITIAL, checkpoint=path,
        )  # fmt: skip
    assert path.read_bytes() == held


@settings(deadline=None, max_examples=200)
@given(content=st.binary(max_size=60) | st.builds(json.dumps, st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["format", "run", "state", "pool", "best", "step"]), inner),
)).map(str.encode))  # fmt: skip
def test_what_is_no_checkpoint(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"fuzz\.json"):
        restore(path, {"seed": 1})


@pytest.mark.parametrize("field", ["steps", "candidates", "top_k", "pool", "merge", "batch"])
def test_bad_numbers(field: str) -> None:
    with pytest.raises(InputError, match=field):
        search(**{field: -1})
