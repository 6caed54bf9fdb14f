"""Tries a wheel as a stranger would: installs it into a fresh environment, away from the checkout.

``python tests/wheel.py dist/buttress-*.whl``. Every file of data in ``src`` must be in it, and
commands that read data must work. Not collected by pytest: it needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Commands that read the catalogue, policies, prompts, rules, templates and languages.
COMMANDS = (
    (("--version",), 0, "buttress "),
    (("risks",), 0, "over-refusal"),
    (("risks", "policies"), 0, "default"),
    (("probes", "--attacks"), 0, "role-play"),
    (("pack", "verify", "--own"), 0, ""),
    (("init", "--schema"), 0, "$schema"),
    (("init", "shop", "--no-ports"), 0, "Wrote"),
    (("scan", "shop", "--fail-on", "high"), 1, "torch-load"),
    (("assess", "shop", "--out", "out"), 1, "Not acceptable"),
    (("report", "out", "--language", "zh"), 0, "report.zh.html"),
    (("evidence", "verify", "out"), 0, ""),
)


def missing(wheel: Path) -> Iterator[str]:
    """Files of ``src/buttress`` that the wheel lacks."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "src/buttress").rglob("*"):
        name = path.relative_to(ROOT / "src").as_posix()
        if path.is_file() and path.suffix != ".pyc" and name not in packed:
            yield name


def main(wheel: Path) -> int:
    """Number of things that do not work."""
    problems = [f"not in the wheel: {name}" for name in missing(wheel)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv/bin/python"
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "-c", ROOT / "constraints.txt", wheel.resolve()], check=True)
        (folder / "shop").mkdir()
        code = 'import torch\n\nMODEL = torch.load("model.pt", weights_only=False)\n'
        (folder / "shop/app.py").write_text(code)
        environment = {"PATH": os.environ["PATH"], "HOME": name, "NO_COLOR": "1", "COLUMNS": "120"}
        for arguments, code, said in COMMANDS:
            done = subprocess.run(
                [folder / "venv/bin/buttress", *arguments],
                cwd=folder, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode != code or said not in done.stdout:
                told = (done.stdout + done.stderr)[-400:]
                problems.append(f"buttress {' '.join(arguments)}: {done.returncode}\n{told}")
    print("\n".join(problems) or f"{wheel.name}: {len(COMMANDS)} commands work")
    return len(problems)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
