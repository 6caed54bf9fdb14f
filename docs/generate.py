"""Writes docs/reference/ from the code. Run ``python docs/generate.py`` after a change.

A test compares the files with what this makes, so they can't fall behind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
_NOTE = "<!-- Made by docs/generate.py; don't edit. -->\n"


def pages() -> dict[str, str]:
    """File name -> text of every page of the reference."""
    return {
        "commands.md": _commands(),
        "probes.md": _probes(),
        "risks.md": _risks(),
        "policies.md": _policies(),
        "standards.md": _standards(),
    }


def _page(title: str, lines: Iterator[str]) -> str:
    return f"{_NOTE}# {title}\n\n" + "\n".join(lines).rstrip() + "\n"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _commands() -> str:
    from buttress.cli.main import parser

    def section(name: str, one: argparse.ArgumentParser, depth: int) -> Iterator[str]:
        one.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=96)
        yield f"{'#' * depth} `{name}`\n"
        yield f"```text\n{one.format_help().rstrip()}\n```\n"
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                for inner, child in action.choices.items():
                    yield from section(f"{name} {inner}", child, min(depth + 1, 4))

    return _page("Commands", section("buttress", parser(), 2))


def _probes() -> str:
    from buttress import extension
    from buttress.protocols.probe import InspectionProbe

    def lines() -> Iterator[str]:
        yield _row("probe", "version", "yields", "examines", "what")
        yield _row(*["---"] * 5)
        for name in extension.names("probes"):
            probe = extension.load("probes", name)
            inspects = isinstance(probe, InspectionProbe)
            yield _row(
                f"`{name}`",
                probe.version,
                "findings" if inspects else "trials",
                ", ".join(probe.kinds) if inspects else "model",
                probe.title,
            )
        yield "\n## Attacks\n"
        yield _row("attack", "version", "calls", "variants", "references", "what")
        yield _row(*["---"] * 6)
        for name in extension.names("attacks"):
            attack = extension.load("attacks", name)
            variants = ", ".join(getattr(attack, "variants", ())) or "searches"
            references = ", ".join(attack.references)
            calls = str(attack.calls)
            yield _row(f"`{name}`", attack.version, calls, variants, references, attack.title)

    return _page("Probes and attacks", lines())


def _risks() -> str:
    from buttress.risk.catalogue import SEVERITY_LABELS, load_catalogue

    def lines() -> Iterator[str]:
        catalogue = load_catalogue()
        yield (
            "The built-in catalogue. `buttress risks show ID` prints a risk as YAML that can be "
            f"edited. Losses of one incident in {catalogue.currency}, median and 95th percentile; "
            "ranges hold 90 %. These are documented judgements to start from, not measurements.\n"
        )
        for risk in catalogue.risks.values():
            yield f"## {risk.title} (`{risk.id}`)\n"
            yield f"{risk.scenario} *Harm:* {risk.harm}.\n"
            bounds = risk.per_request or risk.per_year or (0.0, 0.0)
            unit = "a request" if risk.per_request else "a year"
            yield f"- severity {risk.level} ({SEVERITY_LABELS[risk.level]}), loss " + (
                f"{risk.loss[0]:,.0f} / {risk.loss[1]:,.0f}"
            )
            yield f"- comes up {bounds[0]:g} to {bounds[1]:g} times {unit}"
            for barrier in risk.barriers:
                low, high = barrier.failure
                known = f", informed by probe `{barrier.probe}`" if barrier.probe else ""
                yield f"- barrier: {barrier.title}; fails with {low:g} to {high:g}{known}"
            pairs = ", ".join(f"{standard} {item}" for standard, item in risk.standards)
            yield f"- standards: {pairs}\n"

    return _page("Risks", lines())


def _policies() -> str:
    from buttress import extension
    from buttress.protocols.probe import InspectionProbe
    from buttress.risk.catalogue import load_catalogue
    from buttress.risk.policy import load_policy, policy_names

    def lines() -> Iterator[str]:
        catalogue, live = load_catalogue(), extension.names("live_probes")
        for name in policy_names():
            policy = load_policy(name, catalogue.risks.keys())
            yield f"## {policy.title} (`{name}`)\n"
            yield f"{policy.source} Decides by the {policy.decide_by}.\n"
            yield _row("risk", "tolerated", "α", "β", "trials at least")
            yield _row(*["---"] * 5)
            for risk, tolerance in policy.risks.items():
                probe = catalogue.risks[risk].probe or ""
                inspects = probe in live or (
                    bool(probe) and isinstance(extension.load("probes", probe), InspectionProbe)
                )
                tolerated = (
                    f"no finding of severity {tolerance.severity} or above"
                    if inspects
                    else f"≤ {tolerance.limit:.0%}"
                )
                row = [f"`{risk}`", tolerated]
                row += ["", "", ""] if inspects else [
                    f"{tolerance.alpha:g}", f"{tolerance.beta:g}", str(tolerance.minimum_trials)
                ]  # fmt: skip
                yield _row(*row)
            yield ""

    return _page("Policies", lines())


def _standards() -> str:
    from buttress.risk.catalogue import load_catalogue
    from buttress.standards.crosswalk import load_standards

    def lines() -> Iterator[str]:
        risks = load_catalogue().risks.values()
        for standard in load_standards().values():
            yield f"## {standard.title} (`{standard.id}`)\n"
            yield _row("item", "title", "risks")
            yield _row(*["---"] * 3)
            for item, title in standard.items.items():
                mapped = [f"`{one.id}`" for one in risks if (standard.id, item) in one.standards]
                yield _row(item, title, ", ".join(mapped))
            yield ""

    return _page("Standards", lines())


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(REFERENCE / name)


if __name__ == "__main__":
    main()
