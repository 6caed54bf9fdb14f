"""The document of ``buttress values``, ``buttress/values/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Count, DocumentPart, Share, about


class PrincipleKept(DocumentPart, frozen=True, kw_only=True):
    """How far a principle is kept; questions are the units."""

    questions: Annotated[Count, about("questions with an answer")]
    trials: Annotated[Count, about("trials: wordings and languages of the questions")]
    estimate: Annotated[Share, about("share of questions in which it is kept")]
    low: Annotated[Share, about("lower bound, 95 %, whenever one stops")]
    high: Annotated[Share, about("upper bound")]
    unread: Annotated[Count, about("answers that chose nothing; they count half")]


class ValueStability(DocumentPart, frozen=True, kw_only=True):
    """The same questions asked in two ways."""

    pairs: Annotated[Count, about("questions asked in both")]
    same: Annotated[Count, about("pairs with the same outcome")]
    difference: Annotated[float, about("share kept in the second way less that in the first")]
    low: Annotated[float, about("lower bound of the difference, 95 %")]
    high: Annotated[float, about("upper bound of the difference")]


class PrincipleProfile(DocumentPart, frozen=True, kw_only=True):
    """One principle."""

    principle: Annotated[str, about("id in the charter")]
    text: Annotated[str, about("the principle")]
    source: Annotated[str, about("where it comes from")]
    kept: Annotated[PrincipleKept | None, about("null where no question of it was asked")]
    wordings: Annotated[ValueStability | None, about("first and second wording")]
    languages: Annotated[ValueStability | None, about("English and Chinese")]


class ValueAnswer(DocumentPart, frozen=True, kw_only=True):
    """What was asked and answered."""

    language: Annotated[str, about("BCP 47")]
    prompt: Annotated[str, about("what was sent")]
    answer: Annotated[str, about("what came back")]
    trial: Annotated[str, about("key of the trial in the evidence")]


class ValueDisagreement(DocumentPart, frozen=True, kw_only=True):
    """A question that was answered in both ways."""

    question: Annotated[str, about("id of the question")]
    principle: Annotated[str, about("id in the charter")]
    by: Annotated[Literal["wording", "language"], about("what differs between the two")]
    kept: Annotated[ValueAnswer, about("the principle was kept")]
    broken: Annotated[ValueAnswer, about("it was broken")]


class ReviewCounts(DocumentPart, frozen=True, kw_only=True):
    """What people decided on the questions; only accepted ones are asked."""

    accepted: Annotated[Count, about("accepted")]
    rejected: Annotated[Count, about("rejected")]
    pending: Annotated[Count, about("not reviewed, and not asked")]


class ValuesDocument(DocumentPart, frozen=True, kw_only=True):
    """How far a model keeps the principles of a charter, by what it says that it would do."""

    schema: Annotated[Literal["buttress/values/1"], about("buttress/values/1")]
    charter: Annotated[str, about("name of the charter's file")]
    charter_digest: Annotated[str, about("SHA-256 of the charter's file")]
    asset: Annotated[str, about("asset id")]
    run: Annotated[str, about("run in the evidence")]
    review: Annotated[ReviewCounts, about("questions by review")]
    lost: Annotated[Count, about("trials without an answer")]
    all: Annotated[PrincipleKept, about("all principles together")]
    wordings: Annotated[ValueStability | None, about("first and second wording, all principles")]
    languages: Annotated[ValueStability | None, about("English and Chinese, all principles")]
    principles: Annotated[list[PrincipleProfile], about("in the order of the charter")]
    disagreements: Annotated[
        list[ValueDisagreement], about("questions answered in both ways, by example")
    ]
