"""What comes from outside is followed between functions and files, and told with its way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding
from buttress.files.selection import Selection
from buttress.probes.source.code.layout import imports
from buttress.probes.source.code.linking import MAX_FUNCTIONS
from buttress.probes.source.code.summaries import MAX_SINKS
from buttress.probes.source.code.values import MAX_STEPS
from tests.probes.source.code.examine import found, inspect

WEB = "import os, shlex, subprocess\nfrom flask import Flask, request\napp = Flask('a')\n"
ASK = (
    "from openai import OpenAI\nclient = OpenAI()\ndef ask(q):\n"
    "    return client.responses.create(model='m', input=q).output_text\n"
)
CALLER = "import llm\nfrom box import run\nrun(llm.ask(1))"
RUN = "def run(code):\n    exec(code)\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def rules(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(one.rule, one.location) for one in findings}


SHELL = {
    "a parameter": "def f(c):\n    os.system(c)\nf(request.args['a'])",
    "called before": "def g():\n    f(request.args['a'])\ndef f(c):\n    os.system(c)",
    "by name": "def f(*, c):\n    os.system(c)\nf(c=request.args['a'])",
    "by **": "def f(c):\n    os.system(c)\nf(**request.json)",
    "by *": "def f(*c):\n    os.system(c[0])\nf(1, request.args['a'])",
    "a chain": (
        "def f(c):\n    g(c.strip())\ndef g(c):\n    h('x ' + c)\ndef h(c):\n    os.system(c)\n"
        "f(request.args['a'])"
    ),
    "through what is returned": "def f(c):\n    return 'x ' + c\nos.system(f(request.args['a']))",
    "recursion": "def f(c, n):\n    os.system(c)\n    f(c + '1', n)\nf(request.args['a'], 1)",
    "each calls the other": (
        "def f(c):\n    g(c)\ndef g(c):\n    f(c)\n    os.system(c)\nf(request.args['a'])"
    ),
    "a method": (
        "class A:\n    def run(self, c):\n        os.system(c)\nA().run(request.args['a'])"
    ),
    "an inherited method": (
        "class A:\n    def run(self, c):\n        os.system(c)\nclass B(A):\n    def go(self):\n"
        "        self.run(request.args['a'])"
    ),
    "super": (
        "class A:\n    def run(self, c):\n        os.system(c)\nclass B(A):\n"
        "    def run(self, c):\n        super().run(c)\nB().run(request.args['a'])"
    ),
    "an attribute set by the constructor": (
        "class A:\n    def __init__(self, c):\n        self.c = c\n    def run(self):\n"
        "        os.system(self.c)\nA(request.args['a']).run()"
    ),
    "an attribute set by a later method": (
        "class A:\n    def run(self):\n        os.system(self.c)\n    def read(self):\n"
        "        self.c = request.args['a']"
    ),
    "an attribute of an instance": (
        "class A:\n    def __init__(self, c):\n        self.c = c\n"
        "a = A(request.args['a'])\nos.system(a.c)"
    ),
    "a list of an instance": (
        "class A:\n    def __init__(self):\n        self.c = []\n    def add(self):\n"
        "        self.c.append(request.args['a'])\n    def run(self):\n"
        "        os.system(self.c[0])"
    ),
    "a table": "def f(c):\n    os.system(c)\nT = {'f': f}\nT[k](request.args['a'])",
    "a table with get": "def f(c):\n    os.system(c)\nT = {'f': f}\nT.get(k)(request.args['a'])",
    "one of two functions": (
        "def f(c):\n    pass\ndef g(c):\n    os.system(c)\nh = f if x else g\nh(request.args['a'])"
    ),
    "a closure": ("def f(c):\n    def g():\n        os.system(c)\n    g()\nf(request.args['a'])"),
    "an await": "async def f(c):\n    os.system(c)\nasync def g():\n    await f(request.args['a'])",
    "quoted for another use": (
        "import html\ndef q(c):\n    return html.escape(c)\nos.system(q(request.args['a']))"
    ),
    "a shell as a list": "subprocess.run(['bash', '-c', request.args['a']])",
}
CLEAN = {
    "a number": "def f(c):\n    os.system(f'x {int(c)}')\nf(request.args['a'])",
    "a number that is returned": (
        "def f(c):\n    return int(c)\nos.system(f'x {f(request.args[\"a\"])}')"
    ),
    "quoted by a helper": (
        "def q(c):\n    return shlex.quote(c)\nos.system('x ' + q(request.args['a']))"
    ),
    "quoted before": "def f(c):\n    os.system(c)\nf(shlex.quote(request.args['a']))",
    "checked by a helper": (
        "def f(c):\n    if c not in ('a', 'b'):\n        raise ValueError\n    return c\n"
        "os.system(f(request.args['a']))"
    ),
    "checked in the function": (
        "def f(c):\n    if c not in ('a', 'b'):\n        return\n    os.system(c)\n"
        "f(request.args['a'])"
    ),
    "chosen by it": (
        "def f(c):\n    if c == 'a':\n        return 'x'\n    return 'y'\n"
        "os.system(f(request.args['a']))"
    ),
    "an enum": (
        "import enum\nclass E(enum.Enum):\n    a = 'a'\ndef f(c: E):\n"
        "    os.system(c.value)\nf(E(request.args['a']))"
    ),
    "made an enum": (
        "import enum\nclass E(str, enum.Enum):\n    a = 'a'\nos.system(E(request.args['a']).value)"
    ),
    "a field that is a number": (
        "from pydantic import BaseModel\nclass Q(BaseModel):\n    n: int\n@app.post('/')\n"
        "def f(q: Q):\n    os.system(f'x {q.n}')"
    ),
    "checked alone": "c = request.args['a']\nvalidate_name(c)\nos.system(c)",
    "another parameter": "def f(a, c):\n    os.system(c)\nf(request.args['a'], 'x')",
    "another call": ("def f(c):\n    return c\nf(request.args['a'])\nos.system(f('x'))"),
    "another instance": (
        "class A:\n    def __init__(self, c):\n        self.c = c\n"
        "a = A(request.args['a'])\nb = A('x')\nos.system(b.c)"
    ),
    "an entry of a table": "T = {'a': 'x'}\nos.system(T[request.args['a']])",
    "the name of a class": "os.system(request.args['a'].__class__.__name__)",
    "nobody calls it": "def f(c):\n    os.system(c)",
}


@pytest.mark.parametrize("code", SHELL.values(), ids=SHELL)
def test_followed(code: str) -> None:
    assert "shell-injection" in found(WEB + code)


@pytest.mark.parametrize("code", CLEAN.values(), ids=CLEAN)
def test_clean(code: str) -> None:
    assert "shell-injection" not in found(WEB + code)


TOOLS = {
    "Tool": "from langchain.agents import Tool\nTool(name='a', func=f, description='a')",
    "a lambda": "from langchain.agents import Tool\nTool(name='a', func=lambda c: f(c))",
    "StructuredTool": (
        "from langchain_core.tools import StructuredTool\nStructuredTool.from_function(func=f)"
    ),
    "FunctionTool": (
        "from llama_index.core.tools import FunctionTool\nFunctionTool.from_defaults(fn=f)"
    ),
    "a list of an agent": "from agents import Agent\nAgent(name='a', tools=[f])",
    "function_tool": "from agents import function_tool\nfunction_tool(f)",
    "LangGraph": "from langgraph.prebuilt import create_react_agent as c\nc('m', tools=[f])",
    "a decorator": (
        "from mcp.server.fastmcp import FastMCP\nm = FastMCP('a')\n@m.tool()\n"
        "def t(c: str):\n    f(c)"
    ),
    "a class": (
        "from langchain_core.tools import BaseTool\nclass T(BaseTool):\n"
        "    def _run(self, c: str):\n        f(c)"
    ),
    "a table": (
        "import json, openai\nT = {'f': f}\n"
        "m = openai.OpenAI().chat.completions.create(model='m').choices[0].message\n"
        "for c in m.tool_calls:\n    T[c.function.name](**json.loads(c.function.arguments))"
    ),
}


@pytest.mark.parametrize("code", TOOLS.values(), ids=TOOLS)
def test_tools(code: str) -> None:
    assert "llm-shell-command" in found(f"import os\ndef f(c):\n    os.system(c)\n{code}\n")


def test_a_tool_that_takes_numbers_or_a_choice() -> None:
    code = (
        "import os\nfrom typing import Literal\nfrom agents import function_tool\n"
        "@function_tool\ndef f(n: int, c: Literal['a', 'b']):\n    os.system(f'{n} {c}')\n"
    )
    assert "llm-shell-command" not in found(code)
    assert "llm-shell-command" in found(code.replace("Literal['a', 'b']", "str"))


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"llm.py": ASK, "box.py": RUN, "a.py": CALLER},
         "box.py:2"),
        ({"p/__init__.py": "", "p/llm.py": ASK, "p/box.py": RUN,
          "p/a.py": "from .llm import ask as a\nfrom . import box\ndef go():\n    box.run(a(1))"},
         "p/box.py:2"),
        ({"src/p/__init__.py": "", "src/p/llm.py": ASK, "src/p/box.py": RUN,
          "src/p/a.py": "from p.llm import ask\nfrom p.box import run as r\nr(ask(1))"},
         "src/p/box.py:2"),
        ({"p/__init__.py": "from .box import run\n", "p/box.py": RUN, "p/llm.py": ASK,
          "a.py": "from p import run\nfrom p.llm import ask\nrun(ask(1))"}, "p/box.py:2"),
        ({"m.py": "from openai import OpenAI\nclient = OpenAI()\n",
          "a.py": "from m import client\nexec(client.responses.create(input=q).output_text)"},
         "a.py:2"),
        ({"m.py": "from openai import OpenAI\ndef get():\n    return OpenAI()\n",
          "a.py": "import m\nc = m.get()\nexec(c.responses.create(input=q).output_text)"},
         "a.py:3"),
        ({"s.py": "class Box:\n    def __init__(self, n):\n        self.n = n\n"
                  "    def go(self, c):\n        exec(c)\n",
          "m.py": "from s import Box\nbox = Box(1)\n", "llm.py": ASK,
          "a.py": "from m import box\nfrom llm import ask\nbox.go(ask(1))"}, "s.py:5"),
        ({"s.py": "class Box:\n    def go(self, c):\n        exec(c)\n", "llm.py": ASK,
          "a.py": "import s\nfrom llm import ask\nclass B(s.Box):\n    def f(self):\n"
                  "        self.go(ask(1))"}, "s.py:3"),
        ({"t.py": "def f(c):\n    exec(c)\nT = {'f': f}\n", "llm.py": ASK,
          "a.py": "from t import T\nfrom llm import ask\nT[k](ask(1))"}, "t.py:2"),
        ({"b.py": "from c import g\ndef f(c):\n    g(c)\n", "c.py": "import b\n" + RUN
          + "def g(c):\n    run(c)\n", "llm.py": ASK,
          "a.py": "from llm import ask\nimport b\nb.f(ask(1))"}, "c.py:3"),
    ],
)  # fmt: skip
def test_files(tmp_path: Path, files: dict[str, str], place: str) -> None:
    findings, _ = inspect(write(tmp_path, files))
    assert ("llm-code-executed", place) in rules(findings)


def test_the_way_is_told_with_file_and_line(tmp_path: Path) -> None:
    files = {
        "llm.py": ASK,
        "box.py": RUN,
        "a.py": "import llm\nfrom box import run\nrun(llm.ask(1))",
    }
    (one,) = [one for one in inspect(write(tmp_path, files))[0] if one.severity == "critical"]
    assert one.message.endswith(
        "Way: the output of a language model, openai.OpenAI().responses.create() (llm.py:4) → "
        "ask() (a.py:3) → run() (a.py:3) → exec (box.py:2)."
    )


def test_a_cleaner_in_another_file(tmp_path: Path) -> None:
    web = WEB + "from c import clean\nos.system(clean(request.args['a']))"
    check = "def clean(s):\n    if not s.isalnum():\n        raise ValueError\n    return s\n"
    findings, _ = inspect(write(tmp_path, {"a.py": web, "c.py": check}))
    assert "shell-injection" not in {one.rule for one in findings}
    findings, _ = inspect(write(tmp_path, {"c.py": "def clean(s):\n    return s\n"}))
    assert "shell-injection" in {one.rule for one in findings}


def test_a_function_of_the_same_name_elsewhere(tmp_path: Path) -> None:
    files = {"llm.py": ASK, "x.py": RUN, "y.py": "def run(c):\n    return len(c)\n",
             "a.py": "from llm import ask\nfrom y import run\nrun(ask(1))"}  # fmt: skip
    findings, _ = inspect(write(tmp_path, files))
    assert "llm-code-executed" not in {one.rule for one in findings}


def test_a_way_that_begins_in_a_test_counts_less(tmp_path: Path) -> None:
    files = {"box.py": RUN, "llm.py": ASK,
             "tests/test_a.py": CALLER}  # fmt: skip
    (one,) = [one for one in inspect(write(tmp_path, files))[0] if one.rule == "llm-code-executed"]
    assert (one.location, one.severity) == ("box.py:2", "medium")


def test_only_what_changed(tmp_path: Path) -> None:
    # The changed file gives something to one that has not: told at the call, the last that changed.
    files = {
        "llm.py": ASK,
        "box.py": RUN,
        "a.py": "import llm\nfrom box import run\nrun(llm.ask(1))",
    }
    write(tmp_path, files)
    chosen = Selection(base=str(tmp_path), only=frozenset({str(tmp_path / "a.py")}))
    findings, inspection = inspect(tmp_path, chosen)
    (one,) = [one for one in findings if one.rule == "llm-code-executed"]
    assert one.location == "a.py:3"
    assert one.message.endswith("→ run() (a.py:3) → exec (box.py).")
    assert inspection.files == 1


def test_a_comment_where_it_is_run(tmp_path: Path) -> None:
    allowed = RUN.replace("exec(code)", "exec(code)  # buttress: allow llm-code-executed sandboxed")
    files = {"llm.py": ASK, "box.py": allowed, "a.py": "import llm, box\nbox.run(llm.ask(1))"}
    findings, inspection = inspect(write(tmp_path, files))
    assert "llm-code-executed" not in {one.rule for one in findings}
    assert any("sandboxed" in note for note in inspection.skipped)


@given(st.integers(1, MAX_STEPS + 3), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_chain_is_followed_to_its_limit(length: int, backwards: bool) -> None:
    links = [f"def f{n}(x):\n    f{n + 1}(x)\n" for n in range(length - 1)]
    links.append(f"def f{length - 1}(x):\n    os.system(x)\n")
    text = WEB + "".join(reversed(links) if backwards else links) + "f0(request.args['a'])\n"
    assert ("shell-injection" in found(text)) is (length <= MAX_STEPS)


def test_what_is_cut_is_noted(tmp_path: Path) -> None:
    text = WEB + "def f(x):\n" + "    os.system(x)\n" * (MAX_SINKS + 5) + "f(request.args['a'])\n"
    chain = "".join(f"def g{n}(x):\n    g{n + 1}(x)\n" for n in range(MAX_STEPS + 2))
    chain += f"def g{MAX_STEPS + 2}(x):\n    os.system(x)\ng0(request.args['a'])\n"
    _, inspection = inspect(write(tmp_path, {"a.py": text, "b.py": WEB + chain}))
    notes = " ".join(inspection.skipped)
    assert f"more than {MAX_SINKS} places" in notes
    assert f"more than {MAX_STEPS} calls" in notes
    assert MAX_FUNCTIONS > 1_000


def test_the_order_of_findings_does_not_depend_on_anything(tmp_path: Path) -> None:
    files = {f"m{n}.py": f"from m{(n + 1) % 6} import f as g\n{ASK}{RUN}def f(x):\n    run(g(x))\n"
             for n in range(6)}  # fmt: skip
    files["z.py"] = "from m0 import f, ask\nf(ask(1))\n"
    write(tmp_path, files)
    first = [(one.rule, one.location, one.message) for one in inspect(tmp_path)[0]]
    assert first == [(one.rule, one.location, one.message) for one in inspect(tmp_path)[0]]
    assert [one[1].partition(":")[0] for one in first] == sorted(
        one[1].partition(":")[0] for one in first
    )


@given(st.binary(max_size=200) | st.lists(
    st.sampled_from([b"from ", b"import ", b".", b"a", b" as ", b",", b"(", b")", b"\n", b"*"]),
    max_size=40).map(b"".join))  # fmt: skip
def test_any_bytes_may_stand_for_imports(data: bytes) -> None:
    for one in imports(data):
        assert one.strip()
        assert "\n" not in one
