"""Answers with bad manners are read as browsers read them."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.live.limits import Limits
from buttress.live.response import ResponseReader

LIMITS = Limits(header_bytes=2_000, body_bytes=2_000)


def read(data: bytes, *, step: int = 1 << 20) -> ResponseReader:
    reader = ResponseReader(LIMITS)
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
    reader.eof()
    return reader


@pytest.mark.parametrize(
    "headers",
    [
        b"X: \0\xff\r\nContent-Length: 2",
        b"a line without a colon\r\nContent-Length: 2",
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Content-Length: +2",
        b"Content-Length: 2\r\nContent-Length: 2, 2",
        b"B\x01ad: x\r\nContent-Length: 2",
        b"Content-Length: 99999999999999999999",
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_headers_that_are_none_hide_no_answer(headers: bytes, step: int) -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\nServer: s\r\n\r\nok", step=step)
    reply = reader.reply()
    assert reply is not None, reader.failed
    assert (reply.status, reply.body, reply.header("server")) == (200, b"ok", "s")


@pytest.mark.parametrize(
    "data", [b"SSH-2.0-x\r\n", b"HTTP/1.1 x\r\n\r\n", b"HTTP/1.1 200\0\r\n" * 400]
)
def test_what_is_no_http_is_told(data: bytes) -> None:
    reader = read(data)
    assert (reader.reply(), reader.failed != "") == (None, True)


def test_deflate_is_read_with_the_header_of_zlib_and_without() -> None:
    packer = zlib.compressobj(wbits=-15)
    for body in (zlib.compress(b"ok"), packer.compress(b"ok") + packer.flush(), b"ok"):
        reply = read(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + body).reply()
        assert reply is not None
        assert reply.body == b"ok"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_of_a_stream_the_first_event_that_answers_is_read_whole(end: bytes, step: int) -> None:
    note = b'data: {"jsonrpc":"2.0","method":"notifications/message"}'
    lines = [b": ping", b"", b"data:", b"", note, b"", b"id: 1", b"data: {", b"data: }", b"id: 2"]
    events = end.join([*lines, b"", b""])
    reader = ResponseReader(LIMITS)
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events
    for at in range(0, len(data), step):
        assert not reader.done or at == len(data) - 1  # a line may end with CR
        reader.feed(data[at : at + step])
    reply = reader.reply()
    assert reader.done
    assert reply is not None
    assert (reply.body.rstrip(), reply.cut) == (events.rstrip(), "")


def test_what_is_coded_twice_or_in_an_unknown_coding() -> None:
    twice = gzip.compress(zlib.compress(b"ok"))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b"
    for coding, body, expected in [
        (b"deflate, gzip", twice, (b"ok", "")),
        (b"gzip, gzip", gzip.compress(gzip.compress(bytes(9_000))),
         (bytes(2_000), "body longer than 2,000 bytes")),
        (b"dcb", b"\xff\xfe", (b"\xff\xfe", "not read: it is coded as dcb")),
        (b"br", b"plain all the same", (b"plain all the same", "")),
        (b"identity", b"ok", (b"ok", "")),
    ]:  # fmt: skip
        reply = read(answer % (coding, len(body), body)).reply()
        assert reply is not None
        assert (reply.body, reply.cut) == expected


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_end_in_an_answer_or_a_reason(data: bytes, step: int) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\n"):
        reader = read(start + data, step=step)
        assert reader.done
        assert (reader.reply() is None) == bool(reader.failed)


@pytest.mark.parametrize(
    "line", ["HTTP/2 200 OK", "http/1.1 200 OK", "HTTP/1.2 200", "ICY 200 OK", "HTTP/1.1  200 OK"]
)
@pytest.mark.parametrize("step", [1, 1000])
def test_status_lines_that_no_parser_takes(line: str, step: int) -> None:
    data = f"{line}\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody".encode()
    reader = ResponseReader(Limits())
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    reply = reader.reply()
    assert reply is not None
    assert (reply.status, reply.body, reply.header("x-a")) == (200, b"body", "b")


@pytest.mark.parametrize("header", ["Content-Encoding: gzip", "Transfer-Encoding: gzip, chunked"])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_gzip_in_several_members(header: str, step: int) -> None:
    body = gzip.compress(b"first ") + gzip.compress(b"second ") + gzip.compress(b"third")
    if "chunked" in header:
        framed = b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(body), body)
        data = f"HTTP/1.1 200 OK\r\n{header}\r\n\r\n".encode() + framed
    else:
        data = f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    reader = ResponseReader(Limits())
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    assert reader.done
    reply = reader.reply()
    assert reply is not None
    assert reply.body == b"first second third"


def test_members_without_end_are_bounded() -> None:
    limits = Limits(body_bytes=10_000)
    body = gzip.compress(bytes(5_000)) * 50
    reader = ResponseReader(limits)
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body)
    reply = reader.reply()
    assert reply is not None
    assert len(reply.body) == limits.body_bytes
    assert "longer than" in reply.cut
