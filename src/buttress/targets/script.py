"""The rules of a scripted target, read from YAML."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.files.located_yaml import FieldPath, Located, load
from buttress.targets.base import Request, TargetError

TOP: Final = ("seed", "rules", "default")
RULE: Final = ("match", "answer", "answers", "latency_s", "fail")
FAIL: Final = ("status", "retry_after_s", "times")


@dataclass(slots=True)
class ScriptRule:
    """What is said to questions that match, after how many failures."""

    match: re.Pattern[str]
    texts: tuple[str, ...]
    shares: tuple[float, ...]
    latency_s: float = 0.0
    status: int = 0
    retry_after_s: float | None = None
    failures: int = 0  # left

    def fail(self) -> None:
        """Raise the scripted error while some are left."""
        if self.failures <= 0:
            return
        self.failures -= 1
        raise TargetError(
            f"HTTP {self.status}: as scripted",
            retry=self.status in {408, 429} or self.status >= 500,
            throttled=self.status in {429, 503},
            retry_after_s=self.retry_after_s,
        )


@dataclass(slots=True)
class Script:
    """Rules in the order in which they are tried."""

    rules: Sequence[ScriptRule]
    default: str
    seed: int

    async def reply(self, request: Request) -> str:
        """What the first matching rule says."""
        last = request.messages[-1].content if request.messages else ""
        for rule in self.rules:
            if rule.match.search(last):
                rule.fail()
                if rule.latency_s:
                    await asyncio.sleep(rule.latency_s)
                return self._draw(rule, request)
        return self.default

    def _draw(self, rule: ScriptRule, request: Request) -> str:
        """One of the rule's texts: the same question always gets the same one."""
        if len(rule.texts) == 1:
            return rule.texts[0]
        question = [[m.role, m.content] for m in request.messages]
        content = orjson.dumps([self.seed, request.sampling.seed, request.tag, question])
        point = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") / 2**64
        for text, share in zip(rule.texts, rule.shares, strict=True):
            point -= share
            if point < 0:
                return text
        return rule.texts[-1]


def read_script(path: Path) -> Script:
    """The script in a YAML file; ``targets.scripted`` shows the form.

    Raises:
        InputError: it is not one; the message names line and field.
    """
    file = load(path)
    top = _mapping(file, file.data, (), TOP)
    default = top.get("default", "")
    if not isinstance(default, str):
        raise file.error(("default",), "not text", "text")
    rules = top.get("rules", [])
    if not isinstance(rules, list):
        raise file.error(("rules",), "not a list", "a list of rules")
    seed = int(_number(file, top.get("seed", 0), ("seed",)))
    return Script([_rule(file, rule, ("rules", i)) for i, rule in enumerate(rules)], default, seed)


def _mapping(file: Located, value: Any, path: FieldPath, fields: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise file.error(path, "not a mapping", ", ".join(fields))
    for name in value:
        if name not in fields:
            raise file.error((*path, str(name)), "unknown field", "one of " + ", ".join(fields))
    return value


def _rule(file: Located, value: Any, path: FieldPath) -> ScriptRule:
    given = _mapping(file, value, path, RULE)
    try:
        match = re.compile(given["match"])
    except (KeyError, TypeError, re.error):
        raise file.error(
            (*path, "match"), "missing or not usable", "a regular expression"
        ) from None
    texts, shares = _texts(file, given, path)
    latency_s = _number(file, given.get("latency_s", 0), (*path, "latency_s"))
    rule = ScriptRule(match, texts, shares, latency_s)
    if "fail" in given:
        inside = (*path, "fail")
        fail = _mapping(file, given["fail"], inside, FAIL)
        rule.status = int(_number(file, fail.get("status"), (*inside, "status")))
        rule.failures = int(_number(file, fail.get("times", 1), (*inside, "times")))
        if "retry_after_s" in fail:
            rule.retry_after_s = _number(file, fail["retry_after_s"], (*inside, "retry_after_s"))
    return rule


def _texts(
    file: Located, given: dict[str, Any], path: FieldPath
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    if isinstance(given.get("answer"), str):
        return (given["answer"],), (1.0,)
    answers = given.get("answers")
    if not isinstance(answers, list) or not answers:
        raise file.error((*path, "answer"), "missing", "answer: text, or answers: a list")
    texts, shares = [], []
    for i, one in enumerate(answers):
        inside = (*path, "answers", i)
        choice = _mapping(file, one, inside, ("text", "share"))
        if not isinstance(choice.get("text"), str):
            raise file.error((*inside, "text"), "missing", "text")
        texts.append(choice["text"])
        shares.append(_number(file, choice.get("share", 1), (*inside, "share")))
    total = sum(shares)
    if total <= 0:
        raise file.error((*path, "answers"), "the shares add up to 0")
    return tuple(texts), tuple(share / total for share in shares)


def _number(file: Located, value: Any, path: FieldPath) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise file.error(path, f"{value!r} is not usable"[:80], "a number, 0 or more")
    return float(value)
