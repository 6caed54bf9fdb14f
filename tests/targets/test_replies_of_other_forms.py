"""Replies that aren't what the API promises: other forms, charsets, small defects."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from buttress.targets.base import TargetError
from buttress.targets.content_coding import BODY_LIMIT
from buttress.targets.endpoint import create
from tests.targets.asking import HARMLESS, Reply, Server, ask, error, said


def body(text: str | bytes, kind: str = "application/json", coding: str = "") -> web.Response:
    encoded = text if isinstance(text, bytes) else text.encode()
    headers = {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})
    return web.Response(body=encoded, headers=headers)


def lines(*values: Any) -> str:
    return "\n".join(map(json.dumps, values))


OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "Br"}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": "ead"}, "done": False},
    {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop"},
]
COMMENTS = ": OPENROUTER PROCESSING\n\n" * 3
PART = {"choices": [{"delta": {"content": "Bread"}, "finish_reason": "stop"}]}
COMPLETION = json.dumps(said("Bread")).encode()


def events(*values: Any) -> str:
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values)


def part(text: str, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}]}


def whole(text: str | None) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


def packed(value: Any) -> dict[str, str]:
    return {"bytes": base64.b64encode(json.dumps(value).encode()).decode()}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param([{"generated_text": "Bread"}], id="text generation"),
        pytest.param({"results": [{"text": "Bread"}]}, id="KoboldCpp"),
        pytest.param({"result": {"response": "Bread"}, "success": True}, id="Cloudflare"),
        pytest.param({"message": {"role": "assistant", "content": "Bread"}, "done": True},
                     id="Ollama"),
        pytest.param(body(lines(*OLLAMA), "application/x-ndjson"), id="Ollama's stream"),
        pytest.param({"type": "message", "content": [{"type": "text", "text": "Bread"}]},
                     id="Anthropic"),
        pytest.param({"output": [{"type": "message",
                                  "content": [{"type": "output_text", "text": "Bread"}]}]},
                     id="OpenAI's responses"),
        pytest.param({"candidates": [{"content": {"parts": [{"text": "Bread"}]}}]}, id="Gemini"),
        pytest.param({"statusCode": 200, "body": json.dumps(said("Bread"))}, id="a gateway's body"),
        pytest.param(body(json.dumps(json.dumps(said("Bread")))), id="JSON in JSON"),
        pytest.param(body(COMMENTS + json.dumps(said("Bread"))), id="comments before JSON"),
        pytest.param(body(f"{COMMENTS}data: {json.dumps(PART)}\n\n", "text/event-stream"),
                     id="comments before events"),
        pytest.param(said({"type": "text", "text": "Bread"}), id="one part"),  # type: ignore[arg-type]
        pytest.param(said([{"type": "text", "text": {"value": "Bread"}}]),  # type: ignore[arg-type]
                     id="a part with a value"),
        pytest.param([said("Bread")], id="a list of one"),
        pytest.param({"choices": {"0": said("Bread")["choices"][0]}}, id="choices as a mapping"),
        pytest.param({"choices": said("Bread")["choices"][0]}, id="one choice"),
        pytest.param({"choices": [{"delta": {"content": "Bread"}}]}, id="a delta without a stream"),
        pytest.param({"choices": [{"messages": [{"role": "tool", "content": "{}"},
                                                {"role": "assistant", "content": "Bread"}]}]},
                     id="Azure on your data"),
        pytest.param({"messages": [{"role": "assistant", "content": "Bread"}]}, id="NeMo"),
        pytest.param({"content": "Bread", "stop": True}, id="llama.cpp's own"),
        pytest.param(body(gzip.compress(COMPLETION)), id="gzip that no header tells"),
        pytest.param(body(zlib.compress(COMPLETION)), id="zlib that no header tells"),
        pytest.param(body(f"data: {json.dumps(part('Br'))}\ndata: {json.dumps(part('ead'))}\n"
                          "data: [DONE]\n", "text/event-stream"), id="no empty lines"),
        pytest.param(body(f"data:{json.dumps(part('Br'))}\r\n\r\ndata:{json.dumps(part('ead'))}"
                          "\r\n\r\n", "text/event-stream"), id="no space and no end"),
        pytest.param(said(None, audio={"id": "a", "transcript": "Bread"}), id="a spoken answer"),
        pytest.param({"message": {"content": [{"type": "text", "text": "Bread"}]}}, id="Cohere"),
        pytest.param({"predictions": ["Bread"]}, id="KServe"),
        pytest.param({"text_output": "Bread", "model_name": "m"}, id="Triton"),
        pytest.param({"results": [{"outputText": "Bread"}]}, id="Titan"),
        pytest.param({"result": "Bread", "is_truncated": False}, id="Qianfan"),
        pytest.param({"choices": [{"messages": "Bread"}]}, id="Snowflake"),
        pytest.param(body(events(*({"type": "content-delta", "delta": {"message": {"content":
                          {"text": piece}}}} for piece in ("Br", "ead")), {"type": "message-end"}),
                          "text/event-stream"), id="Cohere's stream"),
        pytest.param(body(events(*({"token": {"text": piece}} for piece in ("Br", "ead"))),
                          "text/event-stream"), id="TGI's stream"),
        pytest.param(body(events({"output": {"text": "Bre"}}, {"output": {"text": "Bread"}},
                                 {"output": {"text": "Bread"}}), "text/event-stream"),
                     id="a stream that repeats"),
        pytest.param({"choices": [whole(""), whole("Bread")]}, id="an empty choice before another"),
        pytest.param({"choices": [whole(None), whole("Bread")]}, id="a choice of nothing"),
        pytest.param(body(events(part("Hm", 1), part("Br"), part("Hm", 1), part("ead")),
                          "text/event-stream"), id="a stream of two choices"),
        pytest.param(body(events(*({"choices": [whole(text)]} for text in ("B", "Bre", "Bread"))),
                          "text/event-stream"), id="a stream of growing messages"),
        pytest.param(body(json.dumps(part("Br")) + json.dumps(part("ead"))),
                     id="objects without a line between"),
        pytest.param([part("Br"), part("ead")], id="a list of chunks"),
        pytest.param(body(COMPLETION + b"\n\n0"), id="something after the JSON"),
        pytest.param(body(b")]}',\n" + COMPLETION), id="a guard before the JSON"),
        pytest.param(said({"parts": ["Br", "ead"]}), id="a content of parts"),  # type: ignore[arg-type]
        pytest.param({"Response": {"Choices": [{"Message": {"Content": "Bread"},
                                   "FinishReason": "stop"}], "RequestId": "r"}}, id="Hunyuan"),
        pytest.param(body(events(*({"Choices": [{"Delta": {"Content": piece}}]} for piece in
                          ("Br", "ead"))), "text/event-stream"), id="Hunyuan's stream"),
        pytest.param(packed({"completion": "Bread"}), id="Bedrock's bytes"),
        pytest.param(body(events(*({"chunk": packed({"type": "content_block_delta", "delta":
                          {"type": "text_delta", "text": piece}})} for piece in ("Br", "ead"))),
                          "text/event-stream"), id="Bedrock's chunks"),
        pytest.param(body(lines(*(packed({"outputText": piece}) for piece in ("Br", "ead")))),
                     id="Bedrock's lines"),
        pytest.param({"status": "succeeded", "output": ["Br", "ead"]}, id="Replicate"),
        pytest.param({"textResponse": "Bread", "error": "null", "close": True}, id="AnythingLLM"),
        pytest.param(body(events(*({"textResponse": piece, "error": "null"} for piece in
                          ("Br", "ead"))), "text/event-stream"), id="AnythingLLM's stream"),
        pytest.param(body('f:{"messageId":"m"}\n0:"Br"\n0:"ead"\nd:{"finishReason":"stop"}\n',
                          "text/plain"), id="the AI SDK's data stream"),
    ],
)  # fmt: skip
async def test_the_answer_is_found(reply: Any) -> None:
    whole = reply if isinstance(reply, web.Response) else web.json_response(reply)
    answer = (await ask(Server(lambda *_: body(whole.body, whole.headers["Content-Type"]))))[0]  # type: ignore[arg-type]
    assert (answer.text, answer.refused_by) == ("Bread", "")


@pytest.mark.parametrize(
    "reply",
    [
        {"code": 500, "data": "internal error"},
        {"success": False, "result": "try again later"},
        {"status": "error", "output": "no worker"},
    ],
)
async def test_what_tells_of_a_failure_is_no_answer(reply: Any) -> None:
    with pytest.raises(TargetError):
        await ask(Server(lambda *_: reply), HARMLESS)


@pytest.mark.parametrize("start", ["0 workers are ready", "[1] connection refused", "null"])
async def test_words_that_begin_as_json_does_are_no_answer(start: str) -> None:
    with pytest.raises(TargetError):
        await ask(Server(lambda *_: body(start)), HARMLESS)


async def test_the_place_of_a_fault_is_told() -> None:
    fault = {"type": "missing", "loc": ["body", "tenant"], "msg": "Field required"}
    with pytest.raises(TargetError, match="HTTP 422: tenant: Field required"):
        await ask(Server(lambda *_: error(422, {"detail": [fault]})), HARMLESS)


async def test_a_line_break_inside_a_text() -> None:
    raw = '{"choices": [{"message": {"content": "Bread\nand butter"}}]}'
    assert (await ask(Server(lambda *_: body(raw))))[0].text == "Bread\nand butter"


@pytest.mark.parametrize(
    ("text", "charset"),
    [("Käse für dich, ça va", "latin-1"), ("“Brød” — smørrebrød", "cp1252"), ("做面包", "gb18030")],
)
async def test_a_charset_that_nobody_names(text: str, charset: str) -> None:
    encoded = json.dumps(said(text), ensure_ascii=False).encode(charset)
    assert (await ask(Server(lambda *_: body(encoded))))[0].text == text


@pytest.mark.parametrize(
    "reply", ["", "data: [DONE]\n\n", ": ping\n\n", 'data: {"type": "start"}\n\n']
)
async def test_a_stream_that_holds_no_answer_is_no_refusal(reply: str) -> None:
    server = Server(lambda *_: body(reply, "text/event-stream"))
    with pytest.raises(TargetError):
        await ask(server)


async def test_what_openrouter_calls_reasoning_is_no_answer() -> None:
    thought = [{"type": "reasoning.text", "text": "Let me think."}]
    answer = (await ask(Server(lambda *_: said(None, reasoning_details=thought))))[0]
    assert (answer.text, answer.reasoning) == ("", "Let me think.")


def refusing(*fields: str) -> Any:
    """A server that takes questions without these fields only, and names none of them."""

    def serve(sent: dict[str, Any], _: web.Request) -> Reply:
        if any(field in sent for field in fields):
            problem = "body must NOT have additional properties"
            return error(400, {"statusCode": 400, "error": "Bad Request", "message": problem})
        return said("Bread")

    return serve


@pytest.mark.parametrize("fields", [("temperature",), ("temperature", "max_tokens")])
async def test_a_field_too_many_that_the_error_does_not_name(fields: tuple[str, ...]) -> None:
    server = Server(refusing(*fields))
    assert (await ask(server, HARMLESS))[0].text == "Bread"
    assert ("max_tokens" in server.bodies[-1]) is ("max_tokens" not in fields)


async def test_a_list_of_keys_that_are_not_taken() -> None:
    def serve(sent: dict[str, Any], _: web.Request) -> Reply:
        keys = sorted({"temperature", "max_tokens"} & sent.keys())
        issue = {"code": "unrecognized_keys", "keys": keys, "path": [], "message": "Unrecognized"}
        return error(400, {"error": {"issues": [issue], "name": "ZodError"}}) if keys else said("B")

    assert (await ask(Server(serve), HARMLESS))[0].text == "B"


async def test_a_server_that_wants_to_be_told_not_to_stream() -> None:
    def serve(sent: dict[str, Any], _: web.Request) -> Reply:
        right = sent.get("stream") is False
        problem = {"error": {"message": "parameter stream must be set to false"}}
        return said("Bread") if right else error(400, problem)

    assert (await ask(Server(serve), HARMLESS))[0].text == "Bread"


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_server_that_is_busy_in_words(status: int) -> None:
    busy = {"error": {"message": "Too many concurrent requests for this model"}}
    replies: list[Any] = [error(status, busy), said("Bread")]
    assert (await ask(Server(lambda *_: replies.pop(0)), HARMLESS))[0].text == "Bread"


async def test_the_message_beside_the_name_of_a_status() -> None:
    said_ = {"statusCode": 400, "error": "Bad Request", "message": ["user should not be empty"]}
    with pytest.raises(TargetError, match="Bad Request: user should not be empty"):
        await ask(Server(lambda *_: error(400, said_)), HARMLESS)


async def test_what_looks_compressed_and_is_none() -> None:
    broken = b"\x1f\x8b" + b"\x00" * 20
    with pytest.raises(TargetError, match="not JSON"):
        await ask(Server(lambda *_: body(broken)))


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = gzip.compress(COMPLETION)
TWO_MEMBERS = gzip.compress(COMPLETION[:20]) + gzip.compress(COMPLETION[20:])
BROTLI = b"\x1b\x70\x00\xf8\x9d\x09"  # how it begins; it has no mark of its own


@pytest.mark.parametrize(
    ("packed", "coding"),
    [
        pytest.param(COMPLETION, "gzip", id="gzip, and it is none"),
        pytest.param(COMPLETION, "deflate", id="deflate, and it is none"),
        pytest.param(COMPLETION, "br", id="brotli, and it is none"),
        pytest.param(COMPLETION, "utf-8", id="a charset"),
        pytest.param(PACKED, "identity", id="nothing, and it is gzip"),
        pytest.param(PACKED, "x-gzip", id="gzip by its old name"),
        pytest.param(PACKED, "deflate", id="deflate, and it is gzip"),
        pytest.param(zlib.compress(COMPLETION), "deflate", id="deflate"),
        pytest.param(bare_deflate(COMPLETION), "deflate", id="deflate without a head"),
        pytest.param(gzip.compress(PACKED), "gzip, gzip", id="gzip twice"),
        pytest.param(TWO_MEMBERS, "gzip", id="gzip of two members"),
    ],
)
async def test_a_body_is_read_whatever_its_header_says(packed: bytes, coding: str) -> None:
    server = Server(lambda *_: body(packed, coding=coding))
    assert (await ask(server))[0].text == "Bread"
    assert server.requests[0].headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("packed", "coding", "message"),
    [
        pytest.param(BROTLI, "dcb", "compressed with 'dcb', which was not asked for", id="dcb"),
        pytest.param(PACKED[:-20], "gzip", "breaks off within its gzip", id="half a gzip"),
        pytest.param(PACKED[:-20], "", "breaks off within its gzip", id="half, without a header"),
    ],
)
async def test_a_body_that_cannot_be_read_names_its_coding(
    packed: bytes, coding: str, message: str
) -> None:
    with pytest.raises(TargetError, match=message) as caught:
        await ask(Server(lambda *_: body(packed, coding=coding)), HARMLESS)
    assert "\n" not in str(caught.value)


def in_brotli(data: bytes) -> bytes:
    return bytes(pytest.importorskip("brotli").compress(data))


def in_zstd(data: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").compress(data))


@pytest.mark.parametrize(
    ("pack", "coding"),
    [
        pytest.param(in_brotli, "br", id="brotli"),
        pytest.param(in_zstd, "zstd", id="zstd"),
        pytest.param(in_zstd, "", id="zstd that no header tells"),
    ],
)
async def test_codings_that_a_package_reads(pack: Callable[[bytes], bytes], coding: str) -> None:
    whole = pack(COMPLETION)
    assert (await ask(Server(lambda *_: body(whole, coding=coding))))[0].text == "Bread"
    with pytest.raises(TargetError, match=r"breaks off within its (br|zstd)"):
        await ask(Server(lambda *_: body(whole[:-9], coding=coding)), HARMLESS)
    bomb = pack(b" " * (BODY_LIMIT + 1))
    with pytest.raises(TargetError, match="larger than"):
        await ask(Server(lambda *_: body(bomb, coding=coding)))


@pytest.mark.parametrize(("coding", "package"), [("br", "brotli"), ("zstd", "zstandard")])
async def test_codings_without_their_package(
    coding: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(TargetError, match=rf"'{coding}', which was not asked.*extra .codings"):
        await ask(Server(lambda *_: body(BROTLI, coding=coding)))


@pytest.mark.parametrize("header", ["X Trace Id: 5", "X-Trace : 5", "nothing of the kind"])
async def test_a_header_that_is_none_is_named(header: str) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = create(endpoint=f"http://127.0.0.1:{port}/v1", model="m")
    try:
        with pytest.raises(TargetError, match="breaks the rules of HTTP") as caught:
            await target.answer(HARMLESS)
    finally:
        await target.aclose()
        server.close()
    assert header in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_an_answer_that_expands_beyond_all_reason() -> None:
    bomb = gzip.compress(b" " * (BODY_LIMIT + 1), compresslevel=1)
    with pytest.raises(TargetError, match="larger than") as caught:
        await ask(Server(lambda *_: body(bomb)))
    assert not caught.value.retry


@pytest.mark.parametrize("api", ["anthropic", "gemini", "ollama"])
async def test_a_gateway_that_replies_in_openai_s_form(api: str) -> None:
    assert (await ask(Server(lambda *_: said("Bread")), api=api))[0].text == "Bread"
