"""What the link layer finds on TLS configurations of nginx, beside sslyze, and how fast.

    python benchmarks/tls_findings.py --peer sslyze=PYTHON --hosts 100

Compared are the suites of every version, the number of chains, OCSP stapling, compression, secure
renegotiation and the fallback guard. Speed is that of ``--hosts`` listeners with the configuration
``everything`` and ``modern`` in turn, the start of the program included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.probes.link.nginx import nginx
from tests.probes.link.test_nginx import tls_servers

PEER = Path(__file__).parent / "peers/run_sslyze.py"


def ours(targets: list[str]) -> tuple[dict[str, dict[str, Any]], float]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "buttress", "survey", *targets, "--layer", "link", "--json"],
        capture_output=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    made = json.loads(done.stdout)
    found = {}
    for host in made["hosts"]:
        rules = {one["rule"] for one in made["findings"] if one["asset"] == host["asset"]}
        facts = [(one["name"], one["values"]) for one in host["facts"]]
        chains = [values for name, values in facts if name == "certificate chain"]
        found[host["url"].partition("://")[2]] = {
            "suites": {name: sorted(v) for name, v in facts if name.startswith(("TLS 1.", "SSL"))},
            "chains": len(chains),
            "tls_compression": "tls-compression" in rules,
            "session_renegotiation": "insecure-renegotiation" not in rules,
        }
    return found, seconds


def theirs(python: str, targets: list[str]) -> tuple[dict[str, dict[str, Any]], float]:
    began = time.perf_counter()
    done = subprocess.run([python, str(PEER), *targets], capture_output=True, check=True, text=True)
    seconds = time.perf_counter() - began
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["target"]: row for row in rows}, seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", metavar="sslyze=PYTHON")
    options.add_argument("--hosts", type=int, default=100)
    given = options.parse_args()
    python = given.peer.partition("=")[2] if given.peer else ""
    with tempfile.TemporaryDirectory() as folder:
        servers = tls_servers(Path(folder))
        chosen = [servers["modern"], servers["everything"]]
        many = {f"many {number}": chosen[number % 2] for number in range(given.hosts)}
        with nginx(Path(folder), servers | many) as ports:
            targets = {name: f"localhost:{ports[name]}" for name in servers}
            found, _ = ours(list(targets.values()))
            if python:
                peer, _ = theirs(python, list(targets.values()))
                for name, target in targets.items():
                    compare(name, found[target], peer[target])
            crowd = [f"localhost:{ports[name]}" for name in many]
            found, seconds = ours(crowd)
            print(f"buttress: {len(found)} hosts in {seconds:.1f} s: {len(found) / seconds:.1f}/s")
            if python:
                peer, other = theirs(python, crowd)
                print(f"sslyze: {len(peer)} hosts in {other:.1f} s: {len(peer) / other:.1f}/s")
                print(f"faster by {other / seconds:.1f}")


def compare(name: str, mine: dict[str, Any], other: dict[str, Any]) -> None:
    if "suites" not in other:
        print(f"{name}: sslyze could not scan it; ours: {sorted(mine['suites'])}")
        return
    different = []
    for version in sorted({*mine["suites"], *other["suites"]}):
        left, right = set(mine["suites"].get(version, ())), set(other["suites"].get(version, ()))
        if left != right:
            more, fewer = sorted(left - right), sorted(right - left)
            different.append(f"{version}: only ours {more}, only sslyze {fewer}")
    for key in ("chains", "tls_compression", "session_renegotiation"):
        if mine[key] != other.get(key):
            different.append(f"{key}: {mine[key]}, sslyze {other.get(key)}")
    print(f"{name}: {'same' if not different else '; '.join(different)}")


if __name__ == "__main__":
    main()
