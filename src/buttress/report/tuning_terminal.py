"""What ``buttress tune`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show(document: Mapping[str, Any], folder: Path) -> None:
    """Data, loss, proof of the saved adapter, privacy, and where the adapter is."""
    console = Console()
    for name in ("data", "retain"):
        part = document[name]
        if not part:
            continue
        console.print(
            f"[bold]{name.capitalize()}[/]: {part['examples']:,} examples of {part['records']:,} "
            f"records, {part['tokens']:,} tokens"
        )
        for why, count in part["left_out"].items():
            console.print(f"  {count:,} left out or cut: {escape(why)}.", style="dim")
    loss, check = document["loss"], document["reload"]
    if loss:
        console.print(
            f"[bold]Loss[/]: {loss['first']:.4f} in the first tenth of {document['steps']:,} "
            f"steps, {loss['last']:.4f} in the last"
        )
    if validation := document["validation"]:
        for point in validation["points"]:
            shown = [
                f"{name.replace('_', '-')} {point[name]:.3f}"
                for name in ("harm", "over_refusal", "degenerate", "divergence", "accuracy")
                if point[name] is not None
            ]
            mark = " (kept)" if point["step"] == validation["chosen"] else ""
            console.print(f"  after step {point['step']}: {', '.join(shown)}{mark}", style="dim")
        if not validation["within_limits"]:
            console.print("No state of the training holds the limits.", style="bold")
    what = "scores" if document["method"] == "reward" else "log-probabilities"
    unit = "" if document["method"] == "reward" else " nats a token"
    said = f"{what} differ by {check['largest_difference']:.2g}{unit} at most"
    if check["change"] is not None:
        said += f"; the base model's by {check['change']:.3g} on average"
    console.print(f"[bold]Loaded anew[/]: {said}")
    if privacy := document["privacy"]:
        console.print(
            f"[bold]Differential privacy[/]: ε = {privacy['epsilon']:.3f} at "
            f"δ = {privacy['delta']:g} for adding or removing a record "
            f"({escape(privacy['accountant'])})"
        )
    if unlearning := document["unlearning"]:
        _unlearning(console, unlearning)
    console.print(f"Adapter: {escape(str(folder))}")
    console.print(
        "A falling loss says nothing about behaviour: compare the model before and after.",
        style="dim",
    )


def _unlearning(console: Console, part: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(
        ("unlearning", "forget", "rest", "holdout", "retain", "AUC of the rest", "verbatim")
    ):
        table.add_column(name, justify="right" if place else "left")
    for state in part["states"]:
        sets = [state[name] for name in ("forget", "rest", "holdout", "retain")]
        area = state["rest_auc"] or state["forget_auc"]
        table.add_row(
            state["state"], *("–" if one is None else f"{one['perplexity']:.1f}" for one in sets),
            f"{area['auc']:.2f} ({area['auc_low']:.2f}–{area['auc_high']:.2f})",
            f"{state['rest_verbatim']} of {state['rest_continued']}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"Perplexity by set. Relearned: {part['relearned_records']} records of the forget set for "
        f"{part['relearn_steps']} steps; the rest was not trained on. AUC against holdout: 0.5 is "
        "as if never trained on.",
        style="dim",
    )
