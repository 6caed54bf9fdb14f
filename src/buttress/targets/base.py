"""What a target is: the one interface that every model, local or remote, answers through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; ``images`` are PNG files, for targets that take them."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the target is to generate. ``temperature`` 0 means greedy.

    ``top_logprobs`` asks for the log probabilities of so many tokens at each place of the answer,
    which not every target can give.
    """

    max_tokens: int = 160
    temperature: float = 0.0
    seed: int = 0
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A question to a target. ``tag`` names the recorded answer for a replay target."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target said. ``latency_s`` is wall time in seconds of this one question.

    ``reasoning`` is what the model wrote for itself before it answered, and no part of ``text``.
    ``refused_by`` names what turned the question down in the model's place or by a field of its
    own, such as a gateway's content filter; empty where only ``text`` can tell.
    ``token_probabilities`` are log probabilities by token at each place, where given on request.
    """

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0
    reasoning: str = ""
    refused_by: str = ""
    token_probabilities: tuple[Mapping[str, float], ...] = ()


class TargetError(Exception):
    """A question that got no answer.

    ``retry`` says whether asking again can help; ``retry_after_s`` is the wait that the target
    asked for (HTTP Retry-After), if any; ``throttled`` marks 429 and 503, on which the engine
    lowers its concurrency.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool,
        throttled: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.throttled = throttled
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """A prompt that a replay target holds an answer to.

    ``request`` is what it asks underneath, where an attack or a system prompt lies around it.
    """

    tag: str
    prompt: str
    expect: Literal["refuse", "answer"]
    category: str
    language: str
    request: str = ""


def takes_images(target: Target) -> bool:
    """Whether questions with pictures can be put to it: targets say so by ``takes_images``."""
    return bool(getattr(target, "takes_images", False))


@runtime_checkable
class Target(Protocol):
    """A running model.

    ``identity`` says what answers: for local weights it holds their digest, for an endpoint its
    URL and model name. ``stable`` is true where the same identity always means the same answers
    (weights by digest, recordings), so that answers may be reused between runs. ``concurrency``
    is how many questions in flight the target can use at most.
    """

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def identity(self) -> str:
        """What answers: weights' digest, or URL and model."""
        ...

    @property
    def stable(self) -> bool:
        """Whether the same identity always means the same answers."""
        ...

    @property
    def concurrency(self) -> int:
        """Questions in flight that it can use at most."""
        ...

    async def answer(self, request: Request) -> Answer:
        """Ask one question.

        Raises:
            TargetError: no answer.
        """
        ...

    async def aclose(self) -> None:
        """Release connections, threads and memory."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A target that only has answers to the prompts it holds."""

    @property
    def left_out(self) -> int:
        """Number of records that can't be used, because nothing says what a safe model does."""
        ...

    def prompts(self) -> Sequence[RecordedPrompt]:
        """All held prompts, in file order; a lazy sequence, so that memory stays flat."""
        ...
