"""A process that examines files: lists of paths in, a list of reports out, as lines of JSON.

The first line holds the names that packs add to the lists of pickles: packs are read only once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from buttress.probes.artifacts.one_file import examine_file
from buttress.probes.artifacts.pickles.added import NOTHING, Added, instead


def main() -> None:
    """Answer until there is no question."""
    names = sys.stdin.buffer.readline()
    added = Added.of_plain(json.loads(names)) if names else NOTHING
    for line in sys.stdin.buffer:
        with instead(added):
            reports = [examine_file(Path(one), added=added).plain() for one in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(reports).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
