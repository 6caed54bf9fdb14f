"""Findings of other scanners that Buttress does not have at the same place, on the same folders.

    python benchmarks/scan_peers.py FOLDER… --peer zizmor=EXE --peer bandit=EXE \\
        --peer detect-secrets=EXE --peer semgrep=EXE --semgrep-rules FOLDER --gitleaks-rules FILE

Of zizmor and bandit findings of medium severity and above count (and of medium confidence, where
the tool says one), of semgrep those of severity ERROR in the category "security", of detect-secrets
all. gitleaks is a Go program; here its rules (``gitleaks.toml``) are applied by RE2, with their
keywords, entropies and allowlists. A finding is ours too where we have one of any severity in the
same file, at most two lines away. What is not is listed by rule; ``peers/explained.yaml`` says of a
rule why we have none there, and what has no explanation counts as open.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import re2
import yaml

PROBES = "unsafe-code,secrets,infrastructure,agent-config,dependencies"
NEAR = 2  # lines
LARGEST = 1 << 20
LEFT_OUT = {".git", "node_modules", ".venv", "venv", "site-packages", "vendor", "third_party"}
EXPLAINED = Path(__file__).parent / "peers/explained.yaml"


@dataclass(frozen=True)
class PeerFinding:
    """One finding of a peer; lines from 1."""

    path: str
    first: int
    last: int
    rule: str


def output(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"{command[0]}: no output: {done.stderr[-500:]}")
    return done.stdout


def zizmor(executable: str, folder: Path) -> Iterator[PeerFinding]:
    if not (folder / ".github").is_dir():
        return
    command = [executable, "--offline", "--format=json", "--no-exit-codes", ".github"]
    for one in json.loads(output(command, folder)):
        said = one["determinations"]
        if {said["severity"], said["confidence"]} & {"Informational", "Low", "Unknown"}:
            continue
        for place in one["locations"]:
            if place["symbolic"]["kind"] == "Primary":
                key = place["symbolic"]["key"]["Local"]
                point = place["concrete"]["location"]
                path = key.get("given_path") or key["verbatim_path"]
                first, last = point["start_point"]["row"], point["end_point"]["row"]
                yield PeerFinding(path, first + 1, last + 1, one["ident"])


def bandit(executable: str, folder: Path) -> Iterator[PeerFinding]:
    command = [executable, "-r", "-q", "-ll", "-ii", "-f", "json", "."]
    for one in json.loads(output(command, folder))["results"]:
        lines = one["line_range"] or [one["line_number"]]
        path = one["filename"].removeprefix("./")
        yield PeerFinding(path, lines[0], lines[-1], f"{one['test_id']} {one['test_name']}")


def semgrep(executable: str, folder: Path, rules: Path) -> Iterator[PeerFinding]:
    command = [
        executable, "scan", "--json", "--metrics=off", "--disable-version-check", "--quiet", "-j1",
        "--no-git-ignore", "--severity=ERROR", f"--config={rules}", ".",
    ]  # fmt: skip
    for one in json.loads(output(command, folder))["results"]:
        if one["extra"]["metadata"].get("category") == "security":
            rule = one["check_id"].rpartition(".")[2]
            path = one["path"].removeprefix("./")
            yield PeerFinding(path, one["start"]["line"], one["end"]["line"], rule)


def detect_secrets(executable: str, folder: Path) -> Iterator[PeerFinding]:
    text = output([executable, "scan", "--all-files", "."], folder)
    for path, found in json.loads(text)["results"].items():
        for one in found:
            line = one["line_number"]
            yield PeerFinding(path.removeprefix("./"), line, line, one["type"])


def gitleaks(file: Path, folder: Path) -> Iterator[PeerFinding]:
    """The rules of gitleaks on all text files of a folder."""
    config = tomllib.loads(file.read_text(encoding="utf-8"))
    rules = [(one, re2.compile(one["regex"])) for one in config["rules"] if "regex" in one]
    no_path = [re2.compile(one) for one in config.get("allowlist", {}).get("paths", ())]
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if LEFT_OUT & set(path.parts) or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size > LARGEST or any(one.search(place) for one in no_path):
            continue
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        text = data.decode("utf-8", "replace")
        lower = text.lower()
        for rule, expression in rules:
            if any(word.lower() in lower for word in rule.get("keywords", [""])):
                yield from _leaks(rule, expression, text, place, config)


def _leaks(rule, expression, text: str, place: str, config) -> Iterator[PeerFinding]:  # type: ignore[no-untyped-def]
    if "path" in rule and not re2.search(rule["path"], place):
        return
    for match in expression.finditer(text):
        groups = [one for one in match.groups() if one]
        secret = match.group(rule["secretGroup"]) if "secretGroup" in rule else (
            groups[0] if groups else match.group()
        )  # fmt: skip
        if "entropy" in rule and _entropy(secret) <= rule["entropy"]:
            continue
        start = text.rfind("\n", 0, match.start()) + 1
        line = text[start : (text + "\n").find("\n", match.end())]
        allowed = [config.get("allowlist", {}), *config.get("allowlists", ())]
        allowed += [*rule.get("allowlists", ()), rule.get("allowlist", {})]
        if not any(_allows(one, secret, match.group(), line, place) for one in allowed):
            number = text.count("\n", 0, match.start()) + 1
            yield PeerFinding(place, number, number + match.group().count("\n"), rule["id"])


def _allows(one, secret: str, matched: str, line: str, place: str) -> bool:  # type: ignore[no-untyped-def]
    target = {"line": line, "match": matched}.get(one.get("regexTarget", ""), secret)
    tests = []
    if one.get("paths"):
        tests.append(any(re2.search(path, place) for path in one["paths"]))
    if one.get("regexes"):
        tests.append(any(re2.search(regex, target) for regex in one["regexes"]))
    if one.get("stopwords"):
        tests.append(any(word.lower() in secret.lower() for word in one["stopwords"]))
    return all(tests) if one.get("condition", "OR") == "AND" and tests else any(tests)


def _entropy(text: str) -> float:
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def ours(folder: Path) -> dict[str, set[int]]:
    """Lines of our findings by file, of any severity."""
    command = [sys.executable, "-m", "buttress", "scan", ".", "--only", PROBES, "--json"]
    text = output([*command, "--no-ignore-file", "--fail-on", "never"], folder)
    found: dict[str, set[int]] = defaultdict(set)
    for one in json.loads(text)["findings"]:
        found[one["place"]["path"]].add(one["place"].get("line") or 0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=EXE")
    parser.add_argument("--semgrep-rules", type=Path, metavar="FOLDER")
    parser.add_argument("--gitleaks-rules", type=Path, metavar="FILE")
    parser.add_argument("--list", action="store_true", help="each finding that is open, too")
    given = parser.parse_args()
    named = dict(one.split("=", 1) for one in given.peer)
    runs: dict[str, Callable[[Path], Iterator[PeerFinding]]] = {}
    for name, function in (
        ("zizmor", zizmor), ("bandit", bandit), ("detect-secrets", detect_secrets),
    ):  # fmt: skip
        if name in named:
            runs[name] = lambda folder, f=function, exe=named[name]: f(exe, folder)  # type: ignore[misc]
    if "semgrep" in named and given.semgrep_rules:
        rules = given.semgrep_rules.absolute()
        runs["semgrep"] = lambda folder: semgrep(named["semgrep"], folder, rules)
    if given.gitleaks_rules:
        file = given.gitleaks_rules.absolute()
        runs["gitleaks' rules"] = lambda folder: gitleaks(file, folder)
    explained = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))
    known = {folder: ours(folder) for folder in given.folders}
    print("| peer | its findings | also ours | explained | open |")
    print("| --- | ---: | ---: | ---: | ---: |")
    missing: dict[str, Counter[str]] = {}
    for name, run in runs.items():
        every, both, missing[name], opened = 0, 0, Counter(), []
        for folder in given.folders:
            for one in dict.fromkeys(run(folder)):
                every += 1
                lines = known[folder].get(one.path, ())
                if any(one.first - NEAR <= line <= one.last + NEAR for line in lines):
                    both += 1
                    continue
                missing[name][one.rule] += 1
                if not _reason(explained, name, one):
                    opened.append(f"{folder.name}/{one.path}:{one.first} {one.rule}")
        rest = every - both - len(opened)
        print(f"| {name} | {every} | {both} | {rest} | {len(opened)} |", flush=True)
        if given.list:
            print("\n".join(f"    {one}" for one in opened), file=sys.stderr, flush=True)
    print("\n| peer | rule | not ours | why |\n| --- | --- | ---: | --- |")
    for name, counts in missing.items():
        for rule, number in counts.most_common():
            why = _why(explained, name, rule)
            print(f"| {name} | {rule} | {number} | {why or 'open'} |")


def _why(explained: dict[str, dict[str, str]], peer: str, rule: str) -> str:
    return explained.get(peer, {}).get(rule, "")


def _reason(explained: dict[str, dict[str, str]], peer: str, one: PeerFinding) -> str:
    for pattern, why in explained.get("paths", {}).items():
        if re.search(pattern, one.path):
            return why
    return _why(explained, peer, one.rule)


if __name__ == "__main__":
    main()
