"""Untrusted bytes of every kind: never an exception, always an Inspection."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.agents.checks import RULES
from buttress.probes.agents.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.rules.rule import Example

quick = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
EXAMPLES = [one for rule in RULES.own.values() for one in (*rule.bad, *rule.good)]
NAMES = [".mcp.json", "tools.json", "SKILL.md", "agents.yaml", ".codex/config.toml", "a.prompt"]
HEADS = [
    "",
    '{"mcpServers": {"a": {"command": ',
    '{"name": "a", "description": "',
    "---\na: ",
    "<!--",
]
TOKENS = [
    b"{",
    b"[",
    b'"',
    b",",
    b"\\",
    b"/*",
    b"\xf3\xa0\x81\xa1",
    b"\xe2\x80\x8b",
    b"\x1b[8m",
    b"<!--",
    b"null",
]


def scan(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    *findings, last = PROBE.inspect(InspectionContext.at("app", path))
    assert isinstance(last, Inspection)
    for one in findings:
        assert isinstance(one, Finding)
        assert 1 <= int(one.location.rpartition(":")[2]) <= data.count(b"\n") + 1
        assert (one.message + one.proof).isprintable()


@quick
@given(name=st.sampled_from(NAMES), head=st.sampled_from(HEADS), body=st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, head: str, body: bytes) -> None:
    scan(tmp_path, name, head.encode() + body)


@quick
@given(example=st.sampled_from(EXAMPLES), seed=st.integers(0, 2**32))
def test_mutated_examples(tmp_path: Path, example: Example, seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(example.text.encode())
    for _ in range(source.randint(1, 6)):
        place = source.randrange(len(data) + 1)
        data[place : place + source.choice([0, 0, 1, 9])] = source.choice(
            [*TOKENS, source.randbytes(2)]
        )
    scan(tmp_path, example.file, bytes(data))


def test_nesting_and_length_are_bounded(tmp_path: Path) -> None:
    scan(tmp_path, ".mcp.json", b'{"a":' * 100_000)
    scan(tmp_path, "SKILL.md", b"<!--" * 100_000)
    scan(tmp_path, "SKILL.md", b"do not tell the " * 60_000)
    scan(tmp_path, ".codex/config.toml", b"a = " + b"[" * 50_000)


def test_escaped_surrogates(tmp_path: Path) -> None:
    # Found by fuzzing: JSON can name what UTF-8 can't hold, and a pattern stumbled over it.
    config = (
        b'{"mcpServers": {"\\ud800": {"command": "npx", "args": ["pkg\\udfff"], "url": "\\ud800"}}}'
    )
    scan(tmp_path, ".mcp.json", config)
    scan(
        tmp_path,
        "tools.json",
        b'[{"name": "\\ud800", "description": "\\ud800", "inputSchema": {}}]',
    )
