"""The methods that search, one request at a time: GCG and soft prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buttress.prompts.base import Prompt
from buttress.targets.base import Message
from buttress.white_box.attempts import AttackedRequest, Settings
from buttress.white_box.gcg import GcgStep, gcg
from buttress.white_box.likelihood import prefix_log_probabilities
from buttress.white_box.soft_prompt import soft_prompt


@dataclass(frozen=True, slots=True)
class Gcg:
    """A search per request, each with a checkpoint of its own in ``folder``."""

    model: Any
    tokenizer: Any
    settings: Settings
    folder: Path
    id: str = "gcg"
    batch: int = 1

    def attempts(
        self, prompts: Sequence[Prompt], say: Callable[[str], None]
    ) -> list[AttackedRequest]:
        """As ``Method``."""
        return [self._attempt(prompt, say) for prompt in prompts]

    def _attempt(self, prompt: Prompt, say: Callable[[str], None]) -> AttackedRequest:
        def told(step: GcgStep) -> None:
            say(
                f"step {step.step}/{step.steps}, loss {step.loss:.3f}, best {step.best_loss:.3f}, "
                f"{step.seconds / step.step:.1f} s a step"
            )

        self.folder.mkdir(parents=True, exist_ok=True)
        prefix = self.settings.prefix(prompt)
        result = gcg(
            self.model,
            self.tokenizer,
            [Message("user", prompt.text)],
            prefix,
            steps=self.settings.gcg_steps,
            candidates=self.settings.gcg_candidates,
            seed=self.settings.seed,
            answer_tokens=self.settings.max_tokens,
            checkpoint=self.folder / _file_name(prompt, self.settings),
            progress=told,
        )
        attacked = prompt.text + result.suffix
        (likely,) = prefix_log_probabilities(
            self.model, self.tokenizer, [(Message("user", attacked),)], [prefix]
        )
        return AttackedRequest(
            prompt=attacked,
            answer=result.answer,
            log_probability=likely,
            seconds=result.seconds,
            details={
                "suffix": result.suffix,
                "steps": len(result.losses),
                "reached": result.reached,
                "stopped": result.stopped,
            },
        )


@dataclass(frozen=True, slots=True)
class SoftPrompt:
    """An optimisation of embeddings per request."""

    model: Any
    tokenizer: Any
    settings: Settings
    id: str = "soft-prompt"
    batch: int = 1

    def attempts(
        self, prompts: Sequence[Prompt], say: Callable[[str], None]
    ) -> list[AttackedRequest]:
        """As ``Method``."""
        made = []
        for prompt in prompts:
            result = soft_prompt(
                self.model,
                self.tokenizer,
                [Message("user", prompt.text)],
                self.settings.prefix(prompt),
                steps=self.settings.soft_steps,
                step_size=self.settings.soft_step_size,
                answer_tokens=self.settings.max_tokens,
                progress=lambda step, loss: say(
                    f"step {step}/{self.settings.soft_steps}, loss {loss:.3f}"
                ),
            )
            made.append(
                AttackedRequest(
                    prompt=f"{prompt.text} [{len(result.embeddings)} optimised embeddings]",
                    answer=result.answer,
                    log_probability=-result.best_loss,
                    seconds=result.seconds,
                    details={"steps": len(result.losses) - 1, "reached": result.reached},
                )
            )
        return made


def _file_name(prompt: Prompt, settings: Settings) -> str:
    """Same search, same name, whatever the number of steps: so a longer one goes on."""
    decides = [prompt.text, settings.prefix(prompt), settings.gcg_candidates, settings.seed]
    digest = hashlib.sha256(repr(decides).encode()).hexdigest()[:12]
    return f"{prompt.id.replace('/', '-').replace(':', '-')}-{digest}.json"
