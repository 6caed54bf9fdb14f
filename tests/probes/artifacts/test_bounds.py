"""Untrusted bytes of every kind: never an exception, never without bound."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.probes.artifacts.issue import RULES
from buttress.probes.artifacts.model_files import PROBE
from buttress.protocols.probe import InspectionProbe
from tests.probes.artifacts.assemble import EVIL, proto, rules, scan, scan_bytes, text, zipped
from tests.probes.artifacts.bait import BAIT
from tests.probes.artifacts.test_configurations import CONFIG, MLMODEL, NET, PMML, TOKENIZER
from tests.probes.artifacts.test_flax import CHECKPOINT
from tests.probes.artifacts.test_graph_files import BUILTIN, GOOD_ONNX, USE
from tests.probes.artifacts.test_keras import HDF5, LAMBDA, model
from tests.probes.artifacts.test_tensor_files import GOOD, NAME, TENSORS, WORDS, gguf, safetensors
from tests.probes.artifacts.wire import (
    core_ml,
    graph_def,
    packed,
    paddle,
    part,
    saved_model,
    tf_node,
    tflite,
)

quick = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
MAGIC = [b"", b"\x80\x04", b"\x80\x02", b"PK\x03\x04", b"GGUF\x03\0\0\0", b"\x93NUMPY\x01\0", HDF5,
         b"\x78\x9c", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"]\0\0", b"(", b"c",
         b"\0" * 7 + b'\0{"',
         b"\x08\x08\x3a", b"\x0a\x05", b"\x81\xa1a", b"\xde\0\3\xa1a", b"\x1c\0\0\0TFL3",
         b'{"auto_map":',
         b"<PMML ", b"<?xml ?><!DOCTYPE net [", b"a: !!python/object:x", b'{"added_tokens": [',
         b"7z\xbc\xaf\x27\x1c\0\4", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"Rar!\x1a\7\1\0",
         b'{"class_name"', b"ZF0x", b"\x10\0\0\0\0\0\0\0{\"a\""]  # fmt: skip


@quick
@given(
    head=st.sampled_from(MAGIC),
    body=st.binary(max_size=600),
    tail=st.sampled_from([b"", b"PK\x05\x06" + bytes(18)]),
)
def test_any_bytes(tmp_path: Path, head: bytes, body: bytes, tail: bytes) -> None:
    scan_bytes(tmp_path, head + body + tail)


OPCODES = b"(.012FIJKLMNPQRSTUVXabcd}eghijl]opqrst)uGBC" + bytes(range(0x80, 0x99))
SNIPPETS = [b"os\nsystem\n", b"1\n", text("os"), text("getattr")]
opcode = st.sampled_from([bytes([one]) for one in OPCODES])
any_opcode = st.one_of(opcode, st.binary(max_size=4), st.sampled_from(SNIPPETS))


@quick
@given(codes=st.lists(any_opcode, max_size=60).map(b"".join))
def test_any_opcodes(tmp_path: Path, codes: bytes) -> None:
    scan_bytes(tmp_path, proto(4) + codes)


def valid_files() -> dict[str, bytes]:
    buffer, single = io.BytesIO(), io.BytesIO()
    np.savez(buffer, a=np.ones(3), b=np.array([{}], dtype=object))
    np.save(single, np.ones(5))
    return {
        "pickle": pickle.dumps([{"a": np.ones(3)}, 1.5, "x" * 300]),
        "zip": zipped({"a/data.pkl": EVIL, "b": b"x" * 99}, zipfile.ZIP_DEFLATED),
        "npz": buffer.getvalue(),
        "npy": single.getvalue(),
        "safetensors": safetensors(GOOD),
        "gguf": gguf([NAME, WORDS], TENSORS),
        "keras": zipped({"config.json": model(LAMBDA)}),
        "hdf5": HDF5 + model(LAMBDA),
        "onnx": GOOD_ONNX,
        "saved model": saved_model(
            graph_def(tf_node("a", "Const", text="x"), functions=((tf_node("r", "SaveV2", "a"),),))
        ),
        "core ml": core_ml(
            202, part(1, core_ml(500, part(1, part(1, "l") + part(500, part(10, "C")))))
        ),
        "paddle": paddle("feed", "py_func"),
        "tflite": tflite([BUILTIN], [USE]),
        "flax": packed(CHECKPOINT),
        "config": json.dumps(CONFIG | {"auto_map": {"AutoModel": "m.X"}}).encode(),
        "tokenizer": json.dumps(TOKENIZER).encode(),
        "mlflow": MLMODEL.encode(),
        "pmml": PMML.encode(),
        "openvino": NET.encode(),
        "gzip": gzip.compress(pickle.dumps(list(range(500)))),
    }


FILES = valid_files()


@settings(max_examples=1_200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.floats(0.1, 1),
    joined=st.sampled_from(["", *sorted(FILES)]),
)
def test_damaged_files(
    tmp_path: Path, name: str, changes: list[tuple[float, int]], cut: float, joined: str
) -> None:
    data = bytearray(FILES[name])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    scan_bytes(tmp_path, bytes(data[: int(cut * len(data))]) + FILES.get(joined, b""))


def test_a_truncated_joblib_file_never_raises(tmp_path: Path) -> None:
    import joblib

    path = tmp_path / "x.joblib"
    joblib.dump({"a": np.ones((3, 4)), "b": np.array(["x", None], dtype=object)}, path)
    data = path.read_bytes()
    for end in range(0, len(data), 7):
        scan_bytes(tmp_path, data[:end])
        scan_bytes(tmp_path, data[:end] + b"\xff" + data[end + 1 :])


def test_bait_is_digested_in_little_memory(tmp_path: Path) -> None:
    """All of it in one process, whose peak of memory is what the claim is about."""
    for name, build in BAIT.items():
        (tmp_path / name).write_bytes(build())
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from buttress.probes.artifacts.model_files import PROBE\n"
        "from buttress.protocols.inspection import InspectionContext\n"
        "places = [InspectionContext.at('a', p) for p in Path(sys.argv[1]).iterdir()]\n"
        "found = [r for one in places for r in PROBE.inspect(one)]\n"
        "rules = sorted({r.rule for r in found if hasattr(r, 'rule')})\n"
        "seen = [r for r in found if hasattr(r, 'files')]\n"
        "files = sum(r.files for r in seen)\n"
        "files += sum(int(n.split()[0]) for r in seen for n in r.skipped if 'no format' in n)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "peak = int(status.partition('VmHWM:')[2].split()[0]) // 1024\n"
        "print(json.dumps([peak, files, rules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    peak, files, found = json.loads(done.stdout)
    assert files == len(BAIT)
    assert peak < 200, f"{peak} MB"
    assert {"pickle-too-complex", "pickle-broken", "archive-nesting", "archive-bomb"} <= set(found)


def test_what_lies_behind_a_flood_is_found(tmp_path: Path) -> None:
    floods = [
        "marks",
        "nones",
        "duplicates",
        "texts",
        "memo",
        "memo out of order",
        "deep tuples",
        "imports",
    ]
    for name in floods:
        findings = scan_bytes(tmp_path, BAIT[name]() + EVIL[2:])
        assert "pickle-dangerous-import" in rules(findings), name


def test_it_is_an_inspection_probe() -> None:
    assert isinstance(PROBE, InspectionProbe)
    assert PROBE.id == "model-files"
    for name, rule in RULES.own.items():
        assert name == name.lower(), name
        assert rule.remedy.endswith("."), name
        assert any(one.startswith("CWE-") for one in rule.references), name


def test_folders(tmp_path: Path) -> None:
    inside, outside = tmp_path / "model", tmp_path / "outside"
    (inside / "deep/er").mkdir(parents=True)
    (inside / ".git").mkdir()
    outside.mkdir()
    for path in (inside / "deep/er/w.bin", outside / "o.bin", inside / ".git/x"):
        path.write_bytes(EVIL)
    (inside / "README.md").write_text("hello")
    (inside / "empty").write_bytes(b"")
    (inside / "link").symlink_to(outside / "o.bin")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "same").symlink_to(inside / "deep/er/w.bin")
    os.mkfifo(inside / "pipe")
    findings, inspection = scan(inside)
    assert [one.location.partition("@")[0] for one in findings] == ["deep/er/w.bin"]
    assert inspection.files == 1  # two are of no known format
    skipped = "; ".join(inspection.skipped)
    assert ".git/" in skipped
    assert "2 links that lead out" in skipped
    assert "1 sockets, pipes or devices" in skipped
    assert "1 file of no format" in skipped or "2 files of no format" in skipped
    # A link that the user names is followed.
    assert rules(scan(inside / "link")[0]) == {"pickle-dangerous-import"}


@pytest.mark.parametrize("name", ["missing", "."])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    findings, inspection = scan(tmp_path / name)
    assert findings == []
    assert inspection.files == 0


def test_unreadable_parts_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(20))
    _, inspection = scan(tmp_path)
    assert any("rar is not read" in one for one in inspection.skipped)


def test_an_unknown_escape_in_a_string_says_nothing_on_our_behalf(tmp_path: Path) -> None:
    """Warnings are errors in the tests; a user would see them among the findings."""
    system = b"S'o\\x73'\nS'\\u system'\n"
    assert not scan_bytes(tmp_path, system + b"\x86.", "escapes.pkl")
    called = b"cos\nsystem\n(S'\\u id'\ntR."
    assert rules(scan_bytes(tmp_path, called, "called.pkl"))
