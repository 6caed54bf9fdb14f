"""``buttress preferences``: human feedback on pairs of answers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    parser = commands.add_parser(
        "preferences",
        help="human feedback: label pairs of answers, import, agreement, score, export",
        description="Human feedback on pairs of answers: labels at the terminal, preference data "
        "of other tools, agreement and accuracy of labellers, scores of reward models, data for "
        "training.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _register_label(actions)
    _register_others(actions)


def _register_label(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    label = actions.add_parser(
        "label",
        help="choose the better of two answers, at the terminal",
        description="Shows pairs of answers, sides at random, and keeps your choices. Quit at any "
        "time: each choice is on the disk before the next pair is shown.",
    )
    label.add_argument(
        "path", type=Path, metavar="EVIDENCE|FILE", help="evidence store, or a file of pairs"
    )
    label.add_argument("--labeller", metavar="NAME", help="who labels (default: the user's name)")
    label.add_argument("--budget", type=int, metavar="N", help="stop after N labels")
    label.add_argument("--seed", type=int, default=0, metavar="N", help="seed of order and sides")
    label.add_argument("--run", metavar="ID", dest="run_id", help="answers of that run only")
    label.add_argument("--question", metavar="TEXT", default="", help="what is asked of each pair")
    label.add_argument(
        "--rubric", type=Path, metavar="FILE.yaml", help="criteria to ask of each pair, one by one"
    )
    label.add_argument(
        "--language",
        choices=("en", "zh"),
        default="en",
        help="language of the screen (default: en)",
    )
    label.add_argument(
        "--store", type=Path, metavar="FILE.db",
        help="where choices go (default: beside FILE, ending in .db)",
    )  # fmt: skip
    label.add_argument("--json", action="store_true", help="machine-readable summary")
    label.set_defaults(run=_label)


def _register_others(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    taken = actions.add_parser(
        "import",
        help="preference data of other tools as a file of pairs",
        description="Reads preference data of TRL, HH-RLHF, UltraFeedback, PKU-SafeRLHF or Argilla "
        "(JSON Lines, a JSON list or Parquet, with gzip or without) and writes a file of pairs "
        "with its labels.",
    )
    taken.add_argument("path", type=Path, metavar="FILE", help="preference data")
    taken.add_argument(
        "--from", dest="form", required=True, choices=("trl", "hh", "ultrafeedback", "pku",
        "argilla"), help="format of the file",
    )  # fmt: skip
    taken.add_argument(
        "--criterion", default="", metavar="NAME",
        help="pku: better (default) or safer; argilla: name of the question",
    )  # fmt: skip
    taken.add_argument(
        "--out", type=Path, metavar="FILE.jsonl",
        help="where the pairs go (default: beside FILE, ending in .pairs.jsonl)",
    )  # fmt: skip
    taken.set_defaults(run=_import)

    agree = actions.add_parser(
        "agreement",
        help="how far labellers agree, and how accurate each is",
        description="Krippendorff's alpha with its interval, each labeller's accuracy by Dawid and "
        "Skene and on planted pairs, and signs of gaming.",
    )
    agree.add_argument("paths", type=Path, nargs="+", metavar="FILE", help="stores or pairs")
    _add_criterion(agree)
    agree.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the resampling")
    agree.add_argument("--json", action="store_true", help="machine-readable output")
    agree.set_defaults(run=_agreement)

    score = actions.add_parser(
        "score",
        help="how well a reward model's scores order labelled pairs",
        description="Accuracy, calibration and dependence on length and place of a reward model "
        "on held-out pairs, from a file of its scores; with --best-of, what a gold judge thinks "
        "of the answers that it picks (best-of-n over KL).",
    )
    score.add_argument("path", type=Path, metavar="SCORES", help="pairs with scores")
    score.add_argument(
        "--best-of", type=Path, dest="samples", metavar="FILE",
        help="samples with prompt, proxy and gold score",
    )  # fmt: skip
    score.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the resampling")
    score.add_argument("--json", action="store_true", help="machine-readable output")
    score.set_defaults(run=_score)

    export = actions.add_parser(
        "export",
        help="labelled pairs for training",
        description="Writes the majority's choice of each decided pair as TRL takes it, or all "
        "pairs with all labels. Planted pairs and ties are left out for training.",
    )
    export.add_argument("paths", type=Path, nargs="+", metavar="FILE", help="stores or pairs")
    export.add_argument(
        "--out", type=Path, metavar="FILE.jsonl",
        help="what is written (default: beside the first FILE, ending in .train.jsonl, or in "
        ".pairs.jsonl with --to pairs)",
    )  # fmt: skip
    export.add_argument(
        "--to", dest="form", choices=("trl", "pairs"), default="trl", help="format (default: trl)"
    )
    _add_criterion(export)
    export.set_defaults(run=_export)


def _add_criterion(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--criterion", metavar="ID", help="labels by that criterion of a rubric, where several are"
    )


def _label(options: argparse.Namespace) -> int:
    import json
    import shutil
    import sys

    from buttress.cli.judge_labels import user_name
    from buttress.errors import InputError
    from buttress.labelling.keys import open_keys
    from buttress.labelling.screen import Screen
    from buttress.workflows.preferences import LabelRequest, label

    if options.budget is not None and options.budget < 1:
        raise InputError(f"{options.budget} is too small", field="--budget", expected="1 or more")
    stream = sys.stderr if options.json else sys.stdout
    size = shutil.get_terminal_size()

    def write(text: str) -> None:
        print(text, file=stream, flush=True)

    request = LabelRequest(
        path=options.path,
        labeller=options.labeller or user_name(),
        store=options.store,
        budget=options.budget,
        seed=options.seed,
        question=options.question,
        rubric=options.rubric,
        language=options.language,
        run=options.run_id,
    )
    done = label(request, open_keys(), Screen(write, size.columns, size.lines))
    if options.json:
        print(json.dumps({"store": str(done.store), "given": done.given, "left": done.left}))
    else:
        print(f"{done.store}: {done.given} labels given, {done.left} pairs left")
    return 0


def _import(options: argparse.Namespace) -> int:
    from buttress.workflows.preferences import import_pairs

    out = options.out or _beside(options.path, "pairs")
    done = import_pairs(options.path, options.form, out, options.criterion)
    print(f"{out}: {done.pairs} pairs, {done.labels} labels")
    if done.left_out:
        print(f"pairs left out, with the same answer twice: {done.left_out}")
    if not done.labels:
        print("no label was found: `buttress preferences label` collects some")
    return 0


def _beside(path: Path, what: str) -> Path:
    """A file beside ``path`` that its name shows the origin of; in it, where it is a folder."""
    if path.is_dir():
        return path / f"{what}.jsonl"
    return path.with_name(f"{path.name.split('.')[0]}.{what}.jsonl")


def _agreement(options: argparse.Namespace) -> int:
    import json

    from buttress.workflows.preferences import agreement_of

    document = agreement_of(options.paths, options.seed, options.criterion)
    if options.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        _show(document)
    return 0


def _show(document: Mapping[str, Any]) -> None:
    from buttress.files.visible import visible

    alpha = document["alpha"]
    said = "no value, since nothing varies"
    if alpha["estimate"] is not None:
        low, high = ("?" if end is None else f"{end:.3f}" for end in (alpha["low"], alpha["high"]))
        said = f"{alpha['estimate']:.3f} [{low}, {high}]"
    print(
        f"{document['pairs']} pairs, {document['labels']} labels, {document['disputed']} disputed"
    )
    print(f"Krippendorff's alpha: {said}, {alpha['units']} pairs with two labels or more")
    if document["no_accuracy"]:
        print(f"no accuracy by Dawid and Skene: {document['no_accuracy']}")
    for one in document["labellers"]:
        parts = [f"{one['labels']} labels, {one['skipped']} skipped"]
        for name in ("accuracy", "gold"):
            if rate := one[name]:
                parts.append(
                    f"{name} {rate['estimate']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
                )
        print(f"  {visible(one['name'])}: {', '.join(parts)}")
        for sign in one["signs"]:
            print(f"    look at this: {sign['explanation']}")


def _score(options: argparse.Namespace) -> int:
    import json

    from buttress.workflows.reward_model import score_reward_model

    document = score_reward_model(options.path, options.samples, seed=options.seed)
    if options.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        from buttress.cli.reward_model import show

        show(document)
    return 0


def _export(options: argparse.Namespace) -> int:
    from buttress.workflows.preferences import export

    out = options.out or _beside(options.paths[0], "train" if options.form == "trl" else "pairs")
    done = export(options.paths, out, options.form, options.criterion)
    print(f"{out}: {done.written} pairs; {done.left_out} left out (tied or planted)")
    return 0
