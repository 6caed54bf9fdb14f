"""Which rows of tokens go through a model together, so that little is computed in vain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch

_OVERHEAD: Final = {"cpu": 16, "cuda": 4096}


def pass_overhead(device: torch.device) -> int:
    """What a pass through a model costs beside its tokens, in tokens."""
    return _OVERHEAD.get(device.type, _OVERHEAD["cuda"])


def by_length(lengths: Sequence[int], *, most: int, overhead: int) -> list[list[int]]:
    """Batches of rows of like length, the longest first.

    Args:
        lengths: tokens of each row; a batch pads its rows to the longest of them.
        most: tokens of a batch, padding included; a row that is longer has one of its own.
        overhead: what a pass through the model costs, in tokens.

    Returns:
        Indices into ``lengths``, each exactly once.
    """
    longest = max(lengths, default=0)
    made: list[list[int]] = []
    starts = [longest - length for length in lengths]
    groups = batches(starts, longest, most=max(1, len(lengths)), overhead=overhead)
    for group in reversed(groups):
        size = max(1, most // max(1, *(lengths[index] for index in group)))
        made += [group[at : at + size] for at in range(0, len(group), size)]
    return made


def batches(starts: Sequence[int], length: int, *, most: int, overhead: int) -> list[list[int]]:
    """Cut rows into batches so that few tokens are computed, by dynamic programming.

    A batch computes each of its rows from the first place at which one of them has to be computed;
    a batch costs ``overhead`` tokens of its own.

    Args:
        starts: from where each row has to be computed.
        length: tokens of a row in full.
        most: rows in a batch.
        overhead: what a pass through the model costs, in tokens.

    Returns:
        Indices into ``starts``, each exactly once.
    """
    places = sorted(set(starts))
    members = [[i for i, start in enumerate(starts) if start == place] for place in places]
    cost = [0.0] * (len(places) + 1)
    cut = [0] * len(places)
    for last in range(len(places)):
        count = 0
        cost[last + 1] = float("inf")
        for first in range(last, -1, -1):
            count += len(members[first])
            passes = -(-count // most)
            total = cost[first] + count * (length - places[first]) + passes * overhead
            if total < cost[last + 1]:
                cost[last + 1], cut[last] = total, first
    made: list[list[int]] = []
    last = len(places)
    while last:
        first = cut[last - 1]
        together = [index for group in members[first:last] for index in group]
        made += [together[i : i + most] for i in range(0, len(together), most)]
        last = first
    return made
