"""Draws which package imports which: docs/packages.md and its picture. Run ``make picture``.

The lines are those of ``tests/test_layers.py``, the arrows are the imports in the code, those in
functions too. An arrow that a longer way already shows is left out of the picture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = Path(__file__).parent / "packages.md"
PICTURE: Final = Path(__file__).parent / "images" / "packages.svg"
Edge = tuple[str, str]
_WIDTH, _ROW, _HEIGHT, _LETTER = 1180, 84, 30, 7.2
_INTRO = """<!-- Made by docs/picture.py; don't edit. -->
# Dependencies between packages

A package imports only packages on lines below its own; `tests/test_layers.py` holds that, and lists
the imports that still break it. They are red in the picture. An arrow that a longer way already
shows is left out there; the table is complete.

![Packages of Buttress and what they import](images/packages.svg)

| package | imports |
| --- | --- |
"""


def pages() -> dict[Path, str]:
    """The page and the picture, by file."""
    sys.path.insert(0, str(ROOT))
    from tests.test_layers import FREE, LEVEL, LINES, imports

    edges = {pair for pair in imports() if pair[0] not in FREE and pair[1] not in FREE}
    known = {name for pair in edges for name in pair}
    table = "".join(
        f"| `{name}` | {', '.join(f'`{b}`' for a, b in sorted(edges) if a == name) or '–'} |\n"
        for name in sorted(known, key=lambda name: (-LEVEL[name], name))
    )
    rows = [[name for name in line if name in known] for line in LINES]
    against = {pair for pair in edges if LEVEL[pair[0]] <= LEVEL[pair[1]]}
    drawn = drawing([row for row in rows if row], reduced(edges - against), against)
    return {PAGE: _INTRO + table, PICTURE: drawn}


def reduced(edges: Iterable[Edge]) -> set[Edge]:
    """The edges of a graph without circles, without those that a longer way shows."""
    edges = set(edges)
    after: dict[str, set[str]] = {}
    for first, second in edges:
        after.setdefault(first, set()).add(second)

    def reached(start: str) -> set[str]:
        seen, todo = set(), [start]
        while todo:
            for name in after.get(todo.pop(), set()) - seen:
                seen.add(name)
                todo.append(name)
        return seen

    longer = {name: set().union(*map(reached, after[name])) for name in after}
    return {(first, second) for first, second in edges if second not in longer[first]}


def drawing(rows: Sequence[Sequence[str]], edges: Iterable[Edge], against: Iterable[Edge]) -> str:
    """An SVG: a row of boxes for each line, straight arrows between them."""
    middle, boxes = {}, []
    for number, row in enumerate(rows):
        y = 24 + number * _ROW
        for place, name in enumerate(row):
            x = (place + 0.5) * _WIDTH / len(row)
            middle[name] = (x, y)
            wide = len(name) * _LETTER + 18
            boxes.append(
                f'<rect x="{x - wide / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{wide:.0f}" '
                f'height="{_HEIGHT}" rx="4"/><text x="{x:.0f}" y="{y + 4}">{escape(name)}</text>'
            )
    lines = [
        f'<line x1="{middle[a][0]:.0f}" y1="{middle[a][1] + _HEIGHT / 2:.0f}" '
        f'x2="{middle[b][0]:.0f}" y2="{middle[b][1] - _HEIGHT / 2 - 3:.0f}"{mark}/>'
        for group, mark in ((edges, ""), (against, ' class="against"'))
        for a, b in sorted(group)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {len(rows) * _ROW - 24}" '
        'font-family="sans-serif" font-size="13" text-anchor="middle">\n'
        "<style>rect{fill:#fff;stroke:#595f68}line{stroke:#8a9099;marker-end:url(#to)}"
        ".against{stroke:#ad3408;stroke-dasharray:4 3}text{fill:#1c1f24}</style>\n"
        '<defs><marker id="to" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6z" fill="#8a9099"/></marker></defs>\n'
        '<rect width="100%" height="100%" style="stroke:none"/>\n'
        + "\n".join([*lines, *boxes])
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
        print(file.relative_to(ROOT))
