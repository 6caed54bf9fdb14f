"""High needs a flow that is shown: what something tests, or nobody followed, is medium."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.files.selection import EVERYTHING
from tests.probes.source.code.examine import inspect
from tests.probes.source.code.test_who_decides import severities

WEB = "import hashlib, os, random, string\nfrom pathlib import Path\nfrom flask import request\n"
N = "request.args['n']"
SUPPOSED = {
    "signs are refused": f"n = {N}\nif '..' in n:\n    raise ValueError\nopen('/d/' + n)\n",
    "any of some signs": (
        f"n = {N}\nif any(one in n for one in ('/', '..')):\n    raise ValueError\n"
        "open('/d/' + n)\n"
    ),
    "parts are compared": (
        f"n = {N}\nif any(one == '..' for one in n.split('/')):\n    raise ValueError\n"
        "open('/d/' + n)\n"
    ),
    "the folder is compared": (
        f"def f(root):\n    full = os.path.join(root, {N})\n"
        "    if os.path.commonpath([root, full]) != root:\n        return None\n"
        "    return open(full)\n"
    ),
    "an assertion": f"n = {N}\nassert '/' not in n\nopen('/d/' + n)\n",
    "a function that is not known says yes": (f"n = {N}\nif lib.fits(n):\n    open('/d/' + n)\n"),
    "what a call told is tested later": (
        f"n = {N}\nproblem = lib.problem_of(n)\nif problem:\n    raise ValueError\n"
        "open('/d/' + n)\n"
    ),
    "an id that is looked up": (
        f"n = {N}\nknown = RECORDS.get(n)\nif not known:\n    raise KeyError\nopen('/d/' + n)\n"
    ),
    "a record that is found": f"open(store.find({N}).path)\n",
    "a call that is not followed": f"open(lib.normal({N}))\n",
    "a statement that by its name raises": f"n = {N}\nlib.ensure_plain(n)\nopen('/d/' + n)\n",
    "a helper that raises": (
        "def look(n):\n    if '..' in n:\n        raise ValueError\n"
        f"n = {N}\nlook(n)\nopen('/d/' + n)\n"
    ),
    "a helper of a helper": (
        "def look(n):\n    if '..' in n:\n        raise ValueError\n"
        "def both(n):\n    look(n)\n"
        f"n = {N}\nboth(n=n)\nopen('/d/' + n)\n"
    ),
    "a helper that gives it back": (
        "def fit(n):\n    if '..' in n:\n        return None\n    return '/d/' + n\n"
        f"open(fit({N}))\n"
    ),
    "a tuple that is lost": (
        "def both(x):\n    if x:\n        return 'a', x\n    return 'a', 'b', x\n"
        f"name, *rest = both({N})\nopen(name)\n"
    ),
    "only this machine may ask": (
        f"n = {N}\nhost = request.remote_addr\nif host != '127.0.0.1':\n    raise ValueError\n"
        "open('/d/' + n)\n"
    ),
    "dots are taken out": f"open('/d/' + {N}.replace('..', ''))\n",
    "signs without a slash": (f"import re\nopen('/d/' + re.sub(r'[^\\w.-]+', '_', {N}))\n"),
    "an ending": f"open('/d/a.' + {N}.split('.')[-1])\n",
}
SHOWN = {
    "nothing": f"open('/d/' + {N})\n",
    "whether it is given": f"n = {N}\nif not n:\n    raise ValueError\nopen('/d/' + n)\n",
    "how long it is": f"n = {N}\nif len(n) > 9:\n    raise ValueError\nopen('/d/' + n)\n",
    "whether it exists": (
        f"n = '/d/' + {N}\nif not os.path.exists(n):\n    raise ValueError\nopen(n)\n"
    ),
    "how it ends": f"n = {N}\nif not n.endswith('.txt'):\n    raise ValueError\nopen('/d/' + n)\n",
    "a key": (
        "data = request.get_json()\nif 'n' not in data:\n    raise ValueError\nopen(data['n'])\n"
    ),
    "a test that stops nothing": f"n = {N}\nif '..' in n:\n    print(n)\nopen('/d/' + n)\n",
    "another one is tested": (
        f"n, m = {N}, request.args['m']\nif '..' in m:\n    raise ValueError\nopen('/d/' + n)\n"
    ),
    "another argument is refused": (
        "def look(n, m):\n    if '..' in m:\n        raise ValueError\n"
        f"n = {N}\nlook(n, 'a')\nopen('/d/' + n)\n"
    ),
    "calls that only make a text": f"open(os.path.join('/d', str(Path({N}))))\n",
    "another way without a test": (
        "def g(q):\n    open(q)\n"
        f"n = {N}\nif '..' in n:\n    raise ValueError\ng(n)\ng(request.args['m'])\n"
    ),
}
HARMLESS = {
    "the name of a path": f"open('/d/' + Path({N}).name)\n",
    "its ending": f"open('/d/a' + Path({N}).suffix)\n",
    "of a joined one": f"p = Path('/d') / {N}\nopen('/e/' + p.stem)\n",
    "the last part": f"open('/d/' + {N}.split('/')[-1])\n",
    "a function of that name": (
        f"from app.files import secure_filename\nopen('/d/' + secure_filename({N}))\n"
    ),
    "an extension": f"open('/d/a' + os.path.splitext({N})[1])\n",
    "an extension by name": f"base, end = os.path.splitext({N})\nopen('/d/a' + end)\n",
    "slashes are replaced": f"open('/d/' + {N}.replace('/', '_'))\n",
    "another entry": f"d = {{}}\nd['q'] = {N}\nd['p'] = place()\nopen(d['p'])\n",
    "another entry of what a function returns": (
        f"def pair(x):\n    return {{'p': '/x', 'q': x}}\nopen(pair({N})['p'])\n"
    ),
    "another field": (
        "class S:\n    def __init__(self, root, user):\n        self.root, self.user = root, user\n"
        f"s = S('/d', {N})\nopen(s.root)\n"
    ),
    "another field of a data class": (
        "from dataclasses import dataclass\n@dataclass\nclass R:\n    url: str\n    cache: str\n"
        "def make(u):\n    return R(url=u, cache='/c/' + hashlib.md5(u).hexdigest())\n"
        f"open(make({N}).cache)\n"
    ),
}


@pytest.mark.parametrize("text", SUPPOSED.values(), ids=SUPPOSED)
def test_what_is_tested_or_not_followed_is_medium(text: str) -> None:
    """It stays a finding, and says why it is no graver."""
    ((severity, message),) = severities(WEB + text)
    assert severity == "medium"
    assert "(" in message


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN)
def test_what_nothing_tests_stays_high(text: str) -> None:
    """A test of something else, or one that stops nothing, excuses nothing."""
    assert [one for one, _ in severities(WEB + text)] == ["high"]


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_parts_that_lead_nowhere_else(text: str) -> None:
    """Names without slashes, and what only lies beside a stranger's value."""
    assert severities(WEB + text) == []


def test_fields_and_entries_that_a_stranger_chose_stay_high() -> None:
    """What lies beside them is told apart, and not they."""
    fields = (
        "class S:\n    def __init__(self, root, user):\n        self.root, self.user = root, user\n"
        f"s = S('/d', {N})\nopen(s.user)\n"
    )
    entries = f"def pair(x):\n    return {{'p': '/x', 'q': x}}\nopen(pair({N})['q'])\n"
    for text in (fields, entries):
        assert [one for one, _ in severities(WEB + text)] == ["high"]


KEYS = (
    "from flask import request\nOK = {'a', 'b'}\ndef f(cur):\n"
    "    new = {k: v for k, v in request.get_json().items() if k in OK}\n"
)
COLUMNS = {
    "over the mapping": "    cur.execute('UPDATE x SET ' + ', '.join(f'{k} = ?' for k in new))\n",
    "over its items": (
        "    parts = []\n    for k, v in new.items():\n        parts.append(f'{k} = ?')\n"
        "    cur.execute('UPDATE x SET ' + ', '.join(parts))\n"
    ),
    "sorted": "    cur.execute('UPDATE x SET ' + ', '.join(f'{k} = ?' for k in sorted(new)))\n",
    "joined": "    cur.execute('INSERT INTO x (' + ', '.join(new.keys()) + ')')\n",
}


@pytest.mark.parametrize("text", COLUMNS.values(), ids=COLUMNS)
def test_columns_that_a_comprehension_lets_through(text: str) -> None:
    """Only names from a list of one's own are put into the statement."""
    assert severities(KEYS + text) == []


def test_values_of_such_columns_are_a_strangers() -> None:
    """And so is what is not filtered by its name."""
    for text in ("new['a']", "list(new.values())", "[v for _, v in new.items()][0]"):
        found = severities(f"{KEYS}    cur.execute(f\"SELECT * FROM x WHERE a = '{{{text}}}'\")\n")
        assert [one for one, _ in found] == ["critical"], text
    unfiltered = KEYS.replace("if k in OK", "if v")
    found = severities(unfiltered + COLUMNS["over the mapping"])
    assert [one for one, _ in found] == ["critical"]


def test_one_part_of_a_route_is_medium() -> None:
    """Servers let no slash through in it, but in a path."""
    text = (
        "from flask import Flask\nimport os\napp = Flask('a')\n@app.get('/f/<{}name>')\n"
        "def f(name):\n    return open(os.path.join('/d', name)).read()\n"
    )
    ((severity, message),) = severities(text.format(""))
    assert (severity, "one part of a path" in message) == ("medium", True)
    assert [one for one, _ in severities(text.format("path:"))] == ["high"]


def test_a_helper_in_another_file_is_asked(tmp_path: Path) -> None:
    """What it refuses counts where only a third file is given something by a stranger."""
    (tmp_path / "names.py").write_text(
        "def known(n):\n    if '..' in n:\n        raise ValueError\n"
    )
    (tmp_path / "store.py").write_text(
        "from names import known\n"
        "def drop(n):\n    known(n)\n    open('/d/' + n)\n"
        "def keep(n):\n    open('/e/' + n)\n"
    )
    (tmp_path / "app.py").write_text(
        f"from flask import request\nfrom store import drop, keep\ndrop({N})\nkeep({N})\n"
    )
    findings, _ = inspect(tmp_path, EVERYTHING)
    assert {one.location: one.severity for one in findings if one.severity != "low"} == {
        "store.py:4": "medium",
        "store.py:6": "high",
    }


def test_what_runs_in_a_thread_is_followed() -> None:
    """A function that is handed to a thread refuses what it refuses elsewhere."""
    text = (
        "import asyncio\nfrom flask import request\n"
        "def kept(n):\n    if '..' in n:\n        return None\n    return '/d/' + n\n"
        "def any_of(n):\n    return '/d/' + n\n"
        f"async def f():\n    open(await asyncio.to_thread({{}}, {N}))\n"
    )
    assert [one for one, _ in severities(text.format("kept"))] == ["medium"]
    assert [one for one, _ in severities(text.format("any_of"))] == ["high"]


def test_arguments_of_a_fixed_command_are_no_program() -> None:
    """Names that were downloaded are given to a program of one's own, and are not it."""
    text = (
        "import requests, subprocess, sys\nnames = requests.get('https://a.net').json()\n"
        "subprocess.run([sys.executable, '-m', 'pip', 'download'] + list(names))\n"
    )
    assert [one for one, _ in severities(text)] == ["medium"]


def test_the_host_of_a_socket_is_fixed() -> None:
    """What follows a host and a port chooses neither."""
    text = (
        "import aiohttp\nfrom flask import request\nasync def f(port):\n"
        "    async with aiohttp.ClientSession() as s:\n        await s.ws_connect(f'{}{}')\n"
    )
    below, host = "ws://127.0.0.1:{port}/d/{request.args['p']}", "ws://{request.args['p']}/d"
    assert severities(text.replace("{}{}", below.replace("'", '"'))) == []
    found = severities(text.replace("{}{}", host.replace("'", '"')))
    assert [one for one, _ in found] == ["high"]


def test_one_of_several_keys_is_no_token_that_can_be_guessed() -> None:
    """To take one of a list makes nothing; to draw signs does."""
    picked = (
        "import random\nclass A:\n    def f(self, keys):\n"
        "        self.api_key = random.choice(keys)\n"
    )
    drawn = (
        "import random, string\nclass A:\n    def f(self):\n        signs = string.digits + 'ab'\n"
        "        self.api_key = ''.join(random.choice(signs) for _ in range(9))\n"
    )
    assert severities(picked) == []
    assert [one for one, _ in severities(drawn)] == ["high"]
