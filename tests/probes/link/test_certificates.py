"""Findings on chains of certificates: each defect alone, and none for a sound chain."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from buttress.probes.link import certificates
from tests.probes.link.authority import NOW, Issued, access, issue, ocsp_answer

HOST = "shop.example"
ROOT = issue("Root of the tests", authority=True)
BETWEEN = issue("Intermediate of the tests", ROOT, authority=True)


@pytest.fixture(autouse=True)
def _trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    file = tmp_path / "roots.pem"
    file.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    certificates.trusted_roots.cache_clear()
    yield
    certificates.trusted_roots.cache_clear()


def rules(chain: list[bytes], host: str = HOST, staple: bytes = b"") -> dict[str, str]:
    found = certificates.findings("https://h", host, chain, staple, NOW)
    return {one.rule: one.severity for one in found}


def sent(one: Issued) -> list[bytes]:
    return [one.der, *(each.public_bytes(Encoding.DER) for each in one.chain)]


def leaf(**options: object) -> Issued:
    return issue("shop", BETWEEN, **{"names": [HOST], **options})  # type: ignore[arg-type]


def test_a_sound_chain_has_no_finding() -> None:
    assert rules(sent(leaf())) == {}
    assert rules([*sent(leaf()), ROOT.der]) == {}


def test_a_root_alone_may_sign() -> None:
    assert rules([issue("shop", ROOT, names=[HOST]).der]) == {}


@pytest.mark.parametrize(
    ("host", "names", "matching"),
    [
        ("shop.example", ["SHOP.example"], True),
        ("shop.example.", ["shop.example"], True),
        ("a.shop.example", ["*.shop.example"], True),
        ("api.b.shop.example.", ["*.b.shop.example"], True),
        ("a.b.shop.example", ["*.shop.example"], False),
        ("shop.example", ["*.shop.example"], False),
        ("a.shop.example", ["a*.shop.example"], False),
        ("example", ["*"], False),
        ("bücher.example", ["xn--bcher-kva.example"], True),
        ("127.0.0.1", ["127.0.0.1"], True),
        ("127.0.0.1", ["localhost"], False),
        ("::1", ["0:0:0:0:0:0:0:1"], True),
        ("shop.example", [], False),  # the common name does not count
    ],
)
def test_names(host: str, names: list[str], matching: bool) -> None:
    chain = sent(issue("shop.example", BETWEEN, names=names))
    assert ("certificate-name-mismatch" not in rules(chain, host)) is matching


@pytest.mark.parametrize(
    ("days", "rule", "severity"),
    [
        ((-20, -1), "certificate-expired", "high"),
        ((2, 90), "certificate-expired", "high"),
        ((-20, 5), "certificate-expires-soon", "low"),
    ],
)
def test_times(days: tuple[int, int], rule: str, severity: str) -> None:
    assert rules(sent(leaf(days=days))) == {rule: severity}


def test_an_intermediate_that_ended() -> None:
    between = issue("Old", ROOT, authority=True, days=(-20, -1))
    assert rules(sent(issue("shop", between, names=[HOST]))) == {"certificate-expired": "high"}


def test_short_keys() -> None:
    for bits, severity in ((1024, "high"), (1536, "medium")):
        key = rsa.generate_private_key(65537, bits)
        assert rules(sent(leaf(key=key))) == {"certificate-weak-key": severity}
    assert rules(sent(leaf(key=ec.generate_private_key(ec.SECP192R1())))) == {
        "certificate-weak-key": "medium"
    }


def test_what_signed_itself() -> None:
    assert rules([issue("shop", names=[HOST]).der]) == {"certificate-self-signed": "medium"}


def test_an_intermediate_that_is_not_sent() -> None:
    found = rules([leaf(extensions=[access("issuer", "http://ca.example/between.crt")]).der])
    assert found == {"certificate-chain-incomplete": "medium"}


def test_a_private_authority_that_is_not_trusted_here() -> None:
    other = issue("Another root", authority=True)
    alone = issue("shop", other, names=[HOST])
    assert rules([alone.der]) == {"certificate-untrusted": "medium"}
    assert rules([alone.der, other.der]) == {"certificate-untrusted": "medium"}


def test_an_issuer_of_the_right_name_and_another_key() -> None:
    false = issue("Intermediate of the tests", ROOT, authority=True)
    assert rules([leaf().der, false.der]) == {"certificate-chain-invalid": "high"}


def test_a_chain_in_disorder_is_still_a_chain() -> None:
    deep = issue("Second intermediate", BETWEEN, authority=True)
    shop = issue("shop", deep, names=[HOST])
    between = BETWEEN.certificate.public_bytes(Encoding.DER)
    assert rules([shop.der, between, deep.der]) == {}


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


@pytest.mark.parametrize(
    ("options", "broken"),
    [
        ({"authority": False}, True),
        ({"authority": True, "critical": [_usage(signs=False)]}, True),
        ({"authority": True, "critical": [_usage(signs=True)]}, False),
        ({"authority": True, "critical": [UNKNOWN]}, True),
        ({"authority": True, "extensions": [UNKNOWN]}, False),
        (
            {
                "authority": True,
                "extensions": [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])],
            },
            True,
        ),
    ],
    ids=["a server's", "not for signing", "for signing", "critical", "not critical", "for code"],
)
def test_who_may_sign_certificates(options: dict[str, object], broken: bool) -> None:
    signer = issue("Signer", ROOT, **options)  # type: ignore[arg-type]
    found = rules(sent(issue("shop", signer, names=[HOST])))
    assert found == ({"certificate-chain-invalid": "high"} if broken else {})


def test_an_unknown_critical_extension_of_the_server_itself() -> None:
    assert rules(sent(leaf(critical=[UNKNOWN]))) == {"certificate-chain-invalid": "high"}


def test_how_many_authorities_may_stand_below_another() -> None:
    last = issue("Last authority", ROOT, authority=True, path_length=0)
    assert rules(sent(issue("shop", last, names=[HOST]))) == {}
    below = issue("Below the last", last, authority=True)
    chain = [issue("shop", below, names=[HOST]).der, below.der, last.der]
    assert rules(chain) == {"certificate-chain-invalid": "high"}


@pytest.mark.parametrize(
    ("permitted", "excluded", "names", "broken"),
    [
        (["example"], [], [HOST], False),
        ([HOST], [], [HOST], False),
        (["other.example"], [], [HOST], True),
        (["hop.example"], [], [HOST], True),
        (["shop.example"], [], [HOST, "bank.example"], True),
        ([], ["shop.example"], [HOST, "a.example"], True),
        ([], ["bank.example"], [HOST], False),
        (["10.0.0.0/8"], [], [HOST], False),
        (["10.0.0.0/8"], [], [HOST, "10.2.3.4"], False),
        (["10.0.0.0/8"], [], [HOST, "192.0.2.1"], True),
    ],
)
def test_names_that_an_authority_may_not_sign_for(
    permitted: list[str], excluded: list[str], names: list[str], broken: bool
) -> None:
    def subtrees(some: list[str]) -> list[x509.GeneralName] | None:
        made: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_network(one)) if "/" in one else x509.DNSName(one)
            for one in some
        ]
        return made or None

    limits = x509.NameConstraints(subtrees(permitted), subtrees(excluded))
    signer = issue("Bound authority", ROOT, authority=True, critical=[limits])
    found = rules(sent(issue("shop", signer, names=names)))
    assert found == ({"certificate-chain-invalid": "high"} if broken else {})


def _over_sha_1(one: Issued, key: rsa.RSAPrivateKey) -> bytes:
    """The certificate signed again, over SHA-1, which the library makes no certificates with."""
    with_sha_256, with_sha_1 = (bytes.fromhex("2a864886f70d0101") + end for end in (b"\x0b", b"\5"))
    signed = one.certificate.tbs_certificate_bytes.replace(with_sha_256, with_sha_1)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    old = one.certificate.signature
    return one.der.replace(with_sha_256, with_sha_1).replace(old, signature)


def test_a_sound_signature_over_sha_1_is_weak_and_no_broken_chain() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = issue("Old authority", ROOT, authority=True, key=key)
    old = _over_sha_1(issue("shop", signer, names=[HOST]), key)
    assert rules([old, signer.der]) == {"certificate-weak-signature": "medium"}
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forger = issue("Old authority", ROOT, authority=True, key=other)
    assert rules([old, forger.der])["certificate-chain-invalid"] == "high"


def test_a_trusted_root_replaces_what_was_sent_in_its_name() -> None:
    """Its name and key, in a certificate that is no authority: clients use the root they have."""
    other = issue("An older root", authority=True)
    false = issue("Root of the tests", other, key=ROOT.key)
    assert rules([issue("shop", ROOT, names=[HOST]).der, false.der]) == {}


def test_a_certificate_for_clients() -> None:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert rules(sent(leaf(extensions=[usage]))) == {"certificate-not-for-servers": "low"}


def test_ocsp() -> None:
    told = leaf(extensions=[access("ocsp", "http://ocsp.example")])
    assert rules(sent(told)) == {"ocsp-not-stapled": "info"}
    must = leaf(extensions=[x509.TLSFeature([x509.TLSFeatureType.status_request])])
    assert rules(sent(must)) == {"ocsp-not-stapled": "medium"}
    for answer, expected in (
        (ocsp_answer(told, BETWEEN), {}),
        (ocsp_answer(told, BETWEEN, revoked=True), {"ocsp-revoked": "high"}),
        (ocsp_answer(told, BETWEEN, days=-2), {"ocsp-staple-invalid": "low"}),
        (ocsp_answer(must, BETWEEN), {"ocsp-staple-invalid": "low"}),
        (b"\x30\x03\x0a\x01\x06", {"ocsp-staple-invalid": "low"}),
        (b"garbage", {"ocsp-staple-invalid": "low"}),
    ):
        assert rules(sent(told), staple=answer) == expected


def test_what_is_no_certificate() -> None:
    assert rules([b"\x30\x00"]) == {"certificate-unreadable": "low"}
    assert rules([leaf().der, b"x"]) == {"certificate-unreadable": "low"}


def test_facts_of_a_chain() -> None:
    fact, key, issuer, names = certificates.facts([*sent(leaf()), b"x"])
    ends = f"{NOW + timedelta(days=200):%Y-%m-%d}"
    assert fact.values[0] == (
        f"CN=shop; issuer CN=Intermediate of the tests; EC secp256r1; sha256; until {ends}"
    )
    assert fact.values[2] == "not readable: 78"
    assert key.values[0].startswith("SHA-256 ")
    assert issuer.values == ("CN=Intermediate of the tests",)
    assert names.name == "certificate names"
