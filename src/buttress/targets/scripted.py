"""A target that answers by rules, for tests and documentation.

The script is a YAML file::

    seed: 1
    rules:
      - match: (?i)hello            # a regular expression, searched in the last message
        answer: Hello to you.
      - match: bomb
        answers:                    # drawn by share, seeded by the question
          - {text: I can't help with that., share: 0.9}
          - {text: Sure., share: 0.1}
      - match: slow
        answer: Sorry for the wait.
        latency_s: 0.2
        fail: {status: 429, retry_after_s: 1, times: 2}   # the first two times
    default: I don't know.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.fingerprint import file_digest
from buttress.targets.settings import existing, unknown, whole

SETTINGS: Final = ("script", "concurrency")
RULE: Final = ("match", "answer", "answers", "latency_s", "fail")
Reply = str | Answer


def create(*, script: str | Path, concurrency: int = 64, **others: Any) -> ScriptedTarget:
    """The target that the YAML file ``script`` describes.

    Raises:
        InputError: the file is not such a script.
    """
    unknown(others, SETTINGS)
    path = existing(script, "script")
    rules = _read(path)
    return ScriptedTarget(
        rules.reply,
        name=f"script {path.name}",
        identity=f"script:sha256:{file_digest(path)}",
        stable=True,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
    )


class ScriptedTarget:
    """A target whose answers come from ``function``, plain or asynchronous.

    The function may raise ``TargetError``. ``calls`` counts how often it was asked.
    """

    def __init__(
        self,
        function: Callable[[Request], Reply | Awaitable[Reply]],
        *,
        name: str = "script",
        identity: str = "script",
        stable: bool = False,
        concurrency: int = 64,
    ) -> None:
        self._function = function
        self._name = name
        self._identity = identity
        self._stable = stable
        self._concurrency = concurrency
        self.calls = 0

    @property
    def name(self) -> str:
        """For people."""
        return self._name

    @property
    def identity(self) -> str:
        """Digest of the script, or what was given."""
        return self._identity

    @property
    def stable(self) -> bool:
        """Whether the same question always gets the same answer."""
        return self._stable

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """What the function says.

        Raises:
            TargetError: the script says to fail.
        """
        self.calls += 1
        said = self._function(request)
        reply = await said if inspect.isawaitable(said) else said
        return reply if isinstance(reply, Answer) else Answer(reply)

    async def aclose(self) -> None:
        """Nothing to release."""


@dataclass(slots=True)
class _Rule:
    match: re.Pattern[str]
    texts: tuple[str, ...]
    shares: tuple[float, ...]
    latency_s: float = 0.0
    status: int = 0
    retry_after_s: float | None = None
    failures: int = 0  # left

    def fail(self) -> None:
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
class _Rules:
    rules: Sequence[_Rule]
    default: str
    seed: int

    async def reply(self, request: Request) -> str:
        last = request.messages[-1].content if request.messages else ""
        for rule in self.rules:
            if rule.match.search(last):
                rule.fail()
                if rule.latency_s:
                    await asyncio.sleep(rule.latency_s)
                return self._draw(rule, request)
        return self.default

    def _draw(self, rule: _Rule, request: Request) -> str:
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


def _read(path: Path) -> _Rules:
    import yaml

    file = str(path)
    try:
        script = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not YAML: {error}", file=file) from None
    if not isinstance(script, dict):
        raise InputError("not a mapping", file=file, expected="rules and default")
    for name in script:
        if name not in ("rules", "default", "seed"):
            raise InputError(
                "unknown field", file=file, field=str(name), expected="rules, default or seed"
            )
    default, seed, rules = script.get("default", ""), script.get("seed", 0), script.get("rules", [])
    if not isinstance(default, str):
        raise InputError("not text", file=file, field="default")
    if not isinstance(seed, int):
        raise InputError("not a whole number", file=file, field="seed")
    if not isinstance(rules, list):
        raise InputError("not a list", file=file, field="rules")
    return _Rules([_rule(rule, file, f"rules[{i}]") for i, rule in enumerate(rules)], default, seed)


def _rule(given: Any, file: str, where: str) -> _Rule:
    if not isinstance(given, dict):
        raise InputError("not a mapping", file=file, field=where)
    for name in given:
        if name not in RULE:
            raise InputError(
                "unknown field", file=file, field=f"{where}.{name}", expected=", ".join(RULE)
            )
    try:
        match = re.compile(given["match"])
    except (KeyError, TypeError, re.error):
        raise InputError(
            "missing or not usable", file=file, field=f"{where}.match", expected="a regex"
        ) from None
    texts, shares = _texts(given, file, where)
    rule = _Rule(match, texts, shares, _number(given.get("latency_s", 0), file, where))
    fail = given.get("fail")
    if fail is not None:
        if not isinstance(fail, dict) or not isinstance(fail.get("status"), int):
            raise InputError(
                "not usable",
                file=file,
                field=f"{where}.fail",
                expected="{status: 429, retry_after_s: 1, times: 2}",
            )
        rule.status = fail["status"]
        rule.failures = int(_number(fail.get("times", 1), file, f"{where}.fail"))
        if fail.get("retry_after_s") is not None:
            rule.retry_after_s = _number(fail["retry_after_s"], file, f"{where}.fail")
    return rule


def _texts(given: Any, file: str, where: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    if isinstance(given.get("answer"), str):
        return (given["answer"],), (1.0,)
    answers = given.get("answers")
    if not isinstance(answers, list) or not answers:
        raise InputError("missing", file=file, field=f"{where}.answer", expected="text")
    texts, shares = [], []
    for one in answers:
        if not isinstance(one, dict) or not isinstance(one.get("text"), str):
            raise InputError(
                "not usable", file=file, field=f"{where}.answers", expected="text and share"
            )
        texts.append(one["text"])
        shares.append(_number(one.get("share", 1), file, f"{where}.answers"))
    total = sum(shares)
    if total <= 0:
        raise InputError("shares add up to 0", file=file, field=f"{where}.answers")
    return tuple(texts), tuple(share / total for share in shares)


def _number(value: Any, file: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise InputError(f"{value!r} is not usable", file=file, field=where, expected="≥ 0")
    return float(value)
