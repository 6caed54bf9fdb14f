"""Checks of variables and of references of images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.rules.credentials.literals import is_placeholder
from buttress.rules.credentials.scanner import scan
from buttress.rules.shell import tag_and_digest
from buttress.rules.subject import Check, Subject, SubjectMatch

_SECRET_NAME: Final = re.compile(
    r"(?i)(?:^|_|-)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|apikey|access_?key|"
    r"secret_?key|private_?key|auth_?key|credentials?)(?:$|_(?:key|value|base64|id)$)"
)
_NOT_SECRET: Final = re.compile(
    r"(?i)(?:_file|_path|_url|_name|_length|_ttl|max_token|num_token|token_limit|tokenizer|"
    r"public_?key|key_id|_dir|(?:string|eos|bos|pad|unk|stop|mask|sep|cls|special|end|start)_token)"
)
_SAYS_SO: Final = re.compile(
    r"(?i)not[-_ ]?(?:for[-_ ]?prod|secure)|insecure|"
    r"(?:ci|tests?|testing|dev|development|local)[-_ ]?(?:use[-_ ]?)?only"
)
# A value that says what it stands for is one that somebody made up for everybody.
_STAND_IN: Final = re.compile(
    r"(?i)(?:^|[-_ ])(?:client[-_ ]?secret|secret(?:[-_ ]?key)?|password|token|api[-_ ]?key)"
    r"(?:[-_ ]|$)|(?:^|[-_ ])abc[-_ ]?123"
)
_REFERENCE: Final = re.compile(r"^\s*$|\$|^\{\{|^<|^(?:/|\./|~/|file:)|^(?i:true|false|none|null)$")
_DEFAULT: Final = re.compile(r"^\$\{\w+:?-([^${}]+)\}$")  # what stands where nothing is given
_PIPELINES: Final = ("gha", "gitlab")
_PASSWORD: Final = re.compile(r"(?i)pass(?:word|wd|phrase)?|pwd")
_LEAST: Final = 4
# Keys of these providers are long and random: a short one is for a server that asks for none.
_PROVIDER_KEY: Final = re.compile(
    r"(?i)(?:^|_)(?:openai|anthropic|gemini|google|mistral|cohere|groq|deepseek|dashscope|together|"
    r"replicate|hf|hugging_?face\w*|hub|openrouter|azure_openai|wandb)_(?:api_?)?(?:key|token)$"
)
_SHORTEST_KEY: Final = 20
_OF_FIREBASE: Final = re.compile(r"(?i)firebase\w*=AIza")  # names a project to the web; no secret
_WELL_KNOWN: Final = frozenset((
    "postgres", "password", "passwd", "admin", "root", "mysql", "mariadb", "mongo", "mongodb",
    "redis", "rabbitmq", "guest", "minio", "minioadmin", "user", "secret", "test", "neo4j",
    "elastic", "changeme", "pass", "123456", "12345678", "my-password", "mypassword",
    "mysecretpassword", "my-secret-pw", "example",
))  # fmt: skip


def _for_tests(value: str) -> bool:
    """Whether a value says itself that it protects nothing."""
    return _SAYS_SO.search(value) is not None


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name usually holds a credential."""
    return bool(_SECRET_NAME.search(name)) and not _NOT_SECRET.search(name)


def _secret(subject: Subject) -> Iterator[SubjectMatch]:
    """A variable holds a credential: by its format, or by its name and a literal value."""
    name, value = str(subject.context["name"]), str(subject.context["value"])
    if not value or value.startswith("${{"):
        return
    if default := _DEFAULT.match(value):
        value = default[1]
    text = f"{name}={value}"
    if _OF_FIREBASE.search(text):
        return
    hits = scan(text.encode("utf-8", "replace"), "variables.txt").found
    known = any(hit.rule.verified for hit in hits)
    literal = (
        is_secret_name(name)
        and len(value) >= _LEAST
        and not value.isdigit()
        and not (_PROVIDER_KEY.search(name) and len(value) < _SHORTEST_KEY)
        and not _REFERENCE.search(value)
        and not is_placeholder(value.encode("utf-8", "replace"))
    )
    if (known or literal) and not _for_tests(value) and value.lower() not in _WELL_KNOWN:
        yield SubjectMatch(subject.line(()), name, "" if known else _lessened(subject, name, value))


def _lessened(subject: Subject, name: str, value: str) -> str:
    """Why a literal of such a name may open nothing, in words; empty where nothing says so."""
    if subject.context.get("where") in _PIPELINES and _PASSWORD.search(name):
        return "in a pipeline, mostly that of a service which ends with the job"
    return stand_in(value)


def stand_in(value: str) -> str:
    """That a value only says what it stands for, in words; empty where it does not."""
    return "it says what it stands for, as a default does" if _STAND_IN.search(value) else ""


def _default_password(subject: Subject) -> Iterator[SubjectMatch]:
    """A variable holds a password that everybody tries first."""
    name, value = str(subject.context["name"]), str(subject.context["value"])
    if default := _DEFAULT.match(value):
        value = default[1]
    if is_secret_name(name) and (value.lower() in _WELL_KNOWN or _for_tests(value)):
        yield SubjectMatch(subject.line(()), f"{name}={value}")


def _secret_argument(subject: Subject) -> Iterator[SubjectMatch]:
    """A build argument without a default is meant for a credential."""
    if is_secret_name(str(subject.value).split("=")[0].split()[0] if subject.value else ""):
        yield SubjectMatch(subject.line(()), str(subject.value))


def _mutable_tag(subject: Subject) -> Iterator[SubjectMatch]:
    reference = str(subject.value)
    name, tag, digest = tag_and_digest(reference)
    if "$" in reference or "{" in reference or digest or not name:
        return
    if tag in ("", "latest", "main", "master", "nightly", "dev", "edge"):
        yield SubjectMatch(subject.line(()), reference)


def _no_digest(subject: Subject) -> Iterator[SubjectMatch]:
    reference = str(subject.value)
    _, tag, digest = tag_and_digest(reference)
    fixed = digest or "$" in reference or tag in ("", "latest")
    if subject.context["where"] == "dockerfile" and not fixed:
        yield SubjectMatch(subject.line(()), reference)


CHECKS: Final[dict[str, Check]] = {
    "default-password": _default_password,
    "secret-variable": _secret,
    "secret-argument": _secret_argument,
    "mutable-tag": _mutable_tag,
    "no-digest": _no_digest,
}
