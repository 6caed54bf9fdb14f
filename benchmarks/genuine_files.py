"""What the inspection says of genuine, harmless files that real frameworks wrote.

Each framework that is installed writes files of many kinds; ``model-files`` examines every one of
them. Told are, by framework: files, those of no known format, accusations (findings of medium
severity or above), lesser remarks, and whatever could not be read.

    python benchmarks/genuine_files.py --maker PYTHON --maker PYTHON

``--maker`` is an interpreter where frameworks are installed (default: this one); it may be given
several times, and what one lacks another can make. Packages: onnx onnxscript onnxruntime skl2onnx
scikit-learn joblib skops nyoka xgboost-cpu lightgbm catboost tensorflow-cpu tf_keras
tensorflow-text coremltools openvino paddlepaddle flax jax orbax-checkpoint torch transformers peft
safetensors gguf gensim fasttext-wheel spacy statsmodels mlflow-skinny dill cloudpickle.

``--wheels`` examines the wheels of a folder instead, each as it is and unpacked: Python packages
that ship weights (``pip download --no-deps magika silero-vad lpips mtcnn nudenet …``).

``--folder`` keeps the files, and makes only what is not there; ``--verbose`` tells all findings.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path

from genuine.makers import MAKERS, Maker

MODULES = tuple(
    f"{one}_files" for one in ("onnx", "tensorflow", "graph", "object", "torch", "word")
)
SERIOUS = ("medium", "high", "critical")
QUIET = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_minloglevel": "3"}


def make(folder: Path, python: str) -> None:
    """Let ``python`` write what it has frameworks for, each in a process of its own.

    Frameworks bring native libraries that do not always bear each other's company.
    """
    for framework in sorted({one.framework for one in makers()}):
        command = [python, __file__, "--folder", str(folder), "--make-only", framework]
        with tempfile.TemporaryDirectory() as scratch:  # some leave files where they run
            done = subprocess.run(
                command, env=os.environ | QUIET, cwd=scratch, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
        for line in done.stderr.splitlines():
            if line.startswith("not made: "):
                print(line, file=sys.stderr)
        if done.returncode:
            print(f"{framework}: {python} ended with {done.returncode}", file=sys.stderr)


def make_one(folder: Path, framework: str) -> None:
    """Write, in this process, what is not there yet."""
    for one in makers():
        inside = folder / framework / one.name
        if one.framework != framework or inside.exists() or one.missing():
            continue
        inside.mkdir(parents=True)
        try:
            one.write(inside)
        except Exception as error:
            reason = (str(error).splitlines() or [""])[0]
            shutil.rmtree(inside)
            print(f"not made: {framework}/{one.name}: {reason or error!r}", file=sys.stderr)
        else:
            versions = ", ".join(f"{package} {_version(package)}" for package in one.packages)
            (folder / f"{framework}-{one.name}.versions").write_text(versions)


def makers() -> list[Maker]:
    """All that are registered."""
    for name in MODULES:
        import_module(f"genuine.{name}")
    return MAKERS


def _version(module: str) -> str:
    names = metadata.packages_distributions().get(module, [module])
    return metadata.version(names[0])


@dataclass(slots=True)
class Row:
    """Counts of one framework."""

    files: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    remarks: int = 0
    unread: list[str] = field(default_factory=list)


def examine(folder: Path) -> dict[str, Row]:
    """Every file, by framework."""
    from buttress.probes.artifacts.issue import RULES
    from buttress.probes.artifacts.one_file import examine_file

    rows: dict[str, Row] = defaultdict(Row)
    for path in sorted(one for one in folder.glob("*/**/*") if one.is_file()):
        relative = path.relative_to(folder)
        row, report = rows[relative.parts[0]], examine_file(path)
        row.files += 1
        row.formats.update(formats(path) or ["-"])
        if not report.recognised:
            row.unknown.append(str(relative))
        if report.error:
            row.unread.append(f"{relative}: {report.error}")
        row.unread += (f"{relative}: {reason}" for reason in report.unread)
        for issue in report.issues:
            severity = issue.severity or RULES.own[issue.rule].severity
            if severity in SERIOUS:
                told = f"{relative}{issue.location} {severity} {issue.rule}: {issue.message}"
                row.accused.append(told)
            else:
                row.remarks += 1
    return rows


def unpack(wheels: Path, folder: Path) -> None:
    """Each wheel, and what is in it, below a folder of its own."""
    for wheel in sorted(wheels.glob("*.whl")):
        inside = folder / wheel.name.partition("-")[0]
        inside.mkdir()
        shutil.copy(wheel, inside)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(inside)


def formats(path: Path) -> list[str]:
    """Names of the formats that a file is recognised as, outermost only."""
    from buttress.files.byte_source import FileSource, ResourceMeter
    from buttress.probes.artifacts.formats import protobuf_model
    from buttress.probes.artifacts.recognise import FORMATS, HEAD

    found: list[str] = []
    with FileSource(path, ResourceMeter()) as source:
        head = source.read_at(0, HEAD)
        for name, possible in FORMATS if head else ():
            module = import_module(f"buttress.probes.artifacts.formats.{name}")
            if possible(source, head) and module.matches(source, head):
                found += protobuf_model.kinds(source) if name == "protobuf_model" else [name]
    return found


def report(rows: dict[str, Row], *, verbose: bool) -> None:
    """The table, then what is behind it."""
    print("| framework | files | recognised as | unknown | accusations | remarks | not read |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for name, row in rows.items():
        kinds = ", ".join(f"{kind} {n}" for kind, n in row.formats.most_common() if kind != "-")
        print(f"| {name} | {row.files} | {kinds} | {len(row.unknown)} | {len(row.accused)} "
              f"| {row.remarks} | {len(row.unread)} |")  # fmt: skip
    total = list(rows.values())
    accused = {one.partition("@")[0].partition("!")[0] for row in total for one in row.accused}
    print(f"\n{sum(row.files for row in total)} files, {len(accused)} of them accused")
    for row in total if verbose else ():
        titles = {"accused": row.accused, "unknown": row.unknown, "not read": row.unread}
        for title, lines in titles.items():
            print("".join(f"{title}: {line}\n" for line in lines), end="")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--maker", action="append", default=[], metavar="PYTHON")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--wheels", type=Path, help="examine these, make none")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--make-only", metavar="FRAMEWORK", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make_only:
        make_one(arguments.folder, arguments.make_only)
        return
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.wheels:
            unpack(arguments.wheels, Path(scratch))
            report(examine(Path(scratch)), verbose=arguments.verbose)
            return
        folder = (arguments.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for python in arguments.maker or [sys.executable]:
            make(folder, python)
        report(examine(folder), verbose=arguments.verbose)
        versions = {
            one.strip() for path in folder.glob("*.versions") for one in path.read_text().split(",")
        }
        print("\nMade by " + ", ".join(sorted(versions)))


if __name__ == "__main__":
    main()
