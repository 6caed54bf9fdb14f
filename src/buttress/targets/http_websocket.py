"""A question over WebSocket (RFC 6455): greetings before it, the parts of its answer, its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from buttress.targets import refusals
from buttress.targets.base import Answer, TargetError
from buttress.targets.connection import Connection
from buttress.targets.http_reply import ReplyReader
from buttress.targets.json_path import ReplyCondition

_POLICY: Final = 1008
_TRY_LATER: Final = 1013
_CLOSED_FOR: Final = {
    1003: "unsupported data", _POLICY: "policy violation", 1009: "message too big",
    1011: "internal error", 1012: "service restart", _TRY_LATER: "try again later",
}  # fmt: skip
_GREETING_S: Final = 1.0  # of silence after which an application waits to be asked
_MOST_GREETINGS: Final = 8
_IDLE_S: Final = 2.0  # of silence after which an answer over WebSocket is whole


class WebSocketExchange:
    """Asks over WebSocket, each question in a connection of its own.

    Args:
        reader: finds the answer in messages.
        connection: to the application.
        done: what is true in the last message, where the manifest says it.
        may_greet: whether messages may come before a question is asked; where the URL holds the
            question, all that comes is the answer.
    """

    def __init__(
        self,
        reader: ReplyReader,
        connection: Connection,
        done: ReplyCondition | None,
        *,
        may_greet: bool,
    ) -> None:
        self._reader = reader
        self._connection = connection
        self._done = done
        self._greetings = None if may_greet else 0  # None until it is known

    async def answer(self, url: URL, headers: Mapping[str, str], question: str) -> Answer:
        """Send one message, and take what comes until the answer is whole.

        It is where ``done`` says so, or where the connection ends. Where nothing says what the
        last message is, it is also after silence that follows a part of the answer.

        Raises:
            TargetError: there is none.
        """
        pieces: list[str] = []
        waits = True
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                if self._greetings is None:
                    self._greetings = await self._count_greetings(url, headers)
                async with self._connection.session().ws_connect(url, headers=headers) as socket:
                    for _ in range(self._greetings):
                        await _received(socket, _GREETING_S)
                    await socket.send_str(question)
                    while (
                        piece := await _received(socket, None if waits else _IDLE_S)
                    ) is not None:
                        pieces.append(piece)
                        if self._whole(piece):
                            break
                        waits = waits and not (self._done is None and self._answers(piece))
                    closed = socket.close_code
        except TimeoutError:
            raise TargetError(
                f"no answer within {self._connection.timeout_s:g} s", retry=True, timed_out=True
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise TargetError(
                f"HTTP {error.status}: no WebSocket", retry=error.status >= 500,
                throttled=error.status in {429, 503}, fatal=error.status < 500,
            ) from None  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise self._connection.failure(error) from None
        if closed in _CLOSED_FOR and not any(map(self._answers, pieces)):
            raise _closed(closed)
        return self._reader.joined([("", piece) for piece in pieces])

    async def _count_greetings(self, url: URL, headers: Mapping[str, str]) -> int:
        """How many messages come before anything is asked, such as "How can I help you?".

        They are no answer, so they are awaited before each question. Counted up to the last one
        that would pass for a part of an answer.
        """
        last = number = 0
        async with self._connection.session().ws_connect(url, headers=headers) as socket:
            while number < _MOST_GREETINGS and (piece := await _received(socket, _GREETING_S)):
                number += 1
                if self._answers(piece):
                    last = number
        return last

    def _answers(self, piece: str) -> bool:
        """Whether a message has a part of the answer."""
        try:
            payload = json.loads(piece)
        except ValueError:
            return True
        return bool(self._reader.said(payload).strip())

    def _whole(self, piece: str) -> bool:
        if piece.strip() == "[DONE]":
            return True
        if self._done is None:
            return False
        try:
            return self._done.holds(json.loads(piece))
        except ValueError:
            return False


def _closed(code: int) -> TargetError:
    """What it means that a WebSocket was closed without an answer (RFC 6455, section 7.4)."""
    message = f"the WebSocket was closed: {code} {_CLOSED_FOR[code]}"
    refused = Answer(message, "content_filter", refused_by=refusals.FIREWALL)
    return TargetError(
        message,
        retry=code != _POLICY,
        throttled=code == _TRY_LATER,
        refusal=refused if code == _POLICY else None,
    )


async def _received(socket: aiohttp.ClientWebSocketResponse, within_s: float | None) -> str | None:
    """The next message; None at the end, and where nothing comes within so many seconds."""
    try:
        message = await socket.receive(within_s)
    except TimeoutError:
        return None
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        return bytes(message.data).decode("utf-8", "replace")
    return None
