"""``data-card.md``: what was done to a corpus, for those who use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from buttress.report.markdown import cell
from buttress.report.numbers import percent


def data_card(document: Mapping[str, Any]) -> str:
    """The card, in Markdown, of a data document."""
    records = document["records"]
    total = max(1, records["in"])
    lines = [
        "# Data card",
        "",
        f"Cleaned by Buttress {document['version']}, {document['finished'][:10]}. "
        f"Digest of what is kept, whatever its order: `{document['digest']}`.",
        "",
        "| records | number | share |",
        "| --- | ---: | ---: |",
        *(
            f"| {name} | {records[name]:,} | {percent(records[name] / total)} |"
            for name in ("in", "kept", "removed", "changed", "unreadable")
        ),
        "",
        "## Stages",
        "",
        "| stage | saw | removed | changed | what |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for stage in document["stages"]:
        what = [f"{name} {count:,}" for name, count in (stage["rules"] | stage["types"]).items()]
        lines.append(
            f"| {cell(stage['name'])} | {stage['seen']:,} | {stage['removed']:,} | "
            f"{stage['changed']:,} | {cell(', '.join(what))} |"
        )
    notes = [(stage["name"], note) for stage in document["stages"] for note in stage["notes"]]
    if notes:
        lines += ["", "Not looked at:", ""]
        lines += [f"- {cell(name)}: {cell(note)}" for name, note in notes]
    lines += ["", "## Sources", "", "| source | records | kept | removed by |",
              "| --- | ---: | ---: | --- |"]  # fmt: skip
    for source in document["sources"]:
        by = ", ".join(f"{name} {count:,}" for name, count in source["removed"].items())
        lines.append(
            f"| {cell(source['source'])} | {source['records']:,} | {source['kept']:,} | "
            f"{cell(by)} |"
        )
    lines += ["", "## Rules that were broken", ""]
    if not document["alarms"]:
        lines.append("None.")
    for alarm in document["alarms"]:
        lines.append(
            f"- {alarm['rule']}: {cell(alarm['stage'])} removed {percent(alarm['share'])} of "
            f"{cell(alarm['source'])}; at most {percent(alarm['limit'])} is allowed."
        )
    lines += [
        "",
        "## What this does not prove",
        "",
        "Stages miss some and remove some that was fine; `buttress data review` estimates both. "
        "Personal data without a known form, such as names, is not looked for. What is kept was "
        "not shown to be lawful to use, correct or free of bias.",
        "",
    ]
    return "\n".join(lines)
