"""The link layer against ``openssl s_server``: what nginx can't be told to do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, survey
from buttress.probes.link.probe import PROBE
from buttress.protocols.live import LiveContext
from tests.probes.link.authority import issue
from tests.probes.link.nginx import free_port, wait_for

CERTIFICATE = issue("shop", names=["localhost", "127.0.0.1"])


@contextmanager
def s_server(folder: Path, options: Sequence[str]) -> Iterator[int]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl program")
    certificate, key = CERTIFICATE.write(folder, "server")
    port = free_port()
    process = subprocess.Popen(
        [program, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate),
         "-key", str(key), "-www", "-quiet", *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(port, process)
        yield port
    finally:
        process.kill()
        process.communicate(timeout=10)


async def ask(port: int) -> HostResult:
    (result,) = await survey(
        [Endpoint("127.0.0.1", port, "https")], [PROBE], LiveContext(), Limits(timeout_s=10)
    )
    assert not result.failed, result.failed
    return result


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-tls1_3"], set()),
        (
            ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
            {"no-tls-1-3", "no-encryption", "anonymous-key-exchange"},
        ),
        (
            ["-tls1_2", "-cipher", "aNULL+AES:@SECLEVEL=0"],
            {"no-tls-1-3", "anonymous-key-exchange", "weak-ephemeral-key"},  # DH of 1,024 bits
        ),
        (
            ["-tls1", "-cipher", "ALL:!aNULL:@SECLEVEL=0"],
            {"no-tls-1-3", "obsolete-protocol"},
        ),
        # -Verify goes on whatever the certificate is.
        (["-tls1_2", "-Verify", "1"], {"no-tls-1-3", "any-client-certificate-accepted"}),
        (["-tls1_3", "-Verify", "1"], {"any-client-certificate-accepted"}),
        (["-tls1_2", "-Verify", "1", "-verify_return_error"], {"no-tls-1-3"}),
        (["-tls1_2", "-verify", "1"], {"no-tls-1-3", "client-certificate-not-required"}),
    ],
)
async def test_findings(tmp_path: Path, options: list[str], expected: set[str]) -> None:
    with s_server(tmp_path, options) as port:
        result = await ask(port)
    rules = {one.rule for one in result.findings} - {"hsts-missing", "certificate-self-signed"}
    assert rules == expected


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384", "P-521", "X448"])
async def test_the_chain_is_read_over_every_group(tmp_path: Path, group: str) -> None:
    with s_server(tmp_path, ["-tls1_3", "-groups", group]) as port:
        result = await ask(port)
    facts = {one.name: one.values for one in result.facts}
    assert facts["certificate chain"][0].startswith("CN=shop; issuer CN=shop; EC secp256r1")
    assert "TLS offers without an answer" not in facts


@pytest.mark.parametrize(
    "suite",
    ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
     "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_GCM_SHA256"],
)  # fmt: skip
async def test_the_chain_is_read_under_every_suite(tmp_path: Path, suite: str) -> None:
    with s_server(tmp_path, ["-tls1_3", "-ciphersuites", suite]) as port:
        result = await ask(port)
    facts = {one.name: one.values for one in result.facts}
    assert facts["TLS 1.3"] == (suite,)
    assert len(facts["certificate chain"]) == 1
