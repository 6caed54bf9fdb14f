from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError
from buttress.targets.scripted import ScriptedTarget, create

SCRIPT = r"""
seed: 4
rules:
  - match: (?i)hello
    answer: Hello to you.
  - match: coin
    answers:
      - {text: heads, share: 3}
      - {text: tails, share: 1}
  - match: busy
    answer: Sorry.
    latency_s: 0.001
    fail: {status: 429, retry_after_s: 2, times: 2}
default: I don't know.
"""


def ask(text: str, seed: int = 0) -> Request:
    return Request((Message("user", text),), Sampling(seed=seed))


def script(folder: Path, text: str = SCRIPT) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_rules_and_default(tmp_path: Path) -> None:
    target = create(script=script(tmp_path))
    assert isinstance(target, Target)
    assert (await target.answer(ask("say HELLO"))).text == "Hello to you."
    assert (await target.answer(ask("?"))).text == "I don't know."
    assert target.calls == 2


async def test_shares_are_kept_and_answers_repeat(tmp_path: Path) -> None:
    target = create(script=script(tmp_path))
    said = [(await target.answer(ask(f"coin {i}"))).text for i in range(4000)]
    assert 0.72 < Counter(said)["heads"] / 4000 < 0.78  # 3 of 4, four standard errors
    again = [(await target.answer(ask(f"coin {i}"))).text for i in range(100)]
    assert again == said[:100]
    other = [(await target.answer(ask(f"coin {i}", seed=1))).text for i in range(100)]
    assert other != again


async def test_scripted_failures_pass(tmp_path: Path) -> None:
    target = create(script=script(tmp_path))
    for _ in range(2):
        with pytest.raises(TargetError, match="429") as caught:
            await target.answer(ask("busy"))
        assert (caught.value.retry, caught.value.throttled) == (True, True)
        assert caught.value.retry_after_s == 2
    assert (await target.answer(ask("busy"))).text == "Sorry."


async def test_functions_plain_and_asynchronous() -> None:
    async def later(request: Request) -> Answer:
        return Answer(request.messages[-1].content.upper())

    assert (await ScriptedTarget(later).answer(ask("a"))).text == "A"
    assert (await ScriptedTarget(lambda request: "b").answer(ask("a"))).text == "b"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[1]", "not a mapping"),
        ("rules: 3", "rules: not a list"),
        ("rulez: []", "rulez: unknown field"),
        ("default: [a]", "default: not text"),
        ("seed: x", "seed: 'x' is not usable"),
        ("rules:\n- answer: a", "rules[0].match"),
        ("rules:\n- {match: '(', answer: a}", "rules[0].match"),
        ("rules:\n- {match: a}", "rules[0].answer: missing"),
        ("rules:\n- {match: a, answers: [{text: b, share: -1}]}", "rules[0].answers[0].share"),
        ("rules:\n- {match: a, answers: [{text: b, share: 0}]}", "add up to 0"),
        ("rules:\n- {match: a, answers: [{share: 0}]}", "rules[0].answers[0].text"),
        ("rules:\n- {match: a, answer: b, fail: {times: 1}}", "rules[0].fail.status"),
        ("rules:\n- {match: a, answer: b, latency_s: fast}", "rules[0].latency_s"),
        ("a: [", "script.yaml"),
    ],
)
def test_bad_scripts(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        create(script=script(tmp_path, text))
    assert where in str(caught.value)
    assert str(tmp_path / "script.yaml") in str(caught.value)
