"""Known vulnerabilities from a large database of advisories: the first scan and later ones.

    python benchmarks/osv_lookup.py --records 20000 --rounds 5

The database is made up with a seed: advisories of the shape and about the size of those of PyPI
(a page of prose, ten links, some sixty versions), as a folder and as an archive. Each figure is of
a whole process, ``buttress scan`` of a requirements file with 200 packages of which all are in the
database: wall time, and the most memory that was resident. The index goes to a folder of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

WORDS = ("model", "weights", "tensor", "request", "parser", "header", "path", "buffer", "token")
PACKAGES_WANTED = 200


def advisory(number: int, packages: int, draw: random.Random) -> dict[str, Any]:
    """One of the shape of PyPI's."""
    versions = [f"{major}.{minor}.{patch}" for major in range(draw.randint(1, 4))
                for minor in range(8) for patch in range(draw.randint(1, 4))]  # fmt: skip
    return {
        "schema_version": "1.7.0",
        "id": f"PYSEC-2026-{number}",
        "modified": "2026-11-01T00:00:00Z",
        "published": "2026-10-01T00:00:00Z",
        "aliases": [f"CVE-2026-{number}", f"GHSA-{number:08x}"],
        "summary": " ".join(draw.choices(WORDS, k=10)),
        "details": " ".join(draw.choices(WORDS, k=250)),
        "references": [
            {"type": "WEB", "url": f"https://example.org/{number}/{one}"} for one in range(10)
        ],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": f"package-{number % packages}"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.0"}]}
                ],
                "versions": versions,
            }
        ],
    }


def make(folder: Path, records: int) -> tuple[Path, Path]:
    """The database as a folder and as an archive."""
    draw = random.Random(0)
    single = folder / "single"
    single.mkdir()
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(records):
            one = advisory(number, records // 5, draw)
            data = json.dumps(one)
            (single / f"{one['id']}.json").write_text(data)
            archive.writestr(f"{one['id']}.json", data)
    return single, folder / "all.zip"


def scanned(app: Path, home: Path, database: Path | None) -> tuple[float, float, int]:
    """Seconds, MiB, and findings of one scan."""
    command = [sys.executable, "-m", "buttress", "scan", str(app), "--only", "dependencies"]
    command += ["--json", "--fail-on", "never"]
    command += ["--osv", str(database)] if database else []
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"BUTTRESS_HOME": str(home)}
    )
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"the scan failed with status {status}")
    return seconds, usage.ru_maxrss / 1024, len(json.loads(told)["findings"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single, archive = make(folder, options.records)
        app = folder / "app"
        app.mkdir()
        (app / "requirements.txt").write_text(
            "".join(f"package-{number}==1.0.0\n" for number in range(PACKAGES_WANTED))
        )
        size = sum(one.stat().st_size for one in single.iterdir())
        print(f"{options.records} advisories, {size >> 20} MiB; archive "
              f"{archive.stat().st_size >> 20} MiB")  # fmt: skip
        for label, database in (("none", None), ("folder", single), ("archive", archive)):
            home = folder / f"home-{label}"
            first = scanned(app, home, database)
            later = [scanned(app, home, database) for _ in range(options.rounds)]
            kept = sum(one.stat().st_size for one in home.rglob("*.osv-index"))
            print(f"{label:8} first {first[0]:.2f} s {first[1]:.0f} MiB; later "
                  f"{statistics.median(one[0] for one in later):.2f} s "
                  f"{max(one[1] for one in later):.0f} MiB; {first[2]} findings; "
                  f"index {kept >> 20} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
