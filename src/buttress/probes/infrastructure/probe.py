"""The live probe of the infrastructure layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding
from buttress.files.visible import shortened
from buttress.files.yaml_loader import load_yaml
from buttress.packs.knowledge import Knowledge
from buttress.probes.infrastructure import credentials, mcp, products, vulnerabilities
from buttress.probes.infrastructure.aig import as_written, corrected
from buttress.probes.infrastructure.aig.files import RuleFolder, RuleProblem, load
from buttress.probes.infrastructure.aig.pack_contents import KIND as PACKED
from buttress.probes.infrastructure.aig.pack_contents import read_packed
from buttress.probes.infrastructure.aig.ranges import bounds
from buttress.probes.infrastructure.aig.rules import AdvisoryRule, FingerprintRule
from buttress.probes.infrastructure.products import Exposure, Product, normalised
from buttress.probes.infrastructure.reports import PROBE as NAME
from buttress.probes.infrastructure.reports import VERSION, finding
from buttress.probes.infrastructure.served_models import served_models
from buttress.probes.infrastructure.versions import Scheme, VersionRange
from buttress.protocols.live import (
    LiveContext,
    LiveFact,
    LiveObservation,
    LiveRequest,
    Observed,
    Session,
)

_INITIALIZE: Final = b'"method":"initialize"'
_OWN: Final = "buttress"
_FOREIGN: Final = "AI-Infra-Guard"


@dataclass
class LoadedRules:
    """A folder of AI-Infra-Guard's rules, read once for a run.

    ``problems`` are files and rules that were left out, ``not_sent`` rules that need ``--active``.
    """

    folder: RuleFolder
    fingerprints: list[FingerprintRule]
    problems: list[RuleProblem]
    not_sent: list[str] = field(default_factory=list)
    _sorted: dict[tuple[str, Scheme], list[AdvisoryRule]] = field(default_factory=dict)

    def advisories(self, product: str, scheme: Scheme) -> list[AdvisoryRule]:
        """The advisories about a product under any spelling, without those that can't be meant."""
        key = product, scheme
        if key not in self._sorted:
            names = [one for one in self.folder.advisory_names if canonical(one) == product]
            every = [one for name in names for one in self.folder.advisories(name)]
            called = [
                name for one in products.products() if one.id == product for name in one.names
            ]
            self._sorted[key], problems = corrected.set_aside(every, scheme, called)
            self.problems += problems
        return self._sorted[key]


@dataclass
class Seen:
    """A product at a host, whatever named it."""

    id: str
    name: str
    url: str
    proof: str
    version: str = ""
    version_url: str = ""
    version_proof: str = ""
    source: str = _OWN
    product: Product | None = None
    extra: str = ""


class InfrastructureProbe:
    """Products and versions, what they offer to anybody, and their known vulnerabilities."""

    id = NAME
    version = VERSION
    title = "Products, versions and open interfaces of hosts"
    layer = "infrastructure"

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """See ``LiveProbe``."""
        if context.as_written:
            rules = rules_of(context)
            return as_written.plan(rules.folder.fingerprints) if rules else []
        found = dict.fromkeys(products.plan(products.products(), active=context.active))
        found.update(dict.fromkeys(mcp.plan()))
        found.update(dict.fromkeys(one.condition.request for one in _of_any_host()))
        if rules := rules_of(context):
            found.update(dict.fromkeys(as_written.plan(rules.fingerprints)))
            if any(one.uses_icon for one in rules.fingerprints):
                found[LiveRequest("GET", "/favicon.ico")] = None
        found.update(dict.fromkeys(credentials.plan(context)))
        return list(found)

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """See ``LiveProbe``."""
        rules = rules_of(context)
        if context.as_written:
            return await _as_written(session, rules) if rules else []
        answers = products.ProductAnswers(session.ask)
        seen = await _own(session, answers)
        found: list[Finding | Observed] = []
        server = await mcp.examine(session)
        if server is not None:
            seen.append(_mcp_seen(session, server))
            found += _mcp_findings(session, server)
        if rules:
            await _add_foreign(session, answers, rules, seen)
        for each in seen:
            found += await _product(session, answers, each, rules, context)
        found += await _any_host(session, answers, found)
        if models := await served_models(answers):
            found.append(models)
        if answers.alike:
            paths = tuple(one.path for one in answers.alike)
            found.append(LiveFact("proves nothing: any path is answered alike", paths))
        found += await credentials.sign_in(session, context, {one.id: one.name for one in seen})
        return found


def rules_of(context: LiveContext) -> LoadedRules | None:
    """The rules of the folder that the user named, else those of installed packs, read once.

    None where there are neither.

    Raises:
        InputError: there are none in it.
    """
    if context.rules is None and not context.knowledge.of_kind(PACKED):
        return None
    return context.knowledge.derive(_load, context.rules, context.active)


def canonical(name: str) -> str:
    """The id of Buttress's product of that name, else the name without case and punctuation."""
    plain = normalised(name)
    return _names().get(plain, plain)


@cache
def _names() -> Mapping[str, str]:
    found = {
        normalised(name): one.id
        for one in products.products()
        for name in (one.id, one.name, *one.aliases)
    }
    return found | {normalised(name): mcp.PRODUCT for name in mcp.ALIASES}


def _load(knowledge: Knowledge, path: Path | None, active: bool) -> LoadedRules:
    folder = load(path) if path is not None else read_packed(knowledge)
    kept: list[FingerprintRule] = []
    problems = list(folder.problems)
    not_sent: list[str] = []
    for one in folder.fingerprints:
        usable, faults = corrected.usable(one)
        problems += faults
        http = usable.http
        if not active:
            http = tuple(
                rule
                for rule in usable.http
                if rule.request.method == "GET"
                or _INITIALIZE in rule.request.body.replace(b" ", b"")
            )
            if len(http) < len(usable.http):
                not_sent.append(one.name)
        if http:
            version = tuple(rule for rule in one.version if active or rule.request.method == "GET")
            kept.append(FingerprintRule(one.name, one.kind, http, version, one.file))
    return LoadedRules(folder, kept, problems, not_sent)


def _url(session: Session, request: LiveRequest | None) -> str:
    if request is None:
        return ""
    if request.method == "TCP":
        return f"tcp://{session.url.partition('://')[2]}"
    return session.at(request.path)


async def _as_written(session: Session, rules: LoadedRules) -> list[Finding | LiveObservation]:
    hits = await as_written.identify(
        rules.folder.fingerprints, session.ask_following, session.follow
    )
    found: list[Finding | LiveObservation] = []
    for one in hits:
        url = _url(session, one.request)
        version_url = _url(session, one.version_request)
        name = one.fingerprint.name
        proof = shortened(one.matcher)
        found.append(
            LiveObservation(
                name, name, one.version, url, proof, version_url,
                shortened(one.version_text), _FOREIGN,
            )
        )  # fmt: skip
        advisories = as_written.reported(rules.folder.advisories(name), one.version, session.url)
        subject = vulnerabilities.ProductSubject(
            name, one.version, version_url or url, shortened(one.version_text) or proof
        )
        found += vulnerabilities.as_written(subject, advisories)
    return found


async def _own(session: Session, answers: products.ProductAnswers) -> list[Seen]:
    found = []
    for one in await products.identify(products.products(), answers):
        found.append(
            Seen(
                one.product.id, one.product.name, _url(session, one.request), one.proof,
                one.version,
                _url(session, one.version_request),
                one.version_proof, _OWN, one.product,
            )
        )  # fmt: skip
    return found


async def _add_foreign(
    session: Session, answers: products.ProductAnswers, rules: LoadedRules, seen: list[Seen]
) -> None:
    """Add what AI-Infra-Guard's rules see: products, or versions that were not known."""
    hits = await as_written.identify(
        rules.fingerprints, session.ask, session.follow, corrected.matches
    )
    for one in hits:
        if await answers.is_of_any_path(one.request):
            continue
        name = one.fingerprint.name
        product = canonical(name)
        known = next((each for each in seen if each.id == product), None)
        url = _url(session, one.request)
        version_url = _url(session, one.version_request)
        if known is None:
            own = next((each for each in products.products() if each.id == product), None)
            version = one.version if own is None or one.version not in own.untold else ""
            seen.append(
                Seen(
                    product, own.name if own else name, url, shortened(one.matcher), version,
                    version_url if version else "",
                    shortened(one.version_text) if version else "",
                    f"{_FOREIGN}: {one.fingerprint.file}", own,
                )
            )  # fmt: skip
        elif one.version and not known.version and not _untold(known, one.version):
            known.version, known.version_url = one.version, version_url
            known.version_proof = shortened(one.version_text)


def _untold(known: Seen, version: str) -> bool:
    return known.product is not None and version in known.product.untold


async def _product(
    session: Session,
    answers: products.ProductAnswers,
    seen: Seen,
    rules: LoadedRules | None,
    context: LiveContext,
) -> list[Finding | LiveObservation]:
    found: list[Finding | LiveObservation] = []
    if seen.product is not None:
        for one, proof in await products.exposures(seen.product, answers, active=context.active):
            found.append(
                finding(
                    one.rule,
                    _url(session, one.condition.request),
                    product=seen.name,
                    what=one.what,
                    proof=proof,
                )
            )
    scheme: Scheme = seen.product.versions if seen.product else "pep440"
    # An MCP server tells its own version, and advisories about "mcp" are each of another server.
    has_own = seen.id != mcp.PRODUCT
    advisories = rules.advisories(seen.id, scheme) if rules and has_own else []
    known = _known(seen.version)
    sorted_ = corrected.sort(advisories, known, scheme)
    flaws = [
        one
        for package in (seen.product.packages if seen.product else ())
        if context.advisories is not None
        for one in context.advisories.about(package, seen.version if known.proven else "")
    ]
    subject = vulnerabilities.ProductSubject(
        seen.name, seen.version, seen.version_url or seen.url,
        seen.version_proof or seen.proof, seen.product.ask if seen.product else "",
    )  # fmt: skip
    more, clear = vulnerabilities.findings(subject, sorted_, flaws)
    observed = LiveObservation(
        seen.id, seen.name, seen.version, seen.url, seen.proof, seen.version_url,
        seen.version_proof, seen.source, clear,
    )  # fmt: skip
    return [observed, *found, *more]


def _known(version: str) -> VersionRange:
    """What a version says: one version, a range such as ``>=1.5.0,<2.0.0``, or nothing."""
    if not version:
        return VersionRange()
    if not version.startswith((">", "<", "=")):
        return VersionRange.exactly(version)
    low, high, low_open, high_open = "", "", False, False
    for one in bounds(version):
        if one.operator == "=":
            return VersionRange.exactly(one.version)
        if one.operator.startswith(">"):
            low, low_open = one.version, one.operator == ">"
        else:
            high, high_open = one.version, one.operator == "<"
    return VersionRange(low, high, low_open, high_open)


def _mcp_seen(session: Session, server: mcp.McpServer) -> Seen:
    return Seen(
        mcp.PRODUCT, f"MCP server {server.name}".strip(), _url(session, server.request),
        server.proof, server.version,
        _url(session, server.request) if server.version else "",
        server.proof if server.version else "",
    )  # fmt: skip


def _mcp_findings(session: Session, server: mcp.McpServer) -> list[Finding]:
    url = _url(session, server.request)
    name = f"MCP server {server.name}".strip()
    found = []
    if server.tools:
        number = len(server.tools)
        found.append(
            finding(
                "mcp-tools-listed", url, product=name,
                what=f"{number} tool{'s are' if number != 1 else ' is'} listed without a token "
                f"({server.request.path})",
                proof=server.tools_proof,
            )
        )  # fmt: skip
    if server.foreign:
        found.append(
            finding(
                "dns-rebinding", url, product=name,
                what=f"{server.request.path} answers a request whose Host and Origin are foreign",
                proof=server.foreign,
            )
        )  # fmt: skip
    return found


async def _any_host(
    session: Session, answers: products.ProductAnswers, known: Sequence[Finding | Observed]
) -> list[Finding]:
    """What is asked of every host, without what is told of a product already."""
    told = {(one.rule, one.location) for one in known if isinstance(one, Finding)}
    found = []
    for one in _of_any_host():
        proof = await answers.proof(one.condition)
        url = _url(session, one.condition.request)
        if proof is not None and (one.rule, url) not in told:
            found.append(
                finding(
                    one.rule, url, product="The host", what=one.what,
                    proof=proof.partition("=")[0],
                )
            )  # fmt: skip
    return found


@cache
def _of_any_host() -> tuple[Exposure, ...]:
    data = load_yaml(Path(__file__).parent / "data" / "host.yaml")["exposed"]
    return tuple(map(products.exposure, data))


PROBE: Final = InfrastructureProbe()
