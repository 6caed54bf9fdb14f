"""Secrets in a tree of source files: Buttress beside detect-secrets, whole processes, in one run.

    python benchmarks/secrets_tree.py --peer detect-secrets=PYTHON --files 10000 --rounds 3

The tree is made of source files of the running interpreter's own library and packages, drawn with a
seed. A secret of a form that both know is planted in some of them. Figures: the shortest wall time
of the rounds, how many of the planted secrets are found, and how much else is reported.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from buttress.rules.credentials.examples import fill
from buttress.rules.credentials.kind import CREDENTIALS

LARGEST = 1 << 20
EVERY = 50  # one file in so many gets a secret
PLANTED = ("aws-secret-key", "github-token", "slack-token", "stripe-key")  # rules of ours


def sources(count: int, seed: int) -> list[Path]:
    """So many Python files, drawn from the library and the installed packages."""
    roots = {sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib")}
    found = sorted(
        {
            path
            for root in roots
            for path in Path(root).rglob("*.py")
            if path.is_file() and 0 < path.stat().st_size <= LARGEST
        }
    )
    return random.Random(seed).sample(found, min(count, len(found)))


def make(tree: Path, count: int, seed: int) -> tuple[int, int, dict[str, list[str]]]:
    """Write the tree; how many files and bytes it has, and the planted files by kind."""
    draw = random.Random(seed)
    planted: dict[str, list[str]] = {name: [] for name in PLANTED}
    files, size = 0, 0
    for number, path in enumerate(sources(count, seed)):
        # No folder is named as one for tests or packages, which would be treated in its own way.
        target = tree / f"part{number % 100:02}" / f"module{number:05}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        if number % EVERY == 0:
            kind = PLANTED[number // EVERY % len(PLANTED)]
            data += f"\n{secret(kind, draw)}\n".encode()
            planted[kind].append(target.relative_to(tree).as_posix())
        target.write_bytes(data)
        files, size = files + 1, size + len(data)
    return files, size, planted


def secret(kind: str, draw: random.Random) -> str:
    """A line with a secret, from the first example of that rule."""
    rule = next(one for one in CREDENTIALS.own.values() if one.id == kind)
    return fill(rule.bad[0].text, draw)


def ours(tree: Path) -> tuple[float, dict[str, int]]:
    """Seconds, and findings by file."""
    command = [sys.executable, "-m", "buttress", "scan", str(tree)]
    command += ["--only", "secrets", "--json", "--fail-on", "never"]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    counts: dict[str, int] = {}
    for one in json.loads(done.stdout)["findings"]:
        name = re.sub(r":\d+$", "", one["location"])
        counts[name] = counts.get(name, 0) + 1
    return seconds, counts


def detect_secrets(python: str, tree: Path) -> tuple[float, dict[str, int]]:
    """Seconds, and findings by file."""
    command = [python, "-m", "detect_secrets", "scan", "--all-files", "."]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    results = json.loads(done.stdout)["results"]
    return seconds, {name.removeprefix("./"): len(found) for name, found in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer", metavar="detect-secrets=PYTHON")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tree = Path(tempfile.mkdtemp(prefix="secrets-tree-"))
    try:
        files, size, planted = make(tree, options.files, options.seed)
        everything = [name for names in planted.values() for name in names]
        print(f"{files:,} files, {size / 1e6:.1f} MB, {len(everything)} planted secrets")
        tools = {"Buttress": lambda: ours(tree)}
        if options.peer:
            name, _, python = options.peer.partition("=")
            tools[name] = lambda: detect_secrets(python, tree)
        times: dict[str, list[float]] = {name: [] for name in tools}
        counts: dict[str, dict[str, int]] = {}
        for _ in range(options.rounds):  # in turn, so that a busy machine slows both
            for name, run in tools.items():
                seconds, counts[name] = run()
                times[name].append(seconds)
        print("| | seconds | MB/s | planted found | other findings |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name, all_seconds in times.items():
            found = sum(one in counts[name] for one in everything)
            rest = sum(number for one, number in counts[name].items() if one not in everything)
            print(
                f"| {name} | {min(all_seconds):.2f} | {size / 1e6 / min(all_seconds):.1f} "
                f"| {found} of {len(everything)} | {rest:,} |"
            )
        if len(times) == 2:
            first, second = (min(one) for one in times.values())
            print(f"Buttress is faster by {second / first:.1f}×")
    finally:
        shutil.rmtree(tree)


if __name__ == "__main__":
    main()
