"""Credentials that are tried: which are told, where trying ends, and that none is written down."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.cli import main as cli
from buttress.errors import InputError
from buttress.live.credential_file import read_credentials
from buttress.probes.infrastructure.credentials import logins
from buttress.probes.infrastructure.products import products
from buttress.protocols.live import Credential
from tests.probes.link.authority import issue

HEALTH = json.dumps({"database": "ok", "version": "11.2.0"})


class Dashboard(BaseHTTPRequestHandler):
    """A sign-in of the form that Grafana has."""

    accounts: dict[str, str]
    attempts: list[tuple[str, str]]
    most = 1_000
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(200 if self.path == "/api/health" else 404, HEALTH)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/login":
            self.reply(404, "{}")
            return
        given = json.loads(body)
        self.attempts.append((given["user"], given["password"]))
        if len(self.attempts) > self.most:
            self.reply(429, "{}")
        elif self.accepts(given["user"], given["password"]):
            self.reply(200, '{"message":"Logged in"}')
        else:
            self.reply(401, '{"message":"Invalid username or password"}')

    def accepts(self, user: str, password: str) -> bool:
        return self.accounts.get(user) == password

    def reply(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Careless(Dashboard):
    """Lets anybody in."""

    def accepts(self, user: str, password: str) -> bool:
        return True


class Gate(Dashboard):
    """HTTP Basic authentication in front of whatever is there."""

    def do_GET(self) -> None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(value).decode().partition(":")
        if value:
            self.attempts.append((user, password))
        if kind == "Basic" and self.accepts(user, password):
            self.reply(200, "inside")
        else:
            self.reply(401, "", WWW_Authenticate='Basic realm="mlflow"')


@contextmanager
def running(kind: type[Dashboard], **fields: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    attempts: list[tuple[str, str]] = []
    fields = {"accounts": {}, "attempts": attempts, **fields}
    tls = fields.pop("tls", None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (kind,), fields))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", attempts
    finally:
        server.shutdown()
        server.server_close()


def survey(
    capsys: pytest.CaptureFixture[str], target: str, *arguments: str
) -> tuple[int, dict[str, Any]]:
    code = cli.main(["survey", target, "--only", "infrastructure-live", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def rules(document: dict[str, Any]) -> list[str]:
    return [one["rule"] for one in document["findings"]]


def test_what_a_product_starts_with_is_found_and_never_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(Dashboard, accounts={"admin": "admin"}) as (target, attempts):
        code, document = survey(
            capsys, target, "--credentials", "default", "--out", str(tmp_path / "out")
        )
    assert code == 1
    (found,) = document["findings"]
    assert (found["rule"], found["severity"]) == ("default-credentials", "critical")
    assert "user 'admin' with the password that it starts with (/login)" in found["message"]
    assert [one[0] for one in attempts][1:] == ["admin"]
    assert attempts[0][0].startswith("nobody-")  # first of all: is anybody let in?
    secret = attempts[0][1].encode()
    assert all(secret not in one.read_bytes() for one in (tmp_path / "out").iterdir())


def test_a_password_of_the_list_is_found_and_is_in_no_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs"
    file.write_text("# ours\nanna:no\n\ngrafana anna:wi:th colon\nrabbitmq guest:guest\n")
    with running(Dashboard, accounts={"anna": "wi:th colon"}) as (target, attempts):
        code, document = survey(
            capsys, target, "--credentials", str(file), "--out", str(tmp_path / "out")
        )
    assert code == 1
    assert rules(document) == ["known-credentials"]
    assert attempts[1:] == [("anna", "wi:th colon")]  # the pair for this product comes first
    assert "wi:th" not in json.dumps(document)
    assert all(b"wi:th" not in one.read_bytes() for one in (tmp_path / "out").iterdir())


def test_a_changed_password_is_silent_and_the_number_of_attempts_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running(Dashboard, accounts={"admin": "a long one"}) as (target, _):
        code, document = survey(capsys, target, "--credentials", "default")
    assert code == 0
    assert document["findings"] == []
    assert "grafana: 1 refused at /login" in json.dumps(document)


def test_nothing_is_tried_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with running(Dashboard, accounts={"admin": "admin"}) as (target, attempts):
        code, document = survey(capsys, target, "--active")
    assert (code, document["findings"], attempts) == (0, [], [])


def test_a_sign_in_that_refuses_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with running(Careless) as (target, attempts):
        _, document = survey(capsys, target, "--credentials", "default")
    assert rules(document) == ["login-accepts-anything"]
    assert len(attempts) == 1


def test_it_ends_where_the_host_asks_for_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs"
    file.write_text("".join(f"user{number}:x\n" for number in range(9)))
    with running(Dashboard, most=3) as (target, attempts):
        _, document = survey(capsys, target, "--credentials", str(file))
    assert len(attempts) == 4
    assert "grafana: 2 refused at /login, then stopped: too many attempts" in json.dumps(document)


def test_what_is_not_public_goes_only_to_a_host_that_proves_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = issue("shop", names=["127.0.0.1"]).write(tmp_path, "self")  # nobody vouches for it
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)
    file = tmp_path / "pairs"
    file.write_text("anna:hidden-word\n")
    for given_, tried in ((str(file), []), ("default", ["admin"])):
        with running(Dashboard, accounts={"anna": "hidden-word"}, tls=tls) as (target, attempts):
            _, document = survey(capsys, f"https://{target}", "--credentials", given_)
        assert [user for user, _ in attempts[1:]] == tried
        assert ("does not prove its name" in json.dumps(document)) is (not tried)


def test_basic_authentication_whatever_is_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    with running(Gate, accounts={"admin": "password1234"}) as (target, attempts):
        _, document = survey(capsys, target, "--credentials", "default")
    assert rules(document) == ["default-credentials"]
    assert attempts[-1] == ("admin", "password1234")


def test_the_dry_run_shows_the_requests_without_a_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs"
    file.write_text("anna:hidden-word\n")
    arguments = ["survey", "127.0.0.1:9", "--dry-run", "--credentials", str(file)]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert "/login" in out
    assert "{password}" in out
    assert "hidden-word" not in out


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("anna:x\nno colon\n", 2, "is no credential"),
        ("grafana anna smith:x\n", 1, "is no credential"),
        ("grafanna anna:x\n", 1, "unknown product 'grafanna'"),
        ("# nothing\n\n", None, "holds none"),
        ("a:b\n" * 1_001, 1_001, "one credential too many"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, line: int | None, problem: str) -> None:
    file = tmp_path / "pairs"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_credentials(file, {"grafana"})
    assert (caught.value.line, caught.value.problem) == (line, problem)
    assert caught.value.file == str(file)


NAME = st.text(st.characters(exclude_characters=":# \n\r", codec="utf-8", categories=["L", "N"]))
PASSWORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]))


@given(st.lists(st.tuples(NAME, PASSWORD, st.sampled_from(["", "grafana"])), min_size=1))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[str, str, str]]
) -> None:
    file = tmp_path_factory.mktemp("c") / "pairs"
    lines = (f"{product} {user}:{word}\n".lstrip(" ") for user, word, product in given_)
    file.write_text("".join(lines), encoding="utf-8")
    assert list(read_credentials(file, {"grafana"})) == [Credential(*one) for one in given_]


def test_every_login_belongs_to_a_product_and_has_a_place_for_the_password() -> None:
    known = {one.id for one in products()}
    for login in logins():
        request = login.allowed.request
        assert login.product in known
        text = f"{request.body.decode()} {dict(request.headers)}"
        assert any(f"{{{name}}}" in text for name in ("password", "password_form", "basic"))
