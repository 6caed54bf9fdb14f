from __future__ import annotations

import itertools

import pytest

pytest.importorskip("transformers")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.white_box.batching import batches, by_length
from buttress.white_box.candidates import allowed_tokens, draw, merged, seeded
from buttress.white_box.layout import PromptLayout
from buttress.white_box.passes import Passes
from tests.white_box.tiny import INITIAL, QUESTION, model, plain_nll, tokenizer

TARGET = "sure here is"
KINDS = ("llama", "qwen3", "gemma2", "gpt2", "mamba")


def layout() -> PromptLayout:
    return PromptLayout(tokenizer(), QUESTION, TARGET, INITIAL)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_finite_differences(kind: str) -> None:
    place = layout()
    given_model = model(kind).double()
    gradient, loss = Passes(given_model, place).gradient(place.initial)
    before, after, target = (list(x) for x in (place.before, place.after, place.target))
    ids = torch.tensor([*before, *place.initial, *after, *target])
    embedding = given_model.get_input_embeddings()
    table = embedding(torch.arange(embedding.num_embeddings)).detach()
    one_hot = torch.nn.functional.one_hot(ids, len(table)).double()

    def plain(rows: torch.Tensor) -> float:
        with torch.no_grad():
            logits = given_model(inputs_embeds=(rows @ table)[None]).logits[0]
        wanted = torch.tensor(target)
        return float(torch.nn.functional.cross_entropy(logits[-len(target) - 1 : -1], wanted))

    assert loss == pytest.approx(plain(one_hot), abs=1e-5)

    def moved(position: int, token: int, by: float) -> float:
        rows = one_hot.clone()
        rows[len(before) + position, token] += by
        return plain(rows)

    # Wide steps of fourth order, because parts of these models compute in float32 in any case.
    step = 1e-2
    for place_and_token in [(0, 5), (2, 300), (5, 77), (3, 120)]:
        near, far = (
            moved(*place_and_token, width) - moved(*place_and_token, -width)
            for width in (step, 2 * step)
        )
        slope = (8 * near - far) / (12 * step)
        assert float(gradient[place_and_token]) == pytest.approx(slope, rel=1e-3, abs=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_reused_loss_is_the_plain_loss(kind: str) -> None:
    place, given_model = layout(), model(kind)
    suffix = torch.tensor(place.initial)
    kept = Passes(given_model, place)
    assert kept.reuses == (kind != "mamba")
    gradient, _ = kept.gradient(place.initial)
    allowed = allowed_tokens(tokenizer(), kept.vocabulary, ascii_only=True)
    made = draw(suffix, gradient, allowed, count=40, top_k=30, generator=seeded(0, 0))
    first, _ = kept.losses(place.initial, made)
    made = torch.cat([made, merged(suffix, made, first, 5), suffix[None]])
    target = list(place.target)
    wanted = [
        float(plain_nll(given_model, place.question(row), target).mean()) for row in made.tolist()
    ]
    bare = Passes(given_model, place, reuse=False)
    small = Passes(given_model, place, batch=3)
    for passes in (kept, bare, small):
        losses, hits = passes.losses(place.initial, made)
        assert losses.tolist() == pytest.approx(wanted, abs=2e-4)
        assert not hits.any()
    assert not bare.reuses
    if kept.reuses:
        assert kept.tokens < bare.tokens


def test_a_pass_without_gradient_before_it_reuses_nothing_stale() -> None:
    place, given_model = layout(), model()
    passes = Passes(given_model, place)
    passes.gradient(place.initial)
    other = list(place.initial)
    other[1] = 40
    losses, _ = passes.losses(other, torch.tensor([other]))
    wanted = plain_nll(given_model, place.question(other), list(place.target)).mean()
    assert float(losses[0]) == pytest.approx(float(wanted), abs=2e-4)


def test_hits_are_those_of_greedy_decoding() -> None:
    given_model = model()
    probe = layout()
    question = probe.question(probe.initial)
    with torch.no_grad():
        written = given_model.generate(
            torch.tensor([question]), max_new_tokens=3, do_sample=False, eos_token_id=None
        )[0, len(question) :].tolist()
    place = layout()
    place.target = tuple(written)
    passes = Passes(given_model, place)
    initial = list(place.initial)
    rows = torch.tensor([initial, *([*initial[:i], 50 + i, *initial[i + 1 :]] for i in range(6))])
    _, hits = passes.losses(initial, rows)
    for row, hit in zip(rows.tolist(), hits.tolist(), strict=True):
        ids = torch.tensor([place.question(row)])
        with torch.no_grad():
            made = given_model.generate(ids, max_new_tokens=3, do_sample=False, eos_token_id=None)
        assert hit == (made[0, ids.shape[1] :].tolist() == written)
    assert bool(hits[0])


def costs(groups: list[list[int]], starts: list[int], length: int, overhead: int) -> int:
    return sum(len(g) * (length - min(starts[i] for i in g)) + overhead for g in groups)


@settings(deadline=None)
@given(
    starts=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    most=st.integers(1, 40),
    overhead=st.integers(0, 60),
)
def test_batches_hold_each_candidate_once_at_least_cost(
    starts: list[int], most: int, overhead: int
) -> None:
    length = 12
    made = batches(starts, length, most=most, overhead=overhead)
    assert sorted(i for group in made for i in group) == list(range(len(starts)))
    assert max(map(len, made)) <= most
    if most < len(starts):
        return
    places = sorted(set(starts))
    every = []  # all ways to cut the sorted places into runs
    for cuts in range(2 ** (len(places) - 1)):
        runs: list[list[int]] = [[]]
        for number, place in enumerate(places):
            if number and cuts >> (number - 1) & 1:
                runs.append([])
            runs[-1] += [i for i, start in enumerate(starts) if start == place]
        every.append(costs(runs, starts, length, overhead))
    assert costs(made, starts, length, overhead) == min(every)


@settings(deadline=None)
@given(seed=st.integers(0, 2**40), top_k=st.integers(1, 400), count=st.integers(1, 60))
def test_draws_replace_one_token_by_one_of_the_best(seed: int, top_k: int, count: int) -> None:
    generator = torch.Generator().manual_seed(seed % 1000)
    gradient = torch.randn(4, 50, generator=generator)
    allowed = torch.rand(50, generator=generator) < 0.6
    suffix = torch.randint(50, (4,), generator=generator)
    options = {"count": count, "top_k": top_k}
    made = draw(suffix, gradient, allowed, **options, generator=seeded(seed, 3))
    again = draw(suffix, gradient, allowed, **options, generator=seeded(seed, 3))
    assert torch.equal(made, again)
    assert len(made) <= count
    assert len(made.unique(dim=0)) == len(made)
    for row in made:
        (places,) = torch.nonzero(row != suffix, as_tuple=True)
        assert len(places) == 1
        place = int(places[0])
        better = (gradient[place][allowed] < gradient[place, row[place]]).sum()
        assert bool(allowed[row[place]])
        assert int(better) < top_k


def test_draws_depend_on_seed_and_step() -> None:
    numbers = {
        (seed, step): torch.randint(10**9, (1,), generator=seeded(seed, step)).item()
        for seed in range(5)
        for step in range(5)
    }
    assert len(set(numbers.values())) == 25


def test_merging_takes_the_better_replacement_of_a_place() -> None:
    suffix = torch.zeros(4, dtype=torch.long)
    made = torch.tensor([[1, 0, 0, 0], [2, 0, 0, 0], [0, 0, 3, 0], [0, 4, 0, 0]])
    joined = merged(suffix, made, torch.tensor([0.2, 0.1, 0.3, 0.4]), 4)
    assert joined.tolist() == [[2, 0, 3, 0], [2, 4, 3, 0]]
    assert len(merged(suffix, made, torch.tensor([0.2, 0.1, 0.3, 0.4]), 1)) == 0


def test_allowed_tokens_are_plain_text() -> None:
    plain = allowed_tokens(tokenizer(), 400, ascii_only=True)
    wider = allowed_tokens(tokenizer(), 400, ascii_only=False)
    assert plain.shape == (400,)
    assert not plain[[0, 1, 2]].any()
    assert not wider[[0, 1, 2]].any()
    assert not plain[len(tokenizer()) :].any()
    for index in plain.nonzero().flatten().tolist():
        text = tokenizer().decode([index])
        assert text.isascii()
        assert text.isprintable()
    assert bool((wider >= plain).all())
    assert wider.sum() > plain.sum()


@given(
    lengths=st.lists(st.integers(1, 40), max_size=30),
    most=st.integers(1, 200),
    overhead=st.integers(0, 60),
)
def test_rows_of_like_length_go_together_and_padding_stays_within_what_a_batch_may_hold(
    lengths: list[int], most: int, overhead: int
) -> None:
    made = by_length(lengths, most=most, overhead=overhead)
    assert sorted(i for batch in made for i in batch) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[i] for i in b) <= most for b in made)
    ranges = [[lengths[i] for i in batch] for batch in made]
    assert all(min(a) >= max(b) for a, b in itertools.pairwise(ranges))
    together = len(lengths) * max(lengths, default=0)
    if together <= most:
        computed = sum(len(one) * max(one) + overhead for one in ranges)
        assert computed <= together + overhead
