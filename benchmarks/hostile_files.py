"""What hostile files cost: processor time and peak memory of a whole ``buttress scan`` on each.

Every file is built here and inert: bombs, nesting of ten thousand levels, counts that lie, and text
of a megabyte that drives careless parsers into quadratic time or a stack overflow. All inspection
probes run. A scan that ends with a traceback, or is killed, is shown as failed; exit code 3 says
that the file is of no format that is known.

    python benchmarks/hostile_files.py [--case NAME …]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from hostile_samples import CASES

COMMAND: Final = ["-c", "from buttress.cli.main import main; raise SystemExit(main())", "scan"]


def scanned(path: Path) -> tuple[float, int, int, str]:
    """Seconds of processor time, peak memory in MB, number of findings, and what went wrong."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, *COMMAND, "--json", "--fail-on", "never", str(path)],
            stdout=out, stderr=err, cwd=path.parent,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        seconds = used.ru_utime + used.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        told = err.read().decode("utf-8", "replace").strip().splitlines()
        wrong = "" if process.returncode in (0, 3) else f"exit {process.returncode}: {told[-1:]}"
        found = 0 if wrong else len(json.loads(out.read())["findings"])
    return seconds, used.ru_maxrss // 1024, found, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", nargs="+", default=list(CASES), choices=list(CASES))
    given = parser.parse_args()
    print("| file | MB | s | peak, MB | findings | |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for case in given.case:
        name, build = CASES[case]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(build())
            size = path.stat().st_size / 1e6
            whole = path if path.parent == Path(folder) else Path(folder)
            seconds, peak, found, wrong = scanned(whole)
        print(f"| {case} | {size:.1f} | {seconds:.2f} | {peak} | {found} | {wrong} |", flush=True)


if __name__ == "__main__":
    main()
