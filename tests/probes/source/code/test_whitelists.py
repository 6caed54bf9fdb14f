"""A test of the signs of a text: harmless where they are, else no more than a doubt."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probes.source.code.examine import hits

HEAD = """
import ast, re, string
from flask import Flask, abort, request
app = Flask(__name__)
DIGITS = frozenset(string.digits + "+-*/(). ")
NAMES = set(string.ascii_letters) | set("()._")
@app.route("/x")
def x():
    e = request.args["e"]
"""
SURE = [
    "if not set(e) <= DIGITS:\n    raise ValueError",
    "if not DIGITS >= set(e):\n    return ''",
    "if set(e) - DIGITS:\n    return ''",
    "if len(set(e) - DIGITS) > 0:\n    return ''",
    "if set(e).difference(DIGITS):\n    return ''",
    "if any(c not in '0123456789+-' for c in e):\n    return ''",
    "if not all(c in DIGITS for c in e):\n    abort(400)",
    "if not all(c.isdigit() or c in '+-*/' for c in e.replace(' ', '')):\n    return ''",
    "for c in e:\n    if c not in DIGITS:\n        return ''",
    "for c in e:\n    if c in DIGITS:\n        continue\n    raise ValueError",
    "for c in e:\n    if c in DIGITS:\n        pass\n    else:\n        raise ValueError",
    "if not DIGITS.issuperset(e):\n    return ''",
    "if not set(e).issubset(DIGITS):\n    return ''",
    "if e.strip('0123456789+-*/') != '':\n    return ''",
    "if e.translate(str.maketrans('', '', '0123456789+-')):\n    return ''",
    "if re.search(r'[^0-9+*/ .-]', e):\n    abort(400)",
    "if [c for c in e if c not in DIGITS]:\n    return ''",
    "if not e.isdigit():\n    return ''",
]
DOUBTED = [
    "if not set(e) <= NAMES:\n    raise ValueError",
    "if not all(c in UNKNOWN for c in e):\n    return ''",
    "if not all(c.isalpha() or c in '()' for c in e):\n    return ''",
    "bad = set(e) - DIGITS\nif bad:\n    return ''",
    "fine = all(c in DIGITS for c in e)\nif not fine:\n    return ''",
    "fine = True\nfor c in e:\n    if c not in DIGITS:\n        fine = False\n"
    "if not fine:\n    return ''",
    "assert set(e) <= DIGITS",
    "tree = ast.parse(e)\n"
    "for n in ast.walk(tree):\n    if not isinstance(n, ast.Add):\n        abort(400)",
    "if any(isinstance(n, ast.Call) for n in ast.walk(ast.parse(e))):\n    abort(400)",
]
OPEN = [
    "if not e.strip():\n    return ''",
    "if not all(c in DIGITS for c in request.args['other']):\n    return ''",
    "if not set(e) <= DIGITS:\n    print('odd')",
    "for c in e:\n    if c not in DIGITS:\n        continue",
    "for c in e:\n    if c in DIGITS:\n        return ''",
    "if not e.strip('/'):\n    return ''",
]


def told(test: str) -> list[str]:
    """For each finding of code of a stranger's: what lessens it, or nothing."""
    code = HEAD + textwrap.indent(f"{test}\nreturn str(eval(e))\n", "    ")
    return [hit.taint.check for hit in hits(code) if hit.rule.id == "code-injection" and hit.taint]


@pytest.mark.parametrize("test", SURE)
def test_signs_that_make_no_call(test: str) -> None:
    assert told(test) == []


@pytest.mark.parametrize("test", DOUBTED)
def test_signs_that_may_make_a_call(test: str) -> None:
    assert [bool(one) for one in told(test)] == [True]


@pytest.mark.parametrize("test", OPEN)
def test_what_says_nothing_of_the_signs(test: str) -> None:
    assert told(test) == [""]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_only_signs_that_make_no_call_are_safe(signs: str) -> None:
    """Code needs a name and a parenthesis for a call."""
    letters = any(one.isalpha() or one == "_" for one in signs)
    safe = told(f"if not set(e) <= set({signs!r}):\n    return ''") == []
    plain = all(one.isalnum() or one == "_" for one in signs)
    assert safe is (plain or not (letters and "(" in signs))


@pytest.mark.parametrize(
    ("signs", "safe"), [("abc-_", True), ("abc/.", False), ("abc.", False), ("abc ", True)]
)
def test_each_use_has_signs_of_its_own(signs: str, safe: bool) -> None:
    code = f"""
    from flask import request
    n = request.args['n']
    if not set(n) <= set({signs!r}):
        raise ValueError
    open('/data/' + n)
    """
    found = [hit for hit in hits(code) if hit.rule.id == "path-untrusted"]
    assert (not found) is safe
    assert all(hit.taint is not None and hit.taint.check for hit in found)


@pytest.mark.parametrize(
    "decode", ["base64.b64decode(e).decode()", "urllib.parse.unquote(e)", "codecs.decode(e, 'hex')"]
)
def test_signs_of_an_encoding_say_nothing_of_what_it_holds(decode: str) -> None:
    code = (
        HEAD
        + "    import base64, codecs, urllib.parse\n    if set(e) - set('abcdef0123456789%='):\n"
    )
    found = hits(code + f"        return ''\n    os.system(e)\n    return str(eval({decode}))\n")
    assert "code-injection" in {hit.rule.id for hit in found}


def test_names_of_what_is_compiled() -> None:
    """As Python's own documentation of ``co_names`` is used to allow a few functions only."""
    code = HEAD + textwrap.indent(
        "code = compile(e, 'a', 'eval')\nfor name in code.co_names:\n"
        "    if name not in FUNCTIONS:\n        raise NameError(name)\n"
        "return str(eval(code, {}))\n",
        "    ",
    )
    found = [hit for hit in hits(code) if hit.rule.id == "code-injection"]
    assert [bool(hit.switch or (hit.taint and hit.taint.check)) for hit in found] == [True, True]


def test_what_is_compiled_and_run_is_told_where_it_runs() -> None:
    code = HEAD + "    code = compile(e, 'a', 'exec')\n    exec(code)\n"
    told = {hit.it: hit.switch for hit in hits(code) if hit.rule.id == "code-injection"}
    assert set(told) == {"exec", "compile"}
    assert told["compile"]
    assert not told["exec"]


def test_a_helper_that_raises_at_a_sign() -> None:
    code = HEAD.replace(
        "@app",
        "def check(text):\n    for c in text:\n        if c not in UNKNOWN:\n"
        "            raise ValueError\n@app",
    )
    found = hits(code + "    check(e)\n    return str(eval(e))\n")
    assert [bool(hit.taint and hit.taint.check) for hit in found] == [True]
