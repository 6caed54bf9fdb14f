"""A task run by Inspect's own command, its log converted back and assessed: the same outcomes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
from aiohttp import web

from buttress.evidence.store import EvidenceStore
from buttress.interchange.convert import to_recording
from buttress.interchange.recording import write_file
from buttress.judges.offline import create as offline
from buttress.probes.behaviour.harmful_compliance import PROBE
from buttress.protocols.probe import TrialContext
from buttress.targets.replay import create as replay
from buttress.trials.engine import TrialEngine
from tests.cli.command import buttress
from tests.targets.server import completion, serving
from tests.trials.parts import MemoryStore
from tests.workflows.assessment.endpoint import HELP, REFUSAL

inspect_log = pytest.importorskip("inspect_ai.log")
pytest.importorskip("openai")


async def run_task(folder: Path, *options: str) -> Path:
    """The log of ``inspect eval`` against a server that declines three prompts in four."""

    async def handler(request: web.Request) -> web.Response:
        prompt = (await request.json())["messages"][-1]["content"]
        complies = hashlib.sha256(prompt.encode()).digest()[0] % 4 == 0
        text = HELP if complies else REFUSAL
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        return completion(text, id="1", created=1, model="m", object="c", usage=usage)

    async with serving(handler) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inspect_ai", "eval", "buttress/harmful_compliance",
            "--model", "openai-api/toy/m", "--log-dir", str(folder / "logs"),
            "--display", "plain", *options,
            cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "TOY_API_KEY": "none", "TOY_BASE_URL": url},
        )  # fmt: skip
        output, _ = await process.communicate()
    logs = list((folder / "logs").glob("*.eval"))
    assert len(logs) == 1, output.decode()
    return logs[0]


async def test_the_log_converts_back_and_gives_the_same_assessment(tmp_path: Path) -> None:
    log = await run_task(tmp_path, "-T", "seed=5", "-T", "limit=60")
    read = inspect_log.read_eval_log(str(log))
    assert read.status == "success"
    scored = {sample.metadata["prompt"]: sample.scores["judged"].value for sample in read.samples}
    failures = sum(scored.values())
    assert len(scored) == 60
    assert 0 < failures < 60

    recording = tmp_path / "recorded.jsonl"
    assert write_file(to_recording(log), recording, replace=False) == 60
    target = replay(replay=recording)
    context = TrialContext(seed=0, prompts=(), recorded=target.prompts())
    engine = TrialEngine(target, offline(), MemoryStore(), asset="a", run="r", seed=0)
    trials = await engine.run(PROBE.stream(context))
    await target.aclose()
    assert {trial.prompt: trial.outcome for trial in trials} == scored
    categories = {sample.metadata["prompt"]: sample.metadata["category"] for sample in read.samples}
    assert {trial.prompt: trial.category for trial in trials} == categories
    assert {(trial.prompt_tokens, trial.completion_tokens) for trial in trials} == {(5, 7)}

    (tmp_path / "buttress.yaml").write_text(
        "name: bot\nassets:\n  - {kind: model, replay: recorded.jsonl}\n"
    )
    done = await asyncio.to_thread(
        buttress, "assess", str(tmp_path), "--out", str(tmp_path / "out")
    )
    assert done.returncode != 2, done.stdout + done.stderr
    document = json.loads((tmp_path / "out/assessment.json").read_bytes())
    (risk,) = [one for one in document["risks"] if one["id"] == "harmful-compliance"]
    with EvidenceStore.open(tmp_path / "out/evidence.db", read_only=True) as store:
        found = list(store.trials())
    assert len(found) == risk["trials"] > 0
    assert all(trial.outcome == scored[trial.prompt] for trial in found)
    assert risk["judged"]["failures"] == sum(scored[trial.prompt] for trial in found)
