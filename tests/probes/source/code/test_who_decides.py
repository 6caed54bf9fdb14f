"""High needs somebody from outside: an operator's switch or an administrator's route is medium."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.probes.source.code.examine import inspect


def severities(text: str) -> list[tuple[str, str]]:
    """Severity and message of each finding from medium on in one file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "app.py"
        path.write_text(text, encoding="utf-8")
        findings = [one for one in inspect(path)[0] if one.severity not in ("info", "low")]
    return [(one.severity, one.message) for one in findings]


TLS = "import os, ssl, requests\nfrom flask import request\n"
OFF = "requests.get('https://a.net', verify=False)\n"
SWITCHES = {
    "a parameter": f"def f(verify_ssl=True):\n    if not verify_ssl:\n        {OFF}",
    "an early return": f"def f(verify=True):\n    if verify:\n        return\n    {OFF}",
    "an else": f"def f(s):\n    if s.ssl_verify:\n        return 1\n    else:\n        {OFF}",
    "the environment": f"if os.getenv('SSL_VERIFY', '1') == '0':\n    {OFF}",
    "a key of the settings": f"def f(config):\n    if config.get('insecure'):\n        {OFF}",
    "a function that is asked": f"if allow_insecure_hosts():\n    {OFF}",
    "a class that is named so": (
        "class SSLIgnoreAdapter:\n    def f(self):\n"
        "        c = ssl.create_default_context()\n        c.check_hostname = False\n"
    ),
}
NO_SWITCHES = {
    "none": OFF,
    "after the test": f"def f(verify):\n    if verify:\n        print(1)\n    {OFF}",
    "a request decides": f"if request.args['verify'] == 'no':\n    {OFF}",
    "whether something exists": (
        "if hasattr(ssl, '_create_unverified_context'):\n"
        "    ssl._create_default_https_context = ssl._create_unverified_context\n"
    ),
    "another test": f"def f(self):\n    if self.retries > 3:\n        {OFF}",
    "whether it is given": f"def f(verify=None):\n    if verify is None:\n        {OFF}",
    "a function that verifies": f"def verify_connection():\n    {OFF}",
}


@pytest.mark.parametrize("text", SWITCHES.values(), ids=SWITCHES)
def test_a_switch_of_the_operator_is_medium_and_told(text: str) -> None:
    """Whoever runs the program decides, and the message names the switch."""
    ((severity, message),) = severities(TLS + text)
    assert severity == "medium"
    assert "whoever runs the program decides" in message or "who uses it is not" in message


@pytest.mark.parametrize("text", NO_SWITCHES.values(), ids=NO_SWITCHES)
def test_what_is_no_switch_stays_high(text: str) -> None:
    """Tests of other things excuse nothing, and a request that decides least of all."""
    assert [one for one, _ in severities(TLS + text)] == ["high"]


def test_remote_code_by_a_switch() -> None:
    """The flag of the command line is the operator's."""
    text = "from transformers import AutoModel\ndef f(args):\n    if args.{}:\n        "
    call = "AutoModel.from_pretrained(args.model, trust_remote_code=True)\n"
    assert [one for one, _ in severities(text.format("trust_remote_code") + call)] == ["medium"]
    assert [one for one, _ in severities(text.format("fast") + call)] == ["high"]


API = (
    "from fastapi import APIRouter, Depends, Security\nimport os\nr = APIRouter()\n"
    "a = APIRouter(dependencies=[Depends(require_admin)])\n"
)
ADMINISTRATORS = {
    "a parameter": "@r.get('/x')\ndef f(p: str, u=Depends(get_admin_user)):\n    open(p)\n",
    "an option": (
        "@r.get('/x', dependencies=[Depends(require_admin)])\ndef f(p: str):\n    open(p)\n"
    ),
    "the router": "@a.get('/x')\ndef f(p: str):\n    open(p)\n",
    "a scope": (
        "def f(p: str):\n    open(p)\n"
        "r.add_api_route('/x', f, dependencies=[Security(auth, scopes=['admin'])])\n"
    ),
    "a decorator": "@r.get('/x')\n@admin_required\ndef f(p: str):\n    open(p)\n",
    "on a way": (
        "def g(q):\n    open(q)\n"
        "@r.get('/x')\ndef f(p: str, u=Depends(get_admin_user)):\n    g(p)\n"
    ),
}
ANYBODY = {
    "a name of the others": (
        "@r.get('/x')\ndef f(p: str, u=Depends(allow_non_admin)):\n    open(p)\n"
    ),
    "no administrator": "@r.get('/x')\n@not_admin\ndef f(p: str):\n    open(p)\n",
    "the path says nothing": "@r.get('/admin/x')\ndef f(p: str):\n    open(p)\n",
    "a user": "@r.get('/x')\ndef f(p: str, u=Depends(get_user)):\n    open(p)\n",
    "another way without": (
        "def g(q):\n    open(q)\n"
        "@r.get('/x')\ndef f(p: str, u=Depends(get_admin_user)):\n    g(p)\n"
        "@r.get('/y')\ndef h(p: str):\n    g(p)\n"
    ),
}


@pytest.mark.parametrize("text", ADMINISTRATORS.values(), ids=ADMINISTRATORS)
def test_what_only_administrators_give_is_medium(text: str) -> None:
    """The message names what lets only them in."""
    ((severity, message),) = severities(API + text)
    assert severity == "medium"
    assert "only administrators reach it" in message


@pytest.mark.parametrize("text", ANYBODY.values(), ids=ANYBODY)
def test_what_anybody_may_give_stays_high(text: str) -> None:
    """A name of a route is no check, and one way without a check is enough."""
    assert [one for one, _ in severities(API + text)] == ["high"]


def test_gradio_offers_choices() -> None:
    """Components with choices refuse other values; with custom values they do not."""
    text = (
        "import gradio as gr\ndef f(n):\n    eval(n)\nwith gr.Blocks():\n"
        "    d = gr.Dropdown(choices=['a']{})\n    d.change(f, inputs=d)\n"
    )
    assert [one for one, _ in severities(text.format(""))] == ["medium"]
    assert [one for one, _ in severities(text.format(", allow_custom_value=True"))] == ["critical"]


def test_what_is_kept_under_a_key() -> None:
    """Who names a key does not choose the record; who fills the default does."""
    web = "from flask import request\nCHATS = load()\n"
    kept = "c = CHATS.get(request.args['id'])\nopen(c.folder)\n"
    default = "c = CHATS.get('a', request.args['id'])\nopen(c)\n"
    assert severities(web + kept) == []
    assert [one for one, _ in severities(web + default)] == ["high"]


def test_a_check_of_a_joined_path() -> None:
    """A path that is put together inside the check is checked."""
    text = (
        "from flask import Flask\nfrom pathlib import Path\nimport os\napp = Flask('a')\n"
        "R = Path('/d')\n@app.get('/<path:p>')\ndef f(p):\n    {}\n    return open(R / p).read()\n"
    )
    alone = (
        "try:\n        (R / p).resolve().relative_to(R)\n    except ValueError:\n        return ''"
    )
    joined = "if not os.path.abspath(os.path.join(R, p)).startswith('/d/'):\n        return ''"
    assert severities(text.format(alone)) == severities(text.format(joined)) == []
    assert [one for one, _ in severities(text.format("print(R / p)"))] == ["high"]


def test_statements_made_of_objects() -> None:
    """What a table's methods build carries values as parameters, wherever the table is made."""
    text = (
        "from flask import request\nfrom app.models import users\n"
        "def f(db):\n    s = users.update().where(users.c.id == 1)\n"
        "    s = s.values(**request.json)\n    db.execute(s)\n"
    )
    assert severities(text) == []


def test_the_number_of_an_item_is_no_name() -> None:
    """Of ``enumerate`` the first is a number, the second what a stranger sends."""
    text = (
        "from flask import request\ndef f():\n"
        "    for i, one in enumerate(request.json):\n        open('/d/' + str({}))\n"
    )
    assert severities(text.format("i")) == []
    assert [one for one, _ in severities(text.format("one"))] == ["high"]


def test_options_come_to_the_parameter_of_their_name() -> None:
    """What a function hands on by ``**options`` reaches only the parameter that is called so."""
    text = (
        "from flask import request\ndef inner(name, path='x'):\n    open(path)\n"
        "def outer(**options):\n    inner(**options)\n"
        "def view():\n    outer({}=request.args['p'])\n"
    )
    assert severities(text.format("name")) == []
    assert [one for one, _ in severities(text.format("path"))] == ["medium"]
    assert [one for one, _ in severities(text.format("**{'path': request.args['q']}, x"))] == [
        "medium"
    ]


def test_a_program_that_is_looked_for_is_plain() -> None:
    """What is fixed but where it lies runs none of its arguments; a shell does."""
    text = (
        "import shutil, subprocess\nfrom mcp.server.fastmcp import FastMCP\nm = FastMCP('a')\n"
        "@m.tool()\ndef f(name: str):\n    subprocess.run([shutil.which('{}'), '{}', name])\n"
    )
    assert severities(text.format("dot", "-n")) == []
    assert [one for one, _ in severities(text.format("bash", "-c"))] == ["critical"]


def test_options_that_a_setting_switches_off() -> None:
    text = (
        "import boto3\ndef get(verify_ssl):\n    options = {{'service_name': 's3'}}\n"
        "    if {}:\n        options['verify'] = False\n    return boto3.client(**options)\n"
    )
    ((severity, message),) = severities(text.format("not verify_ssl"))
    assert severity == "medium"
    assert "only where not verify_ssl holds" in message
    assert [one for one, _ in severities(text.format("found"))] == ["high"]


def test_a_permission_to_manage_is_one_of_administrators() -> None:
    text = (
        "import httpx\nfrom fastapi import Depends, FastAPI\napp = FastAPI()\n"
        "@app.post('/models')\ndef models(base: str, _=Depends(require_permission({}))):\n"
        "    return httpx.get(base)\n"
    )
    assert [one for one, _ in severities(text.format("Permission.MANAGE_LLMS"))] == ["medium"]
    assert [one for one, _ in severities(text.format("Permission.READ"))] == ["high"]
