"""A model behind HTTP as a target: asks, gives way to its server, and reads its replies."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

import orjson
from yarl import URL

from buttress.files.shown_url import without_keys
from buttress.targets import completion, event_stream, refusals
from buttress.targets.adaptation import adapt
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.connection import Connection, ServerReply
from buttress.targets.dialects.base import Dialect, QuestionForm
from buttress.targets.dialects.other_forms import read_other_form
from buttress.targets.failures import failure
from buttress.targets.retrying import with_reasoning_apart
from buttress.targets.secrets import Secrets
from buttress.targets.signature_v4 import RequestSigner
from buttress.targets.tokens import estimated

LONGEST: Final = 4096  # tokens of an answer, where thinking leaves nothing of the first length
_MODELS_SHOWN: Final = 5
_VERSION: Final = re.compile(r"/v\d")  # in a base URL that is whole
_ELSEWHERE: Final = re.compile(
    r"unexpected endpoint|unknown (endpoint|path|route|url)|no such (endpoint|path|route)"
    r"|(endpoint|path|route|page|url) (was )?not found|invalid (endpoint|path|route|url)",
    re.IGNORECASE,
)


class EndpointTarget:
    """A model behind HTTP. What its server refuses to take is given up, one thing at a time."""

    starts_slowly = True
    needs_no_timeout = True

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
        self._streams_end = False
        self._shown = without_keys(str(dialect.url(url, model, stream=False)))
        self.takes_images = images
        self.timeout_s = connection.timeout_s

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
        said += [f"asked with {name}: {str(on).lower()}" for name, on in form.added.items()]
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
        body |= self._form.added
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
        if 200 <= reply.status < 300:
            return self._accepted(self._read(reply, body), request)
        return await self._refused(reply, body)

    async def _send(self, body: dict[str, Any]) -> ServerReply:
        url = self._dialect.url(self._base, self._model, stream=self._form.stream)
        encoded = orjson.dumps(body)
        headers = self._signer.headers(url, encoded) if self._signer else None
        return await self._connection.send("POST", url, encoded, headers)

    def _read(self, reply: ServerReply, body: dict[str, Any]) -> Answer:
        """The answer in a reply of status 2xx to ``body``.

        Raises:
            TargetError: it holds none.
        """
        if who := refusals.by_headers(reply.headers):
            raise self._stopped(reply, who)
        stream = event_stream.is_stream(reply.content_type, reply.text)
        if stream:
            events = event_stream.events(reply.text)
            payload = self._dialect.joined(events)
            self._check_end(payload, reply.text)
        elif refusals.is_page(reply.body):
            raise self._page(reply)
        else:
            if (data := event_stream.data_stream_text(reply.text)) is not None:
                return Answer(data, latency_s=reply.latency_s)
            payload = event_stream.opened(completion.decode_text(reply.text))
            stream = isinstance(payload, list) and len(payload) > 1
            events = payload if stream else [payload]
            payload = self._dialect.joined(events) if stream else payload
        try:
            return self._dialect.read(payload, reply.latency_s)
        except TargetError as error:
            said = completion.error_text(payload)
            other = read_other_form(events, reply.latency_s, stream=stream)
            if other is not None and not error.fatal:
                return other
            if said and (who := refusals.named(200, payload)):
                return Answer(said, "content_filter", latency_s=reply.latency_s, refused_by=who)
            if _ELSEWHERE.search(said):
                self._look_elsewhere(said)
            if said and adapt(self._form, body, payload, said):
                raise TargetError(said, retry=True, adapted=True) from None
            status = "" if reply.status == 200 else f"HTTP {reply.status}: "
            raise TargetError(
                completion.one_line(self._secrets.hide(f"{status}{error}")),
                retry=error.retry and reply.status != 202,
                throttled=error.throttled,
                fatal=error.fatal or reply.status == 202,
                doubtful=error.doubtful,
                refusal=error.refusal,
            ) from None

    def _stopped(self, reply: ServerReply, who: str) -> TargetError:
        """A reply that a firewall marks as its own; it may be about the caller too."""
        said = completion.one_line(self._secrets.hide(refusals.page_text(reply.body)), 200)
        return TargetError(
            f"HTTP {reply.status}: stopped by a firewall",
            retry=False,
            refusal=Answer(said, "content_filter", refused_by=who),
        )

    def _check_end(self, payload: Any, text: str) -> None:
        """Notice a stream that broke off, where this server's streams have an end.

        Raises:
            TargetError: it did.
        """
        choices = payload.get("choices") if isinstance(payload, dict) else None
        if not choices:
            return
        if choices[0].get("finish_reason") or "[DONE]" in text[-100:]:
            self._streams_end = True
        elif self._streams_end:
            raise TargetError("the stream broke off", retry=True)

    def _page(self, reply: ServerReply) -> TargetError:
        """A page in place of an answer: a firewall, or another place than that of the API.

        Raises:
            TargetError: the API may be elsewhere, which is tried.
        """
        said = completion.one_line(self._secrets.hide(refusals.page_text(reply.body)), 200)
        who = refusals.doubtful(200, reply.body)
        if not who:
            self._look_elsewhere(said)
        where = "" if self._answered else f" at {self._secrets.hide(self._shown)}"
        return TargetError(
            f"the answer is a page, not JSON: '{said}'{where}",
            retry=not who,
            fatal=self._answered and not who,  # such as a login that has ended
            doubtful=True,
            refusal=Answer(said, "content_filter", refused_by=who) if who else None,
        )

    def _look_elsewhere(self, said: str) -> None:
        """Try the other usual path, as long as nothing has been answered.

        Raises:
            TargetError: the question is to be asked there.
        """
        if not self._answered and self._other_path():
            raise TargetError(said, retry=True, adapted=True)

    def _accepted(self, answer: Answer, request: Request) -> Answer:
        """The answer, with its reasoning apart and its tokens known.

        Raises:
            TargetError: thinking has used up the length, and more may be asked for; or Ollama has
                loaded the model and generated nothing.
        """
        answer = with_reasoning_apart(answer)
        if answer.finish_reason == "load" and not answer.text:
            raise TargetError("the model was loaded, and nothing generated", retry=True)
        if (text := self._secrets.hide(answer.text)) != answer.text:
            answer = replace(answer, text=text)
        if (reasoning := self._secrets.hide(answer.reasoning)) != answer.reasoning:
            answer = replace(answer, reasoning=reasoning)
        if answer.finish_reason == "length" and not answer.text.strip() and not answer.refused_by:
            self._lengthen(request)
        self._answered = True
        written = answer.text or answer.reasoning
        if not answer.prompt_tokens or (written and not answer.completion_tokens):
            read = estimated(*(m.content for m in request.messages))
            answer = replace(
                answer,
                prompt_tokens=answer.prompt_tokens or read,
                completion_tokens=answer.completion_tokens
                or estimated(answer.text, answer.reasoning),
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
        """A reply whose status isn't 2xx.

        Raises:
            TargetError: unless a filter refused, which is an answer.
        """
        payload = completion.payload(reply.text)
        outcome = failure(reply.status, reply.headers, reply.body, payload, self._secrets)
        if 300 <= reply.status < 400 and self._follow(reply):
            raise TargetError(str(outcome), retry=True, adapted=True)
        if isinstance(outcome, Answer):
            return replace(outcome, latency_s=reply.latency_s)
        if reply.status in {400, 403, 422, 424, 500, 501} and not outcome.throttled:
            said = completion.error_text(payload)
            if adapt(self._form, body, payload, said):
                raise TargetError(str(outcome), retry=True, adapted=True)
        if reply.status in {404, 405} and outcome.refusal is None and not self._answered:
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
        if reply.status not in {307, 308} and place.name != now.name:
            return False  # another page, such as a login, rather than the same one elsewhere
        self._base = place
        return True

    def _other_path(self) -> bool:
        """Try ``/v1`` where a base URL was given without it."""
        path = self._base.path.rstrip("/")
        start = path.removesuffix("/chat/completions")
        if self._dialect.id != "openai" or _VERSION.search(start):
            return False
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
