"""``buttress sign`` and ``buttress verify-model``: signatures of model folders."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buttress.provenance.signing import Signer
    from buttress.provenance.verification import SignatureVerification, Trust

_SHOWN = 20  # file names of each sort
_NEEDS = "needs the extra: pip install '.[signing]' in the clone of Buttress"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands."""
    parser = commands.add_parser(
        "sign",
        help="sign a model folder",
        description="Signs all files of a model, as the OpenSSF Model Signing specification has "
        f"it, and writes a Sigstore bundle. {_NEEDS[0].upper()}{_NEEDS[1:]}",
        epilog="exit codes: 0 signed, 2 bad input",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a folder, or one file")
    parser.add_argument(
        "--key", type=Path, metavar="FILE.pem", help="private key, elliptic (P-256)"
    )
    parser.add_argument(
        "--password-env", metavar="NAME", help="environment variable with the key's password"
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE.pem", help="certificate of the key"
    )
    parser.add_argument(
        "--chain", type=Path, action="append", metavar="FILE.pem", default=[],
        help="certificates of the authorities above; can be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--sigstore", action="store_true",
        help="sign without a key, for an identity; asks an identity provider over the network",
    )  # fmt: skip
    parser.add_argument(
        "--identity-token-env", metavar="NAME",
        help="environment variable with an OpenID Connect token, for --sigstore",
    )  # fmt: skip
    parser.add_argument(
        "--trust", type=Path, metavar="FILE.json", help="Sigstore client trust configuration"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="the signature (default: model.sig in the folder, FILE.sig beside a file)",
    )  # fmt: skip
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="PATH",
        help="a path in the folder that is not signed; can be repeated; git's own never are",
    )  # fmt: skip
    parser.add_argument("--follow-links", action="store_true", help="sign what links lead to")
    parser.add_argument("--force", action="store_true", help="replace a signature that is there")
    parser.set_defaults(run=run_sign)

    parser = commands.add_parser(
        "verify-model",
        help="check the signature of a model folder",
        description="Checks who signed a model, then every file, and names those that differ. "
        f"{_NEEDS[0].upper()}{_NEEDS[1:]}",
        epilog="exit codes: 0 valid, 1 not valid, 2 bad input",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a folder, or one file")
    parser.add_argument(
        "-s", "--signature", type=Path, metavar="FILE",
        help="the signature (default: model.sig in the folder, FILE.sig beside a file)",
    )  # fmt: skip
    parser.add_argument("--key", type=Path, metavar="FILE.pem", help="public key of the signer")
    parser.add_argument(
        "--chain", type=Path, action="append", metavar="FILE.pem", default=[],
        help="certificates of the authorities that you trust; can be repeated",
    )  # fmt: skip
    parser.add_argument("--identity", metavar="NAME", help="who signed, for Sigstore")
    parser.add_argument("--issuer", metavar="URL", help="who vouches for the identity")
    parser.add_argument(
        "--trust", type=Path, metavar="FILE.json",
        help="Sigstore trusted root or client trust configuration; without it, it is fetched",
    )  # fmt: skip
    parser.set_defaults(run=run_verify)


def run_sign(options: argparse.Namespace) -> int:
    """Sign, and say what was signed."""
    from buttress.workflows.signing import sign_model

    signed = sign_model(
        options.model,
        _signer(options),
        signature=options.output,
        ignore=options.ignore,
        follow_links=options.follow_links,
        replace=options.force,
    )
    print(f"{signed.signature}: {signed.files:,} files of {options.model} signed")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Check, and say what differs."""
    from buttress.workflows.signing import verify_model

    result = verify_model(options.model, _trust(options), signature=options.signature)
    if result.status == "valid":
        print(f"{options.model}: valid, {result.files:,} files as they were signed")
        if result.uncovered:
            print(f"  not part of the signature: {_names(result.uncovered)}")
        return 0
    print(f"{options.model}: NOT VALID: {_why(result)}")
    for title, names in (
        ("changed", result.altered), ("added", result.added), ("removed", result.removed),
    ):  # fmt: skip
        if names:
            print(f"  {title}: {_names(names)}")
    return 1


def _signer(options: argparse.Namespace) -> Signer:
    from buttress.errors import InputError
    from buttress.provenance.signing import Certificate, Keyless, PrivateKey

    if options.sigstore:
        for name in ("key", "certificate", "chain", "password_env"):
            if getattr(options, name):
                raise InputError(
                    f"goes without --{name.replace('_', '-')}", field="--sigstore",
                    expected="one way of signing",
                )  # fmt: skip
        token = options.identity_token_env
        return Keyless(_secret(token, "--identity-token-env") if token else None, options.trust)
    if options.key is None:
        raise InputError("nothing to sign with", field="--key", expected="a private key in PEM")
    if options.certificate is None:
        if options.chain:
            raise InputError("is missing", field="--certificate", expected="that of the key")
        name = options.password_env
        return PrivateKey(options.key, _secret(name, "--password-env") if name else None)
    if options.password_env:
        raise InputError(
            "a key with a certificate can't have a password", field="--password-env",
            expected="a key without one, which the library demands",
        )  # fmt: skip
    return Certificate(options.key, options.certificate, tuple(options.chain))


def _trust(options: argparse.Namespace) -> Trust:
    from buttress.errors import InputError
    from buttress.provenance.verification import Authorities, Identity, PublicKey

    given = [
        name
        for name, value in (
            ("--key", options.key),
            ("--chain", options.chain),
            ("--identity", options.identity),
        )
        if value
    ]
    if len(given) != 1:
        found = " and ".join(given) or "nothing"
        raise InputError(
            f"{found} to check with", field="--key", expected="one of --key, --chain, --identity"
        )
    if options.key:
        return PublicKey(options.key)
    if options.chain:
        return Authorities(tuple(options.chain))
    if not options.issuer:
        raise InputError("is missing", field="--issuer", expected="who vouches for the identity")
    return Identity(options.identity, options.issuer, options.trust)


def _secret(name: str, field: str) -> str:
    import os

    from buttress.errors import InputError

    value = os.environ.get(name)
    if not value:
        raise InputError(f"no environment variable '{name}'", field=field, expected="its name")
    return value


def _why(result: SignatureVerification) -> str:
    reasons = {
        "changed": result.reason,
        "untrusted": f"the signature is not from whom it should be ({result.reason})",
        "unreadable": f"the signature can't be read: {result.reason}",
    }
    return reasons[result.status]


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
