"""Products and versions of real servers, named by `buttress survey` and by AI-Infra-Guard.

    PYTHONPATH=. python benchmarks/real_servers.py SERVERS [--peer ENV] [--only NAME,…]

SERVERS is a folder of virtual environments, one a server, by the names of the table ``SERVERS``
below; those that are missing are told. Each server is started alone on the loopback address and
stopped after both have asked it. The true version is that of the installed package. ENV is a
virtual environment with ``aig-infra-scan``; advisories are those of its rules for both, so it is
needed for them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
_BENTO = (
    "import bentoml\n@bentoml.service\nclass Svc:\n    @bentoml.api\n"
    "    def say(self, text: str) -> str:\n        return text\n"
)


@dataclass(frozen=True)
class Server:
    """How to start a server and what is to be said of it.

    ``command`` holds ``{port}`` and ``{dir}``; ``product`` is Buttress's id and ``peer`` the other
    name; ``told`` says whether the server tells its version to anybody.
    """

    name: str
    environment: str
    package: str
    command: Sequence[str]
    product: str
    peer: str
    told: bool = True


SERVERS = (
    Server("jupyterlab open", "jupyter", "jupyter-server", (
        "jupyter-lab", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port", "{port}",
        "--IdentityProvider.token=", "--ServerApp.password=",
    ), "jupyter-server", "jupyter"),
    Server("jupyterlab token", "jupyter", "jupyter-server", (
        "jupyter-lab", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port", "{port}",
        "--IdentityProvider.token=a-secret",
    ), "jupyter-server", "jupyter"),
    Server("notebook 6", "notebook", "notebook", (
        "jupyter-notebook", "--allow-root", "--no-browser", "--ip", "127.0.0.1", "--port",
        "{port}", "--NotebookApp.token=",
    ), "jupyter-notebook", "notebook"),
    Server("marimo", "marimo", "marimo", (
        "marimo", "edit", "--headless", "--no-token", "--host", "127.0.0.1", "-p", "{port}",
        "{dir}",
    ), "marimo", "marimo"),
    Server("tensorboard", "tb", "tensorboard", (
        "tensorboard", "--logdir", "{dir}", "--host", "127.0.0.1", "--port", "{port}",
    ), "tensorboard", "tensorboard"),
    Server("dask", "dask", "distributed", (
        "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address",
        "127.0.0.1:{port}",
    ), "dask", "dask"),
    Server("mcp", "mcp", "mcp", ("python", "-c", _MCP, "{port}"), "mcp-server", "mcp", told=False),
    Server("gradio", "gradio", "gradio", ("python", "-c", _GRADIO, "{port}"), "gradio", "gradio"),
    Server("streamlit", "streamlit", "streamlit", (
        "streamlit", "run", "{dir}/app.py", "--server.headless", "true", "--server.address",
        "127.0.0.1", "--server.port", "{port}",
    ), "streamlit", "streamlit", told=False),
    Server("chroma 0.4", "chroma04", "chromadb", (
        "chroma", "run", "--port", "{port}", "--path", "{dir}",
    ), "chroma", "chroma"),
    Server("mlflow", "mlflow", "mlflow", (
        "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", "{port}",
        "--backend-store-uri", "sqlite:///{dir}/m.db",
    ), "mlflow", "mlflow"),
    Server("bentoml", "bento", "bentoml", (
        "bentoml", "serve", "service:Svc", "--host", "127.0.0.1", "--port", "{port}",
    ), "bentoml", "bentoml"),
)  # fmt: skip


@contextmanager
def running(server: Server, environment: Path, folder: Path) -> Iterator[int]:
    """The port of the server, once it answers.

    Raises:
        TimeoutError: it does not.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "app.py").write_text("import streamlit\nstreamlit.title('shop')\n")
    (folder / "service.py").write_text(_BENTO)
    words = [one.format(port=port, dir=folder) if "{" in one and "def" not in one else one
             for one in server.command]  # fmt: skip
    process = subprocess.Popen(
        [str(environment / "bin" / words[0]), *words[1:]],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "HOME": str(folder), "BENTOML_DO_NOT_TRACK": "1",
             "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    try:
        _wait(process, port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TimeoutError(f"it ended with code {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"no answer in {_READY_S:.0f} s")


def version_of(environment: Path, package: str) -> str:
    """The version of a package in a virtual environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run(
        [str(environment / "bin/python"), "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def by_buttress(port: int, rules: Path | None) -> tuple[dict[str, str], int, int]:
    """Versions by product, and the numbers of affected and of possibly affected findings."""
    done = subprocess.run(
        [sys.executable, "-m", "buttress", "survey", f"http://127.0.0.1:{port}", "--json",
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
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rules = None
    if options.peer:
        rules = next(options.peer.resolve().glob("lib/python*/site-packages/aig_infra_scan/data"))
    named = versions = tell = 0
    wanted = [one for one in options.only.split(",") if one]
    for server in SERVERS:
        environment = options.servers.resolve() / server.environment
        if wanted and server.name not in wanted:
            continue
        if not environment.is_dir():
            print(f"{server.name}: not installed", flush=True)
            continue
        true = version_of(environment, server.package)
        with tempfile.TemporaryDirectory() as folder:
            try:
                with running(server, environment, Path(folder)) as port:
                    ours, affected, possibly = by_buttress(port, rules)
                    peer = by_peer(port, options.peer.resolve()) if options.peer else ({}, 0)
            except TimeoutError as error:
                print(f"{server.name} {true}: not started: {error}", flush=True)
                continue
        named += server.product in ours
        tell += server.told
        versions += server.told and ours.get(server.product) == true
        print(
            f"{server.name} {true}: buttress {ours}, {affected} affected, {possibly} possibly; "
            f"peer {peer[0]}, {peer[1]} advisories", flush=True,
        )  # fmt: skip
    print(f"products named {named}, versions right {versions} of {tell} servers that tell it")


if __name__ == "__main__":
    main()
