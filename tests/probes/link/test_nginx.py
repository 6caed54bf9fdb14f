"""The link layer against a real nginx: each bad configuration found, the good ones silent."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from buttress.evidence.findings import Finding
from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, survey
from buttress.probes.link import certificates
from buttress.probes.link.probe import PROBE
from buttress.protocols.live import LiveContext
from tests.probes.link.authority import access, issue, ocsp_answer
from tests.probes.link.nginx import nginx

ROOT = issue("Root of the tests", authority=True)
BETWEEN = issue("Intermediate of the tests", ROOT, authority=True)
NAMES = ["localhost", "127.0.0.1"]
HSTS = "add_header Strict-Transport-Security 'max-age=31536000' always;"
MODERN = "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;" + HSTS
EVERYTHING = "ssl_ciphers 'ALL:eNULL:@SECLEVEL=0'; ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"
WEAK_CURVES = (
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve P-192:P-224:P-256;"
    "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0;"
)
ANSWER = "location / { default_type text/html; return 200 '<p>hello</p>'; }"


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def tls_servers(folder: Path) -> dict[str, str]:
    """The insides of server blocks by name; their certificates are written into the folder."""
    certificates_ = {
        "good": issue("shop", BETWEEN, names=NAMES, key=_rsa(2048)),
        "ecdsa": issue("shop", BETWEEN, names=NAMES),
        "P-192": issue("shop", BETWEEN, names=NAMES, key=ec.generate_private_key(ec.SECP192R1())),
        "P-224": issue("shop", BETWEEN, names=NAMES, key=ec.generate_private_key(ec.SECP224R1())),
        "short": issue("shop", BETWEEN, names=NAMES, key=_rsa(1024)),
        "ended": issue("shop", BETWEEN, names=NAMES, days=(-20, -2)),
        "other": issue("shop", BETWEEN, names=["other.example"]),
        "self": issue("shop", names=NAMES),
        "ocsp": issue(
            "shop", BETWEEN, names=NAMES, extensions=[access("ocsp", "http://ocsp.invalid")]
        ),
        "half": issue(
            "shop", BETWEEN, names=NAMES, extensions=[access("issuer", "http://ca.invalid/i")]
        ),
    }
    written = {
        name: one.write(folder, name, chain=name != "half") for name, one in certificates_.items()
    }
    for name, revoked in (("good", False), ("revoked", True)):
        (folder / f"{name}.ocsp").write_bytes(
            ocsp_answer(certificates_["ocsp"], BETWEEN, revoked=revoked)
        )
    (folder / "clients.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    made = subprocess.run(
        ["openssl", "dhparam", "-dsaparam", "-out", str(folder / "dh.pem"), "1024"],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl program")

    def tls(name: str, more: str) -> str:
        certificate, key = written[name]
        return f"ssl_certificate {certificate};\nssl_certificate_key {key};\n{more}\n"

    clients = f"ssl_client_certificate {folder}/clients.pem;"
    return {
        "modern": tls("good", MODERN + ANSWER),
        "TLS 1.3 alone": tls("ecdsa", f"ssl_protocols TLSv1.3; {HSTS}{ANSWER}"),
        "two certificates": tls("good", tls("ecdsa", MODERN + ANSWER)),
        "everything": tls("short", EVERYTHING + HSTS + ANSWER),
        "P-192": tls("P-192", WEAK_CURVES + HSTS),
        "P-224": tls("P-224", WEAK_CURVES + HSTS),
        "RSA and P-192": tls("good", tls("P-192", WEAK_CURVES + HSTS)),
        "static keys": tls("good", f"ssl_protocols TLSv1.2; ssl_ciphers AES128-GCM-SHA256;{HSTS}"),
        "DH of 1024 bits": tls(
            "good",
            f"ssl_protocols TLSv1.2; ssl_ciphers 'DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0';"
            f"ssl_dhparam {folder}/dh.pem;{HSTS}",
        ),
        "ended": tls("ended", MODERN),
        "another name": tls("other", MODERN),
        "signed by itself": tls("self", MODERN),
        "half a chain": tls("half", MODERN),
        "no staple": tls("ocsp", MODERN),
        "stapled": tls("ocsp", f"ssl_stapling on; ssl_stapling_file {folder}/good.ocsp;{MODERN}"),
        "revoked": tls(
            "ocsp", f"ssl_stapling on; ssl_stapling_file {folder}/revoked.ocsp;{MODERN}"
        ),
        "client certificate": tls("good", f"{clients} ssl_verify_client on;{MODERN}{ANSWER}"),
        "asked for, not required": tls(
            "good", f"{clients} ssl_verify_client optional;{MODERN}{ANSWER}"
        ),
        "any client certificate": tls(
            "good",
            f"ssl_verify_client optional_no_ca;{MODERN}"
            "location / { if ($ssl_client_verify = NONE) { return 403; } return 200 'in'; }",
        ),
        "no HSTS": tls("good", MODERN.replace(HSTS, "") + ANSWER),
        "short HSTS": tls("good", MODERN.replace("31536000", "300") + ANSWER),
        "cookies": tls(
            "good",
            MODERN
            + "add_header Set-Cookie 'session=abc'; add_header Set-Cookie 'theme=dark; Secure';"
            "add_header Set-Cookie 'sid=1; Secure; HttpOnly; SameSite=Lax';"
            "add_header Set-Cookie 'old_session=; Max-Age=0';" + ANSWER,
        ),
        "to plain": tls("good", MODERN + "location / { return 302 http://localhost/x; }"),
    }


PLAIN = {"plain": ANSWER, "plain to TLS": "return 301 https://$host$request_uri;"}


EXPECTED = {
    "modern": [],
    "TLS 1.3 alone": [],
    "two certificates": [],
    "everything": [
        "anonymous-key-exchange", "certificate-weak-key", "no-encryption",
        "no-forward-secrecy", "no-tls-1-3", "obsolete-protocol", "obsolete-protocol",
    ],
    "P-192": ["certificate-weak-key", "no-tls-1-3", "weak-ephemeral-key"],
    "P-224": ["certificate-weak-key", "no-tls-1-3", "weak-ephemeral-key"],
    "RSA and P-192": ["certificate-weak-key", "weak-ephemeral-key"],
    "static keys": ["no-forward-secrecy", "no-tls-1-3"],
    "DH of 1024 bits": ["no-tls-1-3", "weak-ephemeral-key"],
    "ended": ["certificate-expired"],
    "another name": ["certificate-name-mismatch"],
    "signed by itself": ["certificate-self-signed"],
    "half a chain": ["certificate-chain-incomplete"],
    "no staple": ["ocsp-not-stapled"],
    "stapled": [],
    "revoked": ["ocsp-revoked"],
    "client certificate": [],
    "asked for, not required": ["client-certificate-not-required"],
    "any client certificate": ["any-client-certificate-accepted"],
    "no HSTS": ["hsts-missing"],
    "short HSTS": ["hsts-missing"],
    "cookies": ["cookie-attributes"],
    "to plain": ["redirect-to-plain"],
    "plain": ["no-tls"],
    "plain to TLS": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "roots.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    with (
        pytest.MonkeyPatch.context() as patch,
        nginx(folder, {**tls_servers(folder), **PLAIN}) as found,
    ):
        patch.setenv("SSL_CERT_FILE", str(folder / "roots.pem"))
        patch.setenv("SSL_CERT_DIR", str(folder))
        certificates.trusted_roots.cache_clear()
        yield found
    certificates.trusted_roots.cache_clear()


async def _ask(port: int, host: str = "localhost") -> HostResult:
    (result,) = await survey([Endpoint(host, port)], [PROBE], LiveContext(), Limits(timeout_s=10))
    assert not result.failed, result.failed
    return result


def _found(result: HostResult, rule: str) -> Finding:
    return next(one for one in result.findings if one.rule == rule)


@pytest.mark.parametrize("name", EXPECTED)
async def test_findings(ports: dict[str, int], name: str) -> None:
    result = await _ask(ports[name])
    assert result.reached
    assert sorted(one.rule for one in result.findings) == EXPECTED[name]


async def test_suites_and_versions(ports: dict[str, int]) -> None:
    facts = {one.name: one.values for one in (await _ask(ports["modern"])).facts}
    assert sorted(facts["TLS 1.3"]) == [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]  # fmt: skip
    assert sorted(facts["TLS 1.2"]) == [
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ]
    assert "TLS 1.1" not in facts


@pytest.mark.parametrize("name", ["TLS 1.3 alone", "two certificates"])
async def test_chains_are_read_in_tls_1_3(ports: dict[str, int], name: str) -> None:
    chains = [one for one in (await _ask(ports[name])).facts if one.name == "certificate chain"]
    assert len(chains) == (2 if name == "two certificates" else 1)
    kinds = {one.values[0].split("; ")[2] for one in chains}
    assert kinds == {"EC secp256r1", *(["RSA of 2048 bits"] if len(chains) == 2 else [])}
    assert all(len(one.values) == 2 for one in chains)


async def test_what_is_sent_is_a_part_of_what_was_planned(ports: dict[str, int]) -> None:
    planned = PROBE.plan(LiveContext())
    result = await _ask(ports["everything"])
    assert result.sent[0].request.method == "DNS"
    assert result.sent[0].note
    for one in result.sent[1:]:
        script = one.request.script
        assert one.request in planned or (
            script is not None
            and any(each.script.covers(script) for each in planned if each.script)
        )
    assert len({(one.url, one.request) for one in result.sent}) == len(result.sent)


async def test_an_address_is_no_name(ports: dict[str, int]) -> None:
    result = await _ask(ports["another name"], "127.0.0.1")
    assert _found(result, "certificate-name-mismatch").severity == "low"
    assert all(one.request.method != "DNS" for one in result.sent)


async def test_the_value_of_a_cookie_is_in_no_finding(ports: dict[str, int]) -> None:
    finding = _found(await _ask(ports["cookies"]), "cookie-attributes")
    assert "session has no Secure, no HttpOnly" in finding.message
    assert "abc" not in finding.message + finding.proof
    assert finding.severity == "medium"
