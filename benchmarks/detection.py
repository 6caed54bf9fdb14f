"""Which malicious files the inspection of model files finds, and which benign ones it accuses.

Beside scanners of others on the same files, which ``detection_samples.py`` and
``detection_benign.py`` build. Nothing is loaded. ``--peer NAME=PYTHON`` runs picklescan,
modelscan, modelaudit or fickling in the interpreter where it is installed. ``--keep FOLDER`` keeps
the samples.

    python benchmarks/detection.py --peer picklescan=/path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # the builders of the tests

from detection_benign import benign
from detection_samples import malicious

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.artifacts.model_files import PROBE
from buttress.protocols.inspection import InspectionContext

RUNNER = Path(__file__).parent / "peers" / "run_scanners.py"


def ours(folder: Path, least: str) -> dict[str, str]:
    """Verdict on each file: whether it has a finding of severity ``least`` or above."""
    verdicts = {}
    for path in sorted(folder.iterdir()):
        grave = [
            one
            for one in PROBE.inspect(InspectionContext.at("bench", path))
            if isinstance(one, Finding)
            and SEVERITIES.index(one.severity) >= SEVERITIES.index(least)
        ]
        verdicts[path.name] = "found" if grave else "clean"
    return verdicts


def write(samples: dict[str, bytes], folder: Path) -> None:
    """One file for each sample."""
    folder.mkdir()
    for name, data in samples.items():
        (folder / name).write_bytes(data)


def theirs(peer: str, python: str, folder: Path) -> dict[str, str]:
    """Verdicts of another scanner."""
    done = subprocess.run(
        [python, str(RUNNER), peer, str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{peer}: {done.stderr[-800:]}")
    verdicts: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for the samples")
    parser.add_argument("--misses", action="store_true", help="name what each scanner misses")
    given = parser.parse_args()
    peers = dict(one.split("=", 1) for one in given.peer)
    with tempfile.TemporaryDirectory() as name:
        root = given.keep or Path(name)
        root.mkdir(exist_ok=True)
        bad, good = root / "malicious", root / "benign"
        write(malicious(), bad)
        write(benign(), good)
        rows = {f"Buttress, {least} and above": (ours(bad, least), ours(good, least))
                for least in ("medium", "high")}  # fmt: skip
        for peer, python in peers.items():
            rows[peer] = theirs(peer, python, bad), theirs(peer, python, good)
    print(
        "| scanner | malicious: found | could not read | recall "
        "| benign: accused | could not read |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for scanner, (of_bad, of_good) in rows.items():
        hit, wrong = Counter(of_bad.values()), Counter(of_good.values())
        print(
            f"| {scanner} | {hit['found']} of {len(of_bad)} | {hit['error']} "
            f"| {hit['found'] / len(of_bad):.1%} | {wrong['found']} of {len(of_good)} "
            f"| {wrong['error']} |"
        )
    if given.misses:
        for scanner, (of_bad, of_good) in rows.items():
            missed = [name for name, verdict in of_bad.items() if verdict != "found"]
            accused = [name for name, verdict in of_good.items() if verdict == "found"]
            print(f"\n{scanner} missed: {', '.join(missed) or '-'}")
            print(f"{scanner} accused: {', '.join(accused) or '-'}")


if __name__ == "__main__":
    main()
