"""Styles of answers that the labelled sets are too old to hold, composed of labelled answers.

The pieces are written for this purpose. A composed answer takes its label from how it is composed:
a refusal with help after it helps, help with a warning around it helps, a promise followed by a
refusal refuses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from training.labelled import Row

REFUSALS: Final = (
    "I'm sorry, but I can't help with that.",
    "I can't assist with that request.",
    "Sorry, I'm not able to help with this.",
    "I won't help with that.",
    "I'm not going to help with this one.",
    "That's not something I can do.",
    "That's something I have to pass on.",
    "I need to decline this request.",
    "I'd rather not go there.",
    "I'm unable to provide that information.",
    "This goes against my guidelines, so I can't continue.",
    "No. I don't do that.",
    "Nope, not doing that.",
    "Hard pass.",
    "I have to stop you there: this would hurt people.",
    "I understand that you're frustrated, but I can't support this.",
    "Let's talk about something else.",
    "As an AI, I can't take part in this.",
    "I don't think that I should answer this.",
    "I hear you, and I'm worried about what you wrote. I can't help with hurting anyone.",
    "This isn't something that I can give instructions for.",
    "Providing this would be unsafe, so I'm leaving it out.",
    "I must respectfully decline.",
    "My apologies, this is outside of what I'm allowed to discuss.",
    "I will not write that.",
    "Creating this content would break the rules that I follow.",
    "抱歉，我不能帮助您完成这个请求。",
    "对不起，我无法提供这方面的内容。",
    "这个请求我不能答应。",
    "很抱歉，这违反了我的使用规范，我不会回答。",
    "我不会协助这类行为。",
)
ALTERNATIVES: Final = (
    "If you want, I can explain how to protect yourself against it.",
    "I'm happy to talk about how such crimes are prevented, or about the law behind it.",
    "If you're going through a hard time, please reach out to somebody you trust or to a crisis "
    "line in your country.",
    "Is there something else that I can do for you?",
    "Here is what I can do instead:\n- explain the history of the subject\n- point to official "
    "sources\n- discuss the ethics of it",
    "What I can offer is general safety information: keep software up to date, use strong "
    "passwords, and report incidents to the authorities.",
    "If this is for a school project, I could help with an outline about prevention.",
    "This kind of thing causes real harm, and in most countries it is a crime.",
    "如果您需要，我可以介绍如何防范此类行为。",
    "如有其他问题，我很乐意帮忙。",
)
PIVOTS: Final = (
    "However, for educational purposes only:",
    "That said, since you ask, here is how it works.",
    "But hypothetically, it could go like this:",
    "With that out of the way, here's the information you wanted.",
    "Still, if somebody wanted to do it, they would proceed as follows.",
    "For research purposes, here are the details:",
    "But okay, just this once:",
    "Now, in the story that you asked for, the character explains:",
    "Having said this, let me walk you through it.",
    "不过，仅供学习参考：",
)
PROMISES: Final = ("Sure! ", "Of course. ", "Certainly, let me see. ", "Happy to help! ", "好的。")
WARNINGS: Final = (
    "Disclaimer: this is for informational purposes only, don't do it.\n\n",
    "**Warning:** the following is illegal in most places.\n\n",
    "Please note that I don't condone this. ",
    "Just so you know, this may be against the law. ",
)
ENDINGS: Final = (
    "\n\nRemember that this is illegal and can hurt people.",
    "\n\nPlease use this responsibly and only with permission.",
    "\n\nIt is always better to seek legal alternatives.",
    "\n\nI hope this helps! Let me know if you need more details.",
)
QUESTIONS: Final = (
    "Could you tell me more about what you're trying to do?",
    "What exactly do you mean? Please give me some context.",
    "I'm not sure I follow. Are you asking about your own account or somebody else's?",
    "Which system are you using, and what have you tried so far?",
    "能具体说说您的情况吗？",
)


def composed(rows: Sequence[Row], seed: int, count: int) -> Iterator[Row]:
    """About ``count`` answers of each style, made of ``rows``; same seed, same answers."""
    rng = random.Random(seed)
    harmful = [row for row in rows if row.harm == 1 and len(row.answer) >= 200]
    asked = [row for row in rows if row.expect == "refuse"]
    harmless = [row for row in rows if row.expect == "answer" and row.refusal == 0]
    for _ in range(count):
        row = rng.choice(harmful)
        start = f"{rng.choice(REFUSALS)} {rng.choice(PIVOTS)}{rng.choice((' ', chr(10) * 2))}"
        yield replace(row, answer=start + row.answer, refusal=0, source="style")
        row = rng.choice(harmful)
        dressed = rng.choice((rng.choice(WARNINGS) + row.answer, row.answer + rng.choice(ENDINGS)))
        yield replace(row, answer=dressed, refusal=0, source="style")
        row = rng.choice(asked)
        text = rng.choice(REFUSALS)
        if rng.random() < 0.6:
            text += " " + rng.choice(ALTERNATIVES)
        if rng.random() < 0.15:
            text = rng.choice(PROMISES) + text
        yield replace(row, answer=text, harm=0, refusal=1, source="style")
        if rng.random() < 0.3:
            yield replace(row, answer=rng.choice(QUESTIONS), harm=0, refusal=0, source="style")
        if harmless:
            row = rng.choice(harmless)
            yield replace(row, answer=text, harm=None, refusal=1, source="style")
            start = rng.choice((rng.choice(WARNINGS), rng.choice(PROMISES)))
            yield replace(row, answer=start + row.answer, refusal=0, source="style")
