"""``buttress sign`` and ``buttress verify-model`` as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("model_signing", reason="needs the extra 'signing'")
pytest.importorskip("OpenSSL", reason="needs the extra 'signing'")

from tests.cli.command import buttress
from tests.provenance.keys import certified, key_pair


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/a.bin").write_bytes(b"1")
    (tmp_path / "model/b.bin").write_bytes(b"2")
    return tmp_path / "model"


def test_sign_check_change_check(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    done = buttress("sign", str(model), "--key", str(private))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{model}/model.sig: 2 files of {model} signed\n"
    check = ("verify-model", str(model), "--key", str(public))
    done = buttress(*check)
    assert (done.returncode, done.stdout) == (
        0, f"{model}: valid, 2 files as they were signed\n",
    )  # fmt: skip
    (model / "b.bin").write_bytes(b"3")
    (model / "c.bin").write_bytes(b"3")
    done = buttress(*check)
    assert done.returncode == 1
    assert "NOT VALID" in done.stdout
    assert "  changed: b.bin\n  added: c.bin\n" in done.stdout


def test_certificates_and_a_password(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate, root = certified(tmp_path / "keys")
    out = tmp_path / "out.sig"
    done = buttress(
        "sign", str(model), "--key", str(key), "--certificate", str(certificate),
        "--chain", str(root), "-o", str(out),
    )  # fmt: skip
    assert done.returncode == 0
    done = buttress("verify-model", str(model), "-s", str(out), "--chain", str(root))
    assert (done.returncode, "valid" in done.stdout) == (0, True)
    locked, public = key_pair(tmp_path / "keys", "locked", b"word")
    monkeypatch.setenv("KEY_WORD", "word")
    done = buttress("sign", str(model), "--key", str(locked), "--password-env", "KEY_WORD")
    assert done.returncode == 0
    assert buttress("verify-model", str(model), "--key", str(public)).returncode == 0


def test_a_signature_is_not_replaced_unasked(model: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path / "keys", "k")
    (model / "model.sig").write_text("mine")
    done = buttress("sign", str(model), "--key", str(private))
    assert (done.returncode, (model / "model.sig").read_text()) == (2, "mine")
    assert buttress("sign", str(model), "--key", str(private), "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sign", "{model}"), "--key"),
        (("sign", "no/such", "--key", "{key}"), "no/such"),
        (("sign", "{model}", "--key", "no/such.pem"), "no/such.pem"),
        (("sign", "{model}", "--key", "{key}", "--chain", "{key}"), "--certificate"),
        (("sign", "{model}", "--key", "{key}", "--sigstore"), "--sigstore"),
        (("sign", "{model}", "--key", "{key}", "--password-env", "NO_SUCH"), "NO_SUCH"),
        (("verify-model", "{model}"), "--key"),
        (("verify-model", "{model}", "--key", "{key}"), "public key"),
        (("verify-model", "{model}", "--key", "{pub}"), "model.sig"),
        (("verify-model", "{model}", "--key", "{pub}", "--identity", "a"), "--identity"),
        (("verify-model", "{model}", "--identity", "a"), "--issuer"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    model: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    private, public = key_pair(tmp_path / "keys", "k")
    names = {"model": str(model), "key": str(private), "pub": str(public)}
    done = buttress(*(one.format(**names) for one in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("buttress: error: ")
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
