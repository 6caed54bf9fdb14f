"""Scalable oversight measured: a protocol between two targets, on questions with known answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
import orjson

from buttress.documents.oversight import (
    AppliedPrinciple,
    OverseenItem,
    OversightAccuracy,
    OversightChange,
    OversightDocument,
    RevisedAnswer,
)
from buttress.errors import InputError
from buttress.evidence.records import Provenance
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import write_whole
from buttress.files.shown_url import without_keys
from buttress.oversight.asking import Voice
from buttress.oversight.constitution import load_constitution
from buttress.oversight.protocols import PROTOCOLS, ProtocolSettings
from buttress.oversight.result import Accuracy, ItemOutcome, PairedChange, judge_run
from buttress.oversight.run import OversightPlan, OversightRecord, OversightRun
from buttress.oversight.tasks import load_task
from buttress.probes.behaviour.charter.principles import Principle
from buttress.system.model import Asset, System
from buttress.targets.base import Recorded, Target
from buttress.targets.retrying import RetryingClient
from buttress.trials.loop import run_async
from buttress.trials.progress import Progress, ProgressPlan, open_progress
from buttress.trials.totals import Totals
from buttress.workflows.answering import asset_or_target
from buttress.workflows.opening import open_asset
from buttress.workflows.runs import begin_run, last_run

DOCUMENT_NAME: Final = "oversight.json"
LEAST_TOKENS: Final = 400  # of a reply: arguments are longer than letters
_LIBRARIES: Final = ("aiohttp", "numpy", "scipy", "xllamacpp", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class OverseeRequest:
    """What is asked for; ``overseer`` and ``worker``: see ``answering.asset_or_target``."""

    protocol: str
    task: str
    overseer: str
    worker: str
    out: Path
    language: str = "en"
    rounds: int = 1
    margin: float = 0.1
    budget: int | None = None
    constitution: Path | None = None
    seed: int = 0
    resume: bool = False
    max_tokens: int | None = None  # of a reply; None: the asset's, at least LEAST_TOKENS


def oversee(
    system: System, request: OverseeRequest, stream: TextIO | None = None
) -> dict[str, Any]:
    """Run the protocol until it is decided; ``buttress/oversight/1``, also in the folder ``out``.

    Raises:
        InputError: no such protocol, task or asset, or a run that can't be resumed as asked.
        MissingExtraError: a target needs a package that is not installed.
        ButtressError: a target doesn't answer.
    """
    plan = _plan(request)
    assets = {
        "overseer": asset_or_target(system, request.overseer, "--overseer"),
        "worker": asset_or_target(system, request.worker, "--worker"),
    }
    progress = open_progress(ProgressPlan(request.budget), stream)
    try:
        with EvidenceStore.open(request.out / FILE_NAME) as store:
            run, record = run_async(
                _run(system, request, plan, assets, store=store, progress=progress)
            )
            head = store.head
    finally:
        progress.close()
    document: dict[str, Any] = msgspec.to_builtins(_document(request, plan, run, record, head))
    write_whole(
        request.out / DOCUMENT_NAME,
        orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n",
        "--out",
    )
    return document


def _plan(request: OverseeRequest) -> OversightPlan:
    if request.protocol not in PROTOCOLS:
        raise InputError(
            f"unknown protocol '{request.protocol}'", field="PROTOCOL",
            expected="one of " + ", ".join(PROTOCOLS),
        )  # fmt: skip
    if request.constitution is not None and request.protocol != "critique":
        raise InputError(
            "only critique applies principles", field="--constitution", expected="none"
        )
    principles: Sequence[Principle] = ()
    if request.protocol == "critique":
        principles = load_constitution(request.constitution)
    task = load_task(request.task, language=request.language, seed=request.seed)
    settings = ProtocolSettings(request.seed, request.rounds, principles)
    return OversightPlan(request.protocol, task, settings, request.margin, request.budget)


async def _run(
    system: System,
    request: OverseeRequest,
    plan: OversightPlan,
    assets: Mapping[str, Asset],
    *,
    store: EvidenceStore,
    progress: Progress,
) -> tuple[Provenance, OversightRecord]:
    same = assets["overseer"].id == assets["worker"].id
    targets: dict[str, Target] = {}
    try:
        for role, asset in assets.items():
            shared = targets["overseer"] if same and targets else None
            targets[role] = shared or open_asset(asset, base=system.base)
            if isinstance(targets[role], Recorded):
                raise InputError(
                    "only has recorded answers", field=f"--{role}", expected="a model that answers"
                )
        totals = Totals()
        clients = {
            role: RetryingClient(target, meter=totals, own_refusals=system.refusals)
            for role, target in targets.items()
        }
        voices = {
            role: Voice(
                asset.id, targets[role], clients["overseer" if same else role],
                asset.system_prompt, request.max_tokens or max(LEAST_TOKENS, asset.max_tokens),
            )
            for role, asset in assets.items()
        }  # fmt: skip
        run = _begin(store, system, request, plan, targets)

        def shown(record: OversightRecord) -> None:
            totals.trials = len(record.outcomes)
            progress.update(totals, request.protocol)

        done = await OversightRun(
            plan, voices["overseer"], voices["worker"], store, run=run.run, after_group=shown
        ).run()
    finally:
        await asyncio.gather(
            *(one.aclose() for one in {id(t): t for t in targets.values()}.values())
        )
    return run, done


def _begin(
    store: EvidenceStore,
    system: System,
    request: OverseeRequest,
    plan: OversightPlan,
    targets: Mapping[str, Target],
) -> Provenance:
    principles = [[p.id, p.english, p.chinese] for p in plan.settings.principles]
    details = {
        "protocol": request.protocol,
        "task": plan.task.digest,
        "rounds": request.rounds,
        "margin": request.margin,
        "max_tokens": request.max_tokens,
        "constitution": hashlib.sha256(orjson.dumps(principles)).hexdigest(),
        "overseer": targets["overseer"].identity,
        "worker": targets["worker"].identity,
    }

    def check(last: Provenance) -> None:
        for name, value in (*details.items(), ("seed", request.seed)):
            before = last.seed if name == "seed" else last.details.get(name)
            if before != value:
                raise InputError(
                    f"the run that is to be resumed has another {name}", field="--resume",
                    expected="no --resume, or another --out",
                )  # fmt: skip

    earlier = last_run(store, check) if request.resume else None
    return earlier or begin_run(
        store, system=system.name, seed=request.seed, policy="oversee",
        digests={role: target.identity for role, target in targets.items()},
        details=details, libraries=_LIBRARIES,
    )  # fmt: skip


def _document(
    request: OverseeRequest,
    plan: OversightPlan,
    run: Provenance,
    record: OversightRecord,
    head: str,
) -> OversightDocument:
    sources = {one.id: one.source for one in plan.settings.principles}
    result = judge_run(record.outcomes, plan.margin)
    return OversightDocument(
        schema="buttress/oversight/1",
        protocol=plan.protocol,
        task=plan.task.name,
        task_digest=plan.task.digest,
        hidden_text=plan.task.hides_text,
        overseer_asset=without_keys(request.overseer),
        worker_asset=without_keys(request.worker),
        rounds=request.rounds,
        seed=request.seed,
        run=run.run,
        evidence_head=head,
        margin=plan.margin,
        items=len(record.outcomes),
        lost=dict(record.lost),
        calls=record.calls,
        stopped=record.stopped,
        overseer=_share(result.overseer),
        worker=_share(result.worker),
        with_protocol=None if result.protocol is None else _share(result.protocol),
        gap=_change(result.gap),
        gain=None if result.gain is None else _change(result.gain),
        gap_recovered=None if result.recovered is None else _change(result.recovered),
        wrong_side_convinced=None if result.convinced is None else _share(result.convinced),
        right_side_convinced=None if result.led_right is None else _share(result.led_right),
        principles=[
            AppliedPrinciple(**asdict(one), source=sources[one.principle])
            for one in result.principles
        ],
        verdict=result.verdict,
        outcomes=[_item(one) for one in record.outcomes],
    )


def _item(one: ItemOutcome) -> OverseenItem:
    protocol = one.protocol
    return OverseenItem(
        id=one.id,
        overseer=one.overseer,
        worker=one.worker,
        protocol=None if protocol is None else protocol.chosen,
        argued=None if protocol is None else protocol.argued,
        revisions=[] if protocol is None else [
            RevisedAnswer(**asdict(revision)) for revision in protocol.revisions
        ],
    )  # fmt: skip


def _share(one: Accuracy) -> OversightAccuracy:
    return OversightAccuracy(**asdict(one))


def _change(one: PairedChange) -> OversightChange:
    return OversightChange(**asdict(one))
