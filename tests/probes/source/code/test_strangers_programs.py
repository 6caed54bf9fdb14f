"""Programs, files and calls that a stranger names, in the frameworks that bring it."""

from __future__ import annotations

import pytest

from tests.probes.source.code.examine import found, hits

FLASK = "import os, shlex, subprocess\nfrom flask import request\nq = request.args['q']\n"


@pytest.mark.parametrize(
    "run",
    [
        "subprocess.run(q.split())",
        "subprocess.run(args=q.split())",
        "subprocess.Popen(shlex.split(q))",
        "subprocess.check_output([q, '-v'])",
        "subprocess.call(request.get_json()['command'])",
        "words = q.split()\nsubprocess.run(words)",
        "import asyncio\nasyncio.create_subprocess_exec(*q.split())",
        "os.execlp(q, q)",
        "os.spawnlp(os.P_WAIT, q, q)",
    ],
)
def test_a_program_that_a_stranger_names(run: str) -> None:
    assert [hit.rule.id for hit in hits(FLASK + run)] == ["shell-injection"]


@pytest.mark.parametrize(
    "run",
    [
        "subprocess.run(['ls', *q.split()])",
        "subprocess.run(['ls'] + q.split())",
        "words = ['ls']\nwords += shlex.split(q)\nsubprocess.run(words)",
        "subprocess.run(['python', 'train.py', q])",
        "subprocess.run([{'a': 'ls'}[q], '-v'])",
        "if q not in ('ls', 'df'):\n    raise ValueError\nsubprocess.run([q, '-v'])",
        "os.execlp('ls', 'ls', q)",
    ],
)
def test_a_program_that_is_fixed(run: str) -> None:
    assert found(FLASK + run) == set()


def test_a_program_that_a_model_names() -> None:
    code = """
    import shlex, subprocess
    from mcp.server.fastmcp import FastMCP
    m = FastMCP('a')
    @m.tool()
    def run(command: str) -> str:
        return subprocess.run(shlex.split(command), capture_output=True, text=True).stdout
    """
    assert "llm-shell-command" in found(code)


@pytest.mark.parametrize(
    "call",
    [
        "threading.Thread(target=os.system, args=(q,)).start()",
        "threading.Thread(None, os.system, 'a', (q,)).start()",
        "threading.Timer(3, os.system, [q]).start()",
        "multiprocessing.Process(target=subprocess.run, args=(q,), kwargs={'shell': True}).start()",
        "multiprocessing.get_context('spawn').Process(target=os.system, args=(q,)).start()",
        "ThreadPoolExecutor().submit(os.system, q)",
        "ThreadPoolExecutor().submit(subprocess.run, q, shell=True)",
        "ThreadPoolExecutor().map(os.system, request.args.getlist('q'))",
        "asyncio.get_event_loop().run_in_executor(None, os.system, q)",
        "asyncio.get_running_loop().call_soon(os.system, q)",
        "list(map(os.system, request.args.getlist('q')))",
        "multiprocessing.Pool().apply_async(os.system, (q,))",
        "def run(text):\n    os.system('a ' + text)\n"
        "threading.Thread(target=run, args=(q,)).start()",
    ],
)
def test_what_another_thread_calls(call: str) -> None:
    imports = "import asyncio, multiprocessing, threading\nfrom concurrent.futures import *\n"
    assert "shell-injection" in found(FLASK + imports + call)


@pytest.mark.parametrize(
    "call",
    [
        "threading.Thread(target=print, args=(q,)).start()",
        "threading.Thread(target=os.system, args=('ls',)).start()",
        "pool.submit(q)",
        "pool.map(os.system, ['ls', 'df'])",
    ],
)
def test_what_another_thread_calls_of_ones_own(call: str) -> None:
    assert found(FLASK + "import threading\n" + call) == set()


FILES = "import os\nfrom pathlib import Path\nfrom flask import request\n"


@pytest.mark.parametrize(
    "use",
    [
        "f = request.files['f']\nf.save('/up/' + f.filename)",
        "for f in request.files.getlist('f'):\n    f.save(os.path.join('/up', f.filename))",
        "f = request.files.get('f')\nf.save(dst=Path('/up') / f.filename)",
        "def keep(file):\n    file.save(os.path.join('/up', file.filename))\n"
        "keep(request.files['f'])",
        "(Path('/d') / request.args['p']).read_text()",
        "p = Path('/d') / request.args['p']\nwith p.open() as f:\n    f.read()",
        "Path('/d').joinpath(request.args['p']).read_bytes()",
        "Path('/d', request.args['p']).unlink()",
        "ROOT = Path(__file__).parent\n(ROOT / request.args['p']).rename('a')",
    ],
)
def test_files_that_a_stranger_names(use: str) -> None:
    assert [hit.rule.id for hit in hits(FILES + use)] == ["path-untrusted"]


@pytest.mark.parametrize(
    "use",
    [
        "from werkzeug.utils import secure_filename as s\n"
        "f = request.files['f']\nf.save('/u/' + s(f.filename))",
        "f = request.files['f']\nf.save('/up/new.png')",
        "from urllib.parse import quote_plus as q\n(Path('/d') / q(request.args['p'])).open()",
        "(Path('/d') / Path(request.args['p']).name).read_text()",
        "(Path('/d') / str(int(request.args['p']))).read_text()",
        "p = (Path('/d') / request.args['p']).resolve()\n"
        "if not p.is_relative_to('/d'):\n    raise ValueError\np.read_text()",
        "order = request.get_json()\nrecord.save(order)",
    ],
)
def test_files_that_are_ones_own(use: str) -> None:
    assert found(FILES + use) == set()


FRAMEWORKS = {
    "aiohttp, a table of routes": """
    from aiohttp import web
    routes = web.RouteTableDef()
    @routes.post("/")
    async def handle(request):
        data = await request.json()
        os.system(data["x"])
    """,
    "aiohttp, a router": """
    from aiohttp import web
    async def handle(request):
        os.system(request.match_info["x"] + request.query["y"])
    app = web.Application()
    app.router.add_get("/{x}", handle)
    """,
    "the standard library": """
    from http.server import BaseHTTPRequestHandler
    from urllib.parse import parse_qs, urlparse
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            os.system(parse_qs(urlparse(self.path).query)["c"][0])
    """,
    "headers of the standard library": """
    import http.server
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            os.system(self.headers["X-Command"])
    """,
    "AWS Lambda": """
    import json
    def lambda_handler(event: dict, context):
        os.system(json.loads(event["body"])["x"])
    """,
    "AWS Lambda, by get": """
    def handler(event, _context):
        os.system((event.get("queryStringParameters") or {}).get("x"))
    """,
    "Azure": """
    import azure.functions as func
    def main(req: func.HttpRequest):
        os.system(req.params.get("x"))
    """,
    "Chalice": """
    from chalice import Chalice
    app = Chalice(app_name="a")
    @app.route("/{name}")
    def index(name):
        os.system(app.current_request.json_body["x"])
    """,
    "Bottle": """
    from bottle import post, request
    @post("/x")
    def index():
        os.system(request.forms.get("x"))
    """,
    "Flask, a class": """
    from flask.views import MethodView
    class Index(MethodView):
        def get(self, name):
            os.system(name)
    """,
    "Flask-RESTful": """
    from flask_restful import Resource, reqparse
    parser = reqparse.RequestParser()
    class Index(Resource):
        def post(self):
            os.system(parser.parse_args()["x"])
    """,
    "Falcon": """
    class Index:
        def on_get(self, req, resp):
            os.system(req.get_param("x"))
    """,
    "CherryPy": """
    import cherrypy
    class Index:
        @cherrypy.expose
        def index(self, x):
            os.system(x)
    """,
    "Discord": """
    from discord.ext import commands
    bot = commands.Bot("!")
    @bot.command()
    async def run(ctx, *, command):
        os.system(command)
    """,
    "asyncio": """
    import asyncio
    async def handle(reader, writer):
        os.system((await reader.read(100)).decode())
    asyncio.start_server(handle, "0.0.0.0", 80)
    """,
    "socketserver": """
    import socketserver
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            os.system(self.request.recv(1024).decode())
    """,
    "REST framework": """
    from rest_framework.decorators import api_view
    @api_view(["POST"])
    def index(request):
        os.system(request.data["x"])
    """,
}


@pytest.mark.parametrize("code", FRAMEWORKS.values(), ids=FRAMEWORKS.keys())
def test_requests_of_a_framework(code: str) -> None:
    assert "shell-injection" in found("\n    import os" + code)


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def go(self):\n        os.system('ls ' + self.path)\n",
        "def lambda_handler(event, context):\n    os.system(event['Records'][0]['name'])\n",
        "def handler(signal, event):\n    os.system(event['body'])\n",
    ],
)
def test_what_only_looks_like_a_request(code: str) -> None:
    assert "shell-injection" not in found("import os\n" + code)


@pytest.mark.parametrize(
    ("decorator", "test"),
    [("@commands.is_owner()", "pass"), ("", "if ctx.author.id != 17:\n        return")],
)
def test_a_bot_that_obeys_some(decorator: str, test: str) -> None:
    code = (
        "import os\nfrom discord.ext import commands\nbot = commands.Bot('!')\n@bot.command()\n"
        f"{decorator}\nasync def run(ctx, *, command):\n    {test}\n    os.system(command)\n"
    )
    assert [bool(hit.taint and hit.taint.check) for hit in hits(code)] == [True]


KEYWORDS = "import httpx, os, re, requests, shutil, sqlite3\nfrom flask import *\n"


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        ("requests.get(url=request.args['q'])", "url-untrusted"),
        ("requests.request('GET', request.args['q'])", "url-untrusted"),
        ("requests.Session().request(method='GET', url=request.args['q'])", "url-untrusted"),
        ("httpx.stream('GET', request.args['q'])", "url-untrusted"),
        ("httpx.put(request.args['q'])", "url-untrusted"),
        ("open(file=request.args['q'])", "path-untrusted"),
        ("shutil.rmtree(path=request.args['q'])", "path-untrusted"),
        ("shutil.move('a', request.args['q'])", "path-untrusted"),
        ("send_file(path_or_file=request.args['q'])", "path-untrusted"),
        ("sqlite3.connect('a').execute(sql='select ' + request.args['q'])", "sql-injection"),
        ("render_template_string(source=request.args['q'])", "template-injection"),
        ("Response(response='<b>' + request.args['q'])", "web-html"),
        ("re.search(pattern=request.args['q'], string='a')", "regex-untrusted"),
    ],
)
def test_arguments_by_name_or_in_second_place(call: str, rule: str) -> None:
    assert rule in found(KEYWORDS + call)


@pytest.mark.parametrize(
    "call",
    [
        "requests.request(request.args['method'], 'https://a.shop.net/')",
        "requests.post(url='https://a.shop.net/', json=request.args['q'])",
        "shutil.move('a', 'b', copy_function=request.args['q'])",
    ],
)
def test_other_arguments(call: str) -> None:
    assert found(KEYWORDS + call) == set()


@pytest.mark.parametrize(
    "call",
    [
        "timeit.timeit(q)",
        "cProfile.run(statement=q)",
        "code.InteractiveConsole().push(q)",
        "types.FunctionType(compile(q, 'a', 'exec'), {})()",
        "ctypes.CDLL(q)",
        "from PIL import ImageMath\nImageMath.eval(q, a=1)",
        "importlib.util.spec_from_file_location('a', '/d/' + q)",
    ],
)
def test_more_that_runs_code(call: str) -> None:
    imports = "import cProfile, code, ctypes, importlib.util, timeit, types\n"
    assert "code-injection" in {hit.rule.id for hit in hits(FLASK + imports + call)}


@pytest.mark.parametrize("label", ["request.args['q']", "litellm.completion(model='m').choices[0]"])
def test_values_of_the_names_in_fixed_code(label: str) -> None:
    code = f"import litellm\nfrom flask import request\nx = {label}\n"
    assert found(code + "eval('x + 1', {'x': x})\nexec('print(x)', globals(), {'x': x})") == set()


@pytest.mark.parametrize(
    "call",
    [
        "from fabric import Connection\nConnection('h').run(q)",
        "import invoke\ninvoke.run('ls ' + q)",
        "import sh\nsh.bash('-c', q)",
    ],
)
def test_more_shells(call: str) -> None:
    assert "shell-injection" in found(FLASK + call)


def test_the_address_of_a_request() -> None:
    head = "import os, requests\nfrom flask import *\n"
    assert "template-injection" in found(head + "render_template_string('a' + request.path)")
    assert "shell-injection" in found(head + "os.system('ls ' + request.url)")
    proxy = "requests.get(request.url.replace(request.host_url, 'http://inner.shop.net/'))"
    assert found(head + proxy) == set()
