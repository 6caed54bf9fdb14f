"""``buttress digest``: a manifest of SHA-256 digests of a model folder, written and verified."""

from __future__ import annotations

import argparse
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "digest",
        help="write or verify the digests of a model folder",
        description="A manifest lists the SHA-256 of every file below a folder, in the form of "
        "sha256sum. It shows changes, not who made them: for that see `buttress sign`.",
        epilog="exit codes: 0 written, or all as listed; 1 something differs; 2 bad input",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, told, run in (
        ("write", "write the manifest", _write),
        ("verify", "compare the folder with its manifest", _verify),
    ):
        action = actions.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")
        action.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the model")
        action.add_argument("manifest", type=Path, metavar="MANIFEST", help="file of digests")
        action.set_defaults(run=run)


def _write(options: argparse.Namespace) -> int:
    from buttress.probes.artifacts.digests import write

    count = write(_folder(options), options.manifest)
    print(f"{options.manifest}: digests of {count:,} files")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from buttress.probes.artifacts.digests import verify

    differences = 0
    for path, issue in verify(_folder(options), options.manifest):
        differences += 1
        print(f"{path}: {issue.message}")
    if not differences:
        print(f"{options.folder}: all as listed")
    return int(differences > 0)


def _folder(options: argparse.Namespace) -> Path:
    from buttress.errors import InputError

    folder: Path = options.folder
    if not folder.is_dir():
        raise InputError("no such folder", file=str(folder), expected="the folder of a model")
    return folder
