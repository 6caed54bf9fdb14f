"""Scans HOST:PORT… with the sslyze of this interpreter; prints one line of JSON a host."""

from __future__ import annotations

import json
import sys

from sslyze import Scanner, ServerNetworkLocation, ServerScanRequest

VERSIONS = {
    "ssl_2_0": "SSL 2", "ssl_3_0": "SSL 3", "tls_1_0": "TLS 1.0", "tls_1_1": "TLS 1.1",
    "tls_1_2": "TLS 1.2", "tls_1_3": "TLS 1.3",
}  # fmt: skip


def main() -> None:
    scanner = Scanner()
    requests = []
    for target in sys.argv[1:]:
        host, _, port = target.rpartition(":")
        requests.append(ServerScanRequest(ServerNetworkLocation(host, int(port))))
    scanner.queue_scans(requests)
    for result in scanner.get_results():
        location = result.server_location
        row: dict[str, object] = {"target": f"{location.hostname}:{location.port}"}
        if result.scan_result is not None:
            scan = result.scan_result
            row["suites"] = {
                name: sorted(one.cipher_suite.name for one in attempt.result.accepted_cipher_suites)
                for key, name in VERSIONS.items()
                if (attempt := getattr(scan, f"{key}_cipher_suites")).result is not None
            }
            if scan.certificate_info.result is not None:
                deployments = scan.certificate_info.result.certificate_deployments
                row["chains"] = len(deployments)
                row["stapled"] = [bool(one.ocsp_response) for one in deployments]
            for key, field in (
                ("tls_compression", "supports_compression"),
                ("session_renegotiation", "supports_secure_renegotiation"),
                ("tls_fallback_scsv", "supports_fallback_scsv"),
            ):
                attempt = getattr(scan, key)
                row[key] = getattr(attempt.result, field) if attempt.result is not None else None
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
