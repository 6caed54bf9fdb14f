"""Labelling pairs at a terminal: shows two answers, sides at random, takes a choice.

With a rubric each pair is shown once and asked by each criterion.

A choice is in the store before the next pair is shown, so a session may end at any time, in any
way; the labeller's next one goes on where it ended.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.evidence.base import RecordStore
from buttress.evidence.records import Preference
from buttress.labelling.keys import Keys
from buttress.labelling.pages import escaped
from buttress.labelling.preferences.messages import shown
from buttress.labelling.preferences.pairs import Pair, label_of
from buttress.labelling.preferences.rubric import Criterion
from buttress.labelling.screen import Screen

_KEYS: Final = {"a": 0, "b": 1}
WORDS: Final = {
    "en": {
        "question": "Which answer is better?",
        "menu": "a first  b second  t equally good  s can't tell  n note  ",
        "undo": "u undo  ",
        "quit": "q quit",
        "count": "{done} of {all} labelled · {item}",
        "prompt": "PROMPT",
        "answer": "ANSWER {name}",
        "note": "note:",
        "nothing": "Nothing to undo in this session.",
        "no_key": "'{key}' is no key here.",
        "page": "-- page {number} of {all}: space for more, e to the end --",
        "end": "All pairs are labelled.",
    },
    "zh": {
        "question": "哪个回答更好？",
        "menu": "a 前者  b 后者  t 同样好  s 无法判断  n 备注  ",
        "undo": "u 撤销  ",
        "quit": "q 退出",
        "count": "已标注 {done} / {all} · {item}",
        "prompt": "提示",
        "answer": "回答 {name}",
        "note": "备注：",
        "nothing": "本次会话没有可撤销的标注。",
        "no_key": "“{key}”不是可用的按键。",
        "page": "-- 第 {number} 页，共 {all} 页：空格翻页，e 到末尾 --",
        "end": "所有回答对都已标注。",
    },
}


def order(pairs: Iterable[Pair], labeller: str, seed: int) -> list[Pair]:
    """The pairs, each once, in an order that is the labeller's own."""
    own = {pair.key: pair for pair in pairs}
    return sorted(own.values(), key=lambda pair: _drawn("order", pair, labeller, seed))


def left_side(pair: Pair, labeller: str, seed: int) -> str:
    """Which answer is shown first: ``first`` or ``second``, each with chance 1/2."""
    return ("first", "second")[_drawn("side", pair, labeller, seed)[0] & 1]


@dataclass(frozen=True, slots=True)
class PairQuestion:
    """A pair under one criterion."""

    pair: Pair
    criterion: Criterion

    @property
    def key(self) -> tuple[str, str]:
        """Of the pair and the criterion."""
        return self.pair.key, self.criterion.id


class PairSession:
    """One labeller at work on pairs; the store must be open for writing."""

    def __init__(
        self,
        store: RecordStore,
        pairs: Sequence[Pair],
        known: Iterable[Preference],
        keys: Keys,
        screen: Screen,
        *,
        labeller: str,
        seed: int = 0,
        budget: int | None = None,
        question: str = "",
        rubric: Sequence[Criterion] = (),
        language: str = "en",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``known`` are the preferences in the store.

        ``question`` replaces the usual one, the criteria of a rubric are asked in its stead.
        """
        self._words = WORDS[language]
        asked = question or self._words["question"]
        criteria = tuple(rubric) or (Criterion("", asked, asked),)
        self._store = store
        self._questions = [
            PairQuestion(pair, criterion)
            for pair in order(pairs, labeller, seed)
            for criterion in criteria
        ]
        self._pairs = len({one.pair.key for one in self._questions})
        self._done = {(one.key, one.criterion) for one in known if one.labeller == labeller}
        self._language = language
        self._on_screen: Pair | None = None
        self._keys = keys
        self._screen = screen
        self._labeller = labeller
        self._seed = seed
        self._budget = budget
        self._clock = clock
        self._note = ""
        self.given = 0

    @property
    def left(self) -> int:
        """Pairs that this labeller has not labelled, by one criterion at least."""
        return len({one.pair.key for one in self._questions if one.key not in self._done})

    def run(self) -> None:
        """Label until all is labelled, the budget is spent, or the labeller quits."""
        last: PairQuestion | None = None
        again: PairQuestion | None = None
        while again or self._budget is None or self.given < self._budget:
            asked = again or next(
                (one for one in self._questions if one.key not in self._done), None
            )
            if asked is None:
                self._say("end")
                return
            self._show(asked)
            since = self._clock()
            key = self._choice(may_undo=last is not None)
            if key in ("q", ""):
                return
            if key == "u":
                again = last
                continue
            self._keep(asked, key, self._clock() - since)
            self.given += again is None
            last, again = asked, None

    def _keep(self, asked: PairQuestion, key: str, seconds: float) -> None:
        pair = asked.pair
        left = left_side(pair, self._labeller, self._seed)
        sides = (left, "second" if left == "first" else "first")
        choice = sides[_KEYS[key]] if key in _KEYS else {"t": "tie", "s": "skipped"}[key]
        label = label_of(
            pair, choice, self._labeller, left=left, seconds=max(0.0, seconds), note=self._note,
            time=self._clock(), criterion=asked.criterion.id,
        )  # fmt: skip
        self._store.append([label])
        self._done.add(asked.key)
        self._note = ""

    def _choice(self, *, may_undo: bool) -> str:
        """The key of a choice, u, q, or "" at the end of input."""
        words = self._words
        menu = words["menu"] + (words["undo"] if may_undo else "") + words["quit"]
        while True:
            self._screen.write(menu)
            key = self._keys.key()
            if key in ("a", "b", "t", "s", "q", "") or (key == "u" and may_undo):
                return key
            if key == "n":
                self._say("note")
                self._note = escaped(self._keys.text())
            elif key == "u":
                self._say("nothing")
            else:
                self._say("no_key", key=escaped(key))

    def _show(self, asked: PairQuestion) -> None:
        words, pair = self._words, asked.pair
        question = asked.criterion.question(self._language)
        if self._on_screen == pair:
            self._screen.write("\n" + escaped(question))
            return
        self._on_screen = pair
        self._screen.write("")
        self._screen.write("─" * min(self._screen.width, 72))
        done = self._pairs - self.left
        self._say("count", done=done, all=self._pairs, item=escaped(pair.item))
        answers = [shown(pair.first), shown(pair.second)]
        if left_side(pair, self._labeller, self._seed) == "second":
            answers.reverse()
        text = f"{words['prompt']}\n{shown(pair.prompt)}\n"
        for name, answer in zip("AB", answers, strict=True):
            text += f"\n{words['answer'].format(name=name)}\n{answer}\n"
        text += f"\n{question}"
        self._screen.show(
            text,
            self._keys,
            lambda number, count: self._say("page", number=number, all=count),
        )

    def _say(self, name: str, **values: object) -> None:
        self._screen.write(self._words[name].format(**values))


def _drawn(purpose: str, pair: Pair, labeller: str, seed: int) -> bytes:
    return hashlib.sha256(f"{purpose}\0{seed}\0{labeller}\0{pair.key}".encode(
        "utf-8", "surrogatepass")).digest()  # fmt: skip
