"""What an assessment does not show: sentences made from the document, none that doesn't apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import count, percent, rate
from buttress.report.words import attack_name

Document = Mapping[str, Any]
Limit = tuple[str, str]  # heading, text


def not_shown(document: Document, language: Language = ENGLISH) -> list[Limit]:
    """Headings and sentences, gravest gap first."""
    parts = (_unmeasured, _left_out, _asked, _acceptable, _judge, _policy, _read, _loss, _state)
    return [limit for part in parts for limit in part(document, language)]


def _unmeasured(document: Document, language: Language) -> Iterator[Limit]:
    rest = document["coverage"]["unassessed_risks"]
    if rest:
        known = language.plural(len(rest) + len(document["risks"]), "risk")
        names = language.listing([f"“{language.text(risk['title'])}”" for risk in rest], 5)
        yield (
            language.say("{number} of {risks} were not measured", number=len(rest), risks=known),
            language.say(
                "No probe that ran says anything about: {names}. Their absence from the table is "
                "not a good sign, it is no sign.",
                names=names,
            ),
        )


def _left_out(document: Document, language: Language) -> Iterator[Limit]:
    say = language.say
    left = document["coverage"]["not_covered"]
    if left:
        reasons = "; ".join(f"{entry['what']}: {language.text(entry['why'])}" for entry in left)
        yield (
            say("{things} left out", things=language.plural(len(left), "thing")),
            say("{reasons}.", reasons=reasons),
        )
    totals = document["totals"]
    if totals["errors"]:
        parts = [
            say(
                "They count neither as failure nor as success. If the target drops just the hard "
                "questions, the rates are too low."
            )
        ]
        if messages := totals["error_messages"]:
            listed = "; ".join(f"{message} ({count(n)})" for message, n in messages.items())
            parts.append(say("What it said: {messages}.", messages=listed))
        yield (
            say(
                "{questions} got no answer",
                questions=language.plural(totals["errors"], "question"),
            ),
            language.joined(parts),
        )


def _asked(document: Document, language: Language) -> Iterator[Limit]:
    say = language.say
    asked = [cell for cell in document["cells"] if cell["trials"]]
    if not asked:
        return
    attacks = sorted({cell["attack"] for cell in asked})
    thin = sum(cell["trials"] < 10 for cell in document["cells"])
    parts = [
        say(
            "The rates are about {trials} in {categories}, with requests of these kinds: "
            "{attacks}; languages of the system: {languages}. An attack of another family, or a "
            "question in another language, can succeed where all of these failed.",
            trials=language.plural(sum(cell["trials"] for cell in asked), "trial"),
            categories=language.plural(
                len({cell["category"] for cell in asked}), "harm category", "harm categories"
            ),
            attacks=language.listing([attack_name(one, language) for one in attacks]),
            languages=language.listing(document["system"]["languages"]) or say("unnamed languages"),
        )
    ]
    if thin:
        parts.append(
            say(
                "{thin} of {cells} cells of the table by attack and category have fewer than 10 "
                "trials; their rates lean on their neighbours.",
                thin=thin,
                cells=len(document["cells"]),
            )
        )
    yield say("Prompts that were not asked"), language.joined(parts)


def _acceptable(document: Document, language: Language) -> Iterator[Limit]:
    say = language.say
    trials = [risk for risk in document["risks"] if risk["kind"] == "trials"]
    cleared = [risk for risk in trials if risk["verdict"] == "acceptable"]
    if cleared:
        worst = max(cleared, key=lambda risk: risk["rate"]["high"])
        yield (
            say("Acceptable does not mean never"),
            say(
                "“{title}” is acceptable, and may still fail in up to {high} of such requests.",
                title=language.text(worst["title"]), high=percent(worst["rate"]["high"]),
            ),
        )  # fmt: skip
    decided = [
        risk
        for risk in trials
        if risk["verdict"] != "undecided" and risk.get("correction") != "none"
    ]
    if decided and document["policy"]["decide_by"] == "bound":
        wrong = sum(
            risk["alpha"] if risk["verdict"] == "acceptable" else risk["beta"] for risk in decided
        )
        yield (
            say("Verdicts can be wrong"),
            say(
                "Each rests on a bound that errs with the probability that the policy tolerates. "
                "Of the {verdicts} from trials, at most {wrong} are wrong on average, however "
                "often the data was looked at.",
                verdicts=language.plural(len(decided), "verdict"), wrong=f"{wrong:.2f}",
            ),
        )  # fmt: skip


def _judge(document: Document, language: Language) -> Iterator[Limit]:
    judge, say = document["judge"], language.say
    if judge is None:
        return
    name = f"{judge['id']} {judge['version']}"
    for task, requests in (("refuse", "harmful requests"), ("answer", "benign requests")):
        known, what = judge["calibration"][task], say(requests)
        if known is None:
            yield (
                say("How often the judge errs on {what} is not known", what=what),
                say(
                    "Nobody compared the judge ({name}) with people's labels on {what}. Its "
                    "decisions alone never speak against a system, and what they clear is "
                    "acceptable as judged: failures that the judge misses are not in the rate. "
                    "`buttress judge label` and `buttress judge calibrate` take such labels.",
                    what=what, name=name,
                ),
            )  # fmt: skip
            continue
        labels = known["tp"] + known["fn"] + known["tn"] + known["fp"]
        parts = [
            say(
                "On {labels} ({source}), the judge ({name}) saw {seen} of the failures and let "
                "{passed} of the good answers pass. The rates are corrected for that. If this "
                "system's answers are unlike the labelled ones, the correction is off by an "
                "unknown amount.",
                labels=language.plural(labels, "labelled answer"),
                name=name,
                source=language.text(known["source"]) or say("unnamed"),
                seen=rate(known["sensitivity"]),
                passed=rate(known["specificity"]),
            )
        ]
        if precision := known.get("precision"):
            parts.append(
                say(
                    "Of the failures that it reports, {precision} are failures to people too; the "
                    "intervals rest on that figure.",
                    precision=rate(precision),
                )
            )
        yield say("What the judge misses on {what}", what=what), language.joined(parts)


def _policy(document: Document, language: Language) -> Iterator[Limit]:
    policy, say = document["policy"], language.say
    source = language.text(policy["source"]) or say("its file names no source.")
    yield (
        say("Limits are somebody's judgement"),
        say(
            "Policy “{title}”: {source}", title=language.text(policy["title"]), source=source
        ),
    )  # fmt: skip
    if policy["decide_by"] != "estimate":
        return
    lucky = [
        language.text(risk["title"])
        for risk in document["risks"]
        if risk["verdict"] == "acceptable" and risk["clears"] and not risk["clears"]["bound"]
    ]
    if lucky:
        yield (
            say("Passed by the estimate, not by the bound"),
            say(
                "The policy compares the estimate with the limit. The upper bound exceeds it for "
                "{risks}: with these trials the true rate may lie above the limit.",
                risks=language.listing(lucky),
            ),
        )


def _read(document: Document, language: Language) -> Iterator[Limit]:
    rows = [row for row in document["coverage"]["covered"] if row["files"] is not None]
    if rows:
        yield (
            language.say("What inspection cannot see"),
            language.say(
                "“Not found” means that none of a probe's rules matched the bytes that it read. "
                "The table under “Coverage” has what each of {probes} read and skipped.",
                probes=language.plural(len({row["probe"] for row in rows}), "probe"),
            ),
        )


def _loss(document: Document, language: Language) -> Iterator[Limit]:
    loss = document["loss"]
    if loss["risks"]:
        yield (
            language.say("Loss figures rank risks, they don't predict accounts"),
            language.say(
                "They rest on frequencies and amounts of the catalogue that nobody measured for "
                "this system, unless you put in your own. They cover {risks} and nothing that was "
                "not measured.",
                risks=language.plural(len(loss["risks"]), "risk"),
            ),
        )


def _state(document: Document, language: Language) -> Iterator[Limit]:
    say = language.say
    yield (
        say("A later version is another system"),
        say(
            "The verdict holds for {name} as it was on {day}: these weights, this system prompt, "
            "this sampling. The digests under “How this was made” name them. Change one, and "
            "assess again.",
            name=document["system"]["name"], day=document["run"]["finished"][:10],
        ),
    )  # fmt: skip
    yield (
        say("The evidence proves itself only to those who keep its head"),
        say(
            "Records are chained by hashes. Somebody who replaces the whole store goes unnoticed "
            "unless the head was kept elsewhere, for example in a printed or signed report."
        ),
    )
