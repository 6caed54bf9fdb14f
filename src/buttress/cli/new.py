"""``buttress new``: packages to start from."""

from __future__ import annotations

import argparse
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "new",
        help="write a plugin to start from",
        description="Writes a package with an attack, a target, a judge, a probe and a kind of "
        "pack contents, each with its test.",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plugin = parts.add_parser(
        "plugin",
        help="write a plugin that passes its own tests",
        description="Writes a plugin that passes its own tests.",
    )
    plugin.add_argument("name", metavar="NAME", help="name of the plugin: a-z, 0-9 and -")
    plugin.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to create (default: buttress-NAME)"
    )
    plugin.set_defaults(run=_plugin)


def _plugin(options: argparse.Namespace) -> int:
    from buttress.workflows.new_plugin import new_plugin

    folder = options.out or Path(f"buttress-{options.name}")
    for path in new_plugin(options.name, folder):
        print(folder / path)
    print(f"next: cd {folder}; pip install -e .; python -m pytest")
    return 0
