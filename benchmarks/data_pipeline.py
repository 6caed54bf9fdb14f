"""Speed and memory of the pipeline over training data, beside others in the same run.

CPU seconds of one thread. ``--texts`` is JSON Lines with ``text``; without it, documents are made
of random words. ``--peer NAME=PYTHON`` takes datatrove-signatures, datatrove-pii, presidio and
rensa. ``--memory MB`` writes that many megabytes of documents out of random lines of the texts and
runs ``exact``, ``near`` and ``pii`` over them; peak memory is that of the whole process.

    python benchmarks/data_pipeline.py --texts kernel.jsonl --megabytes 9 --peer presidio=PYTHON
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from buttress.data.shingles import shingle_sets, signatures
from buttress.rules.personal.detectors import DETECTORS, find_all

RUNNER = Path(__file__).parent / "peers" / "run_data.py"
STAGES = ("exact", "near", "pii")


def main() -> None:
    """Measure and print tables."""
    options = _parser().parse_args()
    texts = list(_texts(options.texts, options.megabytes))
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} documents, {size:.1f} MB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "texts.jsonl"
        _write(path, texts)
        one = folder / "one.jsonl"
        _write(one, texts[:1])
        _run(one, folder / "first")  # compiles what an installation has compiled
        rows = [
            ("re.findall(r'\\w+') on lower case", _timed(lambda: _words(texts))),
            ("Buttress: signatures, 128 permutations", _timed(lambda: _signatures(texts))),
            ("Buttress: EMAIL and IP", _timed(lambda: _spans(texts, ("EMAIL", "IP")))),
            ("Buttress: all types", _timed(lambda: _spans(texts, None))),
            (f"Buttress: data run, {', '.join(STAGES)}", _run(path, folder / "out")[0]),
            ("Buttress: data run of one document", _run(one, folder / "one")[0]),
        ]
        for given in options.peer:
            peer, _, python = given.partition("=")
            done = subprocess.run(
                [python, str(RUNNER), peer, str(path)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{peer} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            rows.append((peer, json.loads(done.stdout.splitlines()[-1])["seconds"]))
        print("| | CPU s | documents/s | MB/s |\n| --- | ---: | ---: | ---: |")
        for what, seconds in rows:
            print(
                f"| {what} | {seconds:.2f} | {len(texts) / seconds:,.0f} | {size / seconds:.2f} |"
            )
        for megabytes in options.memory:
            large = folder / f"{megabytes}.jsonl"
            _large(large, texts, megabytes)
            seconds, peak = _run(large, folder / f"out-{megabytes}")
            print(f"{megabytes} MB: peak {peak:.0f} MB, {seconds:.0f} CPU s", flush=True)
            large.unlink()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--megabytes", type=float, default=9)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--memory", type=int, action="append", default=[], metavar="MB")
    return parser


def _texts(path: Path | None, megabytes: float) -> Iterator[str]:
    left = megabytes * 1e6
    if path is None:
        generator = Random(0)
        words = [f"{generator.randrange(1 << 30):x}" for _ in range(20_000)]
        while left > 0:
            text = " ".join(generator.choices(words, k=generator.randint(50, 2_000)))
            left -= len(text)
            yield f"{text} {generator.choice(words)}@mail.example.org"
        return
    documents = [json.loads(line)["text"] for line in path.open(encoding="utf-8")]
    Random(0).shuffle(documents)
    for text in documents:
        if left <= 0:
            return
        left -= len(text.encode())
        yield text


def _write(path: Path, texts: list[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")


def _timed(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _words(texts: list[str]) -> None:
    for text in texts:
        re.findall(r"\w+", text.lower())


def _signatures(texts: list[str]) -> None:
    for start in range(0, len(texts), 500):
        hashes, offsets = shingle_sets(texts[start : start + 500])
        signatures(hashes, offsets, 128)


def _spans(texts: list[str], kinds: tuple[str, ...] | None) -> int:
    wanted = kinds or tuple(one.kind for one in DETECTORS)
    return sum(map(len, find_all(texts, wanted)))


def _run(path: Path, out: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a run in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "buttress",
        "data",
        "run",
        str(path),
        "--out",
        str(out),
        "--json",
    ]
    for stage in STAGES:
        command += ["--stage", f"{stage}:max_removed_share=1"]
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    process = os.posix_spawn(sys.executable, command, environment, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"data run failed: {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * _unit() / 1e6


def _unit() -> int:
    """Bytes of a unit of ``ru_maxrss``."""
    return 1 if sys.platform == "darwin" else 1024


def _large(path: Path, texts: list[str], megabytes: int) -> None:
    generator = Random(1)
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    left = megabytes * 1_000_000
    with path.open("w", encoding="utf-8") as file:
        while left > 0:
            text = json.dumps({"text": "\n".join(generator.choices(lines, k=100))}) + "\n"
            left -= file.write(text)


if __name__ == "__main__":
    main()
