"""Whatever a name is called here, it is what it was imported as."""

from __future__ import annotations

import pytest

from tests.probes.source.code.examine import found, hits

LOADS = {
    "an alias": "import pickle as p\np.load(f)",
    "from an import": "from pickle import load as l\nl(f)",
    "an assignment": "import pickle\nread = pickle.load\nread(f)",
    "a module in a name": "import pickle\nm = pickle\nm.load(f)",
    "a walrus": "import pickle\nif (l := pickle.load):\n    l(f)",
    "getattr": "import pickle\ngetattr(pickle, 'load')(f)",
    "import by name": "__import__('pickle').load(f)",
    "importlib": "import importlib\nimportlib.import_module('pickle').load(f)",
    "a star": "from pickle import *\nload(f)",
    "inside a function": "def g():\n    import pickle\n    return pickle.load(f)",
    "the last of a chain": (
        "import pickle\nclass A:\n    def g(self):\n        return [pickle.load(x) for x in y]"
    ),
    "a default": "import pickle\ndef g(x=pickle.load(f)): pass",
    "a decorator's arguments": "import pickle\n@d(pickle.load(f))\ndef g(): pass",
    "a lambda": "import pickle\ng = lambda x: pickle.load(x)",
    "a fallback": (
        "try:\n    import cPickle as p\nexcept ImportError:\n    import pickle as p\np.load(f)"
    ),
    "an f-string": "import pickle\nf'{pickle.load(x)!r:>{y}}'",
    "a match": "import pickle\nmatch x:\n    case [a, *b] if pickle.load(a):\n        pass",
    "an attribute of self": (
        "import pickle\nclass A:\n    def __init__(self):\n"
        "        self.l = pickle.load\n    def g(self):\n        self.l(f)"
    ),
    "async": (
        "import pickle\nasync def g():\n    async with a as b:\n"
        "        async for c in d:\n            await pickle.load(c)"
    ),
}
OTHERS = {
    "another module": "import shop\nshop.load(f)",
    "a relative import": "from .pickle import load\nload(f)",
    "a module of the package": "from . import pickle\npickle.load(f)",
    "a local name": "import pickle\npickle = Reader()\npickle.load(f)",
    "a local function": "def eval(x): return x\nfrom flask import request\neval(request.args['a'])",
    "a parameter": "def g(pickle):\n    pickle.load(f)",
    "a text": "'import pickle; pickle.load(f)'",
}


@pytest.mark.parametrize("code", LOADS.values(), ids=LOADS)
def test_names_that_lead_to_pickle(code: str) -> None:
    assert "pickle-load" in found(code)


@pytest.mark.parametrize("code", OTHERS.values(), ids=OTHERS)
def test_names_that_do_not(code: str) -> None:
    assert found(code) == set()


@pytest.mark.parametrize(
    ("arguments", "matches"),
    [
        ("weights_only=False", True),
        ("None, None, False", False),  # given by name only
        ("None, None, weights_only=False", True),
        ("**{'weights_only': False}", True),
        ("**OPTIONS", True),
        ("weights_only=FLAG", True),
        ("weights_only=0", False),
        ("weights_only=unknown", False),
        ("weights_only=True if x else False", False),
        ("**unknown", False),
    ],
)
def test_arguments(arguments: str, matches: bool) -> None:
    code = (
        f"import torch\nFLAG = False\nOPTIONS = dict(a=1, weights_only=FLAG)\n"
        f"torch.load(f, {arguments})\n"
    )
    assert ("torch-load" in found(code)) is matches


def test_a_default_of_a_parameter_counts_and_a_branch_makes_it_unknown() -> None:
    code = "import torch\ndef g(w=False):\n    {}return torch.load(f, weights_only=w)\n"
    assert "torch-load" in found(code.format(""))
    assert "torch-load" not in found(code.format("if x:\n        w = True\n    "))


def test_lines_and_order() -> None:
    code = "import pickle, marshal\n\nmarshal.loads(\n    pickle.load(f)\n)\n"
    assert [(hit.rule.id, hit.line, hit.end_line) for hit in hits(code)] == [
        ("marshal-load", 3, 5), ("pickle-load", 4, 4),
    ]  # fmt: skip
