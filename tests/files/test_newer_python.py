"""Python that is newer than the interpreter is parsed all the same, each line where it stands."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from buttress.files.newer_python import newer_tree
from buttress.files.python_modules import parse

# Newer Python, and the same in older words.
SAME = {
    "the same quotes": ('x = f"{a["b"]} and {c}"', "x = f\"{a['b']} and {c}\""),
    "single quotes": ("x = f'{'+'.join(s)}.'", "x = f\"{'+'.join(s)}.\""),
    "three quotes": ('x = f"""{a["""k"""]}\n{{b}}"""', 'x = f"""{a[\'k\']}\n{{b}}"""'),
    "in each other": ('x = f"{f"{f"{1 + y}"}"}"', 'x = f\'\'\'{f"""{f"{1 + y}"}"""}\'\'\''),
    "how it is shown": (
        'x = f"{a["k"]!r:>{w["k"]}} {b:%H:%M}"',
        "x = f\"{a['k']!r:>{w['k']}} {b:%H:%M}\"",
    ),
    "comparisons": ('x = f"{x != y["a"]}{x == y["a"]}"', "x = f\"{x != y['a']}{x == y['a']}\""),
    "a raw text": ('x = rf"\\d{a["b"]}\\d"', "x = rf\"\\d{a['b']}\\d\""),
    "a named letter": ('x = f"\\N{BULLET} {a["b"]}"', "x = f\"\\N{BULLET} {a['b']}\""),
    "await": (
        'async def h():\n    return f"{await g(x["a"])}"',
        "async def h():\n    return f\"{await g(x['a'])}\"",
    ),
    "beside others": ("x = f'{a['b']}' f'{c}' 'd'", "x = f\"{a['b']}\" f'{c}' 'd'"),
    "a template": ('t = t"{a} {b["c"]}"', "t = f\"{a} {b['c']}\""),
    "parameters of a function": (
        "def f[T: (int, str) = int, *Ts, **P](x: T) -> T:\n    return x",
        "def f(x: T) -> T:\n    return x",
    ),
    "parameters of a class": ("class A[T](B):\n    pass", "class A(B):\n    pass"),
    "an asynchronous method": (
        "class A[T]:\n    async def g[S](self): pass",
        "class A:\n    async def g(self): pass",
    ),
    "a name for a type": ("type X[T] = list[T]\ntype Y = int", "X = list[T]\nY = int"),
    "type as a name": (
        "type = 3\nprint(type)\ntype Y = int",
        "type = 3\nprint(type)\nY = int",
    ),
    "exceptions": (
        "try:\n    a()\nexcept A, b.C:\n    pass\nexcept (D, E) as e:\n    pass",
        "try:\n    a()\nexcept (A, b.C):\n    pass\nexcept (D, E) as e:\n    pass",
    ),
    "imports when needed": ("lazy import os\nlazy from a import b", "import os\nfrom a import b"),
    "behind a colon": ("if x: type Q = int", "if x: Q = int"),
}
NONE = [
    "print 'old'\n",
    'x = f"{a["b"]"\n',
    'x = f"{a["b"]}\n',
    'x = f"{}{a["b"]}"\n',
    "def f[T(x): pass\n",
    'x = f"}{a["b"]}"\n',
    "type X = \n",
    'x = f"{a["b"] c}"\n',
]


@pytest.mark.parametrize("kind", SAME)
def test_it_is_what_older_words_say(kind: str) -> None:
    newer, older = SAME[kind]
    tree = newer_tree(newer)
    assert tree is not None
    assert ast.dump(tree) == ast.dump(ast.parse(older))


def test_a_backslash_in_a_field() -> None:
    tree = newer_tree('x = f"{"\\n".join(y)}"')
    assert tree is not None
    (field,) = [one for one in ast.walk(tree) if isinstance(one, ast.FormattedValue)]
    assert ast.dump(field.value) == ast.dump(ast.parse('"\\n".join(y)', mode="eval").body)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_python_stays_none(text: str) -> None:
    assert newer_tree(text) is None
    statements, problem = parse(text)
    assert not statements
    assert "by which it is read" in problem


def test_lines_stay_where_they_are() -> None:
    text = (
        "def f[\n    T,\n](x):\n    return x\n"
        'y = f"{\n    a[\n        "k"]  # a comment with } and "\n} {b(\n    "c")}"\n'
        "last(y)\n"
    )
    tree = newer_tree(text)
    assert tree is not None
    lines = text.split("\n")
    found = {
        node.id: node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id in ("last", "a", "b")
    }
    assert {name: lines[line - 1].strip()[:1] for name, line in found.items()} == {
        "last": "l",
        "a": "a",
        "b": "}",
    }


def test_many_fields_stay_one_text() -> None:
    tree = newer_tree('x = f"' + '{a["b"]} ' * 200 + '"\n')
    assert tree is not None
    (text,) = [one for one in ast.walk(tree) if isinstance(one, ast.JoinedStr)]
    assert len([one for one in text.values if isinstance(one, ast.FormattedValue)]) == 200


def test_very_deep_texts_end() -> None:
    inside = 'f"{' * 3_000 + "1" + '}"' * 3_000
    statements, problem = parse(f"x = {inside}\n")
    assert not statements
    assert problem


@given(st.text(alphabet="fr\"'{}[]()\\\n:=!, abtypedefclasxc", max_size=60))
@example("f'{a!=b}'")
def test_any_text_is_answered(text: str) -> None:
    tree = newer_tree(text)
    try:
        older = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    assert tree is not None  # what the interpreter reads is read
    assert [one.lineno for one in tree.body] == [one.lineno for one in older.body]
