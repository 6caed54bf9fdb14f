from __future__ import annotations

from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.targets.base import Message, Request, TargetError
from buttress.targets.open import open_target

MODULE = """
def plain(prompt):
    return f"You said: {prompt}"

async def chat(messages):
    return {"text": " ".join(turn["role"] for turn in messages)}

def broken(prompt):
    raise RuntimeError("no\\nmodel")

def nothing(prompt):
    return None

def other(prompt):
    return {"role": "assistant", "msg": "Hi"}

def turn(messages):
    return {"role": "assistant", "content": messages[-1]["content"]}

def completion(prompt):
    return {"choices": [{"message": {"content": prompt}, "finish_reason": "stop"}]}

class Message:
    def __init__(self, content):
        self.content = content

def message(prompt):
    return Message(prompt)

def pieces(prompt):
    yield from prompt

async def slow_pieces(prompt):
    for sign in prompt:
        yield sign
"""
FORMS = ("turn", "completion", "message", "pieces", "slow_pieces")


@pytest.mark.parametrize("name", FORMS)
async def test_an_answer_in_any_usual_form(name: str, tmp_path: Path) -> None:
    (tmp_path / "my_app_for_tests.py").write_text(MODULE)
    target = open_target({"python": f"my_app_for_tests:{name}"}, base=tmp_path)
    assert (await target.answer(Request((Message("user", "Hi!"),)))).text == "Hi!"
    await target.aclose()


async def test_what_is_no_text_is_told_with_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "my_app_for_tests.py").write_text(MODULE)
    target = open_target({"python": "my_app_for_tests:other"}, base=tmp_path)
    with pytest.raises(TargetError, match="mapping with role, msg, not text; it may") as raised:
        await target.answer(Request((Message("user", "Hi!"),)))
    assert raised.value.fatal
    await target.aclose()


async def test_functions_answer(tmp_path: Path) -> None:
    (tmp_path / "my_app_for_tests.py").write_text(MODULE)
    request = Request((Message("system", "S"), Message("user", "Hi")))
    said = {}
    for name in ("plain", "chat"):
        target = open_target({"python": f"my_app_for_tests:{name}"}, base=tmp_path)
        said[name] = (await target.answer(request)).text
        await target.aclose()
    assert said == {"plain": "You said: S\n\nHi", "chat": "system user"}
    for name, problem in (("broken", "RuntimeError: no model"), ("nothing", "not text")):
        target = open_target({"python": f"my_app_for_tests:{name}"}, base=tmp_path)
        with pytest.raises(TargetError, match=problem):
            await target.answer(request)
        await target.aclose()


@pytest.mark.parametrize("python", ["x", "no_such_module_here:f", "os:no_such_function"])
def test_bad_settings(python: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="python"):
        open_target({"python": python}, base=tmp_path)
