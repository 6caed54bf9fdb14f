"""``buttress init``: looks around and writes a manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from buttress.system.model_templates import TEMPLATES

KINDS = tuple(TEMPLATES)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "init",
        help="look around and write a commented manifest",
        description="Looks for weights, adapters, data, source, infrastructure files and models "
        "served on loopback, and writes a manifest that `buttress assess` accepts unchanged.",
    )
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder to look at (default: this folder)",
    )
    parser.add_argument(
        "--model", choices=KINDS, metavar="KIND",
        help="write an entry for a model that is asked, to be filled in: " + ", ".join(KINDS),
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace an existing manifest")
    parser.add_argument(
        "--no-ports", action="store_true", help="don't look for models served on loopback"
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the manifest's JSON Schema and stop"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the manifest, or print its schema."""
    from buttress.errors import InputError
    from buttress.files.atomic import write_whole
    from buttress.system import discovery, manifest

    if options.schema:
        import orjson

        sys.stdout.write(orjson.dumps(manifest.schema(), option=orjson.OPT_INDENT_2).decode())
        sys.stdout.write("\n")
        return 0
    directory: Path = options.directory
    if not directory.is_dir():
        raise InputError("no such folder", file=str(directory), expected="a folder to look at")
    path = directory / manifest.FILE_NAME
    if path.exists() and not options.force:
        raise InputError("already there", file=str(path), expected="--force to replace it")
    found = discovery.look(directory, ports=() if options.no_ports else discovery.PORTS)
    write_whole(path, discovery.write(found, options.model).encode())
    for line in discovery.summary(found, options.model):
        print(line)
    if options.model is None:
        print(f"Wrote {path}. Read it, then: buttress assess {path}")
    else:
        print(f"Wrote {path}. Fill in the model, then: buttress ask {path}")
    return 0
