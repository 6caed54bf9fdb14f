"""Scripted overseers and workers whose accuracy is known."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from buttress.evidence.store import EvidenceStore
from buttress.oversight.asking import Voice
from buttress.oversight.item import OversightItem
from buttress.oversight.protocols import ProtocolSettings
from buttress.oversight.run import OversightPlan, OversightRecord, OversightRun
from buttress.oversight.tasks import OversightTask
from buttress.targets.base import Request
from buttress.targets.retrying import RetryingClient
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.loop import run_async

Reply = Callable[[Request], str]


def task(count: int = 200, *, text: str = "") -> OversightTask:
    """Items whose question names them."""
    items = tuple(
        OversightItem(f"i{n}", f"Item number {n}?", f"right {n}", f"wrong {n}", text=text)
        for n in range(count)
    )
    return OversightTask("made-up", items, "0" * 64)


def named(prompt: str) -> int:
    """The number of the item that a prompt asks last."""
    return int(re.findall(r"Item number (\d+)\?", prompt)[-1])


def letters(prompt: str) -> Mapping[str, str]:
    """The letters of the right and the wrong option of the item that is asked last."""
    shown = re.findall(r"^([AB])\. (right|wrong) (\d+)$", prompt, re.MULTILINE)
    return {side: letter for letter, side, number in shown if int(number) == named(prompt)}


def knows(accuracy: float, salt: str) -> Reply:
    """Answers the item rightly with that chance, the same whenever it is asked."""

    def reply(request: Request) -> str:
        prompt = request.messages[-1].content
        sure = random.Random(f"{salt} {named(prompt)}").random() < accuracy
        return letters(prompt)["right" if sure else "wrong"]

    return reply


def voice(asset: str, reply: Reply) -> Voice:
    """That reply as somebody who can be asked."""
    target = ScriptedTarget(reply, name=asset, identity=asset, stable=True)
    return Voice(asset, target, RetryingClient(target, max_attempts=1))


def oversee_scripted(
    folder: Path,
    protocol: str,
    overseer: Reply,
    worker: Reply,
    *,
    items: OversightTask | None = None,
    settings: ProtocolSettings | None = None,
    budget: int | None = None,
    margin: float = 0.1,
) -> OversightRecord:
    """Run a protocol between two scripts."""
    plan = OversightPlan(protocol, items or task(), settings or ProtocolSettings(), margin, budget)
    with EvidenceStore.open(folder / "evidence.db") as store:
        run = OversightRun(
            plan, voice("overseer", overseer), voice("worker", worker), store, run="r"
        )
        return run_async(run.run())
