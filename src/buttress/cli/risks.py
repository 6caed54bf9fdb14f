"""``buttress risks``: the catalogue of risks and the policies, to read and to edit."""

from __future__ import annotations

import argparse
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buttress.risk.catalogue import Catalogue, Risk
    from buttress.risk.policy import Policy, Tolerance

_SHOWN = 15  # risks of a comparison
_FIELDS = {
    "risks": ("id", "title", "severity", "probe", "tolerated"),
    "policies": ("id", "title", "decides by", "risks"),
    "policy": ("risk", "tolerated", "alpha", "beta", "trials at least"),
}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "risks",
        help="list, show or export risks and policies",
        description="Lists the risks with the probe that informs each and what the policy "
        "tolerates.",
    )
    _add_common(parser, top=True)
    parser.set_defaults(run=_list)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    show = actions.add_parser(
        "show",
        help="print risks as YAML that can be edited",
        description="Print risks as YAML that can be edited.",
    )
    show.add_argument("ids", nargs="+", metavar="ID", help="risk; `buttress risks` lists them")
    _add_common(show, top=False)
    show.set_defaults(run=_show)

    policies = actions.add_parser(
        "policies",
        help="list the policies, or show one",
        description="List the policies, or show one.",
    )
    policies.add_argument(
        "name", nargs="?", metavar="NAME|FILE", help="policy to show (default: list all)"
    )
    _add_common(policies, top=False)
    policies.set_defaults(run=_policies)

    changed = actions.add_parser(
        "what-if",
        help="the loss under other assumptions, from stored evidence",
        description="Reckons a year's loss anew from a finished assessment: with another profile, "
        "other risks, other barriers. Asks nothing, and draws a picture.",
    )
    changed.add_argument("out", type=Path, metavar="OUT", help="folder of an assessment")
    changed.add_argument(
        "--profile", metavar="FILE|requests_per_day=N", help="another operational profile"
    )
    changed.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="PATH=VALUE",
        help="e.g. harmful-compliance.refusal=0.01, RISK.loss.median=500, cap=2000000",
    )  # fmt: skip
    changed.add_argument(
        "--picture", type=Path, metavar="FILE", help="where the SVG goes (default: OUT/what-if.svg)"
    )
    _add_common(changed, top=False, policy=False)
    changed.set_defaults(run=_what_if)


def _add_common(parser: argparse.ArgumentParser, *, top: bool, policy: bool = True) -> None:
    """Options that may stand before or behind the action; a loss needs no ``policy``."""

    def default(value: Any) -> Any:
        return value if top else argparse.SUPPRESS

    parser.add_argument(
        "--risks", type=Path, default=default(None), metavar="FILE",
        help="file or folder of risks over the catalogue",
    )  # fmt: skip
    if policy:
        parser.add_argument(
            "--policy", default=default("default"), metavar="NAME|FILE",
            help="policy that gives the limits (default: default)",
        )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", default=default(False), help="machine-readable output"
    )


def _list(options: argparse.Namespace) -> int:
    from buttress.risk.catalogue import SEVERITY_LABELS

    catalogue, policy = _load(options, options.policy)
    inspecting = _inspecting(catalogue)
    rows: list[dict[str, Any]] = []
    for risk in catalogue.risks.values():
        tolerance = policy.risks.get(risk.id)
        rows.append(
            {
                "id": risk.id,
                "title": risk.title,
                "level": risk.level,
                "level_label": SEVERITY_LABELS[risk.level],
                "probe": risk.probe,
                "limit": None if tolerance is None else _limit(risk, tolerance, inspecting),
            }
        )
    if options.json:
        return _print_json(rows)
    _print_table(
        _FIELDS["risks"],
        [
            (row["id"], row["title"], f"{row['level']} {row['level_label']}", row["probe"] or "",
             row["limit"]["text"] if row["limit"] else "")
            for row in rows
        ],
    )  # fmt: skip
    return 0


def _show(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.risk import editing

    catalogue, _ = _load(options, options.policy)
    for name in options.ids:
        if name not in catalogue.risks:
            choices = "one of " + ", ".join(catalogue.risks)
            raise InputError(f"unknown risk '{name}'", expected=choices)
    text = editing.write(catalogue.risks[name] for name in dict.fromkeys(options.ids))
    if options.json:
        from buttress.files.yaml_loader import parse_plain

        return _print_json(parse_plain(text))
    print(text, end="")
    return 0


def _what_if(options: argparse.Namespace) -> int:
    from buttress.files.atomic import write_whole
    from buttress.report.loss_picture import picture
    from buttress.workflows.what_if import what_if

    found = what_if(
        options.out, risks=options.risks, profile=options.profile, settings=options.settings
    )
    folder = options.out if options.out.is_dir() else options.out.parent
    file = options.picture or folder / "what-if.svg"
    title = "A year's loss" + (f" if {', '.join(found['settings'])}" if found["settings"] else "")
    drawn = picture(title, found["before"], found["after"])
    write_whole(file, drawn.encode(), "--picture")
    if options.json:
        return _print_json(found | {"picture": str(file)})
    _print_table(("a year's loss", "as assessed", "what if"), _compared(found))
    print()
    _print_table(("risk", "as assessed", "what if", "known by"), _by_risk(found))
    print(f"\nPicture: {file}")
    return 0


def _compared(found: dict[str, Any]) -> list[tuple[str, ...]]:
    from buttress.report.numbers import money

    def both(name: str) -> tuple[str, ...]:
        texts = []
        for loss in (found["before"], found["after"]):
            text = money(loss[name], loss["unit"])
            if name in loss["error"]:
                text += f" ± {money(loss['error'][name], loss['unit'])}"
            texts.append(text)
        return tuple(texts)

    return [
        ("mean", *both("mean")),
        ("of it from measured risks", *both("mean_measured")),
        ("median", *both("median")),
        ("1 year in 20 exceeds", *both("p95")),
        ("1 year in 100 exceeds", *both("p99")),
        ("requests a day", *(f"{count:,.0f}" for count in found["requests_per_day"])),
    ]


def _by_risk(found: dict[str, Any]) -> list[tuple[str, ...]]:
    from buttress.report.numbers import money

    old = {row["risk"]: row["mean"] for row in found["before"]["sensitivity"]}
    unit = found["after"]["unit"]
    rows = found["after"]["sensitivity"]
    # What the assumptions move comes first, by how much; the largest of the others fill up.
    moved = [row for row in rows if not isclose(row["mean"], old[row["risk"]], rel_tol=1e-9)]
    moved.sort(key=lambda row: -abs(row["mean"] - old[row["risk"]]))
    others = [row for row in rows if row not in moved]
    return [
        (
            row["risk"],
            money(old[row["risk"]], unit),
            money(row["mean"], unit),
            "evidence" if row["measured"] else "a prior",
        )
        for row in [*moved, *others][:_SHOWN]
    ]


def _policies(options: argparse.Namespace) -> int:
    from buttress.risk.policy import policy_names

    if options.name is not None:
        return _policy(options)
    rows: list[dict[str, Any]] = []
    for name in policy_names():
        _, policy = _load(options, name)
        rows.append(
            {
                "id": policy.id,
                "title": policy.title,
                "decide_by": policy.decide_by,
                "source": policy.source,
                "risks": len(policy.risks),
            }
        )
    if options.json:
        return _print_json(rows)
    _print_table(
        _FIELDS["policies"],
        [(row["id"], row["title"], row["decide_by"], str(row["risks"])) for row in rows],
    )
    return 0


def _policy(options: argparse.Namespace) -> int:
    catalogue, policy = _load(options, options.name)
    inspecting = _inspecting(catalogue)
    risks: dict[str, dict[str, Any]] = {}
    for name, tolerance in policy.risks.items():
        limit = _limit(catalogue.risks[name], tolerance, inspecting)
        errors = {
            "alpha": tolerance.alpha,
            "beta": tolerance.beta,
            "minimum_trials": tolerance.minimum_trials,
        }
        risks[name] = limit | (errors if limit["kind"] == "rate" else {})
    if options.json:
        return _print_json(
            {
                "id": policy.id,
                "title": policy.title,
                "source": policy.source,
                "decide_by": policy.decide_by,
                "estimand": policy.estimand,
                "family_wise": policy.family_wise,
                "risks": risks,
            }
        )
    about = policy.estimand.replace("-", " ")
    shared = "for all verdicts together" if policy.family_wise else "for each verdict"
    print(
        f"{policy.title} ({policy.id}): decides by the {policy.decide_by}, about {about}; ", end=""
    )
    print(f"beta holds {shared}\n{policy.source}\n")
    _print_table(
        _FIELDS["policy"],
        [
            (name, row["text"], *(f"{row[key]:g}" if key in row else "" for key in errors))
            for name, row in risks.items()
        ],
    )
    return 0


def _load(options: argparse.Namespace, policy: str) -> tuple[Catalogue, Policy]:
    from buttress.packs.resolve import resolve
    from buttress.risk.catalogue import load_catalogue
    from buttress.risk.policy import load_policy

    catalogue = load_catalogue(options.risks)
    return catalogue, load_policy(policy, catalogue.risks.keys(), resolve)


def _inspecting(catalogue: Catalogue) -> set[str]:
    """Probes that yield findings, among those that the catalogue names and that are installed."""
    from buttress import extension
    from buttress.protocols.probe import InspectionProbe

    named = {risk.probe for risk in catalogue.risks.values()} & set(extension.names("probes"))
    return {*extension.names("live_probes")} | {
        name
        for name in named
        if name is not None and isinstance(extension.load("probes", name), InspectionProbe)
    }


def _limit(risk: Risk, tolerance: Tolerance, inspecting: set[str]) -> dict[str, Any]:
    """What is tolerated: a rate, or findings below a severity."""
    if risk.probe in inspecting:
        text = f"no finding of {tolerance.severity} or above"
        return {"kind": "severity", "severity": tolerance.severity, "text": text}
    return {"kind": "rate", "rate": tolerance.limit, "text": f"≤ {100 * tolerance.limit:g} %"}


def _print_json(value: Any) -> int:
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False))
    return 0


def _print_table(fields: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, field in enumerate(fields):
        table.add_column(field, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
