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
"""


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
