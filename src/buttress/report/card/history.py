"""How behaviour changed from version to version, by the tests of ``buttress diff``."""

from __future__ import annotations

from buttress.report.card.source import (
    CardSource,
    CardVersion,
    Document,
    NotToldError,
    untold,
)
from buttress.report.comparison import Change, compare
from buttress.report.markdown import prose
from buttress.report.numbers import percent


def changes(source: CardSource) -> list[str]:
    """Each version beside the one before it, and an intervention on the only one."""
    lines: list[str] = []
    if len(source.versions) < 2:
        made = [f"- {one}" for one in _intervention(source, source.version)]
        if not source.assessed:
            return made
        return [*made, *([""] if made else []), f"*{source.words.say('only_version')}*"]
    for before, after in zip(source.versions, source.versions[1:], strict=False):
        if before.document is not None and after.document is not None:
            lines += [*_step(source, before, after, before.document, after.document), ""]
    return lines[:-1]


def _step(
    source: CardSource, before: CardVersion, after: CardVersion, old: Document, new: Document
) -> list[str]:
    say = source.words.say
    found = compare(old, new)
    head = say(
        "step", before=old["run"]["finished"][:10], after=new["run"]["finished"][:10],
        before_run=prose(old["run"]["id"]), after_run=prose(new["run"]["id"]),
    )  # fmt: skip
    lines = [f"- {say('warning', text=prose(source.language.text(one)))}" for one in found.warnings]
    lines += [
        f"- {_changed(source, change, before, after)}"
        for change in found.changes
        if change.kind != "no change shown"
    ]
    lines += [f"- {one}" for one in _intervention(source, after)]
    for name, version, defects in (
        ("new_defect", after, [one.finding for one in found.new]),
        ("gone_defect", before, found.gone),
    ):
        for one in defects:
            ref = _finding(source, version, one)
            place = prose(f"{one['asset']}: {one['location']}")
            lines.append(f"- {say(name, message=prose(one['message']), place=place, ref=ref)}")
    lines += [f"- {say('lost_part', what=prose(one))}" for one in found.lost]
    return [head, "", *(lines or [say("no_change")])]


def _intervention(source: CardSource, version: CardVersion) -> list[str]:
    """The change that ``buttress align`` or ``harden`` has measured for this version."""
    aligned = version.parts.get("align")
    if aligned is None:
        return []
    made = aligned.document
    try:
        with source.references.whole_or_none():
            ref = source.references.cite(aligned.file, "/recipe", "align", "recipe")
            return [source.words.say(
                "intervention", recipe=prose(made["recipe"]), asset=prose(made["asset"]),
                verdict=source.words.of("exits", str(made["exit"])), ref=ref,
            )]  # fmt: skip
    except NotToldError as missing:
        return [untold(source, aligned.file, missing)]


def _changed(source: CardSource, change: Change, before: CardVersion, after: CardVersion) -> str:
    sides = {}
    for name, version, state in (
        ("before", before, change.before), ("after", after, change.after),
    ):  # fmt: skip
        absent = source.words.say("absent")
        sides[name] = absent if state is None else percent(state["rate"]["estimate"])
        sides[f"{name}_ref"] = "" if state is None else _risk(source, version, change)
    return source.words.say(
        "change", title=prose(source.language.text(change.title)), asset=prose(change.asset),
        kind=source.words.of("kinds", change.kind), **sides,
    )  # fmt: skip


def _risk(source: CardSource, version: CardVersion, change: Change) -> str:
    for place, risk in enumerate((version.document or {})["risks"]):
        for at, one in enumerate(risk["assets"]):
            if risk["id"] == change.risk and one["asset"] == change.asset:
                rests = f"{risk['probe']} @ {one['asset']}, {one['trials']} trials"
                pointer = f"/risks/{place}/assets/{at}"
                return source.references.cite(version.file, pointer, risk["id"], rests)
    return ""


def _finding(source: CardSource, version: CardVersion, finding: Document) -> str:
    for at, one in enumerate((version.document or {})["findings"]):
        if all(one[name] == finding[name] for name in ("rule", "asset", "location", "message")):
            rests = f"{one['probe']} @ {one['asset']}"
            return source.references.cite(version.file, f"/findings/{at}", one["rule"], rests)
    return ""
