"""Precision and recall of personal data on generated texts, by type, beside presidio.

    python benchmarks/personal_data_generated.py [--peer PYTHON]

Each text holds one value of a type with right check digits (by python-stdnum), in one of the forms
in which people write it, and two things that look like personal data and are none: numbers with a
wrong check digit, dates, versions, hashes, fractions, amounts. A value is found where a span of its
type overlaps it; a span that overlaps none of its type is wrong. PYTHON has presidio-analyzer: its
patterns for five languages are asked, on blank engines.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

from stdnum import iban, luhn, verhoeff
from stdnum.cn import ric, uscc
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.kr import rrn

from buttress.rules.personal.detectors import KINDS, find_all

RUNNER = Path(__file__).parent / "peers" / "run_presidio_spans.py"
EACH = 300  # texts of a type
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
NAMES = ("ann", "b.lee", "chidi.okafor", "d_mora", "eve+news", "frank-li", "g2", "hana.sato77")


def digits(r: Random, count: int) -> str:
    """Random decimal digits."""
    return "".join(r.choice("0123456789") for _ in range(count))


def grouped(text: str, sizes: tuple[int, ...], sign: str) -> str:
    """The text cut into groups of these sizes, the last of what is left."""
    parts, place = [], 0
    for size in sizes:
        parts.append(text[place : place + size])
        place += size
    return sign.join([*parts, text[place:]] if place < len(text) else parts)


def card(r: Random) -> str:
    """A payment card of one of four networks."""
    start, length = r.choice([("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("55", 16)])
    body = start + digits(r, length - len(start) - 1)
    whole = body + luhn.calc_check_digit(body)
    sizes = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    return r.choice([whole, grouped(whole, sizes, " "), grouped(whole, sizes, "-")])


def account(r: Random) -> str:
    """An IBAN."""
    country, length = r.choice([("DE", 22), ("AT", 20), ("ES", 24), ("NO", 15), ("CH", 21)])
    body = digits(r, length - 4)
    whole = f"{country}{int(iban.calc_check_digits(f'{country}00{body}')):02}{body}"
    return r.choice([whole, grouped(whole, (4,) * (length // 4), " ")])


def tax(r: Random) -> str:
    """A German tax number: one digit of the first ten comes twice."""
    while True:
        chosen = r.sample("0123456789", 9)
        chosen.insert(r.randrange(9), r.choice(chosen))
        body = "".join(chosen)
        for last in "0123456789":
            if chosen[0] != "0" and idnr.is_valid(body + last):
                return r.choice([body + last, grouped(body + last, (2, 3, 3, 3), " ")])


def fiscal(r: Random) -> str:
    """An Italian fiscal code."""
    while True:
        body = "".join(r.choice(LETTERS) for _ in range(6)) + digits(r, 2)
        body += f"{r.choice('ABCDEHLMPRST')}{r.randint(1, 28):02}{r.choice('ABCDEFGHIL')}"
        body += digits(r, 3)
        whole = body + codicefiscale.calc_check_digit(body)
        if codicefiscale.is_valid(whole):
            return whole


def resident(r: Random) -> str:
    """A Chinese identity number."""
    body = f"{r.choice(['110101', '360426', '440305'])}{r.randint(1955, 2004)}"
    body += f"{r.randint(1, 12):02}{r.randint(1, 28):02}{digits(r, 3)}"
    return body + ric.calc_check_digit(f"{body}0")


def credit(r: Random) -> str:
    """A Chinese credit code of an organisation."""
    body = f"91{r.choice(['110000', '440300'])}" + "".join(r.choice(CREDIT) for _ in range(9))
    return body + uscc.calc_check_digit(body)


def french(r: Random) -> str:
    """A French social security number."""
    body = f"{r.choice('12')}{digits(r, 2)}{r.randint(1, 12):02}{r.choice(['75', '33', '2A'])}"
    body += digits(r, 6)
    whole = body + nir.calc_check_digits(body)
    return r.choice([whole, grouped(whole, (1, 2, 2, 2, 3, 3, 2), " ")])


def korean(r: Random) -> str:
    """A Korean resident registration number."""
    body = f"{r.randint(40, 99)}{r.randint(1, 12):02}{r.randint(1, 28):02}{r.choice('12')}"
    body += f"{r.randint(0, 95):02}{digits(r, 3)}"
    whole = body + rrn.calc_check_digit(body)
    return r.choice([whole, grouped(whole, (6, 7), "-")])


def health(r: Random) -> str:
    """A number of the National Health Service."""
    while True:
        whole = r.choice("46") + digits(r, 9)
        if nhs.is_valid(whole):
            return r.choice([whole, grouped(whole, (3, 3, 4), " ")])


def social(r: Random) -> str:
    """A social security number of the United States."""
    area = r.choice([one for one in range(101, 899) if one != 666])
    return f"{area:03}-{r.randint(1, 99):02}-{r.randint(1, 9999):04}"


def address(r: Random) -> str:
    """An address of the Internet."""
    if r.random() < 0.6:
        return ".".join([str(r.randint(11, 99)), *(str(r.randint(1, 223)) for _ in range(3))])
    return f"2001:db8:{r.randint(1, 65535):x}::{r.randint(16, 65535):x}:{r.randint(1, 65535):x}"


def phone(r: Random) -> str:
    """A telephone number."""
    area, office = f"{r.randint(201, 989)}", f"{r.randint(200, 999)}"
    line = digits(r, 4)
    return r.choice([
        f"+1 {area} {office} {line}", f"+1-{area}-{office}-{line}", f"({area}) {office}-{line}",
        f"{area}-{office}-{line}", f"+44 20 {digits(r, 4)} {digits(r, 4)}",
        f"+49 (0)30 {digits(r, 4)}-{digits(r, 3)}",
        f"+33 6 {' '.join(digits(r, 2) for _ in range(4))}",
        f"+81-3-{digits(r, 4)}-{digits(r, 4)}",
    ])  # fmt: skip


def bitcoin(r: Random) -> str:
    """An address of a wallet."""
    if r.random() < 0.4:
        return "0x" + "".join(r.choice("0123456789abcdef") for _ in range(40))
    body = b"\0" + bytes(r.randrange(256) for _ in range(20))
    number = int.from_bytes(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4])
    made = ""
    while number:
        number, rest = divmod(number, 58)
        made = BASE58[rest] + made
    return "1" + made


def aadhaar(r: Random) -> str:
    """An Indian Aadhaar number, in groups."""
    body = r.choice("23456789") + digits(r, 10)
    return grouped(body + verhoeff.calc_check_digit(body), (4, 4, 4), " ")


def spain(r: Random) -> str:
    """A Spanish identity number."""
    body = digits(r, 8)
    return body + dni.calc_check_digit(body)


MAKERS: dict[str, tuple[Callable[[Random], str], tuple[str, ...]]] = {
    "EMAIL": (
        lambda r: f"{r.choice(NAMES)}@{r.choice(['mail', 'x1', 'post-office'])}.example."
        f"{r.choice(['org', 'com', 'co.uk', 'travel'])}",
        ("write to {}", "<{}>", "mailto:{}", '{{"to": "{}"}}', "Mail: {}."),
    ),
    "PHONE": (phone, ("call {}", "Tel. {}", "phone: {}", "{} (mobile)", "fax {};")),
    "IP": (address, ("from {} at night", "host={}", "[{}]", "{} - - GET /")),
    "CARD": (card, ("paid with {}", "card {}", "card number: {},", '"{}"')),
    "IBAN": (account, ("IBAN {}", "account {}.", "to {} by Monday")),
    "WALLET": (bitcoin, ("send it to {}", "wallet: {}")),
    "US_SSN": (social, ("SSN {}", "social security number {}", "her number is {}.")),
    "UK_NINO": (
        lambda r: f"{r.choice('ABCEGHJKLMNPRSTWXYZ')}{r.choice('ABCEGHJKLMNPRSTWXYZ')}"
        f"{digits(r, 6)}{r.choice('ABCD')}".replace("BG", "AB").replace("GB", "AB")
        .replace("NK", "AB").replace("KN", "AB").replace("TN", "AB").replace("NT", "AB")
        .replace("ZZ", "AB"),
        ("NI number {}", "insured under {}"),
    ),
    "UK_NHS": (health, ("NHS number {}", "NHS {}")),
    "DE_TAX_ID": (tax, ("Steuer-ID {}", "IdNr. {}")),
    "FR_NIR": (french, ("numéro {}", "sécu : {}")),
    "ES_DNI": (spain, ("DNI {}", "con número {}")),
    "IT_FISCAL_CODE": (fiscal, ("codice fiscale {}", "CF: {}")),
    "IN_AADHAAR": (aadhaar, ("Aadhaar {}", "the number {}")),
    "IN_PAN": (
        lambda r: "".join(r.choice(LETTERS) for _ in range(3)) + r.choice("PCHABGJLFT")
        + f"{r.choice(LETTERS)}{r.randint(1, 9999):04}{r.choice(LETTERS)}",
        ("PAN {}", "tax payer {}."),
    ),
    "KR_RRN": (korean, ("주민등록번호 {}", "number {}")),
    "CN_RESIDENT_ID": (resident, ("身份证{}", "身份证号码：{}，", "id {}")),
    "CN_MOBILE": (
        lambda r: f"{r.choice(['', '', '+86 '])}1{r.choice(['38', '59', '86'])}{digits(r, 8)}",
        ("手机{}", "电话：{}。", "call {}"),
    ),
    "CN_CREDIT_CODE": (credit, ("统一社会信用代码{}", "code {}")),
}  # fmt: skip


def decoy(r: Random) -> str:
    """Something that is nobody's."""
    wrong = digits(r, 15)
    last = luhn.calc_check_digit(wrong)
    nine = [r.randint(1, 9) for _ in range(4)]
    return r.choice([
        f"order {r.randint(10**7, 10**9)}", "version {}.{}.{}".format(*nine),
        f"on {r.randint(1990, 2026)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} at 12:30:05",
        f"reference {wrong}{(int(last) + nine[0]) % 10}", f"a loss of 0.{digits(r, 16)}",
        f"commit {r.getrandbits(160):040x}", f"stamp {r.randint(1_600_000_000, 1_800_000_000)}",
        f"icon@{r.choice('23')}x.png", f"pages {r.randint(1, 99)}-{r.randint(100, 300)}",
        f"EUR {nine[0]},{digits(r, 3)}.{digits(r, 2)}", f"pkg@{nine[0]}.2.{nine[1]}",
        "as of v{}.{}.{}.{}".format(*nine), f"ISBN 978-3-{digits(r, 2)}-{digits(r, 6)}-0",
        f"size {r.randint(100, 999)}x{r.randint(100, 999)}", f"part {digits(r, 3)}/{digits(r, 4)}",
    ])  # fmt: skip


def texts(seed: int) -> list[tuple[str, str, int, int]]:
    """Text, type, and where its value begins and ends."""
    made = []
    for kind, (make, forms) in MAKERS.items():
        r = Random(f"{kind} {seed}")
        for _ in range(EACH):
            value = make(r)
            before, behind = r.choice(forms).format("\0").split("\0")
            start = f"{decoy(r)}, and then {before}"
            whole = f"{start}{value}{behind} with {decoy(r)}"
            made.append((whole, kind, len(start), len(start) + len(value)))
    return made


def main() -> None:
    """Print a line for each type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="Python with presidio-analyzer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made = texts(options.seed)
    plain = [one[0] for one in made]
    kinds = [kind for kind in KINDS if kind != "SECRET"]
    ours = [
        [(span.start, span.end, span.kind) for span in spans] for spans in find_all(plain, kinds)
    ]
    found = {"Buttress": ours}
    if options.peer:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(plain, file)
            file.flush()
            done = subprocess.run(
                [options.peer, str(RUNNER), file.name], capture_output=True, text=True, check=True
            )
        found["presidio"] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"| {EACH} texts a type | "
        + " | ".join(f"{name}: precision | recall" for name in found)
        + " |"
    )
    shown = {name: _counts(made, spans) for name, spans in found.items()}
    for kind in (*MAKERS, "all"):
        cells = []
        for counts in shown.values():
            one = counts[kind]
            right = one["found"] - one["wrong"]
            cells.append(f"{right / one['found']:.3f}" if one["found"] else "–")
            cells.append(f"{one['hit'] / one['labels']:.3f}")
        print(f"| {kind} | " + " | ".join(cells) + " |")


def _counts(
    made: list[tuple[str, str, int, int]], spans: list[list[tuple[int, int, str]]]
) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, kind, start, end), found in zip(made, spans, strict=True):
        hits = [one for one in found if one[2] == kind and one[0] < end and start < one[1]]
        for name in (kind, "all"):
            counts[name]["labels"] += 1
            counts[name]["hit"] += bool(hits)
        for one in found:
            for name in (one[2], "all"):
                counts[name]["found"] += 1
                counts[name]["wrong"] += one not in hits
    return counts


if __name__ == "__main__":
    main()
