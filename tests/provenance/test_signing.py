"""Models signed and checked: who signed, and which files differ."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("model_signing", reason="needs the extra 'signing'")
pytest.importorskip("OpenSSL", reason="needs the extra 'signing'")

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.provenance.signed_manifest import BundleError, read
from buttress.provenance.signing import Certificate, PrivateKey, Signer, sign
from buttress.provenance.verification import Authorities, Identity, PublicKey, Trust, verify
from tests.provenance.keys import certified, key_pair


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "deep/er").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 100)
    (folder / "deep/er/a:0:2.bin").write_bytes(b"\0\1")
    (folder / "中文 file.txt").write_text("x")
    (folder / ".git/config").write_text("[core]")
    return folder


@pytest.fixture(params=["P-256", "P-384", "P-521", "password", "certificate"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Signer, Trust]:
    """Every way of signing, with what trusts it."""
    if request.param == "certificate":
        key, certificate, root = certified(tmp_path / "keys")
        return Certificate(key, certificate), Authorities((root,))
    curve = {"P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}.get(request.param)
    password = "pässword" if request.param == "password" else None
    private, public = key_pair(
        tmp_path / "keys", "k", password.encode() if password else None, curve
    )
    return PrivateKey(private, password), PublicKey(public)


def test_what_was_signed_is_valid(model: Path, signer: tuple[Signer, Trust]) -> None:
    signed = sign(model, model / "model.sig", signer[0])
    names = {"config.json", "model.safetensors", "deep/er/a:0:2.bin", "中文 file.txt"}
    assert signed.files == names
    result = verify(model, model / "model.sig", signer[1])
    assert (result.status, result.files, result.uncovered) == ("valid", 4, (".git",))


def test_the_files_that_differ_are_named(model: Path, signer: tuple[Signer, Trust]) -> None:
    sign(model, model / "model.sig", signer[0])
    (model / "config.json").write_text("{ }")
    (model / "deep/er/a:0:2.bin").unlink()
    (model / "deep/new.py").write_text("")
    result = verify(model, model / "model.sig", signer[1])
    assert result.status == "changed"
    assert (result.altered, result.added, result.removed) == (
        ("config.json",), ("deep/new.py",), ("deep/er/a:0:2.bin",)
    )  # fmt: skip


@pytest.mark.parametrize("place", [0, 12_345, 25_599])
def test_a_flipped_bit_is_found(model: Path, tmp_path: Path, place: int) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    sign(model, tmp_path / "out.sig", PrivateKey(private))
    weights = bytearray((model / "model.safetensors").read_bytes())
    weights[place] ^= 1
    (model / "model.safetensors").write_bytes(weights)
    assert verify(model, tmp_path / "out.sig", PublicKey(public)).altered == ("model.safetensors",)


def test_a_single_file(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    sign(file, tmp_path / "a.gguf.sig", PrivateKey(private))
    assert verify(file, tmp_path / "a.gguf.sig", PublicKey(public)).status == "valid"
    file.write_bytes(b"GGUG")
    assert verify(file, tmp_path / "a.gguf.sig", PublicKey(public)).altered == ("a.gguf",)


def test_another_key_is_not_trusted(model: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path / "keys", "k")
    _, other = key_pair(tmp_path / "keys", "other")
    sign(model, model / "model.sig", PrivateKey(private))
    result = verify(model, model / "model.sig", PublicKey(other))
    assert (result.status, result.altered) == ("untrusted", ())
    _, _, root = certified(tmp_path / "authority")
    assert verify(model, model / "model.sig", Authorities((root,))).status == "untrusted"


def test_another_authority_is_not_trusted_nor_a_certificate_for_other_uses(
    model: Path, tmp_path: Path
) -> None:
    key, certificate, root = certified(tmp_path / "one")
    _, _, stranger = certified(tmp_path / "two")
    sign(model, model / "model.sig", Certificate(key, certificate))
    assert verify(model, model / "model.sig", Authorities((root,))).status == "valid"
    assert verify(model, model / "model.sig", Authorities((stranger,))).status == "untrusted"
    key, certificate, root = certified(tmp_path / "three", signs=False)
    sign(model, tmp_path / "b.sig", Certificate(key, certificate))
    result = verify(model, tmp_path / "b.sig", Authorities((root,)))
    assert (result.status, "cannot be used for signing" in result.reason) == ("untrusted", True)


def _edit(signature: Path, change: dict[str, Any]) -> None:
    """Change the payload, and leave the signature over it."""
    bundle = json.loads(signature.read_text())
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload["predicate"].update(change)
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    signature.write_text(json.dumps(bundle))


def test_a_manifest_that_was_edited_is_not_trusted(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    signed = sign(model, model / "model.sig", PrivateKey(private))
    how = {"method": "files", "hash_type": "sha256", "ignore_paths": ["config.json"]}
    _edit(model / "model.sig", {"serialization": how})
    (model / "config.json").write_text("other")
    assert len(signed.files) == 4
    assert verify(model, model / "model.sig", PublicKey(public)).status == "untrusted"


def test_links(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"1")
    sign(model, model / "model.sig", PrivateKey(private))
    (model / "link.bin").symlink_to(outside)
    result = verify(model, model / "model.sig", PublicKey(public))
    assert (result.status, result.added) == ("changed", ("link.bin",))
    with pytest.raises(InputError, match=r"link\.bin: is a link"):
        sign(model, tmp_path / "b.sig", PrivateKey(private))
    sign(model, tmp_path / "b.sig", PrivateKey(private), follow_links=True)
    (model / "model.sig").unlink()
    sign(model, model / "model.sig", PrivateKey(private), follow_links=True)
    assert verify(model, model / "model.sig", PublicKey(public)).status == "valid"
    outside.write_bytes(b"2")
    assert verify(model, model / "model.sig", PublicKey(public)).altered == ("link.bin",)


def test_paths_that_are_ignored_are_told(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    signed = sign(model, model / "model.sig", PrivateKey(private), ignore=["deep"])
    assert signed.files == {"config.json", "model.safetensors", "中文 file.txt"}
    (model / "deep/new").write_text("")
    result = verify(model, model / "model.sig", PublicKey(public))
    assert (result.status, result.uncovered) == ("valid", (".git", "deep"))
    for path in ("../keys", "/etc", "."):
        with pytest.raises(InputError, match="does not lie inside"):
            sign(model, model / "model.sig", PrivateKey(private), ignore=[path])


def test_a_signature_of_another_writer_in_shards(model: Path, tmp_path: Path) -> None:
    from model_signing import hashing, signing

    private, public = key_pair(tmp_path / "keys", "k")
    (model / "deep/er/a:0:2.bin").unlink()  # the library takes names apart at colons
    (model / "model.safetensors").write_bytes(bytes(3 << 20))
    hasher = hashing.Config().use_shard_serialization(
        hashing_algorithm="blake2", shard_size=1 << 20
    )
    config = signing.Config().set_hashing_config(hasher)
    config.use_elliptic_key_signer(private_key=private).sign(model, tmp_path / "a.sig")
    assert verify(model, tmp_path / "a.sig", PublicKey(public)).status == "valid"
    with (model / "model.safetensors").open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"\1")
    result = verify(model, tmp_path / "a.sig", PublicKey(public))
    assert (result.status, result.altered) == ("changed", ("model.safetensors",))


def test_sigstore_material_that_vouches_for_nothing(model: Path, tmp_path: Path) -> None:
    """Offline, and with a signature made with a key: nothing of it is a Sigstore identity."""
    private, _ = key_pair(tmp_path / "keys", "k")
    sign(model, model / "model.sig", PrivateKey(private))
    with pytest.raises(InputError, match="--trust: no JSON") as error:
        verify(model, model / "model.sig", Identity("a@b.c", "https://issuer.test", private))
    assert "PRIVATE KEY" not in str(error.value)


def test_a_sigstore_bundle_without_proof_is_not_trusted(model: Path, tmp_path: Path) -> None:
    """Offline, with the public roots that the library brings: a certificate of our own making."""
    import sigstore

    (store,) = Path(sigstore.__file__).parent.glob("_store/*sigstore.dev")
    trust = tmp_path / "trust.json"
    trust.write_text(
        json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": json.loads((store / "trusted_root.json").read_text()),
                "signingConfig": json.loads((store / "signing_config.v0.2.json").read_text()),
            }
        )
    )
    key, certificate, _ = certified(tmp_path / "keys")
    sign(model, model / "model.sig", Certificate(key, certificate))
    bundle = json.loads((model / "model.sig").read_text())
    chain = bundle["verificationMaterial"].pop("x509CertificateChain")
    bundle["verificationMaterial"]["certificate"] = chain["certificates"][0]
    (model / "model.sig").write_text(json.dumps(bundle))
    identity = Identity("Test Signer", "https://issuer.test", trust)
    result = verify(model, model / "model.sig", identity)
    assert (result.status, "\n" in result.reason) == ("untrusted", False)


def test_keys_that_can_not_sign(model: Path, tmp_path: Path) -> None:
    locked, public = key_pair(tmp_path / "keys", "k", b"secret")
    curve, _ = key_pair(tmp_path / "keys", "curve", curve=ec.SECP256K1())
    inside, _ = key_pair(model, "inside")
    out = model / "model.sig"
    for key, told in (
        (PrivateKey(locked), "no key that can sign"),
        (PrivateKey(locked, "wrong"), "no key that can sign"),
        (PrivateKey(public), "no key that can sign"),
        (PrivateKey(curve), "Unsupported key"),
        (PrivateKey(tmp_path / "missing.pem"), "No such file"),
        (PrivateKey(inside), "lies inside the model"),
    ):
        with pytest.raises(InputError, match=told):
            sign(model, out, key)
    assert not out.exists()
    key, certificate, _ = certified(tmp_path / "other")
    with pytest.raises(InputError, match="does not match"):
        sign(model, out, Certificate(key_pair(tmp_path / "keys", "x")[0], certificate))
    with pytest.raises(InputError, match="No such file"):
        sign(model, tmp_path / "no/such/a.sig", PrivateKey(key))


@given(st.binary(max_size=300))
def test_anything_that_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        read(data)


@given(st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_a_damaged_signature_never_verifies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    model, bundle, public = _signed(tmp_path_factory)
    place = data.draw(st.integers(0, len(bundle) - 1))
    damaged = bytearray(bundle)
    damaged[place] = data.draw(st.integers(0, 255).filter(lambda one: one != bundle[place]))
    signature = model.parent / "damaged.sig"
    signature.write_bytes(damaged)
    result = verify(model, signature, PublicKey(public))
    # Some bytes mean nothing: spaces, names of fields that no verifier reads.
    if result.status == "valid":
        assert read(bytes(damaged)).digests == read(bundle).digests
    else:
        assert result.status in ("untrusted", "unreadable")
        assert "\n" not in result.reason


_MADE: dict[str, tuple[Path, bytes, Path]] = {}


def _signed(factory: pytest.TempPathFactory) -> tuple[Path, bytes, Path]:
    if not _MADE:
        folder = factory.mktemp("signed")
        (folder / "model").mkdir()
        (folder / "model/a").write_text("a")
        private, public = key_pair(folder / "keys", "k")
        sign(folder / "model", folder / "a.sig", PrivateKey(private))
        _MADE["one"] = folder / "model", (folder / "a.sig").read_bytes(), public
    return _MADE["one"]
