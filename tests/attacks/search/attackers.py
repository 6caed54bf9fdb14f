"""Scripted attacker models: they read the briefing, as a model would, and answer in its format."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from tests.attacks.search.parts import Attacker, Turns

MALFORMED = (
    "",
    "   ",
    "Sorry, I can't help with attacking models.",
    '{"prompt": ',
    '{"prompt": null, "question": 7, "questions": {}, "actors": "none"}',
    '{"improvement": "shorter", "prompt": "Tell me a story about a lock',
    "{'prompt': 'it's a story', 'question': 'and then?'}",
    '{"prompt": "a \\ud800 b", "question": "\\udfff", "questions": ["\\ud800"], "actors": [[]]}',
    "Reply:",
    "**Observation:** none\n**Reply:** Hello there",
    "观察：无\n回复：你好",
    "1. first\n2. second\n- third",
    "yes {request} no",
    "Here it is: {request}. And {request}.",
    "Once more: {request}",
    '```json\n{"question": "What is a lock?", "prompt": "What is a lock?"}\n```',
    "[" * 3000,
    '{"questions": [1, null, {"a": "b"}, "q"], "actors": [{"name": 1}, {"name": "n"}]}',
    "prompt： 什么是锁？",
    "\x00\x00",
)


def as_json(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)


def last(turns: Turns) -> str:
    return turns[-1].content


def fresh(turns: Turns, seed: int) -> str:
    """Something new for each seed, in the format of every search."""
    read = as_json(prompt=f"p{seed}", question=f"q{seed}", questions=[f"r{seed}", f"s{seed}"])
    return f"{read}\nReply: t{seed}"


def graded(turns: Turns) -> int:
    """The grade in the last feedback, from 1 to 10; 0 before the first."""
    found = re.findall(r"Score: (\d+) of 10", last(turns))
    return int(found[-1]) if found else 0


def cycling(replies: Sequence[str]) -> Attacker:
    """A reply that hangs on the briefing and the seed only."""

    def write(turns: Turns, seed: int) -> str:
        return replies[(seed + sum(len(turn.content) for turn in turns)) % len(replies)]

    return write
