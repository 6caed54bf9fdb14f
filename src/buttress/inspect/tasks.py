"""An Inspect task for every registered trial probe, those of third-party packages included.

The task of probe ``harmful-compliance`` is ``buttress/harmful_compliance``. Its samples are the
probe's trials in its seeded random order, so Inspect's own ``--limit`` takes a fair sample too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
)
from inspect_ai.solver import generate

from buttress.inspect.drawing import draw, trial_probes
from buttress.inspect.scorers import check, judged
from buttress.protocols.probe import TrialProbe, TrialSpec
from buttress.targets.address import flatten
from buttress.targets.base import Message

_MESSAGES: Final[dict[str, Callable[..., ChatMessage]]] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}


def task_of(name: str, probe: TrialProbe) -> Callable[..., Task]:
    """The registered task of a probe. Its parameters are those of ``draw`` and of ``judged``."""

    def made(
        *,
        seed: int = 0,
        limit: int | None = None,
        languages: str = "en,zh",
        prompts: str = "buttress",
        path: str | None = None,
        judge: str = "offline",
        calibration: str | None = None,
    ) -> Task:
        drawing: dict[str, Any] = {
            "seed": seed,
            "limit": limit,
            "languages": languages if isinstance(languages, str) else ",".join(languages),
            "prompts": prompts,
            "path": path,
        }
        specs = draw(name, **drawing)
        sampling = specs[0].sampling
        return Task(
            dataset=MemoryDataset([_sample(spec) for spec in specs], name=f"buttress/{name}"),
            solver=generate(),
            scorer=check(probe=name, **drawing) if probe.exact else judged(judge, calibration),
            config=GenerateConfig(
                max_tokens=sampling.max_tokens,
                temperature=sampling.temperature,
                seed=sampling.seed,
            ),
            version=probe.version,
        )

    made.__doc__ = f"Buttress's probe {name}."
    registered: Callable[..., Task] = task(name=name.replace("-", "_"))(made)
    return registered


def _sample(spec: TrialSpec) -> Sample:
    return Sample(
        id=spec.item,
        input=[_message(message) for message in spec.messages],
        target=spec.expect,
        metadata={
            "probe": spec.probe,
            "probe_version": spec.probe_version,
            "category": spec.category,
            "attack": spec.attack,
            "language": spec.language,
            "expect": spec.expect,
            "request": spec.request,
            "prompt": flatten(spec.messages),
        },
    )


def _message(message: Message) -> ChatMessage:
    return _MESSAGES[message.role](content=message.content)


TASKS: Final = {name: task_of(name, probe) for name, probe in trial_probes().items()}
