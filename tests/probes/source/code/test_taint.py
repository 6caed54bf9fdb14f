"""What comes from a stranger or a model is followed to where it does harm."""

from __future__ import annotations

import pytest

from tests.probes.source.code.examine import found, hits

WEB = "from flask import Flask, request\nimport os, subprocess, html, shlex, re\napp = Flask('a')\n"
FLOWS = {
    "a variable": "x = request.args\ny = x['a'].strip()\neval(y)",
    "an f-string": "eval(f'f({request.args[\"a\"]})')",
    "percent": "eval('f(%s)' % request.args['a'])",
    "format": "eval('f({})'.format(request.args['a']))",
    "a join": "eval(','.join([request.args['a'], 'b']))",
    "a sum": "x = 'f('\nx += request.args['a']\nx = x + ')'\neval(x)",
    "a list": "x = []\nx.append(request.args['a'])\neval(x[0])",
    "a mapping": "x = {}\nx['a'] = request.args['a']\neval(x['b'])",
    "unpacking": "a, b = request.args['a'], 1\neval(a)",
    "a loop": "for x in request.form.values():\n    eval(x)",
    "a comprehension": "eval([x for x in request.json][0])",
    "a branch": "x = '1'\nif y:\n    x = request.args['a']\neval(x)",
    "a branch that does not clean": "x = request.args['a']\nif y:\n    x = '1'\neval(x)",
    "an exception": "x = request.args['a']\ntry:\n    g()\nexcept E:\n    eval(x)",
    "with": "with g(request.files['a']) as f:\n    eval(f.read())",
    "a function": "def g():\n    return request.args['a']\ndef h():\n    eval(g())",
    "a method": (
        "class A:\n    def g(self):\n        return request.args['a']\n"
        "    def h(self):\n        eval(self.g())"
    ),
    "an attribute": (
        "class A:\n    def __init__(self):\n"
        "        self.x = request.args['a']\n    def h(self):\n"
        "        eval(self.x)"
    ),
    "a parameter of a route": "@app.route('/<x>')\ndef g(x):\n    eval(x)",
    "a match": "match request.json:\n    case {'a': x}:\n        eval(x)",
    "a choice": "eval(request.args['a'] if y else '1')",
    "a check that does not end": "x = request.args['a']\nif x not in T:\n    print('odd')\neval(x)",
    "a handler of web sockets": (
        "import websockets\nasync def g(ws):\n    async for m in ws:\n        eval(m)\n"
        "websockets.serve(g, 'a', 1)"
    ),
    "a command of a bot": (
        "from telegram.ext import ContextTypes\n"
        "async def g(u, c: ContextTypes.DEFAULT_TYPE):\n    eval(' '.join(c.args))"
    ),
    "quoting for another use": "eval(shlex.quote(request.args['a']))",
    "only one is clean": "eval(str(int(request.args['a'])) + request.args['b'])",
    "an await": "async def g():\n    x = await h(request.args['a'])\n    eval(x)",
}
CLEAN = {
    "a conversion by werkzeug": "eval(str(request.args.get('a', 1, type=int)))",
    "a number": "eval(f'f({int(request.args[\"a\"])})')",
    "overwritten": "x = request.args['a']\nx = '1'\neval(x)",
    "overwritten on all ways": (
        "x = request.args['a']\nif y:\n    x = '1'\nelse:\n    x = '2'\neval(x)"
    ),
    "checked": "x = request.args['a']\nif x not in T:\n    raise E\neval(x)",
    "checked together": "x = request.args['a']\nif not x or x not in T:\n    return\neval(x)",
    "checked inside": "x = request.args['a']\nif x in T and y:\n    eval(x)",
    "matched": "x = request.args['a']\nif not re.fullmatch('[a-z]+', x):\n    raise E\neval(x)",
    "a length": "eval('f(%d)' % len(request.args['a']))",
    "a number of a route": "@app.route('/<int:x>')\ndef g(x):\n    eval(x)",
    "another name": "x = request.args['a']\neval(y)",
}


@pytest.mark.parametrize("code", FLOWS.values(), ids=FLOWS)
def test_followed(code: str) -> None:
    assert "code-injection" in found(WEB + code)


@pytest.mark.parametrize("code", CLEAN.values(), ids=CLEAN)
def test_clean(code: str) -> None:
    assert "code-injection" not in found(WEB + code)


def test_a_use_is_cleaned_by_its_own_means_only() -> None:
    quoted = WEB + "x = shlex.quote(request.args['a'])\nos.system('ls ' + x)\nopen(x)"
    assert found(quoted) & {"shell-injection", "path-untrusted"} == {"path-untrusted"}


def test_where_it_comes_from_is_told() -> None:
    (hit,) = [hit for hit in hits(WEB + "x = request.args['a']\n\neval(x)") if hit.taint]
    assert hit.taint is not None
    assert (hit.rule.id, hit.line, hit.taint.label, hit.taint.line) == (
        "code-injection",
        6,
        "web",
        4,
    )


@pytest.mark.parametrize(
    "ask",
    [
        (
            "import openai\n"
            "x = openai.OpenAI().chat.completions.create(model='m').choices[0].message.content"
        ),
        (
            "from openai import AsyncOpenAI\nasync def f():\n    global x\n"
            "    x = (await AsyncOpenAI().responses.create(input='a')).output_text"
        ),
        (
            "import anthropic as a\n"
            "x = a.Anthropic(api_key=k).messages.create(model='m').content[0].text"
        ),
        (
            "from transformers import pipeline\n"
            "p = pipeline('text-generation', model=m)\n"
            "x = p('a')[0]['generated_text']"
        ),
        (
            "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T\n"
            "m = M.from_pretrained(p)\nt = T.from_pretrained(p)\n"
            "x = t.decode(m.generate(**i)[0])"
        ),
        "import litellm\nx = litellm.completion(model='m', messages=[]).choices[0].message.content",
        (
            "from langchain_openai import ChatOpenAI\n"
            "from langchain_core.output_parsers import StrOutputParser\n"
            "x = (prompt | ChatOpenAI() | StrOutputParser()).invoke({})"
        ),
        "import ollama\nx = ollama.chat(model='m')['message']['content']",
        "from vllm import LLM\nx = LLM(m).generate(['a'])[0].outputs[0].text",
        (
            "def f(client: 'openai.OpenAI'):\n    pass\nimport openai\n"
            "def g(client: openai.OpenAI):\n    global x\n"
            "    x = client.responses.create(input='a').output_text"
        ),
    ],
)
def test_models(ask: str) -> None:
    assert "llm-code-executed" in found(f"{ask}\ndef last():\n    exec(x)\n")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (
            (
                "import gradio as gr\ndef f(x):\n    return eval(x)\n"
                "gr.Interface(fn=f, inputs='text')"
            ),
            "code-injection",
        ),
        (
            (
                "from fastapi import FastAPI, Depends\napp = FastAPI()\n"
                "@app.post('/')\ndef f(x: str, db=Depends(d)):\n    db.execute(x)"
            ),
            "sql-injection",
        ),
        ("import streamlit as st, requests\nrequests.get(st.text_input('url'))", "url-untrusted"),
        (
            (
                "from aiohttp import web\nimport os\nasync def f(r: web.Request):\n"
                "    os.system((await r.json())['c'])"
            ),
            "shell-injection",
        ),
        (
            (
                "from django.http import HttpResponse\ndef v(request):\n"
                "    return HttpResponse(request.GET['a'])"
            ),
            "web-html",
        ),
        (
            (
                "from mcp.server.fastmcp import FastMCP\nm = FastMCP('a')\n@m.tool()\n"
                "def t(c: str):\n    import os\n    os.system(c)"
            ),
            "llm-shell-command",
        ),
        (
            (
                "import json, os\ndef f(m):\n"
                "    a = json.loads(m.tool_calls[0].function.arguments)\n"
                "    os.system(a['c'])"
            ),
            "llm-shell-command",
        ),
    ],
)
def test_frameworks(code: str, rule: str) -> None:
    assert rule in found(code)


def test_what_a_framework_injects_is_not_from_outside() -> None:
    code = (
        "from fastapi import FastAPI, Depends, Request\nfrom typing import Annotated\n"
        "app = FastAPI()\n"
        "@app.get('/{n}')\ndef f(n: int, s: Annotated[S, Depends(g)], r: Request, d=Depends(h)):\n"
        "    eval(f'{n}')\n    eval(s.x)\n    eval(d.y)\n    eval(r.app.z)\n"
    )
    assert "code-injection" not in found(code)
    assert "code-injection" in found(code.replace("n: int", "n: str"))


STATEMENT = "from sqlalchemy import select, text\nfrom a import T, session\n"
FETCH = "import urllib.request\n"


@pytest.mark.parametrize(
    ("rule", "code", "harms"),
    [
        ("sql-injection", f"{STATEMENT}s = select(T).where(T.id == request.args['a']).limit(1)\n"
         "session.execute(s)", False),
        ("sql-injection", f"{STATEMENT}session.execute(text('select ' + request.args['a']))", True),
        ("url-untrusted", f"{FETCH}r = urllib.request.Request('https://a.net', request.data)\n"
         "urllib.request.urlopen(r)", False),
        ("url-untrusted", f"{FETCH}r = urllib.request.Request(request.args['a'])\n"
         "urllib.request.urlopen(r)", True),
        ("path-untrusted", "import redis\nopen(redis.Redis().get('a'))", False),
        ("path-untrusted", "import socket\nopen(socket.socket().recv(9))", True),
        ("pickle-untrusted", "import redis, pickle\npickle.loads(redis.Redis().get('a'))", True),
        ("path-untrusted", "import tempfile\nf = tempfile.NamedTemporaryFile(delete=False)\n"
         "f.write(request.data)\nopen(f.name)", False),
        ("path-untrusted", "import tempfile\nf = tempfile.NamedTemporaryFile(delete=False)\n"
         "f.write(request.data)\nopen(request.args['a'])", True),
        ("url-untrusted", "import requests\nfrom a import BASE\n"
         "requests.get(f'{BASE}?a={request.args[\"a\"]}')", False),
        ("url-untrusted", "import requests\n"
         "requests.get(f'https://{request.args[\"a\"]}/x')", True),
        ("url-untrusted", "import requests\nfrom a import OK, raise_bad\nu = request.args['u']\n"
         "if u not in OK:\n    raise_bad(u)\nrequests.get(u)", False),
        ("secret-logged", "print(os.environ['A_KEY'][:8])", False),
        ("secret-logged", "print(os.environ['A_KEY'][4:])", True),
    ],
)  # fmt: skip
def test_what_a_value_is_put_into(rule: str, code: str, harms: bool) -> None:
    assert (rule in found(WEB + code)) is harms
