"""Applies the rules of ``data/rules.yaml`` to the parts of a system and their licences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from buttress.evidence.findings import SEVERITIES, Severity
from buttress.files.located_yaml import FieldPath, Located
from buttress.files.visible import shortened
from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.facts import Licence, have, licences
from buttress.rules.rule import Rule
from buttress.rules.rule_files import TEXT, RuleFormat, RuleKind, common

NO_ADVICE: Final = "This is not legal advice."

Role = Literal["model", "adapter", "data", "code", "package"]
Relation = Literal["base", "data", "package"]


@dataclass(frozen=True, slots=True)
class IntendedUse:
    """What is known of the use; None where nothing was said."""

    commercial: bool | None = None
    distributed: bool | None = None  # given away, not only offered over a network


@dataclass(frozen=True, slots=True)
class LicensedPart:
    """A part of a system; ``external`` where it isn't there, only named by another."""

    role: Role
    name: str
    declared: tuple[Declared, ...] = ()
    location: str = ""
    external: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """``subject`` was made from, trained on, or uses ``other``."""

    subject: LicensedPart
    relation: Relation
    other: LicensedPart


@dataclass(frozen=True, slots=True)
class Conflict:
    """A rule that applies to a subject."""

    rule: LicenceRule
    subject: LicensedPart
    severity: Severity
    message: str


@dataclass(frozen=True, kw_only=True)
class LicenceRule(Rule):
    """One rule; the fields are explained at the head of the data file."""

    roles: tuple[Role, ...]
    bad_case: tuple[str, ...]
    good_case: tuple[str, ...]
    licence: Mapping[str, Sequence[Any]] | None = None
    state: str = ""
    relation: Relation | None = None
    other: Mapping[str, Sequence[Any]] | None = None
    different: bool = False
    use: str = ""
    unsaid: Severity | None = None
    commercial: bool | None = None
    distributed: bool | None = None

    def in_use(self, use: IntendedUse) -> Severity | None:
        """How grave it is in that use; None where it doesn't matter there."""
        if not self.use:
            return self.severity
        said: bool | None = getattr(use, self.use)
        if said is None:
            return self.unsaid
        return self.severity if said else None


_FACTS: Final = {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}}
_CASE: Final = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 4}
_PLAIN: Final = {
    "state": {"enum": ["missing", "unknown", "contradiction"]},
    "relation": {"enum": list(get_args(Relation))},
    "licence": _FACTS, "other": _FACTS, "different": {"type": "boolean"},
    "use": {"enum": ["commercial", "distributed"]}, "unsaid": {"enum": list(SEVERITIES)},
    "commercial": {"type": "boolean"}, "distributed": {"type": "boolean"},
}  # fmt: skip


def _build(_located: Located, _at: FieldPath, data: Mapping[str, Any]) -> LicenceRule:
    return LicenceRule(
        **common(data),
        **{name: data[name] for name in _PLAIN if name in data},
        roles=tuple(data["roles"]),
        bad_case=tuple(data["bad"]),
        good_case=tuple(data["good"]),
    )


RULES: Final = RuleKind(
    "licence-rules",
    RuleFormat(
        fields={
            "message": TEXT, "bad": _CASE, "good": _CASE, **_PLAIN,
            "roles": {"type": "array", "items": {"enum": list(get_args(Role))}, "minItems": 1},
        },
        required=("message", "roles", "bad", "good"),
        build=_build,
    ),
    Path(__file__).parent / "data/rules.yaml",
)  # fmt: skip


def judge(
    subjects: Sequence[LicensedPart], links: Sequence[Link], use: IntendedUse
) -> Iterator[Conflict]:
    """All conflicts, in the order of the rules."""
    for rule in RULES.own.values():
        severity = rule.in_use(use)
        if severity is None:
            continue
        if rule.relation is None:
            for subject in subjects:
                if subject.role in rule.roles and _applies(rule, subject):
                    yield _conflict(rule, subject, severity)
        else:
            for link in links:
                if link.relation != rule.relation or link.subject.role not in rule.roles:
                    continue
                if _related(rule, link):
                    yield _conflict(rule, link.subject, severity, link.other)


def _applies(rule: LicenceRule, subject: LicensedPart) -> bool:
    if rule.state:
        return _state(subject) == rule.state
    return _all_choices(subject, rule.licence or {})


def _state(subject: LicensedPart) -> str:
    """What is the matter with the declarations themselves."""
    if subject.external:
        return ""
    if not subject.declared:
        return "missing"
    if not all(one.known for one in subject.declared):
        return "unknown"
    return "contradiction" if len({frozenset(_ids(one)) for one in subject.declared}) > 1 else ""


def _ids(one: Declared) -> Iterator[str]:
    """Ids without what distinguishes 'only' from 'or later', which licence texts don't say."""
    for choice in one.choices:
        for known in choice:
            if known is not None:
                plain = known.id.partition(" WITH ")[0]
                yield plain.removesuffix("-only").removesuffix("-or-later")


def _all_choices(subject: LicensedPart, facts: Mapping[str, Sequence[Any]]) -> bool:
    """Whether the facts hold for a licence that can't be chosen away.

    Of several declarations, each counts, since any of them may be the one that holds.
    """
    for declared in subject.declared or _NOTHING.get(subject.role, ()):
        choices = [[one for one in choice if one] for choice in _choices(declared)]
        if all(choice and have(choice, facts) for choice in choices):
            return True
    return False


def _choices(declared: Declared) -> tuple[tuple[Licence | None, ...], ...]:
    return ((_CLOSED,),) if declared is _NO_LICENCE else declared.choices


_NO_LICENCE: Final = Declared("no licence given", "")
_NOTHING: Final[Mapping[str, tuple[Declared, ...]]] = {"code": (_NO_LICENCE,)}
_CLOSED: Final = replace(
    licences()["MIT"], id=_NO_LICENCE.text, spdx=False, commercial="", copyleft="closed"
)


def _related(rule: LicenceRule, link: Link) -> bool:
    if not _all_choices(link.other, rule.other or {}):
        return False
    if rule.licence is not None and not _all_choices(link.subject, rule.licence):
        return False
    if rule.different:
        own = {one for declared in link.subject.declared for one in _ids(declared)}
        return own.isdisjoint(one for declared in link.other.declared for one in _ids(declared))
    return True


def _conflict(
    rule: LicenceRule, subject: LicensedPart, severity: Severity, other: LicensedPart | None = None
) -> Conflict:
    known = [one for declared in subject.declared for choice in declared.choices for one in choice]
    message = rule.message.format(
        role=subject.role,
        name=shortened(subject.name),
        licence=_shown(subject),
        condition=next((one.condition for one in known if one and one.condition), ""),
        territory=next((one.territory for one in known if one and one.territory), ""),
        other=shortened(other.name) if other else "",
        other_licence=_shown(other) if other else "",
    )
    return Conflict(rule, subject, severity, message)


def _shown(subject: LicensedPart) -> str:
    if not subject.declared:
        return _NO_LICENCE.text
    by_text = dict.fromkeys(shortened(one.shown) for one in subject.declared)
    return " and ".join(by_text)
