"""Runs one scanner of others over the files of a folder, in the interpreter that has it.

    python run_scanners.py NAME FOLDER

Prints a JSON object: file name -> "found", "error" (it says that it could not read the file) or
"clean" (no finding, or no format that it knows). Findings count as each tool counts them for its
exit code: picklescan's dangerous globals, any severity of modelscan, modelaudit's warnings and
above, fickling's verdicts above "likely safe".
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path


def picklescan() -> Callable[[Path], str]:
    from picklescan.scanner import scan_file_path

    def examine(path: Path) -> str:
        result = scan_file_path(str(path))
        return "found" if result.issues_count else "error" if result.scan_err else "clean"

    return examine


def modelscan() -> Callable[[Path], str]:
    from modelscan.modelscan import ModelScan

    def examine(path: Path) -> str:
        result = ModelScan().scan(str(path))
        return "found" if result["issues"] else "error" if result["errors"] else "clean"

    return examine


def modelaudit() -> Callable[[Path], str]:
    from modelaudit.core import scan_model_directory_or_file

    def examine(path: Path) -> str:
        result = scan_model_directory_or_file(str(path), cache_enabled=False)
        grave = [one for one in result.issues if one.severity.value in ("warning", "critical")]
        return "found" if grave else "error" if result.has_errors else "clean"

    return examine


def fickling() -> Callable[[Path], str]:
    from fickling import scan_file
    from fickling.analysis import Severity

    def examine(path: Path) -> str:
        result = scan_file(str(path), graceful=True)
        if result.errors and not result.results:
            return "error"
        return "found" if result.severity > Severity.LIKELY_SAFE else "clean"

    return examine


SCANNERS = {one.__name__: one for one in (picklescan, modelscan, modelaudit, fickling)}


def main() -> None:
    examine = SCANNERS[sys.argv[1]]()
    verdicts = {}
    for path in sorted(Path(sys.argv[2]).iterdir()):
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                verdicts[path.name] = examine(path)
            except Exception:  # whatever it raises, it has not read the file
                verdicts[path.name] = "error"
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main()
