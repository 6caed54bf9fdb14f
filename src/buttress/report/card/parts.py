"""What documents of other commands in the folder have to say under the headings of cards.

As in ``content``: lines of Markdown, none where nothing; each number carries a reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from buttress.report.alignment_page import RISK_TITLES
from buttress.report.card.source import CardSource
from buttress.report.markdown import code, prose, table
from buttress.report.numbers import count, percent

NAMES: Final = ("align", "privacy", "oversight", "values", "tune", "data")
"""Schemas of the documents that a card reads beside an assessment."""


def alignment(source: CardSource) -> list[str]:
    """What an intervention changed, from ``buttress align`` or ``harden``."""
    found = source.part("align")
    if found is None:
        return []
    say = source.words.say
    ref = source.cite_part("align", "/exit", f"run {found['run']}")
    exit_text = source.words.of("exits", str(found["exit"]))
    lines = [say("aligned", recipe=prose(found["recipe"]), asset=prose(found["asset"]),
                 verdict=exit_text, ref=ref), ""]  # fmt: skip
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
    lines += table([say(one) for one in head], rows, (2, 3, 4, 5)) if rows else []
    more = []
    if (perplexity := found["perplexity"]) is not None:
        more.append(say(
            "perplexity", change=f"{100 * perplexity['change']:+.1f} %",
            ref=source.cite_part("align", "/perplexity", f"{count(perplexity['tokens'])} tokens"),
        ))  # fmt: skip
    for at, one in enumerate(found["attacks"]):
        more.append(say(
            "attacked", attack=prose(one["attack"]), before=percent(one["before"]),
            after=percent(one["after"]), change=_change(one["difference"]),
            ref=source.cite_part("align", f"/attacks/{at}", f"{count(one['pairs'])} pairs"),
        ))  # fmt: skip
    return [*lines, *([""] if more else []), *(f"- {one}" for one in more)]


def privacy(source: CardSource) -> list[str]:
    """What the model gives away of its training data, from ``buttress privacy``."""
    found = source.part("privacy")
    if found is None:
        return []
    say = source.words.say
    ref = source.cite_part("privacy", "/outcome", found["subject"])
    lines = [say("private", outcome=source.words.of("leaks", found["outcome"]), ref=ref)]
    if (membership := found["membership"]) is not None:
        texts = f"{count(membership['members'])} + {count(membership['non_members'])} texts"
        if not membership["usable"]:
            ref = source.cite_part("privacy", "/membership", texts)
            lines.append(say("membership_unusable", reason=prose(membership["reason"]), ref=ref))
        for at, one in enumerate(membership["attacks"]):
            lines.append(say(
                "membership", attack=prose(one["attack"]), auc=f"{one['auc']:.3f}",
                low=f"{one['auc_low']:.3f}", high=f"{one['auc_high']:.3f}",
                ref=source.cite_part("privacy", f"/membership/attacks/{at}", texts),
            ))  # fmt: skip
    if (exposure := found["exposure"]) is not None:
        rests = f"{count(exposure['references'])} references"
        for at, one in enumerate(exposure["groups"]):
            lines.append(say(
                "exposure", repeats=count(one["repeats"]), bits=f"{one['mean_bits']:.1f}",
                low=f"{one['low']:.1f}", high=f"{one['high']:.1f}",
                chance=f"{exposure['chance_bits']:.1f}", verbatim=count(one["verbatim"]),
                canaries=count(one["canaries"]),
                ref=source.cite_part("privacy", f"/exposure/groups/{at}", rests),
            ))  # fmt: skip
    if (extraction := found["extraction"]) is not None:
        one = extraction["members"]
        rests = f"{count(extraction['prefix_tokens'])} tokens given"
        lines.append(say(
            "extraction", texts=count(one["texts"]), verbatim=count(one["verbatim"]),
            near=count(one["near"]), run=count(one["longest_run"]),
            ref=source.cite_part("privacy", "/extraction/members", rests),
        ))  # fmt: skip
    return [f"- {one}" for one in lines]


def oversight(source: CardSource) -> list[str]:
    """Whether a protocol helps an overseer, from ``buttress oversee``."""
    found = source.part("oversight")
    if found is None or found["gain"] is None:
        return []
    gain = found["gain"]
    points = {name: f"{100 * gain[name]:+.0f}" for name in ("estimate", "low", "high")}
    return ["- " + source.words.say(
        "oversight", protocol=prose(found["protocol"]), task=prose(found["task"]),
        overseer=percent(found["overseer"]["estimate"]),
        protocol_accuracy=percent(found["with_protocol"]["estimate"]),
        gain=points["estimate"], low=points["low"], high=points["high"],
        verdict=prose(found["verdict"]),
        ref=source.cite_part("oversight", "/gain", f"{found['items']} items, paired"),
    )]  # fmt: skip


def values(source: CardSource) -> list[str]:
    """How far the model says that it keeps principles, from ``buttress values``."""
    found = source.part("values")
    if found is None:
        return []
    say = source.words.say
    kept = [("", found["all"], "/all")] + [
        (one["principle"], one["kept"], f"/principles/{at}/kept")
        for at, one in enumerate(found["principles"])
    ]
    return [
        "- " + say(
            "value", charter=prose(found["charter"]),
            principle=prose(name) if name else say("all_principles"),
            share=percent(one["estimate"]), low=percent(one["low"]), high=percent(one["high"]),
            ref=source.cite_part("values", pointer, f"{count(one['questions'])} questions"),
        )
        for name, one, pointer in kept
        if one is not None and one["questions"]
    ]  # fmt: skip


def training(source: CardSource) -> list[str]:
    """How an adapter was trained, from ``buttress tune``."""
    found = source.part("tune")
    if found is None:
        return []
    weights, data = found["weights"], found["data"]
    lines = [source.words.say(
        "tuned", method=prose(found["method"]), base=prose(weights["path"]),
        digest=code(weights["digest"]), trained=count(weights["trained"]),
        parameters=count(weights["parameters"]), examples=count(data["examples"]),
        data=prose(data["path"]), data_digest=code(data["digest"]),
        ref=source.cite_part("tune", "/weights", f"seed {found['seed']}"),
    )]  # fmt: skip
    if (private := found["privacy"]) is not None:
        ref = source.cite_part("tune", "/privacy", private["accountant"])
        epsilon, delta = f"{private['epsilon']:.3g}", f"{private['delta']:g}"
        lines.append(source.words.say("private_training", epsilon=epsilon, delta=delta, ref=ref))
    return [f"- {one}" for one in lines]


def training_data(source: CardSource) -> list[str]:
    """What cleaning did to a corpus, from ``buttress data``."""
    found = source.part("data")
    if found is None:
        return []
    say, records = source.words.say, found["records"]
    lines = [say(
        "corpus", inputs=prose(", ".join(found["inputs"])), read=count(records["in"]),
        kept=count(records["kept"]), changed=count(records["changed"]),
        digest=code(found["digest"]), ref=source.cite_part("data", "/records", "its digest"),
    )]  # fmt: skip
    for at, one in enumerate(found["stages"]):
        ref = source.cite_part("data", f"/stages/{at}", f"{count(one['seen'])} records seen")
        lines.append(say("stage", name=prose(one["name"]), removed=count(one["removed"]),
                         changed=count(one["changed"]), ref=ref))  # fmt: skip
    return [f"- {one}" for one in lines]


def part_limits(source: CardSource) -> list[str]:
    """What an intervention's comparison does not show."""
    found = source.part("align")
    if found is None:
        return []
    ref = source.cite_part("align", "/limits", f"run {found['run']}")
    return [f"- {prose(_said(source, one))} {ref}" for one in found["limits"]]


def _said(source: CardSource, text: str) -> str:
    return source.language.messages.get(text, text)


def _change(change: Mapping[str, Any]) -> str:
    """A difference of shares in percentage points, with its interval."""
    estimate, low, high = (f"{100 * change[name]:+.0f}" for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


PARTS: Final[Mapping[str, Callable[[CardSource], list[str]]]] = {
    one.__name__: one
    for one in (alignment, privacy, oversight, values, training, training_data, part_limits)
}
