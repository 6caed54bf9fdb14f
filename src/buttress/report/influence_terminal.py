"""What ``buttress data influence`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from buttress.report.numbers import percent


def show(document: Mapping[str, Any]) -> None:
    """Both lists, and what words and representations would have said."""
    console = Console()
    for name, title in (("supporting", "For the behaviour"), ("opposing", "Against it")):
        table = Table(box=None, pad_edge=False, header_style="bold", title=title)
        for column in ("influence", "by words", "by representation", "record", "text"):
            table.add_column(column, justify="left" if column in ("record", "text") else "right")
        for row in document[name]:
            table.add_row(
                f"{row['influence']:+.3f}", f"{row['rank_by_words']:,}",
                f"{row['rank_by_representation']:,}", escape(row["id"]), escape(row["excerpt"]),
            )  # fmt: skip
        console.print(table)
    console.print(
        f"{document['records']:,} records, {document['queries']:,} examples of the behaviour. "
        f"Of the first list, BM25 puts {percent(document['shared_with_words'])} among as many "
        f"first, the model's representation {percent(document['shared_with_representation'])}."
    )
    for why, count in document["left_out"].items():
        console.print(f"{count:,} left out or cut: {escape(why)}.", style="dim")
    if document["without"]:
        console.print(f"Data without the first list: {escape(document['without'])}")
    console.print(
        "An influence is an estimate to first order: train without the records and compare.",
        style="dim",
    )
