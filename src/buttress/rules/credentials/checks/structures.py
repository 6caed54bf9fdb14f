"""Checks of keys that have an inner structure: what they encode must decode."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final

from buttress.rules.credentials.candidate import CredentialCandidate, Verdict
from buttress.rules.credentials.literals import is_filler, is_placeholder, is_random

_MAX_KEY: Final = 16_384  # characters of a private key that are looked at
_SIGNATURE: Final = {  # bytes of a signature; RFC 7518, sections 3.2 to 3.5
    "HS256": (32,), "HS384": (48,), "HS512": (64,), "ES256": (64,), "ES256K": (64,),
    "ES384": (96,), "ES512": (132,), "EdDSA": (64, 114),
    **{f"{kind}{size}": (256, 384, 512) for kind in ("RS", "PS") for size in (256, 384, 512)},
}  # fmt: skip
# What may stand between the lines of a key: line ends, also escaped; quotes and signs of joining
# where it is written in pieces; marks of comments.
_BETWEEN: Final = re.compile(
    rb"""\\[nrt]|\\?["'][ \t]*[+,.&]?[ \t]*\\?\r?\n[ \t]*\\?["']|\n[ \t]*(?:#|//|\*)[ \t]+|[\s"']"""
)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_HEADER: Final = re.compile(rb"(?:Proc-Type|DEK-Info|Version|Comment|Hash): [^\n\\]*(?:\n|\\n|\\r)")

_PEM: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[\s\"'+,#*]){0,40}"
    rb"([0-9A-Za-z+/:-]{8})"
)
_PUBLIC: Final = re.compile(
    rb"authDomain|messagingSenderId|firebaseapp\\?\.com|mobilesdk_app_id|GOOGLE_APP_ID|REVERSED_CLIENT_ID"
    rb"|GCM_SENDER_ID|PLIST_VERSION|\"current_key\"|\"configuration_version\""
)
# An address of maps that a page loads, with the key of the page.
_OF_A_PAGE: Final = re.compile(
    rb"maps\.google(?:apis)?\.com/maps/(?:api/js|embed/v1/\w{1,20})\?[^\s\"'<>]{0,150}\bkey=$|"
    rb"google\.com/(?:maps/embed/v1/\w{1,20}|recaptcha/\S{0,60})\?[^\s\"'<>]{0,150}\bkey=$"
)
# YouTube's own pages and applications hold its keys, which every visitor gets.
_OF_YOUTUBE: Final = re.compile(rb"(?i)inner_?tube|youtubei\b|ytcfg|ytInitialData")
# The name of a Firebase key, whatever stands around it.
_OF_FIREBASE: Final = re.compile(
    rb"(?i)firebase[\w.-]{0,40}[\"'\]]{0,2}\s{0,3}(?::[^=\n]{1,20})?[=:,]\s{0,3}[\"'(]{0,2}$"
)
# Names of keys that a page may show, if Google lets it be used from that page alone.
_MAYBE_OF_A_PAGE: Final = re.compile(
    rb"(?i)(?:maps?|geocod\w*|places|recaptcha|translate|fonts?|public)[\w.-]{0,30}[\"'\]]{0,2}\s{0,3}(?::[^=\n]{1,20})?[=:,]\s{0,3}[\"'(]{0,2}$"
)
_BUNDLED: Final = re.compile(
    rb"(?i)(?:next|expo|nuxt)_public"
)  # says where it goes, not what it is
# An application that a user installs can't keep its OAuth client secret (RFC 8252, section 8.5).
_INSTALLED: Final = re.compile(
    rb"InstalledAppFlow|[\"']installed[\"']\s*:|urn:ietf:wg:oauth:2\.0:oob"
    rb"|oauth2\.googleapis\.com/device/code|(?i:native|desktop|installed)[ -]app(?:lication)?s?\b"
    rb"|\b(?:gemini|gcloud)[_ -]?cli\b|cloudcode-pa\.googleapis"
)
_SEED_LENGTHS: Final = (12, 15, 18, 21, 24)  # words of BIP-39
# Frequent words that BIP-39's list has not.
_OF_SENTENCES: Final = frozenset(
    b"the and are for was not but with from your has had his her them their these those were been"
    b" would which here".split()
)
# The phrases that Ganache and Truffle start with, and a test vector of BIP-39.
_SEEDS_OF_TOOLS: Final = re.compile(rb"(?:candy maple cake|myth like bonus|legal winner thank)\b")
_PIECE: Final = 200  # bytes of a key that are enough of it
_NEAR: Final = 1_500  # bytes around a key that tell what it belongs to

PYPI: Final = b".".join((b"pypi", b"org"))  # the location that its tokens name


def unbase64(text: bytes, *, url: bool = False) -> bytes | None:
    """The bytes that ``text`` encodes, with or without padding; None if it doesn't."""
    text = text.rstrip(b"=")
    padded = text + b"=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if url else None, validate=True)
    except (binascii.Error, ValueError):
        return None


def _object(text: bytes) -> dict[str, Any] | None:
    decoded = unbase64(text, url=True)
    try:
        value = json.loads(decoded) if decoded else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def jwt(candidate: CredentialCandidate) -> Verdict | None:
    """JSON Web Token: header with an algorithm, claims, and a signature of its length; RFC 7519."""
    head, claims, signature = candidate.secret.split(b".")
    header, payload = _object(head), _object(claims)
    if header is None or payload is None:
        return None
    algorithm = header.get("alg")
    sizes = _SIGNATURE.get(algorithm) if isinstance(algorithm, str) else None
    if sizes is None or len(unbase64(signature, url=True) or b"") not in sizes:
        return None
    # The samples of jwt.io and PyJWT.
    if payload.get("sub") == "1234567890" or payload == {"some": "payload"}:
        return None
    if payload.get("role") == "anon" and "supabase" in str(payload.get("iss")):
        return Verdict("of Supabase's role anon, which is public: see that rows are guarded", "low")
    return Verdict(f"signed with {algorithm}")


_NAME_REACH: Final = 200  # bytes before a key in which its name stands
_FOR_TRIALS: Final = re.compile(
    rb"(?i)(?:^|[\s_.-])(?:local|dev|develop\w*|tests?|testing|dummy|example|sample|fake|mock)"
    rb"(?:[_-]\w*)?[\"']?\s*[:=]"
)


def private_key(candidate: CredentialCandidate) -> Verdict | None:
    """A private key in PEM (RFC 7468), whose body decodes to DER, an OpenSSH or an OpenPGP key.

    The body may stand on one line with escaped line ends, as in JSON, or in quoted pieces.
    """
    text = candidate.data[candidate.start : candidate.start + _MAX_KEY]
    stop = text.find(b"-----END")
    if stop < 0:
        return None
    body = text[:stop]
    locked = b"ENCRYPTED" in body or b"ENCRYPTED" in candidate.data[slice(*candidate.whole)]
    pure = _BETWEEN.sub(b"", _HEADER.sub(b"", body))
    pure = re.sub(rb"=[A-Za-z0-9+/]{4}$", b"", pure)  # the checksum of OpenPGP's armour
    decoded = unbase64(pure) if _BASE64.fullmatch(pure) else None
    if decoded is None or len(decoded) < 32:
        return None
    known = decoded[0] == 0x30 or decoded[0] & 0x80 or decoded.startswith(b"openssh-key-v1\0")
    if not known and not locked:  # under "Proc-Type: 4,ENCRYPTED" it is ciphertext
        return None
    begin, end = candidate.whole[0], candidate.start + stop
    if locked:
        why = "encrypted, so only as safe as its passphrase"
        return Verdict(why, "medium", start=begin, end=end)
    before = candidate.data[max(0, begin - _NAME_REACH) : begin].rpartition(b"\n")[2]
    if _FOR_TRIALS.search(before):
        return Verdict("by its name for development or tests", "medium", start=begin, end=end)
    return Verdict("not encrypted", start=begin, end=end)


def pypi(candidate: CredentialCandidate) -> Verdict | None:
    """PyPI: a macaroon of version 2 whose location is the index."""
    decoded = unbase64(candidate.secret.removeprefix(b"pypi-"), url=True)
    right = decoded is not None and decoded.startswith(b"\x02\x01\x08" + PYPI + b"\x02")
    return Verdict("a macaroon of PyPI") if right else None


def discord(candidate: CredentialCandidate) -> Verdict | None:
    """Discord: the first part is the bot's numeric id in base64."""
    decoded = unbase64(candidate.secret.partition(b".")[0], url=True)
    right = decoded is not None and decoded.isdigit() and 17 <= len(decoded) <= 20
    return Verdict("it encodes a bot's id") if right else None


_EMULATORS: Final = (b"Eby8vdM02xNOcqFlqUwJ", b"C2y6yDjf5/R+ob0N8A7C")  # Azurite, Cosmos DB


def sixty_four_bytes(candidate: CredentialCandidate) -> Verdict | None:
    """Azure storage, Cosmos DB and batch accounts: a key of 512 bits in base64."""
    decoded = unbase64(candidate.secret)
    if decoded is None or len(decoded) != 64 or is_filler(candidate.secret):
        return None
    if candidate.secret.startswith(_EMULATORS):  # the same in each emulator, and in Azure's docs
        return None
    return Verdict("a key of 512 bits")


def zhipu(candidate: CredentialCandidate) -> Verdict | None:
    """Zhipu: an id in hex, then a secret of mixed case; file names with two digests are not."""
    secret = candidate.secret.partition(b".")[2]
    mixed = secret not in (secret.lower(), secret.upper())
    return Verdict() if mixed and not is_filler(candidate.secret) else None


def google(candidate: CredentialCandidate) -> Verdict | None:
    """A Google API key; that of a page's map or of a Firebase application is public by design."""
    if is_filler(candidate.secret):
        return None
    near = candidate.data[max(0, candidate.start - _NEAR) : candidate.end + _NEAR]
    if _OF_A_PAGE.search(candidate.data, max(0, candidate.start - 200), candidate.start):
        return Verdict("of a map in a page, where it is public: see that it is restricted", "low")
    line = candidate.data[max(0, candidate.start - _NAME_REACH) : candidate.start]
    line = line.rpartition(b"\n")[2]
    if _PUBLIC.search(near) or _OF_FIREBASE.search(line):
        return Verdict(
            "of a Firebase application, where it is public: see that it is restricted", "low"
        )
    if _OF_YOUTUBE.search(near):
        return Verdict("of YouTube's own pages, where it is public", "low")
    if _MAYBE_OF_A_PAGE.search(_BUNDLED.sub(b"", line)):
        return Verdict(
            "by its name for pages, where it is public: see that it is restricted", "medium"
        )
    return Verdict()


def google_oauth(candidate: CredentialCandidate) -> Verdict | None:
    """An OAuth client secret of Google; that of an installed application is not confidential."""
    if is_filler(candidate.secret):
        return None
    near = candidate.data[max(0, candidate.start - _NEAR) : candidate.end + _NEAR]
    if _INSTALLED.search(near):
        return Verdict("of an application that users install, which can't keep it secret", "low")
    return Verdict()


def encoded_private_key(candidate: CredentialCandidate) -> Verdict | None:
    """Base64 of a private key in PEM, or of a service account's JSON with one."""
    text = candidate.secret
    url = b"-" in text or b"_" in text
    whole = text[: len(text) - len(text) % 4] if not text.endswith(b"=") else text
    decoded = unbase64(whole, url=url)
    match = _PEM.search(decoded) if decoded else None
    if decoded is None or match is None:
        return None
    if b"-----END" not in decoded:  # the rest stands in another literal
        return Verdict("its beginning") if len(decoded) - match.start(1) >= _PIECE else None
    inner = CredentialCandidate(candidate.rule, decoded, match.start(1), match.end(1), match.span())
    found = private_key(inner)
    if found is None:
        return None
    what = "of a service account" if b'"service_account"' in decoded else found.note
    return Verdict(what, found.severity)


def docker_auth(candidate: CredentialCandidate) -> Verdict | None:
    """Base64 of ``user:password``, or of a whole configuration of Docker with such entries."""
    decoded = unbase64(candidate.secret)
    if decoded is None:
        return None
    if decoded.lstrip().startswith(b"{"):
        inner = re.search(rb'"(?:auth|password)"\s*:\s*"([^"\s]{4,4000})"', decoded)
        return Verdict("of a registry") if inner and not is_placeholder(inner[1]) else None
    user, colon, password = decoded.partition(b":")
    shown = decoded.isascii() and decoded.decode("ascii", "replace").isprintable()
    if not colon or not user or len(password) < 4 or not shown or is_placeholder(password):
        return None
    return Verdict("user and password of a registry")


def random_looking(candidate: CredentialCandidate) -> Verdict | None:
    """What follows a short prefix must look drawn at random: words have such prefixes, too."""
    body = re.sub(rb"^[A-Za-z0-9]{1,9}(?:_(?:live|api|car)_|[_-])", b"", candidate.secret)
    body = body.removeprefix(b"BSA")
    return Verdict() if is_random(body) and not is_placeholder(body) else None


def seed_phrase(candidate: CredentialCandidate) -> Verdict | None:
    """The words of a wallet: 12 to 24 in steps of three, which no sentence is made of (BIP-39)."""
    words = candidate.secret.split(b" ")
    if len(words) not in _SEED_LENGTHS or _OF_SENTENCES & set(words):
        return None
    if len(set(words)) < len(words) - 2 or _SEEDS_OF_TOOLS.match(candidate.secret):
        return None  # test vectors repeat words
    return Verdict(f"{len(words)} words")
