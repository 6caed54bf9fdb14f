"""Files of the service with keys that nobody issued, though their structure is right."""

from __future__ import annotations

import base64
import json
import random
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


def draw(source: random.Random, alphabet: str, length: int) -> str:
    return "".join(source.choices(alphabet, k=length))


def github(source: random.Random) -> str:
    """A token whose last six digits are the CRC-32 of the others, as GitHub's are."""
    body = draw(source, BASE62, 30)
    number, checksum = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        checksum = BASE62[digit] + checksum
    return f"ghp_{body}{checksum}"


def private_key(source: random.Random) -> str:
    """PEM around random bytes that begin as DER does; no key that works."""
    text = base64.b64encode(b"\x30\x82\x04\xbe" + source.randbytes(1214)).decode()
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    label = "PRIVATE KEY"
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def notebook(token: str) -> str:
    """Two cells; the second logs in with a token."""
    cells = [
        {
            "cell_type": "markdown",
            "id": "intro",
            "metadata": {},
            "source": ["# Does the reranker help?\n", "Compares answers with and without it."],
        },
        {
            "cell_type": "code",
            "execution_count": 1,
            "id": "login",
            "metadata": {},
            "outputs": [],
            "source": [
                "from huggingface_hub import login\n",
                "\n",
                f'login(token="{token}")\n',
            ],
        },
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1) + "\n"


def files() -> dict[str, bytes]:
    """Content by path relative to the example."""
    source = random.Random("support-chatbot")
    stripe = "sk_" + "live_" + draw(source, BASE62, 24)
    middle = "T3Blbk" + "FJ"
    openai = "sk-" + "proj-" + draw(source, BASE62, 74) + middle + draw(source, BASE62, 74)
    texts = {
        "app/.env": f"STRIPE_KEY={stripe}\nMODEL_API_KEY={openai}\n",
        "app/settings_production.py": f'''\
"""Settings of the production service. To be moved to the vault."""

DATABASE_URL = "postgresql://shop:{draw(source, BASE62, 20)}@orders.internal:5432/orders"
DASHSCOPE_API_KEY = "{"sk-" + draw(source, HEX, 32)}"  # translates questions in Chinese
SESSION_SECRET = "{draw(source, BASE62, 40)}"
# buttress: allow secret key of the payment provider's test mode, which moves no money
STRIPE_TEST_KEY = "{"sk_" + "test_" + draw(source, BASE62, 24)}"
''',
        "app/deploy/backup.sh": f"""\
#!/bin/sh
# Copies the orders to the bucket each night.
export AWS_ACCESS_KEY_ID={"AK" + "IA" + draw(source, BASE32, 16)}
export AWS_SECRET_ACCESS_KEY={draw(source, BASE62 + "+/", 40)}
aws s3 cp /var/lib/orders.sqlite s3://lantern-backup/
""",
        "app/deploy/update.sh": f"""\
#!/bin/sh
# Fetches the newest version of the service.
git pull https://x-access-token:{github(source)}@github.com/lantern/support-chatbot main
""",
        "app/deploy/tls.pem": private_key(source),
        "app/notebooks/reranker.ipynb": notebook(
            "hf" + "_" + draw(source, string.ascii_letters, 34)
        ),
    }
    return {name: text.encode() for name, text in texts.items()}
