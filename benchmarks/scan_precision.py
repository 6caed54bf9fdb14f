"""Precision of high and critical findings on repositories that somebody else wrote.

``python benchmarks/scan_precision.py list FOLDER… > findings.csv`` scans each folder and writes one
line for each finding that is high or critical, with an empty column ``right``. A person reads the
code at each place and writes yes or no. ``… count findings.csv`` then prints the share of right
ones by rule, with remote-code flags apart, since one repository can have very many.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

PROBES = "unsafe-code,secrets,infrastructure,agent-config,dependencies"
FIELDS = ("repository", "severity", "rule", "location", "message", "right")
FLAG = "trust-remote-code"


def listed(folders: list[str]) -> None:
    """Write the findings to judge, as CSV."""
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    for folder in folders:
        command = [sys.executable, "-m", "buttress", "scan", folder, "--only", PROBES]
        done = subprocess.run(
            [*command, "--no-ignore-file", "--json", "--fail-on", "never"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for one in json.loads(done.stdout)["findings"]:
            if one["severity"] in ("high", "critical"):
                row = {name: one.get(name, "") for name in FIELDS}
                writer.writerow({**row, "repository": Path(folder).name})


def counted(path: str) -> None:
    """Print right and all findings by rule."""
    right: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["right"] not in ("yes", "no"):
                raise SystemExit(f"{path}: {row['location']}: right: expected yes or no")
            for name in (row["rule"], "all", *(("without flags",) if row["rule"] != FLAG else ())):
                right[name][0] += row["right"] == "yes"
                right[name][1] += 1
    for name, (yes, number) in sorted(right.items(), key=lambda one: -one[1][1]):
        print(f"| {name} | {yes} | {number} | {100 * yes / number:.0f} % |")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["list", *folders] if folders:
            listed(folders)
        case ["count", path]:
            counted(path)
        case _:
            raise SystemExit(__doc__)
