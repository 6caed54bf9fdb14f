"""Any OpenAI-compatible chat completions endpoint."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import orjson
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from buttress.errors import InputError
from buttress.targets import completion
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.chat import as_dicts
from buttress.targets.retry_after import retry_after
from buttress.targets.settings import seconds, unknown, whole

SETTINGS: Final = (
    "endpoint",
    "model",
    "api_key_env",
    "headers",
    "timeout_s",
    "concurrency",
    "extra",
    "images",
)
PATH: Final = "/chat/completions"
BODY_LIMIT: Final = 32 * 2**20  # bytes of one answer
OVERLOADED: Final = frozenset({429, 503, 529})
AGAIN: Final = frozenset({408, 409, 425})
# Parameters that some models refuse; the answers are still theirs without them.
OPTIONAL: Final = frozenset({"temperature", "seed"})


def create(
    *,
    endpoint: str,
    model: str | None = None,
    api_key_env: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
    concurrency: int = 64,
    extra: Mapping[str, Any] | None = None,
    images: bool = False,
    **others: Any,
) -> EndpointTarget:
    """The model ``model`` at ``endpoint``.

    Args:
        endpoint: base URL ("http://host:port/v1") or the full one (".../chat/completions").
        model: model name at the endpoint.
        api_key_env: environment variable with the key, sent as bearer token.
        headers: sent with every question.
        timeout_s: seconds to wait for one answer.
        concurrency: questions in flight at most.
        extra: fields put into every question; null takes a field out.
        images: whether the model takes pictures.

    Raises:
        InputError: a setting is not usable.
    """
    unknown(others, SETTINGS)
    if not isinstance(model, str) or not model:
        raise InputError("missing", field="model", expected="the name of the model at the endpoint")
    if extra is not None and not isinstance(extra, Mapping):
        raise InputError("not a mapping", field="extra", expected="fields of the question")
    return EndpointTarget(
        _url(endpoint),
        model,
        _headers(headers or {}, _key(api_key_env)),
        timeout_s=seconds(timeout_s, "timeout_s"),
        concurrency=whole(concurrency, "concurrency", 1, 4096),
        extra=dict(extra or {}),
        images=bool(images),
    )


def _url(endpoint: Any) -> URL:
    expected = "http(s)://HOST[:PORT]/v1"
    try:
        url = URL(endpoint)
        usable = url.scheme in {"http", "https"} and bool(url.host) and url.port is not None
    except (ValueError, TypeError):
        usable = False
    if not usable:
        raise InputError(f"'{endpoint}' is not a URL", field="endpoint", expected=expected)
    if url.user or url.password:
        raise InputError(
            "a URL with a password in it", field="endpoint", expected="api_key_env or headers"
        )
    path = url.path.rstrip("/")
    if not path.endswith(PATH):
        path += PATH
    return url.with_path(path, keep_query=True).with_fragment(None)


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
    return key


def _headers(given: Mapping[str, str], key: str | None) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict({"Content-Type": "application/json"})
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if not isinstance(given, Mapping):
        raise InputError("not a mapping", field="headers", expected="names and values")
    for name, value in given.items():
        text = str(value)
        if not str(name).isascii() or any(sign in f"{name}{text}" for sign in "\r\n\0"):
            raise InputError("not a usable header", field=f"headers.{name!r}")
        headers[str(name)] = text
    for name, text in headers.items():
        if any(sign in text for sign in "\r\n\0"):
            raise InputError("holds a line break", field=name)
    return headers


class EndpointTarget:
    """A model behind HTTP. One session with keep-alive; redirects are not followed."""

    def __init__(
        self,
        url: URL,
        model: str,
        headers: CIMultiDict[str],
        *,
        timeout_s: float,
        concurrency: int,
        extra: dict[str, Any],
        images: bool = False,
    ) -> None:
        self._url = url
        self._model = model
        self._headers = headers
        self._timeout_s = timeout_s
        self._concurrency = concurrency
        self._extra = extra
        self.takes_images = images
        self._length_field = "max_tokens"
        self._left_out: set[str] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Model and host."""
        return f"{self._model} at {self._url.host}:{self._url.port}"

    @property
    def identity(self) -> str:
        """URL, model and, where there are any, extra fields."""
        suffix = ""
        if self._extra:
            suffix = " " + orjson.dumps(self._extra, option=orjson.OPT_SORT_KEYS).decode()
        return f"endpoint:{self._url}#{self._model}{suffix}"

    @property
    def stable(self) -> bool:
        """False: what is behind a URL changes without notice."""
        return False

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    def _open(self) -> aiohttp.ClientSession:
        proxies = urllib.request.getproxies()
        host = self._url.host or ""
        proxy = None if urllib.request.proxy_bypass(host) else proxies.get(self._url.scheme)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers=self._headers,
            proxy=proxy,
        )

    def _body(self, request: Request) -> bytes:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._model,
            "messages": as_dicts(request.messages),
            self._length_field: sampling.max_tokens,
            "temperature": sampling.temperature,
        }
        if sampling.temperature > 0:
            body["seed"] = sampling.seed
        if sampling.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
        for field in self._left_out:
            body.pop(field, None)
        for field, value in self._extra.items():
            if value is None:
                body.pop(field, None)
            else:
                body[field] = value
        return orjson.dumps(body)

    async def answer(self, request: Request) -> Answer:
        """Ask one question over HTTP.

        Raises:
            TargetError: no answer; retry says whether the server may answer later.
        """
        if self._session is None:
            self._session = self._open()
        body = self._body(request)
        start = time.perf_counter()
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                received = await _read(response)
                status, headers = response.status, response.headers
        except TimeoutError:
            raise TargetError(f"no answer within {self._timeout_s:g} s", retry=True) from None
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError) as error:
            raise TargetError(completion.one_line(f"{error}"), retry=False) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise TargetError(f"not a usable URL: {error}", retry=False) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            said = completion.one_line(str(error)) or type(error).__name__
            raise TargetError(f"connection failed: {said}", retry=True) from None
        if status == 200:
            return completion.read(completion.decode(received), time.perf_counter() - start)
        return self._failed(status, headers, received, time.perf_counter() - start)

    def _failed(
        self, status: int, headers: CIMultiDictProxy[str], body: bytes, latency_s: float
    ) -> Answer:
        """Read an answer whose status isn't 200; all but one kind are errors."""
        if 300 <= status < 400:
            place = headers.get("Location", "nowhere")
            raise TargetError(
                self._safe(f"HTTP {status}: redirects to {place}, which is not followed"),
                retry=False,
            )
        try:
            payload = completion.decode(body)
        except TargetError:
            payload = body[:500].decode("utf-8", "replace")
        said = completion.error_text(payload)
        code = completion.error_field(payload, "code")
        if status == 400 and code in {"content_filter", "content_policy_violation"}:
            # A filter before the model: the system refused, which is an answer.
            return Answer(said, finish_reason="content_filter", latency_s=latency_s)
        message = self._safe(f"HTTP {status}" + (f": {said}" if said else ""))
        if status in OVERLOADED and code != "insufficient_quota":
            raise TargetError(
                message, retry=True, throttled=True, retry_after_s=retry_after(headers)
            )
        again = status >= 500 or status in AGAIN or (status == 400 and self._adapt(payload, said))
        raise TargetError(message, retry=again, retry_after_s=retry_after(headers))

    def _adapt(self, payload: Any, said: str) -> bool:
        """Give way to a model that refuses a parameter; True if asking again makes sense."""
        if self._length_field == "max_tokens" and "max_completion_tokens" in said:
            self._length_field = "max_completion_tokens"
            return True
        parameter = completion.error_field(payload, "param")
        if parameter == "max_tokens" and self._length_field != "max_tokens":
            return True  # another question in flight has just made the change
        if parameter in OPTIONAL and completion.error_field(payload, "code").startswith("unsup"):
            self._left_out.add(parameter)
            return True
        return False

    def _safe(self, message: str) -> str:
        """The message on one line, without the key, should the server have repeated it."""
        key = self._headers.get("Authorization", "").removeprefix("Bearer ")
        return completion.one_line(message.replace(key, "[key]") if key else message)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, unless it is beyond all reason."""
    if response.content_length is not None and response.content_length <= BODY_LIMIT:
        return await response.read()
    received = bytearray()
    async for chunk in response.content.iter_any():
        received += chunk
        if len(received) > BODY_LIMIT:
            raise TargetError(f"the answer is larger than {BODY_LIMIT} bytes", retry=False)
    return bytes(received)
