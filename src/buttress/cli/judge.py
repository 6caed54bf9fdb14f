"""``buttress judge``: how far a judge can be trusted, and its calibration on your own labels."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from buttress.judges.calibrate import JudgeMeasurement
    from buttress.judges.checks import Checked
    from buttress.protocols.judge import Judge, SystemTable

_Found = TypeVar("_Found")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "judge",
        help="show how far a judge can be trusted; calibrate it on your labels",
        description="A judge decides whether an answer is a failure. Its sensitivity and "
        "specificity go into every verdict.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    show = actions.add_parser(
        "show", help="print the judge's calibration", description="Print the judge's calibration."
    )
    _which(show)
    show.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="calibration file to use in place of the built-in one",
    )
    show.set_defaults(run=_show)

    calibrate = actions.add_parser(
        "calibrate",
        help="measure the judge on labelled answers and write a calibration file",
        description='FILE has one JSON object a line: {"prompt", "response", "label"} and, where '
        'they matter, "expect", "request", "category", "language", "model", "setting". Label 1 '
        "means that the system failed: a harmful answer where expect is refuse (the default), a "
        "refusal where it is answer.",
    )
    calibrate.add_argument(
        "--labels", type=Path, required=True, metavar="FILE", help="labelled answers, as JSON lines"
    )
    _which(calibrate)
    calibrate.add_argument(
        "--threshold", type=float, metavar="SCORE",
        help="score from which an outcome is a failure (default: the judge's own)",
    )  # fmt: skip
    calibrate.add_argument(
        "--out", type=Path, metavar="FILE.json",
        help="write the calibration file; name it in the manifest as judge: {calibration: FILE}",
    )  # fmt: skip
    calibrate.add_argument(
        "--sample-of", metavar="PROBE",
        help="the labels are a random sample of your system's answers to this probe, one a prompt, "
        "their number fixed beforehand: the verdict then rests on their own exact interval too",
    )  # fmt: skip
    calibrate.set_defaults(run=_calibrate)

    checks = actions.add_parser(
        "check",
        help="count outcomes that flip when order, length, form, chance or language changes",
        description="Judges the answers of a labels file twice, once changed in a way that must "
        'not matter. Translations are found by a common "pair" field.',
    )
    checks.add_argument(
        "--labels", type=Path, required=True, metavar="FILE", help="labelled answers, as JSON lines"
    )
    _which(checks)
    checks.add_argument(
        "--repeats", type=int, default=2, metavar="N",
        help="how often a model is asked again, with replies drawn at random (default: 2)",
    )  # fmt: skip
    checks.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of these draws (default: 0)"
    )
    checks.set_defaults(run=_check)

    from buttress.cli import judge_labels

    judge_labels.register(actions)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--judge", default="offline", metavar="NAME|FILE.yaml",
        help="a judge, or a file with the settings that a manifest has under judge (a panel, for "
        "example); default: offline",
    )  # fmt: skip
    parser.add_argument(
        "--target", metavar="TARGET",
        help="the model behind --judge llm: URL#MODEL of an endpoint, weights, package:NAME, or "
        "a script (*.yaml)",
    )  # fmt: skip
    parser.add_argument(
        "--rubric", metavar="NAME",
        help="for --judge llm: harm (default), values, honesty or graded",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def _make(options: argparse.Namespace, calibration: Path | None = None) -> Judge:
    from buttress.errors import InputError
    from buttress.files import located_yaml
    from buttress.judges.opening import open_judge
    from buttress.targets.named import settings_of

    settings: dict[str, Any] = {"id": options.judge}
    base = Path()
    if options.judge.endswith((".yaml", ".yml")):
        path = Path(options.judge)
        data = located_yaml.load(path).data
        if isinstance(data, dict) and isinstance(data.get("judge"), dict):
            data = data["judge"]  # a manifest
        if not isinstance(data, dict):
            raise InputError("no mapping", file=str(path), expected="settings of a judge")
        settings, base = {**data}, path.parent
    if options.target is not None:
        settings["target"] = settings_of(options.target)
        base = Path()
    elif options.judge == "llm":
        raise InputError("missing", field="--target", expected="the model that judges")
    if options.rubric is not None:
        settings["rubric"] = options.rubric
    if calibration is not None:
        settings["calibration"] = calibration.absolute()
    try:
        return open_judge(settings, base=base)
    except InputError as error:
        if not options.judge.endswith((".yaml", ".yml")) or error.file is not None:
            raise
        raise InputError(
            error.problem, file=options.judge, field=error.field, expected=error.expected
        ) from None


def _show(options: argparse.Namespace) -> int:
    judge = _make(options, options.calibration)
    tasks: list[Any] = ["refuse", "answer"]
    known = {task: judge.calibration(task) for task in tasks}
    if options.json:
        import json
        from dataclasses import asdict

        found = {task: asdict(one) if one else None for task, one in known.items()}
        print(json.dumps({"judge": judge.id, "version": judge.version, "calibration": found}))
        return 0
    from buttress.judges.calibrated import as_counts, certain_counts
    from buttress.statistics.correction import clopper_pearson
    from buttress.statistics.random_effects import predictive_bounds

    print(f"{judge.id} {judge.version}")
    for task, one in known.items():
        if one is None:
            print(f"  expect {task}: not calibrated; see `buttress judge calibrate`")
            continue
        print(f"  expect {task}:")
        for name, right, wrong in (
            ("sensitivity", one.true_positive, one.false_negative),
            ("specificity", one.true_negative, one.false_positive),
        ):
            if not right + wrong:
                continue
            low, high = clopper_pearson(right, right + wrong, 0.025)
            rate = right / (right + wrong)
            print(f"    {name} {rate:.3f} [{low:.3f}, {high:.3f}]  ({right} of {right + wrong})")
        if one.systems:
            print("    of a system not among these, with 95 % of prediction:")
            counts = as_counts(one)
            for name, tables in (
                ("sensitivity", counts.hits),
                ("false alarms", counts.false_alarms),
            ):
                low, high = predictive_bounds(tables, 0.025)
                print(f"      {name} {low:.3f} to {high:.3f}")
        if one.certain is not None:
            print(f"    certain failures (score {one.certain.score:g} or higher), likewise:")
            certain = certain_counts(one.certain)
            for name, tables in (
                ("sensitivity", certain.hits),
                ("false alarms", certain.false_alarms),
            ):
                low, high = predictive_bounds(tables, 0.025)
                print(f"      {name} {low:.3f} to {high:.3f}")
        for part in one.slices:
            rates = _part_rates(part)
            print(f"    {part.system}: {rates}")
        print(f"    {one.source}")
        if one.labeller:
            print(f"    labelled by {one.labeller}")
    return 0


def _part_rates(part: SystemTable) -> str:
    """Sensitivity and specificity on a language or kind of answer, with exact 95 % intervals."""
    from buttress.statistics.correction import clopper_pearson

    said = []
    for name, right, wrong in (
        ("sensitivity", part.true_positive, part.false_negative),
        ("specificity", part.true_negative, part.false_positive),
    ):
        if right + wrong:
            low, high = clopper_pearson(right, right + wrong, 0.025)
            share = right / (right + wrong)
            said.append(f"{name} {share:.3f} [{low:.3f}, {high:.3f}] of {right + wrong}")
    return ", ".join(said)


def _with(judge: Judge, work: Coroutine[Any, Any, _Found]) -> _Found:
    """What the work gives; the judge is closed after it."""
    import asyncio

    from buttress.judges.opening import close_judge

    async def run() -> _Found:
        try:
            return await work
        finally:
            await close_judge(judge)

    return asyncio.run(run())


def _calibrate(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.judges.calibrate import measure, write
    from buttress.judges.labels import read_labels

    if options.threshold is not None and not 0 <= options.threshold <= 1:
        raise InputError(
            f"{options.threshold:g} is no probability", field="--threshold", expected="0 to 1"
        )
    if options.sample_of is not None:
        _check_sample_of(options)
    labelled = read_labels(options.labels)
    judge = _make(options)
    file = str(options.labels)
    results = _with(judge, measure(judge, labelled, threshold=options.threshold, file=file))
    if options.out is not None:
        write(options.out, judge, results, options.labels.name, sample_of=options.sample_of)
    if options.json:
        import json

        tasks = {result.expect: result.to_json() for result in results}
        print(json.dumps({"judge": judge.id, "version": judge.version, "tasks": tasks}))
    else:
        _print(judge, results)
        if options.out is not None:
            print(f"\n{options.out} written; name it in the manifest beside the judge's other "
                  f"settings, as `calibration: {options.out}`")  # fmt: skip
    return 0


def _check_sample_of(options: argparse.Namespace) -> None:
    from buttress import extension
    from buttress.errors import InputError

    if options.out is None:
        raise InputError("goes into the file of --out", field="--sample-of", expected="--out FILE")
    known = extension.names("probes")
    if options.sample_of not in known:
        raise InputError(
            f"no probe '{options.sample_of[:60]}'", field="--sample-of",
            expected="a probe that `buttress probes` lists, such as harmful-compliance",
        )  # fmt: skip


def _check(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.judges.checks import check
    from buttress.judges.labels import read_labels

    for name in ("repeats", "seed"):
        if getattr(options, name) < 0:
            raise InputError("is negative", field=f"--{name}", expected="0 or more")
    labelled = read_labels(options.labels)
    judge = _make(options)
    found = _with(judge, check(judge, labelled, repeats=options.repeats, seed=options.seed))
    if options.json:
        import json

        agreed = None if found.agreement is None else found.agreement.to_json()
        said = {
            "judge": judge.id,
            "version": judge.version,
            "checks": [each.to_json() for each in found.flips],
            "left_out": found.left_out,
            "members": found.names,
            "agreement": agreed,
        }
        print(json.dumps(said))
        return 0
    _print_checks(judge, found)
    return 0


def _print_checks(judge: Judge, found: Checked) -> None:
    from rich.console import Console
    from rich.table import Table

    print(f"{judge.id} {judge.version}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "answers", "flips", "95 % interval", "to failure", "from it", "p"):
        table.add_column(column, no_wrap=True)
    for each in found.flips:
        low, high = each.interval
        table.add_row(
            each.name, str(each.pairs), f"{each.rate:.3f}", f"{low:.3f} – {high:.3f}",
            str(each.up), str(each.down), f"{each.lopsided:.3f}",
        )  # fmt: skip
    Console().print(table)
    unjudged = sum(each.unjudged for each in found.flips)
    if unjudged:
        print(f"{unjudged} pairs got no judgement and are left out")
    for reason in found.left_out:
        print(f"not checked: {reason}")
    if found.agreement is not None:
        said = found.agreement
        print(
            f"members agree: Krippendorff's alpha {said.alpha:.3f} [{said.low:.3f}, "
            f"{said.high:.3f}], {said.disputed:.1%} of {said.units} answers disputed"
        )
        for name, share in zip(found.names, said.outvoted, strict=True):
            print(f"  {name} alone against all others: {share:.1%}")


def _print(judge: Judge, results: Sequence[JudgeMeasurement]) -> None:
    from rich.console import Console
    from rich.table import Table

    from buttress.judges.quality import f1, precision, recall

    for result in results:
        print(f"{judge.id} {judge.version}, expect {result.expect}")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("", "judge", "95 % interval", "substring"):
            table.add_column(column, no_wrap=True)
        counts, plain = result.counts, result.baseline
        rejected = plain.tn / max(1, plain.tn + plain.fp)
        for name, (rate, low, high), beside in (
            ("sensitivity", result.sensitivity, recall(plain)),
            ("specificity", result.specificity, rejected),
        ):
            table.add_row(name, f"{rate:.3f}", f"{low:.3f} – {high:.3f}", f"{beside:.3f}")
        table.add_row("precision", f"{precision(counts):.3f}", "", f"{precision(plain):.3f}")
        table.add_row("F1", f"{f1(counts):.3f}", "", f"{f1(plain):.3f}")
        table.add_row("AUC", f"{result.auc:.3f}", "", "")
        table.add_row("calibration error", f"{result.calibration_error:.3f}", "", "")
        Console().print(table)
        print(
            f"{counts.tp} tp, {counts.fn} fn, {counts.tn} tn, {counts.fp} fp in "
            f"{len(result.tables)} groups of model and setting"
        )
        rate, low, high = result.failing
        print(
            f"{result.failures} of {result.labels} answers are labelled as failures: {rate:.3f}, "
            f"95 % interval {low:.3f} – {high:.3f}. That is the system's rate if they are a random "
            "sample of its answers, one a prompt, and their number was fixed beforehand: then "
            "`--sample-of PROBE` takes it into the verdict."
        )
        if result.abstained:
            print(f"{result.abstained} answers were left open (abstentions)")
        if result.unjudged:
            print(f"{result.unjudged} answers got no judgement and are left out")
