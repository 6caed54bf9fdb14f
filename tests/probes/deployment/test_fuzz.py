"""Untrusted bytes of every kind: never an exception, always an Inspection."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.deployment.probe import PROBE, RULES
from buttress.protocols.inspection import InspectionContext
from buttress.rules.reporting import MAX_FINDINGS

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
EXAMPLES = [one for rule in RULES.own.values() for one in (*rule.bad, *rule.good)]
NAMES = ["Dockerfile", "compose.yaml", ".gitlab-ci.yml", ".github/workflows/a.yml", "pod.yaml"]
HEADS = ["", "apiVersion: v1\nkind: Pod\n", "services:\n a:\n  ", "jobs:\n a:\n  ", "RUN <<A\n"]


def scan(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    *findings, last = PROBE.inspect(InspectionContext.at("app", path))
    assert isinstance(last, Inspection)
    assert len(findings) <= MAX_FINDINGS
    for one in findings:
        assert isinstance(one, Finding)
        line = int(one.location.rpartition(":")[2])
        assert 1 <= line <= data.count(b"\n") + 1
        assert len(one.message) < 1_000


@quick
@given(name=st.sampled_from(NAMES), head=st.sampled_from(HEADS), body=st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, name: str, head: str, body: bytes) -> None:
    scan(tmp_path, name, head.encode() + body)


@quick
@given(example=st.sampled_from(EXAMPLES), seed=st.integers(0, 2**32))
def test_mutated_examples(tmp_path: Path, example: object, seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(example.text.encode())  # type: ignore[attr-defined]
    for _ in range(source.randint(1, 6)):
        place = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0:
                data[place : place + 1] = source.randbytes(1)
            case 1:
                del data[place : place + source.randint(1, 20)]
            case 2:
                data[place:place] = data[: source.randint(0, 40)]
            case _:
                data[place:place] = source.choice(
                    [b"{", b"[", b"*a", b"&a ", b"\\\n", b"- ", b"!!", b"<<: "]
                )
    scan(tmp_path, example.file, bytes(data))  # type: ignore[attr-defined]


def test_escaped_surrogates(tmp_path: Path) -> None:
    # Found by fuzzing: YAML can name what UTF-8 can't hold, and a pattern stumbled over it.
    scan(tmp_path, "compose.yaml", b'services:\n a:\n  image: "a\\ud800"\n  "\\udfff": 1\n')
    pod = b'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command: ["\\udfff"]\n'
    scan(tmp_path, "pod.yaml", pod)
    scan(tmp_path, ".github/workflows/a.yml", b'jobs:\n a:\n  steps:\n  - run: "curl \\udfff"\n')
