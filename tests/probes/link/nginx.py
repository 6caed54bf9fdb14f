"""nginx with many servers, each with a configuration of its own, started for a test run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on, no two the same."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def nginx(folder: Path, servers: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """The ports of ``servers``, name to the inside of a server block; ``@listen`` ends in ssl."""
    if PROGRAM is None:
        pytest.skip("no nginx")
    ports = dict(zip(servers, free_ports(len(servers)), strict=True))
    blocks = "\n".join(
        "server {\n"
        + (f"listen 127.0.0.1:{ports[name]}" + (" ssl" if "ssl_certificate" in inside else ""))
        + f";\n{inside}\n}}"
        for name, inside in servers.items()
    )
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}\n{blocks}\n}}\n"
    )
    process = subprocess.Popen(
        [PROGRAM, "-p", str(folder), "-c", str(file), "-e", f"{folder}/error.log"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(list(ports.values())[-1], process)
        yield ports
    finally:
        process.terminate()
        process.communicate(timeout=10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the port takes connections; fail where the program ended."""
    for _ in range(200):
        if process.poll() is not None:
            errors = process.stderr.read() if process.stderr else b""
            pytest.fail(f"it did not start: {errors.decode()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"port {port} did not open")
