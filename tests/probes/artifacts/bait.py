"""Files built to cost a reader time or memory, far smaller than what they cost the careless."""

from __future__ import annotations

import gzip
import struct
import zipfile

from tests.probes.artifacts.assemble import proto, text, zipped
from tests.probes.artifacts.test_keras import HDF5
from tests.probes.artifacts.test_tensor_files import gguf, pair, safetensors, string
from tests.probes.artifacts.wire import graph_def, onnx, onnx_node, part, saved_model, tf_node

N = 1 << 17  # opcodes or so: enough to tell linear from worse


def overlapping_zip() -> bytes:
    """Many members, each running over all that follow, ending in the same long pickle."""
    shared = b"N0" * N + b"."
    headers, central = b"", b""
    count = 2000
    each = 30 + 8 + 7  # local header, name, start of a pickle that jumps over the rest
    for i in range(count):
        left = (count - 1 - i) * each
        size = 7 + left + len(shared)
        name = f"{i:08d}".encode()
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, 0, size, size, 8, 0)
        central += (
            b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, i * each) + name
        )
        headers += b"PK\x03\x04" + fields + name + b"\x80\x04B" + struct.pack("<I", left)
    body = headers + shared
    return (
        body
        + central
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, count, count, len(central), len(body), 0)
    )


DTYPE = proto(4) + b"cnumpy\ndtype\n" + text("f8") + b"\x85R"  # numbers are kept from here on


def _sparse(count: int) -> bytes:
    return b"".join(b"r" + struct.pack("<I", 2 * i + 9) for i in range(count))


def _template(template: str) -> bytes:
    return gguf([pair("tokenizer.chat_template", 8, string(template))], [])


BAIT = {
    "marks": lambda: proto(4) + b"(" * (4 * N),
    "nones": lambda: proto(4) + b"N" * (8 * N),
    "duplicates": lambda: proto(4) + b"]" + b"2" * (4 * N),
    "texts": lambda: proto(4) + text("ab") * N,
    "memo": lambda: proto(4) + b"N" + b"\x94" * (4 * N),
    "texts in the memo": lambda: proto(4) + b"".join(text(f"w{i}") + b"\x940" for i in range(N)),
    "memo out of order": lambda: proto(4) + b"N" + _sparse(2 * N),
    "memo far away": lambda: proto(4) + b"Nr\xff\xff\xff\x7f.",
    "puts": lambda: proto(2) + b"N" + b"q\x00" * (2 * N),
    "deep lists": lambda: proto(4) + b"]\x94" * N + b"a" * N,
    "deep tuples": lambda: proto(4) + text("a") + b"\x85" * (2 * N),
    "pairs of themselves": lambda: proto(4) + text("a") + b"2\x86" * N,
    "one line": lambda: proto(0) + b"V" + b"x" * (8 * N),
    "many lines": lambda: b"(" + b"Vx\n" * N,
    "numbers without end": lambda: proto(0) + b"I1\n0" * N,
    "imports": lambda: proto(2) + b"".join(f"cm{i}\nf\n0".encode() for i in range(200_000)),
    "long imports": lambda: proto(2) + (b"c" + b"a." * 2000 + b"\n" + b"b." * 2000 + b"c\n0") * 500,
    "getattr on getattr": lambda: proto(4) + b"cbuiltins\ngetattr\n\x940cm\nn\n"
    + b"\x940h\x00h\x01" + text("a" * 200) + b"\x86R" + (
        b"q\x020h\x00h\x02" + text("a" * 200) + b"\x86R"
    ) * 20_000,
    "exact": lambda: DTYPE + b"}" * N + b"K\x01" * N + b"\x85" * N,
    "dicts in dicts": lambda: DTYPE + b"0}q\x00" + (b"}" + text("k") + b"h\x00sq\x000") * N,
    "streams": lambda: (proto(2) + b"N.") * (N // 2),
    "constants": lambda: proto(3) + b"".join(b"C\x05\x80\x02N0." + b"0" for _ in range(200_000)),
    "nested constants": lambda: _nested(proto(4) + b"N.", 300),
    "framed": lambda: proto(4) + (b"\x95" + b"\xff" * 8) * N,
    "json": lambda: safetensors(b'{"":{},' + b'"":{},' * N + b'"a":1}'),
    "deep json": lambda: b'{"class_name":' + b"[" * (4 * N),
    "hdf5 beginnings": lambda: HDF5 + b'{"class_name"' * N,
    "template": lambda: _template("{{" * 95_000),
    "brackets in a template": lambda: _template("{{" + "(" * 190_000),
    "overlapping members": overlapping_zip,
    "nodes": lambda: onnx(extra=part(7, part(1, part(4, "A")) * (4 * N))),
    "domains": lambda: onnx(*(onnx_node("A", f"domain{i}") for i in range(N // 2))),
    "constants of a graph": lambda: saved_model(
        graph_def(*(tf_node(f"n{i}", "Const", text="x" * 500) for i in range(30_000)))
    ),
    "tiny fields": lambda: b"\x08\x08" + part(7, b"\x0a\x00" * (8 * N)),
    "arrays in arrays": lambda: b"\x81\xa1a" + b"\x91" * (4 * N),
    "maps of nothing": lambda: b"\x82\xa1a\xdd" + struct.pack(">I", 4 * N) + b"\x80" * (4 * N)
    + b"\xa1b\xc0",
    "elements in elements": lambda: b"<PMML>" + b"<a>" * (2 * N),
    "attributes": lambda: b"<net " + b" ".join(b"a%d='1'" % i for i in range(N)) + b"/>",
    "one attribute": lambda: b"<PMML a='" + b"x" * (40 << 20) + b"'/>",
    "entities": lambda: b"<!DOCTYPE PMML [" + b"".join(
        b"<!ENTITY a%d '%s'>" % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 40)
    ) + b"]><PMML>&a39;</PMML>",
    "yaml lists": lambda: b"_target_: a.b\nx: " + b"[" * 400_000,
    "yaml anchors": lambda: b"_target_: a.b\n" + b"".join(
        b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 30)
    ),
    "tokenizer": lambda: b'{"added_tokens": [], "normalizer": ' + b"[" * N + b"]" * N + b"}",
    "vocabulary": lambda: b'{"added_tokens": [], "model": {"vocab": {' + b'"a":1,' * (8 * N)
    + b'"b":1}}}',
    "tokens": lambda: b'{"added_tokens": [' + b'{"content":"a"},' * N + b'{}], "normalizer": {}}',
    "configuration": lambda: b'{"auto_map": {' + b'"a":"b.c",' * N + b'"z":"y.x"}}',
    "tables": lambda: struct.pack("<I", 8) + b"TFL3" + struct.pack("<i", 0) + b"\x04\0" * (4 * N),
    "coders": lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + struct.pack("<QQI", 0, 4 * N, 0)
    + b"\x01\x04" + b"\x07\x0b\xc0\xff\xff" * N,
    "many members": lambda: zipped({f"{i}": b"\x80\x02N." for i in range(20_000)}),
    "end records": lambda: b"PK\x03\x04" + b"PK\x05\x06" * 16_000,
    "zip in gzip": lambda: gzip.compress(
        zipped({f"{i}": bytes(1 << 20) for i in range(60)}, zipfile.ZIP_DEFLATED)
    ),
}  # fmt: skip


def _nested(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = proto(4) + b"B" + struct.pack("<I", len(data)) + data + b"."
    return data
