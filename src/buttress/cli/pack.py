"""``buttress pack``: bundles of rules and other data that are installed for all projects."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from buttress.files.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from buttress.packs.signature import PackSigner


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "pack",
        help="install, make and sign packs of rules, allowlists, fingerprints, prompts, risks",
        description="Packs lie in $BUTTRESS_HOME/packs, else in the user's data folder. Every rule "
        "of a pack carries its own examples; a pack with a rule that fails them does not load.",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(parts, "list", _list, "list installed packs")
    verify = _add(parts, "verify", _verify, "check digests, signature and fields, try all examples")
    verify.add_argument(
        "pack", metavar="PACK", nargs="?", help="a folder, a .zip, or an installed pack's id"
    )
    verify.add_argument(
        "--own", action="store_true", help="try the examples of Buttress's own rules instead"
    )
    install = _add(parts, "install", _install, "verify a pack and install it")
    install.add_argument(
        "pack",
        type=Path,
        metavar="PACK",
        help="a folder or a .zip; with --from, the folder of rules",
    )
    install.add_argument(
        "--from", choices=("ai-infra-guard",), dest="origin", metavar="PROJECT",
        help="make a pack of another project's rules, unchanged: ai-infra-guard, from its package, "
        "its data folder or a checkout",
    )  # fmt: skip
    install.add_argument(
        "--replace", action="store_true",
        help="replace that version, a newer one or one of another signer",
    )  # fmt: skip
    for one in (verify, install):
        one.add_argument(
            "--trust", type=Path, metavar="PUBLIC-KEY",
            help="the pack must be signed by this key"
            + (", which is trusted from then on" if one is install else ""),
        )  # fmt: skip
        one.add_argument(
            "--require-signature", action="store_true", help="refuse a pack that is not signed"
        )
    lint = _add(parts, "lint", _lint, "say what is wrong in AI-Infra-Guard's rules")
    lint.add_argument(
        "path", type=Path, metavar="PATH", help="its package, data or a checkout; or one file"
    )
    lint.add_argument("--json", action="store_true", help="machine-readable output")
    remove = _add(parts, "remove", _remove, "remove an installed pack")
    remove.add_argument("id", metavar="ID", help="id of the pack")
    new = _add(parts, "new", _new, "write a pack with a file of each kind, to start from")
    new.add_argument("folder", type=Path, metavar="DIR", help="folder to write")
    new.add_argument("--id", metavar="ID", help="id of the pack (default: the folder's name)")
    seal = _add(parts, "seal", _seal, "write the digests of a pack's files into its pack.yaml")
    seal.add_argument("folder", type=Path, metavar="DIR", help="folder of the pack")
    sign = _add(parts, "sign", _sign, "sign a pack's pack.yaml, which holds all digests")
    sign.add_argument("folder", type=Path, metavar="DIR", help="folder of the pack")
    sign.add_argument(
        "--key", type=Path, required=True, metavar="FILE.pem",
        help="private key, elliptic (P-256, P-384, P-521)",
    )  # fmt: skip
    sign.add_argument(
        "--password-env", metavar="NAME", help="environment variable with the key's password"
    )


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
    from buttress.packs import home, where

    names, broken = where.ids(), 0
    for name in names:
        try:
            installed = home.load(name)
        except InputError as error:
            broken += 1
            print(f"buttress: error: {error}", file=sys.stderr)
            continue
        manifest = installed.manifest
        kinds = Counter(item.kind for item in manifest.contents)
        held = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        print(f"{manifest.name}  {visible(manifest.title)}  ({held})  {_signed(installed.signer)}")
    if not names:
        print(f"No packs in {where.home()}.")
    return 2 if broken else 0


def _verify(options: argparse.Namespace) -> int:
    import tempfile

    from buttress.errors import InputError
    from buttress.packs import bundle, signature, verify, where
    from buttress.packs.manifest import SIGNATURE

    if options.own is (options.pack is not None):
        raise InputError("needs a pack or --own", field="PACK", expected="one of them")
    if options.own:
        from buttress.packs.verify import own_rules

        print(f"{own_rules()} of Buttress's own rules, all pass their examples.")
        return 0
    path = Path(options.pack)
    if not path.exists() and options.pack in where.ids():
        path = where.home() / options.pack
    read = bundle.read(path)
    name = read.manifest.name
    keys = signature.trusted() if options.trust is None else [options.trust]
    with tempfile.TemporaryDirectory(prefix="buttress-pack-") as folder:
        read.write(Path(folder))
        signer = signature.check(Path(folder), name, keys)
        if signer is None and (options.trust or options.require_signature):
            raise InputError("is not signed", file=f"pack {name}", field=SIGNATURE)
        verify.contents(read.manifest, Path(folder))
    number = len(read.manifest.contents)
    print(f"{name}: {number} file{'s' * (number != 1)}, all valid; {_signed(signer)}.")
    return 0


def _install(options: argparse.Namespace) -> int:
    import sys
    import tempfile

    if options.origin is None:
        return _install_pack(options, options.pack)
    from buttress.probes.infrastructure.aig.as_pack import ATTRIBUTION, write_pack

    with tempfile.TemporaryDirectory(prefix="buttress-pack-") as folder:
        rules = write_pack(options.pack, Path(folder))
        code = _install_pack(options, Path(folder))
    advisories = sum(len(rules.advisories(name)) for name in rules.advisory_names)
    for one in rules.problems:
        print(visible(f"left out: {one.file}: {one.what}"), file=sys.stderr)
    print(f"{len(rules.fingerprints)} fingerprints and {advisories} advisories, unchanged.")
    print(f"{ATTRIBUTION}.")
    return code


def _install_pack(options: argparse.Namespace, path: Path) -> int:
    from buttress.packs import home

    installed, before = home.install(
        path,
        replace=options.replace,
        trust=options.trust,
        require=options.require_signature,
    )
    instead = f", instead of {before.manifest.version}" if before else ""
    name = installed.manifest.name
    print(f"Installed {name} in {installed.folder}{instead}; {_signed(installed.signer)}.")
    return 0


def _lint(options: argparse.Namespace) -> int:
    import json
    from collections import Counter
    from dataclasses import asdict

    from buttress.files.visible import visible
    from buttress.probes.infrastructure.aig.files import load
    from buttress.probes.infrastructure.aig.lint import lint, lint_file

    folder = None if options.path.is_file() else load(options.path, option="PATH")
    notes = lint_file(options.path) if folder is None else lint(folder)
    if options.json:
        print(json.dumps([asdict(one) for one in notes], indent=2, ensure_ascii=False))
        return 1 if notes else 0
    for one in notes:
        print(visible(f"{one.level:6} {one.file}: {one.what}"))
    counts = Counter(one.level for one in notes)
    if folder is None:
        read = "1 file read"
    else:
        advisories = sum(len(folder.advisories(name)) for name in folder.advisory_names)
        read = f"{len(folder.fingerprints)} fingerprints and {advisories} advisories read"
    print(
        f"{read}; "
        f"{counts['error']} files or rules not read, {counts['never']} that can never fire, "
        f"{counts['always']} that fire on everything, "
        f"{counts['weak']} that do not say what was meant."
    )
    return 1 if notes else 0


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
    from buttress.packs.manifest import FILE_NAME, SIGNATURE
    from buttress.packs.seal import seal

    changed = seal(options.folder)
    print(f"{changed} digest{'s' * (changed != 1)} changed in {options.folder / FILE_NAME}.")
    if changed and (options.folder / SIGNATURE).exists():
        print(f"{SIGNATURE} does not fit any more: sign the pack again.")
    return 0


def _sign(options: argparse.Namespace) -> int:
    import os

    from buttress.errors import InputError
    from buttress.packs import signature
    from buttress.packs.manifest import SIGNATURE

    password = None
    if options.password_env is not None:
        password = os.environ.get(options.password_env)
        if password is None:
            raise InputError(
                f"the environment has no '{options.password_env}'", field="--password-env",
                expected="the name of a variable",
            )  # fmt: skip
    manifest = signature.sign(options.folder, options.key, password)
    print(f"Signed {manifest.name}: {options.folder / SIGNATURE}.")
    return 0


def _signed(signer: PackSigner | None) -> str:
    if signer is None:
        return "not signed"
    return f"signed by {visible(signer.name)} (key {signer.key[:16]})"
