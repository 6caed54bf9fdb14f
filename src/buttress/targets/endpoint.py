"""A model behind an HTTP API: OpenAI's, which most servers speak, or another provider's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
from multidict import CIMultiDict
from yarl import URL

from buttress.errors import InputError
from buttress.files.shown_url import without_keys
from buttress.targets import completion, event_stream, refusals
from buttress.targets.adaptation import adapt
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.connection import Connection, ServerReply, usable_url
from buttress.targets.dialects.anthropic import AnthropicMessages
from buttress.targets.dialects.base import Dialect, QuestionForm
from buttress.targets.dialects.bedrock import BedrockConverse
from buttress.targets.dialects.gemini import Gemini
from buttress.targets.dialects.ollama import OllamaChat
from buttress.targets.dialects.openai_chat import AzureChat, OpenAIChat
from buttress.targets.dialects.openai_responses import OpenAIResponses
from buttress.targets.failures import failure
from buttress.targets.retrying import with_reasoning_apart
from buttress.targets.secrets import Secrets
from buttress.targets.settings import seconds, unknown, whole
from buttress.targets.signature_v4 import RequestSigner, signer_from_environment
from buttress.targets.tokens import estimated

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
TIMEOUT_S: Final = 180.0
LONGEST: Final = 4096  # tokens of an answer, where thinking leaves nothing of the first length
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
_MODELS_SHOWN: Final = 5


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
    url = usable_url(secrets.expand(endpoint, "endpoint"), "endpoint", "http(s)://HOST[:PORT]/v1")
    if url.scheme not in {"http", "https"}:
        raise InputError(f"'{endpoint}' is not a URL", field="endpoint", expected="http(s)://…")
    dialect = _dialect(api, url)
    if dialect.id == "azure" and model is None:
        model = url.path.partition("/deployments/")[2].partition("/")[0]
    if not isinstance(model, str) or not model:
        raise InputError("missing", field="model", expected="the name of the model at the endpoint")
    if extra is not None and not isinstance(extra, Mapping):
        raise InputError("not a mapping", field="extra", expected="fields of the question")
    if isinstance(omit, str) or not all(isinstance(name, str) for name in omit):
        raise InputError("not a list of names", field="omit", expected="[temperature, seed]")
    sent = CIMultiDict({"Content-Type": "application/json", **dialect.headers})
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


class EndpointTarget:
    """A model behind HTTP. What its server refuses to take is given up, one thing at a time."""

    starts_slowly = True

    def __init__(
        self,
        url: URL,
        model: str,
        dialect: Dialect,
        connection: Connection,
        secrets: Secrets,
        *,
        concurrency: int,
        extra: dict[str, Any],
        omit: tuple[str, ...] = (),
        images: bool = False,
        longest: int = LONGEST,
        signer: RequestSigner | None = None,
    ) -> None:
        self._base = url
        self._model = model
        self._dialect = dialect
        self._connection = connection
        self._secrets = secrets
        self._concurrency = concurrency
        self._extra = extra
        self._omit = omit
        self._longest = longest
        self._signer = signer
        self._form = QuestionForm(omitted=set(omit))
        self._answered = False
        self._shown = without_keys(str(dialect.url(url, model, stream=False)))
        self.takes_images = images

    @property
    def name(self) -> str:
        """Model and host."""
        return f"{self._model} at {self._base.host}:{self._base.port}"

    @property
    def identity(self) -> str:
        """URL, model and, where there are any, fields put in and left out; no key."""
        suffix = ""
        if self._extra:
            extra = orjson.dumps(self._extra, option=orjson.OPT_SORT_KEYS).decode()
            suffix = " " + self._secrets.hide(extra)
        if self._omit:
            suffix += " without " + ",".join(sorted(self._omit))
        return f"endpoint:{self._secrets.hide(self._shown)}#{self._model}{suffix}"

    @property
    def stable(self) -> bool:
        """False: what is behind a URL changes without notice."""
        return False

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    @property
    def adaptations(self) -> list[str]:
        """What the server refused to take, in words, for the report."""
        form, said = self._form, []
        left_out = sorted(form.omitted - set(self._omit))
        if left_out:
            said.append("asked without " + ", ".join(left_out))
        if form.merge_system:
            said.append("the system prompt stood before the first question")
        if form.most_tokens is not None:
            said.append(f"answers of at most {form.most_tokens} tokens")
        return said

    def _body(self, request: Request) -> dict[str, Any]:
        body = self._dialect.body(request, self._model, self._form)
        for field in self._form.omitted:
            body.pop(field, None)
        if "max_tokens" in self._form.omitted:
            for field in ("max_completion_tokens", "max_output_tokens", "max_new_tokens"):
                body.pop(field, None)
        for field, value in self._extra.items():
            if value is None:
                body.pop(field, None)
            else:
                body[field] = value
        return body

    async def answer(self, request: Request) -> Answer:
        """Ask one question over HTTP.

        Raises:
            TargetError: no answer; it says whether the server may answer later.
        """
        body = self._body(request)
        reply = await self._send(body)
        if reply.status == 200:
            return self._accepted(self._read(reply), request)
        return await self._refused(reply, body)

    async def _send(self, body: dict[str, Any]) -> ServerReply:
        url = self._dialect.url(self._base, self._model, stream=self._form.stream)
        encoded = orjson.dumps(body)
        headers = self._signer.headers(url, encoded) if self._signer else None
        return await self._connection.send("POST", url, encoded, headers)

    def _read(self, reply: ServerReply) -> Answer:
        """The answer in a reply of status 200.

        Raises:
            TargetError: it holds none.
        """
        if event_stream.is_stream(reply.content_type, reply.text):
            payload = self._dialect.joined(event_stream.events(reply.text))
        elif refusals.is_page(reply.body):
            said = completion.one_line(refusals.page_text(reply.body), 200)
            who = refusals.doubtful(200, reply.body)
            raise TargetError(
                self._secrets.hide(f"the answer is a page, not JSON: '{said}'"),
                retry=not who,
                refusal=Answer(said, "content_filter", refused_by=who) if who else None,
            )
        else:
            payload = completion.decode_text(reply.text)
        try:
            answer = self._dialect.read(payload, reply.latency_s)
        except TargetError as error:
            hidden = completion.one_line(self._secrets.hide(str(error)))
            raise TargetError(
                hidden, retry=error.retry, throttled=error.throttled, fatal=error.fatal
            ) from None
        return answer

    def _accepted(self, answer: Answer, request: Request) -> Answer:
        """The answer, with its reasoning apart and its tokens known.

        Raises:
            TargetError: thinking has used up the length, and more may be asked for.
        """
        answer = with_reasoning_apart(answer)
        if (text := self._secrets.hide(answer.text)) != answer.text:
            answer = replace(answer, text=text)
        if (reasoning := self._secrets.hide(answer.reasoning)) != answer.reasoning:
            answer = replace(answer, reasoning=reasoning)
        if answer.finish_reason == "length" and not answer.text.strip() and not answer.refused_by:
            self._lengthen(request)
        self._answered = True
        if not answer.completion_tokens and not answer.prompt_tokens:
            answer = replace(
                answer,
                prompt_tokens=estimated(*(m.content for m in request.messages)),
                completion_tokens=estimated(answer.text, answer.reasoning),
                estimated=True,
            )
        return answer

    def _lengthen(self, request: Request) -> None:
        """Ask for more, while that may help.

        Raises:
            TargetError: the question is to be asked again, for a longer answer.
        """
        form, asked = self._form, self._form.tokens(request)
        if "max_tokens" not in form.omitted and form.most_tokens is None and asked < self._longest:
            form.least_tokens = max(form.least_tokens, min(self._longest, 4 * asked))
            raise TargetError("thinking used up the length", retry=True, adapted=True)

    async def _refused(self, reply: ServerReply, body: dict[str, Any]) -> Answer:
        """A reply whose status isn't 200.

        Raises:
            TargetError: unless a filter refused, which is an answer.
        """
        if 300 <= reply.status < 400 and self._follow(reply):
            raise TargetError("redirected", retry=True, adapted=True)
        payload = completion.payload(reply.text)
        outcome = failure(reply.status, reply.headers, reply.body, payload, self._secrets)
        if isinstance(outcome, Answer):
            return replace(outcome, latency_s=reply.latency_s)
        if reply.status in {400, 422, 500, 501, 403} and not outcome.throttled:
            said = completion.error_text(payload)
            if adapt(self._form, body, payload, said):
                raise TargetError(str(outcome), retry=True, adapted=True)
        if reply.status in {404, 405} and not self._answered:
            if self._other_path():
                raise TargetError(str(outcome), retry=True, adapted=True)
            raise TargetError(
                str(outcome) + await self._models(), retry=False, fatal=True
            ) from None
        raise outcome

    def _follow(self, reply: ServerReply) -> bool:
        """Take up a redirect within the same host, or to the same one over TLS."""
        now = self._dialect.url(self._base, self._model, stream=self._form.stream)
        try:
            place = now.join(URL(reply.headers.get("Location", "")))
        except ValueError:
            return False
        same = place.host == now.host and (
            place.port == now.port or (now.scheme, place.scheme) == ("http", "https")
        )
        if not same or place == now or place.path == now.path == self._base.path:
            return False
        self._base = place
        return True

    def _other_path(self) -> bool:
        """Try ``/v1`` where a base URL was given without it."""
        path = self._base.path.rstrip("/")
        if self._dialect.id != "openai" or path not in {"", "/api", "/chat/completions"}:
            return False
        start = "" if path == "/chat/completions" else path
        self._base = self._base.with_path(f"{start}/v1", keep_query=True)
        return True

    async def _models(self) -> str:
        """What models the server says it has, for the message about one that it hasn't."""
        if self._dialect.id not in {"openai", "openai-responses"}:
            return ""
        url = self._dialect.url(self._base, self._model, stream=False)
        path = url.path.removesuffix("/chat/completions").removesuffix("/responses") + "/models"
        try:
            reply = await self._connection.send("GET", url.with_path(path))
            listed = completion.decode_text(reply.text)
            names = [str(each["id"]) for each in listed["data"]]
        except (TargetError, LookupError, TypeError):
            return ""
        if not names or self._model in names:
            return ""
        return f"; it has {', '.join(names[:_MODELS_SHOWN])}" + (
            f" and {len(names) - _MODELS_SHOWN} more" if len(names) > _MODELS_SHOWN else ""
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()
