"""Sigstore signatures, offline: an instance of our own, and everything that must be refused."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("model_signing", reason="needs the extra 'signing'")
pytest.importorskip("OpenSSL", reason="needs the extra 'signing'")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.signature_probe import PROBE
from buttress.provenance.signing import PrivateKey, sign
from buttress.provenance.sigstore_trust import client_trust
from buttress.provenance.verification import Identity, SignatureVerification, verify
from tests.provenance.keys import key_pair
from tests.provenance.sigstore_instance import (
    Authority,
    CertificateLog,
    Instance,
    Key,
    SignatureLog,
    b64,
    new_key,
    signed,
)
from tests.provenance.sigstore_services import served, token

WHO, ISSUER = "trainer@models.test", "https://issuer.test"
Bundle = dict[str, Any]


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks another machine fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        assert address[0] == "127.0.0.1", f"asks {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@dataclass
class Case:
    """A model, what a signer says of it, an instance, and a file with its trusted root."""

    model: Path
    statement: bytes
    instance: Instance
    trust: Path

    @property
    def signature(self) -> Path:
        return self.model / "model.sig"

    def put(self, bundle: Bundle) -> None:
        self.signature.write_text(json.dumps(bundle))

    def sign(self, identity: str = WHO, issuer: str = ISSUER, **how: Any) -> None:
        self.put(self.instance.bundle(self.statement, identity, issuer, **how))

    def check(self, identity: str = WHO, issuer: str = ISSUER) -> SignatureVerification:
        return verify(self.model, self.signature, Identity(identity, issuer, self.trust))

    def command(self, identity: str = WHO, issuer: str = ISSUER, trust: Path | None = None) -> int:
        options = ["--identity", identity, "--issuer", issuer, "--trust", str(trust or self.trust)]
        return main(["verify-model", str(self.model), *options])


@pytest.fixture
def case(instance: Instance, tmp_path: Path) -> Case:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub/model.safetensors").write_bytes(bytes(range(256)) * 40)
    private, _ = key_pair(tmp_path / "keys", "k")
    sign(folder, folder / "model.sig", PrivateKey(private))  # for its statement only
    envelope = json.loads((folder / "model.sig").read_text())["dsseEnvelope"]
    (folder / "model.sig").unlink()
    trust = tmp_path / "trusted_root.json"
    trust.write_text(json.dumps(instance.trusted_root()))
    return Case(folder, base64.b64decode(envelope["payload"]), instance, trust)


@pytest.mark.parametrize("who", [WHO, "https://ci.test/o/r/.github/workflows/train.yml@refs/t/1"])
def test_the_right_identity_is_accepted(
    who: str, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.sign(who)
    whole = tmp_path / "client.json"
    whole.write_text(json.dumps(case.instance.client_trust()))
    for file in (case.trust, whole):
        assert case.command(who, trust=file) == 0
        assert "valid, 2 files as they were signed" in capsys.readouterr().out


def test_another_identity_or_issuer_is_refused(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    case.sign()
    assert case.command("other@models.test") == 1
    assert "SANs do not match other@models.test" in capsys.readouterr().out
    assert case.command(issuer="https://issuer.test.evil") == 1
    assert "does not match" in capsys.readouterr().out
    # Not a part of a name either, nor another case, nor none.
    for near in ("trainer@models", "TRAINER@models.test", "", "*@models.test"):
        assert case.check(near).status != "valid"
    for near in ("https://issuer.tes", "issuer.test", "https://issuer.test/"):
        assert case.check(issuer=near).status != "valid"


def test_files_that_differ_are_named(case: Case) -> None:
    case.sign()
    (case.model / "config.json").write_text("{ }")
    assert case.check().altered == ("config.json",)
    (case.model / "config.json").write_text("{}")
    (case.model / "sub/extra.py").write_text("")
    assert case.check().added == ("sub/extra.py",)
    (case.model / "sub/extra.py").unlink()
    (case.model / "sub/model.safetensors").unlink()
    result = case.check()
    assert (result.status, result.removed) == ("changed", ("sub/model.safetensors",))


def entry(bundle: Bundle) -> dict[str, Any]:
    found: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return found


def _resigned(bundle: Bundle, _: Instance) -> None:
    """Signed again with a key that the certificate isn't for."""
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    kind = bundle["dsseEnvelope"]["payloadType"]
    data = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = b64(signed(new_key(), data))


def _payload(bundle: Bundle, _: Instance) -> None:
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload["predicate"]["resources"].pop()
    bundle["dsseEnvelope"]["payload"] = b64(json.dumps(payload).encode())


def _later(bundle: Bundle, _: Instance) -> None:
    entry(bundle)["integratedTime"] = str(int(entry(bundle)["integratedTime"]) + 1)


def _promise(bundle: Bundle, instance: Instance) -> None:
    forged = signed(instance.certificates.key, b"anything")
    entry(bundle)["inclusionPromise"]["signedEntryTimestamp"] = b64(forged)


def _no_promise(bundle: Bundle, _: Instance) -> None:
    del entry(bundle)["inclusionPromise"]


def _path(bundle: Bundle, _: Instance) -> None:
    entry(bundle)["inclusionProof"]["hashes"][0] = b64(bytes(32))


def _checkpoint(bundle: Bundle, _: Instance) -> None:
    proof = entry(bundle)["inclusionProof"]
    proof["checkpoint"]["envelope"] = proof["checkpoint"]["envelope"].replace("log", "lag", 1)


def _no_checkpoint(bundle: Bundle, _: Instance) -> None:
    del entry(bundle)["inclusionProof"]["checkpoint"]


def _no_entry(bundle: Bundle, _: Instance) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = []


def _entry_of_another(bundle: Bundle, instance: Instance) -> None:
    """A good entry of the log, but for another signature over the same statement."""
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    other = instance.bundle(payload, WHO, ISSUER)
    bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]


def _certificate_of_another(bundle: Bundle, instance: Instance) -> None:
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    other = instance.bundle(payload, WHO, ISSUER)
    bundle["verificationMaterial"]["certificate"] = other["verificationMaterial"]["certificate"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_resigned, "invalid signature"), (_payload, "invalid signature"),
        (_later, "inclusion promise"), (_promise, "inclusion promise"),
        (_no_promise, "inclusion promise or signed timestamp"),
        (_path, "invalid root hash"), (_checkpoint, "checkpoint: invalid signature"),
        (_no_checkpoint, "checkpoint"), (_no_entry, "exactly one log entry"),
        (_entry_of_another, "do not match bundle"), (_certificate_of_another, "invalid signature"),
    ],
)  # fmt: skip
def test_a_bundle_that_was_changed_is_refused(
    change: Callable[[Bundle, Instance], None], told: str, case: Case
) -> None:
    bundle = case.instance.bundle(case.statement, WHO, ISSUER)
    case.put(bundle)
    assert case.check().status == "valid"
    change(bundle, case.instance)
    case.put(bundle)
    result = case.check()
    assert (result.status, told in result.reason) == ("untrusted", True), result.reason


@pytest.mark.parametrize("minutes", [-1, 11])
def test_a_certificate_that_was_not_valid_when_it_was_signed_with_is_refused(
    minutes: int, case: Case
) -> None:
    case.sign(signed_after=dt.timedelta(minutes=minutes))
    result = case.check()
    assert (result.status, "not valid at" in result.reason) == ("untrusted", True), result.reason


def test_a_certificate_that_the_log_did_not_see_is_refused(case: Case) -> None:
    for log in (CertificateLog(), None):  # another log's proof, and none
        case.sign(log=log)
        result = case.check()
        assert (result.status, "SCT" in result.reason) == ("untrusted", True), result.reason


def test_the_proof_for_another_certificate_is_refused(case: Case) -> None:
    class Wrong(CertificateLog):
        def timestamps(self, precertificate: bytes, issuer: Key, time: dt.datetime) -> bytes:
            return super().timestamps(precertificate + b"\0", issuer, time)

    case.sign(log=Wrong(case.instance.certificates.key))
    result = case.check()
    assert (result.status, "SCT verify failed" in result.reason) == ("untrusted", True)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"authority": Authority()}, "certificate chain"),
        ({"certificates": CertificateLog()}, "SCT"),
        ({"signatures": SignatureLog()}, "log"),
    ],
)
def test_keys_that_the_trusted_root_does_not_hold_are_refused(
    part: dict[str, Any], told: str, case: Case
) -> None:
    case.put(replace(case.instance, **part).bundle(case.statement, WHO, ISSUER))
    result = case.check()
    assert (result.status, told in result.reason) == ("untrusted", True), result.reason


def test_signing_with_services_on_this_machine(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library's own client asks for the certificate and puts the signature into the log."""
    instance = Instance()
    with served(instance) as asked:
        case.trust.write_text(json.dumps(instance.client_trust()))
        monkeypatch.setenv("TOKEN", token("ci@models.test", ISSUER))
        arguments = ["--sigstore", "--identity-token-env", "TOKEN", "--trust", str(case.trust)]
        assert main(["sign", str(case.model), *arguments]) == 0
    assert "2 files" in capsys.readouterr().out
    assert asked == [
        "/.well-known/openid-configuration", "/api/v2/signingCert", "/api/v1/log/entries",
    ]  # fmt: skip
    assert case.command("ci@models.test") == 0  # the services are gone by now
    assert case.command(WHO) == 1
    case.signature.unlink()
    assert main(["sign", str(case.model), *arguments]) == 2
    assert not case.signature.exists()


def test_the_probe_with_an_identity(case: Case) -> None:
    case.sign()
    right = PROBE.with_options(identity=WHO, issuer=ISSUER, trust=str(case.trust))
    other = PROBE.with_options(identity="x@y.test", issuer=ISSUER, trust=str(case.trust))
    *findings, _ = right.inspect(InspectionContext.at("weights", case.model))
    assert findings == []
    first, _ = other.inspect(InspectionContext.at("weights", case.model))
    assert isinstance(first, Finding)
    assert (first.rule, first.severity) == ("signature-invalid", "critical")


def test_options_of_the_probe_that_do_not_go_together(case: Case) -> None:
    for values in (
        {"identity": WHO, "issuer": ISSUER},
        {"trust": str(case.trust)},
        {"public_key": str(case.trust), "identity": WHO},
        {"identity": WHO, "issuer": ISSUER, "trust": str(case.model / "config.json")},
    ):
        with pytest.raises(InputError):
            PROBE.with_options(**values)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"mediaType": 1}', b'{"a": 1, "a": 2}', b"[" * 9999]
)
def test_a_file_that_is_no_trusted_root(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "trust.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="expected a Sigstore trusted root"):
        client_trust(file)
    with pytest.raises(InputError, match="No such file"):
        client_trust(tmp_path / "none")


@given(st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_a_damaged_trusted_root_is_told_and_trusts_no_stranger(
    case: Case, data: st.DataObject
) -> None:
    root = case.instance.trusted_root()
    place: Any = root
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else [0]))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(st.sampled_from([None, 1, "x", [], {}, "AAAA"]))
            break
        place = place[key]
    case.trust.write_text(json.dumps(root))
    case.put(Instance().bundle(case.statement, WHO, ISSUER))
    try:
        result = case.check()
    except InputError as error:
        told = str(error)
    else:
        assert result.status == "untrusted"
        told = result.reason
    assert told
    assert "\n" not in told
