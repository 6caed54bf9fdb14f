"""Our probes as Inspect tasks: which there are, what they ask, and how they score."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from buttress import extension
from buttress.judges.offline import create as offline
from buttress.probes.behaviour.attack_resistance import ROLE_PLAY
from buttress.probes.behaviour.harmful_compliance import PROBE
from buttress.prompts.pack import load_pack
from buttress.protocols.judge import Exchange, Judgement
from buttress.protocols.probe import InspectionProbe, TrialContext, TrialSpec
from buttress.targets.address import flatten
from tests.targets.server import completion, serving
from tests.trials.parts import specs
from tests.workflows.assessment.endpoint import HELP, REFUSAL

pytest.importorskip("inspect_ai")
pytest.importorskip("openai")

from inspect_ai import eval_async, score_async
from inspect_ai.log import EvalLog

from buttress.inspect import drawing
from buttress.inspect.scorers import judged
from buttress.inspect.tasks import TASKS, task_of


async def evaluate(task: object, folder: Path, monkeypatch: pytest.MonkeyPatch) -> EvalLog:
    """Run the task against a server that answers or declines by the prompt's digest."""

    async def handler(request: web.Request) -> web.Response:
        prompt = (await request.json())["messages"][-1]["content"]
        declines = hashlib.sha256(prompt.encode()).digest()[0] % 2
        text = REFUSAL if declines else f"{HELP} {prompt}"
        usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
        return completion(text, id="1", created=1, model="m", object="c", usage=usage)

    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    monkeypatch.setenv("TOY_API_KEY", "none")
    async with serving(handler) as url:
        (log,) = await eval_async(
            task,  # type: ignore[arg-type]
            model="openai-api/toy/m",
            model_base_url=url,
            log_dir=str(folder),
        )
    assert log.status == "success", log.error
    return log


def test_every_probe_that_asks_is_a_task() -> None:
    asking = {
        name
        for name in extension.names("probes")
        if not isinstance(extension.load("probes", name), InspectionProbe)
    }
    assert set(TASKS) == asking
    assert {"harmful-compliance", "over-refusal", "attack-role-play"} <= set(TASKS)


def test_samples_are_the_first_trials_of_the_probe() -> None:
    context = TrialContext(seed=3, prompts=load_pack(["en", "zh"]))
    stream = ROLE_PLAY.stream(context)
    samples = list(TASKS["attack-role-play"](seed=3, limit=12).dataset)
    assert len(samples) == 12
    for sample, spec in zip(samples, stream, strict=False):
        assert sample.id == spec.item
        assert [m.text for m in sample.input] == [m.content for m in spec.messages]
        assert [m.role for m in sample.input] == [m.role for m in spec.messages]
        assert sample.metadata["request"] == spec.request
        assert sample.metadata["prompt"] == flatten(spec.messages)
        assert sample.target == "refuse"


def test_the_seed_is_the_order() -> None:
    def ids(seed: int) -> list[object]:
        return [one.id for one in TASKS["over-refusal"](seed=seed, languages="en").dataset]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
    assert sorted(map(str, ids(1))) == sorted(map(str, ids(2)))
    assert all(str(one).endswith("/en") for one in ids(1))


async def test_scores_are_the_judges_and_can_be_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await evaluate(TASKS["harmful-compliance"](seed=1, limit=16), tmp_path, monkeypatch)
    assert log.samples is not None
    assert log.results is not None
    values = []
    for sample in log.samples:
        assert sample.scores is not None
        request = sample.metadata["request"]
        said = Exchange(request, request, sample.output.completion, "refuse")
        (judgement,) = await offline().judge([said])
        values.append(sample.scores["judged"].value)
        assert values[-1] == judgement.outcome
        assert sample.scores["judged"].metadata is not None
        assert sample.scores["judged"].metadata["category"] == sample.metadata["category"]
    assert 0 < sum(values) < 16
    assert log.results.scores[0].metrics["mean"].value == pytest.approx(sum(values) / 16)
    again = await score_async(log, judged(), action="overwrite", display="none")
    assert again.samples is not None
    assert [sample.scores["judged"].value for sample in again.samples if sample.scores] == values


@dataclass(frozen=True)
class Quiz:
    """Decides by the answer's last word."""

    id: str = "quiz"
    version: str = "1"
    title: str = "Quiz"
    attack: str = "direct"
    expect: str = "answer"
    exact: bool = True

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        def last_word(number: int, answer: str) -> Judgement:
            wrong = float(not answer.endswith(str(number)))
            return Judgement(wrong, wrong, "wrong" if wrong else "right")

        for number, spec in enumerate(specs(6)):
            yield replace(spec, check=lambda answer, n=number % 2 * number: last_word(n, answer))

    def size(self, context: TrialContext) -> int:
        return 6


async def test_an_exact_probe_decides_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers end in the question's number, or decline; odd ones count as right."""
    monkeypatch.setattr(drawing, "trial_probes", lambda: {"quiz": Quiz()})
    log = await evaluate(task_of("quiz", Quiz())(), tmp_path, monkeypatch)
    assert log.samples is not None
    for sample in log.samples:
        assert sample.scores is not None
        number = int(str(sample.id).removeprefix("item-"))
        right = number % 2 and sample.output.completion.endswith(str(number))
        assert sample.scores["check"].value == float(not right)
    assert {s.scores["check"].value for s in log.samples if s.scores} == {0.0, 1.0}


def test_the_direct_probe_has_no_attack() -> None:
    (sample,) = TASKS["harmful-compliance"](limit=1).dataset
    assert sample.metadata["attack"] == PROBE.attack == "direct"
