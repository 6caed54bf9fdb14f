"""What rules are about: a piece of a file, and the matching of rules on it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.files.located_yaml import FieldPath
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.yaml_documents import LimitMet
from buttress.rules.governing import clause, governed, told_of
from buttress.rules.reporting import Issue, less_grave
from buttress.rules.skeleton import skeleton
from buttress.rules.subject_rule import SubjectRule
from buttress.rules.terms import EARLIER, Vocabulary, Wordings

_AROUND: Final = 120
# Ends of lines within a paragraph, with marks of quoting; not before lists, headings and blocks.
_FLOWING: Final = re.compile(
    r"(?<=\S)[ \t]*\r?\n[ \t]{0,3}(?:>[ \t]?)*(?=[^\s#*+|>-])(?!```|~~~|\d+[.)])|<br[ \t]*/?>"
)
_CODE: Final = re.compile(r"(?ms)^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)")  # between fences
_FAR_APART: Final = "the words that say so stand far apart"
_TOLD_OF: Final = "it tells what others do"
_ENDS: Final = ("\n", ". ", "。", "! ", "? ")
CONTINUED: Final = "\f"  # stands for a line's end that does not end a command


@dataclass(frozen=True, slots=True)
class Subject:
    """A piece of a file, of a ``kind`` that rules name: text, or plain data.

    ``line`` gives the line of a value in the data; ``context`` is what else its rules need.
    """

    kind: str
    value: Any
    line: Callable[[FieldPath], int]
    context: Mapping[str, Any] = field(default_factory=dict)
    breaks: bool = True  # whether line breaks in the text are those of the file
    lookalikes: bool = True  # whether what the text looks like is searched as well

    def text(self, *path: str | int) -> str:
        """A scalar in the data as YAML would write it; empty where there is none."""
        value = self.value
        for key in path:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return ""
        return scalar(value) or ""


@dataclass(frozen=True, slots=True)
class SubjectMatch:
    """What a check found: the line, and what the message tells.

    ``lessened`` says why it is less grave than its rule: medium at most.
    """

    line: int
    it: str = ""
    lessened: str = ""


Check = Callable[[Subject], Iterable[SubjectMatch]]


def scalar(value: Any) -> str | None:
    """A scalar as YAML would write it; None for lists and mappings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return None if isinstance(value, (dict, list)) else encodable(str(value))


def at_line(line: int) -> Callable[[FieldPath], int]:
    """For a subject that stands on one line."""
    return lambda _: line


def unread(
    problems: list[str], file: SourceFile, how: str, reading: SourceReading
) -> Iterator[Subject]:
    """Note why parts of a file were not read; limits are subjects of rules, too."""
    for problem in problems:
        limit = isinstance(problem, LimitMet)
        tell = reading.record_unread if limit else reading.record_skip
        tell(file.location, f"{how}, {problem}")
        if limit:
            yield Subject("limit", f"{how}, {problem}", at_line(1))


class SubjectMatcher:
    """Applies rules to subjects."""

    def __init__(self, rules: Iterable[SubjectRule], checks: Mapping[str, Check]) -> None:
        rules = tuple(rules)
        self.rules: Mapping[str, SubjectRule] = {one.id: one for one in rules}
        self._checks = checks
        self._by_kind: dict[str, list[SubjectRule]] = defaultdict(list)
        for rule in rules:
            for kind in rule.about:
                self._by_kind[kind].append(rule)
        self._vocabulary = Vocabulary(
            term.removeprefix(EARLIER) for rule in rules for terms in rule.terms for term in terms
        )

    def issues(self, subject: Subject) -> Iterator[Issue]:
        """All defects of a subject."""
        if isinstance(subject.value, str):  # escapes in source can name half a surrogate pair
            subject = replace(subject, value=encodable(subject.value))
        readings = _Readings(subject, self._vocabulary) if isinstance(subject.value, str) else None
        for rule in self._by_kind.get(subject.kind, ()):
            if rule.check:
                yield from (_issue(rule, hit) for hit in self._checks[rule.check](subject))
            elif readings is not None:
                yield from _in_text(rule, subject, readings)
            else:
                yield from _in_data(rule, subject)


def _issue(rule: SubjectRule, hit: SubjectMatch) -> Issue:
    issue = Issue(rule.id, hit.line, hit.it)
    return less_grave(issue, rule, hit.lessened) if hit.lessened else issue


class _Readings:
    """What a text is read as: as it stands, by what it looks like, and with its lines joined."""

    def __init__(self, subject: Subject, vocabulary: Vocabulary) -> None:
        text = subject.value
        self._plain = [(text, text)]
        self._folded = skeleton(text) if subject.lookalikes else text
        if self._folded is not text:  # look-alike letters
            self._plain.append((self._folded, self._folded))
        self._for_model = subject.kind.startswith("text.")
        self._vocabulary = vocabulary

    def of(self, rule: SubjectRule) -> list[tuple[str, str]]:
        """The readings that a rule is tried on, each with the text that has its lines."""
        return self._joined if rule.sentence and self._for_model else self._plain

    @cached_property
    def wordings(self) -> Wordings:
        """The terms of the reading that joins lines and letters."""
        text = self._joined[-1][0] if self._for_model else self._folded
        return Wordings(text, self._vocabulary.absent(text))

    @cached_property
    def _joined(self) -> list[tuple[str, str]]:
        """A model reads a paragraph as one, wherever its lines end."""
        flowing = _outside_code(self._folded)
        if flowing == self._folded:
            return self._plain
        return [*self._plain, (flowing, self._folded)]


def _in_text(rule: SubjectRule, subject: Subject, readings: _Readings) -> Iterator[Issue]:
    tried = readings.of(rule)
    lines: set[int] = set()
    for number, (reading, lined) in enumerate(tried, 1):
        wordings = readings.wordings if rule.terms and number == len(tried) else None
        found = list(_matches(rule, subject, reading, lined, wordings))
        yield from (issue for issue in found if issue.line not in lines)
        lines.update(issue.line for issue in found)


def _outside_code(text: str) -> str:
    """A text with the lines of each paragraph joined; a line of code is an order of its own."""
    parts, last = [], 0
    for block in _CODE.finditer(text):
        parts += [_FLOWING.sub(_blank, text[last : block.start()]), block[0]]
        last = block.end()
    return "".join([*parts, _FLOWING.sub(_blank, text[last:])])


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _matches(
    rule: SubjectRule, subject: Subject, text: str, lined: str, wordings: Wordings | None
) -> Iterator[Issue]:
    if rule.unless_in and rule.exception_in.search(text):
        return
    acts = sorted(_acts(rule, text, wordings))
    line, counted = subject.line(()) if acts else 0, 0
    for start, end, shown, far in acts:
        if subject.breaks:
            line += lined.count("\n", counted, start) + lined.count(CONTINUED, counted, start)
            counted = start
        if rule.act and governed(text, start, end):
            continue
        if rule.unless:
            governing = clause(text, start) if rule.sentence else ""
            if rule.exception.search(governing + text[start:end]):
                continue
        if rule.unless_command and rule.exception_command.search(_command(text, start, end)):
            continue
        about = _sentence(text, start, end) if rule.sentence else text[start:end]
        told = " ".join((shown or about).split())
        why = _TOLD_OF if rule.act and told_of(text, start) else ""
        yield _issue(rule, SubjectMatch(line, told, _FAR_APART if far else why))


def _command(text: str, start: int, end: int) -> str:
    """The line of an act, and those that a backslash at its end joins to it."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    while last > 0 and text[last - 1] == "\\":
        last = text.find("\n", last + 1)
    return text[first : last if last >= 0 else len(text)][:2_000].replace("\\\n", "  ")


def _acts(
    rule: SubjectRule, text: str, wordings: Wordings | None
) -> Iterator[tuple[int, int, str, bool]]:
    """Start and end of what a rule's pattern and terms find, and the group that is shown of it.

    The last is whether it is made of terms that stand far apart.
    """
    for match in rule.expression.finditer(text):
        yield *match.span(), next((one for one in match.groups() if one), ""), False
    if wordings is not None:  # looked for once, in the reading that joins lines and letters
        for start, end, far in wordings.combinations(rule.terms):
            yield start, end, "", far


def _sentence(text: str, start: int, end: int) -> str:
    """The sentence, or line, around a match; at most some words before and after."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    first = max(before.rfind(sign) for sign in _ENDS) + 1
    ends = [place for sign in _ENDS if (place := after.find(sign)) >= 0]
    return before[first:] + text[start:end] + after[: min(ends, default=len(after))]


def _in_data(rule: SubjectRule, subject: Subject) -> Iterator[Issue]:
    places = list(_resolve(subject.value, rule.at.split(".") if rule.at else [], ()))
    if rule.missing:
        if all(value in (None, "") for _, value in places):
            yield Issue(rule.id, subject.line(()))
        return
    for path, value in places:
        text = scalar(value)
        match = None if text is None else rule.expression.search(text)
        if text is None or match is None:
            continue
        if not (rule.unless and rule.exception.search(text)):
            shown = match["it"] if "it" in rule.expression.groupindex else text
            yield Issue(rule.id, subject.line(path), shown)


def _resolve(value: Any, steps: list[str], path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if not steps:
        yield path, value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        if step == "*":
            for index, one in enumerate(value):
                yield from _resolve(one, rest, (*path, index))
    elif isinstance(value, dict):
        for key in value if step == "*" else (step,) if step in value else ():
            yield from _resolve(value[key], rest, (*path, key))
