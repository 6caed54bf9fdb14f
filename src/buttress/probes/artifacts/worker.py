"""A process that examines files: lists of paths in, a list of reports out, as lines of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from buttress.probes.artifacts.one_file import examine_file


def main() -> None:
    """Answer until there is no question."""
    for line in sys.stdin.buffer:
        reports = [examine_file(Path(one)).plain() for one in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(reports).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
