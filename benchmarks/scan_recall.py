"""Recall of a scan: known defects are planted in a copy of a repository, and findings are counted.

    python benchmarks/scan_recall.py FOLDER… [--seed N] [--list]

``planted/defects.yaml`` holds the defects of each family. Code is appended to source files of the
repository, in turn, that are neither tests nor examples; other files are new. A defect is found
where a finding of medium severity or above stands at its line or at most two away. Nothing is run.
The defects were written before they were tried, by the people who write the rules: for strangers'
wordings recall is lower.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from buttress.rules.credentials.examples import fill

DEFECTS = Path(__file__).parent / "planted/defects.yaml"
PROBES = "unsafe-code,secrets,infrastructure,agent-config,dependencies"
NEAR = 2  # lines
COUNTED = ("medium", "high", "critical")
MARK = "@@"
LESSENED = ("test", "example", "docs/", "sample")  # where findings in code count for less


@dataclass(frozen=True)
class Planted:
    """A defect that was planted: where it must be told."""

    family: str
    path: str
    line: int


def plant(root: Path, source: random.Random) -> Iterator[Planted]:
    """Plant all defects in a tree, each beside what it holds already."""
    modules = [
        path
        for path in sorted(root.rglob("*.py"))
        if not any(one in path.relative_to(root).as_posix() for one in LESSENED)
        and path.stat().st_size < 100_000
    ]
    for number, one in enumerate(yaml.safe_load(DEFECTS.read_text(encoding="utf-8"))):
        text = fill(one["text"], source) if one.get("keys") else one["text"]
        if "to" in one:
            place = modules[number % len(modules)]
            before = place.read_text(encoding="utf-8", errors="replace").rstrip("\n") + "\n\n\n"
        else:
            place, before = root / one["file"], ""
            place.parent.mkdir(parents=True, exist_ok=True)
        line = before.count("\n") + text[: text.index(MARK)].count("\n") + 1
        plain = text.replace(f"  # {MARK}", "").replace(f" # {MARK}", "").replace(f" // {MARK}", "")
        place.write_text(before + plain.replace(f" {MARK}", "").replace(MARK, ""), encoding="utf-8")
        yield Planted(one["family"], place.relative_to(root).as_posix(), line)


def told(root: Path) -> dict[str, list[int]]:
    """Lines of the findings that count, by file."""
    command = [sys.executable, "-m", "buttress", "scan", ".", "--only", PROBES]
    done = subprocess.run(
        [*command, "--no-ignore-file", "--json", "--fail-on", "never"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines: dict[str, list[int]] = defaultdict(list)
    for one in json.loads(done.stdout)["findings"]:
        if one["severity"] in COUNTED:
            lines[one["place"]["path"]].append(one["place"]["line"] or 1)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="name each defect that is missed")
    options = parser.parse_args()
    found: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    for folder in options.folders:
        with tempfile.TemporaryDirectory() as below:
            root = Path(below) / folder.name
            shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".git"), symlinks=True)
            defects = list(plant(root, random.Random(options.seed)))
            lines = told(root)
        for one in defects:
            planted[one.family] += 1
            near = any(abs(line - one.line) <= NEAR for line in lines.get(one.path, ()))
            found[one.family] += near
            if options.list and not near:
                print(f"{folder.name}: {one.family}: {one.path}:{one.line}", file=sys.stderr)
    for family, number in planted.items():
        print(f"| {family} | {found[family]} | {number} |")
    every = sum(planted.values())
    print(f"| all | {sum(found.values())} | {every} | {100 * sum(found.values()) / every:.0f} % |")


if __name__ == "__main__":
    main()
