"""Signed packs: whose they are, what is refused, and that tampering shows at each use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from buttress.cli.main import main
from buttress.errors import InputError
from buttress.packs import home, signature, where
from buttress.packs.seal import seal
from tests.packs.making import SECRETS, make, zipped
from tests.provenance.keys import key_pair


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home/packs"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    return key_pair(tmp_path / "keys", "acme-security")


def signed(folder: Path, key: Path, version: str = "1.0.0") -> Path:
    make(folder, version=version)
    signature.sign(folder, key)
    return folder


def trust(tmp_path: Path, keys: tuple[Path, Path]) -> Path:
    """A signed pack, installed, its key trusted."""
    folder = signed(tmp_path / "p", keys[0])
    home.install(folder, replace=False, trust=keys[1])
    return folder


def test_through_the_command_line(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, (private, public) = make(tmp_path / "p"), keys
    assert main(["pack", "sign", str(folder), "--key", str(private)]) == 0
    assert main(["pack", "verify", str(folder), "--trust", str(public)]) == 0
    assert "signed by acme-security (key " in capsys.readouterr().out
    assert main(["pack", "install", str(folder)]) == 2  # nobody trusts the key yet
    assert "is by no key that is trusted" in capsys.readouterr().err
    assert main(["pack", "install", str(folder), "--trust", str(public)]) == 0
    assert main(["pack", "list"]) == 0
    assert "signed by acme-security (key " in capsys.readouterr().out
    assert (where.keys() / "acme-security.pem").read_bytes() == public.read_bytes()
    assert main(["pack", "remove", "acme"]) == 0
    assert main(["pack", "install", str(folder), "--require-signature"]) == 0
    assert main(["pack", "verify", "acme", "--require-signature"]) == 0


def test_a_key_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = key_pair(tmp_path / "keys", "k", b"secret", ec.SECP384R1())
    folder = make(tmp_path / "p")
    given = ["pack", "sign", str(folder), "--key", str(private)]
    assert main(given) == 2
    assert main([*given, "--password-env", "NO_SUCH"]) == 2
    monkeypatch.setenv("KEY_PASSWORD", "secret")
    assert main([*given, "--password-env", "KEY_PASSWORD"]) == 0
    installed, _ = home.install(zipped(folder, tmp_path / "a.zip"), replace=False, trust=public)
    assert installed.signer is not None
    assert home.load("acme").signer == installed.signer


def test_an_unsigned_pack_where_signatures_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, Path]
) -> None:
    folder = make(tmp_path / "p")
    for given in (["--require-signature"], ["--trust", str(keys[1])]):
        assert main(["pack", "install", str(folder), *given]) == 2
        assert main(["pack", "verify", str(folder), *given]) == 2
    home.install(folder, replace=False)
    monkeypatch.setenv(signature.REQUIRE, "1")
    with pytest.raises(InputError, match="is not signed"):
        home.load("acme")
    with pytest.raises(InputError, match="is not signed"):
        home.install(folder, replace=True)
    monkeypatch.setenv(signature.REQUIRE, "0")
    assert home.load("acme").signer is None


def test_what_was_changed_after_it_was_signed_is_not_installed(
    tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    folder = signed(tmp_path / "p", keys[0])
    path = folder / "rules/secrets.yaml"
    path.write_text(SECRETS.replace("Revoke it", "Ignore it"))
    with pytest.raises(InputError, match="is not the file that"):
        home.install(folder, replace=False, trust=keys[1])
    seal(folder)
    with pytest.raises(InputError, match=r"pack\.yaml is not as it was signed"):
        home.install(folder, replace=False, trust=keys[1])
    assert where.ids() == []
    assert signature.trusted() == []


def test_the_signature_of_another_pack(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    one, two = signed(tmp_path / "1", keys[0]), make(tmp_path / "2", version="2.0.0")
    shutil.copy(one / signature.SIGNATURE, two / signature.SIGNATURE)
    with pytest.raises(InputError, match="is not as it was signed"):
        home.install(two, replace=False, trust=keys[1])


def test_another_key(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    folder = signed(tmp_path / "p", keys[0])
    other = key_pair(tmp_path / "keys", "other")
    with pytest.raises(InputError, match="is by no key that is trusted"):
        home.install(folder, replace=False, trust=other[1])
    signature.keep(other[1])
    with pytest.raises(InputError, match="is by no key that is trusted"):
        home.install(folder, replace=False)
    signature.keep(keys[1])
    signer = home.install(folder, replace=False)[0].signer
    assert signer is not None
    assert signer.name == "acme-security"


def test_another_signer_needs_replace(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    trust(tmp_path, keys)
    other = key_pair(tmp_path / "keys", "other")
    theirs = signed(tmp_path / "2", other[0], "2.0.0")
    with pytest.raises(InputError, match=r"is signed by other, and acme 1\.0\.0 by acme-security"):
        home.install(theirs, replace=False, trust=other[1])
    with pytest.raises(InputError, match="is signed by nobody"):
        home.install(make(tmp_path / "3", version="3.0.0"), replace=False)
    assert str(home.load("acme").manifest.version) == "1.0.0"
    home.install(theirs, replace=True, trust=other[1])
    ours = signed(tmp_path / "4", other[0], "4.0.0")
    assert home.install(ours, replace=False)[0].signer == home.load("acme").signer


def test_tampering_with_an_installed_pack(
    tmp_path: Path, own_home: Path, keys: tuple[Path, Path]
) -> None:
    trust(tmp_path, keys)
    inside = own_home / "acme"
    (inside / "rules/secrets.yaml").write_text(SECRETS.replace("Revoke it", "Ignore it"))
    with pytest.raises(InputError, match="is not the file that"):
        home.load("acme")
    seal(inside)
    with pytest.raises(InputError, match=r"pack\.yaml is not as it was signed"):
        home.load("acme")
    (inside / signature.SIGNATURE).unlink()
    with pytest.raises(InputError, match="that signature is gone"):
        home.load("acme")
    (inside / signature.SIGNATURE).write_text("{}")
    with pytest.raises(InputError, match="no Sigstore bundle"):
        home.load("acme")


def test_a_key_that_is_trusted_no_more(
    tmp_path: Path, own_home: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(tmp_path, keys)
    monkeypatch.setattr(home, "__version__", "0.1.99")  # all is verified again
    assert home.load("acme").signer is not None
    (where.keys() / "acme-security.pem").unlink()
    with pytest.raises(InputError, match="is by no key that is trusted"):
        home.load("acme")


@pytest.mark.parametrize("record", [b"", b"[]", b"{", b'{"signer": 3}', b'{"signer": {"name": 1}}'])
def test_any_record_leads_to_a_check(
    tmp_path: Path, own_home: Path, keys: tuple[Path, Path], record: bytes
) -> None:
    trust(tmp_path, keys)
    path = own_home / "acme/.verified.json"
    before = json.loads(path.read_bytes())
    path.write_bytes(record)
    signer = home.load("acme").signer
    assert signer is not None
    assert signer.name == "acme-security"
    assert json.loads(path.read_bytes()) == before


def test_keys_that_are_none(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    folder = make(tmp_path / "p")
    bad = tmp_path / "bad.pem"
    bad.write_text("hello")
    other = tmp_path / "ed25519.pem"
    private = ed25519.Ed25519PrivateKey.generate()
    other.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for key in (bad, other, tmp_path / "none.pem"):
        assert main(["pack", "sign", str(folder), "--key", str(key)]) == 2
    assert not (folder / signature.SIGNATURE).exists()
    signature.sign(folder, keys[0])
    for key in (bad, tmp_path / "none.pem", tmp_path):
        with pytest.raises(InputError):
            home.install(folder, replace=False, trust=key)
    with pytest.raises(InputError, match="misses its positive"):
        signature.sign(make(tmp_path / "q", {"s.yaml": ("secret-rules", SECRETS.replace(
            "32}", "31}", 1))}), keys[0])  # fmt: skip


def test_sealing_a_signed_pack_says_that_it_must_be_signed_again(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = signed(tmp_path / "p", keys[0])
    assert main(["pack", "seal", str(folder)]) == 0
    assert "sign the pack again" not in capsys.readouterr().out
    (folder / "rules/secrets.yaml").write_text(SECRETS + "# More.\n")
    assert main(["pack", "seal", str(folder)]) == 0
    assert "sign the pack again" in capsys.readouterr().out
    assert main(["pack", "sign", str(folder), "--key", str(keys[0])]) == 0
    assert main(["pack", "verify", str(folder), "--trust", str(keys[1])]) == 0
