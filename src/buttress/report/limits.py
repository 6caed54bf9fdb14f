"""What an assessment does not show: sentences made from the document, none that doesn't apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from buttress.report.numbers import count, listing, percent, plural, rate, size

Document = Mapping[str, Any]
Limit = tuple[str, str]  # heading, text


def not_shown(document: Document) -> list[Limit]:
    """Headings and sentences, gravest gap first."""
    parts = (_unmeasured, _left_out, _asked, _acceptable, _judge, _policy, _read, _loss, _state)
    return [limit for part in parts for limit in part(document)]


def _unmeasured(document: Document) -> Iterator[Limit]:
    rest = document["coverage"]["unassessed_risks"]
    if rest:
        known = len(rest) + len(document["risks"])
        names = listing([f"“{risk['title']}”" for risk in rest], 5)
        yield (
            f"{len(rest)} of {plural(known, 'risk')} were not measured",
            f"No probe that ran says anything about: {names}. Their absence from the table is not "
            "a good sign, it is no sign.",
        )


def _left_out(document: Document) -> Iterator[Limit]:
    left = document["coverage"]["not_covered"]
    if left:
        yield (
            f"{plural(len(left), 'thing')} left out",
            "; ".join(f"{entry['what']}: {entry['why']}" for entry in left) + ".",
        )
    totals = document["totals"]
    if totals["errors"]:
        told = "; ".join(
            f"{message} ({count(number)})" for message, number in totals["error_messages"].items()
        )
        yield (
            f"{plural(totals['errors'], 'question')} got no answer",
            "They count neither as failure nor as success. If the target drops just the hard "
            f"questions, the rates are too low{': ' + told if told else ''}.",
        )


def _asked(document: Document) -> Iterator[Limit]:
    asked = [cell for cell in document["cells"] if cell["trials"]]
    if not asked:
        return
    attacks = listing(sorted({cell["attack"] for cell in asked}))
    categories = len({cell["category"] for cell in asked})
    languages = listing(document["system"]["languages"]) or "unnamed languages"
    thin = sum(cell["trials"] < 10 for cell in document["cells"])
    text = (
        f"The rates are about {plural(sum(cell['trials'] for cell in asked), 'trial')} in "
        f"{plural(categories, 'harm category', 'harm categories')}, with requests of these "
        f"kinds: {attacks}; languages of the system: {languages}. An attack of another family, or "
        "a question in another language, can succeed where all of these failed."
    )
    if thin:
        text += (
            f" {thin} of {len(document['cells'])} cells of the table by attack and category have "
            "fewer than 10 trials; their rates lean on their neighbours."
        )
    yield "Prompts that were not asked", text


def _acceptable(document: Document) -> Iterator[Limit]:
    cleared = [
        risk
        for risk in document["risks"]
        if risk["verdict"] == "acceptable" and risk["kind"] == "trials"
    ]
    if cleared:
        worst = max(cleared, key=lambda risk: risk["rate"]["high"])
        yield (
            "Acceptable does not mean never",
            f"“{worst['title']}” is acceptable, and may still fail in up to "
            f"{percent(worst['rate']['high'])} of such requests.",
        )
    decided = [
        risk
        for risk in document["risks"]
        if risk["verdict"] != "undecided" and risk["kind"] == "trials"
    ]
    if decided and document["policy"]["decide_by"] == "bound":
        wrong = sum(
            risk["alpha"] if risk["verdict"] == "acceptable" else risk["beta"] for risk in decided
        )
        yield (
            "Verdicts can be wrong",
            f"Each rests on a bound that errs with the probability that the policy tolerates. Of "
            f"the {plural(len(decided), 'verdict')} from trials, at most {wrong:.2f} are wrong on "
            "average, however often the data was looked at.",
        )


def _judge(document: Document) -> Iterator[Limit]:
    judge = document["judge"]
    if judge is None:
        return
    name = f"the judge ({judge['id']} {judge['version']})"
    for task, what in (("refuse", "harmful requests"), ("answer", "benign requests")):
        known = judge["calibration"][task]
        if known is None:
            yield (
                f"How often the judge errs on {what} is not known",
                f"On {what}, decisions of {name} were taken as true. The intervals leave out its "
                "errors. `buttress judge calibrate` measures them on labelled answers.",
            )
        else:
            labels = known["tp"] + known["fn"] + known["tn"] + known["fp"]
            yield (
                f"What the judge misses on {what}",
                f"On {plural(labels, 'labelled answer')} ({known['source'] or 'unnamed'}), {name} "
                f"saw {rate(known['sensitivity'])} of the failures and let "
                f"{rate(known['specificity'])} of the good answers pass. The rates are corrected "
                "for that. If this system's answers are unlike the labelled ones, the correction "
                "is off by an unknown amount.",
            )


def _policy(document: Document) -> Iterator[Limit]:
    policy = document["policy"]
    yield (
        "Limits are somebody's judgement",
        f"Policy “{policy['title']}”: {policy['source'] or 'its file names no source.'}",
    )
    if policy["decide_by"] != "estimate":
        return
    lucky = [
        risk["title"]
        for risk in document["risks"]
        if risk["verdict"] == "acceptable" and risk["clears"] and not risk["clears"]["bound"]
    ]
    if lucky:
        yield (
            "Passed by the estimate, not by the bound",
            f"The policy compares the estimate with the limit. The upper bound exceeds it for "
            f"{listing(lucky)}: with these trials the true rate may lie above the limit.",
        )


def _read(document: Document) -> Iterator[Limit]:
    for row in document["coverage"]["covered"]:
        if row["files"] is None:
            continue
        text = (
            f"{row['probe']} read {plural(row['files'], 'file')} ({size(row['bytes'] or 0)}) of "
            f"{row['asset']}. “Not found” means that none of its rules matched these bytes."
        )
        if row["skipped"]:
            text += f" It skipped: {'; '.join(row['skipped'])}."
        yield f"What {row['probe']} cannot see in {row['asset']}", text


def _loss(document: Document) -> Iterator[Limit]:
    loss = document["loss"]
    if loss["risks"]:
        yield (
            "Loss figures rank risks, they don't predict accounts",
            f"They rest on frequencies and amounts of the catalogue that nobody measured for this "
            f"system, unless you put in your own. They hold only the "
            f"{plural(len(loss['risks']), 'risk')} that were measured.",
        )


def _state(document: Document) -> Iterator[Limit]:
    yield (
        "A later version is another system",
        f"The verdict holds for {document['system']['name']} as it was on "
        f"{document['run']['finished'][:10]}: these weights, this system prompt, this sampling. "
        "The digests under “How this was made” name them. Change one, and assess again.",
    )
    yield (
        "The evidence proves itself only to those who keep its head",
        "Records are chained by hashes. Somebody who replaces the whole store goes unnoticed "
        "unless the head was kept elsewhere, for example in a printed or signed report.",
    )
