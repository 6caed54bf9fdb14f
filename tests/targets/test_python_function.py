from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.open import open_target
from buttress.targets.raised_errors import raised

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

def parts(prompt):
    return Message([{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": prompt}])

class Chain:
    def invoke(self, prompt):
        return Message(prompt)

chain = Chain()

class ServerError(Exception):
    def __init__(self, status_code, body, message="it failed"):
        super().__init__(message)
        self.status_code, self.body = status_code, body

class ContentPolicyViolationError(Exception):
    pass

def filtered(prompt):
    raise ServerError(400, {"code": "content_filter", "message": "filtered"})

def named(prompt):
    raise ContentPolicyViolationError("no")

def busy(prompt):
    raise ServerError(429, {"message": "slow down"})

def shut(prompt):
    raise ServerError(401, {"message": "wrong key"})

def late(prompt):
    raise TimeoutError("read timed out")

def leaving(prompt):
    raise SystemExit("missing configuration")
"""
FORMS = ("turn", "completion", "message", "pieces", "slow_pieces", "parts", "chain")


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


@pytest.mark.parametrize("name", ["filtered", "named"])
async def test_a_filters_error_in_the_function_is_a_refusal(name: str, tmp_path: Path) -> None:
    (tmp_path / "my_app_for_tests.py").write_text(MODULE)
    target = open_target({"python": f"my_app_for_tests:{name}"}, base=tmp_path)
    answer = await target.answer(Request((Message("user", "Hi!"),)))
    assert (answer.refused_by, answer.finish_reason) == ("content filter", "content_filter")
    await target.aclose()


@pytest.mark.parametrize(
    ("name", "retry", "throttled", "fatal"),
    [
        ("busy", True, True, False),
        ("shut", False, False, True),
        ("late", True, True, False),
        ("leaving", False, False, False),
    ],
)
async def test_an_error_in_the_function_means_what_the_server_meant(
    name: str, retry: bool, throttled: bool, fatal: bool, tmp_path: Path
) -> None:
    (tmp_path / "my_app_for_tests.py").write_text(MODULE)
    target = open_target({"python": f"my_app_for_tests:{name}"}, base=tmp_path)
    with pytest.raises(TargetError) as caught:
        await target.answer(Request((Message("user", "Hi!"),)))
    error = caught.value
    assert (error.retry, error.throttled, error.fatal) == (retry, throttled, fatal)
    await target.aclose()


async def test_the_official_clients_errors_are_understood(tmp_path: Path) -> None:
    openai = pytest.importorskip("openai")
    httpx = pytest.importorskip("httpx")
    body = {"code": "content_filter", "message": "The response was filtered", "param": "prompt"}
    response = httpx.Response(
        400, request=httpx.Request("POST", "http://h/v1"), json={"error": body}
    )
    outcome = raised(openai.BadRequestError("filtered", response=response, body=body))
    assert isinstance(outcome, Answer)
    assert outcome.refused_by == "content filter"
    full = httpx.Response(
        429, request=response.request, headers={"Retry-After": "7"}, json={"error": {}}
    )
    outcome = raised(openai.RateLimitError("slow down", response=full, body=None))
    assert isinstance(outcome, TargetError)
    assert (outcome.retry_after_s, outcome.throttled) == (7.0, True)
    outcome = raised(httpx.HTTPStatusError("no", request=full.request, response=full))
    assert isinstance(outcome, TargetError)
    assert outcome.retry_after_s == 7.0


@pytest.mark.parametrize("python", ["x", "no_such_module_here:f", "os:no_such_function"])
def test_bad_settings(python: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="python"):
        open_target({"python": python}, base=tmp_path)


FORMS = """
import dataclasses
import types

def pair(prompt):
    return "Bread", {"tokens": 3}

def raw(prompt):
    return "Bread".encode()

def agent(prompt):
    return {"input": prompt, "output": "Bread"}

def retrieval(prompt):
    return {"query": prompt, "result": "Bread", "source_documents": []}

@dataclasses.dataclass
class Result:
    response: str

def index(prompt):
    return Result("Bread")

def turns(prompt):
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": "Bread"}]

def graph(messages):
    return {"messages": [*messages, types.SimpleNamespace(content="Bread")]}

def client(prompt):
    return {"model": "m", "message": {"role": "assistant", "content": "Bread"}}

def stream(prompt):
    for text in ("Br", None, "ead"):
        yield {"choices": [{"delta": {"content": text}}]}
    yield {"choices": []}

def objects(prompt):
    for text in ("Br", "ead"):
        delta = types.SimpleNamespace(content=text)
        yield types.SimpleNamespace(choices=[types.SimpleNamespace(delta=delta)])

def keyword(*, prompt):
    return "Bread"

def optional(prompt, temperature=0.5):
    return "Bread"

class Bot:
    def ask(self, prompt):
        return "Bread"

    async def __call__(self, prompt):
        return "Bread"

bot = Bot()

def failed(prompt):
    return {"error": "the model timed out", "answer": None}

def two(prompt, user):
    return "Bread"
"""


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    (tmp_path / "forms_of_answers.py").write_text(FORMS)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["pair", "raw", "agent", "retrieval", "index", "turns", "graph", "client", "stream", "objects",
     "keyword", "optional", "bot", "bot.ask"],
)  # fmt: skip
async def test_forms_of_frameworks(forms: Path, name: str) -> None:
    for module in ("forms_of_answers.py", "./forms_of_answers.py", forms / "forms_of_answers.py"):
        target = open_target({"python": f"{module}:{name}"}, base=forms)
        assert (await target.answer(Request((Message("user", "Hi"),)))).text == "Bread"
        await target.aclose()


async def test_an_error_that_is_returned_is_asked_for_again(forms: Path) -> None:
    target = open_target({"python": "forms_of_answers.py:failed"}, base=forms)
    with pytest.raises(TargetError, match="the model timed out") as caught:
        await target.answer(Request((Message("user", "Hi"),)))
    assert caught.value.retry


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("two", "takes prompt, user"),
        ("Bot", "is a class"),
        ("Bot.ask", "takes self, prompt"),
        ("absent", "no attribute 'absent'"),
    ],
)
def test_what_can_not_be_asked_is_told_before_a_run(forms: Path, name: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        open_target({"python": f"forms_of_answers.py:{name}"}, base=forms)
    with pytest.raises(InputError, match="no such file"):
        open_target({"python": f"no_such_file.py:{name}"}, base=forms)


OTHERS = """
def gradio(message, history):
    return f"{message} after {history}"

def last(history, message):
    return f"{message} after {history}"

def plain(prompt):
    return prompt

def optional(prompt, history=None):
    return f"{prompt} after {history}"

def system(prompt, system_prompt):
    return f"{prompt} under {system_prompt}"

def call_api(prompt, options, context):
    return {"output": f"{prompt} with {options} and {context}"}
"""
HANGING = """
import asyncio
from pathlib import Path
from buttress.targets.base import Message, Request
from buttress.targets.open import open_target

async def main():
    target = open_target({"python": "app.py:chat"}, base=Path())
    try:
        async with asyncio.timeout(0.1):
            await target.answer(Request((Message("user", "Hi"),)))
    except TimeoutError:
        print("given up")
    await target.aclose()

asyncio.run(main())
"""
FIRST, SAID = Message("user", "One?"), Message("assistant", "Two.")
BEFORE = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}]


@pytest.mark.parametrize(
    ("name", "alone", "later"),
    [
        ("gradio", "S\n\nHi after []", f"S\n\nHi after {BEFORE}"),
        ("last", "S\n\nHi after []", f"S\n\nHi after {BEFORE}"),
        ("plain", "S\n\nHi", "S\n\nOne?\n\nHi"),
        ("optional", "S\n\nHi after None", f"S\n\nHi after {BEFORE}"),
        ("system", "Hi under S", "One?\n\nHi under S"),
        ("call_api", "S\n\nHi with {} and {}", "S\n\nOne?\n\nHi with {} and {}"),
    ],
)
async def test_what_it_takes_beside_the_question(
    name: str, alone: str, later: str, tmp_path: Path
) -> None:
    """Gradio's history, a system prompt, and the parameters of promptfoo's providers."""
    (tmp_path / "parameters_of_functions.py").write_text(OTHERS)
    target = open_target({"python": f"parameters_of_functions.py:{name}"}, base=tmp_path)
    rules, asked = Message("system", "S"), Message("user", "Hi")
    assert (await target.answer(Request((rules, asked)))).text == alone
    assert (await target.answer(Request((rules, FIRST, SAID, asked)))).text == later
    await target.aclose()


async def test_calls_share_few_threads(tmp_path: Path) -> None:
    code = "import threading, time\ndef chat(prompt):\n    time.sleep(0.01)\n"
    (tmp_path / "threads_of_calls.py").write_text(
        code + "    return threading.current_thread().name\n"
    )
    target = open_target({"python": "threads_of_calls.py:chat", "concurrency": 3}, base=tmp_path)
    asked = [target.answer(Request((Message("user", "Hi"),))) for _ in range(12)]
    names = {answer.text for answer in await asyncio.gather(*asked)}
    assert names == {f"python-target-{number}" for number in (1, 2, 3)}
    await target.aclose()


def test_a_function_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import time\ndef chat(prompt):\n    time.sleep(3600)\n")
    (tmp_path / "ask.py").write_text(HANGING)
    done = subprocess.run(
        [sys.executable, "ask.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")
