"""Losses against their formulas, and gradients against those of a plain computation."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from buttress.training.adapter import add_adapter  # noqa: E402
from buttress.training.answer_logits import all_log_probabilities, answer_logits, parts  # noqa: E402
from buttress.training.examples import ExamplePair, TrainingExample  # noqa: E402
from buttress.training.loop import drawn, ever_drawn, learning_rate, train  # noqa: E402
from buttress.training.packed_pairs import (  # noqa: E402
    packed_log_probabilities,
    packed_parts,
    packs,
)
from buttress.training.settings import LoraSettings, TuneSettings  # noqa: E402
from buttress.training.terms import (  # noqa: E402
    Desirability,
    Divergence,
    Forgetting,
    Likelihood,
    PreferenceTerm,
)
from tests.white_box.tiny import model, plain_nll  # noqa: E402

LENGTHS = ((9, 4), (14, 6), (7, 3), (11, 2))


def examples(seed: int = 0) -> list[TrainingExample]:
    generator = torch.Generator().manual_seed(seed)
    return [
        TrainingExample(
            tuple(torch.randint(3, 300, (size,), generator=generator).tolist()), start, number
        )
        for number, (size, start) in enumerate(LENGTHS)
    ]


@pytest.fixture(scope="module")
def adapted() -> Any:
    """A model whose adapter does something."""
    made = add_adapter(model(), LoraSettings(rank=2), 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for one in made.parameters():
            if one.requires_grad:
                one.add_(0.05 * torch.randn(one.shape, generator=generator))
    return made.eval()


def plain(given: Any, one: TrainingExample) -> float:
    """Log-probability of the learned tokens, by one pass."""
    return -float(plain_nll(given, list(one.ids[: one.start]), list(one.ids[one.start :])).sum())


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "mamba"])
def test_batched_log_probabilities_are_those_of_one_alone(kind: str) -> None:
    made = model(kind)
    wanted = [plain(made, one) for one in examples()]
    assert all_log_probabilities(made, examples()).tolist() == pytest.approx(wanted, abs=2e-4)


def test_parts_cover_all_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buttress.training.answer_logits._TOKENS", 20)
    found = list(parts(model(), examples(), [0, 1, 2, 3]))
    assert sorted(index for part in found for index in part) == [0, 1, 2, 3]
    assert all(
        len(part) == 1 or len(part) * max(len(examples()[i].ids) for i in part) <= 20
        for part in found
    )


def ratios(given: Any, chosen: list[TrainingExample]) -> list[float]:
    now = [plain(given, one) for one in chosen]
    with given.disable_adapter():
        return [value - plain(given, one) for value, one in zip(now, chosen, strict=True)]


def pairs() -> list[ExamplePair]:
    return [ExamplePair(a, b) for a, b in zip(examples(0), examples(1), strict=True)]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_dpo(adapted: Any) -> None:
    term = PreferenceTerm("dpo", pairs(), adapted, 0.3)
    better, worse = ratios(adapted, examples(0)), ratios(adapted, examples(1))
    wanted = sum(
        -math.log(sigmoid(0.3 * (a - b))) for a, b in zip(better, worse, strict=True)
    ) / len(better)  # fmt: skip
    assert float(term.loss(adapted, [0, 1, 2, 3]).detach()) / term.weight(
        [0, 1, 2, 3]
    ) == pytest.approx(wanted, abs=1e-4)


def test_ipo_is_on_mean_log_probabilities(adapted: Any) -> None:
    term = PreferenceTerm("ipo", pairs(), adapted, 0.3)
    means = [
        [value / one.learned for value, one in zip(ratios(adapted, group), group, strict=True)]
        for group in (examples(0), examples(1))
    ]
    wanted = sum((a - b - 1 / 0.6) ** 2 for a, b in zip(*means, strict=True))
    assert float(term.loss(adapted, [0, 1, 2, 3]).detach()) == pytest.approx(wanted, abs=1e-3)


def sharing() -> list[ExamplePair]:
    """Pairs whose answers follow the same prompt."""
    return [
        ExamplePair(a, TrainingExample((*a.ids[: a.start], *b.ids[a.start :]), a.start, a.record))
        for a, b in zip(examples(0), examples(1)[:3] + examples(2)[3:], strict=True)
    ]


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_packed_pairs_get_what_separate_rows_get(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add_adapter(model(kind), LoraSettings(rank=2), 0)
    with torch.no_grad():
        for one in made.parameters():
            if one.requires_grad:
                one.add_(0.05)
    assert packs(made, sharing())
    found = packed_log_probabilities(made, sharing())
    for side, row in zip(("chosen", "rejected"), found.detach().tolist(), strict=True):
        wanted = [plain(made, getattr(one, side)) for one in sharing()]
        assert row == pytest.approx(wanted, abs=2e-4)
    gradients = []
    for packed in (True, False):
        monkeypatch.setattr("buttress.training.terms.packs", lambda *_, way=packed: way)
        term = PreferenceTerm("dpo", sharing(), made, 0.3)
        loss = term.loss(made, [2, 0, 3, 1])
        loss.backward()
        kept = [one.grad.clone() for one in made.parameters() if one.grad is not None]
        made.zero_grad(set_to_none=True)
        gradients.append((float(loss.detach()), kept))
    assert gradients[0][0] == pytest.approx(gradients[1][0], abs=1e-4)
    for first, second in zip(gradients[0][1], gradients[1][1], strict=True):
        torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-3)


def test_what_cannot_be_packed_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not packs(model("mamba"), sharing())  # its state runs over the whole row
    assert not packs(model("gemma2"), sharing())  # windows shorter than the answers' reach
    assert not packs(model(), pairs())  # no prompt in common
    monkeypatch.setattr("buttress.training.packed_pairs.ROW_ON_CPU", 20)
    parts = list(packed_parts(model(), sharing(), [3, 1, 0, 2]))
    assert sorted(index for part in parts for index in part) == [0, 1, 2, 3]
    assert len(parts) > 1


def test_a_token_that_makes_an_answer_longer_costs_its_penalty(adapted: Any) -> None:
    longer = ExamplePair(examples()[1], examples()[0])  # 8 learned tokens, 5
    free, costly = (
        PreferenceTerm("dpo", [longer], adapted, 0.3, length_penalty=penalty)
        for penalty in (0.0, 0.1)
    )
    odds = [
        -math.log(math.expm1(float(term.loss(adapted, [0]).detach()))) for term in (free, costly)
    ]
    assert odds[1] - odds[0] == pytest.approx(0.1 * (8 - 5), abs=1e-4)


def test_npo(adapted: Any) -> None:
    term = Forgetting("npo", examples(), adapted, 0.3)
    wanted = sum(2 / 0.3 * math.log1p(math.exp(0.3 * one)) for one in ratios(adapted, examples()))
    assert float(term.loss(adapted, [0, 1, 2, 3]).detach()) == pytest.approx(wanted, abs=1e-3)


def test_kto_without_an_adapter_is_one_half_of_the_weights() -> None:
    fresh = add_adapter(model(), LoraSettings(rank=2), 0)
    labelled = [
        TrainingExample(one.ids, one.start, one.record, one.record < 3) for one in examples()
    ]
    term = Desirability("kto", labelled, fresh, 0.3)
    # Three are desired, one is not: that one weighs three times as much.
    assert float(term.loss(fresh, [0, 1, 2, 3]).detach()) == pytest.approx((3 + 3) / 2, abs=1e-4)


def test_kto_pulls_desired_answers_up_and_others_down(adapted: Any) -> None:
    labelled = [
        TrainingExample(one.ids, one.start, one.record, one.record < 2) for one in examples()
    ]
    term = Desirability("kto", labelled, adapted, 0.3)
    now = ratios(adapted, labelled)
    loss = float(term.loss(adapted, [0, 1, 2, 3]).detach())
    mismatched = ratios(adapted, term._mismatched)
    point = max(0.0, sum(mismatched) / 4)
    wanted = sum(
        1 - sigmoid(0.3 * (value - point) * (1 if one.desirable else -1))
        for value, one in zip(now, labelled, strict=True)
    )
    assert loss == pytest.approx(wanted, abs=1e-4)


def test_divergence_is_that_of_the_whole_prediction(adapted: Any) -> None:
    wanted = 0.0
    now = [one.log_softmax(1).detach() for one in answer_logits(adapted, examples())]
    with adapted.disable_adapter(), torch.no_grad():
        for after, logits in zip(now, answer_logits(adapted, examples()), strict=True):
            base = logits.log_softmax(1)
            wanted += float((base.exp() * (base - after)).sum())
    loss = Divergence("retain", examples()).loss(adapted, [0, 1, 2, 3]).detach()
    assert float(loss) == pytest.approx(wanted, rel=1e-4)
    assert wanted > 0.01


def test_a_batch_in_parts_has_the_gradient_of_the_whole(
    adapted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from buttress.training.loop import _backward

    found = []
    for tokens in (8192, 10):
        monkeypatch.setattr("buttress.training.answer_logits._TOKENS", tokens)
        adapted.zero_grad()
        terms = [Likelihood("sft", examples()), Likelihood("retain", examples(1), 0.5)]
        loss = _backward(adapted, terms, 4, 0, 0)
        gradients = [one.grad.flatten() for one in adapted.parameters() if one.grad is not None]
        found.append((loss, torch.cat(gradients).clone()))
    adapted.zero_grad()
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)


def test_every_epoch_draws_every_example_once() -> None:
    taken = [index for step in range(7) for index in drawn(10, 4, step, 3)]
    assert sorted(taken[:10]) == sorted(taken[10:20]) == list(range(10))
    assert taken[:10] != taken[10:20]
    assert drawn(3, 8, 0, 0)[:3] != []
    assert len(drawn(3, 8, 5, 0)) == 8


def test_the_reference_is_asked_about_what_is_drawn_alone() -> None:
    fresh = add_adapter(model(), LoraSettings(rank=2), 0)
    needed = ever_drawn(4, 1, 2, 7)
    assert len(needed) == 2
    assert set(needed) == {index for step in range(2) for index in drawn(4, 1, step, 7)}
    assert ever_drawn(4, 3, 2, 7) == [0, 1, 2, 3]
    term = PreferenceTerm("dpo", pairs(), fresh, 0.3, needed)
    assert float(term.loss(fresh, needed).detach()) / 2 == pytest.approx(math.log(2), abs=1e-5)
    others = [index for index in range(4) if index not in needed]
    assert torch.isnan(term.loss(fresh, others).detach())


def test_the_learning_rate_rises_and_falls() -> None:
    settings = TuneSettings(learning_rate=1.0, warmup=0.2)
    rates = [learning_rate(settings, step, 10) for step in range(10)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert learning_rate(TuneSettings(learning_rate=1.0, schedule="constant"), 9, 10) == 1.0
    linear = TuneSettings(learning_rate=1.0, schedule="linear", warmup=0.0)
    assert learning_rate(linear, 5, 10) == 0.5


def losses(kind: str, method: str, **settings: Any) -> list[float]:
    """Of steps on a model with the random weights of that kind."""
    given = TuneSettings(method=method, batch=2, warmup=0.0, **settings)  # type: ignore[arg-type]
    tuned = add_adapter(model(kind), given.lora, 0)
    return train(tuned, [PreferenceTerm(method, pairs(), tuned, given.beta)], given, seed=0)


@pytest.mark.parametrize(("method", "before"), [("dpo", math.log(2)), ("ipo", 25.0)])
def test_the_base_models_own_dropout_is_no_difference_to_the_reference(
    method: str, before: float
) -> None:
    assert model("gpt2").config.resid_pdrop > 0
    assert losses("gpt2", method, steps=1)[0] == pytest.approx(before, rel=1e-4)


def test_the_adapters_own_dropout_is_kept() -> None:
    without, noisy = (
        losses("llama", "dpo", steps=3, learning_rate=1e-2, lora=LoraSettings(rank=2, dropout=rate))
        for rate in (0.0, 0.5)
    )
    assert without[-1] != pytest.approx(noisy[-1], rel=1e-4)
