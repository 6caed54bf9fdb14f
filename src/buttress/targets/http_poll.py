"""Answers that an application hands out later: its reply names a job, which is asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from yarl import URL

from buttress.errors import InputError
from buttress.targets import completion
from buttress.targets.base import TargetError
from buttress.targets.connection import Connection, ServerReply
from buttress.targets.event_stream import is_stream
from buttress.targets.failures import tells_failure
from buttress.targets.http_exchange import HttpExchange, unknown_field
from buttress.targets.http_session import HttpSession, TokenSource
from buttress.targets.json_path import AnswerPath, ReplyCondition
from buttress.targets.secrets import Secrets
from buttress.targets.settings import seconds

POLL_FIELDS: Final = ("url", "method", "headers", "body", "form", "job", "until", "every_s")
_FIELD: Final = "http.poll"
_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class HttpPoll:
    """How the answer to a question is fetched.

    ``job`` is where the first reply holds ``{{job}}``; without a ``url``, it holds the URL itself.
    The answer is there when ``until`` holds or, where that is absent, as soon as a reply has the
    answer or tells of a failure.
    """

    exchange: HttpExchange
    asked: str
    job_is_url: bool
    job: TokenSource
    until: ReplyCondition | None
    answer: AnswerPath
    every_s: float

    @classmethod
    def read(cls, given: Any, asked: str, answer: AnswerPath, secrets: Secrets) -> HttpPoll:
        """From the manifest's ``poll``.

        Args:
            given: the fields.
            asked: URL of the questions.
            answer: where replies hold the answer.
            secrets: kept out of messages.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        if not isinstance(given, Mapping):
            raise InputError("not a mapping", field=_FIELD, expected=", ".join(POLL_FIELDS))
        unknown_field(given, POLL_FIELDS, _FIELD)
        if "job" not in given:
            raise InputError("missing", field=f"{_FIELD}.job", expected="JSONPath of {{job}}")
        return cls(
            HttpExchange.read({"url": asked, **given}, _FIELD, secrets),
            asked,
            "url" not in given,
            TokenSource.parse(given["job"], f"{_FIELD}.job"),
            ReplyCondition(given["until"], f"{_FIELD}.until") if "until" in given else None,
            answer,
            seconds(given.get("every_s", _EVERY_S), f"{_FIELD}.every_s"),
        )

    async def fetch(
        self,
        first: ServerReply,
        given: Mapping[str, Any],
        session: HttpSession,
        connection: Connection,
    ) -> ServerReply:
        """The reply that holds the answer, or says that there will be none.

        Raises:
            TargetError: the first reply names no job, or the answer does not come in time.
        """
        job = self.job.read(first)
        if job is None:
            raise self.job.missing(first)
        url, headers, body = self.exchange.filled({**given, "job": job})
        if self.job_is_url:
            url = self._place(job)
        ends = time.monotonic() + connection.timeout_s
        while True:
            headers = session.headers(headers)
            reply = await connection.send(self.exchange.method, url, body, headers)
            session.take(reply)
            if not 200 <= reply.status < 300 or self._ready(reply):
                return reply
            if time.monotonic() + self.every_s > ends:
                raise TargetError(
                    f"no answer within {connection.timeout_s:g} s", retry=True, timed_out=True
                )
            await asyncio.sleep(self.every_s)

    def _place(self, job: str) -> URL:
        """The URL that the first reply names.

        Raises:
            TargetError: it is none, or on another host than the questions' one.
        """
        asked = URL(self.asked.partition("{{")[0])
        try:
            place = asked.join(URL(job))
        except ValueError:
            place = None
        if place is None or (place.host, place.port) != (asked.host, asked.port):
            raise TargetError(
                f"the answer is to be fetched at '{job}', which is not on {asked.host}; "
                "http.poll.url names where it is",
                retry=False,
                fatal=True,
            )
        return place

    def _ready(self, reply: ServerReply) -> bool:
        if is_stream(reply.content_type, reply.text):
            return True
        payload = completion.payload(reply.text)
        if self.until is not None:
            return self.until.holds(payload) or tells_failure(payload)
        if self.answer.path is None:
            return bool(reply.text.strip()) and reply.status != 202
        return self.answer.read(payload) is not None or tells_failure(payload)
