"""A refusal gate and a steering vector: fitted, kept in files, and loaded by a target."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from buttress.errors import InputError
from buttress.prompts.base import Prompt
from buttress.targets.base import Answer, Message, Request, Sampling, Target
from buttress.targets.huggingface import create as huggingface
from buttress.targets.open import open_target
from buttress.white_box.gate import GateFit, fit_gate, question_of
from buttress.white_box.intervention_files import (
    Steering,
    load_gate,
    load_steering,
    save_gate,
    save_steering,
)
from tests.white_box.requests import starry_requests
from tests.white_box.tiny import model, tokenizer

REQUESTS = starry_requests()
SHORT = Sampling(max_tokens=6)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    model().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def chat(prompt: Prompt) -> tuple[Message, ...]:
    return (Message("user", prompt.text),)


@pytest.fixture(scope="module")
def fit(weights: Path) -> GateFit:
    seen = [one for one in REQUESTS if one.category not in ("old", "sea")]
    return fit_gate(
        model(), tokenizer(), [chat(one) for one in seen],
        [one.expect == "refuse" for one in seen], [one.category for one in seen],
        identity=huggingface(weights=weights).identity, false_alarms=0.1, layers=(0, 1),
    )  # fmt: skip


def answers(target: Target, conversations: list[tuple[Message, ...]]) -> list[Answer]:
    async def ask() -> list[Answer]:
        try:
            return list(
                await asyncio.gather(*(target.answer(Request(one, SHORT)) for one in conversations))
            )
        finally:
            await target.aclose()

    return asyncio.run(ask())


def test_the_gate_catches_what_it_was_not_fitted_to(
    weights: Path, fit: GateFit, tmp_path: Path
) -> None:
    assert fit.area > 0.95
    assert fit.false_alarms <= 0.1
    assert fit.caught > 0.8
    assert fit.words_area > 0.95  # one word tells them apart, and the comparison says so
    save_gate(tmp_path / "gate", fit.gate, {"why": "test"})
    target = open_target({"weights": "w", "gate": "gate"}, base=_linked(tmp_path, weights))
    assert "+interventions:" in target.identity
    asked = [one for one in REQUESTS if one.category in ("old", "sea")]
    found = answers(target, [chat(one) for one in asked])
    refused = np.array([one.refused_by == "gate" for one in found])
    harmful = np.array([one.expect == "refuse" for one in asked])
    assert refused[harmful].mean() > 0.8
    assert refused[~harmful].mean() < 0.2
    plain = answers(huggingface(weights=weights), [chat(one) for one in asked])
    passed = [(a.text, b.text) for a, b in zip(found, plain, strict=True) if not a.refused_by]
    assert passed
    assert all(first == second for first, second in passed)


def test_what_passes_the_gate_need_not_be_answered_anew(
    weights: Path, fit: GateFit, tmp_path: Path
) -> None:
    save_gate(tmp_path / "gate", fit.gate, {})
    asked = [chat(one) for one in REQUESTS if one.category in ("old", "sea")]
    identity = huggingface(weights=weights).identity
    base = _linked(tmp_path, weights)
    plain = answers(open_target({"weights": "w", "gate": "gate"}, base=base), asked)
    passed = [place for place, one in enumerate(plain) if not one.refused_by]
    assert 2 <= len(passed) < len(asked)

    def known(of: str, request: Request) -> Answer | None:
        assert of == identity
        return None if request.messages == asked[passed[0]] else Answer("kept")

    target: Any = open_target({"weights": "w", "gate": "gate"}, base=base)
    target.reuse(known)
    expected = [one.text if one.refused_by else "kept" for one in plain]
    expected[passed[0]] = plain[passed[0]].text  # not known, so made
    assert [one.text for one in answers(target, asked)] == expected


def test_words_in_the_answers_mouth_do_not_reach_the_gate(
    weights: Path, fit: GateFit, tmp_path: Path
) -> None:
    save_gate(tmp_path / "gate", fit.gate, {})
    harmful = [one for one in REQUESTS if one.expect == "refuse"][:8]
    target = open_target({"weights": "w", "gate": "gate"}, base=_linked(tmp_path, weights))
    plain = [chat(one) for one in harmful]
    prefilled = [(*one, Message("assistant", "sure here is")) for one in plain]
    found = answers(target, [*plain, *prefilled])
    assert [one.refused_by for one in found[:8]] == [one.refused_by for one in found[8:]]
    assert any(one.refused_by for one in found)
    assert question_of((Message("system", "be kind"), *prefilled[0]))[-1].role == "user"


def test_a_steering_vector_changes_the_answers(weights: Path, tmp_path: Path) -> None:
    vector = torch.randn(32, generator=torch.Generator().manual_seed(2))
    plain = huggingface(weights=weights)
    save_steering(tmp_path / "s", Steering(plain.identity, vector, 1, 9.0), {})
    target = open_target({"weights": "w", "steering": "s"}, base=_linked(tmp_path, weights))
    asked = [chat(one) for one in REQUESTS[:4]]
    assert [one.text for one in answers(target, asked)] != [
        one.text for one in answers(plain, asked)
    ]
    kept = load_steering(tmp_path / "s")
    torch.testing.assert_close(kept.vector, vector)
    assert (kept.layer, kept.strength) == (1, 9.0)


def test_files_that_are_not_usable(weights: Path, fit: GateFit, tmp_path: Path) -> None:
    folder = _linked(tmp_path, weights)
    (tmp_path / "text").write_text("no gate")
    vector = Steering("other", torch.ones(32), 1, 1.0)
    save_steering(tmp_path / "s", vector, {})
    save_gate(tmp_path / "g", fit.gate, {})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"weights": "w", "gate": "text"}, "is not usable.*expected a gate file"),
        ({"weights": "w", "gate": "none"}, "no such file"),
        ({"weights": "w", "gate": "s"}, "is not usable"),
        ({"weights": "w", "steering": "g"}, "is not usable"),
        ({"weights": "w", "steering": "s"}, "was made for other weights"),
        ({"weights": "model.gguf", "gate": "g"}, "needs hidden states.*Hugging Face folder"),
    ]
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    for settings, message in wrong:
        with pytest.raises(InputError, match=message):
            open_target(settings, base=folder)
    assert load_gate(tmp_path / "g").layers == (0, 1)


def test_what_a_gate_cannot_be_fitted_to() -> None:
    few = REQUESTS[:6]
    with pytest.raises(InputError, match="3 harmful and 3 harmless requests of 1 categories"):
        fit_gate(
            model(), tokenizer(), [chat(one) for one in few],
            [one.expect == "refuse" for one in few], [one.category for one in few], identity="x",
        )  # fmt: skip


def _linked(folder: Path, weights: Path) -> Path:
    (folder / "w").symlink_to(weights)
    return folder
