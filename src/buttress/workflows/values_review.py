"""A person reviews questions about a charter at the terminal, before any is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from buttress.labelling.keys import Keys
from buttress.labelling.pages import escaped
from buttress.labelling.screen import Screen
from buttress.probes.behaviour.charter.principles import Principle
from buttress.probes.behaviour.charter.questions import CharterQuestion, Review

_DECISIONS: Final[Mapping[str, Review]] = {"a": "accepted", "r": "rejected"}
WORDS: Final = {
    "en": {
        "count": "{left} of {all} to review · {id} · {origin}",
        "principle": "PRINCIPLE",
        "question": "QUESTION ({language})",
        "good": "keeps it",
        "bad": "breaks it",
        "asked": "Is this a fair question, and do the answers keep and break the principle?",
        "menu": "a accept  r reject  u undo  q quit",
        "no_key": "'{key}' is no key here.",
        "nothing": "Nothing to undo in this session.",
        "page": "-- page {number} of {all}: space for more, e to the end --",
        "end": "All questions are reviewed.",
    },
    "zh": {
        "count": "待审 {left} / {all} · {id} · {origin}",
        "principle": "原则",
        "question": "问题（{language}）",
        "good": "遵守",
        "bad": "违反",
        "asked": "问题是否公允？两个答案是否确实遵守和违反该原则？",
        "menu": "a 接受  r 拒绝  u 撤销  q 退出",
        "no_key": "“{key}”不是可用的按键。",
        "nothing": "本次会话没有可撤销的内容。",
        "page": "-- 第 {number} 页，共 {all} 页：空格翻页，e 到末尾 --",
        "end": "所有问题都已审阅。",
    },
}


class QuestionReview:
    """One reviewer at work. ``keep`` makes all questions durable; it is called after each key."""

    def __init__(
        self,
        questions: Sequence[CharterQuestion],
        principles: Sequence[Principle],
        keys: Keys,
        screen: Screen,
        *,
        reviewer: str,
        keep: Callable[[Sequence[CharterQuestion]], None],
        language: str = "en",
    ) -> None:
        self.questions = list(questions)
        self._principles = {one.id: one for one in principles}
        self._keys = keys
        self._screen = screen
        self._reviewer = reviewer
        self._keep = keep
        self._language = language
        self._words = WORDS[language]

    @property
    def left(self) -> int:
        """Questions that nobody has reviewed."""
        return sum(one.review == "pending" for one in self.questions)

    def run(self) -> None:
        """Review until all is reviewed or the reviewer quits."""
        done: list[int] = []
        while True:
            at = next((n for n, one in enumerate(self.questions) if one.review == "pending"), None)
            if at is None:
                self._say("end")
                return
            self._show(self.questions[at])
            key = self._key(may_undo=bool(done))
            if key in ("q", ""):
                return
            if key == "u":
                at = done.pop()
                self._decide(at, "pending", "")
            else:
                self._decide(at, _DECISIONS[key], self._reviewer)
                done.append(at)

    def _decide(self, at: int, review: Review, reviewer: str) -> None:
        self.questions[at] = self.questions[at].reviewed(review, reviewer)
        self._keep(self.questions)

    def _key(self, *, may_undo: bool) -> str:
        while True:
            self._say("menu")
            key = self._keys.key()
            if key in (*_DECISIONS, "q", "") or (key == "u" and may_undo):
                return key
            if key == "u":
                self._say("nothing")
            else:
                self._say("no_key", key=escaped(key))

    def _show(self, one: CharterQuestion) -> None:
        words = self._words
        self._screen.write("")
        self._screen.write("─" * min(self._screen.width, 72))
        self._say("count", left=self.left, all=len(self.questions), id=escaped(one.id),
                  origin=escaped(one.origin))  # fmt: skip
        rule = self._principles[one.principle].text(self._language)
        parts = [f"{words['principle']}\n{rule}"]
        for language, text in one.texts.items():
            wordings = "\n".join(f"- {wording}" for wording in text.wordings)
            parts.append(
                f"{words['question'].format(language=language)}\n{wordings}\n"
                f"{words['good']}: {text.good}\n{words['bad']}: {text.bad}"
            )
        parts.append(words["asked"])
        self._screen.show(
            "\n\n".join(parts),
            self._keys,
            lambda number, count: self._say("page", number=number, all=count),
        )

    def _say(self, sentence: str, /, **values: object) -> None:
        self._screen.write(self._words[sentence].format(**values))
