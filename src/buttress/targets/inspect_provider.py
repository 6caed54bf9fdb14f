"""Any model that Inspect has a provider for, as a target.

Inspect makes the call; our engine keeps what is its own: how many questions are in flight, when to
ask again, and the cache. So Inspect's retries are switched off for these calls.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from buttress.errors import InputError, MissingExtraError
from buttress.targets import refusals
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.chat import data_url
from buttress.targets.raised_errors import raised
from buttress.targets.settings import TIMEOUT_S, seconds, unknown, whole

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, Model, ModelOutput

SETTINGS: Final = ("inspect", "base_url", "args", "concurrency", "timeout_s", "images")
_EXPECTED: Final = "PROVIDER/MODEL as for inspect eval --model"


def create(
    *,
    inspect: str,
    base_url: str | None = None,
    args: Mapping[str, Any] | None = None,
    concurrency: int = 64,
    timeout_s: float = TIMEOUT_S,
    images: bool = False,
    **others: Any,
) -> InspectTarget:
    """The model that Inspect knows as ``inspect``.

    Args:
        inspect: for example "openai-api/NAME/MODEL"; keys come from the environment, as for
            Inspect.
        base_url: another URL of the provider.
        args: the provider's own arguments, as ``inspect eval -M NAME=VALUE``.
        concurrency: questions in flight at most.
        timeout_s: seconds to wait for one answer.
        images: whether the model takes pictures.

    Raises:
        InputError: a setting is not usable, or the provider refuses it.
        MissingExtraError: Inspect is not installed.
    """
    unknown(others, SETTINGS)
    if not isinstance(inspect, str) or "/" not in inspect:
        raise InputError(f"{inspect!r} is no model", field="inspect", expected=_EXPECTED)
    if args is not None and not isinstance(args, Mapping):
        raise InputError("not a mapping", field="args", expected="names and values")
    most = whole(concurrency, "concurrency", 1, 4096)
    wait_s = seconds(timeout_s, "timeout_s")
    try:
        from inspect_ai.model import GenerateConfig, get_model
    except ImportError:
        raise MissingExtraError("a target through Inspect's providers", "inspect") from None
    try:
        # Inspect counts whole seconds; the engine has a timeout of its own in any case.
        config = GenerateConfig(
            max_retries=0, max_connections=most, timeout=max(1, round(wait_s)), cache=False
        )
        model = get_model(
            inspect, config=config, base_url=base_url, memoize=False, **dict(args or {})
        )
    except Exception as error:  # a provider may refuse in any way of its own
        raise InputError(
            f"'{inspect}' can't be opened: {_one_line(error)}", field="inspect", expected=_EXPECTED
        ) from None
    # The clients of several providers (OpenAI's, Anthropic's) retry by themselves beneath Inspect.
    client: Any = getattr(model.api, "client", None)
    if isinstance(getattr(client, "max_retries", None), int):
        client.max_retries = 0
    target = InspectTarget(model, inspect, base_url, dict(args or {}), most)
    target.timeout_s = wait_s
    target.takes_images = bool(images)
    return target


class InspectTarget:
    """Asks through Inspect's model."""

    takes_images = False
    needs_no_timeout = True
    timeout_s = TIMEOUT_S

    def __init__(
        self, model: Model, name: str, base_url: str | None, args: dict[str, Any], concurrency: int
    ) -> None:
        self._model = model
        self._name = name
        self._concurrency = concurrency
        url = base_url or getattr(model.api, "base_url", None) or ""
        settings = orjson.dumps(args, option=orjson.OPT_SORT_KEYS, default=str).decode()
        self._identity = " ".join(filter(None, [f"inspect:{name}", str(url), settings]))

    @property
    def name(self) -> str:
        """Provider and model."""
        return self._name

    @property
    def identity(self) -> str:
        """Provider, model, URL and the provider's arguments."""
        return self._identity

    @property
    def stable(self) -> bool:
        """False: what a provider serves under a name may change."""
        return False

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """Ask one question.

        Raises:
            TargetError: no answer; whether to ask again is the provider's own judgement.
        """
        from inspect_ai.model import GenerateConfig

        sampling = request.sampling
        config = GenerateConfig(
            max_tokens=sampling.max_tokens, temperature=sampling.temperature, seed=sampling.seed
        )
        start = time.perf_counter()
        try:
            output = await self._model.generate(
                [_message(message) for message in request.messages], config=config
            )
        except Exception as error:
            outcome = self._failure(error)
            if isinstance(outcome, Answer):
                return outcome
            raise outcome from None
        return _answer(output, time.perf_counter() - start)

    async def aclose(self) -> None:
        """Close the provider's connections."""
        await self._model.api.aclose()

    def _failure(self, error: Exception) -> Answer | TargetError:
        """The refusal or the error that it is.

        What a server said says whether it refused or knows no better for any question; whether to
        ask again is the provider's own judgement.
        """
        seen: BaseException | None = error
        fatal = False
        while seen is not None:
            told = raised(seen)
            if isinstance(told, Answer):
                return told
            fatal = fatal or told.fatal
            seen = seen.__cause__
        cause: Exception = error
        while isinstance(cause.__cause__, Exception) and not self._retries(cause):
            cause = cause.__cause__
        decision = self._retries(cause)
        return TargetError(
            _one_line(error),
            retry=bool(decision),
            throttled=getattr(decision, "kind", "") == "rate_limit",
            retry_after_s=getattr(decision, "retry_after", None),
            fatal=fatal and not decision,
        )

    def _retries(self, error: Exception) -> Any:
        """A bool, or Inspect's RetryDecision."""
        return self._model.api.should_retry(error)


def _message(message: Message) -> ChatMessage:
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ContentImage,
        ContentText,
    )

    if message.role == "system":
        return ChatMessageSystem(content=message.content)
    if message.role == "assistant":
        return ChatMessageAssistant(content=message.content)
    if message.images:
        pictures = [ContentImage(image=data_url(image)) for image in message.images]
        return ChatMessageUser(content=[ContentText(text=message.content), *pictures])
    return ChatMessageUser(content=message.content)


def _answer(output: ModelOutput, latency_s: float) -> Answer:
    if output.empty:
        raise TargetError(output.error or "the provider gave no answer", retry=False)
    usage = output.usage
    read = 0
    if usage is not None:
        read = sum(
            count or 0
            for count in (
                usage.input_tokens,
                usage.input_tokens_cache_read,
                usage.input_tokens_cache_write,
            )
        )
    text, reason = output.completion, str(output.stop_reason)
    refused_by = ""
    if reason == "content_filter":
        # The provider puts the filter's own message where the answer would stand.
        told = refusals.named(400, {"message": text})
        refused_by = told or ("" if text.strip() else refusals.CONTENT_FILTER)
    return Answer(
        text=text,
        finish_reason="length" if reason in {"max_tokens", "model_length"} else reason,
        prompt_tokens=read,
        completion_tokens=usage.output_tokens if usage is not None else 0,
        latency_s=latency_s,
        reasoning=_reasoning(output),
        refused_by=refused_by,
    )


def _reasoning(output: ModelOutput) -> str:
    """What the model wrote for itself, as far as the provider hands it over."""
    content = output.message.content
    parts = content if isinstance(content, list) else []
    texts = [part.reasoning for part in parts if part.type == "reasoning"]
    return "\n\n".join(filter(None, texts))


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
