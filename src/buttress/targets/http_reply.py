"""Reading what an application of the user's own replies: its answer, a refusal, or an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from buttress.targets import completion, event_stream, refusals
from buttress.targets.base import Answer, TargetError
from buttress.targets.connection import ServerReply
from buttress.targets.failures import BUSY, failure, tells_failure
from buttress.targets.json_path import AnswerPath, ReplyCondition
from buttress.targets.secrets import Secrets
from buttress.targets.stated_reason import stated_reason

APPLICATION: Final = "application"
_END: Final = re.compile(
    r"\s*[\[<]\|?(done|end|stop|eos|eom|finish(ed)?|complete)\|?[\]>]\s*", re.IGNORECASE
)
_REPLACES: Final = re.compile(r"replace|redact|retract", re.IGNORECASE)
_LAST: Final = re.compile(r"complete|final|finish|done|\bend|result", re.IGNORECASE)
_TEXT_PIECES: Final = ("text-delta", "TEXT_MESSAGE_CONTENT")
_PASSES_STATUS: Final = frozenset({401, 408, 425, 429})


class ReplyReader:
    """Finds the answer in replies.

    Args:
        answer: where it stands.
        refused: what tells a refusal, where the manifest says it.
        pieces: which messages of a stream hold the answer, where not all do.
        secrets: kept out of messages.
    """

    def __init__(
        self,
        answer: AnswerPath,
        refused: ReplyCondition | None,
        secrets: Secrets,
        pieces: ReplyCondition | None = None,
    ) -> None:
        self._answer = answer
        self._refused = refused
        self._pieces = pieces
        self._secrets = secrets

    def read(self, reply: ServerReply) -> Answer:
        """The answer in a reply with a status of 2xx.

        Raises:
            TargetError: there is none.
        """
        text = reply.text
        marked_up = reply.content_type.endswith(("html", "xml"))
        if event_stream.is_stream(reply.content_type, text):
            return self.joined(event_stream.named_data(text))
        if self._answer.pattern is not None:
            found = self._answer.read(text)
            if found is None:
                return self.without(completion.payload(text))
            return Answer(refusals.without_tags(found) if marked_up else found)
        if self._answer.path is None:
            if marked_up or refusals.is_page(reply.body):
                return Answer(refusals.without_tags(text))
            said = event_stream.data_stream_text(text)
            return Answer(text if said is None else said)
        if not text.strip():
            raise TargetError(f"the reply is empty (HTTP {reply.status})", retry=True)
        if refusals.is_page(reply.body):
            raise self._page(reply)
        payload = completion.decode_text(text)
        said = self._answer.read(payload)
        if said is None or (not said.strip() and tells_failure(payload)):
            return self.without(payload)
        return self._answered(said, [payload])

    def declined(self, reply: ServerReply) -> Answer:
        """A reply with a status other than 2xx.

        Raises:
            TargetError: unless the application or something before it refused.
        """
        payload = completion.payload(reply.text)
        if self._answer.path and reply.status not in _PASSES_STATUS and reply.status < 500:
            said = self._answer.read(payload) if not isinstance(payload, str) else None
            if said:  # an application may say no with a status
                return Answer(said, refused_by=self._who(payload))
        outcome = failure(reply.status, reply.headers, reply.body, payload, self._secrets)
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    def joined(self, events: Sequence[tuple[str, str]]) -> Answer:
        """The answer that the events of a stream, each a name and its data, add up to.

        Raises:
            TargetError: it broke off, or holds no answer.
        """
        texts: list[str] = []
        payloads: list[Any] = []
        who = ""
        failure: Any = None  # told by the stream, with no text after it
        for name, piece in events:
            payload = _value(piece)
            if _END.fullmatch(payload if isinstance(payload, str) else piece):
                break
            if name == "error":
                return self._broken_off("".join(texts), payload)
            if payload is None and self._answer.path is not None:  # keeps the stream alive
                continue
            if payload is None or isinstance(payload, str):
                texts.append(piece if payload is None else payload)
                failure = None
                continue
            payloads.append(payload)
            said = self.said(payload) if self._answer.path is not None else ""
            who = who or self._who(payload)
            if said:
                if _holds_all(name or _kind(payload), said, texts):
                    texts.clear()
                texts.append(said)
                failure = None
            elif tells_failure(payload) or refusals.numbered(payload):
                failure = payload
        texts = [text for text in texts if text]
        if failure is not None and not who:
            return self._broken_off("".join(texts), failure)
        if payloads and not texts and self._answer.path is None:
            return _known_stream(payloads) or Answer("".join(map(_written, payloads)))
        if not texts and payloads and not who and not self._filtered(payloads):
            return self.without(payloads[-1])
        return self._answered(event_stream.joined_pieces(texts), payloads)

    def said(self, payload: Any) -> str:
        """What a piece of a stream, or a message over WebSocket, has of the answer."""
        if self._pieces is not None and not self._pieces.holds(payload):
            return ""
        return self._answer.read(payload) or ""

    def without(self, payload: Any) -> Answer:
        """A reply in which the answer is missing.

        Raises:
            TargetError: unless it tells of a refusal.
        """
        who = self._who(payload) or self._filtered([payload]) or refusals.named(200, payload)
        said = completion.one_line(self._secrets.hide(completion.error_text(payload)))
        if who:
            return Answer(said, "content_filter", refused_by=who)
        missing = self._answer.missing(payload)
        message = self._secrets.hide(str(missing)) + (f": '{said}'" if said else "")
        failed = tells_failure(payload)
        raise TargetError(
            completion.one_line(message),
            retry=failed,
            throttled=failed and bool(BUSY.search(said)),
            fatal=not failed,
            doubtful=True,
        )

    def _broken_off(self, before: str, payload: Any) -> Answer:
        """A stream with an error in it, after ``before``.

        Raises:
            TargetError: unless a filter ended it.
        """
        said = completion.one_line(self._secrets.hide(completion.error_text(payload)))
        who = refusals.named(200, payload)
        if who:
            text = before or said
            return Answer(text, "content_filter", refused_by="" if before.strip() else who)
        throttled = bool(BUSY.search(said))
        raise TargetError(
            f"the stream ended with an error: {said}", retry=True, throttled=throttled
        )

    def _page(self, reply: ServerReply) -> TargetError:
        """A page where JSON was expected: a firewall, a login, a mistake in the URL."""
        said = completion.one_line(self._secrets.hide(refusals.page_text(reply.body)), 200)
        who = refusals.doubtful(200, reply.body)
        refusal = Answer(said, "content_filter", refused_by=who) if who else None
        return TargetError(
            f"the reply is a page, not JSON: '{said}'", retry=not who, refusal=refusal
        )

    def _answered(self, text: str, payloads: Sequence[Any]) -> Answer:
        """The answer, with what the payloads that hold it say of its end."""
        who = next(filter(None, map(self._who, payloads)), "")
        if not who and not text.strip():
            who = self._filtered(payloads)
        return Answer(text, stated_reason(list(payloads)) or "stop", refused_by=who)

    def _filtered(self, payloads: Sequence[Any]) -> str:
        """The filter that took out an answer of which nothing is left; "" where none says so."""
        reason = stated_reason(list(payloads))
        if completion.is_filter(reason):
            return f"{refusals.CONTENT_FILTER}: {reason}"
        if any(map(refusals.marked, payloads)):
            return refusals.with_details(refusals.CONTENT_FILTER, list(payloads))
        return ""

    def _who(self, payload: Any) -> str:
        """Who refused, where the manifest says what tells it."""
        return APPLICATION if self._refused is not None and self._refused.holds(payload) else ""


def _known_stream(payloads: Sequence[Any]) -> Answer | None:
    """The answer in a stream of a known form: OpenAI's, the AI SDK's, or AG-UI's."""
    whole = event_stream.joined_completion(payloads)
    if whole.get("choices"):
        return completion.read(whole, 0.0)
    deltas = [
        str(payload.get("delta") or payload.get("textDelta") or "")
        for payload in payloads
        if isinstance(payload, Mapping) and payload.get("type") in _TEXT_PIECES
    ]
    return Answer("".join(deltas)) if deltas else None


def _holds_all(kind: str, said: str, before: Sequence[str]) -> bool:
    """Whether a message stands for all before it: moderation's, or the last one with the whole."""
    if _REPLACES.search(kind):
        return True
    whole = bool(_LAST.search(kind)) and bool(before)
    return whole and said.startswith((before[-1], "".join(before)))


def _value(piece: str) -> Any:
    """The object or list in a piece, None for a null; else its text."""
    try:
        value = json.loads(piece)
    except ValueError:
        return piece
    return value if isinstance(value, dict | list | str | None) else piece


def _kind(payload: Any) -> str:
    """What a message of a stream calls itself."""
    if not isinstance(payload, Mapping):
        return ""
    return str(payload.get("event") or payload.get("type") or "")


def _written(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False)
