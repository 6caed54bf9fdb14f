"""``buttress bom``: a bill of materials of models, data, code, packages and their licences."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from buttress.files.visible import visible

if TYPE_CHECKING:
    from buttress.workflows.bom import BillOfMaterials

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
    import sys

    from buttress.files.atomic import write_whole
    from buttress.workflows.bom import bill_of_materials

    bill = bill_of_materials(
        options.path,
        assessment=options.assessment,
        commercial_use=options.commercial,
        distributed=options.distributed,
        installed=options.installed,
        hashes=not options.no_hashes,
    )
    if options.out is None:
        sys.stdout.write(bill.encode().decode())
    else:
        write_whole(options.out, bill.encode(), "--out", expected="a new file")
    _print(options.out, bill)
    return int(options.fail_on != "never" and bill.has_conflict(options.fail_on))


def _print(out: Path | None, bill: BillOfMaterials) -> None:
    import sys
    from collections import Counter

    from buttress.provenance.licences.judging import NO_ADVICE

    counts = Counter(component.role for component in bill.inventory.components)
    parts = ", ".join(f"{_PLURAL[role]} {number:,}" for role, number in counts.items())
    print(f"{out or 'bill of materials'}: {parts}", file=sys.stderr)
    for note in bill.inventory.skipped:
        print(f"  not read: {visible(note)}", file=sys.stderr)
    for conflict in bill.conflicts:
        line = f"{conflict.severity}: {visible(conflict.message)}  [{conflict.rule.id}]"
        print(f"  {line}", file=sys.stderr)
    if bill.conflicts:
        if bill.commercial is None:
            print("  whether the use is commercial was not said: --commercial", file=sys.stderr)
        print(f"  {NO_ADVICE}", file=sys.stderr)


_PLURAL = {
    "model": "models", "adapter": "adapters", "data": "data sets", "code": "programs",
    "package": "packages",
}  # fmt: skip
