"""A site whose pages differ from view to view, and that tests can change."""

from __future__ import annotations

import random
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Render = Callable[[random.Random], tuple[int, dict[str, str], str]]


@dataclass
class Site:
    """``pages`` by path, each made anew for every view; ``down`` makes it close connections."""

    pages: dict[str, Render] = field(default_factory=dict)
    down: bool = False
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    port: int = 0
    certificate: tuple[Path, Path] | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def page(self, path: str, text: str, **headers: str) -> None:
        """A page that is always the same."""
        given = {
            "content-type": "text/html",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        self.pages[path] = lambda _: (200, given, text)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # an answer in one piece

        def do_GET(self) -> None:
            if site.down:
                self.close_connection = True
                self.connection.close()
                return
            made = site.pages.get(self.path.partition("?")[0])
            status, headers, text = made(site.rng) if made else (404, {}, "no such page")
            body = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                for one in value.split("\n"):
                    self.send_header(name, one)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError, ValueError, OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", site.port), Handler)
    if site.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*site.certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.daemon_threads = True
    server.block_on_close = False
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
