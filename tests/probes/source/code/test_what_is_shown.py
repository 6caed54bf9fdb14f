"""What a rule needs to see besides the call: cookies, a far peer, a secret that is whole."""

from __future__ import annotations

import json
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
SERVES = "from http.server import HTTPServer\nHTTPServer(('0.0.0.0', port), H).serve_forever()\n"
TOOL = (
    "from mcp.server.fastmcp import FastMCP\nm = FastMCP('a')\n@m.tool()\n"
    "def read(path: str) -> str:\n    return open(path).read()\nm.run({})\n"
)
FORM = (
    "import gradio as gr\ndef show(name):\n    return open(name).read()\n"
    "with gr.Blocks() as page:\n    a = gr.Textbox()\n    b = gr.Textbox()\n"
    "    gr.Button('x').click(show, inputs=[a], outputs=[b])\npage.launch({})\n"
)
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
INDEX = (
    "from flask import request\nfrom langchain_community.vectorstores import FAISS\n"
    "x = FAISS.load_local({}, e, allow_dangerous_deserialization=True)\n"
)
SOCKET = "import pickle, socket\ns = socket.socket()\n{}x = pickle.loads({}.recv(9))\n"
TLS = "import requests\ndef get(host, port, base):\n    requests.post({}, verify=False)\n"
UPLOADED = (
    "import asyncio, os, tempfile\nfrom fastapi import FastAPI, UploadFile\napp = FastAPI()\n"
    "@app.post('/u')\nasync def u(files: list[UploadFile]):\n"
    "    async def save(file):\n        name = file.filename\n"
    "        with tempfile.NamedTemporaryFile(suffix=os.path.splitext(name)[1]) as f:\n"
    "            place = f.name\n        return place, name\n"
    "    for place, name in await asyncio.gather(*(save(one) for one in files)):\n"
    "        os.unlink(place)\n"
)
STATE = (
    "import hmac, json, requests\nfrom flask import request\n"
    "def read(state):\n    data = json.loads(state)\n    given = data.pop('signature')\n{}"
    "    return data\n"
    "requests.get(read(request.args['state'])['endpoint'])\n"
)
SIGNED = "    if not hmac.compare_digest(given, expected):\n        raise ValueError('state')\n"
SQL = (
    "from flask import request\nn = request.args['n']\n"
    "app.state.{}.execute('select a from b where c = ' + n)\n"
)
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
        {"a.py": MODEL.replace("True)", "True, revision='main')")}, "trust-remote-code", "medium",
    ),
    "code of whatever is named": ({"a.py": MODEL}, "trust-remote-code", "high"),
    "code of a named repository": (
        {"a.py": MODEL.replace("(n,", "('acme/model',")}, "trust-remote-code", "medium",
    ),
    "code of a named owner": (
        {"a.py": MODEL.replace("(n,", "(f'acme/{n}',")}, "trust-remote-code", "medium",
    ),
    "code of a table": (
        {"a.py": MODEL.replace("(n,", "(MODEL_NAMES[n],")}, "trust-remote-code", "medium",
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
    "a model": ({"a.py": TORCH.format("model_path")}, "torch-load", "high"),
    "a model of a folder": (
        {"a.py": "import os, torch\ndef get(folder):\n"
         "    place = os.path.join(folder, 'model.pth')\n"
         "    return torch.load(place, weights_only=False)\n"},
        "torch-load", "high",
    ),
    "a model that the program names itself": (
        {"a.py": TORCH.format("'pretrained/vocoder.pth'")}, "torch-load", "medium",
    ),
    "a model beside the program": (
        {"a.py": "import os, torch\nhere_dir = os.getcwd()\ndef get():\n"
         "    return torch.load('%s/pretrained/model.pth' % here_dir, weights_only=False)\n"},
        "torch-load", "medium",
    ),
    "a model that the program fetches": (
        {"a.py": f"# https://a.net/m/vocoder.pth\n{TORCH.format(repr('m/vocoder.pth'))}"},
        "torch-load", "high",
    ),
    "any file": ({"a.py": TORCH.format("b")}, "torch-load", "medium"),
    "a server that asks for no certificate": (
        {"a.py": "import ssl\nc = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
         "c.check_hostname = False\nc.verify_mode = ssl.CERT_NONE\n"},
        "tls-context-unverified", "",
    ),
    "a server beside a client that checks nothing": (
        {"a.py": "import ssl\ns = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
         "c = ssl.create_default_context()\nc.check_hostname = False\n"
         "c.verify_mode = ssl.CERT_NONE\n"},
        "tls-context-unverified", "high",
    ),
    "an argument of one's own script": (
        {"a.py": RUNS.format("get", "['python', here + '/info.py', name]")},
        "downloaded-code-executed", "",
    ),
    "a script that is downloaded": (
        {"a.py": RUNS.format("get", "['python', '-u', name]")},
        "downloaded-code-executed", "critical",
    ),
    "code that is downloaded": (
        {"a.py": RUNS.format("get", "['python', '-c', name]")},
        "downloaded-code-executed", "critical",
    ),
    "a part of a path on a host of one's own": (
        {"a.py": f"{FLASK}import httpx\nfrom flask import request\n@app.post('/')\ndef f():\n"
         "    with httpx.Client(base_url=BASE) as c:\n"
         "        return c.get(f\"/jobs/{request.args['id']}\").json()\n"},
        "url-untrusted", "medium",
    ),
    "a class that runs no code of a repository": (
        {"a.py": "from transformers import LlamaForCausalLM\n"
         "m = LlamaForCausalLM.from_pretrained(n, trust_remote_code=True)\n"},
        "trust-remote-code", "",
    ),
    "remote code that a setting asks for": (
        {"a.py": "from transformers import AutoModel\ndef f(extra, n):\n    kw = {}\n"
         "    if extra.get('trust_remote_code'):\n        kw['trust_remote_code'] = True\n"
         "    return AutoModel.from_pretrained(n, **kw)\n"},
        "trust-remote-code", "medium",
    ),
    "a module below a package of one's own": (
        {"a.py": "import importlib\nfrom openai import OpenAI\n"
         "def run(tool):\n    return importlib.import_module(f'tools.{tool.function.name}')\n"
         "r = OpenAI().chat.completions.create(model='a', messages=[])\n"
         "run(r.choices[0].message.tool_calls[0])\n"},
        "call-by-name", "medium",
    ),
    "any module": (
        {"a.py": "import importlib\nfrom openai import OpenAI\n"
         "def run(tool):\n    return importlib.import_module(tool.function.name)\n"
         "r = OpenAI().chat.completions.create(model='a', messages=[])\n"
         "run(r.choices[0].message.tool_calls[0])\n"},
        "call-by-name", "high",
    ),
    "a setting beside a secret": (
        {"a.py": "import logging, os\nfrom a import load\nc = load()\n"
         "c['api_key'] = os.environ['API_KEY']\nlogging.info(f\"{c['size']}\")\n"},
        "secret-logged", "medium",
    ),
    "a secret under its key": (
        {"a.py": "import logging, os\nfrom a import load\nc = load()\n"
         "c['api_key'] = os.environ['API_KEY']\nlogging.info(f\"{c['api_key']}\")\n"},
        "secret-logged", "high",
    ),
    "a tunnel of a demonstration": (
        {"demo_v2.py": "import gradio as gr\ngr.Interface(f, 'text', 'text').launch(share=True)\n"},
        "gradio-share", "medium",
    ),
    "a tunnel": (
        {"app.py": "import gradio as gr\ngr.Interface(f, 'text', 'text').launch(share=True)\n"},
        "gradio-share", "high",
    ),
    "a cell of a notebook": (
        {"a.ipynb": json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
             "source": ["import openai\n", "c = openai.OpenAI()\n",
                        "r = c.chat.completions.create(model='m', messages=[])\n",
                        "exec(r.choices[0].message.content)\n"]}]})},
        "llm-code-executed", "medium",
    ),
    "a service that only sends a key": (
        {"a.py": f"{SERVES}KEY = 'Bearer ' + key\nsent = {{'Authorization': KEY}}\n"},
        "binds-all-addresses", "medium",
    ),
    "a service that asks for a key": (
        {"a.py": f"{SERVES}def do(self):\n    if self.headers.get('Authorization') != KEY:\n"
         "        self.send_error(401)\n"},
        "binds-all-addresses", "",
    ),
    "a path of a tool of its user": (
        {"a.py": TOOL.format("")}, "path-untrusted", "medium",
    ),
    "a path of a tool that others call": (
        {"a.py": TOOL.format("transport='streamable-http'")}, "path-untrusted", "high",
    ),
    "a form that others reach": (
        {"app.py": FORM.format("share=True")}, "path-untrusted", "high",
    ),
    "a form of its user": (
        {"app.py": FORM.format("inbrowser=True")}, "path-untrusted", "medium",
    ),
    "a page of any site": (
        {"a.py": "import requests\ndef f(url):\n    return requests.get(url, verify=False)\n"},
        "tls-verification-off", "medium",
    ),
    "a key that goes to any site": (
        {"a.py": "import requests\ndef f(url, h):\n"
         "    return requests.get(url, headers=h, verify=False)\n"},
        "tls-verification-off", "high",
    ),
    "a page of one site": (
        {"a.py": "import requests\ndef f(i):\n"
         "    return requests.get(f'https://a.shop.net/{i}', verify=False)\n"},
        "tls-verification-off", "high",
    ),
    "a leaderboard": (
        {"acme-leaderboard/a.py": MODEL}, "trust-remote-code", "medium",
    ),
    "a tool's name with an ending": (
        {"a.py": "from openai import OpenAI\nc = OpenAI()\n"
         "r = c.chat.completions.create(model='a', messages=[])\n"
         "name = r.choices[0].message.tool_calls[0].function.name\n"
         "s = open(f'./function/{name}.py').read()\n"},
        "path-untrusted", "medium",
    ),
    "a state of one's own training": (
        {"a.py": "import os, torch\ndef resume(folder):\n"
         "    place = os.path.join(folder, 'checkpoint', 'optimizer.pt')\n"
         "    return torch.load(place, weights_only=False)\n"},
        "torch-load", "medium",
    ),
    "what the same file writes": (
        {"a.py": f"{TORCH.format('model_path')}def put(m, model_path):\n"
         "    torch.save(m, model_path)\n"},
        "torch-load", "medium",
    ),
    "what one's own workers wrote": (
        {"a.py": "import os, torch\ndef get(result):\n"
         "    with result.checkpoint.as_directory() as folder:\n"
         "        place = os.path.join(folder, 'model.pt')\n"
         "        return torch.load(place, weights_only=False)\n"},
        "torch-load", "medium",
    ),
    "a model of a hub": (
        {"a.py": "import torch\nfrom huggingface_hub import hf_hub_download\n"
         "place = hf_hub_download('a/b', 'data.pt', revision='1')\n"
         "x = torch.load(place, weights_only=False)\n"},
        "torch-load", "high",
    ),
    "YAML of one's own": (
        {"a.py": "import yaml\nc = yaml.load(open('a.yaml'), Loader=yaml.Loader)\n"},
        "yaml-load", "medium",
    ),
    "YAML of a stranger": (
        {"a.py": "import yaml\nfrom flask import request\n"
         "c = yaml.load(request.get_data(), Loader=yaml.Loader)\n"},
        "yaml-load", "high",
    ),
    "an index of one's own": (
        {"a.py": INDEX.format("config.index")}, "vector-store-pickle", "medium"
    ),
    "an index of a stranger": (
        {"a.py": INDEX.format("request.args['index']")}, "vector-store-pickle", "high",
    ),
    "a store of one's own": (
        {"a.py": "import pickle, redis\nx = pickle.loads(redis.Redis().get('job'))\n"},
        "pickle-untrusted", "medium",
    ),
    "a peer that is chosen": (
        {"a.py": PEER.replace("REP", "SUB").replace("bind", "connect").format("'tcp://a.net:5'")},
        "pickle-untrusted", "medium",
    ),
    "a service that is asked": (
        {"a.py": "import pickle, requests\nx = pickle.loads(requests.post(URL).content)\n"},
        "pickle-untrusted", "medium",
    ),
    "a connection that is accepted": (
        {"a.py": SOCKET.format("s.bind(('', 5))\nc, _ = s.accept()\n", "c")},
        "pickle-untrusted", "critical",
    ),
    "a connection that is made": (
        {"a.py": SOCKET.format("s.connect(('a.net', 5))\n", "s")}, "pickle-untrusted", "medium",
    ),
    "a socket that only sends": (
        {"a.py": "import zmq\nclass A:\n    def __init__(self, first):\n"
         "        c = zmq.Context()\n        if first:\n"
         "            self.s = c.socket(zmq.PUB)\n            self.s.bind('tcp://*:5')\n"
         "        else:\n            self.s = c.socket(zmq.SUB)\n"
         "            self.s.connect(f'tcp://{HOST}:5')\n"
         "    def get(self):\n        return self.s.recv_pyobj()\n"},
        "recv-pyobj", "medium",
    ),
    "an address in a variable": (
        {"a.py": RECEIVES.format("address = f'tcp://{host}:5'\ns.bind(address)\n")},
        "recv-pyobj", "high",
    ),
    "the other of two sockets": (
        {"a.py": RECEIVES.format("t = zmq.Context().socket(zmq.PULL)\nt.bind('tcp://*:5')\n"
         "s.bind(f'{mode}127.0.0.1:{port}')\n")},
        "recv-pyobj", "medium",
    ),
    "TLS to another machine": (
        {"a.py": TLS.format("f'https://{host}/a'")}, "tls-verification-off", "high",
    ),
    "TLS to this machine": (
        {"a.py": TLS.format("f'https://localhost:{port}/a'")}, "tls-verification-off", "medium",
    ),
    "no TLS at all": ({"a.py": TLS.format("f'http://{host}/a'")}, "tls-verification-off", "medium"),
    "TLS to this machine, as documented": (
        {"a.py": f'"""Talks to the service, e.g. https://localhost:27124."""\n{TLS.format("base")}'},
        "tls-verification-off", "medium",
    ),
    "TLS to this machine in another function": (
        {"a.py": "def a():\n    return 'https://localhost:1'\n" + TLS.format("'https://a.net/b'")},
        "tls-verification-off", "high",
    ),
    "a probe of this machine": (
        {"a.py": "import ssl, urllib.request\ndef wait(port, scheme):\n"
         "    url = f'{scheme}://localhost:{port}/health'\n"
         "    c = ssl.create_default_context()\n    c.check_hostname = False\n"
         "    return urllib.request.urlopen(url, context=c)\n"},
        "tls-context-unverified", "medium",
    ),
    "a temporary file among other values": (
        {"a.py": UPLOADED}, "path-untrusted", "medium",
    ),
    "a state that is signed": ({"a.py": STATE.format(SIGNED)}, "url-untrusted", "medium"),
    "a state that is not signed": ({"a.py": STATE.format("")}, "url-untrusted", "high"),
    "an address that a model answers with": (
        {"a.py": "import litellm, requests\n"
         "a = litellm.completion(model='m', messages=[]).choices[0].message.content\n"
         "x = requests.get(a)\n"},
        "url-untrusted", "medium",
    ),
    "a statement put together elsewhere": (
        {"a.py": "from flask import request\nimport store\n"
         "db.execute(store.query(request.args['n']))\n"},
        "sql-injection", "medium",
    ),
    "a whole statement": (
        {"a.py": "from flask import request\ndb.execute(request.args['q'])\n"},
        "sql-injection", "critical",
    ),
    "a form of one's own": (
        {"a.py": "import gradio as gr\ndef f(name):\n    return open(name).read()\n"
         "gr.Interface(f, 'text', 'text').launch()\n"},
        "path-untrusted", "medium",
    ),
    "a form whose text is run": (
        {"a.py": "import gradio as gr\ndef f(text):\n    return eval(text)\n"
         "gr.Interface(f, 'text', 'text').launch()\n"},
        "code-injection", "critical",
    ),
    "a download by what PyTorch does of itself": (
        {"a.py": "import torch\nfrom urllib.request import urlretrieve\n"
         "urlretrieve('https://a.net/m.pth', 'm.pth')\ns = torch.load('m.pth')\n"},
        "pickle-untrusted", "medium",
    ),
    "a download with all that is in it": (
        {"a.py": "import torch\nfrom urllib.request import urlretrieve\n"
         "urlretrieve('https://a.net/m.pth', 'm.pth')\ns = torch.load('m.pth', "
         "weights_only=False)\n"},
        "pickle-untrusted", "critical",
    ),
    "a pair of sockets": (
        {"a.py": "import pickle, socket\ndef f():\n    a = socket.socket()\n"
         "    return pickle.loads(a.recv(9))\n"},
        "pickle-untrusted", "medium",
    ),
    "a socket that others connect to": (
        {"a.py": "import pickle, socket\ndef f():\n    a = socket.socket()\n    a.bind(('', 80))\n"
         "    a.listen()\n    return pickle.loads(a.recv(9))\n"},
        "pickle-untrusted", "critical",
    ),
    "a stranger's name is told once": (
        {"a.py": "import torch\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\n"
         "def f(weights_path: str):\n    return torch.load(weights_path, weights_only=False)\n"},
        "torch-load", "",
    ),
    "a configuration of one's own": (
        {"a.py": "from .models.configuration_acme import AcmeConfig\n"
         "c = AcmeConfig.from_pretrained(n, trust_remote_code=True)\n"},
        "trust-remote-code", "",
    ),
    "a configuration of whatever is named": (
        {"a.py": "from transformers import AutoConfig\n"
         "c = AutoConfig.from_pretrained(n, trust_remote_code=True)\n"},
        "trust-remote-code", "high",
    ),
    "code that a class above loads": (
        {"a.py": "class A(B):\n    def __init__(self, n, trust_remote_code=True):\n"
         "        super().__init__(n, trust_remote_code=trust_remote_code)\n"},
        "trust-remote-code", "medium",
    ),
    "what is only kept": (
        {"archive/a.py": MODEL}, "trust-remote-code", "medium",
    ),
    "a sample": ({"sample-app/a.py": MODEL}, "trust-remote-code", "low"),
    "a model that is sent": (
        {"a.py": "import torch\nfrom fastapi import FastAPI, UploadFile\napp = FastAPI()\n"
         "@app.post('/')\ndef put(sent: UploadFile):\n"
         "    return torch.load(sent.file, weights_only=False)\n"},
        "pickle-untrusted", "critical",
    ),
    "an installer that its vendor names": (
        {"a.py": "import os\nos.system('curl -LsSf https://astral.sh/uv/install.sh | sh')\n"},
        "piped-to-shell", "medium",
    ),
    "an installer at an unknown address": (
        {"a.py": "import os\nos.system('curl -LsSf https://a.net/install.sh | sh')\n"},
        "piped-to-shell", "high",
    ),
    "an installer at any address": (
        {"a.py": "import os\nos.system(f'curl -LsSf https://{host}/install.sh | sh')\n"},
        "piped-to-shell", "high",
    ),
    "an installer over plain HTTP": (
        {"a.py": "import os\nos.system('curl http://a.net/install.sh | sh')\n"},
        "piped-to-shell", "high",
    ),
    "a key that makes no cookie": (
        {"app.py": f"{CORS}secret_key = read()\n"}, "cors-everybody", "medium",
    ),
    "a cookie of another program": (
        {"gateway/app.py": CORS, "portal/enter.py": COOKIE}, "cors-everybody", "medium",
    ),
    "a cookie of the same package": (
        {"shop/__init__.py": "", "shop/api/__init__.py": "", "shop/api/app.py": CORS,
         "shop/enter.py": COOKIE},
        "cors-everybody", "high",
    ),
    "a copy of somebody's package": (
        {"a/_vendor/b.py": TLS.format("f'https://{host}/a'")}, "tls-verification-off", "medium",
    ),
    "TLS through a socket of this machine": (
        {"a.py": "import aiohttp, ssl\ndef context():\n    c = ssl.create_default_context()\n"
         "    c.check_hostname = False\n    return c\n"
         "def session(p):\n    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(p))\n"},
        "tls-context-unverified", "medium",
    ),
    "an option that a setting turns off": (
        {"a.py": "import requests\ndef get(url, disable_ssl_verify=False):\n    options = {}\n"
         "    if disable_ssl_verify:\n        options['verify'] = False\n"
         "    return requests.post(url, **options)\n"},
        "tls-verification-off", "medium",
    ),
    "a parameter that is off by default": (
        {"a.py": "import requests\ndef get(url, verify_certs=False):\n"
         "    return requests.post(url, verify=verify_certs)\n"},
        "tls-verification-off", "medium",
    ),
    "a constant": (
        {"a.py": "import requests\nVERIFY = False\ndef get(url):\n"
         "    return requests.post(url, verify=VERIFY)\n"},
        "tls-verification-off", "high",
    ),
    "an option that is turned off": (
        {"a.py": "import requests\ndef get(url):\n    options = {}\n"
         "    options['verify'] = False\n    return requests.post(url, **options)\n"},
        "tls-verification-off", "high",
    ),
    "a token of a function's parts": (
        {"a.py": "import flask, random\ndef parts():\n    return [1, random.random()]\n"
         "proof_token = work(parts())\n"},
        "predictable-token", "medium",
    ),
    "the beginning of a secret, if it is long": (
        {"a.py": f"{LOG}key = os.environ['SHOP_API_KEY']\n"
         "log.info('key %s', key[:4] if len(key) > 4 else key)\n"},
        "secret-logged", "",
    ),
    "a shell of another kind": (
        {"a.py": "from bashkit import Bash\nfrom langchain_core.tools import tool\n"
         "@tool\nasync def run(command: str):\n    'Run.'\n"
         "    return await Bash.from_snapshot(b'').execute(command)\n"},
        "llm-sql", "",
    ),
    "a name of a route on one way, made safe on the other": (
        {"a.py": "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n"
         "@app.get('/media/{name}')\ndef get(name, small: bool):\n    if small:\n"
         "        result = os.path.join('small', name)\n    else:\n"
         "        result = os.path.join('media', os.path.basename(name))\n"
         "    return open(result)\n"},
        "path-untrusted", "medium",
    ),
    "an answer by its name": (
        {"a.py": "def handle(self, assistant_reply):\n    return eval(assistant_reply)\n"},
        "llm-code-executed", "critical",
    ),
    "an answer that is tested": (
        {"a.py": "import re\ndef handle(self, assistant_reply):\n"
         "    if not re.fullmatch('[0-9+ ]+', assistant_reply):\n        return None\n"
         "    return eval(assistant_reply)\n"},
        "llm-code-executed", "",
    ),
    "a text by its name": (
        {"a.py": "def handle(reply_format, value):\n    return eval(value)\n"},
        "llm-code-executed", "",
    ),
    "tables of a model in a sandbox": (
        {"a.py": "import pandasai\npandasai.chat(q, f, sandbox=box)\n"},
        "agent-python-tool", "medium",
    ),
    "tables of a model": (
        {"a.py": "import pandasai\npandasai.chat(q, f)\n"}, "agent-python-tool", "high",
    ),
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


def test_what_only_its_name_tells_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(assistant_reply):\n    return eval(assistant_reply)\n")
    (one,) = inspect(tmp_path)[0]
    assert one.message == "eval runs what is called the answer of a model as code."
