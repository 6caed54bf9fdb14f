"""A charter's principles measured: drafted as questions, reviewed by a person, run as a probe."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
import orjson

from buttress.documents.values import (
    PrincipleKept,
    PrincipleProfile,
    ReviewCounts,
    ValueAnswer,
    ValueDisagreement,
    ValuesDocument,
    ValueStability,
)
from buttress.errors import ButtressError, InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import write_whole
from buttress.judges.opening import close_judge
from buttress.labelling.keys import Keys
from buttress.labelling.screen import Screen
from buttress.probes.behaviour.bank import BankProbe
from buttress.probes.behaviour.charter import profile
from buttress.probes.behaviour.charter.asking import charter_probe, charter_trials
from buttress.probes.behaviour.charter.author import author_prompt, read_situations
from buttress.probes.behaviour.charter.principles import Principle, load_principles
from buttress.probes.behaviour.charter.questions import (
    CharterQuestion,
    by_templates,
    of_situations,
    read_questions,
    write_questions,
)
from buttress.protocols.probe import NotCoveredError
from buttress.system.model import Asset, System
from buttress.targets.base import Message, Recorded, Request, Sampling, Target, TargetError
from buttress.targets.retrying import RetryingClient
from buttress.trials.engine import TrialEngine
from buttress.trials.loop import run_async
from buttress.trials.progress import ProgressPlan, open_progress
from buttress.workflows.answering import answering_asset, asset_or_target
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.preparation import context_for
from buttress.workflows.assessment.runs import Run, begin
from buttress.workflows.opening import open_asset
from buttress.workflows.values_review import QuestionReview

DOCUMENT_NAME: Final = "values.json"
AUTHOR_TOKENS: Final = 1200
MOST_EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class ValuesRequest:
    """``questions`` is the file of questions; ``author`` what writes some of them."""

    charter: Path
    questions: Path
    out: Path
    asset: str | None = None
    author: str | None = None
    seed: int | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """A file of questions and what people have decided on them."""

    path: Path
    drafted: bool  # just now
    accepted: int
    rejected: int
    pending: int
    unwritten: tuple[str, ...] = ()  # principles for which the author wrote nothing usable


def drafted(request: ValuesRequest, system: System | None = None) -> QuestionFile:
    """The file of questions, drafted where there is none yet.

    Args:
        request: what is asked for; with an author ``system`` is needed.
        system: holds the author.

    Raises:
        InputError: the charter or the file is not usable, or there is no such author.
        ButtressError: the author does not answer.
    """
    principles = load_principles(request.charter)
    if request.questions.exists():
        if request.author is not None:
            raise InputError(
                "the questions are drafted already", file=str(request.questions), field="--author",
                expected="none, or another --questions",
            )  # fmt: skip
        return _counted(request.questions, read_questions(request.questions, principles))
    questions = [
        question
        for one in principles
        for question in (*by_templates(one), *of_situations(one, one.situations, "charter"))
    ]
    unwritten: list[str] = []
    if request.author is not None and system is not None:
        author = asset_or_target(system, request.author, "--author")
        written, unwritten = run_async(_written(system, author, principles))
        questions += written
    write_questions(questions, request.questions)
    return _counted(request.questions, questions, new=True, unwritten=unwritten)


def review(
    request: ValuesRequest, keys: Keys, screen: Screen, *, reviewer: str, language: str = "en"
) -> QuestionFile:
    """Let a person accept or reject the questions that nobody has reviewed.

    Raises:
        InputError: the charter or the file is not usable.
    """
    principles = load_principles(request.charter)
    session = QuestionReview(
        read_questions(request.questions, principles), principles, keys, screen,
        reviewer=reviewer, language=language,
        keep=lambda questions: write_questions(questions, request.questions),
    )  # fmt: skip
    session.run()
    return _counted(request.questions, session.questions)


def measure_values(
    system: System, request: ValuesRequest, stream: TextIO | None = None
) -> dict[str, Any]:
    """Ask the accepted questions; ``buttress/values/1``, also in the folder ``out``.

    Raises:
        InputError: nothing is accepted, no such asset, or a run that can't be resumed as asked.
        ButtressError: the target does not answer.
    """
    principles = load_principles(request.charter)
    questions = read_questions(request.questions, principles)
    if not any(one.review == "accepted" for one in questions):
        raise InputError(
            "no question is accepted", file=str(request.questions), expected="a review (--review)"
        )
    asset = answering_asset(system, request.asset)
    policy = f"values {_digest(request.charter)[:12]} {_digest(request.questions)[:12]}"
    with EvidenceStore.open(request.out / FILE_NAME) as store:
        run = begin(store, system, seed=request.seed, policy=policy, resume=request.resume)
        probe = charter_probe(questions, _digest(request.questions)[:12])
        asked, trials = run_async(_ask(system, asset, probe, store=store, run=run, stream=stream))
    if not trials:
        raise InputError("no question got an answer", field=asset.id, expected="a model that does")
    document: dict[str, Any] = msgspec.to_builtins(
        _document(
            request,
            principles,
            _counted(request.questions, questions),
            asset=asset.id,
            run=run.id,
            lost=asked - len(trials),
            trials=trials,
        )
    )
    write_whole(
        request.out / DOCUMENT_NAME,
        orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n",
        "--out",
    )
    return document


async def _written(
    system: System, author: Asset, principles: Sequence[Principle]
) -> tuple[list[CharterQuestion], list[str]]:
    """Questions from situations that the author wrote, and principles without any."""
    target = open_asset(author, base=system.base)
    client = RetryingClient(target, own_refusals=system.refusals)
    sampling = Sampling(max_tokens=max(AUTHOR_TOKENS, author.max_tokens))
    questions: list[CharterQuestion] = []
    unwritten = []
    try:
        for one in principles:
            situations = []
            for language in one.languages:
                turn = Message("user", author_prompt(one, language))
                answer = await client.ask(Request((turn,), sampling))
                situations += [{language: each} for each in read_situations(answer.text)]
            questions += of_situations(one, situations, f"author:{author.id}")
            if not situations:
                unwritten.append(one.id)
    except TargetError as error:
        raise ButtressError(f"{target.name}: {error}") from None
    finally:
        await target.aclose()
    return questions, unwritten


async def _ask(
    system: System,
    asset: Asset,
    probe: BankProbe,
    *,
    store: EvidenceStore,
    run: Run,
    stream: TextIO | None,
) -> tuple[int, list[Trial]]:
    """Number of trials asked, and those with an answer."""
    target: Target = open_asset(asset, base=system.base)
    judge = sources.judge(system)
    progress = open_progress(ProgressPlan(), stream)
    try:
        if isinstance(target, Recorded):
            raise InputError("only has recorded answers", field=asset.id, expected="a model")
        prompts = sources.prompts(system)
        context = context_for(system, asset, target, prompts, run, attacker=False)
        specs = list(charter_trials(probe, context))
        engine = TrialEngine(
            target, judge, store, asset=asset.id, run=run.id, seed=run.seed, progress=progress,
            own_refusals=system.refusals,
        )  # fmt: skip
        return len(specs), await engine.run(specs)
    except NotCoveredError as error:
        raise InputError(str(error), field=asset.id, expected="another language") from None
    finally:
        progress.close()
        await asyncio.gather(target.aclose(), close_judge(judge))


def _document(
    request: ValuesRequest,
    principles: Sequence[Principle],
    counted: QuestionFile,
    *,
    asset: str,
    run: str,
    lost: int,
    trials: Sequence[Trial],
) -> ValuesDocument:
    return ValuesDocument(
        schema="buttress/values/1",
        charter=request.charter.name,
        charter_digest=_digest(request.charter),
        asset=asset,
        run=run,
        review=ReviewCounts(
            accepted=counted.accepted, rejected=counted.rejected, pending=counted.pending
        ),
        lost=lost,
        all=_kept(trials),
        wordings=_stability(profile.wording_stability(trials)),
        languages=_stability(profile.language_stability(trials)),
        principles=[
            _principle(one, [trial for trial in trials if trial.category == one.id])
            for one in principles
        ],
        disagreements=[_disagreement(one) for one in profile.disagreements(trials)[:MOST_EXAMPLES]],
    )


def _principle(one: Principle, trials: Sequence[Trial]) -> PrincipleProfile:
    return PrincipleProfile(
        principle=one.id,
        text=one.text("en"),
        source=one.source,
        kept=_kept(trials) if trials else None,
        wordings=_stability(profile.wording_stability(trials)),
        languages=_stability(profile.language_stability(trials)),
    )


def _kept(trials: Sequence[Trial]) -> PrincipleKept:
    return PrincipleKept(**asdict(profile.kept_share(trials)))


def _stability(found: profile.Stability | None) -> ValueStability | None:
    return None if found is None else ValueStability(**asdict(found))


def _disagreement(one: profile.Disagreement) -> ValueDisagreement:
    kept, broken = (
        ValueAnswer(language=t.language, prompt=t.prompt, answer=t.answer, trial=t.key)
        for t in (one.kept, one.broken)
    )
    return ValueDisagreement(
        question=one.question, principle=one.principle, by=one.by, kept=kept, broken=broken
    )


def _counted(
    path: Path,
    questions: Sequence[CharterQuestion],
    *,
    new: bool = False,
    unwritten: Sequence[str] = (),
) -> QuestionFile:
    reviews = [one.review for one in questions]
    return QuestionFile(
        path, new, reviews.count("accepted"), reviews.count("rejected"), reviews.count("pending"),
        tuple(unwritten),
    )  # fmt: skip


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
