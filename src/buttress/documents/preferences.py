"""The document of ``buttress preferences agreement``, ``buttress/preferences/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Count, DocumentPart, Share, about


class EstimatedShare(DocumentPart, frozen=True, kw_only=True):
    """A share with its 95 % interval."""

    estimate: Annotated[Share, about("estimate")]
    low: Annotated[Share, about("lower end of the 95 % interval")]
    high: Annotated[Share, about("upper end of the 95 % interval")]


class AlphaEstimate(DocumentPart, frozen=True, kw_only=True):
    """Krippendorff's alpha, nominal."""

    estimate: Annotated[float | None, about("1 perfect, 0 as by chance; null if nothing varies")]
    low: Annotated[float | None, about("lower end of the 95 % bootstrap interval")]
    high: Annotated[float | None, about("upper end of the 95 % bootstrap interval")]
    units: Annotated[Count, about("pairs with at least two labels")]


class GamingSign(DocumentPart, frozen=True, kw_only=True):
    """A sign that a labeller does not read."""

    kind: Annotated[Literal["side", "constant", "speed", "gold"], about("what was tested")]
    share: Annotated[Share, about("what was seen, as a share of labels")]
    labels: Annotated[Count, about("labels that it rests on")]
    explanation: Annotated[str, about("for people")]


class LabellerQuality(DocumentPart, frozen=True, kw_only=True):
    """One labeller."""

    name: Annotated[str, about("as given with the labels")]
    labels: Annotated[Count, about("labels, skipped ones among them")]
    skipped: Annotated[Count, about("pairs that could not be decided")]
    accuracy: Annotated[EstimatedShare | None, about("by Dawid and Skene; null if not known")]
    gold: Annotated[EstimatedShare | None, about("on planted pairs; null without any")]
    signs: Annotated[list[GamingSign], about("signs of gaming")]


class PreferencesDocument(DocumentPart, frozen=True, kw_only=True):
    """How far labellers of pairs agree, and how accurate each is."""

    schema: Annotated[Literal["buttress/preferences/1"], about("buttress/preferences/1")]
    files: Annotated[list[str], about("names of the files that were read")]
    criterion: Annotated[str, about("the rubric's criterion; empty without a rubric")]
    pairs: Annotated[Count, about("pairs with a label")]
    labels: Annotated[Count, about("labels without skipped ones")]
    alpha: Annotated[AlphaEstimate, about("agreement of all labellers")]
    disputed: Annotated[Count, about("pairs with different choices")]
    labellers: Annotated[list[LabellerQuality], about("by name")]
    no_accuracy: Annotated[str, about("why there is no accuracy; empty where there is")]
