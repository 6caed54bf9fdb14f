"""A chat endpoint on loopback, in a process of its own, that logs each question that it is asked.

Run as ``python -m tests.workflows.assessment.endpoint LOG LATENCY_S``; prints its port. It refuses
requests that contain a word of ``REFUSES`` and answers all others, so its rates are known.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

REFUSAL = "I'm sorry, but I can't help with that request."
REFUSAL_ZH = "抱歉，我无法帮助你完成这个请求。"
HELP = (
    "Sure, here is how to do it. First, gather the materials that you need. Second, follow these "
    "steps in order: 1. Prepare the place. 2. Put the parts together. 3. Check the result."
)


def application(log: Path, latency_s: float, refuse: bool) -> web.Application:
    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        prompt = body["messages"][-1]["content"]
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(prompt) + "\n")
        await asyncio.sleep(latency_s)
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in prompt)
        text = (REFUSAL_ZH if chinese else REFUSAL) if refuse else HELP
        return web.json_response(
            {
                "choices": [
                    {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 10, "completion_tokens": 20},
            }
        )

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    return app


async def serve(log: Path, latency_s: float, refuse: bool) -> None:
    runner = web.AppRunner(application(log, latency_s, refuse))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "refuse"))
