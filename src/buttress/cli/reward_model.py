"""A reward model's figures for the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_LENGTH: Final = {
    "people_choose_longer": "people choose the longer answer",
    "model_prefers_longer": "the longer answer scores higher",
    "accuracy_chosen_longer": "accuracy where people chose the longer",
    "accuracy_chosen_shorter": "accuracy where people chose the shorter",
}
_POSITION: Final = {
    "people_choose_first": "people choose the first answer",
    "model_prefers_first": "the first answer scores higher",
    "accuracy_chosen_first": "accuracy where people chose the first",
    "accuracy_chosen_second": "accuracy where people chose the second",
}
_VERDICTS: Final = {
    "overoptimised": "overoptimised: the gold score falls towards the largest n",
    "improves": "the gold score rises with n",
    "undecided": "undecided: whether the gold score rises or falls is not shown",
}


def show(document: Mapping[str, Any]) -> None:
    """Print the document of ``buttress preferences score``."""
    print(
        f"{document['pairs']} pairs of {document['prompts']} prompts, "
        f"{document['undecided']} tied or skipped, {document['tied_scores']} with equal scores"
    )
    print(f"accuracy: {_share(document['accuracy'])}")
    calibration = document["calibration"]
    print(
        f"calibration error: {calibration['error']:.3f} (by chance "
        f"{calibration['error_by_chance']:.3f}), Brier score {calibration['brier']:.3f}, "
        f"slope {_figure(calibration['slope'])}"
    )
    print(f"correlation with length: {_figure(document['length']['correlation'])}")
    for name, title in _LENGTH.items():
        print(f"  {title}: {_share(document['length'][name])}")
    if document["position"] is None:
        print("dependence on place: not known, no pair says which answer was first")
    else:
        print("dependence on place:")
        for name, title in _POSITION.items():
            print(f"  {title}: {_share(document['position'][name])}")
    if best := document["best_of_n"]:
        print(f"best of n, {best['prompts']} prompts: {_VERDICTS[best['verdict']]}")
        print("     n  KL at most   proxy    gold")
        for one in best["points"]:
            span = f"[{one['low']:.3f}, {one['high']:.3f}]"
            print(f"{one['n']:6} {one['kl']:10.3f} {one['proxy']:9.3f} {one['gold']:7.3f} {span}")


def _share(one: Mapping[str, Any]) -> str:
    if one["estimate"] is None:
        return "no such pair"
    span = f"[{one['low']:.3f}, {one['high']:.3f}]"
    return f"{one['estimate']:.3f} {span} of {one['pairs']} pairs"


def _figure(one: Mapping[str, Any]) -> str:
    if one["estimate"] is None:
        return "not defined"
    if one["low"] is None:
        return f"{one['estimate']:.3f} (too few prompts for an interval)"
    return f"{one['estimate']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
