"""The probe on folders: what is read, what is left out and said, how grave, what is allowed."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from buttress import extension
from buttress.evidence.findings import Finding, Inspection
from buttress.probes.source.secrets import MAX_FINDINGS, PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from tests.probes.source.samples import key, sample

STRIPE = sample("sk_live_{base62:24}", 0)


def inspect(path: Path) -> tuple[list[Finding], Inspection]:
    *findings, inspection = PROBE.inspect(InspectionContext.at("app", path))
    return findings, inspection  # type: ignore[return-value]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_it_is_registered_and_an_inspection_probe() -> None:
    assert extension.load("probes", "secrets") is PROBE
    assert isinstance(PROBE, InspectionProbe)
    assert PROBE.id == "secrets"


@pytest.mark.parametrize(
    "name", [".env", "deploy/Dockerfile", "web/app.js", "a.yaml", "run.sh", "README", "data.jsonl"]
)
def test_text_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, f"first\nsecond {STRIPE}\n")
    findings, inspection = inspect(tmp_path)
    assert [(one.rule, one.location) for one in findings] == [("stripe-key", f"{name}:2")]
    assert (inspection.files, inspection.bytes) == (1, 13 + len(STRIPE) + 1)
    assert inspection.skipped == ()


def test_a_single_file_is_named_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "app.py", STRIPE)
    assert [one.location for one in inspect(path)[0]] == ["app.py:1"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "gb18030", "latin-1"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = f"# é\n# 中文\n{STRIPE}\n" if encoding != "latin-1" else f"# é\n# ß\n{STRIPE}\n"
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    write(tmp_path / "a.txt", data)
    assert [one.location for one in inspect(tmp_path)[0]] == ["a.txt:3"]


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    for folder in (".git", "web/node_modules/x", "vendor", "__pycache__"):
        write(tmp_path / folder / "a.txt", STRIPE)
    write(tmp_path / "weights.bin", b"\0\1" + STRIPE.encode())
    os.mkfifo(tmp_path / "pipe")
    outside = write(tmp_path.parent / f"{tmp_path.name}-outside.txt", STRIPE)
    (tmp_path / "link.txt").symlink_to(outside)
    (tmp_path / "loop").symlink_to(tmp_path)
    findings, inspection = inspect(tmp_path)
    assert findings == []
    assert inspection.files == 0
    told = "\n".join(inspection.skipped)
    for what in (".git:", "web/node_modules:", "vendor:",
                 "pipe: not a regular file", "1 binary files", "1 cache folders",
                 "1 links, not followed"):  # fmt: skip
        assert what in told


def test_a_named_link_is_followed_and_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(write(tmp_path / "real.txt", STRIPE))
    assert len(inspect(tmp_path / "link.txt")[0]) == 1
    os.mkfifo(tmp_path / "pipe")
    assert inspect(tmp_path / "pipe")[1].skipped == ("pipe: not a regular file",)


def test_names_that_are_not_text_can_be_written_anywhere(tmp_path: Path) -> None:
    for name in (b"\xff\xfe.py", b"a\nb.py", "中.py".encode(), b"esc\x1b[2J.py"):
        write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)), STRIPE)
    findings, inspection = inspect(tmp_path)
    assert len(findings) == 4
    orjson.dumps([asdict(one) for one in (*findings, inspection)])
    assert all(one.location.isprintable() for one in findings)
    assert "中.py:1" in [one.location for one in findings]


@pytest.mark.parametrize(
    ("name", "stripe", "pem", "literal"),
    [
        ("app/x.py", "critical", "critical", "medium"),
        ("tests/x.py", "critical", "low", "low"),
        (".gitleaksignore", "critical", "low", "low"),
        ("app/test_x.py", "critical", "low", "low"),
        ("examples/deep/x.py", "critical", "low", "low"),
        ("latest/x.py", "critical", "critical", "medium"),
        ("tests/test_secrets.py", "low", "low", "low"),  # made to be found
        ("src/redact.py", "critical", "critical", "medium"),
        ("SafetyBenchmarks/datasets/x.json", "medium", "medium", "medium"),
        ("datasets.py", "critical", "critical", "medium"),
    ],
)
def test_severity_in_folders_of_tests(
    tmp_path: Path, name: str, stripe: str, pem: str, literal: str
) -> None:
    write(tmp_path / name, "\n".join([STRIPE, key("private-key"), key("secret-literal")]))
    found = {one.rule: one.severity for one in inspect(tmp_path)[0]}
    assert found == {"stripe-key": stripe, "private-key": pem, "secret-literal": literal}


@pytest.mark.parametrize(
    "text",
    [
        f"{STRIPE}  # buttress: allow secret revoked in 2024",
        f"# buttress: allow secret (revoked in 2024)\n{STRIPE}",
        f"// buttress: allow stripe-key: revoked in 2024\n{STRIPE}",
        f"<!-- buttress: allow secret revoked in 2024 -->\n{STRIPE}",
    ],
)
def test_an_allow_comment_with_a_reason(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.txt", text)
    findings, inspection = inspect(tmp_path)
    assert findings == []
    (note,) = inspection.skipped
    assert note.endswith("stripe-key allowed by a comment: revoked in 2024")
    assert STRIPE not in note


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (f"{STRIPE}  # buttress: allow secret", True),
        (f"# buttress: allow secret -->\n{STRIPE}", True),
        (f"# buttress: allow github-token revoked in 2024\n{STRIPE}", False),
        (f"# buttress: allow secret revoked in 2024\n\n{STRIPE}", False),
        (f"{STRIPE}\n# buttress: allow secret revoked in 2024", False),
    ],
)
def test_an_allow_comment_without_reason_or_elsewhere_allows_nothing(
    tmp_path: Path, text: str, remark: bool
) -> None:
    write(tmp_path / "a.txt", text)
    (finding,) = inspect(tmp_path)[0]
    assert ("gives no reason" in finding.message) is remark


def test_a_reason_does_not_tell_the_secret(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", f"{STRIPE} # buttress: allow secret {STRIPE} is old")
    assert "sk_live" not in "".join(inspect(tmp_path)[1].skipped)


def test_findings_in_one_file_are_bounded(tmp_path: Path) -> None:
    lines = [sample("sk_live_{base62:24}", seed) for seed in range(MAX_FINDINGS + 20)]
    write(tmp_path / "a.txt", "\n".join(lines))
    findings, inspection = inspect(tmp_path)
    assert len(findings) == MAX_FINDINGS
    assert inspection.skipped == (
        f"a.txt: {MAX_FINDINGS + 20} findings, of which {MAX_FINDINGS} are told",
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    findings, inspection = inspect(tmp_path)
    assert (findings, inspection.files, inspection.bytes) == ([], 0, 0)
