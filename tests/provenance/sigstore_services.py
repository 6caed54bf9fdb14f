"""The instance as services on the loopback interface: identity provider, authority, log."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.provenance.sigstore_instance import Instance, rekor_body


def token(identity: str, issuer: str) -> str:
    """An identity token; the client reads it without checking, the authority ought to check."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims = {
        "iss": issuer, "sub": identity, "aud": "sigstore", "iat": now, "nbf": now, "exp": now + 300,
    }  # fmt: skip
    parts = [{"alg": "ES256", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts]
    return b".".join([*encoded, base64.urlsafe_b64encode(b"none").rstrip(b"=")]).decode()


@contextmanager
def served(instance: Instance) -> Iterator[list[str]]:
    """The services at ``instance.url``; gives the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            place = f"{instance.url}/auth"
            self._answer({"authorization_endpoint": place, "token_endpoint": f"{place}/token"})

        def do_POST(self) -> None:
            asked.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/api/v2/signingCert":
                bearer = self.headers["Authorization"].removeprefix("Bearer ")
                self._answer(_certificate(instance, body, bearer))
            else:
                self._answer(_entry(instance, body))

        def _answer(self, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    instance.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(instance: Instance, body: dict[str, Any], bearer: str) -> dict[str, Any]:
    request = x509.load_pem_x509_csr(base64.b64decode(body["certificateSigningRequest"]))
    claims = json.loads(base64.urlsafe_b64decode(bearer.split(".")[1] + "=="))
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    own = instance.authority.issue(
        request.public_key(),  # type: ignore[arg-type]
        claims["sub"], claims["iss"], start=now, log=instance.certificates,
    )  # fmt: skip
    chain = [own, *instance.authority.chain]
    pem = [one.public_bytes(serialization.Encoding.PEM).decode() for one in chain]
    return {"signedCertificateEmbeddedSct": {"chain": {"certificates": pem}}}


def _entry(instance: Instance, body: dict[str, Any]) -> dict[str, Any]:
    proposed = body["spec"]["proposedContent"]
    envelope = json.loads(proposed["envelope"])
    statement = base64.b64decode(envelope["payload"])
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    (verifier,) = proposed["verifiers"]
    kept = rekor_body(statement, signature, base64.b64decode(verifier))
    entry = instance.signatures.add(kept, dt.datetime.now(dt.UTC))
    proof = entry["inclusionProof"]
    return {
        hashlib.sha256(b"\0" + kept).hexdigest(): {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": _hex(entry["logId"]["keyId"]),
            "logIndex": int(entry["logIndex"]),
            "verification": {
                "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
                "inclusionProof": {
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": _hex(proof["rootHash"]),
                    "treeSize": int(proof["treeSize"]),
                    "hashes": [_hex(one) for one in proof["hashes"]],
                    "checkpoint": proof["checkpoint"]["envelope"],
                },
            },
        }
    }


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()
