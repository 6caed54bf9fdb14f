"""Files that a framework has stored, and answers of services: a stranger chooses neither place."""

from __future__ import annotations

import pytest

from tests.probes.source.code.examine import found

INTERFACE = "import gradio as gr\ndef f(x, y=''):\n    return open({}).read()\n"
ROUTE = (
    "import requests, httpx\nfrom flask import Flask, request\napp = Flask('a')\n"
    "@app.route('/')\ndef f():\n    q = request.args['q']\n"
)


@pytest.mark.parametrize(
    ("opened", "given", "harmful"),
    [
        ("x", "gr.Button().click(f, [gr.Textbox()], None)", True),
        ("x", "gr.Button().click(f, [gr.File()], None)", False),
        ("x", "box = gr.Image(type='filepath')\ngr.Button().click(f, inputs=box)", False),
        ("y", "gr.Button().click(f, [gr.File(), gr.Textbox()], None)", True),
        ("x", "gr.Interface(f, 'file', 'text')", True),
        ("x.name", "gr.Interface(f, 'file', 'text')", False),
        ("x['files'][0]", "gr.ChatInterface(f, multimodal=True)", False),
        ("x.get('files', [])[0]", "gr.ChatInterface(f, multimodal=True)", False),
        ("x['text']", "gr.ChatInterface(f, multimodal=True)", True),
    ],
)
def test_uploads(opened: str, given: str, harmful: bool) -> None:
    rules = found(f"{INTERFACE.format(opened)}{given}\n")
    assert ("path-untrusted" in rules) is harmful


@pytest.mark.parametrize(
    ("code", "harmful"),
    [
        ("requests.get(q)", True),
        ("u = requests.post('https://a.net/jobs', json={'q': q}).json()['id']\n"
         "    requests.get(u)", False),
        ("u = httpx.get('https://a.net', params={'q': q}).json()\n"
         "    httpx.get(f'{u}/x')", False),
        ("u = requests.get('https://a.net').text + q\n    requests.get(q)", True),
    ],
)  # fmt: skip
def test_answers_of_services(code: str, harmful: bool) -> None:
    assert ("url-untrusted" in found(f"{ROUTE}    {code}\n")) is harmful
