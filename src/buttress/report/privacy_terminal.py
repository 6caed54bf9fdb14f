"""What ``buttress privacy`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from buttress.files.visible import shortened
from buttress.report.numbers import percent


def show(document: Mapping[str, Any]) -> None:
    """The parts of the document that were measured, and its outcome."""
    console = Console()
    if document["membership"]:
        _membership(console, "Membership", document["membership"])
    if document["preferences"]:
        _membership(console, "Membership of preference pairs", document["preferences"])
    if document["exposure"]:
        _exposure(console, document["exposure"])
    if document["extraction"]:
        _extraction(console, document["extraction"])
    if document["divergence"]:
        _divergence(console, document["divergence"])
    if document["attributes"]:
        _attributes(console, document["attributes"])
    style = {"leak": "bold red", "undecided": "bold yellow"}.get(document["outcome"], "bold")
    console.print(f"Outcome: [{style}]{document['outcome']}[/]")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    return table


def _membership(console: Console, title: str, part: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]{title}[/]: {part['members']:,} members, {part['non_members']:,} non-members"
    )
    if part["attacks"]:
        table = _table("attack", "AUC", "95 %", "TPR at 0.1 %", "TPR at 1 %")
        if blind := part["blind"]:
            table.add_row("blind (texts alone)", *_area(blind), "", "")
        for one in part["attacks"]:
            table.add_row(one["attack"], *_area(one), *map(_rate, one["tpr"]))
        console.print(table)
    for name, why in part["skipped"].items():
        console.print(f"{name} was not made: {why}.", style="dim")
    for why, count in part["left_out"].items():
        console.print(f"{count:,} texts left out: {escape(why)}.", style="dim")
    if not part["usable"]:
        console.print(f"[bold yellow]Not usable[/]: {escape(part['reason'])}.")


def _area(one: Mapping[str, Any]) -> tuple[str, str]:
    return f"{one['auc']:.3f}", f"{one['auc_low']:.3f}–{one['auc_high']:.3f}"


def _rate(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return f"too few (≤ {percent(one['high'])})"
    return f"{percent(one['value'])} ({percent(one['low'])}–{percent(one['high'])})"


def _exposure(console: Console, part: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]Exposure[/] in bits: chance {part['chance_bits']:.2f}, at most "
        f"{part['most_bits']:.2f} with {part['references']:,} references"
    )
    table = _table("planted", "canaries", "mean bits", "95 %", "verbatim", "p by chance")
    for one in part["groups"]:
        table.add_row(
            f"{one['repeats']} times", f"{one['canaries']}", f"{one['mean_bits']:.2f}",
            f"{one['low']:.2f}–{one['high']:.2f}", f"{one['verbatim']}", f"{one['p_value']:.2g}",
        )  # fmt: skip
    console.print(table)
    saturated = sum(one["saturated"] for one in part["canaries"])
    if saturated:
        console.print(
            f"{saturated} canaries rank before all references: their bits are a lower bound.",
            style="dim",
        )


def _extraction(console: Console, part: Mapping[str, Any]) -> None:
    console.print(f"[bold]Extraction[/]: {part['suffix_tokens']} tokens after a prefix")
    table = _table("texts", "continued", "verbatim", "near", "longest run", "in 1 draw", "in 1000")
    for name in ("members", "non_members", "reference"):
        one = part[name]
        if not one or not one["texts"]:
            continue
        shown = {"non_members": "non-members", "reference": "members, reference model"}
        table.add_row(
            shown.get(name, name), f"{one['texts']:,}", f"{one['verbatim']:,}", f"{one['near']:,}",
            f"{one['longest_run']}", percent(one["chance"]["1"]), percent(one["chance"]["1000"]),
        )  # fmt: skip
    if table.row_count:
        console.print(table)
    else:
        console.print("No text was measured.")
    personal = part["members"]["personal_data"]
    if personal:
        said = ", ".join(f"{shortened(kind)} {count}" for kind, count in personal.items())
        console.print(f"Personal data and secrets that the model wrote: {said}.")
    for why, count in part["left_out"].items():
        console.print(f"{count:,} texts left out: {escape(why)}.", style="dim")
    if part["leak"] is None:
        console.print(
            "Without --non-members or --reference nobody knows how much any model would write.",
            style="dim",
        )


def _divergence(console: Console, part: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]Divergence[/]: {part['diverged']:,} of {part['draws']:,} answers stopped repeating"
    )
    table = _table("held against", "texts", "answers that hold one", "95 %", "longest run")
    shown = {"non_members": "non-members", "reference": "members, reference model's answers"}
    for name in ("members", "non_members", "reference"):
        if (one := part[name]) is not None:
            table.add_row(
                shown.get(name, name), f"{one['texts']:,}", f"{one['hits']:,}",
                f"{percent(one['low'])}–{percent(one['high'])}", f"{one['longest_run']}",
            )  # fmt: skip
    console.print(table)
    if personal := part["members"]["personal_data"]:
        said = ", ".join(f"{shortened(kind)} {count}" for kind, count in personal.items())
        console.print(f"Personal data and secrets of the members in answers: {said}.")
    if part["leak"] is None:
        console.print("There is no base rate: add --non-members or --reference.", style="dim")


def _attributes(console: Console, part: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]Attribute inference[/]: {part['records']:,} records, chance "
        f"{percent(part['chance'])}"
    )
    table = _table("named by", "right", "95 %")
    table.add_row(
        "the model", percent(part["accuracy"]), f"{percent(part['low'])}–{percent(part['high'])}"
    )
    shown = {
        "commonest": "commonest value", "blind": "blind (texts alone)",
        "non_members": "the model, non-members", "reference": "reference model",
    }  # fmt: skip
    for name, title in shown.items():
        if (one := part[name]) is not None:
            table.add_row(
                title, percent(one["accuracy"]), f"{percent(one['low'])}–{percent(one['high'])}"
            )
    console.print(table)
    if part["reason"]:
        console.print(f"Can't be decided: {escape(part['reason'])}.", style="dim")


def show_audit(document: Mapping[str, Any]) -> None:
    """The bound, and what it says of the claim."""
    about = "replacing one" if document["adjacency"] == "replace" else "adding or removing one"
    what = "pairs of canaries" if document["paired"] else "canaries"
    print(
        f"{document['canaries']:,} {what}; {document['correct']:,} of {document['guesses']:,} "
        f"guesses are right."
    )
    print(
        f"ε is at least {document['epsilon_low']:.3g} at δ = {document['delta']:g} "
        f"({document['confidence']:.0%} confidence; {about} record). "
        f"So many canaries can show {document['largest']:.3g} at most."
    )
    claimed = document["claimed"]
    if document["outcome"] == "refuted":
        print(f"The claim of ε = {claimed:g} is refuted.")
    elif document["outcome"] == "not refuted":
        print(f"The claim of ε = {claimed:g} is not refuted. That does not prove it.")
    elif document["outcome"] == "undecided":
        print(f"Undecided: no audit with so many canaries can refute ε = {claimed:g}; take more.")
