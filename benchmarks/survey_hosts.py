"""Time and memory of a survey of many hosts, and with a hostile one among them.

    PYTHONPATH=. python benchmarks/survey_hosts.py --hosts 100
    PYTHONPATH=. python benchmarks/survey_hosts.py --hosts 1000 --layer infrastructure

Every host is a listener of its own on the loopback address; the servers run in a process beside the
survey, which is a fresh one. Told are whether every good host was named rightly, seconds, CPU
seconds and the largest resident memory, first without a hostile host, then with one of each kind.

    PYTHONPATH=. python benchmarks/survey_hosts.py --hosts 1000 --layer infrastructure \\
        --hostile none --rules FOLDER --rules-as-written --timeout-s 10 --peer ENVIRONMENT

``--peer`` is a virtual environment with ``aig-infra-scan``: its scanner is asked about as many
hosts after ours, with the rules of ``--rules`` and without a limit of requests a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from tests.live.servers import HOSTILE, Web, hostile, serving

NAMED = r'"fingerprints":\[{"name":"ollama","version":"0\.5\.7"}\]'  # in a scan of the peer
OLLAMA = {"/": "Ollama is running", "/api/version": '{"version":"0.5.7"}'}


def serve(number: int, kind: str, pipe: Connection) -> None:
    """Serve good hosts, and a hostile one unless ``kind`` is empty, until the pipe is closed."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def run() -> None:
        async with AsyncExitStack() as stack:
            handlers = [*([hostile(kind)] if kind else []), *[Web(OLLAMA)] * number]
            ports = [await stack.enter_async_context(serving(one)) for one in handlers]
            pipe.send(ports)
            while not pipe.poll():
                await asyncio.sleep(0.2)

    asyncio.run(run())


def measured(number: int, kind: str, options: Sequence[str]) -> tuple[int, float, float, float]:
    """Good hosts that were named rightly, seconds, CPU seconds, resident MB of the survey."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(number, kind, there), daemon=True)
    server.start()
    there.close()
    ports = here.recv()
    targets = "\n".join(f"127.0.0.1:{port}" for port in ports)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, "survey", "--targets", "/dev/stdin", "--json",
         *options],
        input=targets, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    here.send(None)
    server.join(10)
    if not done.stdout:
        sys.exit(done.stderr)
    made = json.loads(done.stdout)
    good = made["hosts"][1:] if kind else made["hosts"]
    sent = sum(len(host["sent"]) for host in good)
    print(f"{sent / len(good):.1f} requests a host")
    right = sum(
        any((one["product"], one["version"]) == ("ollama", "0.5.7") for one in host["products"])
        for host in good
    )
    cpu, kilobytes = done.stderr.splitlines()[-1].split()
    return right, seconds, float(cpu), int(kilobytes) / 1024


def measured_peer(number: int, environment: Path, rules: str, timeout: str) -> None:
    """Print hosts that AI-Infra-Guard named rightly, its seconds, CPU seconds, resident MB."""
    (scanner,) = environment.glob("lib/python*/site-packages/aig_infra_scan/bin/ai-infra-guard")
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(number, "", there), daemon=True)
    server.start()
    there.close()
    ports = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        targets, answers = Path(folder, "targets.txt"), Path(folder, "out.json")
        targets.write_text("".join(f"http://127.0.0.1:{port}\n" for port in ports))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        subprocess.run(
            [scanner, "scan", "--file", targets, "--json", "--output", answers,
             "--limit", "1000000", "--timeout", timeout,
             "--fps", f"{rules}/fingerprints", "--vul", f"{rules}/vuln"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        here.send(None)
        server.join(10)
        text = answers.read_text()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"peer: {len(re.findall(NAMED, text))} right, {seconds:.1f} s, CPU {cpu:.1f} s, "
        f"{after.ru_maxrss / 1024:.0f} MB"
    )


_CHILD = """
import resource, sys
from buttress.cli.main import main
main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--rules")
    parser.add_argument("--layer", default="infrastructure,link,service")
    parser.add_argument("--hostile", choices=[*HOSTILE, "none"], action="append")
    parser.add_argument("--rules-as-written", action="store_true")
    parser.add_argument("--timeout-s", default="2")
    parser.add_argument("--peer", type=Path)
    given = parser.parse_args()
    options = ["--layer", given.layer, "--timeout-s", given.timeout_s]
    options += ["--rules", given.rules] if given.rules else []
    options += ["--rules-as-written"] if given.rules_as_written else []
    right, seconds, cpu, base = measured(given.hosts, "", options)
    print(
        f"{given.hosts} good hosts: {right} right, {seconds:.1f} s, CPU {cpu:.1f} s, {base:.0f} MB"
    )
    if given.peer:
        measured_peer(given.hosts, given.peer, given.rules, given.timeout_s)
    for kind in given.hostile or HOSTILE:
        if kind == "none":
            continue
        right, seconds, _, most = measured(given.hosts, kind, options)
        print(f"and {kind}: {right} right, {seconds:.1f} s, {most - base:+.0f} MB")


if __name__ == "__main__":
    main()
