"""``buttress survey``: what it prints and writes, its exit codes, and that it sends no more."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from buttress.cli.main import main
from buttress.documents.schemas import as_object
from tests.cli.command import buttress
from tests.live.servers import Handler, Web, serving

OPEN = {
    "/": "Ollama is running",
    "/api/version": '{"version":"0.5.7"}',
    "/api/tags": '{"models":[]}',
}


@contextmanager
def web(pages: Mapping[str, Any], serve_by: Handler | None = None) -> Iterator[tuple[Web, int]]:
    """A server in a thread of its own; ``serve_by`` answers in the place of the pages."""
    handler = Web(pages)
    ready, stop, port = threading.Event(), threading.Event(), 0

    async def serve() -> None:
        nonlocal port
        async with serving(serve_by or handler) as port:
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield handler, port
    finally:
        stop.set()
        thread.join(10)


def code_of(*arguments: str) -> int:
    """The exit code of a command that runs in this process."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else -1


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, and gives what a process of its own would have said."""

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        code = code_of(*arguments)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return ran


def test_a_survey_from_dry_run_to_its_files(tmp_path: Path) -> None:
    with web(OPEN) as (handler, port):
        target = f"127.0.0.1:{port}"
        listed = buttress("survey", target, "--dry-run", "--json")
        assert (listed.returncode, handler.connections) == (0, 0)
        done = buttress(
            "survey", target, "--json", "--out", str(tmp_path / "out"),
            "--sarif", str(tmp_path / "s.sarif"), "--junit", str(tmp_path / "j.xml"),
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    made = json.loads(done.stdout)
    as_object("survey", made)
    (host,) = made["hosts"]
    assert [(one["product"], one["version"]) for one in host["products"]] == [("ollama", "0.5.7")]
    rules = {one["rule"] for one in made["findings"]}
    assert rules == {"open-model-management", "dns-rebinding", "no-tls"}
    allowed = {(row["method"], row["url"]) for row in map(json.loads, listed.stdout.splitlines())}
    sent = [json.loads(line) for line in (tmp_path / "out/requests.jsonl").read_text().splitlines()]
    assert {(row["method"], row["url"]) for row in sent} <= allowed
    assert [(row["method"], row["path"]) for row in sent] == handler.seen
    assert json.loads((tmp_path / "out/survey.json").read_text()) == made
    verified = buttress("evidence", "verify", str(tmp_path / "out"))
    assert verified.returncode == 0, verified.stderr
    (run,) = json.loads((tmp_path / "s.sarif").read_text())["runs"]
    uris = {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]
    }
    assert uris == {f"http://127.0.0.1:{port}/api/tags", f"http://127.0.0.1:{port}/"}
    assert 'failures="1"' in (tmp_path / "j.xml").read_text()


def test_what_is_known_or_suppressed_does_not_count(tmp_path: Path, run: Run) -> None:
    with web(OPEN) as (_, port):
        target, known = f"http://127.0.0.1:{port}", str(tmp_path / "known.json")
        assert run("survey", target, "--write-baseline", known).returncode == 0
        again = run("survey", target, "--baseline", known)
        assert again.returncode == 0
        assert "3 in the baseline" in again.stdout
        ignore = tmp_path / "ignore.yaml"
        ignore.write_text(
            "version: 1\nsuppressions:\n"
            "  - {rule: open-model-management, path: '**', status: accepted, reason: a lab,\n"
            "     expires: 2099-01-01}\n"
        )
        quiet = run("survey", target, "--ignore-file", str(ignore))
        assert quiet.returncode == 0, quiet.stdout
        assert "1 suppressed" in quiet.stdout


def test_text_tells_the_limits_and_who_was_not_reached(run: Run) -> None:
    with web(OPEN) as (_, port):
        pass
    done = run("survey", f"http://127.0.0.1:{port}")
    assert done.returncode == 3
    assert "not reached" in done.stdout
    assert "Silence is not safety" in done.stdout
    assert "nothing is proved" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["127.0.0.1"], "names no port"),
        (["ftp://x"], "no URL"),
        (["http://münchen.invalid"], "expected the name of the host in ASCII, xn--"),
        (["127.0.0.1:1", "--only", "nothing"], "unknown live probe"),
        (["127.0.0.1:1", "--layer", "nothing"], "unknown layer"),
        (["127.0.0.1:1", "--rules", "/nowhere"], "--rules"),
        (["127.0.0.1:1", "--rules-as-written"], "needs --rules"),
        (["--targets", "/nowhere"], "--targets"),
        (["127.0.0.1:1", "--rate", "x"], "--rate"),
        (["127.0.0.1:1", "--ports", "0"], "--ports"),
        ([], "nothing to ask"),
    ],
)
def test_bad_input_is_told_in_one_line(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert code_of("survey", *arguments) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_the_manifest_names_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    with web(OPEN) as (_, port):
        (tmp_path / "buttress.yaml").write_text(
            "name: shop\nassets:\n"
            f"  - {{id: store, kind: infrastructure, url: 'http://127.0.0.1:{port}'}}\n"
        )
        done = run("survey", "--json")
        assert done.returncode == 1, done.stderr
        made = json.loads(done.stdout)
        assert made["system"]["name"] == "shop"
        assert {one["asset"] for one in made["findings"]} == {"store"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--as", "ann"], "--as"),
        (["--as", "ann=NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is not set"),
        (["--as", "a=KEY", "--as", "a=KEY"], "--as"),
        (["--as", "a=KEY", "--as", "b=KEY", "--as", "c=KEY"], "--as"),
        (["--openapi", "none.yaml"], "none.yaml"),
        (["--budget", "-1"], "--budget"),
        (["--listen", "127.0.0.1"], "--listen: needs --active"),
        (["--active", "--listen", "0.0.0.0"], "names no address"),
        (["--active", "--listen", "192.0.2.1:8000"], "can't listen at 192.0.2.1, port 8000"),
        (["--active", "--listen", "shop.example"], "--listen: expected an address"),
        (["--active", "--listen", "10.0.0.5:99999"], "--listen: expected an address"),
    ],
)
def test_what_the_service_layer_can_not_use_is_told_in_one_line(
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KEY", "secret-of-the-test")
    assert code_of("survey", "127.0.0.1:9", "--layer", "service", *arguments) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.strip().splitlines()) == 1


def test_a_key_is_in_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("KEY", "secret-of-the-test")
    with web({"/": "x", "/v1/models": (401, {}, "{}")}) as (_, port):
        done = run(
            "survey", f"127.0.0.1:{port}", "--layer", "service", "--as", "ann=KEY",
            "--out", str(tmp_path), "--json",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texts = [done.stdout, done.stderr, *(one.read_bytes() for one in tmp_path.iterdir())]
    assert not any(
        "secret-of-the-test" in one if isinstance(one, str) else b"secret-of-the-test" in one
        for one in texts
    )
    assert '"Authorization": "[secret]"' in done.stdout


def test_what_was_not_reached_is_no_green_test(tmp_path: Path, run: Run) -> None:
    with web(OPEN) as (_, port):
        pass
    done = run("survey", f"127.0.0.1:{port}", "--junit", str(tmp_path / "j.xml"))
    assert done.returncode == 3
    text = (tmp_path / "j.xml").read_text()
    assert 'errors="1"' in text
    assert "<error" in text


def test_a_host_that_drips_buys_no_pass(tmp_path: Path, run: Run) -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    with web({}, dripping) as (_, port):
        options = ("--timeout-s", "0.5", "--layer", "infrastructure")
        done = run("survey", f"http://127.0.0.1:{port}", *options)
    assert done.returncode == 3
    assert "not reached" in done.stdout


def test_skipped_fails_where_not_all_was_asked(run: Run) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if not seen:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            await writer.drain()
        seen.append(1)
        writer.close()

    codes = []
    for fail_on in ("high", "high,skipped"):
        seen: list[int] = []
        with web({}, once) as (_, port):
            options = ("--layer", "infrastructure", "--fail-on", fail_on)
            done = run("survey", f"http://127.0.0.1:{port}", *options)
        codes.append(done.returncode)
    assert codes == [0, 3]
    assert "requests were not sent" in done.stderr
