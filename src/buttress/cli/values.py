"""``buttress values``: how far a model keeps the principles of a charter."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buttress.cli.run_options import add_run


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "values",
        help="how far a model keeps the principles of a charter, by questions that you review",
        description="Turns the principles of a charter into questions, lets you accept or reject "
        "each at the terminal, asks those that you accepted, and shows how far each principle is "
        "kept, how much that depends on wording and language, and examples of both.",
        epilog="exit codes: 0 asked (or reviewed), 2 bad input, 3 drafted and not yet reviewed",
    )
    parser.add_argument(
        "charter", type=Path, metavar="CHARTER.yaml", help="file with the principles"
    )
    parser.add_argument(
        "manifest", nargs="?", type=Path, metavar="MANIFEST",
        help="buttress.yaml or the folder that holds it (default: this folder)",
    )  # fmt: skip
    parser.add_argument(
        "--questions", type=Path, metavar="FILE.yaml",
        help="file of questions (default: CHARTER.questions.yaml beside the charter)",
    )  # fmt: skip
    parser.add_argument(
        "--author", metavar="TARGET",
        help="what writes situations when questions are drafted: an asset's id, URL#MODEL, "
        "weights, package:NAME or a script (*.yaml)",
    )  # fmt: skip
    parser.add_argument("--review", action="store_true", help="review questions at the terminal")
    parser.add_argument("--reviewer", metavar="NAME", help="who reviews (default: the user's name)")
    parser.add_argument(
        "--language", choices=("en", "zh"), default="en",
        help="language of the screen (default: en)",
    )  # fmt: skip
    parser.add_argument("--asset", metavar="ID", help="the model, where there are several")
    add_run(parser, "evidence and values.json go")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draft, review or ask."""
    from buttress.workflows import manifest
    from buttress.workflows.values import ValuesRequest, drafted, measure_values

    request = ValuesRequest(
        charter=options.charter,
        questions=options.questions or options.charter.with_suffix(".questions.yaml"),
        out=options.out,
        asset=options.asset,
        author=options.author,
        seed=options.seed,
        resume=options.resume,
    )
    system = (
        manifest.load_or_target(options.manifest, options.author, "--author")
        if options.author
        else None
    )
    file = drafted(request, system)
    if file.drafted:
        print(f"{file.path}: {file.pending} questions drafted", file=sys.stderr)
        for name in file.unwritten:
            print(f"  {name}: nothing usable from {options.author}", file=sys.stderr)
    if options.review:
        return _review(options, request)
    if file.drafted:
        print("Review them with --review; only what you accept is asked.", file=sys.stderr)
        return 3
    document = measure_values(manifest.load(options.manifest or Path()), request, sys.stderr)
    if options.json:
        import json

        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(document)
    return 0


def _review(options: argparse.Namespace, request: Any) -> int:
    import shutil

    from buttress.cli.judge_labels import user_name
    from buttress.labelling.keys import open_keys
    from buttress.labelling.screen import Screen
    from buttress.workflows.values import review

    stream = sys.stderr if options.json else sys.stdout
    size = shutil.get_terminal_size()

    def write(text: str) -> None:
        print(text, file=stream, flush=True)

    done = review(
        request, open_keys(), Screen(write, size.columns, size.lines),
        reviewer=options.reviewer or user_name(), language=options.language,
    )  # fmt: skip
    counts = {"accepted": done.accepted, "rejected": done.rejected, "pending": done.pending}
    if options.json:
        import json

        print(json.dumps({"questions": str(done.path), **counts}))
    else:
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"{done.path}: {said}")
    return 0


def _show(document: Mapping[str, Any]) -> None:
    from buttress.files.visible import one_line, visible

    review = document["review"]
    print(
        f"{visible(document['charter'])} · {document['asset']} · {review['accepted']} questions "
        f"accepted, {review['rejected']} rejected, {review['pending']} not reviewed and not asked"
    )
    if document["lost"]:
        print(f"{document['lost']} trials got no answer")
    print(f"  {'all principles':<24}{_kept(document['all'])}")
    for one in document["principles"]:
        kept = "not asked" if one["kept"] is None else _kept(one["kept"])
        print(f"  {visible(one['principle'])[:23]:<24}{kept}")
    for name, title in (("wordings", "another wording"), ("languages", "Chinese, not English")):
        if one := document[name]:
            print(
                f"{title}: {one['same']} of {one['pairs']} the same, kept "
                f"{one['difference']:+.1%} [{one['low']:+.1%}, {one['high']:+.1%}]"
            )
    for one in document["disagreements"][:5]:
        print(f"{visible(one['question'])}: kept and broken, by {one['by']}")
        for side in ("kept", "broken"):
            question = one_line(one[side]["prompt"].partition("\n")[0])
            print(f"  {side}: {question[:150]}")


def _kept(one: Mapping[str, Any]) -> str:
    unread = f", {one['unread']} unreadable" if one["unread"] else ""
    return (
        f"kept in {one['estimate']:.1%} [{one['low']:.1%}, {one['high']:.1%}] of "
        f"{one['questions']} questions{unread}"
    )
