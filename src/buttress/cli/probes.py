"""``buttress probes``: what can be measured, with which attacks and prompts."""

from __future__ import annotations

import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "probes",
        help="list probes, attacks and prompt sets",
        description="Lists the probes, built in or added by packages.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--attacks", action="store_true", help="list the attack families instead")
    which.add_argument("--sets", action="store_true", help="list the prompt sets instead")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the list."""
    rows = _attacks() if options.attacks else _sets() if options.sets else _probes()
    if options.json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0]:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)
    return 0


def _probes() -> list[dict[str, str]]:
    from buttress import extension
    from buttress.protocols.probe import InspectionProbe

    rows = []
    for name in extension.names("probes"):
        probe = extension.load("probes", name)
        inspects = isinstance(probe, InspectionProbe)
        rows.append(
            {
                "id": name,
                "yields": "findings" if inspects else "trials",
                "examines": ", ".join(probe.kinds) if inspects else "model",
                "what": probe.title,
            }
        )
    for name in extension.names("live_probes"):
        probe = extension.load("live_probes", name)
        rows.append(
            {
                "id": name,
                "yields": "findings",
                "examines": f"hosts ({probe.layer})",
                "what": probe.title,
            }
        )
    return rows


def _attacks() -> list[dict[str, str]]:
    from buttress import extension

    rows = []
    for name in extension.names("attacks"):
        attack = extension.load("attacks", name)
        rows.append(
            {
                "id": name,
                "title": attack.title,
                "calls": str(attack.calls),
                "variants": ", ".join(getattr(attack, "variants", ())) or "searches",
                "references": ", ".join(attack.references),
            }
        )
    return rows


def _sets() -> list[dict[str, str]]:
    from buttress.probes.behaviour.gbt_bank import PROMPT_SETS
    from buttress.prompts.public import known_sets

    own = {"id": "buttress", "title": "Buttress's own pack", "licence": "Apache-2.0", "hub": ""}
    banks = [
        {"id": name, "title": f"GB/T 45654 bank, {kind}: your own file", "licence": "", "hub": ""}
        for name, kind in PROMPT_SETS.items()
    ]
    return [own, *banks] + [
        {
            "id": name,
            "title": known.title,
            "licence": known.licence,
            "hub": known.hub or "",
        }
        for name, known in known_sets().items()
    ]
