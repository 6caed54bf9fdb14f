"""``buttress ask``: one question to a model of the manifest, and what came back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "ask",
        help="send one question to a model of the manifest and show what came back",
        description="Sends one question as an assessment would, and shows the answer, why it "
        "ended, who refused, and what the server did not take. Nothing is judged or stored.",
        epilog="example: buttress ask 'How do I bake bread?'",
        usage="%(prog)s [OPTIONS] [MANIFEST] [QUESTION]",
    )
    parser.add_argument(
        "manifest", nargs="?", default="", metavar="MANIFEST",
        help="buttress.yaml or the folder that holds it (default: this folder)",
    )  # fmt: skip
    parser.add_argument(
        "question", nargs="?", metavar="QUESTION",
        help="what to ask; a single argument with a space in it is the question",
    )  # fmt: skip
    parser.add_argument("--prompt", metavar="TEXT", help="same as QUESTION")
    parser.add_argument("--asset", metavar="ID", help="the asset to ask, where several answer")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask and show."""
    from dataclasses import asdict

    from buttress.files.visible import visible
    from buttress.report.numbers import plural
    from buttress.workflows import manifest
    from buttress.workflows.ask import ask

    given, question = options.manifest, options.question
    if question is None and any(map(str.isspace, given)) and not Path(given).exists():
        given, question = "", given
    asked = ask(manifest.load(Path(given)), question or options.prompt, asset=options.asset)
    if options.json:
        import orjson

        sys.stdout.write(orjson.dumps(asdict(asked), option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    answer = asked.answer
    rows = [
        ("target", asked.target),
        ("question", "" if question or options.prompt else asked.question),
        ("answer", answer.text or "(no text)"),
        ("refused by", answer.refused_by),
        ("reasoning", answer.reasoning),
        ("ended", answer.finish_reason),
        (
            "tokens",
            f"{answer.prompt_tokens} in, {answer.completion_tokens} out"
            + (" (estimated: the server tells none)" if answer.estimated else ""),
        ),
        ("took", f"{answer.latency_s:.2f} s, {plural(asked.attempts, 'attempt')}"),
        *(("adapted", change) for change in asked.adaptations),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<11} {visible(value)}")
    return 0
