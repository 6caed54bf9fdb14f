"""Views that differ without a change tell nothing; each planted change is one event."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from buttress.drift.script_facts import script_facts
from buttress.drift.timeline import Timeline
from buttress.workflows.watch.round import check_once
from buttress.workflows.watch.settings import WatchSettings, load
from tests.watch.shop import BUNDLES, PLANTS, Shop
from tests.watch.site import Site, serving

RECHECKS = 12


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(Site()) as made:
        yield made


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> WatchSettings:
    (tmp_path / "watch.yaml").write_text(
        f"every: 1h\nlayers: [link]\ntargets: [{{url: '{site.url}', pages: [/, /login, /debug]}}]\n"
    )
    return load(tmp_path)


def test_a_site_that_differs_in_every_view_tells_nothing(
    site: Site, settings: WatchSettings
) -> None:
    Shop().put(site)
    out = settings.file.parent / "out"
    told = [check_once(settings, out).events for _ in range(RECHECKS)]
    assert [one.message for events in told for one in events] == []


def test_what_a_minifier_does_is_no_change() -> None:
    for first, second in permutations(BUNDLES, 2):
        timeline = Timeline()
        timeline.begin([script_facts(first)])
        assert timeline.compare([script_facts(second)]) == []


@pytest.mark.parametrize("name", random.Random(5).sample(sorted(PLANTS), 10))
def test_a_planted_change_is_one_event(name: str, site: Site, settings: WatchSettings) -> None:
    out = settings.file.parent / "out"
    Shop().put(site)
    assert check_once(settings, out).events == []
    changed = Shop()
    PLANTS[name](changed)
    changed.put(site)
    assert [one.kind for one in check_once(settings, out).events] == ["changed"]
    assert check_once(settings, out).events == []
