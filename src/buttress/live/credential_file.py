"""Files of credentials that a survey tries: ``[PRODUCT ]USER:PASSWORD``, one a line."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.protocols.live import Credential

DEFAULTS: Final = Path("default")  # in place of a file: what products start with
_MAX_LINES: Final = 1_000
_EXPECTED: Final = "[PRODUCT ]USER:PASSWORD"


def read_credentials(path: Path, products: Collection[str]) -> tuple[Credential, ...]:
    """The credentials of a file, in its order.

    Empty lines and those that begin with ``#`` are passed over. A password may hold colons and
    spaces; a user's name may not.

    Args:
        path: of the file.
        products: ids that a line may name.

    Raises:
        InputError: not readable, or naming the line that is no credential; never its content.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "is not UTF-8"
        raise InputError(problem, file=str(path), field="--credentials") from None
    found: list[Credential] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, password = line.partition(":")
        product, space, user = name.lstrip().partition(" ")
        if not space:
            product, user = "", product
        user = user.strip()
        problem = expected = ""
        if not colon or " " in user:
            problem, expected = "is no credential", _EXPECTED
        elif product and product not in products:
            problem, expected = f"unknown product '{product[:40]}'", ", ".join(sorted(products))
        elif len(found) == _MAX_LINES:
            problem, expected = "one credential too many", f"at most {_MAX_LINES}"
        if problem:
            raise InputError(
                problem, file=str(path), line=number, field="--credentials", expected=expected
            )
        found.append(Credential(user, password, product))
    if not found:
        raise InputError("holds none", file=str(path), field="--credentials", expected=_EXPECTED)
    return tuple(found)
