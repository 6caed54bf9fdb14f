"""A process that appends until it is killed, and says what was acknowledged.

python -m tests.evidence.writer STORE BATCH
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from buttress.evidence.store import EvidenceStore
from tests.evidence.samples import trial


def main() -> None:
    path, batch = Path(sys.argv[1]), int(sys.argv[2])
    store = EvidenceStore.open(path)
    for start in itertools.count(store.count, batch):
        store.append([trial(start + offset) for offset in range(batch)])
        os.write(1, b"%d %s\n" % (store.count, store.head.encode()))


if __name__ == "__main__":
    main()
