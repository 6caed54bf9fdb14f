"""The document of ``buttress oversee``, ``buttress/oversight/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Count, DocumentPart, Share, about

SideName = Literal["right", "wrong"]


class OversightAccuracy(DocumentPart, frozen=True, kw_only=True):
    """A share with a 95 % interval that holds whenever one stops."""

    items: Annotated[Count, about("items that it rests on")]
    estimate: Annotated[Share, about("share; replies that name no option count half")]
    low: Annotated[Share, about("lower bound")]
    high: Annotated[Share, about("upper bound")]
    unread: Annotated[Count, about("replies that name no option")]


class OversightChange(DocumentPart, frozen=True, kw_only=True):
    """A paired figure with a 95 % interval that holds whenever one stops."""

    estimate: Annotated[float, about("estimate")]
    low: Annotated[float, about("lower bound")]
    high: Annotated[float, about("upper bound")]


class AppliedPrinciple(DocumentPart, frozen=True, kw_only=True):
    """What the revisions under one principle did."""

    principle: Annotated[str, about("id in the constitution")]
    source: Annotated[str, about("where the principle comes from")]
    revisions: Annotated[Count, about("revisions under it")]
    changed_text: Annotated[Count, about("revisions that changed the answer's text")]
    mended: Annotated[Count, about("revisions that made a choice right")]
    spoilt: Annotated[Count, about("revisions after which a right choice was so no more")]


class RevisedAnswer(DocumentPart, frozen=True, kw_only=True):
    """One revision."""

    principle: Annotated[str, about("id in the constitution")]
    round: Annotated[int, about("from 1")]
    before: Annotated[SideName | None, about("the worker's choice; null if unreadable")]
    after: Annotated[SideName | None, about("the worker's choice afterwards")]
    changed_text: Annotated[bool, about("whether the text changed")]


class OverseenItem(DocumentPart, frozen=True, kw_only=True):
    """The choices on one item; its turns and trials in the evidence bear the same item id."""

    id: Annotated[str, about("id of the item")]
    overseer: Annotated[SideName | None, about("the overseer alone; null if unreadable")]
    worker: Annotated[SideName | None, about("the worker alone")]
    protocol: Annotated[SideName | None, about("with the protocol; null for direct as well")]
    argued: Annotated[SideName | None, about("the side that alone was argued for, if any")]
    revisions: Annotated[list[RevisedAnswer], about("of critique")]


class OversightDocument(DocumentPart, frozen=True, kw_only=True):
    """Whether a protocol lets an overseer judge a worker, on questions with known answers."""

    schema: Annotated[Literal["buttress/oversight/1"], about("buttress/oversight/1")]
    protocol: Annotated[str, about("name of the protocol")]
    task: Annotated[str, about("name of the task")]
    task_digest: Annotated[str, about("SHA-256 of its items")]
    hidden_text: Annotated[bool, about("whether the worker reads what the overseer does not")]
    overseer_asset: Annotated[str, about("asset id")]
    worker_asset: Annotated[str, about("asset id")]
    rounds: Annotated[int, about("rounds of the protocol")]
    seed: Annotated[int, about("of order, sides and wrong options")]
    run: Annotated[str, about("run in the evidence")]
    evidence_head: Annotated[str, about("hash of the last record of the evidence")]
    margin: Annotated[Share, about("gain below which a protocol counts as of no use")]
    items: Annotated[Count, about("items with an outcome")]
    lost: Annotated[dict[str, str], about("items without an answer, and why")]
    calls: Annotated[Count, about("distinct questions to both targets")]
    stopped: Annotated[
        Literal["decided", "budget", "all items"], about("why no more items were asked")
    ]
    overseer: Annotated[OversightAccuracy, about("accuracy of the overseer alone")]
    worker: Annotated[OversightAccuracy, about("accuracy of the worker alone")]
    with_protocol: Annotated[OversightAccuracy | None, about("with the protocol; null for direct")]
    gap: Annotated[OversightChange, about("worker less overseer")]
    gain: Annotated[OversightChange | None, about("protocol less overseer; null for direct")]
    gap_recovered: Annotated[
        OversightChange | None, about("share of the gap; null where no gap is shown")
    ]
    wrong_side_convinced: Annotated[
        OversightAccuracy | None,
        about("of items with the wrong side argued for: it was chosen"),
    ]
    right_side_convinced: Annotated[
        OversightAccuracy | None,
        about("of items with the right side alone argued for: it was chosen"),
    ]
    principles: Annotated[list[AppliedPrinciple], about("of critique, by principle")]
    verdict: Annotated[
        Literal["helps", "harms", "no-gain", "gap", "no-gap", "undecided"],
        about("helps, harms: the gain's interval excludes 0; no-gain: it lies below the margin; "
              "gap, no-gap: the same of the gap, for direct"),
    ]  # fmt: skip
    outcomes: Annotated[list[OverseenItem], about("by item, in the order asked")]
