"""What documents of other commands in the folder have to say under the headings of cards.

As in ``content``: lines of Markdown, none where nothing; each number carries a reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from buttress.report.alignment_page import RISK_TITLES
from buttress.report.card.source import CardSource, Document, NotToldError, untold
from buttress.report.markdown import code, prose, table
from buttress.report.numbers import count, percent

Block = Callable[[CardSource, Document], list[str]]
NAMES: Final = ("align", "privacy", "oversight", "values", "tune", "data")
"""Schemas of the documents that a card reads beside an assessment."""


def _part(name: str, *blocks: Block) -> Callable[[CardSource], list[str]]:
    """Lines of the blocks about one document; a blank for each that lacks a field there."""

    def lines(source: CardSource) -> list[str]:
        found = source.version.parts.get(name)
        if found is None:
            return []
        made: list[str] = []
        for block in blocks:
            try:
                with source.references.whole_or_none():
                    made += block(source, found.document)
            except NotToldError as missing:
                made += [
                    *([""] if made and made[-1] else []),
                    untold(source, found.file, missing),
                    "",
                ]
        return made[:-1] if made and not made[-1] else made

    return lines


def _verdict(source: CardSource, found: Document) -> list[str]:
    ref = source.cite_part("align", "/exit", f"run {found['run']}")
    exit_text = source.words.of("exits", str(found["exit"]))
    return [source.words.say(
        "aligned", recipe=prose(found["recipe"]), asset=prose(found["asset"]),
        verdict=exit_text, ref=ref,
    ), ""]  # fmt: skip


def _comparison(source: CardSource, found: Document) -> list[str]:
    rows = []
    for at, one in enumerate(found["comparison"]):
        rests = f"{count(one['pairs'])} pairs, correction: {one['correction']}"
        title = _said(source, RISK_TITLES.get(one["risk"], one["risk"]))
        rows.append([
            prose(title), source.words.of("part_names", one["part"]), percent(one["before"]),
            percent(one["after"]), _change(one["difference"]), f"{100 * one['margin']:.0f}",
            source.words.of("change_verdicts", one["verdict"]),
            source.cite_part("align", f"/comparison/{at}", rests),
        ])  # fmt: skip
    head = ["risk", "part", "before", "after", "points", "margin", "verdict", "evidence"]
    titles = [source.words.say(one) for one in head]
    return [*table(titles, rows, (2, 3, 4, 5)), ""] if rows else []


def _perplexity(source: CardSource, found: Document) -> list[str]:
    if (perplexity := found["perplexity"]) is None:
        return []
    return ["- " + source.words.say(
        "perplexity", change=f"{100 * perplexity['change']:+.1f} %",
        ref=source.cite_part("align", "/perplexity", f"{count(perplexity['tokens'])} tokens"),
    )]  # fmt: skip


def _attacks(source: CardSource, found: Document) -> list[str]:
    return ["- " + source.words.say(
        "attacked", attack=prose(one["attack"]), before=percent(one["before"]),
        after=percent(one["after"]), change=_change(one["difference"]),
        ref=source.cite_part("align", f"/attacks/{at}", f"{count(one['pairs'])} pairs"),
    ) for at, one in enumerate(found["attacks"])]  # fmt: skip


def _leaks(source: CardSource, found: Document) -> list[str]:
    ref = source.cite_part("privacy", "/outcome", found["subject"])
    outcome = source.words.of("leaks", found["outcome"])
    return ["- " + source.words.say("private", outcome=outcome, ref=ref)]


def _membership(source: CardSource, found: Document) -> list[str]:
    if (membership := found["membership"]) is None:
        return []
    say = source.words.say
    texts = f"{count(membership['members'])} + {count(membership['non_members'])} texts"
    lines = []
    if not membership["usable"]:
        ref = source.cite_part("privacy", "/membership", texts)
        lines.append(say("membership_unusable", reason=prose(membership["reason"]), ref=ref))
    lines += [say(
        "membership", attack=prose(one["attack"]), auc=f"{one['auc']:.3f}",
        low=f"{one['auc_low']:.3f}", high=f"{one['auc_high']:.3f}",
        ref=source.cite_part("privacy", f"/membership/attacks/{at}", texts),
    ) for at, one in enumerate(membership["attacks"])]  # fmt: skip
    return [f"- {one}" for one in lines]


def _exposure(source: CardSource, found: Document) -> list[str]:
    if (exposure := found["exposure"]) is None:
        return []
    rests = f"{count(exposure['references'])} references"
    return ["- " + source.words.say(
        "exposure", repeats=count(one["repeats"]), bits=f"{one['mean_bits']:.1f}",
        low=f"{one['low']:.1f}", high=f"{one['high']:.1f}",
        chance=f"{exposure['chance_bits']:.1f}", verbatim=count(one["verbatim"]),
        canaries=count(one["canaries"]),
        ref=source.cite_part("privacy", f"/exposure/groups/{at}", rests),
    ) for at, one in enumerate(exposure["groups"])]  # fmt: skip


def _extraction(source: CardSource, found: Document) -> list[str]:
    if (extraction := found["extraction"]) is None:
        return []
    one = extraction["members"]
    rests = f"{count(extraction['prefix_tokens'])} tokens given"
    return ["- " + source.words.say(
        "extraction", texts=count(one["texts"]), verbatim=count(one["verbatim"]),
        near=count(one["near"]), run=count(one["longest_run"]),
        ref=source.cite_part("privacy", "/extraction/members", rests),
    )]  # fmt: skip


def _oversight(source: CardSource, found: Document) -> list[str]:
    if (gain := found["gain"]) is None:
        return []
    points = {name: f"{100 * gain[name]:+.0f}" for name in ("estimate", "low", "high")}
    return ["- " + source.words.say(
        "oversight", protocol=prose(found["protocol"]), task=prose(found["task"]),
        overseer=percent(found["overseer"]["estimate"]),
        protocol_accuracy=percent(found["with_protocol"]["estimate"]),
        gain=points["estimate"], low=points["low"], high=points["high"],
        verdict=prose(found["verdict"]),
        ref=source.cite_part("oversight", "/gain", f"{found['items']} items, paired"),
    )]  # fmt: skip


def _all_principles(source: CardSource, found: Document) -> list[str]:
    return _kept(source, found, source.words.say("all_principles"), found["all"], "/all")


def _principles(source: CardSource, found: Document) -> list[str]:
    return [
        line
        for at, one in enumerate(found["principles"])
        for line in _kept(
            source, found, prose(one["principle"]), one["kept"], f"/principles/{at}/kept"
        )
    ]


def _kept(
    source: CardSource, found: Document, principle: str, one: Document | None, pointer: str
) -> list[str]:
    if one is None or not one["questions"]:
        return []
    return ["- " + source.words.say(
        "value", charter=prose(found["charter"]), principle=principle,
        share=percent(one["estimate"]), low=percent(one["low"]), high=percent(one["high"]),
        ref=source.cite_part("values", pointer, f"{count(one['questions'])} questions"),
    )]  # fmt: skip


def _trained(source: CardSource, found: Document) -> list[str]:
    weights, data = found["weights"], found["data"]
    return ["- " + source.words.say(
        "tuned", method=prose(found["method"]), base=prose(weights["path"]),
        digest=code(weights["digest"]), trained=count(weights["trained"]),
        parameters=count(weights["parameters"]), examples=count(data["examples"]),
        data=prose(data["path"]), data_digest=code(data["digest"]),
        ref=source.cite_part("tune", "/weights", f"seed {found['seed']}"),
    )]  # fmt: skip


def _private_training(source: CardSource, found: Document) -> list[str]:
    if (private := found["privacy"]) is None:
        return []
    ref = source.cite_part("tune", "/privacy", private["accountant"])
    epsilon, delta = f"{private['epsilon']:.3g}", f"{private['delta']:g}"
    return ["- " + source.words.say("private_training", epsilon=epsilon, delta=delta, ref=ref)]


def _corpus(source: CardSource, found: Document) -> list[str]:
    records = found["records"]
    return ["- " + source.words.say(
        "corpus", inputs=prose(", ".join(found["inputs"])), read=count(records["in"]),
        kept=count(records["kept"]), changed=count(records["changed"]),
        digest=code(found["digest"]), ref=source.cite_part("data", "/records", "its digest"),
    )]  # fmt: skip


def _stages(source: CardSource, found: Document) -> list[str]:
    lines = []
    for at, one in enumerate(found["stages"]):
        ref = source.cite_part("data", f"/stages/{at}", f"{count(one['seen'])} records seen")
        lines.append("- " + source.words.say(
            "stage", name=prose(one["name"]), removed=count(one["removed"]),
            changed=count(one["changed"]), ref=ref,
        ))  # fmt: skip
    return lines


def _limits(source: CardSource, found: Document) -> list[str]:
    ref = source.cite_part("align", "/limits", f"run {found['run']}")
    return [f"- {prose(_said(source, one))} {ref}" for one in found["limits"]]


def _said(source: CardSource, text: str) -> str:
    return source.language.messages.get(text, text)


def _change(change: Mapping[str, Any]) -> str:
    """A difference of shares in percentage points, with its interval."""
    estimate, low, high = (f"{100 * change[name]:+.0f}" for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


PARTS: Final[Mapping[str, Callable[[CardSource], list[str]]]] = {
    "alignment": _part("align", _verdict, _comparison, _perplexity, _attacks),
    "privacy": _part("privacy", _leaks, _membership, _exposure, _extraction),
    "oversight": _part("oversight", _oversight),
    "values": _part("values", _all_principles, _principles),
    "training": _part("tune", _trained, _private_training),
    "training_data": _part("data", _corpus, _stages),
    "part_limits": _part("align", _limits),
}
