"""Products of frozen layers in bfloat16: as in float32 but for rounding, and the model stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from buttress.errors import InputError  # noqa: E402
from buttress.training.adapter import add_adapter  # noqa: E402
from buttress.training.answer_logits import log_probabilities  # noqa: E402
from buttress.training.precision import FrozenProducts  # noqa: E402
from buttress.training.settings import LoraSettings  # noqa: E402
from buttress.workflows.tune import TuneRequest, tune  # noqa: E402
from tests.training.making import QUICK, chats, preferences, weights  # noqa: E402
from tests.training.test_objectives import examples  # noqa: E402
from tests.white_box.tiny import model  # noqa: E402


def adapted(kind: str = "llama") -> tuple[Any, list[Any]]:
    """A model whose adapter does something, and the adapter's parameters."""
    made = add_adapter(model(kind), LoraSettings(rank=2), 0).eval()
    generator = torch.Generator().manual_seed(1)
    trained = [one for one in made.parameters() if one.requires_grad]
    with torch.no_grad():
        for one in trained:
            one.add_(0.05 * torch.randn(one.shape, generator=generator))
    return made, trained


def gradients(made: Any, trained: list[Any]) -> tuple[Any, Any]:
    sums = log_probabilities(made, examples())
    found = torch.autograd.grad(-sums.sum(), trained)
    return sums.detach(), torch.cat([one.flatten() for one in found])


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_values_and_gradients_are_those_of_float32_but_for_rounding(kind: str) -> None:
    made, trained = adapted(kind)
    sums, wanted = gradients(made, trained)
    products = FrozenProducts(made, "bfloat16")
    assert products.layers > 0
    with products.used():
        near, found = gradients(made, trained)
    assert found.dtype == torch.float32
    learned = torch.tensor([float(one.learned) for one in examples()])
    assert 0 < float(((near - sums).abs() / learned).max()) < 0.02  # nats a token
    assert 0 < float((found - wanted).norm() / wanted.norm()) < 0.1
    again, same = gradients(made, trained)
    assert torch.equal(again, sums)
    assert torch.equal(same, wanted)


def test_what_is_trained_is_not_rounded() -> None:
    whole = model().train()  # without an adapter every layer is trained
    assert FrozenProducts(whole, "bfloat16").layers == 0
    made, _ = adapted()
    adapters = sum(isinstance(one, torch.nn.Linear) for one in made.modules())
    frozen = FrozenProducts(made, "bfloat16").layers
    assert 0 < frozen < adapters
    assert FrozenProducts(made, "float32").layers == 0


@pytest.mark.parametrize(
    ("method", "more"), [("sft", {}), ("npo", {}), ("dp-sft", {"epsilon": 8.0, "delta": 1e-3})]
)
def test_each_method_trains_near_to_float32_and_says_how(
    method: str, more: dict[str, float], tmp_path: Path
) -> None:
    if method == "dp-sft":
        pytest.importorskip("opacus")
    base, data = weights(tmp_path / "base"), chats(tmp_path / "chats.jsonl")
    settings = {**QUICK, "learning_rate": 2e-3, "steps": 4, "threads": 1}
    found = {}
    for precision in ("float32", "bfloat16"):
        request = TuneRequest(
            base, data, tmp_path / precision, method=method, device="cpu",
            settings={**settings, "precision": precision}, **more,
        )  # fmt: skip
        found[precision] = tune(request)
    short, long = found["bfloat16"], found["float32"]
    assert short["settings"]["precision"] == "bfloat16"
    assert short["reload"]["largest_difference"] < 1e-3  # measured in float32
    assert "| products with the base model's weights | bfloat16 |" in (
        tmp_path / "bfloat16" / "README.md"
    ).read_text("utf-8")
    assert "products" not in (tmp_path / "float32" / "README.md").read_text("utf-8")
    if method != "dp-sft":  # its draws are those of the operating system
        assert short["loss"]["curve"] == pytest.approx(long["loss"]["curve"], abs=0.05)
        assert short["loss"]["curve"] != long["loss"]["curve"]


def test_a_method_that_trains_by_other_means_refuses(tmp_path: Path) -> None:
    request = TuneRequest(
        weights(tmp_path / "base"), preferences(tmp_path / "pairs.jsonl"), tmp_path / "out",
        method="reward", settings={"precision": "bfloat16"}, device="cpu",
    )  # fmt: skip
    with pytest.raises(InputError, match="precision"):
        tune(request)
