"""The probe on model folders: unsigned, valid, changed, from somebody else, not readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress import extension
from buttress.evidence.findings import Finding, Inspection
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from buttress.provenance.signature_probe import PROBE, ModelSignature


def inspect(path: Path, probe: ModelSignature = PROBE) -> tuple[list[Finding], Inspection]:
    *findings, inspection = probe.inspect(InspectionContext.at("weights", path))
    return findings, inspection  # type: ignore[return-value]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "a.safetensors").write_bytes(b"weights")
    return folder


def test_it_is_registered() -> None:
    assert extension.load("probes", "model-signature") is PROBE
    assert isinstance(PROBE, InspectionProbe)


def test_unsigned_weights(model: Path) -> None:
    (model / "b.gguf").write_bytes(b"GGUF")
    (finding,), inspection = inspect(model)
    assert (finding.rule, finding.severity) == ("model-unsigned", "low")
    assert "a.safetensors, b.gguf" in finding.message
    assert inspection.files == 3
    assert inspect(model / "config.json")[0] == []
    assert [one.location for one in inspect(model / "b.gguf")[0]] == ["b.gguf"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 100, b'{"mediaType": 1}', b"[" * 100_000])
def test_a_signature_that_can_not_be_read(model: Path, content: bytes) -> None:
    (model / "model.sig").write_bytes(content)
    rules = {one.rule: one.severity for one in inspect(model)[0]}
    assert rules == {"signature-unreadable": "medium", "model-unsigned": "low"}


def test_signed_models(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("model_signing", reason="needs the extra 'signing'")
    pytest.importorskip("OpenSSL", reason="needs the extra 'signing'")
    from buttress.provenance.signing import PrivateKey, sign
    from buttress.provenance.verification import PublicKey
    from tests.provenance.keys import key_pair

    private, public = key_pair(tmp_path / "keys", "k")
    _, other = key_pair(tmp_path / "keys", "other")
    sign(model, model / "model.sig", PrivateKey(private))
    trusting = ModelSignature(PublicKey(public))
    assert inspect(model, trusting)[0] == []
    findings, inspection = inspect(model)
    assert findings == []
    assert inspection.skipped == ("model.sig: no key to check it with was given, only names were",)
    (finding,) = inspect(model, ModelSignature(PublicKey(other)))[0]
    assert (finding.rule, finding.severity) == ("signature-invalid", "critical")
    (model / "a.safetensors").write_bytes(b"tampered")
    (finding,) = inspect(model, trusting)[0]
    assert (finding.rule, finding.location) == ("model-changed", "model.sig")
    assert finding.message.endswith(": a.safetensors.")
    assert inspect(model)[0] == []
    (model / "a.safetensors").unlink()
    (finding,) = inspect(model)[0]
    assert (finding.rule, finding.severity) == ("model-changed", "medium")
    skipped = inspect(model, ModelSignature(PublicKey(tmp_path / "none")))[1].skipped
    assert "No such file" in skipped[0]
