"""AWS Signature Version 4, as Bedrock wants it where there is no API key.

See "Create a signed AWS API request" in the reference of AWS Identity and Access Management.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from yarl import URL

SERVICE: Final = "bedrock"
_REGION: Final = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")


class RequestSigner:
    """Signs requests with an account's keys."""

    def __init__(
        self,
        key_id: str,
        secret: str,
        region: str,
        token: str = "",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key_id = key_id
        self.secret = secret
        self._region = region
        self._token = token
        self._clock = clock

    def headers(self, url: URL, body: bytes, method: str = "POST") -> dict[str, str]:
        """Headers that sign the request, beside those that it has."""
        now = self._clock()
        moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        host = url.host or ""
        if not url.is_default_port():
            host += f":{url.port}"
        signed = {"content-type": "application/json", "host": host, "x-amz-date": moment}
        if self._token:
            signed["x-amz-security-token"] = self._token
        names = ";".join(sorted(signed))
        query = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted(url.query.items())
        )
        canonical = "\n".join(
            [
                method,
                quote(url.raw_path, safe="/-_.~"),
                query,
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            ]
        )
        scope = f"{day}/{self._region}/{SERVICE}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
        key = f"AWS4{self.secret}".encode()
        for part in (day, self._region, SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        sent = {
            "X-Amz-Date": moment,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self._key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
        }
        return sent | ({"X-Amz-Security-Token": self._token} if self._token else {})


def signer_from_environment(url: URL) -> RequestSigner | None:
    """A signer with the keys in AWS's own variables; None where there are none."""
    key_id = os.environ.get("AWS_ACCESS_KEY_ID", "").strip()
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "").strip()
    if not key_id or not secret:
        return None
    named = _REGION.search(url.host or "")
    region = named.group(1) if named else os.environ.get("AWS_REGION", "us-east-1")
    return RequestSigner(key_id, secret, region, os.environ.get("AWS_SESSION_TOKEN", "").strip())
