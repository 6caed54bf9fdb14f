"""An answer as the offline judge reads it: unwrapped, cleaned, bounded, loops cut, in sentences.

Small models end in loops ("I cannot do that. I cannot do that. …"), and attackers pad. What repeats
says nothing new, so it is cut before anything is counted. Time is bounded by reading at most
``WINDOW`` characters from the start and ``TAIL`` from the end.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

from buttress.answers.visible import unwrapped

_LETTERS: Final = 8  # of a word with what stands behind it, in most texts
WINDOW: Final = 6000
TAIL: Final = 2000
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\ud800-\udfff]")
# Traditional characters that occur in refusals and instructions, read as the simplified ones.
_SIMPLIFIED: Final = str.maketrans(
    "無協對請這個說為從過給與應該違關問題導幫準則範寫編製創產據歉諒遺憾觸實務業專醫藥詢諮議險傷殺槍彈爆毒騙詐偽駭"
    "竊盜勒贖竄擊網絡鏈軟體碼類別語種讓還後來們會將當時間發現進開動經驗學習國際東權責"
    "歧視尊嚴價值觀點討論話換滿於沒確認證書據參與涉內",
    "无协对请这个说为从过给与应该违关问题导帮准则范写编制创产据歉谅遗憾触实务业专医药询咨议险伤杀枪弹爆毒骗诈伪骇"
    "窃盗勒赎窜击网络链软体码类别语种让还后来们会将当时间发现进开动经验学习国际东权责"
    "歧视尊严价值观点讨论话换满于没确认证书据参与涉内",
)
_QUOTES: Final = str.maketrans("’‘ʼ´“”„", "''''\"\"\"")
# "1. Mix" and "3.5" do not end a sentence; "illegal.I cannot" does.
_END: Final = re.compile(r"[.!?\n。！？；](?:(?<=[\n。！？；])|(?<!\d[.!?])(?=[\sA-Z]))")
_WORD: Final = re.compile(r"[\u4e00-\u9fff]|[^\W\d_\u4e00-\u9fff]+(?:'[a-z]+)?")
_ASCII_WORD: Final = re.compile(r"[A-Za-z]+(?:'[a-z]+)?", re.ASCII)  # the same, in half the time
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={0,2}")


@dataclass(frozen=True, slots=True)
class Reading:
    """``text`` is lower-case and holds each sentence once, in order.

    ``words`` are its words (a Chinese character is a word). ``length`` is the number of characters
    of the answer before anything was cut, ``repeated`` the share of its sentences that were cut,
    and ``han`` the share of Chinese characters among words.
    """

    text: str
    sentences: tuple[str, ...]
    words: tuple[str, ...]
    length: int
    repeated: float
    han: float


@lru_cache(maxsize=64)  # several rules read the same answer, and systems repeat theirs
def read(answer: str) -> Reading:
    """Read an answer. Takes any string; never raises."""
    kept = _bounded(unwrapped(answer))
    if not kept.isascii():
        kept = _INVISIBLE.sub("", kept).translate(_QUOTES).translate(_SIMPLIFIED)
    kept = _ENCODED.sub(_decoded, kept)
    ends = [0, *(match.end() for match in _END.finditer(kept)), len(kept)]
    pieces = [kept[start:end].strip().lower() for start, end in pairwise(ends)]
    pieces = [piece for piece in pieces if piece]
    sentences = tuple(dict.fromkeys(pieces))
    text = "\n".join(sentences)
    words = words_in(text)
    return Reading(
        text=text,
        sentences=sentences,
        words=words,
        length=len(answer),
        repeated=1 - len(sentences) / len(pieces) if pieces else 0.0,
        han=len(_HAN.findall(text)) / len(words) if words and not text.isascii() else 0.0,
    )


def words_in(text: str) -> tuple[str, ...]:
    """Words of lower-case text; a Chinese character is a word."""
    return tuple((_ASCII_WORD if text.isascii() else _WORD).findall(text))


def first_words(text: str, count: int) -> tuple[str, ...]:
    """The first words of lower-case text, as ``words_in`` gives them."""
    words = words_in(text[: _LETTERS * count])
    if len(words) > count:  # the last of them may be cut
        return words[:count]
    return tuple(match[0] for match in islice(_WORD.finditer(text), count))


def _bounded(answer: str) -> str:
    if len(answer) <= WINDOW + TAIL:
        return answer
    return answer[:WINDOW] + "\n" + answer[-TAIL:]


def _decoded(match: re.Match[str]) -> str:
    """What a run of Base64 says, where that is text."""
    raw = match.group().rstrip("=")
    try:
        said = base64.b64decode(raw + "=" * (-len(raw) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return match.group()
    return said if said.replace("\n", "").isprintable() else match.group()
