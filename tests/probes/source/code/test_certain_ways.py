"""Calls that are certain do not lessen a finding, however many; a guess among some does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.source.code.examine import inspect

WEB = "from flask import request\n"
N = "request.args['n']"
CERTAIN = {
    "functions": f"def a(x):\n    b(x)\ndef b(x):\n    c(x)\ndef c(x):\n    open(x)\na({N})\n",
    "what is given by name": (
        "def a(x):\n    b(y=x)\ndef b(z=0, *, y):\n    c(1, y)\ndef c(n, x):\n    open(x)\n"
        f"a({N})\n"
    ),
    "a method of an instance": (
        "class A:\n    def m(self, x):\n        self.k(x)\n    def k(self, x):\n        open(x)\n"
        f"def f(x):\n    A().m(x)\nf({N})\n"
    ),
    "a class method": (
        "class A:\n    @classmethod\n    def m(cls, x):\n        B.k(x)\n"
        "class B:\n    @staticmethod\n    def k(x):\n        open(x)\n"
        f"A.m({N})\n"
    ),
    "a constructor": (
        f"class A:\n    def __init__(self, x):\n        f(x)\ndef f(x):\n    open(x)\nA({N})\n"
    ),
    "an instance of one of two classes": (
        "class A:\n    def m(self, x):\n        pass\nclass B:\n    def m(self, x):\n        f(x)\n"
        f"def f(x):\n    open(x)\no = A() if request.args['a'] else B()\no.m({N})\n"
    ),
    "what a function gives back": (
        f"def a():\n    return {N}\ndef b():\n    return a()\ndef c(x):\n    open(x)\nc(b())\n"
    ),
}
GUESSED = {
    "a table": (
        "def a(x):\n    open(x)\ndef b(x):\n    pass\nT = {'a': a, 'b': b}\n"
        f"def f(k, x):\n    T[k](x)\nf(request.args['k'], {N})\n"
    ),
    "options as a whole": (
        "def a(x, y):\n    b(x)\ndef b(x):\n    open(x)\ndata = request.get_json()\na(**data)\n"
    ),
    "an attribute that another method uses": (
        "class A:\n    def __init__(self, x):\n        self.x = x\n"
        "    def m(self):\n        open(self.x)\n"
        f"def f(x):\n    return A(x)\nf({N})\n"
    ),
}


def severities(folder: Path, code: str) -> set[str]:
    (folder / "a.py").write_text(WEB + code)
    return {one.severity for one in inspect(folder)[0] if one.rule == "path-untrusted"}


@pytest.mark.parametrize("kind", CERTAIN)
def test_certain_calls_do_not_lessen(kind: str, tmp_path: Path) -> None:
    assert severities(tmp_path, CERTAIN[kind]) == {"high"}


@pytest.mark.parametrize("kind", GUESSED)
def test_a_guess_on_a_long_way_lessens(kind: str, tmp_path: Path) -> None:
    assert severities(tmp_path, GUESSED[kind]) == {"medium"}


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_the_number_of_certain_calls_does_not_count(calls: int, tmp_path: Path) -> None:
    steps = "".join(f"def f{n}(x):\n    f{n + 1}(x)\n" for n in range(calls))
    code = f"{steps}def f{calls}(x):\n    open(x)\nf0({N})\n"
    assert severities(tmp_path, code) == {"high"}


def test_functions_of_other_files_are_certain(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "b.py").write_text("from lib.c import load\ndef b(x):\n    load(x)\n")
    (tmp_path / "lib" / "c.py").write_text(
        "import torch\ndef load(x):\n    torch.load(x, weights_only=False)\n"
    )
    (tmp_path / "a.py").write_text(
        "from fastapi import FastAPI\nfrom lib.b import b\napp = FastAPI()\n"
        "@app.get('/set')\ndef set_model(path: str):\n    b(path)\n"
    )
    findings, _ = inspect(tmp_path)
    (named,) = [one for one in findings if one.rule == "pickle-named"]
    assert (named.severity, named.location) == ("high", "lib/c.py:3")


# What a statement by itself tests.
IGNORED = {
    "what it says is not used": "def check_it(n):\n    return '..' not in n\n",
    "it only tells": (
        "def check_it(n):\n    if '..' in n:\n        print('odd')\n        return False\n"
    ),
}
HEEDED = {
    "it raises": "def check_it(n):\n    if '..' in n:\n        raise ValueError\n",
    "it raises unless it is known": (
        "def check_it(n):\n    if n not in KNOWN:\n        raise ValueError\n"
    ),
    "it asserts": "def check_it(n):\n    assert lib.fits(n)\n",
    "it leaves the program": (
        "import sys\ndef check_it(n):\n    if '..' in n:\n        sys.exit(1)\n"
    ),
    "it calls what raises": (
        "def no():\n    raise ValueError\ndef check_it(n):\n    if '..' in n:\n        no()\n"
    ),
    "it raises after what is good": (
        "def check_it(n):\n    for one in KNOWN:\n        if n.startswith(one):\n"
        "            return\n    raise ValueError\n"
    ),
    "it is not followed": "from lib import check_it\n",
}


@pytest.mark.parametrize("kind", IGNORED)
def test_a_test_whose_result_is_thrown_away_is_none(kind: str, tmp_path: Path) -> None:
    assert severities(tmp_path, f"{IGNORED[kind]}n = {N}\ncheck_it(n)\nopen(n)\n") == {"high"}


@pytest.mark.parametrize("kind", HEEDED)
def test_a_statement_that_can_raise_is_a_test(kind: str, tmp_path: Path) -> None:
    assert severities(tmp_path, f"{HEEDED[kind]}n = {N}\ncheck_it(n)\nopen(n)\n") <= {"medium"}


@pytest.mark.parametrize(
    ("caller", "severity"), [("examples/use.py", "medium"), ("tests/test_use.py", "info")]
)
def test_an_example_shows_how_a_library_is_used(caller: str, severity: str, tmp_path: Path) -> None:
    (tmp_path / "lib.py").write_text(
        "import subprocess\nimport ollama\ndef ask(q):\n    return ollama.chat(q)['message']\n"
        "def execute(code):\n    subprocess.run(['python', '-c', code])\n"
    )
    (tmp_path / caller).parent.mkdir()
    (tmp_path / caller).write_text(
        "from lib import ask, execute\nimport rules\nanswer = ask(input())\n"
        "if rules.fits(answer):\n    execute(answer)\n"
    )
    findings, _ = inspect(tmp_path)
    (one,) = [one for one in findings if one.rule == "llm-shell-command"]
    assert (one.severity, one.location) == (severity, "lib.py:6")


def test_an_instance_that_another_file_makes_of_one_of_two_classes(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.py").write_text("x = 1\n")  # of no name that can be imported
    (tmp_path / "made.py").write_text(
        "def make(kind):\n    one = kind()\n    if kind:\n        one = Other()\n    return one\n"
        "class Other:\n    def m(self, x):\n        open(x)\n"
    )
    code = f"from made import make\none = make(1)\none.m({N})\none.other.m({N})\n"
    (tmp_path / "a.py").write_text(WEB + code)
    findings, inspection = inspect(tmp_path)
    assert not any("failed" in one for one in inspection.skipped)
    assert {one.location for one in findings if one.rule == "path-untrusted"} == {"made.py:8"}


SERVICE = (
    "import requests\nfrom fastapi import FastAPI, UploadFile\napp = FastAPI()\n"
    "class Engine:\n    def fetch(self, url):\n        return requests.get(url)\n"
)
TYPED = {
    "the result of a function": (
        "def engine(name: str) -> 'Engine':\n    return app.engines[name]\n"
        "@app.post('/a')\ndef a(url: str):\n    engine('x').fetch(url)\n"
    ),
    "a variable": (
        "@app.post('/a')\ndef a(url: str):\n"
        "    one: Engine | None = app.engines['x']\n    one.fetch(url)\n"
    ),
}
NO_TEXTS = {
    "an object": (
        "class Step:\n    def __init__(self, n):\n        self.n = n\n"
        "@app.post('/a')\ndef a(n: str):\n    for one in STEPS:\n        one.execute(Step(n))\n"
    ),
    "an open file": (
        "def read(x):\n    if isinstance(x, str):\n        return open(x)\n    return x\n"
        "@app.post('/a')\ndef a(f: UploadFile):\n    read(f.file)\n"
    ),
}


@pytest.mark.parametrize("kind", TYPED)
def test_annotations_tell_the_class(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SERVICE + TYPED[kind])
    (one,) = [one for one in inspect(tmp_path)[0] if one.rule == "url-untrusted"]
    assert (one.severity, one.location) == ("high", "a.py:6")


@pytest.mark.parametrize("kind", NO_TEXTS)
def test_what_is_no_text_names_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SERVICE + NO_TEXTS[kind])
    rules = {one.rule for one in inspect(tmp_path)[0]}
    assert rules.isdisjoint({"path-untrusted", "sql-injection"})
