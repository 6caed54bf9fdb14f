"""OpenAI's chat completions, which most servers speak, and Azure's form of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from buttress.targets import completion
from buttress.targets.base import Answer, Request
from buttress.targets.chat import alternating, as_dicts, in_parts
from buttress.targets.dialects.base import QuestionForm, with_path
from buttress.targets.event_stream import joined_completion

PATH = "/chat/completions"
AZURE_VERSION = "2024-10-21"  # the newest that is generally available and takes a date


class OpenAIChat:
    """``POST BASE/chat/completions``."""

    id = "openai"
    headers: Mapping[str, str] = {}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        del model, stream
        return with_path(base, PATH)

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"Authorization": f"Bearer {key}"}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        sampling = request.sampling
        sent = alternating(request.messages) if form.merge_system else request.messages
        messages = as_dicts(sent)
        body: dict[str, Any] = {
            "model": model,
            "messages": in_parts(messages) if form.content_parts else messages,
            form.length: form.tokens(request),
            "temperature": sampling.temperature,
        }
        if sampling.temperature > 0:
            body["seed"] = sampling.seed
        if sampling.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
        if form.stream:
            body["stream"] = True
        return body

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        return completion.read(payload, latency_s)

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``."""
        return joined_completion(events)


class AzureChat(OpenAIChat):
    """``POST …/openai/deployments/NAME/chat/completions?api-version=…`` with an ``api-key``.

    A base URL may be that of the resource: the deployment is then called as the model.
    ``…/openai/v1``
    needs neither.
    """

    id = "azure"

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        if base.path.rstrip("/") in ("", "/openai"):
            base = base.with_path(f"/openai/deployments/{model}", keep_query=True)
        if "/deployments/" in base.path and "api-version" not in base.query:
            base = base.update_query({"api-version": AZURE_VERSION})
        return super().url(base, model, stream=stream)

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"api-key": key}
