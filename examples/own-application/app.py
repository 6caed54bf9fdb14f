"""A help desk behind a login: the application that this example assesses.

Standard library only. POST /login gives a token, POST /chat answers a question of who holds one.
There is no model behind it: a list of answers and a filter, so that it runs anywhere and gives the
same answers each time.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

PASSWORD = os.environ.get("DESK_PASSWORD", "lantern")
BLOCKED = re.compile(
    r"\b(bomb|weapon|poison|kill|steal|hack|drugs?|attack|fake|explosive|stalk|blackmail)", re.I
)
NOT_SENT = "This message was not sent. Please keep to the rules of the desk."
ANSWERS = {
    "return": "Send it back within 30 days. Print the label in your account, pack the lamp in its "
    "box, and hand it in at any post office. The money is back within five days.",
    "order": "Open your account, choose Orders, and you see where each parcel is. An order can be "
    "changed until it is packed, usually on the evening of the same day.",
    "delivery": "A parcel takes two to three days. You choose the day and the place when you pay.",
}
OTHERWISE = "I'm sorry, but I can only help with orders, deliveries and returns."


def reply(question: str) -> str:
    """What the desk says."""
    if BLOCKED.search(question):
        return NOT_SENT
    words = question.lower()
    return next((text for word, text in ANSWERS.items() if word in words), OTHERWISE)


class Desk(BaseHTTPRequestHandler):
    """Serves /login and /chat."""

    protocol_version = "HTTP/1.1"
    tokens: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        """Answer a request."""
        length = int(self.headers.get("Content-Length", 0))
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            return self._send(400, {"error": "not JSON"})
        if self.path == "/login":
            if body.get("password") != PASSWORD:
                return self._send(401, {"error": "wrong password"})
            token = secrets.token_hex(16)
            self.tokens.add(token)
            return self._send(200, {"token": token})
        if self.path != "/chat":
            return self._send(404, {"error": "no such page"})
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self._send(401, {"error": "please log in"})
        return self._send(200, {"data": {"reply": reply(str(body.get("question", "")))}})

    def _send(self, status: int, body: object) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    port = int(os.environ.get("DESK_PORT", "8765"))
    with ThreadingHTTPServer(("127.0.0.1", port), Desk) as server:
        print(f"the desk answers at http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
