"""What a target is: the one interface that every model, local or remote, answers through."""

from __future__ import annotations

import math
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
    ``estimated`` says that the tokens were not told and are estimates, ``calls`` how many questions
    the answer took, where several turns had to be sent one by one. ``subject`` is the person that a
    recorded answer is about. ``unconfirmed`` says of a refusal that the target may have shut its
    door on the caller: only the answer to a later question tells.
    """

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0
    reasoning: str = ""
    refused_by: str = ""
    token_probabilities: tuple[Mapping[str, float], ...] = ()
    estimated: bool = False
    calls: int = 1
    subject: str = ""
    unconfirmed: bool = False


class TargetError(Exception):
    """A question that got no answer.

    ``retry`` says whether asking again can help; ``retry_after_s`` is the wait that the target
    asked for (HTTP Retry-After), if any; ``throttled`` marks 429, 503 and timeouts, on which the
    concurrency is lowered; ``timed_out`` marks the last of these. ``adapted`` says that the target
    has just changed how it asks, so that the same question is asked again at once. ``fatal`` says
    that no other question would fare better, as with a wrong key or a wrong model name; with
    ``doubtful`` that is likely and not certain, as a firewall may cut the connection on harmful
    questions alone. ``starting_s`` is how long the server may still take to get ready, such as
    while it loads a model, in seconds; 0 where it is no matter of that. ``refusal`` is the answer
    that the error is if the target answers other questions: a firewall turns harmful questions down
    with the same status as strangers. ``unreached`` says that the question was never sent, since
    nobody took the connection: then it failed whatever it asks.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool,
        throttled: bool = False,
        timed_out: bool = False,
        retry_after_s: float | None = None,
        adapted: bool = False,
        fatal: bool = False,
        doubtful: bool = False,
        starting_s: float = 0.0,
        refusal: Answer | None = None,
        unreached: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.throttled = throttled or timed_out
        self.timed_out = timed_out
        self.retry_after_s = retry_after_s
        self.adapted = adapted
        self.fatal = fatal
        self.doubtful = doubtful
        self.starting_s = starting_s
        # Set by who retries: questions begun later and answered meanwhile; whether none was.
        self.overtaken = 0
        self.alone = False
        self.refusal = refusal
        self.unreached = unreached


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


def starts_slowly(target: Target) -> bool:
    """Whether nobody knows what it takes, so that it is first asked one question at a time.

    Targets say so by ``starts_slowly``.
    """
    return bool(getattr(target, "starts_slowly", False))


def needs_no_timeout(target: Target) -> bool:
    """Whether nobody else has to end a question that takes long.

    A target says so by ``needs_no_timeout`` where it has a timeout of its own, which its user may
    have set, or computes here: a question given up would be computed all over again.
    """
    return bool(getattr(target, "needs_no_timeout", False))


def time_for_answer(target: Target) -> float | None:
    """Seconds that an answer may take: targets with such a setting say so by ``timeout_s``."""
    found: float | None = getattr(target, "timeout_s", None)
    return found


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


def unusable(answer: object) -> str:
    """Why what a target gave can't be used, such as one of a third party; nothing where it can."""
    if not isinstance(answer, Answer):
        return f"{type(answer).__name__} in place of an Answer"
    for name in ("text", "finish_reason", "reasoning", "refused_by", "subject"):
        if not isinstance(getattr(answer, name), str):
            return f"its {name} is no text"
    for name, least in (("prompt_tokens", 0), ("completion_tokens", 0), ("calls", 1)):
        number = getattr(answer, name)
        if not isinstance(number, int) or number < least:
            return f"its {name} is no whole number from {least} up"
    if not isinstance(answer.latency_s, int | float) or not 0 <= answer.latency_s < math.inf:
        return "its latency_s is no number from 0 up"
    return ""
