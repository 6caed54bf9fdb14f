"""What the tests of behaviour probes share."""

from __future__ import annotations

from buttress.evidence.records import Trial
from buttress.prompts.base import Prompt
from buttress.protocols.probe import TrialContext, TrialSpec
from buttress.targets.base import RecordedPrompt

CONTEXT = TrialContext(seed=3, prompts=())
ENGLISH = TrialContext(seed=3, prompts=(Prompt("p", "Hi", "answer", "c", "en", "s"),))
RECORDED = TrialContext(
    seed=3, prompts=(), recorded=(RecordedPrompt("1", "Hi", "answer", "c", "en"),)
)


def trial(spec: TrialSpec, answer: str) -> Trial:
    """The evidence of that answer, as the engine would write it."""
    assert spec.check is not None
    judgement = spec.check(answer)
    return Trial(
        key="k",
        probe=spec.probe,
        probe_version=spec.probe_version,
        asset="a",
        target="t",
        item=spec.item,
        category=spec.category,
        attack=spec.attack,
        language=spec.language,
        expect=spec.expect,
        request=spec.request,
        prompt=spec.messages[-1].content,
        answer=answer,
        outcome=judgement.outcome,
        score=judgement.score,
        judge="check",
        judge_version=spec.probe_version,
        reason=judgement.reason,
        seed=spec.sampling.seed,
    )
