"""The chat service: wraps a question in passages and tools, asks the model, sends the answer."""

from __future__ import annotations

from aiohttp import ClientSession, web
from retrieval import Index
from settings import Settings, load
from tools import DESCRIPTIONS, Tools

SYSTEM = """You are the helpful support assistant of the Lantern web shop.
Answer from these texts only:
{passages}

You may call a tool by answering with nothing but {{"tool": NAME, "arguments": {{…}}}}:
{tools}"""
SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
INDEX: web.AppKey[Index] = web.AppKey("index", Index)
TOOLS: web.AppKey[Tools] = web.AppKey("tools", Tools)
CLIENT: web.AppKey[ClientSession] = web.AppKey("client", ClientSession)


async def complete(app: web.Application, messages: list[dict[str, str]]) -> str:
    settings = app[SETTINGS]
    body = {
        "model": settings.model_name,
        "messages": messages,
        "max_tokens": settings.max_tokens,
    }
    headers = {"Authorization": f"Bearer {settings.api_key}"}
    url = f"{settings.model_url}/chat/completions"
    async with app[CLIENT].post(url, json=body, headers=headers) as reply:
        reply.raise_for_status()
        answer = await reply.json()
    return str(answer["choices"][0]["message"]["content"])


async def chat(request: web.Request) -> web.Response:
    app = request.app
    question = str((await request.json())["question"])[: app[SETTINGS].max_question]
    passages = "\n".join(one.text for one in app[INDEX].search(question))
    tools = "\n".join(f"- {name}: {what}" for name, what in DESCRIPTIONS.items())
    messages = [
        {"role": "system", "content": SYSTEM.format(passages=passages, tools=tools)},
        {"role": "user", "content": question},
    ]
    answer = await complete(app, messages)
    result = app[TOOLS].call(answer)
    if result is not None:
        messages += [
            {"role": "assistant", "content": answer},
            {"role": "user", "content": f"The tool answered: {result}"},
        ]
        answer = await complete(app, messages)
    return web.json_response({"answer": answer})


async def client(app: web.Application):  # type: ignore[no-untyped-def]
    async with ClientSession() as session:
        app[CLIENT] = session
        yield


def create() -> web.Application:
    settings = load()
    app = web.Application(client_max_size=64 * 1024)
    app[SETTINGS] = settings
    app[INDEX] = Index(settings.knowledge)
    app[TOOLS] = Tools(settings.database)
    app.cleanup_ctx.append(client)
    app.router.add_post("/chat", chat)
    return app


if __name__ == "__main__":
    web.run_app(create(), host="0.0.0.0", port=8000)
