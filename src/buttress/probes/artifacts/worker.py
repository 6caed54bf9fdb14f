"""A process that examines files: lists of paths in, a list of reports out, as lines of JSON.

The first line holds the names that packs add to the lists of pickles: packs are read only once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from buttress.probes.artifacts.one_file import examine_file
from buttress.probes.artifacts.pickles.added import NOTHING, Added
from buttress.probes.artifacts.pickles.judge import NameLists


def main() -> None:
    """Answer until there is no question."""
    first = sys.stdin.buffer.readline()
    names = NameLists(Added.of_plain(json.loads(first)) if first else NOTHING)
    for line in sys.stdin.buffer:
        reports = [examine_file(Path(one), names=names).plain() for one in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(reports).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
