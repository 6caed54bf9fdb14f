"""What comes over a WebSocket or as an event of Socket.IO is a stranger's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.source.code.examine import inspect

EVENTS = {
    "flask-socketio": (
        "from flask_socketio import SocketIO\ns = SocketIO(app)\n"
        "@s.on('a')\ndef handle(data):\n    open(data['f'])\n"
    ),
    "flask-socketio, event": (
        "from flask_socketio import SocketIO\ns = SocketIO(app)\n"
        "@s.event\ndef handle(data):\n    open(data['f'])\n"
    ),
    "flask-socketio, given": (
        "from flask_socketio import SocketIO\ns = SocketIO(app)\n"
        "def handle(data):\n    open(data['f'])\ns.on_event('a', handle)\n"
    ),
    "flask-socketio, namespace": (
        "from flask_socketio import Namespace\nclass N(Namespace):\n"
        "    def on_read(self, data):\n        open(data['f'])\n"
    ),
    "python-socketio": (
        "import socketio\nsio = socketio.AsyncServer()\n"
        "@sio.on('a')\nasync def handle(sid, data):\n    open(data)\n"
    ),
    "python-socketio, namespace": (
        "import socketio\nclass N(socketio.AsyncNamespace):\n"
        "    async def on_read(self, sid, data):\n        open(data)\n"
    ),
    "channels": (
        "import json\nfrom channels.generic.websocket import AsyncWebsocketConsumer\n"
        "class C(AsyncWebsocketConsumer):\n"
        "    async def receive(self, text_data=None, bytes_data=None):\n"
        "        open(json.loads(text_data)['f'])\n"
    ),
    "channels, JSON": (
        "from channels.generic.websocket import JsonWebsocketConsumer\n"
        "class C(JsonWebsocketConsumer):\n"
        "    def receive_json(self, content):\n        open(content['f'])\n"
    ),
    "FastAPI": (
        "from fastapi import FastAPI, WebSocket\napp = FastAPI()\n"
        "@app.websocket('/w')\nasync def w(ws: WebSocket):\n    open(await ws.receive_text())\n"
    ),
    "FastAPI, a loop": (
        "from fastapi import APIRouter, WebSocket\napp = APIRouter()\n"
        "@app.websocket('/w')\nasync def w(ws: WebSocket):\n"
        "    async for one in ws.iter_json():\n        open(one['f'])\n"
    ),
    "Starlette": (
        "from starlette.websockets import WebSocket\n"
        "async def w(ws: WebSocket):\n    open((await ws.receive_bytes()).decode())\n"
    ),
    "aiohttp": (
        "from aiohttp import web\nasync def w(request):\n    ws = web.WebSocketResponse()\n"
        "    await ws.prepare(request)\n    async for msg in ws:\n        open(msg.data)\n"
    ),
    "aiohttp, JSON": (
        "from aiohttp import web\nasync def w(request):\n    ws = web.WebSocketResponse()\n"
        "    data = await ws.receive_json()\n    open(data['f'])\n"
    ),
    "tornado": (
        "import tornado.websocket\nclass W(tornado.websocket.WebSocketHandler):\n"
        "    def on_message(self, message):\n        open(message)\n"
    ),
    "websockets": (
        "import websockets\nasync def w(ws):\n    async for message in ws:\n        open(message)\n"
        "websockets.serve(w, '', 1)\n"
    ),
    "websockets, annotated": (
        "from websockets.asyncio.server import ServerConnection\n"
        "async def w(ws: ServerConnection):\n    open(await ws.recv())\n"
    ),
    "quart": (
        "from quart import Quart, websocket\napp = Quart('a')\n"
        "@app.websocket('/w')\nasync def w():\n    open(await websocket.receive())\n"
    ),
    "sanic": (
        "from sanic import Sanic\napp = Sanic('a')\n"
        "@app.websocket('/w')\nasync def w(request, ws):\n    open(await ws.recv())\n"
    ),
    "flask-sock": (
        "from flask_sock import Sock\nsock = Sock(app)\n"
        "@sock.route('/w')\ndef w(ws):\n    open(ws.receive())\n"
    ),
}
OWN = {
    "an id that the server makes": (
        "import socketio\nsio = socketio.AsyncServer()\n"
        "@sio.on('a')\nasync def handle(sid, data):\n    open('/d/' + sid)\n"
    ),
    "what a client gets": (
        "import socketio\nsio = socketio.Client()\n"
        "@sio.on('a')\ndef handle(data):\n    open(data)\n"
    ),
    "a method that no event calls": (
        "from flask_socketio import Namespace\nclass N(Namespace):\n"
        "    def read(self, data):\n        open(data)\n"
    ),
}


def rules(folder: Path, code: str) -> set[tuple[str, str]]:
    (folder / "a.py").write_text(code)
    return {(one.rule, one.severity) for one in inspect(folder)[0]}


@pytest.mark.parametrize("kind", EVENTS)
def test_events_are_a_strangers(kind: str, tmp_path: Path) -> None:
    assert ("path-untrusted", "high") in rules(tmp_path, EVENTS[kind])


@pytest.mark.parametrize("kind", OWN)
def test_not_what_the_server_makes(kind: str, tmp_path: Path) -> None:
    assert "path-untrusted" not in {one for one, _ in rules(tmp_path, OWN[kind])}
