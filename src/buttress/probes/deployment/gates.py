"""What decides in a GitHub workflow whether a job or step runs, and what a step makes sure of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from buttress.rules.subject import scalar

_MAX_GATES: Final = 50  # jobs that one needs
_ASKED: Final = re.compile(r"\b(needs|steps)\.([\w-]+)\.(?:outputs\.([\w-]+)|result|outcome)")
# Words of a job, step or script that decides whether somebody's code may run.
_DECIDES: Final = re.compile(
    r"(?i)allow(?:ed|list)|trust|eligib|\bgate|gate\b|authori[sz]|permission|member|collaborator|"
    r"approv|\bfork|maintainer|is_?owner|owner_?check|safe_?to|association"
)
# Actions that only tell which files are changed, so that less is built.
_OF_FILES: Final = re.compile(r"(?i)^(?:dorny/paths-filter|[\w.-]+/(?:get-)?changed-files)@")
# A form that all of a value must have, else the step fails.
_FORM: Final = re.compile(
    r"=~\s*[\"']?\^[^\n]*\$|\bgrep\s+-\w*[qEPx]\w*\s+(?:-\w+\s+)*[\"']\^[^\n]*\$[\"']|"
    r"\*\[[!^][\w\\.-]+\]\*|\.test\(|\.match\(\s*/\^|re\.fullmatch\("
)
_NEVER: Final = re.compile(r"\s*(?:\$\{\{\s*)?(?i:false)\s*(?:&&|\}\}|$)")
_ENDS: Final = re.compile(r"\bexit\s+1\b|setFailed|\bthrow\b|sys\.exit|raise\b")


def gates(workflow: Any, job: Any) -> list[Mapping[str, Any]]:
    """A job and those that it needs, without which it does not start."""
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    found: list[Mapping[str, Any]] = []
    pending = [job]
    while pending and len(found) < _MAX_GATES:
        one = pending.pop()
        if not isinstance(one, dict) or any(one is known for known in found):
            continue
        found.append(one)
        needs = one.get("needs")
        if not re.search(r"always\(|cancelled\(|failure\(", condition(one)):
            names = needs if isinstance(needs, list) else [needs]
            pending += [jobs.get(str(name)) for name in names] if isinstance(jobs, dict) else []
    return found


def condition(part: Mapping[str, Any]) -> str:
    """The condition of a job or step; empty where it has none."""
    return str(part.get("if", ""))


def asks_first(workflow: Any, job: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    """What a job or step before decides whether one runs, in words; empty where nothing does.

    What that asks may lie in a script of the project, which is not followed. Which files are
    changed decides nothing.
    """
    steps = job.get("steps")
    for one in (*gates(workflow, job), step):
        if _NEVER.match(condition(one)):
            return "its condition never holds, so that it is switched off"
        for what, name, output in _ASKED.findall(condition(one)):
            inside = what == "steps"
            given = _steps_named(steps, name) if inside else _steps_of(workflow, name)
            if _decides(f"{name} {output}", given, whole=inside):
                way = f"it runs only where {what}.{name} lets it"
                return f"{way}, and what that asks is not followed"
    return ""


def _steps_of(workflow: Any, name: str) -> list[Any]:
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    job = jobs.get(name) if isinstance(jobs, dict) else None
    steps = job.get("steps") if isinstance(job, dict) else None
    return steps if isinstance(steps, list) else []


def _steps_named(steps: Any, name: str) -> list[Any]:
    found = steps if isinstance(steps, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("id") == name]


def _decides(called: str, steps: Sequence[Any], *, whole: bool) -> bool:
    texts = [called]
    for one in steps:
        if not isinstance(one, dict) or _OF_FILES.match(str(one.get("uses", ""))):
            continue
        given = one.get("with")
        script = given.get("script") if isinstance(given, dict) else ""
        names = f"{one.get('id', '')} {one.get('name', '')}"
        ran = f"{scalar(one.get('run')) or ''} {scalar(script) or ''}"
        texts.append(f"{names} {ran}" if whole or "GITHUB_OUTPUT" in ran or script else names)
    return any(map(_DECIDES.search, texts)) and any(isinstance(one, dict) for one in steps)


def checked_form(steps: Sequence[Any], through: str) -> str:
    """That the step whose output a value is checks its form, in words; else empty."""
    for name in re.findall(r"\bsteps\.([\w-]+)\.", through):
        for one in _steps_named(list(steps), name):
            given = one.get("with")
            script = (
                f"{one.get('run', '')} {given.get('script', '') if isinstance(given, dict) else ''}"
            )
            if _FORM.search(script) and _ENDS.search(script):
                return f"step {name} checks the form of what it hands on"
    return ""


def by_members(parts: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]], path: str) -> str:
    """That only members write a comment which starts the run, in words; else empty."""
    of_comment = re.match(r"github\.event\.(?:comment|review|review_comment)\b", path)
    if of_comment and any(re.search(r"\.author_association\b", condition(one)) for one in parts):
        return "a check of who writes the comment stands before it"
    return ""


_MAX_SIGNS: Final = 100  # parentheses and negations of a condition that is read
_DENIED: Final = re.compile(r"\0\s*(?:!=\s*['\"]?true|==\s*['\"]?false)")
_SIGNS: Final = re.compile(r"&&|\|\||!(?!=)|\(|\)")


def never_for_strangers(text: str, trusted: Sequence[Any]) -> bool:
    """Whether a condition does not hold where all of ``trusted``, patterns in it, do not.

    All else in it may hold or not.
    """
    marked = text.strip().removeprefix("${{").removesuffix("}}")
    if marked.count("(") + marked.count("!") > _MAX_SIGNS:
        return False
    for one in trusted:
        marked = one.sub(" \0 ", marked)
    return True not in _Holds(marked).value()


class _Holds:
    """Reads a condition by precedence, ``||`` below ``&&`` below ``!``, as the values it may have.

    Calls and comparisons are atoms.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def value(self) -> frozenset[bool]:
        found = self._all()
        while self._take("||"):
            more = self._all()
            found = frozenset(one or other for one in found for other in more)
        return found

    def _all(self) -> frozenset[bool]:
        found = self._one()
        while self._take("&&"):
            more = self._one()
            found = frozenset(one and other for one in found for other in more)
        return found

    def _one(self) -> frozenset[bool]:
        if self._take("!"):
            return frozenset(not one for one in self._one())
        if self._take("("):
            found = self.value()
            self._take(")")
            return found
        return self._atom()

    def _atom(self) -> frozenset[bool]:
        start, depth = self._place, 0
        while self._place < len(self._text):
            sign = _SIGNS.match(self._text, self._place)
            if sign and sign[0] in ("&&", "||") and not depth:
                break
            if sign and sign[0] == ")" and not depth:
                break
            depth += {"(": 1, ")": -1}.get(sign[0], 0) if sign else 0
            self._place = sign.end() if sign else self._place + 1
        atom = self._text[start : self._place]
        if "\0" not in atom:
            return frozenset((True, False))
        return frozenset({_DENIED.search(atom) is not None})

    def _take(self, sign: str) -> bool:
        while self._text[self._place : self._place + 1].isspace():
            self._place += 1
        if not self._text.startswith(sign, self._place) or self._text.startswith("!=", self._place):
            return False
        self._place += len(sign)
        return True
