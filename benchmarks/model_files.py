"""What the inspection of model files costs, beside scanners of others, on the same files.

Whole processes are timed, start of Python included, in turn and several times over; medians count.
"probe" is the inspection alone, "command" is ``buttress scan --only model-files``. Peak memory is
that of our process. ``--peer NAME=PYTHON`` runs picklescan, fickling, modelscan or modelaudit in
the interpreter where it is installed; their telemetry and caches are off.

    python benchmarks/model_files.py --peer picklescan=/path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OURS = """
import json, sys
from pathlib import Path
from buttress.protocols.inspection import InspectionContext
from buttress.probes.artifacts.model_files import PROBE
*findings, seen = PROBE.inspect(InspectionContext.at("bench", Path(sys.argv[1])))
status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else "VmHWM: 0"
peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
print(json.dumps({"findings": len(findings), "bytes": seen.bytes, "peak": peak}))
"""
PEERS = {
    "picklescan": ["-m", "picklescan", "--path"],
    "fickling": ["-m", "fickling", "--check-safety"],
    "modelscan": ["-m", "modelscan.cli", "-p"],
    "modelaudit": ["-m", "modelaudit", "scan", "--no-cache", "--quiet"],
}
COMMAND = ["-c", "from buttress.cli.main import main; raise SystemExit(main())", "scan"]
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}


def checkpoint(folder: Path, megabytes: int) -> Path:
    """A PyTorch checkpoint of 100 float tensors."""
    import torch

    count = megabytes * 1_000_000 // 400
    path = folder / "checkpoint.pt"
    torch.save({f"layer.{i}.weight": torch.zeros(count) for i in range(100)}, path)
    return path


def small_pickles(folder: Path, count: int) -> Path:
    """As many small pickles, each a dict of plain data."""
    inside = folder / "small"
    inside.mkdir()
    for i in range(count):
        data = {"id": i, "name": f"item {i}", "values": [i, i / 3, None], "tags": ("a", "b")}
        (inside / f"{i}.pkl").write_bytes(pickle.dumps(data))
    return inside


def forest(folder: Path, trees: int, joblib_format: bool) -> Path:
    """A scikit-learn forest, some 52 KB a tree."""
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    numbers = np.random.default_rng(0)
    rows, labels = numbers.random((1500, 8)), numbers.integers(0, 2, 1500)
    model = RandomForestClassifier(trees, random_state=0).fit(rows, labels)
    path = folder / ("forest.joblib" if joblib_format else "forest.pkl")
    if joblib_format:
        joblib.dump(model, path)
    else:
        path.write_bytes(pickle.dumps(model))
    return path


def opcodes(folder: Path, megabytes: int) -> Path:
    """A pickle of nested plain data: hardly a byte of it is payload that can be jumped over."""
    generator = random.Random(0)

    def record(i: int) -> dict[str, Any]:
        return {
            "id": i,
            "name": f"n{i}",
            "score": generator.random(),
            "tags": ["a", f"t{i % 977}"],
            "box": (i % 640, i % 480, 3),
            "tokens": [generator.randrange(50_000) for _ in range(12)],
        }

    path = folder / "opcodes.pkl"
    each = len(pickle.dumps([record(i) for i in range(1000)])) / 1000
    path.write_bytes(pickle.dumps([record(i) for i in range(int(megabytes * 1e6 / each))]))
    return path


def safetensors(folder: Path, megabytes: int) -> Path:
    """A safetensors file of one tensor, sparse on disk."""
    size = megabytes * 1_000_000
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path = folder / "weights.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(file.tell() + size)
    return path


def gguf(folder: Path, megabytes: int) -> Path:
    """A GGUF file of one tensor, sparse on disk."""
    size = megabytes * 1_000_000 // 32 * 32
    path = folder / "weights.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q", 1) + b"w")
        file.write(struct.pack("<IQIQ", 1, size, 24, 0))  # one dimension of 8-bit integers
        file.write(bytes(-file.tell() % 32))
        file.truncate(file.tell() + size)
    return path


def models(folder: Path, count: int) -> Path:
    """A folder of pickles of 10 MB each, all opcodes, for the cores."""
    inside = folder / "models"
    inside.mkdir()
    data = opcodes(folder, 10).read_bytes()
    for i in range(count):
        (inside / f"{i}.pkl").write_bytes(data)
    return inside


def environment() -> dict[str, str]:
    """With compiled bytecode for all, as installed packages have it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | QUIET


def used() -> float:
    """Processor time of all processes that ended, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def timed(command: list[str], clock: Callable[[], float]) -> tuple[float, str]:
    start = clock()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    seconds = clock() - start
    if done.returncode < 0 or "Traceback" in done.stderr:  # other codes: findings, or none read
        raise SystemExit(f"{command[:4]}: {done.stderr[-800:]}")
    return seconds, done.stdout


def cores(path: Path, rounds: int) -> None:
    """One process against two, on a folder."""
    from buttress.files.folder import files
    from buttress.probes.artifacts.parallel import reports

    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, taken in seconds.items():
            start = time.perf_counter()
            total = sum(1 for _ in reports(files(path, []), workers=workers))
            taken.append(time.perf_counter() - start)
    one, two = (statistics.median(taken) for taken in seconds.values())
    print(f"\n{total} files: {one:.2f} s by one process, {two:.2f} s by two, ratio {one / two:.2f}")


def cases(folder: Path, given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    builders: dict[str, Callable[[], Path]] = {
        "checkpoint": lambda: checkpoint(folder, given.megabytes),
        "small": lambda: small_pickles(folder, given.files),
        "forest": lambda: forest(folder, given.trees, False),
        "joblib": lambda: forest(folder, given.trees, True),
        "opcodes": lambda: opcodes(folder, given.opcodes),
        "safetensors": lambda: safetensors(folder, given.megabytes),
        "gguf": lambda: gguf(folder, given.megabytes),
    }
    for name, build in builders.items():
        if name in given.case:
            yield name, build()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=1000, help="of checkpoint and safetensors")
    parser.add_argument("--opcodes", type=int, default=200, help="megabytes of opcodes")
    parser.add_argument("--trees", type=int, default=4000, help="of the forests")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--cpu", action="store_true", help="processor time, not time that passes")
    parser.add_argument("--cores", action="store_true", help="also one process against two")
    every = ["checkpoint", "small", "forest", "joblib", "opcodes", "safetensors", "gguf"]
    parser.add_argument("--case", nargs="+", default=every, choices=every)
    return parser.parse_args()


def main() -> None:
    given = options()
    clock = used if given.cpu else time.perf_counter
    peers = dict(one.split("=", 1) for one in given.peer)
    print("| file | MB | scanner | s | MB/s | read, MB | peak, MB | findings | times ours |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        for case, path in cases(Path(name), given):
            files = [path] if path.is_file() else list(path.iterdir())
            megabytes = sum(one.stat().st_size for one in files) / 1e6
            seconds: dict[str, list[float]] = {}
            for _ in range(given.rounds):
                taken, said = timed([sys.executable, "-c", OURS, str(path)], clock)
                seconds.setdefault("Buttress: probe", []).append(taken)
                command = [*COMMAND, "--only", "model-files", str(path)]
                taken, _ = timed([sys.executable, *command], clock)
                seconds.setdefault("Buttress: command", []).append(taken)
                for peer, python in peers.items():
                    taken, _ = timed([python, *PEERS[peer], str(path)], clock)
                    seconds.setdefault(peer, []).append(taken)
            seen = json.loads(said)
            ours = statistics.median(seconds["Buttress: probe"])
            for scanner, runs in seconds.items():
                one = statistics.median(runs)
                own = scanner == "Buttress: probe"
                details = (
                    f"{seen['bytes'] / 1e6:.1f} | {seen['peak']} | {seen['findings']}"
                    if own
                    else "| |"
                )
                print(
                    f"| {case} | {megabytes:,.0f} | {scanner} | {one:.2f} | {megabytes / one:,.1f} "
                    f"| {details} | {one / ours:.2f} |",
                    flush=True,
                )
            if path.is_file():
                path.unlink()
        if given.cores:
            cores(models(Path(name), 16), given.rounds)


if __name__ == "__main__":
    main()
