"""Block letters: A to Z and 0 to 9 drawn five rows high and five columns wide, and read back."""

from __future__ import annotations

from typing import Final

HEIGHT: Final = 5
_GLYPHS: Final = {
    "A": ".###. #...# ##### #...# #...#",
    "B": "####. #...# ####. #...# ####.",
    "C": ".#### #.... #.... #.... .####",
    "D": "####. #...# #...# #...# ####.",
    "E": "##### #.... ####. #.... #####",
    "F": "##### #.... ####. #.... #....",
    "G": ".#### #.... #..## #...# .####",
    "H": "#...# #...# ##### #...# #...#",
    "I": "##### ..#.. ..#.. ..#.. #####",
    "J": "..### ....# ....# #...# .###.",
    "K": "#...# #..#. ###.. #..#. #...#",
    "L": "#.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#...# ##..# #.#.# #..## #...#",
    "O": ".###. #...# #...# #...# .###.",
    "P": "####. #...# ####. #.... #....",
    "Q": ".###. #...# #.#.# #..#. .##.#",
    "R": "####. #...# ####. #..#. #...#",
    "S": ".#### #.... .###. ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #.#.# ##.## #...#",
    "X": "#...# .#.#. ..#.. .#.#. #...#",
    "Y": "#...# .#.#. ..#.. ..#.. ..#..",
    "Z": "##### ...#. ..#.. .#... #####",
    "0": ".###. #..## #.#.# ##..# .###.",
    "1": "..#.. .##.. ..#.. ..#.. .###.",
    "2": "####. ....# .###. #.... #####",
    "3": "####. ....# ..##. ....# ####.",
    "4": "#..#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ####.",
    "6": ".###. #.... ####. #...# .###.",
    "7": "##### ....# ...#. ..#.. ..#..",
    "8": ".###. #...# .###. #...# .###.",
    "9": ".###. #...# .#### ....# .###.",
}
_LETTERS: Final = {glyph: letter for letter, glyph in _GLYPHS.items()}
LETTERS: Final = frozenset(_GLYPHS)


def draw(word: str, ink: str = "#", *, upright: bool = False) -> str:
    """The word in block letters, side by side or, ``upright``, one below the other.

    Args:
        word: characters of ``LETTERS`` only, at least one.
        ink: one character, not a space.

    Raises:
        KeyError: a character that has no glyph.
    """
    glyphs = [_GLYPHS[letter].split() for letter in word]
    if upright:
        rows = [row for glyph in glyphs for row in (*glyph, "")][:-1]
    else:
        rows = ["  ".join(row) for row in zip(*glyphs, strict=True)]
    return "\n".join(rows).replace(".", " ").replace("#", ink)


def read(art: str, ink: str = "#", *, upright: bool = False) -> str:
    """The word that ``draw`` drew.

    Raises:
        KeyError: no such glyph.
    """
    rows = art.replace(ink, "#").replace(" ", ".").split("\n")
    if upright:
        step = HEIGHT + 1
        glyphs = [rows[start : start + HEIGHT] for start in range(0, len(rows), step)]
    else:
        starts = range(0, len(rows[0]), HEIGHT + 2)
        glyphs = [[row[start : start + HEIGHT] for row in rows] for start in starts]
    return "".join(_LETTERS[" ".join(glyph)] for glyph in glyphs)
