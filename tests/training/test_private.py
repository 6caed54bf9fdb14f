"""Training with differential privacy: clipping against a plain computation, and what ε is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
opacus = pytest.importorskip("opacus")

from buttress.training.adapter import add_adapter  # noqa: E402
from buttress.training.answer_logits import log_probabilities  # noqa: E402
from buttress.training.private import _quiet, _step, epsilon_of, noise_for  # noqa: E402
from buttress.training.settings import LoraSettings  # noqa: E402
from buttress.workflows.tune import TuneRequest, tune  # noqa: E402
from tests.training.making import QUICK, chats, weights  # noqa: E402
from tests.training.test_objectives import examples  # noqa: E402
from tests.white_box.tiny import model  # noqa: E402


def adapted() -> tuple[Any, list[Any]]:
    """A model whose adapter does something, and the adapter's parameters."""
    made = add_adapter(model(), LoraSettings(rank=2), 0)
    generator = torch.Generator().manual_seed(1)
    trained = [one for one in made.parameters() if one.requires_grad]
    with torch.no_grad():
        for one in trained:
            one.add_(0.05 * torch.randn(one.shape, generator=generator))
    return made, trained


def wrapped(noise: float, clip: float, expected: float) -> tuple[Any, Any, Any]:
    made, trained = adapted()
    with _quiet():
        module = opacus.GradSampleModule(made, loss_reduction="sum", strict=False)
    optimizer = opacus.optimizers.DPOptimizer(
        torch.optim.SGD(trained, lr=1.0), noise_multiplier=noise, max_grad_norm=clip,
        expected_batch_size=expected,
    )  # fmt: skip
    return module, optimizer, trained


@pytest.mark.parametrize("tokens", [8192, 15])
def test_each_record_is_clipped_on_its_own(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buttress.training.answer_logits._TOKENS", tokens)
    module, optimizer, trained = wrapped(0.0, 0.5, 2.0)
    plain, same = adapted()
    wanted = [torch.zeros_like(one) for one in trained]
    norms = []
    for one in examples():
        loss = -log_probabilities(plain, [one])[0] / one.learned
        gradients = torch.autograd.grad(loss, same)
        norm = float(torch.cat([part.flatten() for part in gradients]).norm())
        norms.append(norm)
        for place, part in enumerate(gradients):
            wanted[place] += part * min(1.0, 0.5 / norm)
    assert max(norms) > 0.5  # something is clipped
    before = [one.detach().clone() for one in trained]
    module.train()
    _step(module, optimizer, trained, examples(), [0, 1, 2, 3])
    for old, new, gradient in zip(before, trained, wanted, strict=True):
        assert torch.allclose(old - new, gradient / 2.0, atol=1e-5)


def test_a_step_without_records_is_noise_alone() -> None:
    module, optimizer, trained = wrapped(1.5, 0.5, 2.0)
    before = torch.cat([one.detach().flatten().clone() for one in trained])
    module.train()
    _step(module, optimizer, trained, examples(), [])
    moved = torch.cat([one.detach().flatten() for one in trained]) - before
    assert float(moved.std()) == pytest.approx(1.5 * 0.5 / 2.0, rel=0.1)


def test_noise_and_epsilon_belong_together() -> None:
    noise = noise_for(2.0, 1e-4, 0.1, 50)
    spent = epsilon_of(noise, 1e-4, 0.1, 50)
    assert 1.94 < spent <= 2.0
    assert epsilon_of(2 * noise, 1e-4, 0.1, 50) < spent
    assert epsilon_of(noise, 1e-4, 0.1, 200) > spent


def test_without_sampling_epsilon_is_that_of_the_gaussian_mechanism() -> None:
    # 16 releases with noise 4 are one with noise 1; at ε = 4.377 its δ is 1e-5 (Balle & Wang 2018).
    assert epsilon_of(4.0, 1e-5, 1.0, 16) == pytest.approx(4.377, abs=0.03)


def test_a_private_run_tells_what_it_spent_and_no_loss(tmp_path: Path) -> None:
    base = weights(tmp_path / "base")
    data = chats(tmp_path / "data.jsonl", 12)
    request = TuneRequest(
        base, data, tmp_path / "out", method="dp-sft", epsilon=3.0, delta=1e-3, settings=QUICK
    )

    def stop(text: str) -> None:
        if text.startswith("step 8 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(request, stop)
    said: list[str] = []
    resumed = TuneRequest(
        base, data, tmp_path / "out", method="dp-sft", epsilon=3.0, delta=1e-3, settings=QUICK,
        resume=True,
    )  # fmt: skip
    document = tune(resumed, said.append)
    assert "going on after step 5" in said
    assert 2.9 < document["privacy"]["epsilon"] <= 3.0
    assert document["privacy"]["sample_rate"] == pytest.approx(1 / 3)
    assert document["loss"] is None
    assert document["steps"] == 12
    assert document["reload"]["largest_difference"] < 1e-5
    assert "ε covers the weights, not this card" in (tmp_path / "out" / "README.md").read_text()
