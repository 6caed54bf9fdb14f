"""Joins changes of one check that have one cause, so that each cause is told as one event.

A header of several directives, a way to sign in that many operations name, a path with several
methods, a product with what is known of it, a certificate with what is found about it: what is
compared is each fact, what somebody changed is the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher
from typing import Final

from buttress.drift.changes import FactChange, PlaceChange

_ALIKE: Final = 0.5
_MOST_PAIRED: Final = 40  # changes of a check that are compared with each other
_SINGLE: Final = ("server", "base", "refresh", "product")  # of which a place has one as a rule
_OF_SCRIPTS: Final = ("endpoint", "text", "power", "credential")
_SEPARATORS: Final = {"parameters": "; ", "answers": " ", "security": " or "}
_HOW_A_PAGE_ANSWERS: Final = {"status", "redirect", "content-type", "title"}
_TLS_FINDING: Final = re.compile(
    r"(?:obsolete-protocol|no-tls-1-3|no-encryption|anonymous-key-exchange|.*-suite|"
    r"no-forward-secrecy|weak-ephemeral-key|tls-compression|insecure-renegotiation|"
    r"no-downgrade-protection)"
)


def group_of(name: str) -> str:
    """What a fact's change is told with: facts of one group that change together are one event."""
    kind = name.partition(" ")[0]
    if kind in ("status", "redirect"):
        return "status"
    if kind in ("csp", "csp-report-only"):
        return "csp"
    if kind == "finding":
        _, probe, rule, place = (*name.split(" ", 3), "", "", "")[:4]
        if probe != "link-live":
            return f"finding {probe} {place}"
        if rule.startswith(("certificate-", "ocsp-")):
            return "certificate"
        return "tls" if _TLS_FINDING.fullmatch(rule) else name
    return kind if kind in ("certificate", "tls") else name.partition("#")[0]


def by_cause(changes: Sequence[PlaceChange]) -> list[PlaceChange]:
    """Changes of a place, with those that have one cause as one."""
    made = _replacements(list(changes))
    made = _joined(made, _of_operations)
    _swallow(made, _is_scheme, _needs)
    _swallow(made, lambda one: _kinds(one) == {"missing-script"} and _came(one), _was_in_script)
    _swallow(made, lambda one: _kinds(one) == {"scheme"}, _of_link)
    _swallow(made, lambda one: "certificate key" in _names(one), _of_suites)
    _swallow(made, lambda one: _kinds(one) == {"product"}, _of_product)
    _swallow(made, lambda one: _kinds(one) == {"finding"}, _of_finding)
    return made


def explains_page(host: PlaceChange, page: PlaceChange) -> bool:
    """Whether a product that came to a host or left it is why a page answers otherwise."""
    products = [one for one in host.facts if one.name.startswith("product ")]
    return (
        any(None in (one.before, one.after) for one in products)
        and _kinds(page) <= _HOW_A_PAGE_ANSWERS
    )


def explained_by_page(host: PlaceChange, page: PlaceChange) -> bool:
    """Whether what a host is found to send without TLS changed since its first page did: it asks
    for a password, or leads elsewhere.
    """
    return bool(_kinds(page) & {"form", "redirect", "status"}) and is_sent_plain(host)


def is_sent_plain(change: PlaceChange) -> bool:
    """Whether all that changed is what a host is found to send without TLS."""
    return all(one.name.startswith("finding link-live no-tls ") for one in change.facts)


def told_alike(change: PlaceChange) -> Hashable:
    """The same for changes of several places that are one event: equal facts, a redirect to one
    address whatever else it hides, the return of what one event told.
    """
    if change.kind == "reverted":
        return change.kind, change.of
    leads = next((one.after for one in change.facts if one.name == "redirect"), None)
    if change.kind == "changed" and leads is not None:
        return change.kind, "redirect", leads
    return change.kind, change.of, *((one.name, one.after) for one in change.facts)


def _joined(
    changes: Sequence[PlaceChange], key_of: Callable[[PlaceChange], Hashable | None]
) -> list[PlaceChange]:
    """Changes with the same key as one; those without a key stay."""
    first: dict[Hashable, PlaceChange] = {}
    made = []
    for one in changes:
        key = key_of(one)
        if key is not None and key in first:
            first[key].facts += one.facts
        else:
            made.append(one)
            if key is not None:
                first[key] = one
    return made


def _swallow(
    changes: list[PlaceChange],
    is_cause: Callable[[PlaceChange], bool],
    explains: Callable[[PlaceChange, PlaceChange], bool],
) -> None:
    """Give each change that another one explains to that one."""
    for cause in [one for one in changes if is_cause(one)]:
        if not any(one is cause for one in changes):
            continue
        for one in [one for one in changes if one is not cause and explains(cause, one)]:
            cause.facts += one.facts
            changes[:] = [other for other in changes if other is not one]


def _of_operations(change: PlaceChange) -> Hashable | None:
    """The same for operations of one path that come or go, that are moved alike, or to which the
    same happens; None for what is no operation.
    """
    if _kinds(change) != {"operation"}:
        return None
    gone = {_path(one.name) for one in change.facts if one.after is None and "#" not in one.name}
    come = {_path(one.name) for one in change.facts if one.before is None and "#" not in one.name}
    if gone and come:
        return "moved", _edit(min(gone), min(come))
    if gone or come:
        return "gone" if gone else "come", min(gone | come)
    return "changed", tuple(
        (aspect, *_difference(aspect, one.before or "", one.after or ""))
        for one in change.facts
        for aspect in [one.name.rpartition("#")[2]]
    )


def _path(name: str) -> str:
    return name.split(" ", 2)[2]


def _edit(before: str, after: str) -> tuple[str, str]:
    """What of a path became what, without what both begin or end with."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]


def _difference(aspect: str, before: str, after: str) -> tuple[frozenset[str], frozenset[str]]:
    """Items of a list that went, and that came; of other values the values."""
    separator = _SEPARATORS.get(aspect)
    old = set(before.split(separator) if separator else [before])
    new = set(after.split(separator) if separator else [after])
    return frozenset(old - new), frozenset(new - old)


def _is_scheme(change: PlaceChange) -> bool:
    return _kinds(change) == {"security-scheme"} and any(
        None in (one.before, one.after) for one in change.facts
    )


def _needs(scheme: PlaceChange, other: PlaceChange) -> bool:
    """Whether operations changed in nothing but that they need a scheme that came or went."""
    names = {one.name.partition(" ")[2] for one in scheme.facts}
    return all(
        one.name.startswith("operation ")
        and one.name.endswith("#security")
        and bool(names & set(re.split(" (?:or|and) ", f"{one.before} or {one.after}")))
        for one in other.facts
    )


def _was_in_script(_: PlaceChange, other: PlaceChange) -> bool:
    return _kinds(other) <= set(_OF_SCRIPTS) and _went(other)


def _of_link(_: PlaceChange, other: PlaceChange) -> bool:
    return _kinds(other) <= {"tls", "certificate"} or all(
        one.name.startswith("finding link-live ") for one in other.facts
    )


def _of_suites(_: PlaceChange, other: PlaceChange) -> bool:
    """A key of another type takes other suites."""
    return _kinds(other) == {"tls"}


def _of_product(product: PlaceChange, other: PlaceChange) -> bool:
    """What is found about a product, and the models that it serves, come, go and change with it."""
    if not _kinds(other) <= {"finding", "served-model"}:
        return False
    if any(one.name.startswith("finding link-live ") for one in other.facts):
        return False
    if len(_names(product)) == 1 and not (_came(product) or _went(product)):  # another version
        return all(
            " vulnerable-version " in one.name or " possibly-vulnerable-version " in one.name
            for one in other.facts
        )
    if not (_came(product) or _went(product)):  # another product
        return True
    return (_came(product) and _came(other)) or (_went(product) and _went(other))


def _of_finding(finding: PlaceChange, other: PlaceChange) -> bool:
    """Models are seen, or are no longer, since anybody may ask for them, or may not."""
    if any(one.name.startswith("finding link-live ") for one in finding.facts):
        return False
    return _kinds(other) == {"served-model"} and (
        (_came(finding) and _came(other)) or (_went(finding) and _went(other))
    )


def _names(change: PlaceChange) -> set[str]:
    return {one.name for one in change.facts}


def _kinds(change: PlaceChange) -> set[str]:
    return {one.name.partition(" ")[0] for one in change.facts}


def _came(change: PlaceChange) -> bool:
    return all(one.before is None for one in change.facts)


def _went(change: PlaceChange) -> bool:
    return all(one.after is None for one in change.facts)


def _replacements(changes: list[PlaceChange]) -> list[PlaceChange]:
    """The changes, with what went and what came in its place as one: a form that posts elsewhere.

    Both are of one kind, and their names are much alike, or they are forms with the same fields, or
    the only ones of a kind of which a place has one.
    """
    gone = [one for one in changes if _went(one)]
    come = [one for one in changes if _came(one)]
    pairs = sorted(
        (
            (-_alike(first.facts[0], second.facts[0]), at, to)
            for at, first in enumerate(gone[:_MOST_PAIRED])
            for to, second in enumerate(come[:_MOST_PAIRED])
        ),
    )
    only = {
        kind
        for kind in _SINGLE
        if sum(_kinds(one) == {kind} for one in gone) == 1
        and sum(_kinds(one) == {kind} for one in come) == 1
    }
    taken_from: set[int] = set()
    taken_to: set[int] = set()
    for value, at, to in pairs:
        kinds = _kinds(gone[at])
        fits = -value >= _ALIKE or (kinds == _kinds(come[to]) and kinds <= only)
        if fits and at not in taken_from and to not in taken_to:
            taken_from.add(at)
            taken_to.add(to)
            come[to].facts[:0] = gone[at].facts
    replaced = [gone[at] for at in taken_from]
    return [one for one in changes if not any(one is other for other in replaced)]


def _alike(gone: FactChange, come: FactChange) -> float:
    """How alike two facts are by their names, in [0, 1]; 0 where they are of different kinds."""
    kind, _, rest = gone.name.partition(" ")
    other, _, tail = come.name.partition(" ")
    if kind != other:
        return 0.0
    likeness = SequenceMatcher(None, rest, tail).ratio()
    same_fields = kind == "form" and gone.before == come.after
    return max(likeness, _ALIKE) if same_fields else likeness
