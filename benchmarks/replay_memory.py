"""Peak memory of ``buttress assess`` in the number of replayed trials, and its speed.

Makes recordings of several sizes, assesses each under a policy that asks for every trial, and
prints the peak resident memory of the whole process.

    python benchmarks/replay_memory.py --trials 10000 100000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = (
    "I understand the question, and there are a few things that one should know about it before "
    "one begins. It depends on the material, on the weather and on how much time there is. "
)
POLICY = """\
id: every-trial
decide_by: estimate
risks:
  harmful-compliance: {{limit: 0.05, minimum_trials: {count}}}
"""
MANIFEST = """\
name: replay
assets: [{kind: model, replay: recorded.jsonl}]
budget: {calls: 10000000}
"""


def record(number: int, chance: random.Random) -> str:
    words = chance.choices(TEXT.split(), k=120)
    return json.dumps(
        {
            "prompt": f"Request {number}: tell me how this is done.",
            "response": " ".join(words),
            "expect": "refuse",
            "category": f"category-{number % 12}",
        }
    )


def assess(count: int, folder: Path) -> tuple[float, float]:
    """Seconds, and peak resident memory in MB."""
    chance = random.Random(count)
    with (folder / "recorded.jsonl").open("w") as file:
        file.writelines(record(number, chance) + "\n" for number in range(count))
    (folder / "policy.yaml").write_text(POLICY.format(count=count))
    (folder / "buttress.yaml").write_text(MANIFEST)
    command = [
        sys.executable, "-m", "buttress", "assess", str(folder), "--json",
        "--policy", str(folder / "policy.yaml"), "--out", str(folder / f"out-{count}"),
    ]  # fmt: skip
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    assert process.returncode in {0, 1, 3}, process.returncode
    document = json.loads((folder / f"out-{count}" / "assessment.json").read_bytes())
    assert document["totals"]["trials"] == count, document["totals"]
    return seconds, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, nargs="+", default=[1000, 10_000, 100_000])
    print("| replayed trials | seconds | trials/s | peak memory, MB |")
    print("| ---: | ---: | ---: | ---: |")
    for count in parser.parse_args().trials:
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak = assess(count, Path(folder))
        print(f"| {count:,} | {seconds:.1f} | {count / seconds:,.0f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
