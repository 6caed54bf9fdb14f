"""What trials and labels say by now, for people."""

from __future__ import annotations

from buttress.labelling.estimate import Interval, LabelledRate


def status(rate: LabelledRate) -> str:
    """Three lines after a label."""
    gain = "" if rate.effective is None else f"; as good as {rate.effective:.0f} uniform labels"
    return (
        f"judge only {_said(rate.judged)} if it never erred\n"
        f"labels only {_said(rate.labels_only)}\n"
        f"labels and judge {_said(rate.here)}  ({rate.labels} labels{gain})"
    )


def table(rate: LabelledRate) -> str:
    """All estimates, one a line, each with what it is an estimate of."""
    rows = (
        ("these trials: labels and judge", rate.here, "valid at any time"),
        ("these trials: labels only", rate.labels_only, "valid at any time"),
        ("the system: labels and judge", rate.system, "valid at any time"),
        ("the system: labels and judge", rate.fixed, "only if the number of labels was fixed"),
        ("the system: judge only", rate.judged, "biased as the judge is"),
    )
    head = (
        f"{rate.trials} trials, {rate.labels} labels: {rate.drawn} drawn, {rate.known} others, "
        f"{rate.skipped} undecided\n"
    )
    body = "".join(f"  {name:<31} {_said(each)}  {note}\n" for name, each, note in rows)
    tail = f"  judge's scores count {rate.power:.2f}"
    if rate.effective is not None:
        tail += f"; the labels are worth {rate.effective:.0f} drawn uniformly without the judge"
    return head + body + tail


def _said(rate: Interval) -> str:
    return f"{rate.estimate:.3f} [{rate.low:.3f}, {rate.high:.3f}]"
