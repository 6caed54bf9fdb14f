"""The live probe of the link layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.link import certificates, linked, replay, tls_findings, web, websockets
from buttress.probes.link.reports import PROBE as NAME
from buttress.probes.link.reports import VERSION, finding
from buttress.probes.link.tls import offers
from buttress.protocols.live import LiveContext, LiveFact, LiveRequest, Observed, Session

_ROOT: Final = LiveRequest("GET", "/")
_CERTIFIED: Final = LiveRequest("GET", "/", certificate=True)
_LET_IN: Final = range(200, 400)


class LinkProbe:
    """TLS, certificates, headers, cookies and WebSockets of hosts."""

    id = NAME
    version = VERSION
    title = "TLS, certificates, cookies and WebSockets of hosts"
    layer = "link"

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """See ``LiveProbe``."""
        return [
            _ROOT, *offers.plan(), _CERTIFIED, linked.NAMED, *websockets.plan(),
            *replay.plan(context),
        ]  # fmt: skip

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """See ``LiveProbe``."""
        found: list[Finding | Observed] = []
        root = await session.ask(_ROOT)
        if session.scheme != "http":
            answers = await offers.ask(session)
            if answers is not None:
                found += _over_tls(session, answers)
                if answers.asks_certificate:
                    found += await _client_certificate(session)
        if session.scheme:
            if root is not None:
                named = await linked.sockets(session, root)
                found += [one async for one in websockets.findings(session, named)]
            found += [one async for one in replay.findings(session, context)]
            found += web.findings(session.at, session.host, session.answers)
        return found


def _over_tls(session: Session, answers: offers.TlsAnswers) -> list[Finding | Observed]:
    url = f"https://{session.url.partition('://')[2]}"
    found: list[Finding | Observed] = [
        *tls_findings.facts(answers), *tls_findings.findings(url, answers)
    ]  # fmt: skip
    now = certificates.utc_now()
    told: set[tuple[str, str]] = set()
    for chain, staple in answers.chains:
        found += certificates.facts(chain)
        for one in certificates.findings(url, session.host, chain, staple, now):
            if (one.rule, one.message) not in told:
                told.add((one.rule, one.message))
                found.append(one)
    if answers.unanswered:
        found.append(LiveFact("TLS offers without an answer", tuple(answers.unanswered)))
    return found


async def _client_certificate(session: Session) -> list[Finding]:
    """What is answered without a client certificate, and with one that nobody issued.

    That the host closes the connection, or says no, is what it should do.
    """
    without = await session.ask(_ROOT)
    if without is not None and without.status in _LET_IN:
        return [
            finding(
                "client-certificate-not-required", session.at("/"),
                what=f"status {without.status} for /",
                proof="CertificateRequest in the handshake, "
                f"and status {without.status} without a certificate",
            )
        ]  # fmt: skip
    reply = await session.ask(_CERTIFIED)
    if reply is None or reply.status not in _LET_IN:
        return []
    return [
        finding(
            "any-client-certificate-accepted", session.at("/"),
            what=f"status {reply.status} for / with it, "
            + (f"{without.status} without" if without else "no answer without"),
            proof=f"status {reply.status} with a certificate that signed itself",
        )
    ]  # fmt: skip


PROBE: Final = LinkProbe()
