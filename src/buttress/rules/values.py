"""Checks of variables and of references of images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.rules.credentials.defaults import is_made_of_names
from buttress.rules.credentials.literals import is_placeholder, is_random
from buttress.rules.credentials.scanner import CredentialHit, scan
from buttress.rules.shell import tag_and_digest
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

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
# What a credential is called, and accounts that a service has of itself.
_OF_CREDENTIALS: Final = re.compile(
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api|apikey|keys?|access|auth|jwt|hmac|session|cookie|"
    r"encryption|signing|csrf|app|admin|root|superuser|user|default|initial|initdb|master"
)
_OF_ITS_OWN: Final = re.compile(
    r"(?i)jwt|hmac|session|cookie|csrf|salt|encryption|signing|auth_?secret|(?:^|_)secret(?:_key)?$|pass"
)
_OWN_MACHINE: Final = re.compile(r"\blocalhost\b|\b127\.0\.0\.1\b")
_REFERENCE: Final = re.compile(r"^\s*$|\$|^\{\{|^<|^(?:/|\./|~/|file:)|^(?i:true|false|none|null)$")
_VARIABLE: Final = re.compile(r"\$\{\w+(?::?-([^{}]*))?[^{}]*\}")
_NEAR: Final = 5_000  # lines of a file that are looked through for names
_DEFAULT: Final = re.compile(r"^\$\{\w+:?-([^${}]+)\}$")  # what stands where nothing is given
_PIPELINES: Final = ("gha", "gitlab")
_PASSWORD: Final = re.compile(r"(?i)pass(?:word|wd|phrase)?|pwd")
_LEAST: Final = 4
# Keys of these providers are drawn at random: any other is for a server that asks for none.
_PROVIDER_KEY: Final = re.compile(
    r"(?i)(?:^|_)(?:openai|anthropic|gemini|google|mistral|cohere|groq|deepseek|dashscope|together|"
    r"replicate|hf|hugging_?face\w*|hub|openrouter|azure_openai|wandb)_(?:api_?)?(?:key|token)$"
)
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


def _repeats(name: str, value: str) -> bool:
    """Whether a value only says its variable's name again, of a key and not of a password."""
    said = re.sub(r"[\W_]", "", value).lower()
    return not re.search(r"(?i)pass|pwd", name) and said == re.sub(r"[\W_]", "", name).lower()


def _secret(subject: Subject) -> Iterator[SubjectMatch]:
    """A variable holds a credential: by its format, or by its name and a literal value."""
    name, value = str(subject.context["name"]), str(subject.context["value"])
    if not value or value.startswith("${{"):
        return
    value = literal_of(subject)
    text = f"{name}={value}"
    if _OF_FIREBASE.search(text):
        return
    hits = scan(text.encode("utf-8", "replace"), "variables.txt").found
    known = [value_of(text, hit) for hit in hits if hit.rule.verified]
    literal = (
        is_secret_name(name)
        and len(value) >= _LEAST
        and not value.isdigit()
        and not (_PROVIDER_KEY.search(name) and not is_random(value.encode("utf-8", "replace")))
        and not _REFERENCE.search(value)
        and not _repeats(name, value)
        and not is_placeholder(value.encode("utf-8", "replace"))
    )
    if (known or literal) and not _for_tests(value) and value.lower() not in _WELL_KNOWN:
        why = _default_of(subject, known or [value])
        yield SubjectMatch(
            subject.line(()), name, why if known else why or _lessened(subject, value)
        )


def literal_of(subject: Subject) -> str:
    """The value of a variable, or the default where nothing is given."""
    value = str(subject.context["value"])
    default = _DEFAULT.match(value)
    return default[1] if default else value


def is_given_by_others(subject: Subject) -> bool:
    """Whether a variable's credential is one that somebody else gave out: by format, or drawn.

    What only signs for the service itself is not.
    """
    name, value = str(subject.context["name"]), literal_of(subject)
    hits = scan(f"{name}={value}".encode("utf-8", "replace"), "variables.txt").found
    if any(hit.rule.verified and "url" not in hit.rule.id for hit in hits):
        return True
    return is_random(value.encode("utf-8", "replace")) and not _OF_ITS_OWN.search(name)


def value_of(text: str, hit: CredentialHit) -> str:
    """The secret that was found in a text."""
    return text.encode("utf-8", "replace")[hit.start : hit.end].decode("utf-8", "replace")


def _lessened(subject: Subject, value: str) -> str:
    """Why a literal may open nothing, in words; empty where nothing says so."""
    name, near = str(subject.context["name"]), subject.context.get("near", ())
    if subject.context.get("where") in _PIPELINES:
        if _PASSWORD.search(name):
            return "in a pipeline, mostly that of a service which ends with the job"
        if _OF_ITS_OWN.search(name):
            return "in a pipeline, where it signs for the run alone"
        words = not is_random(value.encode("utf-8", "replace"))
        if words and any(_OWN_MACHINE.search(one) for one in near):
            return "in a pipeline that uses a service of its own machine"
    return stand_in(value)


def _default_of(subject: Subject, values: list[str]) -> str:
    """Why credentials are defaults that nobody from outside can use, in words; else empty.

    Of a service that is reached from other machines, a default is as good as none.
    """
    near = "\n".join((str(subject.context["name"]), *subject.context.get("near", ())[:_NEAR]))
    if not all(is_made_of_names(one, near) for one in values):
        return ""
    service = subject.context.get("service")
    if service is None:
        return "it is made of words and names around it, as defaults are"
    ports = service.get("ports") if isinstance(service.get("ports"), list) else ()
    if service.get("network_mode") != "host" and not any(map(is_published, ports)):
        return "a default made of names around it, and the service publishes no port"
    if not _opens(service, subject):
        return "a default made of names around it, and the service is not seen to be what it opens"
    return ""


def _opens(service: Mapping[str, Any], subject: Subject) -> bool:
    """Whether it is the service itself that a variable's credential opens."""
    words = [one for one in re.split(r"[_-]+", str(subject.context["name"]).lower()) if one]
    of = [one for one in words if not _OF_CREDENTIALS.fullmatch(one)]
    about = f"{scalar(service.get('image')) or ''} {subject.context.get('called', '')}".lower()
    return not of or of[-1] in about


def is_published(port: Any) -> bool:
    """Whether a port of a compose service is published on all of the host's addresses."""
    if isinstance(port, dict):
        host = str(port.get("host_ip", ""))
        return "published" in port and host in ("", "0.0.0.0", "::")
    parts = _VARIABLE.sub(r"\1", str(port)).rsplit(":", 2)
    if len(parts) == 3:
        return parts[0] in ("0.0.0.0", "[::]", "::", "")
    return len(parts) == 2 or str(port).isdigit()


def stand_in(value: str) -> str:
    """That a value only says what it stands for, in words; empty where it does not."""
    return "it says what it stands for, as a default does" if _STAND_IN.search(value) else ""


def _default_password(subject: Subject) -> Iterator[SubjectMatch]:
    """A variable holds a password that everybody tries first."""
    name, value = str(subject.context["name"]), literal_of(subject)
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
