"""What the reader of a survey should know of its rules and advisories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from buttress.live.sent import KEY_NOT_SENT
from buttress.live.survey import HostResult
from buttress.probes.infrastructure.probe import rules_of
from buttress.probes.infrastructure.products import products
from buttress.protocols.live import LiveContext, LiveProbe

_TOLD_PROBLEMS: Final = 5


def survey_notes(
    probes: Sequence[LiveProbe], context: LiveContext, hosts: Sequence[HostResult]
) -> Iterator[str]:
    """What of the rules was left out, which products were compared with no advisories, and which
    hosts were sent no key."""
    for host in hosts:
        withheld = sum(one.note.startswith(KEY_NOT_SENT) for one in host.sent)
        if withheld:
            yield (
                f"{host.url}: {withheld} requests with a key were not sent, since its certificate "
                "does not prove its name; what needs a key was not tested"
            )
    if any(one.layer == "infrastructure" for one in probes):
        yield from _rule_notes(context)
        yield from _advisory_notes(context, hosts)


def _rule_notes(context: LiveContext) -> Iterator[str]:
    """What of the rules was left out."""
    rules = rules_of(context)
    if rules is None:
        return
    yield f"rules of {rules.folder.title}: {len(rules.folder.fingerprints)} fingerprints"
    problems = rules.folder.problems if context.as_written else rules.problems
    for one in problems[:_TOLD_PROBLEMS]:
        yield f"left out: {one.file}: {one.what}"
    if len(problems) > _TOLD_PROBLEMS:
        yield (
            f"left out: {len(problems) - _TOLD_PROBLEMS} more rules; "
            "`buttress pack lint` tells them all"
        )
    if rules.not_sent and not context.as_written:
        yield f"not asked without --active: {', '.join(rules.not_sent)}"


def _advisory_notes(context: LiveContext, hosts: Sequence[HostResult]) -> Iterator[str]:
    """Which products were compared with no advisories at all."""
    seen = {one.product: one.name for host in hosts for one in host.observations}
    if not seen or rules_of(context) is not None:
        return
    if context.advisories is None:
        yield (
            "known vulnerabilities were not looked up: no advisories were given "
            "(--osv PATH, or --rules FOLDER)"
        )
        return
    published = {one.id for one in products() if one.packages}
    unknown = sorted({name for product, name in seen.items() if product not in published})
    if unknown:
        yield (
            "known vulnerabilities were not looked up for "
            f"{', '.join(unknown)}: --osv has advisories about packages, and theirs are not known"
        )
