"""Who is told of events: each once a channel, signed, and again after a failure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.records import MonitoringEvent
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch.notify import deliver, signed_headers
from buttress.workflows.watch.settings import Email, WatchSettings, Webhook
from buttress.workflows.watch.state import WatchState

SECRET = "a secret that signs"


def event(number: int, severity: Any = "high") -> MonitoringEvent:
    return MonitoringEvent(
        number, "changed", severity, "shop", "page /", "a script\nis new", 1e9 + number
    )


@contextmanager
def hook(statuses: list[int]) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(statuses.pop(0) if statuses else 204)
            self.send_header("location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """A server of SMTP that takes every mail, one connection after the other."""
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[str] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                file.write(b"220 mail\r\n")
                file.flush()
                data: list[str] | None = None
                for raw in file:
                    line = raw.decode().rstrip("\r\n")
                    if data is not None:
                        if line == ".":
                            got.append("\n".join(data))
                            data = None
                            file.write(b"250 kept\r\n")
                        else:
                            data.append(line)
                    elif line.upper() == "DATA":
                        data = []
                        file.write(b"354 go on\r\n")
                    elif line.upper() == "QUIT":
                        file.write(b"221 bye\r\n")
                        file.flush()
                        break
                    else:
                        file.write(b"250 fine\r\n")
                    file.flush()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], got
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EvidenceStore]:
    with EvidenceStore.open(tmp_path / FILE_NAME) as opened:
        yield opened


def test_a_webhook_is_signed_as_the_specification_has_it(
    store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with hook([]) as (url, got):
        settings = WatchSettings(Path("watch.yaml"), webhook=Webhook(url, "HOOK_SECRET"))
        state = WatchState(events=[event(1), event(2, "info")])
        assert deliver(settings, store, state, 0, 1e9) == []
        ((headers, body),) = got
        made = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.new(SECRET.encode(), made, hashlib.sha256).digest())
        assert headers["webhook-signature"] == f"v1,{digest.decode()}"
        assert [one["number"] for one in json.loads(body)["events"]] == [1]
        assert deliver(settings, store, state, 2, 1e9) == []  # nothing twice
        assert deliver(settings, store, WatchState.read(store), 0, 1e9) == []
        assert len(got) == 1


def test_a_secret_in_base64_is_decoded() -> None:
    plain = signed_headers("key", "id", 1.0, b"x")
    coded = signed_headers("whsec_" + base64.b64encode(b"key").decode(), "id", 1.0, b"x")
    assert plain == coded


@pytest.mark.parametrize("status", [500, 302])
def test_what_was_not_delivered_is_told_next_time(
    status: int, store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with hook([status]) as (url, got):
        settings = WatchSettings(Path("watch.yaml"), webhook=Webhook(url, "HOOK_SECRET"))
        state = WatchState(events=[event(1)])
        (problem,) = deliver(settings, store, state, 0, 1e9)
        assert f"status {status}" in problem
        state.events.append(event(2))
        assert deliver(settings, store, state, 0, 1e9) == []
        assert [one["number"] for one in json.loads(got[1][1])["events"]] == [1, 2]


def test_a_missing_secret_and_a_host_that_is_down_are_told(
    store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    webhook = Webhook("http://127.0.0.1:9/hook?key=hidden", "HOOK_SECRET")
    settings = WatchSettings(Path("watch.yaml"), webhook=webhook)
    state = WatchState(events=[event(1)])
    (problem,) = deliver(settings, store, state, 0, 1e9)
    assert "HOOK_SECRET is not set" in problem
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    (problem,) = deliver(settings, store, state, 0, 1e9)
    assert "can't be reached" in problem
    assert "hidden" not in problem


def test_a_mail_tells_the_gravest_and_each_event_in_a_line(store: EvidenceStore) -> None:
    with mail_server() as (port, got):
        email = Email("127.0.0.1", port, "watch@shop.example", ("ann@shop.example",), "none")
        settings = WatchSettings(Path("shop/watch.yaml"), email=email)
        state = WatchState(events=[event(1, "low"), event(2, "critical")])
        assert deliver(settings, store, state, 0, 1e9) == []
        assert deliver(settings, store, state, 0, 1e9) == []
        (mail,) = got
        assert "Subject: [critical] shop: 2 events" in mail
        assert "2. [critical] changed" in mail
        assert "To: ann@shop.example" in mail
        down = replace(settings, email=replace(email, security="starttls"))
        state.events.append(event(3))
        (problem,) = deliver(down, store, state, 0, 1e9)
        assert problem.startswith("email: 127.0.0.1: SMTP")
