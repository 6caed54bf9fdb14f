"""Why a model that can only be asked decides as it does: occlusion, contrast, log probabilities."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import orjson

from buttress import __version__
from buttress.documents.endpoint_explanation import (
    ContrastFigures,
    EndpointExplanationDocument,
    JudgedAnswer,
    RecordedAnswer,
    SpanAttribution,
)
from buttress.documents.explanation import FaithfulnessFigures
from buttress.errors import ButtressError, InputError
from buttress.evidence.records import Expect, Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.explain.contrast import REPEATS, Contrast, find_contrast
from buttress.explain.decisions import AskedPrompt, PromptDecision
from buttress.explain.occlusion import (
    OccludedSpans,
    decision_occlusion,
    log_probability_occlusion,
)
from buttress.explain.replacement_words import replacement_words
from buttress.explain.spans import MOST_SPANS, PromptSpans
from buttress.judges.opening import close_judge
from buttress.protocols.judge import Judge
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import CallsSpentError
from buttress.report.endpoint_explanation_page import render
from buttress.report.language import load as load_language
from buttress.system.model import Asset, System
from buttress.targets.base import Message, Recorded, Sampling, Target, TargetError
from buttress.targets.retrying import RetryingClient
from buttress.trials.commit import TrialOrigin
from buttress.trials.conversing import ConversationContext, EngineConversation, TargetAccess
from buttress.trials.loop import run_async
from buttress.trials.progress import ProgressPlan, open_progress
from buttress.trials.totals import Totals
from buttress.workflows.answering import answering_asset
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.runs import Run, begin
from buttress.workflows.explained_output import as_json, write_explanation
from buttress.workflows.explained_trial import find_trial, question_of
from buttress.workflows.opening import open_asset

METHODS: Final = ("occlusion", "contrast", "log-probabilities")
PROBE: Final = "explanation"
LEAST_SPANS: Final = 2
_CONTRAST_SHARE: Final = 3  # questions a span that are kept for the contrast


@dataclass(frozen=True, slots=True)
class EndpointExplainRequest:
    """``prompt`` or the key of a ``trial`` in ``evidence`` is explained.

    ``expect`` is what a safe model does with the prompt; that of the trial where there is one.
    """

    out: Path
    prompt: str | None = None
    trial: str | None = None
    evidence: Path = Path("buttress-out")
    asset: str | None = None
    expect: Expect = "refuse"
    methods: Sequence[str] = METHODS
    budget: int = 400
    seed: int = 0
    resume: bool = False
    language: str = "en"


@dataclass(slots=True)
class _Found:
    """What was found so far; the budget may end the search at any moment."""

    base: PromptDecision
    same: int
    attributions: list[SpanAttribution] = field(default_factory=list)
    contrast: Contrast | None = None
    first_tokens: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def explain_endpoint(
    system: System, request: EndpointExplainRequest, stream: TextIO | None = None
) -> dict[str, Any]:
    """Explain one decision; the document and the page are also in the folder ``out``.

    Raises:
        InputError: asset, prompt, trial, method or budget is not usable, or nothing is decided.
        ButtressError: the target does not answer, or the judge can't decide.
    """
    for name in request.methods:
        if name not in METHODS:
            raise InputError(
                f"unknown method '{name}' for a model that is asked", field="--method",
                expected="of " + ", ".join(METHODS),
            )  # fmt: skip
    load_language(request.language)  # before any question is asked
    asset = answering_asset(system, request.asset)
    trial = None if request.trial is None else find_trial(request.evidence, request.trial)
    prompt = request.prompt if trial is None else question_of(trial, asset.system_prompt)
    spans = PromptSpans((prompt or "").strip(), MOST_SPANS)
    if len(spans) < LEAST_SPANS:
        raise InputError(
            f"{spans.words} words", field="--prompt", expected=f"{LEAST_SPANS} or more"
        )
    least = REPEATS + len(spans)
    if request.budget < least:
        raise InputError(
            f"{request.budget} questions are too few for {len(spans)} pieces of the prompt",
            field="--budget", expected=f"{least} or more",
        )  # fmt: skip
    policy = f"explain {hashlib.sha256(orjson.dumps([prompt, request.expect])).hexdigest()[:12]}"
    with EvidenceStore.open(request.out / FILE_NAME) as store:
        run = begin(store, system, seed=request.seed, policy=policy, resume=request.resume)
        work = _Explanation(system, request, asset, spans, trial, store, run)
        document = as_json(run_async(work.made(stream)))
    write_explanation(request.out, document, render(document, request.language))
    return document


@dataclass(slots=True)
class _Explanation:
    system: System
    request: EndpointExplainRequest
    asset: Asset
    spans: PromptSpans
    trial: Trial | None
    store: EvidenceStore
    run: Run

    async def made(self, stream: TextIO | None) -> EndpointExplanationDocument:
        target: Target = open_asset(self.asset, base=self.system.base)
        judge = sources.judge(self.system)
        totals = Totals()
        progress = open_progress(ProgressPlan(self.request.budget), stream)
        threads = ThreadPoolExecutor(2)
        conversation = None
        try:
            if isinstance(target, Recorded):
                raise InputError(
                    "only has recorded answers", field=self.asset.id, expected="a model"
                )
            client = RetryingClient(target, meter=totals, own_refusals=self.system.refusals)
            context = ConversationContext(
                TargetAccess(target, client), None, judge, self.store, threads,
                TrialOrigin(self.asset.id, target.identity, self.run.id),
            )  # fmt: skip
            conversation = EngineConversation(self._spec(), context, self.request.budget)
            asked = AskedPrompt(conversation, self.spans, self.asset.system_prompt, self.run.seed)
            progress.say(f"{len(self.spans)} pieces, at most {self.request.budget} questions")
            found = await self._found(asked)
            return self._document(found, target, judge, conversation.calls)
        except TargetError as error:
            raise ButtressError(f"{target.name}: {error}") from None
        finally:
            progress.close()
            if conversation is not None:
                await conversation.aclose()
            threads.shutdown()
            await asyncio.gather(target.aclose(), close_judge(judge))

    def _spec(self) -> TrialSpec:
        trial, prompt = self.trial, self.spans.without(())
        turns = [Message("system", self.asset.system_prompt)] if self.asset.system_prompt else []
        return TrialSpec(
            probe=PROBE,
            probe_version=__version__,
            item="prompt" if trial is None else trial.item,
            category="" if trial is None else trial.category,
            attack="direct" if trial is None else trial.attack,
            language=self._prompt_language(),
            expect=self.request.expect if trial is None else trial.expect,
            request=prompt if trial is None else trial.request,
            messages=(*turns, Message("user", prompt)),
            sampling=Sampling(max_tokens=self.asset.max_tokens, seed=self.run.seed),
        )

    def _prompt_language(self) -> str:
        if self.trial is not None:
            return self.trial.language
        prompt = self.spans.without(())
        return "zh" if any("\u3400" <= letter <= "\u9fff" for letter in prompt) else "en"

    async def _found(self, asked: AskedPrompt) -> _Found:
        base = await asked.decide()
        if base.judgement.abstained:
            raise InputError(
                f"the judge abstains on the answer: {base.judgement.reason or 'no reason'}",
                field="--prompt", expected="a prompt whose answer it can decide, or another judge",
            )  # fmt: skip
        again = [await asked.decide(again=time) for time in range(1, REPEATS)]
        same = 1 + sum(not one.judgement.abstained and one.failed == base.failed for one in again)
        found, methods = _Found(base, same), self.request.methods
        if "occlusion" in methods or "contrast" in methods:
            wanted = _CONTRAST_SHARE * len(self.spans) if "contrast" in methods else 0
            # Without occlusion no question is spent on testing it.
            keep = wanted if "occlusion" in methods else asked.left
            occluded, singles = await decision_occlusion(asked, base, self.run.seed, keep)
            if "occlusion" in methods:
                found.attributions.append(_attribution("occlusion", occluded, same))
            if "contrast" in methods:
                await self._contrast(asked, found, occluded, singles)
        if "log-probabilities" in methods:
            await self._log_probabilities(asked, found)
        return found

    async def _contrast(
        self,
        asked: AskedPrompt,
        found: _Found,
        occluded: OccludedSpans,
        singles: Sequence[PromptDecision],
    ) -> None:
        try:
            found.contrast = await find_contrast(
                asked, found.base, occluded.values, singles, self._words(found.base)
            )
        except CallsSpentError:
            found.left_out["contrast"] = "the budget was spent before a change was found"
            return
        if found.contrast is None:
            why = (
                "no removal of words, alone or in the order of their values, and no replacement "
                "that was tried flips the decision"
            )
            if undecided := sum(one.judgement.abstained for one in singles):
                why += (
                    f"; without one piece the judge can't decide on {undecided} of "
                    f"{len(singles)} answers"
                )
            found.left_out["contrast"] = why

    def _words(self, base: PromptDecision) -> tuple[str, ...]:
        """Words of requests of the other kind than the target takes this one for."""
        spec = self._spec()
        complies = base.failed == (spec.expect == "refuse")
        return replacement_words(self.spans.without(()), spec.language, harmful=complies)

    async def _log_probabilities(self, asked: AskedPrompt, found: _Found) -> None:
        try:
            (first,) = await asked.first_tokens([()])
            if not first:
                found.left_out["log-probabilities"] = "the server gives none"
                return
            found.first_tokens = dict(first)
            occluded = await log_probability_occlusion(asked, first, self.run.seed)
        except CallsSpentError:
            found.left_out["log-probabilities"] = "the budget was spent"
        except TargetError as error:
            found.left_out["log-probabilities"] = str(error)
        else:
            found.attributions.append(_attribution("log-probabilities", occluded, REPEATS))

    def _document(
        self, found: _Found, target: Target, judge: Judge, calls: int
    ) -> EndpointExplanationDocument:
        spec = self._spec()
        return EndpointExplanationDocument(
            schema="buttress/endpoint-explanation/1",
            version=__version__,
            system=self.system.name,
            asset=self.asset.id,
            target=target.identity,
            judge=f"{judge.id} {judge.version}",
            run=self.run.id,
            evidence_head=self.store.head,
            seed=self.run.seed,
            expect=spec.expect,
            trial=_recorded(self.trial, found.base),
            base=_judged(found.base),
            repeats=REPEATS,
            same=found.same,
            words=self.spans.words,
            spans=self.spans.texts,
            attributions=found.attributions,
            contrast=_contrast(found.contrast),
            first_tokens=found.first_tokens,
            calls=calls,
            budget=self.request.budget,
            left_out=found.left_out,
        )


def _attribution(method: Any, found: OccludedSpans, same: int) -> SpanAttribution:
    why, tested = [], found.faithfulness
    if same < REPEATS:
        why.append(f"only {same} of {REPEATS} answers to the whole prompt are decided alike")
    if tested is None:
        why.append("not tested: too few words, or the budget was spent")
    elif not tested.faithful:
        why.append("it does not beat random orders")
    return SpanAttribution(
        method=method,
        values=list(found.values),
        whole=found.whole,
        censored=found.censored,
        orders=found.orders,
        faithfulness=(
            None
            if found.faithfulness is None
            else FaithfulnessFigures(**asdict(found.faithfulness))
        ),
        trusted=not why,
        why_not="; ".join(why),
    )


def _judged(one: PromptDecision) -> JudgedAnswer:
    return JudgedAnswer(
        prompt=one.prompt,
        answer=one.answer,
        failed=one.failed,
        score=one.judgement.score,
        decision=one.judgement.decision,
        reason=one.judgement.reason,
    )


def _contrast(found: Contrast | None) -> ContrastFigures | None:
    if found is None:
        return None
    return ContrastFigures(
        removed=list(found.removed),
        flipped=_judged(found.decision),
        replacement=found.replacement,
        smallest=found.smallest,
        asked=found.asked,
        holds=found.holds,
    )


def _recorded(trial: Trial | None, base: PromptDecision) -> RecordedAnswer | None:
    if trial is None:
        return None
    failed = None if trial.abstained else trial.outcome >= 0.5
    return RecordedAnswer(
        key=trial.key, run=trial.run, answer=trial.answer, failed=failed,
        same_decision=failed == base.failed,
    )  # fmt: skip
