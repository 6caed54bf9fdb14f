"""Rounds of a watch: what is told of a site that changes, and what is kept."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch.accept import accept
from buttress.workflows.watch.history import history_document, metrics, read_state
from buttress.workflows.watch.round import RoundResult, check_once
from buttress.workflows.watch.settings import WatchSettings, load
from tests.documents.test_typed_documents import check_typed
from tests.watch.site import Site, serving

PAGE = (
    "<title>Shop</title><script src='/app.js'></script>"
    "<form action='/chat' method='post'><input name='q'></form>"
)
OPENAPI = {
    "openapi": "3.1.0", "info": {"title": "Shop", "version": "1"},
    "paths": {"/chat": {"post": {"security": [{"key": []}], "responses": {"200": {}}}}},
}  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.page("/", PAGE, content_security_policy="default-src 'self'")
    made.page("/app.js", "fetch('/api/chat')", content_type="text/javascript")
    made.page("/openapi.json", json.dumps(OPENAPI), content_type="application/json")
    with serving(made):
        yield made


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> WatchSettings:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "main.js").write_text("fetch('https://api.shop.example/v1')")
    (tmp_path / "watch.yaml").write_text(
        f"every: 1h\nlayers: [link]\ntargets: [{{url: '{site.url}', pages: [/, /admin]}}]\n"
        "builds: [build]\n"
    )
    return load(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def check(settings: WatchSettings, clock: Clock) -> RoundResult:
    clock.now += 3600
    return check_once(settings, settings.file.parent / "out", clock=clock)


def said(result: RoundResult) -> list[tuple[str, str]]:
    return [(one.kind, one.message) for one in result.events]


def test_the_first_check_is_the_reference_and_tells_nothing(
    settings: WatchSettings, clock: Clock, site: Site
) -> None:
    first = check(settings, clock)
    assert (first.events, sorted(first.begun)) == ([], sorted([site.url, "build"]))
    again = check(settings, clock)
    assert (again.events, again.begun, again.code("info")) == ([], [], 0)


def test_each_change_is_one_event_and_moves_a_risk(
    settings: WatchSettings, clock: Clock, site: Site
) -> None:
    check(settings, clock)
    site.page("/", PAGE + "<script src='https://evil.example/x.js'></script>",
              content_security_policy="default-src 'self'")  # fmt: skip
    site.page("/app.js", "fetch('/api/chat');eval(x)", content_type="text/javascript")
    site.page("/admin", "<form action='/admin' method=post><input name=command></form>")
    described = json.loads(json.dumps(OPENAPI))
    described["paths"]["/chat"]["post"]["security"] = []
    site.page("/openapi.json", json.dumps(described), content_type="application/json")
    (settings.builds[0].path / "main.js").write_text("fetch('https://other.example/v1')")
    result = check(settings, clock)
    assert [(one.place, one.severity) for one in result.events] == [
        ("page /", "high"), ("page /admin", "medium"), ("scripts", "medium"),
        ("interface /openapi.json", "critical"), ("build", "medium"),
    ]  # fmt: skip
    assert "status was 404 and is 200" in result.events[1].message
    assert result.code("critical") == 1
    moved = [event.details["risks"][0] for event in result.events]
    assert all(one["loss_after"] >= one["loss_before"] for one in moved)
    assert moved[0]["state_after"] == "gravest: high"
    assert moved[0]["loss_after"] > moved[0]["loss_before"]
    assert check(settings, clock).events == []


def test_what_goes_back_is_told_as_such(settings: WatchSettings, clock: Clock, site: Site) -> None:
    check(settings, clock)
    site.page("/app.js", "fetch('/api/steal')", content_type="text/javascript")
    (changed,) = check(settings, clock).events
    site.page("/app.js", "fetch('/api/chat')", content_type="text/javascript")
    (back,) = check(settings, clock).events
    assert (back.kind, back.about, back.severity) == ("reverted", changed.number, "info")
    assert back.details["risks"][0]["state_after"] == "gravest: nothing"


def test_a_target_that_is_down_is_blind_and_no_change(
    settings: WatchSettings, clock: Clock, site: Site
) -> None:
    check(settings, clock)
    site.down = True
    result = check(settings, clock)
    assert [one.kind for one in result.events] == ["blind"]
    assert (result.code("medium"), list(result.blind)) == (3, [site.url])
    again = check(settings, clock)
    assert (again.events, again.code("medium")) == ([], 3)
    site.down = False
    assert [one.kind for one in check(settings, clock).events] == ["seen-again"]
    assert check(settings, clock).code("info") == 0


def test_a_page_that_fails_is_blind(settings: WatchSettings, clock: Clock, site: Site) -> None:
    check(settings, clock)
    site.pages["/"] = lambda _: (503, {}, "busy")
    result = check(settings, clock)
    assert said(result) == [("blind", "not all is seen: page /: status 503")]


def test_checks_that_were_missed_are_one_event(settings: WatchSettings, clock: Clock) -> None:
    check(settings, clock)
    clock.now += 5 * 3600
    (missed,) = check(settings, clock).events
    assert (missed.kind, missed.details["missed"]) == ("missed", 5)
    assert check(settings, clock).events == []


def test_what_is_accepted_is_the_reference(
    settings: WatchSettings, clock: Clock, site: Site
) -> None:
    out = settings.file.parent / "out"
    check(settings, clock)
    site.page("/app.js", "fetch('/api/new')", content_type="text/javascript")
    check(settings, clock)
    with pytest.raises(InputError, match="no event 9"):
        accept(settings, out, [9])
    (accepted,) = accept(settings, out, [1], by="Ann", clock=clock)
    assert (accepted.kind, accepted.about, accepted.details["by"]) == ("accepted", 1, "Ann")
    with pytest.raises(InputError, match="event 1 is not open"):
        accept(settings, out, [1])
    assert check(settings, clock).events == []
    assert accept(settings, out, None) == []


def test_an_outage_that_is_accepted_is_no_blindness(
    settings: WatchSettings, clock: Clock, site: Site
) -> None:
    check(settings, clock)
    site.down = True
    check(settings, clock)
    accept(settings, settings.file.parent / "out", None, clock=clock)
    assert check(settings, clock).code("info") == 0


def test_history_and_metrics(settings: WatchSettings, clock: Clock, site: Site) -> None:
    out = settings.file.parent / "out"
    check(settings, clock)
    site.page("/", PAGE.replace("Shop", "<b>'Bank'"), content_security_policy="default-src *")
    check(settings, clock)
    state = read_state(out)
    document: dict[str, Any] = history_document(settings, state)
    check_typed("watch", document)
    assert {one["open"] for one in document["events"]} == {True}
    text = metrics(settings, state)
    assert 'buttress_watch_open_events{severity="medium"} 1' in text
    assert f'buttress_watch_blind{{asset="{site.url}"}} 0' in text
    with EvidenceStore.open(out / FILE_NAME, read_only=True) as store:
        assert verify(store).ok


def test_a_port_that_opens_is_one_event_with_all_that_it_shows(
    tmp_path: Path, clock: Clock
) -> None:
    site = Site()
    site.page("/", PAGE)
    with serving(site):
        pass  # the port is free again, and its number is known
    (tmp_path / "watch.yaml").write_text(
        f"every: 1h\nlayers: [link]\ntargets: ['127.0.0.1:{site.port}']\n"
    )
    settings = load(tmp_path)
    first = check(settings, clock)
    assert (first.events, first.blind) == ([], {})
    assert check(settings, clock).events == []
    with serving(site):
        (opened,) = check(settings, clock).events
        assert opened.severity == "high"
        assert opened.message.startswith("host: port was closed and is open")
        assert check(settings, clock).events == []
    closed = check(settings, clock)
    assert [(one.kind, one.about) for one in closed.events] == [("reverted", opened.number)]
    assert (closed.blind, closed.code("medium")) == ({}, 0)
    assert check(settings, clock).events == []
    with serving(site):  # and to and fro is told once
        assert [one.kind for one in check(settings, clock).events] == ["flapping"]
    assert check(settings, clock).events == []


def test_of_very_many_scripts_the_first_are_read_and_the_rest_is_a_fact(
    settings: WatchSettings, clock: Clock, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buttress.drift.page_probe._MOST_SCRIPTS", 1)
    site.page("/", PAGE + "<script src='/other.js'></script>")
    site.page("/other.js", "eval(x)", content_type="text/javascript")
    assert check(settings, clock).blind == {}
    scripts = read_state(settings.file.parent / "out").timelines[site.url]["scripts"]
    assert sorted(scripts.seen()) == ["endpoint /api/chat", "unread-scripts"]


MODELS = {"name": "llama3:8b", "digest": "aa" * 32, "modified_at": "2026-01-02T03:04:05Z"}


@pytest.fixture
def serving_models(tmp_path: Path) -> Iterator[Site]:
    made = Site()
    made.page("/", "Ollama is running", content_type="text/plain")
    made.page("/api/version", '{"version":"0.5.7"}', content_type="application/json")
    made.page("/api/tags", json.dumps({"models": [MODELS]}), content_type="application/json")
    listed = {"object": "list", "data": [{"id": "m1", "owned_by": "vllm", "root": "org/a"}]}
    made.page("/v1/models", json.dumps(listed), content_type="application/json")
    with serving(made):
        (tmp_path / "watch.yaml").write_text(
            f"every: 1h\nlayers: [infrastructure]\ntargets: ['{made.url}']\n"
        )
        yield made


def test_a_model_behind_the_same_name_is_a_change_and_an_outage_is_none(
    tmp_path: Path, clock: Clock, serving_models: Site
) -> None:
    settings, site = load(tmp_path), serving_models
    assert check(settings, clock).events == []
    usual = dict(site.pages)
    site.pages = dict.fromkeys(usual, lambda _: (503, {}, "busy"))  # type: ignore[assignment]
    assert [one.kind for one in check(settings, clock).events] == ["blind"]
    site.pages = {**usual, "/api/tags": lambda _: (429, {}, "later")}
    assert check(settings, clock).events == []  # still not all is seen
    site.pages = dict(usual)
    assert [one.kind for one in check(settings, clock).events] == ["seen-again"]
    swapped = {"models": [{**MODELS, "digest": "bb" * 32}]}
    site.page("/api/tags", json.dumps(swapped), content_type="application/json")
    (event,) = check(settings, clock).events
    assert (event.kind, event.severity) == ("changed", "high")
    (row,) = event.details["changes"]
    assert row == {"fact": "served-model llama3:8b", "before": "aa" * 32, "after": "bb" * 32}
    listed = {"object": "list", "data": [{"id": "m2", "owned_by": "vllm", "root": "org/a"}]}
    site.page("/v1/models", json.dumps(listed), content_type="application/json")
    told = [one.message for one in check(settings, clock).events]
    assert told == ["host: served-model m1 gave way to served-model m2: org/a"]


def test_an_error_that_stays_hides_no_change_elsewhere(
    tmp_path: Path, clock: Clock, serving_models: Site
) -> None:
    settings, site = load(tmp_path), serving_models
    site.pages["/health"] = lambda _: (503, {}, "not ready")
    assert check(settings, clock).events == []
    listed = {"object": "list", "data": []}
    site.page("/v1/models", json.dumps(listed), content_type="application/json")
    site.page("/api/version", '{"version":"0.6.0"}', content_type="application/json")
    said_now = [one.message for one in check(settings, clock).events]
    assert "host: product ollama was 0.5.7 and is 0.6.0" in said_now
    assert any("open-inference /v1/models is gone" in one for one in said_now)


def test_a_build_that_is_gone_or_is_none_is_blindness_and_not_change(
    settings: WatchSettings, clock: Clock
) -> None:
    folder = settings.file.parent
    package = folder / "app.crx"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("manifest.json", '{"manifest_version": 3, "permissions": ["tabs"]}')
        archive.writestr("a.js", "fetch('https://api.shop.example/v1')")
    sound = package.read_bytes()
    settings.file.write_text("every: 1h\nbuilds: [build, app.crx]\n")
    settings = load(folder)
    assert check(settings, clock).events == []
    package.write_bytes(b"not a package")
    (folder / "build").rename(folder / "away")
    result = check(settings, clock)
    assert [(one.kind, one.asset) for one in result.events] == [
        ("blind", "build"), ("blind", "app.crx")
    ]  # fmt: skip
    assert result.code("medium") == 3
    package.write_bytes(b"")
    assert check(settings, clock).events == []
    package.write_bytes(sound)
    (folder / "away").rename(folder / "build")
    assert [one.kind for one in check(settings, clock).events] == ["seen-again", "seen-again"]


def test_a_build_that_was_never_there_is_a_mistake(settings: WatchSettings, clock: Clock) -> None:
    settings.file.write_text("every: 1h\nbuilds: [nothing]\n")
    with pytest.raises(InputError, match="no such file or folder: nothing"):
        check(load(settings.file.parent), clock)


def test_a_product_that_comes_is_one_event_with_the_page_that_shows_it(
    tmp_path: Path, clock: Clock, serving_models: Site
) -> None:
    settings, site = load(tmp_path), serving_models
    pages = dict(site.pages)
    del pages["/v1/models"]  # of another product
    site.pages.clear()
    site.page("/", "<title>Welcome</title>")
    assert check(settings, clock).events == []
    site.pages.update(pages)
    events = check(settings, clock).events
    assert [one.place for one in events] == ["host, page /"], [one.message for one in events]
    assert check(settings, clock).events == []


def test_a_header_of_all_pages_is_one_event_whatever_each_had_before(
    tmp_path: Path, clock: Clock
) -> None:
    site = Site()
    with serving(site):
        for page, value in (("/", "DENY"), ("/login", "SAMEORIGIN")):
            site.page(page, "<p>", x_frame_options=value)
        (tmp_path / "watch.yaml").write_text(
            f"layers: [link]\ntargets: [{{url: '{site.url}', pages: [/, /login]}}]\n"
        )
        settings = load(tmp_path)
        assert check(settings, clock).events == []
        for page in ("/", "/login"):
            site.page(page, "<p>")
        (event,) = check(settings, clock).events
        assert [one["before"] for one in event.details["changes"]] == ["DENY", "SAMEORIGIN"]


def test_an_interface_that_can_no_longer_be_read_is_blindness(tmp_path: Path, clock: Clock) -> None:
    site = Site()
    with serving(site):
        site.page("/", "<p>")
        described = {"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}
        site.page("/openapi.json", json.dumps(described), content_type="application/json")
        (tmp_path / "watch.yaml").write_text(f"layers: [link]\ntargets: ['{site.url}']\n")
        settings = load(tmp_path)
        check(settings, clock)
        site.page("/openapi.json", '{"openapi": "3', content_type="application/json")
        assert [one.kind for one in check(settings, clock).events] == ["blind"]
        site.page("/openapi.json", json.dumps(described), content_type="application/json")
        assert [one.kind for one in check(settings, clock).events] == ["seen-again"]


@pytest.mark.parametrize("change", ["a password is asked for", "it leads elsewhere"])
def test_what_is_sent_without_tls_is_told_with_the_page_that_sends_it(
    settings: WatchSettings, clock: Clock, site: Site, change: str
) -> None:
    site.page("/admin", "<title>Admin</title>")
    check(settings, clock)
    if change == "a password is asked for":
        asking = PAGE.replace("name='q'", "type=password name=p")
        site.page("/", asking, content_security_policy="default-src 'self'")
    else:
        for path in ("/", "/admin"):
            site.pages[path] = lambda _: (301, {"location": "https://shop.example/"}, "")
    (event,) = check(settings, clock).events
    assert event.place.startswith("page /")
    assert event.place.endswith("host")
    names = [one["fact"].split()[0] for one in event.details["changes"]]
    assert names[0] != "finding"
    assert "finding" in names
    # What is gone unexplained moves no barrier; a password without TLS moves that of the link too.
    moved = {one["barrier"] for one in event.details["risks"]}
    assert len(moved) == (2 if change == "a password is asked for" else 1)
    site.page("/", PAGE, content_security_policy="default-src 'self'")
    site.page("/admin", "<title>Admin</title>")
    (back,) = check(settings, clock).events
    assert (back.kind, back.about, back.place) == ("reverted", event.number, event.place)
