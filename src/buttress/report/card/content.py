"""What an assessment has to say under the headings of cards: lines of Markdown, none where nothing.

Each number carries a reference. Text of the document is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from buttress.report import limits as limits_of
from buttress.report import words as report_words
from buttress.report.card.history import changes
from buttress.report.card.parts import PARTS
from buttress.report.card.source import CardSource
from buttress.report.markdown import code, prose, table
from buttress.report.numbers import count, percent

MOST_FINDINGS: Final = 20
MOST_CELLS: Final = 10
Content = Callable[[CardSource], list[str]]


def purpose(source: CardSource) -> list[str]:
    """What the system is for, as its manifest says."""
    return _text(source.document["system"]["purpose"])


def owner(source: CardSource) -> list[str]:
    """Who answers for it."""
    return _text(source.document["system"]["owner"])


def users(source: CardSource) -> list[str]:
    """Who uses it, and how much."""
    profile = source.document["system"]["profile"]
    lines = []
    if profile["users"]:
        lines.append(f"- {source.words.say('users', users=prose(profile['users']))}")
    if profile["requests_per_day"]:
        ref = source.cite("/system/profile/requests_per_day", "requests", "manifest")
        number = count(profile["requests_per_day"])
        lines.append(f"- {source.words.say('requests', count=number, ref=ref)}")
    return lines


def uses(source: CardSource) -> list[str]:
    """Kinds of use with their shares."""
    lines = []
    for at, one in enumerate(source.document["system"]["profile"]["uses"]):
        ref = source.cite(f"/system/profile/uses/{at}", "use", "manifest")
        share = percent(one["share"])
        lines.append(f"- {source.words.say('use', name=prose(one['name']), share=share, ref=ref)}")
    return lines


def languages(source: CardSource) -> list[str]:
    """Languages of the prompts."""
    return _text(", ".join(source.document["system"]["languages"]))


def identities(source: CardSource) -> list[str]:
    """What answered, by identity and digest."""
    rows = [
        [
            prose(one["id"]), code(one["identity"]), code(one["digest"] or "–"),
            source.cite(f"/system/assets/{at}", "identity", "manifest"),
        ]
        for at, one in enumerate(source.document["system"]["assets"])
        if one["identity"]
    ]  # fmt: skip
    head = [source.words.say(one) for one in ("asset", "identity", "digest", "evidence")]
    return table(head, rows) if rows else []


def assets(source: CardSource) -> list[str]:
    """Parts of the system."""
    say = source.words.say
    rows = [
        [
            prose(one["id"]), prose(one["kind"]), prose(one["description"] or one["target"] or "–"),
            source.cite(f"/system/assets/{at}", "asset", "manifest"),
        ]
        for at, one in enumerate(source.document["system"]["assets"])
    ]  # fmt: skip
    head = [say(one) for one in ("asset", "kind", "what", "evidence")]
    return table(head, rows) if rows else []


def software(source: CardSource) -> list[str]:
    """Versions of the software that assessed."""
    ref = source.cite("/run/versions", "versions", "run")
    names = source.document["run"]["versions"].items()
    return [f"{', '.join(f'{prose(name)} {prose(version)}' for name, version in names)} {ref}"]


def verdict(source: CardSource) -> list[str]:
    """The overall verdict in a sentence."""
    whole = report_words.overall(source.document, source.language)
    ref = source.cite("/risks", "verdicts", f"policy {source.document['policy']['id']}")
    text = source.language.joined([whole.sentence, whole.gap])
    return [f"**{whole.headline}.** {prose(text)} {ref}"]


def results(source: CardSource) -> list[str]:
    """Every risk on every asset with its verdict, and its rate where trials inform it."""
    say, rows = source.words.say, []
    for place, risk in enumerate(source.document["risks"]):
        trials = risk["kind"] == "trials"
        for at, one in enumerate(risk["assets"]):
            number = f"{one['trials']:,} trials" if trials else f"{risk['findings']:,} findings"
            rests = f"{risk['probe']} @ {one['asset']}, {number}"
            ref = source.cite(f"/risks/{place}/assets/{at}", risk["id"], rests)
            rate = one["rate"]
            rows.append([
                prose(source.language.text(risk["title"])), prose(one["asset"]),
                source.language.text(one["verdict"]),
                percent(rate["estimate"]) if trials else "–",
                f"{percent(rate['low'])} – {percent(rate['high'])}" if trials else "–",
                "–" if risk["limit"] is None else percent(risk["limit"]),
                count(one["trials"]) if trials else "–", ref,
            ])  # fmt: skip
    head = ["risk", "asset", "verdict", "failure", "interval", "limit", "trials", "evidence"]
    return table([say(one) for one in head], rows, (3, 4, 5, 6)) if rows else []


def unacceptable(source: CardSource) -> list[str]:
    """Scenarios of the risks that are not acceptable."""
    lines = []
    for place, risk in enumerate(source.document["risks"]):
        if risk["verdict"] != "acceptable":
            ref = source.cite(f"/risks/{place}", risk["id"], risk["probe"])
            said = source.language.text(risk["verdict"])
            scenario = prose(source.language.text(risk["scenario"]))
            lines.append(f"- **{prose(source.language.text(risk['title']))}** ({said}): "
                         f"{scenario} {ref}")  # fmt: skip
    return lines


def cells(source: CardSource) -> list[str]:
    """Attacks and categories with the highest pooled rates."""
    say, language = source.words.say, source.language
    asked = [(at, one) for at, one in enumerate(source.document["cells"]) if one["trials"]]
    worst = sorted(asked, key=lambda both: -both[1]["estimate"])[:MOST_CELLS]
    rows = []
    for at, one in worst:
        rests = f"{one['probe']}, {count(one['trials'])} trials, {count(one['failures'])} failures"
        rows.append([
            prose(report_words.attack_name(one["attack"], language)),
            prose(report_words.category_name(one["category"], language)),
            percent(one["estimate"]), f"{percent(one['low'])} – {percent(one['high'])}",
            count(one["trials"]), source.cite(f"/cells/{at}", "cell", rests),
        ])  # fmt: skip
    if not rows:
        return []
    head = ["attack", "category", "failure", "interval", "trials", "evidence"]
    return [say("cells"), "", *table([say(one) for one in head], rows, (2, 3, 4))]


def findings(source: CardSource) -> list[str]:
    """Defects that inspections found, gravest first."""
    say, found = source.words.say, source.document["findings"]
    inspected = [one for one in source.document["coverage"]["covered"] if one["files"] is not None]
    if not found:
        if not inspected:
            return []
        return [say("none_found", ref=source.cite("/findings", "findings", "inspections"))]
    rows = []
    for at, one in enumerate(found[:MOST_FINDINGS]):
        ref = source.cite(f"/findings/{at}", one["rule"], f"{one['probe']} @ {one['asset']}")
        rows.append([
            source.language.text(one["severity"]), prose(one["message"]),
            prose(f"{one['asset']}: {one['location']}"), ref,
        ])  # fmt: skip
    lines = table([say(one) for one in ("severity", "defect", "place", "evidence")], rows)
    if rest := len(found) - len(rows):
        ref = source.cite("/findings", "findings", "inspections")
        lines += ["", say("more_findings", count=count(rest), ref=ref)]
    return lines


def judge(source: CardSource) -> list[str]:
    """The judge and how often it is right."""
    say, judged = source.words.say, source.document["judge"]
    if judged is None:
        return [say("no_judge")]
    lines = [say("judge", id=prose(judged["id"]), version=prose(judged["version"]))
             + " " + source.cite("/judge", "judge", "calibration")]  # fmt: skip
    for task in ("refuse", "answer"):
        known = judged["calibration"][task]
        if known is None:
            lines.append(say("uncalibrated", what=say(task)))
            continue
        sees, passes = known["sensitivity"], known["specificity"]
        lines.append(
            say(
                "calibration", what=say(task),
                sensitivity=percent(sees["estimate"]), slow=percent(sees["low"]),
                shigh=percent(sees["high"]), specificity=percent(passes["estimate"]),
                plow=percent(passes["low"]), phigh=percent(passes["high"]),
                ref=source.cite(f"/judge/calibration/{task}", "calibration", known["source"]),
            )
        )  # fmt: skip
    return [f"- {line}" for line in lines]


def tested(source: CardSource) -> list[str]:
    """What was asked and read."""
    say, document = source.words.say, source.document
    totals, run = document["totals"], document["run"]
    lines = [
        say(
            "tested", trials=count(totals["trials"]), calls=count(totals["calls"]),
            seed=run["seed"], why=prose(source.language.text(run["stop_reason"])),
            ref=source.cite("/totals", "totals", f"run {run['id']}"),
        )
    ]  # fmt: skip
    for at, one in enumerate(document["coverage"]["covered"]):
        ref = source.cite(f"/coverage/covered/{at}", "coverage", f"{one['probe']} @ {one['asset']}")
        if one["trials"] is not None:
            lines.append(say("probe_trials", probe=code(one["probe"]), asset=prose(one["asset"]),
                             trials=count(one["trials"]), ref=ref))  # fmt: skip
        elif one["files"] is not None:
            lines.append(say("probe_files", probe=code(one["probe"]), asset=prose(one["asset"]),
                             files=count(one["files"]), ref=ref))  # fmt: skip
    if totals["errors"]:
        ref = source.cite("/totals/errors", "errors", f"run {run['id']}")
        lines.append(say("errors", count=count(totals["errors"]), ref=ref))
    return [f"- {line}" for line in lines]


def policy(source: CardSource) -> list[str]:
    """The limits, and how verdicts are reached."""
    say, rules = source.words.say, source.document["policy"]
    title = prose(source.language.text(rules["title"]))
    lines = [
        say(
            "policy",
            title=title,
            id=code(rules["id"]),
            source=prose(rules["source"]),
            ref=source.cite("/policy", "policy", "policy file"),
        ),
        source.words.of("decide", rules["decide_by"]),
    ]
    for place, risk in enumerate(source.document["risks"]):
        if risk["limit"] is not None:
            ref = source.cite(f"/risks/{place}/limit", risk["id"], f"policy {rules['id']}")
            name = prose(source.language.text(risk["title"]))
            lines.append(say("tolerates", title=name, limit=percent(risk["limit"]), ref=ref))
    return [f"- {line}" for line in lines]


def barriers(source: CardSource) -> list[str]:
    """What must fail for each risk, and how often it does."""
    say, lines = source.words.say, []
    for place, risk in enumerate(source.document["risks"]):
        for at, one in enumerate(risk.get("barriers", ())):
            low, high = one["failure"]
            basis = "measured" if one["measured"] else "assumed"
            ref = source.cite(f"/risks/{place}/barriers/{at}", risk["id"], basis)
            line = say(
                "barrier", risk=prose(source.language.text(risk["title"])),
                title=prose(source.language.text(one["title"])), low=percent(low),
                high=percent(high), basis=say(basis), ref=ref,
            )  # fmt: skip
            lines.append(f"- {line}")
    return lines


def remedies(source: CardSource) -> list[str]:
    """What lowers the risks that are not acceptable."""
    lines = []
    for place, risk in enumerate(source.document["risks"]):
        for at, one in enumerate(risk["remedies"]) if risk["verdict"] != "acceptable" else ():
            ref = source.cite(f"/risks/{place}/remedies/{at}", risk["id"], "catalogue")
            title = prose(source.language.text(risk["title"]))
            remedy = prose(source.language.text(one))
            lines.append(f"- {source.words.say('remedy', title=title, remedy=remedy)} {ref}")
    return lines


def loss(source: CardSource) -> list[str]:
    """The simulated loss of a year."""
    known, money = source.document["loss"], source.language.money
    ref = source.cite("/loss", "loss", "simulation")
    mean, p95 = (prose(money(known[one], known["unit"])) for one in ("mean", "p95"))
    return [source.words.say("loss", mean=mean, p95=p95, ref=ref)]


def limits(source: CardSource) -> list[str]:
    """What the assessment does not show; its numbers are those of the document as a whole."""
    ref = source.cite("", "all", f"run {source.document['run']['id']}")
    return [
        f"- **{prose(heading)}.** {prose(text)} {ref}"
        for heading, text in limits_of.not_shown(source.document, source.language)
    ]


def standards(source: CardSource) -> list[str]:
    """How far measured risks touch the items of standards."""
    say, lines = source.words.say, []
    for at, one in enumerate(source.document["crosswalk"]):
        verdicts = [item["verdict"] for item in one["items"]]
        numbers: Mapping[str, Any] = {
            name: verdicts.count(name) for name in ("acceptable", "unacceptable", "undecided")
        }
        line = say(
            "standard", standard=prose(source.language.text(one["title"])), items=len(verdicts),
            none=verdicts.count("not assessed"), partly=verdicts.count("partly assessed"),
            ref=source.cite(
                f"/crosswalk/{at}", "standard", "risks that map to it"), **numbers,
        )  # fmt: skip
        lines.append(f"- {line}")
    return [say("mapping"), "", *lines] if lines else []


def _text(text: str) -> list[str]:
    return [prose(text)] if text.strip() else []


ASSESSED: Final[Mapping[str, Content]] = {
    one.__name__: one
    for one in (
        purpose, owner, users, uses, languages, identities, assets, software, verdict, results,
        unacceptable, cells, findings, judge, tested, policy, barriers, remedies, loss, limits,
        standards,
    )
}  # fmt: skip
ALONE: Final[Mapping[str, Content]] = {**PARTS, changes.__name__: changes}
CONTENTS: Final[Mapping[str, Content]] = {**ASSESSED, **ALONE}
UNMEASURED: Final[Sequence[str]] = (
    "results", "cells", "findings", "barriers", "oversight", "alignment", "privacy", "values",
)  # fmt: skip


def contents(source: CardSource, names: Sequence[str]) -> list[list[str]]:
    """What there is to say under these names, in order; nothing of an assessment without one."""
    known = CONTENTS if source.assessed else ALONE
    return [lines for name in names if name in known and (lines := known[name](source))]
