"""Reward models and reinforcement learning through TRL, on a tiny model."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("trl")

from buttress.documents.schemas import as_object  # noqa: E402
from buttress.errors import InputError  # noqa: E402
from buttress.interchange.scores import read_scored_pairs  # noqa: E402
from buttress.targets.base import Message  # noqa: E402
from buttress.training.reward_model import load_reward_model  # noqa: E402
from buttress.white_box.loading import load  # noqa: E402
from buttress.workflows.tune import TuneRequest, tune  # noqa: E402
from tests.data.making import written  # noqa: E402
from tests.training.making import ANSWER, REFUSAL, chats, preferences, weights  # noqa: E402

REWARD: dict[str, Any] = {
    "learning_rate": 1e-2, "lora": {"rank": 4}, "steps": 10, "batch": 4, "checkpoint_every": 4,
}  # fmt: skip
POLICY: dict[str, Any] = {
    "learning_rate": 5e-3, "lora": {"rank": 4}, "steps": 3, "batch": 2, "samples": 4,
    "answer_tokens": 6, "checkpoint_every": 2,
}  # fmt: skip
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from buttress.workflows.tune import TuneRequest, tune
torch.set_num_threads(1)
def say(text):
    if text.startswith("step 6 "):
        os.kill(os.getpid(), signal.SIGKILL)
base, data, out, settings = sys.argv[1:]
tune(TuneRequest(Path(base), Path(data), Path(out), method="reward", settings=eval(settings)), say)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def reward(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A reward model that prefers one answer, and its document."""
    folder = tmp_path_factory.mktemp("reward")
    request = TuneRequest(
        base, preferences(folder / "pairs.jsonl"), folder / "out", method="reward",
        validation=preferences(folder / "held-out.jsonl", 4), settings=REWARD,
    )  # fmt: skip
    return folder / "out", tune(request)


def test_a_reward_model_learns_to_order_pairs(reward: tuple[Path, dict[str, Any]]) -> None:
    folder, document = reward
    as_object("tune", document)
    assert document["loss"]["curve"][0] == pytest.approx(0.69, abs=0.3)
    assert document["loss"]["last"] < 0.2
    assert document["reload"]["largest_difference"] < 1e-4
    assert document["versions"]["trl"]
    points = document["validation"]["points"]
    assert [one["step"] for one in points] == [0, 2, 4, 6, 8, 10]
    assert max(one["accuracy"] for one in points) == 1.0
    first_best = next(one["step"] for one in points if one["accuracy"] == 1.0)
    assert document["validation"]["chosen"] == first_best
    pairs, undecided = read_scored_pairs(folder / "validation-scores.jsonl")
    assert (len(pairs), undecided) == (4, 0)
    assert all(one.chosen_score > one.rejected_score for one in pairs)
    model = load_reward_model(folder, device="cpu")
    asked = [((Message("user", "tell a tale 2"),), text) for text in (ANSWER, REFUSAL, "")]
    better, worse, empty = model.scores(asked)
    assert better is not None
    assert worse is not None
    assert better > worse
    assert empty is not None
    assert (folder / "README.md").read_text().count("Reward model of") == 1


def test_a_reward_model_that_was_killed_comes_to_the_same(
    base: Path, reward: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    data = reward[0].parent / "pairs.jsonl"
    whole = tune(TuneRequest(base, data, tmp_path / "whole", method="reward", settings=REWARD))
    arguments = [sys.executable, "-c", KILLED, base, data, tmp_path / "out", repr(REWARD)]
    killed = subprocess.run([str(one) for one in arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    said: list[str] = []
    done = tune(
        TuneRequest(base, data, tmp_path / "out", method="reward", settings=REWARD, resume=True),
        said.append,
    )
    assert "going on after step 4" in said
    assert done["loss"]["curve"] == pytest.approx(whole["loss"]["curve"], abs=1e-5)


@pytest.mark.parametrize("method", ["grpo", "rloo"])
def test_answers_are_trained_by_their_reward(
    method: str, base: Path, reward: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    data = written(tmp_path / "prompts.jsonl", [{"prompt": f"tell a tale {n}"} for n in range(6)])
    asked = [
        {"prompt": "tell a tale 9", "expect": "answer"},
        {"prompt": "tell a tale 8", "expect": "refuse"},
    ]
    request = TuneRequest(
        base, data, tmp_path / "out", method=method, reward_model=reward[0],
        validation=written(tmp_path / "asked.jsonl", asked),
        settings={**POLICY, "length_penalty": 0.01, "harm_limit": 1.0},
    )  # fmt: skip
    document = tune(request)
    as_object("tune", document)
    assert document["steps"] == 3
    assert set(document["curves"]) == {"reward", "kl", "length"}
    assert all(len(values) == 3 for values in document["curves"].values())
    assert document["curves"]["kl"][0] == pytest.approx(0, abs=1e-3)
    assert max(document["curves"]["length"]) <= 6
    points = document["validation"]["points"]
    assert [one["step"] for one in points] == [0, 1, 2, 3]
    assert points[0]["divergence"] == pytest.approx(0, abs=1e-6)
    assert points[-1]["divergence"] > 0
    model, _ = load(tmp_path / "out", device="cpu")  # the adapter of a chat model
    assert model is not None


def test_a_reward_model_answers_no_questions(reward: tuple[Path, dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="the adapter of a reward model"):
        load(reward[0], device="cpu")


def test_mistakes_are_told(base: Path, reward: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    data = written(tmp_path / "prompts.jsonl", [{"prompt": "tell a tale"}])
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"method": "grpo"}, "--reward-model: missing"),
        ({"method": "sft", "reward_model": reward[0]}, "--reward-model: belongs to rloo and grpo"),
        ({"method": "rloo", "reward_model": base}, "a model without a head"),
        ({"method": "rloo", "reward_model": tmp_path}, "--reward-model: holds no model"),
        ({"method": "rloo", "reward_model": reward[0], "retain": data}, "--retain: not with rloo"),
        ({"method": "sft", "settings": {"kl_budget": 1.0}}, "kl_budget: needs requests"),
        (
            {"method": "grpo", "reward_model": reward[0], "settings": {"max_tokens": 20}},
            "no example in 1 records",
        ),
    ]
    for number, (options, message) in enumerate(wrong):
        with pytest.raises(InputError, match=message):
            tune(TuneRequest(base, data, tmp_path / f"out{number}", **options))
    bad = tmp_path / "asked.jsonl"
    bad.write_bytes(orjson.dumps({"prompt": "a", "expect": "comply"}))
    data = chats(tmp_path / "chats.jsonl", 4)
    with pytest.raises(InputError, match=r"asked\.jsonl: --validation: record 1: expect is"):
        tune(TuneRequest(base, data, tmp_path / "last", validation=bad, settings={"steps": 1}))
