"""Coverage-guided fuzzing with atheris: ``python -m fuzz.run TARGET… --seconds 60``.

Everything is imported once with instrumentation; each target then runs in a process of its own,
one after the other, so that a crash ends one target and not the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import sys
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

from fuzz import corpus, harness

MEMORY: Final = 1024  # MiB that a process may take
TIMEOUT: Final = 10  # seconds for one input
MAX_LENGTH: Final = 1 << 14
_DONE: Final = re.compile(
    rb"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/\S+ .*?exec/s: (\d+) rss: (\d+)Mb", re.M
)


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of libFuzzer's last line. ``edges``: branches of our code that were reached."""

    target: str
    crashed: bool
    runs: int
    edges: int
    features: int
    inputs: int
    runs_per_s: int
    rss_mb: int


def main(arguments: list[str] | None = None) -> int:
    """Fuzz; 0 where nothing was found, 1 where something was, 2 where atheris is missing."""
    wish = _parser().parse_args(arguments)
    try:
        import atheris  # type: ignore[import-untyped]
    except ImportError:
        print("atheris is not installed: pip install '.[fuzz]'", file=sys.stderr)
        return 2
    with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["buttress"]):
        found = harness.targets()
    names = list(found) if wish.all else wish.targets
    for name in names:
        if name not in found:
            print(f"no target '{name}'; one of {', '.join(found)}", file=sys.stderr)
            return 2
    results = []
    with harness.workspace() as folder:
        from fuzz.seeds import seeds  # loads parsers, so after they have been instrumented

        given = seeds()
        for name in names:
            inputs = [*corpus.kept(name), *given.get(name, ())]
            result = _fuzz(found[name], inputs, wish, folder)
            results.append(result)
            print(
                f"{name:20} {result.runs:9,} runs {result.runs_per_s:7,}/s {result.edges:6,} edges "
                f"{result.inputs:5,} inputs {result.rss_mb:5,} MB"
                + ("  CRASHED" if result.crashed else ""),
                flush=True,
            )
    if wish.json:
        wish.json.write_bytes(orjson.dumps([asdict(one) for one in results]))
    return int(any(one.crashed for one in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--all", action="store_true", help="every target")
    parser.add_argument("--seconds", type=int, default=0, help="for each target")
    parser.add_argument(
        "--runs", type=int, help="for each target, in place of a time; 0: only the kept inputs"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="folder that gathers what is new, by target")
    parser.add_argument("--crashes", type=Path, default=Path("out/crashes"))
    parser.add_argument("--json", type=Path, help="figures go here as well")
    return parser


def _fuzz(
    target: harness.Target, inputs: list[bytes], wish: argparse.Namespace, folder: Path
) -> Result:
    log = folder / f"{target.name}.log"
    gathered = (wish.corpus or folder / "new") / target.name
    gathered.mkdir(parents=True, exist_ok=True)
    kept = folder / "kept" / target.name
    kept.mkdir(parents=True)
    for number, data in enumerate(inputs):
        (kept / str(number)).write_bytes(data)
    words = folder / f"{target.name}.dict"
    words.write_text(corpus.dictionary(inputs))
    crashes = wish.crashes / target.name
    crashes.mkdir(parents=True, exist_ok=True)
    options = [
        f"-seed={wish.seed}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}",
        f"-max_len={MAX_LENGTH}", f"-artifact_prefix={crashes}/", "-report_slow_units=3",
        f"-dict={words}",
    ]  # fmt: skip
    if wish.runs is not None:
        options.append(f"-runs={wish.runs}")
    if wish.seconds or wish.runs is None:
        options.append(f"-max_total_time={wish.seconds or 60}")
    process = os.fork()
    if not process:
        _child(target, [*options, str(gathered), str(kept)], log, crashes)
    _, status = os.waitpid(process, 0)
    output = log.read_bytes()
    shutil.rmtree(folder / str(process), ignore_errors=True)
    last = _DONE.findall(output)
    numbers = [int(one) for one in last[-1]] if last else [0] * 6
    if status:
        (crashes / "log.txt").write_bytes(output[-20_000:])
    elif not any(crashes.iterdir()):
        crashes.rmdir()
    return Result(target.name, bool(status), *numbers)


def _child(target: harness.Target, options: list[str], log: Path, crashes: Path) -> None:
    """Become libFuzzer; does not return."""
    import atheris

    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)

    def one(data: bytes) -> None:
        try:
            # Asking twice halves the speed, so that only some inputs are.
            (harness.twice if sum(data[:8]) % 16 == 0 else harness.once)(target, data)
        except Exception:
            name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            (crashes / name).write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], *options], one)
    try:
        atheris.Fuzz()
    finally:
        os._exit(70)  # after an exception: at the end of a run libFuzzer ends the process itself


if __name__ == "__main__":
    sys.exit(main())
