"""Whom a deployment is for, by where its file lies, its name and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from buttress.files.source_files import SourceFile
from buttress.rules.subject import scalar

_TESTS: Final = {"test", "tests", "testing", "integration", "e2e", "integration_tests", "fixtures"}
_EXAMPLES: Final = {
    "example", "examples", "sample", "samples", "cookbook", "cookbooks", "tutorial", "tutorials",
    "demo", "demos", "docs", "internal_docs",
}  # fmt: skip
_DEVELOPERS: Final = {
    "dev", "devel", "develop", "development", "developer", "developers", "devcontainer", "devenv",
    "debug", "test", "tests", "testing", "e2e", "smoke", "bench", "benchmark", "benchmarks", "mock",
    "mocks", "autotest", "autotests", "demo", "example", "sample", "playground", "hack",
}  # fmt: skip
_OF_STACKS: Final = {"ci", "local", "localhost", "deps", "integration", "it", "watch"}
_WORDS: Final = re.compile(r"[._-]+")
# Services that catch mail, or stand for a cloud, on the machine of a developer.
_STANDS_FOR: Final = re.compile(
    r"(?i)(?:mailpit|mailhog|maildev|mailcatcher|smtp4dev|localstack|azurite|fake-gcs|"
    r"greenmail|wiremock|mockserver)(?:$|[:/@])"
)
_SAYS_SO: Final = re.compile(
    r"(?im)^\s*#[^\n]*(?:\b(?:local|manual|developer)\s+(?:dev\w*|test\w*|e2e)|"
    r"\bfor\s+(?:local\s+)?(?:dev(?:elopment)?|test(?:s|ing)?|e2e)\b|"
    r"\b(?:dev(?:elopment)?|test|e2e|testing)[ -](?:only|stack|environment|setup|dependencies|deps|"
    r"services|infra\w*)\b|\bnot\s+(?:meant\s+|intended\s+)?for\s+production\b)"
)


def is_of_tests(file: SourceFile) -> bool:
    """Whether it lies where only tests are; what examples and docs show is copied."""
    return any(one in _TESTS for one in _folders(file))


def is_example(file: SourceFile) -> bool:
    """Whether it lies among examples, tutorials or docs."""
    return any(_EXAMPLES.intersection(re.split("[_-]", one)) for one in _folders(file))


def for_developers(file: SourceFile, *, stack: bool) -> str:
    """Why a file is one of developers or tests alone, in words; empty where nothing says so.

    ``stack``: it describes services, so that more names say so, and its own words count.
    """
    *folders, name = file.location.lower().split("/")
    known = _DEVELOPERS | _OF_STACKS if stack else _DEVELOPERS
    if any(known.intersection(_WORDS.split(one)) for one in (*folders, name)):
        return "its name says that it is for developers or tests"
    if stack and _SAYS_SO.search(_head(file)):
        return "it says that it is for development or tests"
    return ""


def _folders(file: SourceFile) -> list[str]:
    return file.location.lower().split("/")[:-1]


def _head(file: SourceFile) -> str:
    """What stands before the services of a compose file."""
    text = file.data[:8_000].decode("utf-8", "replace")
    services = re.search(r"(?m)^services\s*:", text)
    return text[: services.start()] if services else ""


def is_run_by_developers(service: Mapping[str, Any]) -> bool:
    """Whether all profiles of a compose service are of development or tests."""
    given = service.get("profiles")
    profiles = [str(one).lower() for one in given] if isinstance(given, list) else []
    known = _DEVELOPERS | _OF_STACKS
    return bool(profiles) and all(known.intersection(_WORDS.split(one)) for one in profiles)


def stands_for_others(image: Any) -> bool:
    """Whether an image catches mail or stands for a cloud, as only developers need."""
    return bool(_STANDS_FOR.search(scalar(image) or ""))
