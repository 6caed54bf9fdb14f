"""What the rules about code cost, beside bandit, on the same tree of Python files.

Whole processes are timed, start of Python included, in turn and several times over; medians count.
``--peer bandit=PYTHON`` runs bandit in the interpreter where it is installed. Without
``--tree`` the
tree is the packages named by ``--package``, copied from where they are installed.

    python benchmarks/code_rules.py --package transformers --peer bandit=/path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

OURS = """
import json, sys
from pathlib import Path
from buttress.protocols.inspection import InspectionContext
from buttress.probes.source.code.probe import PROBE
*findings, seen = PROBE.inspect(InspectionContext.at("bench", Path(sys.argv[1])))
status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else "VmHWM: 0"
peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
rules = [one.rule for one in findings]
print(json.dumps({"files": seen.files, "bytes": seen.bytes, "peak": peak, "rules": rules,
                  "skipped": seen.skipped}))
"""


def tree(folder: Path, packages: list[str]) -> Path:
    """A copy of the Python files of installed packages."""
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"--package {name}: not installed")
        root = Path(spec.submodule_search_locations[0])
        for path in root.rglob("*.py"):
            target = folder / name / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder


def timed(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):  # 1: a scanner that found something
        raise SystemExit(f"{command[:4]}: {done.stderr[-800:]}")
    return seconds, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", type=Path, metavar="FOLDER", help="scan this instead")
    parser.add_argument("--package", action="append", default=[], metavar="NAME")
    parser.add_argument("--peer", default="", metavar="bandit=PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.tree or tree(Path(name), given.package or ["huggingface_hub"])
        commands = {"buttress": [sys.executable, "-c", OURS, str(folder)]}
        if given.peer:
            peer = given.peer.removeprefix("bandit=")
            commands["bandit"] = [peer, "-m", "bandit", "-r", "-q", "-f", "json", str(folder)]
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        output = {}
        for _ in range(given.rounds):
            for who, command in commands.items():
                taken, output[who] = timed(command)
                seconds[who].append(taken)
    ours = json.loads(output["buttress"])
    print(f"{ours['files']:,} files, {ours['bytes'] / 1e6:,.1f} MB of Python")
    base = statistics.median(seconds["buttress"])
    print("| | seconds (median) | MB/s | findings | Buttress is faster by |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for who, taken in seconds.items():
        median = statistics.median(taken)
        found = len(ours["rules"]) if who == "buttress" else len(json.loads(output[who])["results"])
        rate = ours["bytes"] / 1e6 / median
        print(f"| {who} | {median:.1f} | {rate:.2f} | {found:,} | {median / base:.1f}× |")
    print(f"peak memory of Buttress: {ours['peak']} MB")
    print("findings by rule:", dict(Counter(ours["rules"]).most_common()))
    for note in ours["skipped"]:
        print("not read:", note)


if __name__ == "__main__":
    main()
