"""A certificate that is renewed is no change; another key, issuer or name is one event."""

from __future__ import annotations

from pathlib import Path

from buttress.workflows.watch.round import check_once
from buttress.workflows.watch.settings import WatchSettings, load
from tests.probes.link.authority import Issued, issue
from tests.watch.site import Site, serving


def told(settings: WatchSettings, site: Site, one: Issued) -> list[tuple[str, str, str]]:
    """What a check of the site with that certificate tells."""
    folder = settings.file.parent
    site.certificate = one.write(folder, "site")
    with serving(site):
        events = check_once(settings, folder / "out").events
    return [(each.kind, each.place, each.message) for each in events]


def test_a_renewal_is_no_change_and_another_key_is_one(tmp_path: Path) -> None:
    site = Site()
    site.page("/", "<title>Shop</title>")
    with serving(site):
        pass  # gives it a port
    (tmp_path / "watch.yaml").write_text(
        f"every: 1h\nlayers: [link]\ntargets: ['https://127.0.0.1:{site.port}']\n"
    )
    settings = load(tmp_path)
    authority = issue("an authority", authority=True)
    first = issue("shop", authority, names=["127.0.0.1"])
    assert told(settings, site, first) == []
    renewed = issue("shop", authority, names=["127.0.0.1"], key=first.key, days=(-1, 390))
    assert told(settings, site, renewed) == []
    rival = issue("a rival", authority=True)
    other = issue("shop", rival, names=["127.0.0.1"])
    (event,) = told(settings, site, other)
    assert event[:2] == ("changed", "host")
    assert event[2].startswith("host: certificate issuer was CN=an authority and is CN=a rival")
    soon = issue("shop", rival, names=["127.0.0.1"], key=other.key, days=(-1, 5))
    (ending,) = told(settings, site, soon)
    assert "certificate-expires" in ending[2]
