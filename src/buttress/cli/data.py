"""``buttress data``: clean training data, undo it, review and check the result."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buttress.cli import data_influence


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its actions."""
    parser = commands.add_parser(
        "data",
        help="clean training data: duplicates, personal data, secrets, harm; undo, review, check",
        description="Cleans training data and keeps account of every record.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _register_run(actions)
    stages = actions.add_parser(
        "stages", help="list the stages and their options", description="List stages and options."
    )
    stages.add_argument("--json", action="store_true", help="machine-readable output")
    stages.set_defaults(run=_stages)
    restore = actions.add_parser(
        "restore",
        help="undo a run: records by id, a stage, or everything",
        description="Puts records back as they came in, or what one stage did. Without --id and "
        "--stage, everything.",
    )
    restore.add_argument("folder", type=Path, metavar="DIR", help="folder of a run")
    which = restore.add_mutually_exclusive_group()
    which.add_argument(
        "--id", action="append", default=[], metavar="ID", help="a removed or changed record"
    )
    which.add_argument("--stage", default="", metavar="NAME", help="all that a stage did")
    restore.add_argument("--json", action="store_true", help="machine-readable output")
    restore.set_defaults(run=_restore)
    review = actions.add_parser(
        "review",
        help="label a drawn sample: wrong removals and misses, with intervals",
        description="Shows kept and removed records by turns, drawn at random, and keeps your "
        "labels. The intervals hold whenever you stop.",
    )
    review.add_argument("folder", type=Path, metavar="DIR", help="folder of a run")
    review.add_argument("--budget", type=int, metavar="N", help="stop after N labels")
    review.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws")
    review.add_argument("--json", action="store_true", help="machine-readable summary")
    review.set_defaults(run=_review)
    check = actions.add_parser(
        "check",
        help="check a run against a policy for training data",
        description="Exit code 1: a requirement is broken; 3: a sample is too small to say.",
    )
    check.add_argument("folder", type=Path, metavar="DIR", help="folder of a run")
    check.add_argument("--policy", required=True, metavar="NAME", help="the policy: gbt45654")
    check.add_argument(
        "--keywords", type=Path, action="append", default=[], metavar="FILE",
        help="keywords, one a line, for the automatic sample",
    )  # fmt: skip
    check.add_argument("--json", action="store_true", help="machine-readable output")
    check.set_defaults(run=_check)
    canaries = actions.add_parser(
        "canaries",
        help="write canaries and plant them in a corpus",
        description="Writes sentences with random secrets, and plants each in a copy of a corpus "
        "as often as asked. `buttress privacy --canaries` then measures what a model learned.",
    )
    canaries.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    canaries.add_argument("--into", type=Path, metavar="FILE", help="corpus that is copied")
    canaries.add_argument("--field", default="text", metavar="NAME", help="field for the sentence")
    canaries.add_argument(
        "--count", type=int, default=6, metavar="N", help="canaries for each number of repeats"
    )
    canaries.add_argument(
        "--repeats", default="1,4,16,64", metavar="N,…", help="how often each is planted"
    )
    canaries.add_argument(
        "--digits", type=int, default=8, metavar="N", help="digits of a secret (default: 8)"
    )
    canaries.add_argument(
        "--template", metavar="TEXT", help="sentence with {name} and {secret}, once each"
    )
    canaries.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all draws")
    canaries.add_argument("--json", action="store_true", help="machine-readable output")
    canaries.set_defaults(run=_canaries)
    data_influence.register(actions)


def _register_run(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = actions.add_parser(
        "run",
        help="take records through the stages",
        description="Reads JSON Lines, JSON, CSV, Parquet, Arrow and text, and takes "
        "each record through the stages. Exit code 1: a stage removed too much of a source, or a "
        "source is refused.",
    )
    run.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="files or folders")
    how = run.add_mutually_exclusive_group()
    how.add_argument("--pipeline", type=Path, metavar="FILE.yaml", help="stages with options")
    how.add_argument(
        "--stage", action="append", default=[], metavar="NAME[:OPTION=VALUE,…]",
        help="a stage; repeat for several, in order (default: unicode, exact, near, pii, secrets)",
    )  # fmt: skip
    run.add_argument("--field", metavar="NAME", help="the field with the text")
    run.add_argument("--source-field", metavar="NAME", help="the field that names the source")
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="where outputs go")
    run.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    run.add_argument(
        "--runner", choices=("local", "ray"), default="local",
        help="where shards are worked on: processes here (default), or Ray Data, on the cluster at "
        "RAY_ADDRESS or one that is begun here",
    )  # fmt: skip
    run.add_argument("--resume", action="store_true", help="go on with the run in --out")
    run.add_argument("--seed", type=int, default=0, metavar="N", help="seed of samples")
    run.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    run.add_argument("--json", action="store_true", help="print the document")
    run.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from buttress.data.plan import DEFAULT, PipelinePlan, from_command_line, load
    from buttress.errors import InputError
    from buttress.workflows.data import DataRequest, clean, exit_code

    for name, least in (("workers", 1), ("seed", 0)):
        if getattr(options, name) < least:
            raise InputError(
                f"{getattr(options, name)} is too small", field=f"--{name}",
                expected=f"{least} or more",
            )  # fmt: skip
    plan = (
        load(options.pipeline)
        if options.pipeline
        else PipelinePlan(from_command_line(options.stage or DEFAULT, Path()))
    )
    plan = PipelinePlan(
        plan.stages,
        plan.field if options.field is None else options.field,
        plan.source_field if options.source_field is None else options.source_field,
    )
    request = DataRequest(
        tuple(options.inputs), plan, options.out, workers=options.workers,
        runner=options.runner, resume=options.resume, seed=options.seed, dry_run=options.dry_run,
    )  # fmt: skip
    document = clean(request, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _show(document, options.out)
    return exit_code(document)


def _show(document: Mapping[str, Any], out: Path) -> None:
    """Plain lines: to import rich takes a tenth of the time of a small run."""
    records = document["records"]
    print(
        f"{records['in']:,} records: {records['kept']:,} kept, {records['removed']:,} removed, "
        f"{records['unreadable']:,} unreadable; {records['changed']:,} of the kept changed."
    )
    numbers = ("seen", "removed", "changed")
    rows = [("stage", "saw", "removed", "changed")] + [
        (stage["name"], *(f"{stage[name]:,}" for name in numbers)) for stage in document["stages"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        print("  ".join((name.ljust(widths[0]), *aligned)))
    for stage in document["stages"]:
        for note in stage["notes"]:
            print(f"{stage['name']}: {note}")
    if unread := document["unread_fields"]:
        shown = ", ".join(f"{_visible(name)} ({count:,})" for name, count in unread.items())
        print(f"Fields that no stage reads, with records: {shown}")
    if files := document.get("unread_files"):
        shown = ", ".join(f"{_visible(name)} ({count:,})" for name, count in files.items())
        print(f"Files of other kinds, not read: {shown}")
    for alarm in document["alarms"]:
        print(
            f"{alarm['rule']}: {alarm['stage']} removed {alarm['share']:.1%} of "
            f"{_visible(alarm['source'])}; at most {alarm['limit']:.1%} is allowed."
        )
    print(f"Digest of what is kept: {document['digest']}")
    if document["dry_run"]:
        print("Dry run: nothing was written.")
    else:
        print(f"Outputs are in {_visible(str(out))}.")


def _visible(text: str) -> str:
    from buttress.files.visible import shortened

    return shortened(text)


def _stages(options: argparse.Namespace) -> int:
    from buttress.workflows.data import stage_rows

    rows = stage_rows()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for row in rows:
        print(f"{row['name']}: {row['about']}")
        for name, schema in row["options"]["properties"].items():
            kind = schema.get("type") or " or ".join(map(str, schema.get("enum", ())))
            shown = " or ".join(kind) if isinstance(kind, list) else kind
            print(f"    {name} ({shown})")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from buttress.workflows.data_restore import undo

    result, later = undo(options.folder, ids=options.id, stage=options.stage)
    if options.json:
        said = {
            "restored": result.records, "kept": result.kept, "removed": result.removed,
            "changed": result.changed, "overlapping": result.overlapping, "digest": result.digest,
            "not_seen_by": later,
        }  # fmt: skip
        print(json.dumps(said))
        return 0
    print(f"{result.records:,} records restored; {result.kept:,} are kept now.")
    if result.overlapping:
        print(f"{result.overlapping:,} changes stay: later stages changed the same place.")
    if later and sum(result.removals.values()):
        print(f"These stages have not seen what came back: {', '.join(later)}.")
    return 0


def _review(options: argparse.Namespace) -> int:
    import shutil

    from buttress.errors import InputError
    from buttress.labelling.keys import open_keys
    from buttress.labelling.screen import Screen
    from buttress.workflows.data_review import review, tally

    if options.budget is not None and options.budget < 1:
        raise InputError(f"{options.budget} is too small", field="--budget", expected="1 or more")
    stream = sys.stderr if options.json else sys.stdout
    size = shutil.get_terminal_size()
    screen = Screen(lambda text: print(text, file=stream, flush=True), size.columns, size.lines)
    try:
        found = review(
            options.folder, open_keys(), screen, budget=options.budget, seed=options.seed
        )
    except KeyboardInterrupt:  # as good a way to quit as any: all labels are kept
        found = tally(options.folder)
    if options.json:
        print(json.dumps({name: one.to_json() for name, one in found.items()}))
        return 0
    for name, one in found.items():
        what = "should not have been kept" if name == "kept" else "should not have been removed"
        share = "–" if one.wrong is None else f"{one.wrong:.1%} ({one.low:.1%} to {one.high:.1%})"
        print(f"{name}: {one.labelled} of {one.population:,} labelled; {what}: {share}")
    return 0


def _canaries(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.probes.privacy.canaries import TEMPLATE, make_canaries
    from buttress.workflows.data_canaries import plant

    try:
        repeats = [int(one) for one in options.repeats.split(",")]
    except ValueError:
        raise InputError(
            f"'{options.repeats}'", field="--repeats", expected="whole numbers with commas"
        ) from None
    template = TEMPLATE if options.template is None else options.template
    made = make_canaries(
        options.count, repeats, digits=options.digits, template=template, seed=options.seed
    )
    said = plant(made, options.out, into=options.into, field=options.field, seed=options.seed)
    if options.json:
        print(json.dumps(said))
        return 0
    print(f"{said['canaries']:,} canaries in {said['file']}.")
    if said["planted"]:
        print(
            f"{said['records']:,} records, {said['copies']:,} of them canaries, in "
            f"{said['planted']}."
        )
    return 0


def _check(options: argparse.Namespace) -> int:
    from buttress.workflows.data_check import check, exit_code, to_json

    found = check(options.folder, options.policy, options.keywords)
    if options.json:
        print(json.dumps(to_json(options.folder, options.policy, found), ensure_ascii=False))
        return exit_code(found)
    for one in found:
        numbers = (
            ""
            if one.estimate is None or one.bound is None
            else f"{one.estimate:.2%}, bound {one.bound:.2%}; "
        )
        print(
            f"{_visible(one.name)}: {one.status} ({numbers}limit {one.limit:.0%}, "
            f"{one.sample:,} of {one.needed:,} needed; {one.reason})"
        )
    return exit_code(found)
