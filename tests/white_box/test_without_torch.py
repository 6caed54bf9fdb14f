"""Without torch the package can be imported, and the command says in one line what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_WEIGHTS = re.compile(r"torch|white_box|buttress\.training|tests\.training|transformers|peft")
_HIDE = """
import importlib.util, sys
HIDDEN = ("torch", "transformers", "peft", "opacus")
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: (
    None if name in HIDDEN else real(name, *more)
)
"""


def without_torch(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _HIDE + code],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_importing_it_raises_nothing() -> None:
    done = without_torch("import buttress.white_box, buttress.white_box.attempts")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    done = without_torch(
        "from buttress.cli.main import main\n"
        f"raise SystemExit(main(['whitebox', {str(tmp_path)!r}]))"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "buttress: error: a white-box attack needs an optional dependency: "
        "pip install '.[local]' in the clone of Buttress\n"
    )


def test_all_tests_of_weights_are_skipped_without_it() -> None:
    """``make core`` imports every test module where there is no PyTorch: none may fail to."""
    here = Path(__file__).parents[1]
    modules = [
        ".".join(("tests", *path.relative_to(here).with_suffix("").parts))
        for path in sorted(here.rglob("test_*.py"))
        if _WEIGHTS.search(path.read_text(encoding="utf-8"))
    ]
    assert len(modules) > 30
    done = without_torch(
        "import importlib, pytest\n"
        f"for name in {modules!r}:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except pytest.skip.Exception:\n"
        "        pass\n"
        "    except ImportError as error:\n"
        "        print(name, error)\n"
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
