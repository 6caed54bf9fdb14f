"""Inspect AI on the job that stands on stdin; see ``engine_endpoint.py``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time


def main() -> None:
    job = json.load(sys.stdin)
    os.environ["FIXED_BASE_URL"] = job["url"]
    os.environ["FIXED_API_KEY"] = "none"
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.solver import generate

    samples = [Sample(input=text) for text in job["prompts"]]
    task = Task(dataset=MemoryDataset(samples), solver=generate())
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        (log,) = eval(
            task,
            model="openai-api/fixed/fixed",
            max_connections=job["concurrency"],
            max_samples=job["concurrency"],
            max_tokens=160,
            temperature=0,
            log_dir=folder,
            display="none",
        )
        seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    assert log.status == "success", log.error
    assert log.results is not None or log.samples is not None
    print(json.dumps({"requests": len(samples), "seconds": seconds, "cpu_s": spent}))


if __name__ == "__main__":
    main()
