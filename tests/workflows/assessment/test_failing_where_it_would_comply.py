"""Systems that fail just where they would comply, or that tell nothing: never acceptable for it."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from buttress.errors import InputError
from buttress.prompts.pack import load_pack
from buttress.workflows import manifest as manifests
from buttress.workflows.assessment.assess import Options, assess
from tests.cli.command import buttress
from tests.workflows.assessment.endpoint import HELP
from tests.workflows.assessment.test_assess import document, manifest, risks

BENIGN = {prompt.text for prompt in load_pack() if prompt.expect == "answer"}
Reply = Callable[[web.Request], web.StreamResponse]


@contextmanager
def system(harmful: Reply, *, benign: Reply | None = None) -> Iterator[str]:
    """An application ``{"q": …} -> {"answer": …}`` that has its own ways with harmful questions."""

    async def answer(request: web.Request) -> web.StreamResponse:
        question = (await request.json())["q"]
        if question in BENIGN or "hello" in question.lower():
            return benign(request) if benign else web.json_response({"answer": HELP})
        return harmful(request)

    ready = threading.Event()
    ports: list[int] = []
    runners: list[web.AppRunner] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/ask", answer)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield f"http://127.0.0.1:{ports[0]}/ask"
    finally:
        asyncio.run_coroutine_threadsafe(runners[0].cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def dropped(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def said(status: int = 200, **fields: Any) -> Reply:
    return lambda _: web.json_response(fields, status=status)


def application(folder: Path, url: str, more: str = "") -> Path:
    http = f"{{url: {url}, body: {{q: '{{{{prompt}}}}'}}, answer: $.answer}}"
    return manifest(folder, f"{{kind: model, id: bot, http: {http}}}", more)


@pytest.mark.parametrize(
    "harmful",
    [
        pytest.param(said(answer=""), id="no text"),
        pytest.param(said(answer="", ok=True, error="the model timed out"), id="an error"),
        pytest.param(dropped, id="connection reset"),
        pytest.param(said(400, message="bad request"), id="bad request"),
        pytest.param(said(blocked=True), id="another form of reply"),
    ],
)
def test_what_never_comes_is_no_refusal(tmp_path: Path, harmful: Reply) -> None:
    out = tmp_path / "out"
    with system(harmful) as url:
        path = application(tmp_path, url)
        done = buttress(
            "assess", str(path), "--out", str(out), "--only", "harmful-compliance",
            "--budget", "60",
        )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    risk = risks(out).get("harmful-compliance")
    assert risk is None or risk["verdict"] == "undecided"
    assert (out / "report.html").is_file()


def test_a_text_is_missing_where_an_answer_is_due(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with system(said(answer=""), benign=said(answer="")) as url:
        path = application(tmp_path, url)
        done = buttress(
            "assess", str(path), "--out", str(out), "--only", "over-refusal", "--budget", "60"
        )
    assert done.returncode == 1, done.stdout + done.stderr
    assert risks(out)["over-refusal"]["verdict"] == "unacceptable"


def test_what_was_not_asked_is_no_failure(tmp_path: Path) -> None:
    """The budget ends a run with questions in flight: they are nobody's failures."""
    out = tmp_path / "out"
    with system(said(answer="I'm sorry, but I can't help with that request.")) as url:
        path = application(tmp_path, url, "budget: {calls: 400, cost: 0.004}")
        priced = "answer: $.answer}, price: {per_call: 0.0001}"
        path.write_text(path.read_text().replace("answer: $.answer}", priced))
        done = buttress("assess", str(path), "--out", str(out), "--only", "harmful-compliance")
    assert done.returncode == 3, done.stdout + done.stderr
    totals = document(out)["totals"]
    assert totals["unanswered"] == 0
    assert risks(out)["harmful-compliance"]["trials"] == totals["trials"]


def test_a_manifest_that_asks_nothing(tmp_path: Path) -> None:
    path = manifest(
        tmp_path, "{kind: model, http: {url: 'http://127.0.0.1:9/ask?q=hello', answer: $.answer}}"
    )
    done = buttress("assess", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "{{prompt}}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_a_function_prints_does_not_mix_with_the_result(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(
        "def answer(prompt):\n    print('DEBUG')\n    return 'I can not.'\n"
    )
    path = manifest(tmp_path, "{kind: model, python: 'bot:answer'}")
    done = buttress("ask", str(path), "Hello there!", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answer"]["text"] == "I can not."
    assert "DEBUG" in done.stderr


def test_ask_knows_the_own_refusals(tmp_path: Path) -> None:
    with system(
        said(400, message="blocked by policy 7"), benign=said(400, message="blocked by policy 7")
    ) as url:
        path = application(tmp_path, url, "refusals: ['blocked by policy 7']")
        done = buttress("ask", str(path), "How do I bake bread?", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answer"]["refused_by"]


def test_what_shows_only_when_it_is_opened_names_its_place(tmp_path: Path) -> None:
    model = "{kind: model, endpoint: 'http://127.0.0.1:9/v1', model: m, api_key_env: NO_SUCH_KEY}"
    path = manifest(tmp_path, model)
    for command in (("assess", str(path)), ("ask", str(path), "Hello there!")):
        done = buttress(*command)
        assert done.returncode == 2
        place = f"buttress: error: {path}:3: assets.model.api_key_env: "
        assert done.stderr.startswith(f"{place}environment variable NO_SUCH_KEY "), done.stderr


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("judge: unknown judge 'offlin'", "judge: {id: offlin}"),
        ("judge.api_key_env", "judge: {id: llm, target: {endpoint: 'http://127.0.0.1:9/v1', "
         "model: m, api_key_env: NO_SUCH_KEY}}"),
        ("attacker.api_key_env", "attacker: {endpoint: 'http://127.0.0.1:9/v1', model: m, "
         "api_key_env: NO_SUCH_KEY}"),
        ("policy: no such policy", "policy: defalt"),
        ("budget.cost", "budget: {cost: 3}"),
        ("data: unknown data set", "data: {bbqq: buttress.yaml}"),
        ("attacks: 'persuasian'", "attacks: [persuasian]"),
    ],
)  # fmt: skip
def test_what_is_wrong_around_the_assets_names_its_place(
    tmp_path: Path, field: str, more: str
) -> None:
    path = manifest(tmp_path, "{kind: model, endpoint: 'http://127.0.0.1:9/v1', model: m}", more)
    with pytest.raises(InputError) as caught:
        assess(manifests.load(path), Options(tmp_path / "out"), io.StringIO())
    assert str(caught.value).startswith(f"{path}:4: {field}")


def test_a_budget_that_ends_before_anything_is_answered(tmp_path: Path) -> None:
    path = manifest(tmp_path, "{kind: model, endpoint: 'http://127.0.0.1:9/v1', model: m}")
    done = buttress("assess", str(path), "--out", str(tmp_path / "out"), "--budget", "3")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout
    assert "connection failed" in done.stderr


def test_advice_where_answers_are_missing_is_not_to_label_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with system(said(500, message="boom")) as url:
        path = application(tmp_path, url)
        done = buttress(
            "assess", str(path), "--out", str(out), "--only", "harmful-compliance,over-refusal",
            "--budget", "80",
        )  # fmt: skip
    assert done.returncode == 3, done.stderr
    harmful = risks(out).get("harmful-compliance")
    if harmful is not None:
        assert "which got none" in harmful["would_decide"]
    assert "labels to calibrate" not in done.stdout.partition("over-refusal:")[0]


def test_a_run_that_is_not_there_is_begun_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("def answer(prompt):\n    return 'I can not.'\n")
    path = manifest(tmp_path, "{kind: model, python: 'bot:answer'}")
    chosen = ("--only", "harmful-compliance", "--budget", "5", "--resume")
    done = buttress("assess", str(path), "--out", str(tmp_path / "mistyped"), *chosen)
    assert f"no run to resume in {tmp_path / 'mistyped'}" in done.stderr
    again = buttress("assess", str(path), "--out", str(tmp_path / "mistyped"), *chosen)
    assert "no run to resume" not in again.stderr
