"""PyRIT on the job that stands on stdin; see ``engine_endpoint.py``."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Any


async def run(job: dict[str, Any]) -> dict[str, float]:
    from pyrit.executor.attack import AttackExecutor, PromptSendingAttack
    from pyrit.prompt_target import OpenAIChatTarget
    from pyrit.setup import IN_MEMORY, initialize_pyrit_async

    await initialize_pyrit_async(memory_db_type=IN_MEMORY)
    target = OpenAIChatTarget(
        endpoint=job["url"], model_name="fixed", api_key="none", temperature=0.0
    )
    attack = PromptSendingAttack(objective_target=target)
    executor = AttackExecutor(max_concurrency=job["concurrency"])
    start, cpu = time.perf_counter(), time.process_time()
    results = await executor.execute_attack_async(attack=attack, objectives=job["prompts"])
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    count = len(list(results))
    assert count == len(job["prompts"])
    return {"requests": count, "seconds": seconds, "cpu_s": spent}


def main() -> None:
    logging.disable(logging.WARNING)
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
