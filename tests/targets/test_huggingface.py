from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError
from buttress.targets.huggingface import create
from buttress.targets.open import open_target

pytest.importorskip("transformers")
WORDS = [f"w{i}" for i in range(60)]
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}"
    "{% endif %}<s> {{ m.content }} {% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama with a word tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("tiny")
    vocabulary = {word: i for i, word in enumerate(["<unk>", "<s>", "</s>", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    config: Any = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.4,
    )
    model: Any = LlamaForCausalLM(config)
    model.save_pretrained(path)
    return path


def ask(text: str, **sampling: Any) -> Request:
    return Request((Message("user", text),), Sampling(**({"max_tokens": 8} | sampling)))


QUESTIONS = [" ".join(WORDS[(7 * i + j) % 60] for j in range(1 + i % 9)) for i in range(30)]


async def answers(folder: Path, batch: int, **sampling: Any) -> list[Answer]:
    target = create(weights=folder, batch=batch)
    try:
        return await asyncio.gather(*[target.answer(ask(q, **sampling)) for q in QUESTIONS])
    finally:
        await target.aclose()


@pytest.mark.parametrize("temperature", [0.0, 0.8])
async def test_answers_do_not_depend_on_the_batch(folder: Path, temperature: float) -> None:
    alone = await answers(folder, 1, temperature=temperature)
    together = await answers(folder, 16, temperature=temperature)
    assert [a.text for a in alone] == [a.text for a in together]
    assert len({a.text for a in alone}) > 10
    for question, answer in zip(QUESTIONS, alone, strict=True):
        assert answer.prompt_tokens == len(question.split()) + 1
        assert 1 <= answer.completion_tokens <= 8
        assert (answer.finish_reason == "length") >= (len(answer.text.split()) == 8)


async def test_sampling_follows_its_seed_and_the_model(folder: Path) -> None:
    one = await answers(folder, 16, temperature=1.0, seed=1)
    two = await answers(folder, 16, temperature=1.0, seed=2)
    assert sum(a.text != b.text for a, b in zip(one, two, strict=True)) > 20
    cold = await answers(folder, 16)
    lukewarm = await answers(folder, 16, temperature=1e-6, seed=3)
    assert [a.text for a in cold] == [a.text for a in lukewarm]


async def test_sampled_frequencies_are_the_softmax(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([[1, 3 + 5]])
    with torch.inference_mode():
        expected = torch.softmax(model(ids).logits[0, -1] / 1.3, 0)
    target = create(weights=folder, batch=64)
    draws = 3000
    made = await asyncio.gather(
        *[
            target.answer(ask("w5", max_tokens=1, temperature=1.3, seed=seed))
            for seed in range(draws)
        ]
    )
    await target.aclose()
    seen = Counter(answer.text for answer in made)
    for index, word in enumerate(WORDS):
        share = float(expected[3 + index])
        error = (share * (1 - share) / draws) ** 0.5
        assert abs(seen[word] / draws - share) <= 4.5 * error + 1e-3


async def test_system_text_where_the_template_knows_none(folder: Path) -> None:
    target = create(weights=folder)
    asked = Request((Message("system", "w1 w2"), Message("user", "w3")), Sampling(max_tokens=4))
    merged = await target.answer(ask("w1 w2 w3", max_tokens=4))
    assert (await target.answer(asked)).text == merged.text
    await target.aclose()


async def test_questions_that_do_not_fit(folder: Path) -> None:
    target = create(weights=folder, context=64)
    good, bad = await asyncio.gather(
        target.answer(ask("w1")), target.answer(ask("w1 " * 60)), return_exceptions=True
    )
    assert isinstance(good, Answer)
    assert isinstance(bad, TargetError)
    assert (bad.retry, "context of 64" in str(bad)) == (False, True)
    await target.aclose()
    assert isinstance(target, Target)
    assert (target.stable, target.concurrency, target.name) == (True, 64, folder.name)


def test_identity_follows_weights_and_template(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    first = create(weights=folder).identity
    assert create(weights=copy).identity == first
    (copy / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    assert create(weights=copy).identity != first


def test_the_manifest_opens_a_folder(folder: Path) -> None:
    target = open_target({"weights": folder.name, "parallel": 5}, base=folder.parent)
    assert target.concurrency == 10


@pytest.mark.parametrize("kept", ["pytorch_model.bin", "none"])
def test_pickled_weights_are_refused(folder: Path, tmp_path: Path, kept: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in copy.glob("*.safetensors"):
        path.unlink()
    (copy / kept).write_bytes(b"\x80\x04.")
    said = "pickled weights" if kept.endswith("bin") else "no weights"
    with pytest.raises(InputError, match=said):
        create(weights=copy)


async def test_code_in_the_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    mark = tmp_path / "ran"
    (copy / "own.py").write_text(f"open({str(mark)!r}, 'w').close()")
    target = create(weights=copy)
    with pytest.raises(InputError, match="can't be loaded"):
        await target.answer(ask("w1"))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"batch": 0}, "batch"), ({"device": 3}, "device"), ({"dtype": "x"}, "dtype: unknown")],
)
def test_bad_settings(folder: Path, settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=field):
        create(**({"weights": folder} | settings))
