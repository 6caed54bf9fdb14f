"""A model behind an HTTP API: OpenAI's, which most servers speak, or another provider's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from multidict import CIMultiDict
from yarl import URL

from buttress.errors import InputError
from buttress.targets.basic_auth import credentials_apart
from buttress.targets.connection import Connection, usable_url
from buttress.targets.dialects.anthropic import AnthropicMessages
from buttress.targets.dialects.base import Dialect
from buttress.targets.dialects.bedrock import BedrockConverse
from buttress.targets.dialects.gemini import Gemini
from buttress.targets.dialects.ollama import OllamaChat
from buttress.targets.dialects.openai_chat import AzureChat, OpenAIChat
from buttress.targets.dialects.openai_responses import OpenAIResponses
from buttress.targets.endpoint_target import LONGEST, EndpointTarget
from buttress.targets.secrets import Secrets
from buttress.targets.settings import TIMEOUT_S, seconds, unknown, whole
from buttress.targets.signature_v4 import signer_from_environment

SETTINGS: Final = (
    "endpoint",
    "model",
    "api",
    "api_key_env",
    "headers",
    "timeout_s",
    "concurrency",
    "extra",
    "omit",
    "images",
    "longest",
)
DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.id: dialect
    for dialect in (
        OpenAIChat(),
        OpenAIResponses(),
        AzureChat(),
        AnthropicMessages(),
        Gemini(),
        OllamaChat(),
        BedrockConverse(),
    )
}


def create(
    *,
    endpoint: str,
    model: str | None = None,
    api: str | None = None,
    api_key_env: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    concurrency: int = 64,
    extra: Mapping[str, Any] | None = None,
    omit: Sequence[str] = (),
    images: bool = False,
    longest: int = LONGEST,
    **others: Any,
) -> EndpointTarget:
    """The model ``model`` at ``endpoint``. ``${NAME}`` in texts is taken from the environment.

    Args:
        endpoint: base URL ("http://host:port/v1") or the full one (".../chat/completions").
        model: model name at the endpoint.
        api: a key of ``DIALECTS``; by the URL where absent.
        api_key_env: environment variable with the key, sent as the API wants it.
        headers: sent with every question.
        timeout_s: seconds to wait for one answer.
        concurrency: questions in flight at most.
        extra: fields put into every question; null takes a field out.
        omit: parameters that no question may hold, such as "temperature".
        images: whether the model takes pictures.
        longest: tokens that an answer may take where thinking has used up the length that was
            asked for; 0 leaves the length as it is.

    Raises:
        InputError: a setting is not usable.
    """
    unknown(others, SETTINGS)
    secrets = Secrets()
    written, credentials = credentials_apart(str(secrets.expand(endpoint, "endpoint")), secrets)
    url = usable_url(written, "endpoint", "http(s)://HOST[:PORT]/v1")
    if url.scheme not in {"http", "https"}:
        raise InputError(f"'{url}' is not a URL", field="endpoint", expected="http(s)://…")
    dialect = _dialect(api, url)
    if dialect.id == "azure" and model is None:
        model = url.path.partition("/deployments/")[2].partition("/")[0]
    if not isinstance(model, str) or not model:
        raise InputError("missing", field="model", expected="the name of the model at the endpoint")
    if extra is not None and not isinstance(extra, Mapping):
        raise InputError("not a mapping", field="extra", expected="fields of the question")
    if isinstance(omit, str) or not all(isinstance(name, str) for name in omit):
        raise InputError("not a list of names", field="omit", expected="[temperature, seed]")
    sent = CIMultiDict({"Content-Type": "application/json", **dialect.headers, **credentials})
    key = _key(api_key_env)
    if key is not None:
        sent.update(dialect.key_headers(key))
    sent.update(checked_headers(secrets.expand(headers or {}, "headers"), "headers"))
    secrets.add_headers(sent)
    signer = None
    if dialect.id == "bedrock" and "Authorization" not in sent:
        signer = signer_from_environment(url)
        if signer is not None:
            secrets.add(signer.secret)
    return EndpointTarget(
        url,
        secrets.expand(model, "model"),
        dialect,
        Connection(url, sent, timeout_s=seconds(timeout_s, "timeout_s"), secrets=secrets),
        secrets,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
        extra=secrets.expand(dict(extra or {}), "extra"),
        omit=tuple(omit),
        images=bool(images),
        longest=whole(longest, "longest", 0, 2**20),
        signer=signer,
    )


def _dialect(api: str | None, url: URL) -> Dialect:
    if api is not None:
        if api not in DIALECTS:
            raise InputError(
                f"unknown API '{api}'", field="api", expected="one of " + ", ".join(DIALECTS)
            )
        return DIALECTS[api]
    host, path = url.host or "", url.path.rstrip("/")
    if host.endswith((".openai.azure.com", ".cognitiveservices.azure.com")) or (
        "/openai/deployments/" in path
    ):
        return DIALECTS["azure"]
    if host == "api.anthropic.com" or path.endswith("/v1/messages"):
        return DIALECTS["anthropic"]
    if path.endswith((":generateContent", ":streamGenerateContent")) or (
        host == "generativelanguage.googleapis.com" and not path.rstrip("/").endswith("/openai")
    ):
        return DIALECTS["gemini"]
    if path.endswith("/api/chat"):
        return DIALECTS["ollama"]
    if path.endswith("/responses"):
        return DIALECTS["openai-responses"]
    if path.endswith("/converse") or host.startswith("bedrock-runtime."):
        return DIALECTS["bedrock"]
    return DIALECTS["openai"]


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(
            f"environment variable {variable} is not set",
            field="api_key_env",
            expected="the name of a variable that holds the key",
        )
    if any(sign in key for sign in "\r\n\0"):
        raise InputError("holds a line break", field="api_key_env", expected="a key on one line")
    return key


def checked_headers(given: Any, field: str) -> dict[str, str]:
    """Headers from settings.

    Raises:
        InputError: not a mapping, or a name or value that can't be sent.
    """
    if not isinstance(given, Mapping):
        raise InputError("not a mapping", field=field, expected="names and values")
    headers = {}
    for name, value in given.items():
        text = str(value)
        if not str(name).isascii() or any(sign in f"{name}{text}" for sign in "\r\n\0"):
            raise InputError("not a usable header", field=f"{field}.{name!r}")
        headers[str(name)] = text
    return headers
