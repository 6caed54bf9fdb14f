"""The watch on a site that differs in every view: false events, and planted changes found.

The site of `tests/watch/shop.py` has nonces, dates, tokens, hashes of builds and elements in random
order; its bundle is each time another of five outputs of esbuild, terser and swc of one source.
Then each planted change is made in a watch of its own.

    python benchmarks/watch_pages.py --rechecks 1000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # the site of the tests

from tests.watch.shop import PLANTS, Shop
from tests.watch.site import Site, serving

from buttress.workflows.watch.round import check_once
from buttress.workflows.watch.settings import WatchSettings, load


def watch(site: Site, folder: Path) -> WatchSettings:
    folder.mkdir()
    (folder / "watch.yaml").write_text(
        f"every: 1h\nlayers: [link]\ntargets: [{{url: '{site.url}', pages: [/, /login, /debug]}}]\n"
    )
    return load(folder)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rechecks", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, serving(Site()) as site:
        Shop().put(site)
        settings = watch(site, Path(place) / "unchanged")
        out = settings.file.parent / "out"
        check_once(settings, out)
        began, used = time.monotonic(), time.process_time()
        events = [one for _ in range(options.rechecks) for one in check_once(settings, out).events]
        print(
            f"{options.rechecks} re-checks without a change: {len(events)} events; "
            f"{time.monotonic() - began:.0f} s, {time.process_time() - used:.0f} s CPU with the "
            f"server, evidence {(out / 'evidence.db').stat().st_size / 1e6:.1f} MB"
        )
        for one in events[:20]:
            print(f"  {one.kind} {one.message}")
        found = exact = 0
        for number, (name, plant) in enumerate(PLANTS.items()):
            settings = watch(site, Path(place) / str(number))
            out = settings.file.parent / "out"
            Shop().put(site)
            check_once(settings, out)
            shop = Shop()
            plant(shop)
            shop.put(site)
            told = check_once(settings, out).events
            found += bool(told)
            exact += len(told) == 1
            if len(told) != 1:
                print(f"  {name}: {len(told)} events")
        print(f"planted changes: {found} of {len(PLANTS)} found, {exact} as one event")


if __name__ == "__main__":
    main()
