"""Two models compared: an adapter and second weights, against plain passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.targets.adapters import without_peft_warnings
from buttress.white_box.adapter import load_variants
from buttress.white_box.explanation.comparison import (
    ModelVariant,
    compare_answers,
    compare_directions,
    compare_layers,
)
from buttress.white_box.loading import load
from tests.documents.test_typed_documents import check_typed
from tests.white_box.tiny import model, tokenizer

REQUESTS = ["tell a tale", "tell a tale of the sea and the stars"]


def plain_divergence(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    first, second = one.log_softmax(-1), other.log_softmax(-1)
    return torch.nn.functional.kl_div(second, first, log_target=True, reduction="none").sum(-1)


def test_divergences_are_those_of_plain_passes() -> None:
    one, other = model(seed=0), model(seed=1)
    for found in compare_answers(
        ModelVariant(one), ModelVariant(other), tokenizer(), REQUESTS, tokens=4
    ):
        text = tokenizer().apply_chat_template(
            [{"role": "user", "content": found.request}], tokenize=False, add_generation_prompt=True
        )
        ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            row = torch.tensor([ids])
            answer = one.generate(row, max_new_tokens=4, do_sample=False, pad_token_id=0)[0]
            answer = answer[len(ids) : len(ids) + len(found.divergences)]
            whole = torch.cat([row[0], answer])[None]
            start = len(ids) - 1
            logits = [each(whole).logits[0, start:-1] for each in (one, other)]
        assert found.divergences == pytest.approx(plain_divergence(*logits).tolist(), abs=1e-4)
        assert "".join(found.tokens) == tokenizer().decode(answer)


def test_layers_end_with_the_models_own_divergence_and_a_model_equals_itself() -> None:
    one, other = model(seed=0), model(seed=1)
    found = compare_layers(ModelVariant(one), ModelVariant(other), tokenizer(), REQUESTS[:1])
    text = tokenizer().apply_chat_template(
        [{"role": "user", "content": REQUESTS[0]}], tokenize=False, add_generation_prompt=True
    )
    ids = torch.tensor([tokenizer()(text, add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        logits = [each(ids).logits[0, -1] for each in (one, other)]
    assert [each.layer for each in found] == [0, 1, 2, 3]
    assert found[-1].divergence == pytest.approx(float(plain_divergence(*logits)), abs=1e-4)
    same = compare_layers(ModelVariant(one), ModelVariant(one), tokenizer(), REQUESTS)
    assert max(each.divergence for each in same) == pytest.approx(0, abs=1e-5)
    assert max(each.turned for each in same) == pytest.approx(0, abs=1e-5)


def test_directions_of_a_model_with_itself_are_the_same() -> None:
    one = ModelVariant(model())
    found = compare_directions(
        one, one, tokenizer(), (REQUESTS, ["the lake", "old house"]), ["sea"]
    )
    assert found[0].cosine is None  # the first layer sees the same token after all requests
    assert [each.cosine for each in found[1:]] == pytest.approx([1.0, 1.0])
    assert all(each.induced_before == each.induced_after for each in found)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    model().save_pretrained(folder, safe_serialization=True)
    tokenizer().save_pretrained(folder)
    return folder


def adapter(folder: Path, strength: float) -> Path:
    peft: Any = pytest.importorskip("peft")
    settings = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    with without_peft_warnings():
        adapted = peft.get_peft_model(model(), settings)
    for name, value in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(value, strength)
    adapted.save_pretrained(folder)
    return folder


def test_an_adapter_is_switched_off_for_the_model_before(weights: Path, tmp_path: Path) -> None:
    base, tokens = load(weights, device="cpu")
    with torch.no_grad():
        ids = torch.tensor([[1, 5, 9]])
        own = base(ids).logits
        before, after = load_variants(base, tokens, adapter(tmp_path / "a", 0.3), device="cpu")
        with before.active():
            torch.testing.assert_close(before.model(ids).logits, own)
        with after.active():
            assert float((after.model(ids).logits - own).abs().max()) > 1e-3
    path = tmp_path / "a/adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="does not fit the base model"):
        load_variants(model(), tokenizer(), tmp_path / "a", device="cpu")
    (tmp_path / "a/adapter_model.safetensors").rename(tmp_path / "a/adapter_model.bin")
    with pytest.raises(InputError, match="no adapter weights"):
        load_variants(base, tokens, tmp_path / "a")


def test_the_command_compares_an_adapter_and_writes_a_page(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main([
        "explain", str(weights), "--compare", str(adapter(tmp_path / "a", 0.3)), "--json",
        "--max-tokens", "3", "--out", str(out), "--device", "cpu", "--threads", "1",
        "--language", "zh",
    ])  # fmt: skip
    assert code == 0
    document = json.loads(capsys.readouterr().out)
    check_typed("model-comparison", document)
    assert document["kind"] == "adapter"
    assert document["harmful"]["per_token"] > 0
    assert len(document["harmful"]["by_position"]) <= 3
    assert len(document["directions"]) == 3
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert "训练改变了什么" in page
    assert page.count("<svg") == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("weights", "--compare", "none"), "none: weights: no such folder"),
        (("weights", "--compare", "weights", "--probe", "x"), "--probe: unknown concept 'x'"),
        (("manifest", "--compare", "weights"), "--compare: needs the weights"),
    ],
)
@pytest.mark.usefixtures("weights")
def test_what_can_not_be_compared_is_told(
    tmp_path: Path,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *options, "--device", "cpu"]) == 2
    assert message in capsys.readouterr().err
