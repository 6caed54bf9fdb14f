"""``buttress pack``: bundles of rules and other data that are installed for all projects."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "pack",
        help="install and make packs of rules, fingerprints, prompts, risks, policies",
        description="Packs lie in $BUTTRESS_HOME/packs, else in the user's data folder. Every rule "
        "of a pack carries its own examples; a pack with a rule that fails them does not load.",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(parts, "list", _list, "list installed packs")
    verify = _add(parts, "verify", _verify, "check digests and fields, and try all examples")
    verify.add_argument("pack", metavar="PACK", help="a folder, a .zip, or an installed pack's id")
    install = _add(parts, "install", _install, "verify a pack and install it")
    install.add_argument("pack", type=Path, metavar="PACK", help="a folder or a .zip")
    install.add_argument(
        "--replace", action="store_true", help="even if that version or a newer one is there"
    )
    remove = _add(parts, "remove", _remove, "remove an installed pack")
    remove.add_argument("id", metavar="ID")
    new = _add(parts, "new", _new, "write a pack with a file of each kind, to start from")
    new.add_argument("folder", type=Path, metavar="DIR")
    new.add_argument("--id", metavar="ID", help="its id (default: the folder's name)")
    seal = _add(parts, "seal", _seal, "write the digests of a pack's files into its pack.yaml")
    seal.add_argument("folder", type=Path, metavar="DIR")


def _add(
    parts: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    about: str,
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    parser.set_defaults(run=run)
    return parser


def _list(_: argparse.Namespace) -> int:
    import sys
    from collections import Counter

    from buttress.errors import InputError
    from buttress.packs import home

    names, broken = home.ids(), 0
    for name in names:
        try:
            manifest = home.load(name).manifest
        except InputError as error:
            broken += 1
            print(f"buttress: error: {error}", file=sys.stderr)
            continue
        kinds = Counter(item.kind for item in manifest.contents)
        held = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        print(f"{manifest.name}  {_plain(manifest.title)}  ({held})")
    if not names:
        print(f"No packs in {home.home()}.")
    return 2 if broken else 0


def _verify(options: argparse.Namespace) -> int:
    import tempfile

    from buttress.packs import bundle, home, verify

    path = Path(options.pack)
    if not path.exists() and options.pack in home.ids():
        path = home.home() / options.pack
    read = bundle.read(path)
    with tempfile.TemporaryDirectory(prefix="buttress-pack-") as folder:
        read.write(Path(folder))
        verify.contents(read.manifest, Path(folder))
    number = len(read.manifest.contents)
    print(f"{read.manifest.name}: {number} file{'s' * (number != 1)}, all valid.")
    return 0


def _install(options: argparse.Namespace) -> int:
    from buttress.packs import home

    installed, before = home.install(options.pack, replace=options.replace)
    instead = f", instead of {before.manifest.version}" if before else ""
    print(f"Installed {installed.manifest.name} in {installed.folder}{instead}.")
    return 0


def _remove(options: argparse.Namespace) -> int:
    from buttress.packs import home

    home.remove(options.id)
    print(f"Removed {options.id}.")
    return 0


def _new(options: argparse.Namespace) -> int:
    from buttress.packs.scaffold import scaffold

    made = scaffold(options.folder, options.id or options.folder.resolve().name)
    print(f"Wrote {', '.join(made)} in {options.folder}.")
    return 0


def _seal(options: argparse.Namespace) -> int:
    from buttress.packs.seal import seal

    changed = seal(options.folder)
    print(f"{changed} digest{'s' * (changed != 1)} changed in {options.folder / 'pack.yaml'}.")
    return 0


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
