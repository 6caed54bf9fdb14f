"""Who is told of events: each once a channel, signed, and again after a failure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import pytest

from buttress.evidence.records import MonitoringEvent
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch.history import metrics
from buttress.workflows.watch.notify import deliver, signed_headers
from buttress.workflows.watch.settings import Email, WatchSettings, Webhook
from buttress.workflows.watch.state import WatchState
from tests.probes.link.authority import issue

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


def _talk(file: BinaryIO, got: list[str], tls: bool, greet: bool) -> bool:
    """Take mails until the other side quits; True where it wants TLS from here on."""
    if greet:
        file.write(b"220 mail\r\n")
        file.flush()
    data: list[str] | None = None
    for raw in file:
        line = raw.decode().rstrip("\r\n")
        answer = b"250 fine\r\n"
        if data is not None:
            if line != ".":
                data.append(line)
                continue
            got.append("\n".join(data))
            data = None
        elif line.upper() == "DATA":
            data = []
            answer = b"354 go on\r\n"
        elif line.upper() == "QUIT":
            answer = b"221 bye\r\n"
        elif line.upper().startswith("EHLO") and tls:
            answer = b"250-mail\r\n250 STARTTLS\r\n"
        elif line.upper() == "STARTTLS" and tls:
            answer = b"220 go\r\n"
        file.write(answer)
        file.flush()
        if answer.startswith(b"221"):
            return False
        if answer.startswith(b"220"):
            return True
    return False


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """A server of SMTP that takes every mail, one connection after the other.

    With ``tls`` it offers STARTTLS, or speaks TLS ``at_once``. Mails that come over TLS begin with
    a line that says so.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[str] = []

    def over_tls(connection: socket.socket, *, greet: bool) -> None:
        assert tls is not None
        mails: list[str] = []
        with (
            tls.wrap_socket(connection, server_side=True) as secure,
            secure.makefile("rwb") as file,
        ):
            _talk(cast(BinaryIO, file), mails, tls=False, greet=greet)
        got.extend(f"(over TLS)\n{one}" for one in mails)

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # such as a client that does not trust us
                if at_once:
                    over_tls(connection, greet=True)
                    continue
                with connection.makefile("rwb", buffering=0) as file:
                    wants = _talk(cast(BinaryIO, file), got, tls is not None, greet=True)
                if wants:
                    over_tls(connection, greet=False)

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
    assert "1 event is told next time" in problem
    assert "hidden" not in problem
    state.events += [event(2, "info"), event(3)]
    (problem,) = deliver(settings, store, state, 0, 1e9)
    assert "2 events are told next time" in problem
    assert 'buttress_watch_undelivered_events{channel="webhook"} 2\n' in metrics(settings, state)


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


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_over_tls_to_a_server_that_proves_its_name_alone(
    security: Literal["starttls", "tls"],
    store: EvidenceStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = issue("root", authority=True)
    leaf = issue("mail", by=root, names=["127.0.0.1"])
    chain, key = leaf.write(tmp_path, "mail")
    trusted, _ = root.write(tmp_path, "root")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with mail_server(context, at_once=security == "tls") as (port, got):
        email = Email("127.0.0.1", port, "watch@shop.example", ("ann@shop.example",), security)
        settings = WatchSettings(Path("shop/watch.yaml"), email=email)
        state = WatchState(events=[event(1)])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        (problem,) = deliver(settings, store, state, 0, 1e9)
        assert "its certificate is not trusted" in problem
        assert got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert deliver(settings, store, state, 0, 1e9) == []
    (mail,) = got
    assert mail.startswith("(over TLS)")
    assert "1. [high] changed" in mail
