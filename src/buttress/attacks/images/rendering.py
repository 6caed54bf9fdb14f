"""Text as a picture: PNG bytes, the same for the same text, style and fonts."""

from __future__ import annotations

import io
import random
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from buttress.errors import MissingExtraError

WIDTH: Final = 760  # pixels
SIZE: Final = 30  # of the letters, pixels
MARGIN: Final = 30
MAX_TEXT: Final = 4000  # characters; a longer text would make a picture that no model reads
_FOLDERS: Final = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts",
    "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
_CHINESE: Final = (
    "NotoSansCJK-Regular*", "NotoSansSC-Regular*", "NotoSerifCJK-Regular*", "SourceHanSans*Regular*",
    "NotoSerifCJK*", "wqy-*", "PingFang*", "msyh*", "simsun*",
)  # fmt: skip


@cache
def languages() -> tuple[str, ...]:
    """Languages that can be drawn here: none without Pillow, Chinese where there is a font."""
    if find_spec("PIL") is None:
        return ()
    return ("en", "zh") if _chinese_font() else ("en",)


@cache
def _chinese_font() -> Path | None:
    for pattern in _CHINESE:
        for folder in _FOLDERS:
            found = sorted(path for path in Path(folder).expanduser().rglob(pattern))
            fonts = [path for path in found if path.suffix.lower() in {".ttf", ".ttc", ".otf"}]
            if fonts:
                return fonts[0]
    return None


def draw(text: str, *, tilt: bool = False, noise: bool = False, seed: int = 0) -> bytes:
    """The text in lines of black on white, as PNG.

    Args:
        text: at most ``MAX_TEXT`` characters are drawn.
        tilt: each line a little askew, as by hand.
        noise: grey dots over all of it.
        seed: of tilt and noise.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise MissingExtraError("an attack by pictures", "images") from None
    font = _font(text)
    lines = _lines(text[:MAX_TEXT], font)
    step = int(SIZE * 1.5)
    height = 2 * MARGIN + step * len(lines)
    picture = Image.new("L", (WIDTH, height), 255)
    rng = random.Random(seed)
    for place, line in enumerate(lines):
        strip = Image.new("L", (WIDTH, step), 255)
        ImageDraw.Draw(strip).text((MARGIN, 2), line, fill=0, font=font)
        if tilt:
            strip = strip.rotate(rng.uniform(-0.8, 0.8), fillcolor=255)
        picture.paste(strip, (0, MARGIN + step * place))
    if noise:
        dots = picture.load()
        assert dots is not None
        for _ in range(WIDTH * height // 40):
            dots[rng.randrange(WIDTH), rng.randrange(height)] = rng.randrange(90, 200)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _font(text: str) -> Any:
    from PIL import ImageFont

    chinese = None if text.isascii() else _chinese_font()
    return ImageFont.truetype(str(chinese), SIZE) if chinese else ImageFont.load_default(SIZE)


def _lines(text: str, font: Any) -> list[str]:
    """Broken at spaces, and between Chinese characters."""
    room = WIDTH - 2 * MARGIN
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for piece in _pieces(paragraph):
            if line and font.getlength(line + piece) > room:
                lines.append(line.rstrip())
                line = ""
            for letter in piece if font.getlength(piece) > room else (piece,):
                if line and font.getlength(line + letter) > room:
                    lines.append(line.rstrip())
                    line = ""
                line += letter
        lines.append(line.rstrip())
    return lines


def _pieces(paragraph: str) -> list[str]:
    pieces: list[str] = []
    word = ""
    for letter in paragraph:
        if "\u3000" <= letter <= "\uffef":
            pieces += [word, letter] if word else [letter]
            word = ""
        else:
            word += letter
            if letter == " ":
                pieces.append(word)
                word = ""
    return [*pieces, word] if word else pieces
