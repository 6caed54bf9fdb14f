"""Checks of literals that only their name and their look make secrets."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from buttress.rules.credentials.candidate import CredentialCandidate, Verdict
from buttress.rules.credentials.literals import (
    classes,
    entropy,
    is_filler,
    is_hash,
    is_placeholder,
    is_random,
    is_words,
)

_CODE: Final = re.compile(rb"^(?:https?:|file:|\./|\.\./|~/|[@#!&$])|://|[()\[\]{}<>`|;\\]")
_PUBLISHABLE: Final = re.compile(
    rb"pk[._]|sb_publishable_|phc_|G-[0-9A-Z]{8,}\Z"
)  # meant for browsers
_LEAST_WEAK: Final = 24
_HEX: Final = re.compile(rb"[0-9a-fA-F-]+")
_SHORT_HEX: Final = re.compile(rb"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{16,19}")  # 64 bits at least
_SEARCH: Final = re.compile(rb"(?i)docsearch|index_?name|search_?(?:only_?)?(?:api_?)?key")
_NEAR: Final = 200  # bytes around a key that tell what it is for
_SECRET: Final = re.compile(rb"(?i)secret(?:[_.-]?key)?$")
_LEAST_ENTROPY: Final = 2.8  # bits a digit
_CALL: Final = re.compile(rb"[A-Za-z_][\w.]*[(\[]")
# In a signing key a sign like "$" is drawn at random; only words show that it stands for another.
_STAND_IN: Final = re.compile(
    rb"(?i)chang[e_-]{0,2}(?:me|this|it)|place[_-]?holder|dummy|sample|your[_-]|todo|fixme|replace"
    rb"|(?:dev|test|local|insecure|default|secret)[_-](?:key|secret|only)|<[a-z]|\$\{|\}\}"
)
_ESCAPED: Final = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_LEAST_BYTES: Final = 8  # different bytes of a key that is written with escapes
# Names that end with "pass" and are words of their own, as "minipass" and "compass".
_WORD_WITH_PASS: Final = re.compile(rb"(?i)[a-z]pass(?:[_.-][a-z]{3,10}|[_.-]?[0-9]{1,2})?\Z")
_FOR_PASSWORD: Final = re.compile(
    rb"[a-z]Pass|(?i:db|sql|user|admin|root|smtp|mail|ftp|ssh|redis|mongo|pg|proxy|auth|login|wifi)"
    rb"(?i:pass)"
)
_RANGE: Final = re.compile(rb"(?:\w{1,20}:)?[\^~<>=]{0,2}v?[0-9]{1,5}\.[0-9]")  # of versions
_LEAST_SIGNED: Final = 12  # characters of a password with signs and no digit
_LEAST_DIFFERENT: Final = 5  # characters of a password that differ
_LEAST_CHANGES: Final = 2  # of case, and between letters and digits
_LEAST_SIGNING: Final = 3.5  # bits a character
_SAFE_NAME: Final = re.compile(
    rb"(?i)public|csrf|xsrf|example|dummy|fake|mock|hash|digest|checksum"
    rb"|(?:special|stop|added|extra|bad|max|min|prompt|input|output|num|reserved|mask|image|audio|"
    rb"new|total|all|control|eos|suppress|sentinel|placeholder|unused|completion)[_.-]?tokens"
    rb"|(?:by|com|sur|tres|first|second|last|single|multi|one|two|num|forward|backward|render|low|high"
    rb"|band|all|proxy|fastcgi|uwsgi|scgi|grpc|memcached)[_.-]?pass\Z"
    rb"|(?:^|[_.-])(?:pad|eos|bos|unk|cls|sep|mask|next|prev|page|cursor|sync|cancel)"
    rb"[_.-]?(?:page)?[_.-]?token"
)
_LOOPBACK: Final = re.compile(
    rb"(?i)localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|host\.docker\.internal"
)
# Machines of one network: a container's name, addresses of RFC 1918, zones of clusters.
_INNER: Final = re.compile(
    rb"(?i)^[^.:]*(?::|$)|^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[0-9.]+(?::|$)"
    rb"|\.(?:local|internal|lan|svc|cluster\.local|home\.arpa)(?::|$)"
)
_NAME_OF_SETTING: Final = re.compile(rb"[A-Z]{2,}(?:_[A-Z]+)+")  # as "DB_PASSWORD"
_SPEAKS_OF_IT: Final = re.compile(rb"(?i)pass|pwd|secret")
_FERNET: Final = re.compile(rb"gAAAAA[0-9A-Za-z_-]{60}")  # version 0x80, a time and more
_COMMAND_REACH: Final = 400  # bytes of a command before and after a header
_LINE_END: Final = re.compile(rb"(?<!\\)(?:\r?\n)|&&|;\s")  # not one that is continued
_SENDER: Final = re.compile(rb"(?:^|[\s;&|(`\"'])(?:curl|wget|https?|xh)\s")
_HOST: Final = re.compile(rb"https?://([^\s/@\"'`$<>{}]+)")
_KUBECONFIG: Final = re.compile(rb"(?m)^kind:[ \t]*Config\b")
_USERS: Final = re.compile(rb"(?m)^users:")
_PARAMETER: Final = re.compile(rb"[?&;](?:amp;)?([A-Za-z]{2,3})=([^&\s\"'<>`]{1,200})")
_VERSION: Final = re.compile(rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A line of comment that gives an example.
_SHOWN: Final = re.compile(
    rb"(?i)^\s*(?:#|//|\*|--|;).*(?:\b(?:e\.?g\b|i\.e\b|examples?\b|for\s+instance|such\s+as|formats?\b)|"
    + "例|格式|形如".encode()
    + rb")"
)
_DOCUMENT: Final = re.compile(
    rb"(?i)(?:^|[.@])(?:example|test|invalid)(?:\.(?:com|org|net))?$|^host(?:name)?$|^server$"
)
_COMMON: Final = frozenset(
    b"password passwd pass pwd secret root admin user username guest postgres mysql mongo redis "
    b"rabbitmq minio test p pw token key changeme".split()
)


def _names(candidate: CredentialCandidate) -> str:
    name = candidate.name.decode("ascii", "replace")
    # An adversary's name could repeat the secret, which must not be told.
    hidden = candidate.secret.lower() in candidate.name.lower()
    return "" if hidden or not name else f"assigned to {name[:60]}"


def literal(candidate: CredentialCandidate) -> Verdict | None:
    """A random-looking literal under a name like token or api_key, right beside it."""
    return value(candidate) if _is_call_or_assignment(candidate) else None


def value(candidate: CredentialCandidate) -> Verdict | None:
    """A random-looking literal that belongs to a name like token or api_key."""
    secret = candidate.secret
    if _SAFE_NAME.search(candidate.name) or _CODE.search(secret) or _stands_in(candidate):
        return None
    if _sealed(candidate) or _PUBLISHABLE.match(secret) or _searches(candidate):
        return None
    if is_random(secret):
        return Verdict(_names(candidate))
    short = _SHORT_HEX.fullmatch(secret) and _SECRET.search(candidate.name)
    if short and entropy(secret) >= _LEAST_ENTROPY:
        return Verdict(_names(candidate), "low")
    return None


def _searches(candidate: CredentialCandidate) -> bool:
    """Whether it is a key with which a page searches its own index at Algolia: public."""
    near = candidate.data[max(0, candidate.start - _NEAR) : candidate.end + _NEAR]
    found = _SEARCH.search(near) and re.search(rb"(?i)app(?:lication)?_?id", near)
    return bool(found) and re.fullmatch(rb"[0-9a-f]{32}", candidate.secret) is not None


def sent_header(candidate: CredentialCandidate) -> Verdict | None:
    """A credential in a header that a command sends to a machine that it names."""
    before = candidate.data[max(0, candidate.start - _COMMAND_REACH) : candidate.start]
    before = _LINE_END.split(before)[-1]
    after = _LINE_END.split(candidate.data[candidate.end : candidate.end + _COMMAND_REACH])[0]
    host = _HOST.search(before + b" " + after) if _SENDER.search(before) else None
    if host is None or is_documented_host(host[1]) or _LOOPBACK.search(host[1]):
        return None
    return value(candidate)


def signing(candidate: CredentialCandidate) -> Verdict | None:
    """A key of a framework, of any printable characters, as Django and WordPress make them."""
    secret = candidate.secret.removeprefix(b"base64:").removeprefix(b"django-insecure-")
    if len(drawn := _ESCAPED.findall(secret)) * 4 > len(secret) // 2:  # b"\xee\x78…"
        return Verdict() if len(set(drawn)) >= _LEAST_BYTES else None
    made_up = is_filler(secret) or _STAND_IN.search(secret) or is_words(secret)
    if made_up or _CALL.match(secret) or secret.startswith((b"$", b"%(", b"<", b"{{")):
        return None
    varied = classes(secret) >= 3 and entropy(secret) >= _LEAST_SIGNING
    return Verdict() if varied or is_random(secret) else None


def query(candidate: CredentialCandidate) -> Verdict | None:
    """A random-looking value in the query of a URL, which may be percent-encoded."""
    secret = unquote_to_bytes(candidate.secret)
    if _SAFE_NAME.search(candidate.name) or is_placeholder(secret) or not is_random(secret):
        return None
    weak = candidate.name.lower() in (b"key", b"code", b"sig", b"signature", b"token")
    # Cache keys, digests and signatures of others' downloads have such short names, too.
    if weak and (len(secret) < _LEAST_WEAK or _HEX.fullmatch(secret)):
        return None
    return Verdict(_names(candidate))


def kubeconfig(candidate: CredentialCandidate) -> Verdict | None:
    """What a user of a kubeconfig signs in with."""
    whole = _KUBECONFIG.search(candidate.data) and _USERS.search(candidate.data)
    if not whole or is_placeholder(candidate.secret) or not is_random(candidate.secret):
        return None
    return Verdict(_names(candidate))


def azure_sas(candidate: CredentialCandidate) -> Verdict | None:
    """A signature that opens storage at Azure to whoever has it, until a date.

    One that has expired is low, one that lets nobody write is medium: such are given to the public.
    """
    line = candidate.data[candidate.whole[0] : candidate.end + _NEAR].split(maxsplit=1)[0]
    told = {key.lower(): value for key, value in _PARAMETER.findall(line)}
    if not _VERSION.fullmatch(told.get(b"sv", b"")) or not is_random(
        unquote_to_bytes(candidate.secret)
    ):
        return None
    end = told.get(b"se", b"")[:10].decode("ascii", "replace")
    if end and end < datetime.now(UTC).date().isoformat():
        return Verdict("it has expired", "low")
    if not set(told.get(b"sp", b"w")) & set(b"wdacu"):
        return Verdict("it lets nobody write", "medium")
    return Verdict(f"valid until {end}" if _DATE.fullmatch(end) else "")


def _is_call_or_assignment(candidate: CredentialCandidate) -> bool:
    """Two texts with a comma between are name and value only as the arguments of a call."""
    if not candidate.name:
        return True
    start = candidate.whole[0]
    between = candidate.data[start + len(candidate.name) : candidate.start]
    return b"," not in between or b"(" in candidate.data[max(0, start - 3) : start]


def password(candidate: CredentialCandidate) -> Verdict | None:
    """A literal under a name like password: random, or of at least three kinds of characters."""
    secret = candidate.secret
    name = candidate.name
    if _SAFE_NAME.search(name) or (_WORD_WITH_PASS.search(name) and not _FOR_PASSWORD.search(name)):
        return None
    if _stands_in(candidate) or _RANGE.match(secret):
        return None
    if re.match(rb"https?:|\./|@|\$", secret) or re.search(rb"[(){}<>\\`]|://", secret):
        return None
    if not _is_call_or_assignment(candidate) or not _is_password(secret):
        return None
    return Verdict(_names(candidate))


def stated(candidate: CredentialCandidate) -> Verdict | None:
    """What stands where only a password can: neither words nor a stand-in, of any look."""
    secret = candidate.secret
    if _stands_in(candidate) or _spoken(secret) or secret.lower() in _COMMON:
        return None
    if re.search(rb"[(){}<>\\`]|://|^[%$]", secret) or len(set(secret)) < _LEAST_DIFFERENT:
        return None
    return Verdict() if is_random(secret) or _unspeakable(secret) else None


def _stands_in(candidate: CredentialCandidate) -> bool:
    """Whether it is no secret: a reference to one, an example, or the hash of a password."""
    secret = candidate.secret
    return is_placeholder(secret, expands=candidate.expands) or is_hash(secret)


def _unspeakable(text: bytes) -> bool:
    """Whether it has signs, digits or changes of case that names don't have."""
    changes = len(re.findall(rb"[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]", text))
    return _is_password(text) or (changes >= _LEAST_CHANGES and not is_words(text))


def _sealed(candidate: CredentialCandidate) -> bool:
    """Whether it is encrypted for a cluster (SealedSecret), and so meant to be committed."""
    return candidate.secret.startswith(b"Ag") and b"SealedSecret" in candidate.data


def _is_password(text: bytes) -> bool:
    if classes(text) < 3:
        return is_random(text)
    if re.search(rb"[0-9]", text):
        return not _spoken(text) or is_random(text)
    signs = len(text) >= _LEAST_SIGNED and re.search(rb"[!#$%^&*?~]", text) is not None
    return (signs and not is_words(text)) or is_random(text)


def _spoken(text: bytes) -> bool:
    """Words joined by dots, dashes or underscores, as keys of translations and settings are."""
    return is_words(text) and not re.search(rb"[!#$%^&*?+=~@]", text)


def url_password(candidate: CredentialCandidate) -> Verdict | None:
    """The password in a URL, unless a placeholder or the default of a local service.

    Where the rule's setting ``strong`` is true, only a password that nobody writes as an example.
    """
    user, host = (candidate.groups.get(name, b"") for name in ("user", "host"))
    if re.search(rb"[<>{}]|^[$*]|\*{2}|%\(|\.{3}|x{3}|^\(?\[|\[\^|\(\?", candidate.secret.lower()):
        return None
    secret = unquote_to_bytes(candidate.secret)
    if secret.lower() in _COMMON or secret.lower() == unquote_to_bytes(user).lower():
        return None
    if is_documented_host(host) or is_placeholder(secret, expands=candidate.expands):
        return None
    strong = _is_password(secret)
    if _NAME_OF_SETTING.fullmatch(secret) or (candidate.rule.settings.get("strong") and not strong):
        return None
    if _LOOPBACK.search(host):
        return Verdict("for a service on the same machine", "low")
    line = candidate.data[candidate.data.rfind(b"\n", 0, candidate.start) + 1 : candidate.start]
    if _SHOWN.search(line):
        return Verdict("a comment gives it as an example", "low")
    if _FERNET.match(secret):
        return Verdict("encrypted, so only as safe as the key of the program", "medium")
    if not strong and _INNER.search(host):
        return Verdict("a plain one, for a machine of one's own network", "medium")
    if not strong and _SPEAKS_OF_IT.search(secret):
        return Verdict("a plain one, as examples have it", "medium")
    return Verdict()


def is_documented_host(host: bytes) -> bool:
    """Whether the host is one of those reserved for examples (RFC 2606), or the word itself."""
    return _DOCUMENT.search(host.partition(b":")[0]) is not None
