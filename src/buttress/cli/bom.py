"""``buttress bom``: a bill of materials of models, data, code, packages and their licences."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.files.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buttress.provenance.bom.document import Described
    from buttress.provenance.inventory.component import Inventory
    from buttress.provenance.licences.judging import Conflict

_FAIL_ON = ("info", "low", "medium", "high", "never")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bom",
        help="write a bill of materials (CycloneDX 1.6) and check licences",
        description="Lists models with their cards, adapters, data, code and packages with digests "
        "and licences, and says where licences conflict. Reads files only. Not legal advice.",
        epilog="exit codes: 0 written, 1 a conflict as grave as --fail-on, 2 bad input",
    )
    parser.add_argument(
        "path", type=Path, metavar="MANIFEST|PATH",
        help="buttress.yaml or the folder that holds it, else any folder or model file",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE.json", help="where to (default: standard output)"
    )
    parser.add_argument(
        "--assessment", type=Path, metavar="FILE",
        help="assessment.json, whose rates and verdicts go into the model cards",
    )  # fmt: skip
    use = parser.add_mutually_exclusive_group()
    use.add_argument(
        "--commercial", action="store_true", default=None, dest="commercial",
        help="the use is commercial (else taken from the manifest's purpose if it says so)",
    )  # fmt: skip
    use.add_argument(
        "--non-commercial",
        action="store_false",
        dest="commercial",
        help="the use is not commercial",
    )
    parser.add_argument(
        "--distributed", action=argparse.BooleanOptionalAction, default=None,
        help="whether the software is given to others, not only offered over a network",
    )  # fmt: skip
    parser.add_argument(
        "--installed", action="store_true",
        help="take versions and licences of Python packages from those installed beside Buttress",
    )  # fmt: skip
    parser.add_argument("--no-hashes", action="store_true", help="don't read the weights and data")
    parser.add_argument(
        "--fail-on", choices=_FAIL_ON, default="never", metavar="SEVERITY",
        help="least severity of a licence conflict that gives exit code 1 (default: never)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Gather, judge, write."""
    import json
    import sys

    from buttress.evidence.findings import SEVERITIES
    from buttress.provenance.bom.document import document
    from buttress.provenance.inventory.gather import complete
    from buttress.provenance.inventory.hashes import sha256
    from buttress.provenance.licences.judging import Use
    from buttress.provenance.licences.probe import conflicts

    described, inventory, said = _inventory(options.path)
    assessment = _assessment(options.assessment)
    complete(inventory, installed=options.installed)
    commercial = said if options.commercial is None else options.commercial
    found = list(conflicts(inventory, Use(commercial, options.distributed)))
    files = [] if options.no_hashes else [
        path for one in inventory.components for path in one.files
    ]  # fmt: skip
    bill = document(
        described,
        inventory,
        hashes=sha256(files),
        conflicts=found,
        assessment=assessment,
        timestamp=_timestamp(),
    )
    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        _write(options.out, text)
    _tell(options.out, inventory, found, commercial)
    if options.fail_on == "never":
        return 0
    least = SEVERITIES.index(options.fail_on)
    return int(any(SEVERITIES.index(one.severity) >= least for one in found))


def _inventory(path: Path) -> tuple[Described, Inventory, bool | None]:
    """What the whole is, its parts, and whether its purpose says that the use is commercial."""
    from buttress.errors import InputError
    from buttress.provenance.bom.document import Described
    from buttress.provenance.inventory.gather import gather
    from buttress.provenance.inventory.system import commercial, of_system
    from buttress.system.manifest import FILE_NAME, load

    if not path.exists():
        raise InputError(
            "no such file or folder", file=str(path), expected="a manifest, a folder, or a model"
        )
    if path.suffix in (".yaml", ".yml") or (path / FILE_NAME).is_file():
        system = load(path)
        profile: dict[str, Any] = {
            "users": system.profile.users,
            "uses": [{"name": use.name} for use in system.profile.uses],
        }
        described = Described(system.name, system.purpose, system.owner, profile)
        return described, of_system(system), commercial(system.purpose)
    inventory = gather(path)
    if not inventory.components:
        raise InputError(
            "nothing that belongs into a bill of materials", file=str(path),
            expected="models, data with a card, or a project with its dependencies",
        )  # fmt: skip
    return Described(path.resolve().name), inventory, None


def _assessment(path: Path | None) -> dict[str, Any] | None:
    from buttress.documents.reading import load

    return None if path is None else load(path)


def _timestamp() -> str:
    """Now, or the time that reproducible builds give (SOURCE_DATE_EPOCH)."""
    import os
    import time
    from datetime import UTC, datetime

    from buttress.errors import InputError

    given = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        seconds = time.time() if given is None else int(given)
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        raise InputError(
            f"'{given}' is no time", field="SOURCE_DATE_EPOCH", expected="seconds since 1970"
        ) from None


def _write(path: Path, text: str) -> None:
    import os

    from buttress.errors import InputError

    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(path), field="--out", expected="a new file"
        ) from None


def _tell(
    out: Path | None, inventory: Inventory, found: Sequence[Conflict], commercial: bool | None
) -> None:
    import sys
    from collections import Counter

    from buttress.provenance.licences.judging import NO_ADVICE

    counts = Counter(one.role for one in inventory.components)
    parts = ", ".join(f"{_PLURAL[role]} {number:,}" for role, number in counts.items())
    print(f"{out or 'bill of materials'}: {parts}", file=sys.stderr)
    for note in inventory.skipped:
        print(f"  not read: {visible(note)}", file=sys.stderr)
    for one in found:
        print(f"  {one.severity}: {visible(one.message)}  [{one.rule.id}]", file=sys.stderr)
    if found:
        if commercial is None:
            print("  whether the use is commercial was not said: --commercial", file=sys.stderr)
        print(f"  {NO_ADVICE}", file=sys.stderr)


_PLURAL = {
    "model": "models", "adapter": "adapters", "data": "data sets", "code": "programs",
    "package": "packages",
}  # fmt: skip
